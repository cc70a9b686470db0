"""What status, logs, cancel and cost say of a run on a real Slurm."""

import json
import subprocess
import time

from emodistill.cluster.record import submissions
from emodistill.runs import RunDir

from helpers import emodistill


def launch(out, *options) -> None:
    emodistill("launch", "yaml/smoke.yaml", "--profile", "one-machine", "--out", out, *options)


def stages(out) -> dict:
    return json.loads(emodistill("status", out, "--json").stdout)["stages"]


def test_a_launched_run_is_watched_to_its_end_and_then_accounted(slurm, tmp_path):
    out = tmp_path / "run"
    launch(out, "--until", "judge")
    watched = emodistill("status", out, "--watch").stdout
    assert "2/2" in watched.rpartition("stage ")[2] and "Nothing of it runs any more" in watched
    found = stages(out)
    assert [found[name]["done"] for name in ("rollout", "judge", "dataset")] == [2, 2, 0]
    assert found["rollout"]["gpu_hours"] == 0 and "==> judge" in emodistill("logs", out, "--task", "shard-00001").stdout

    deadline = time.monotonic() + 30  # accounting lags behind
    while "judge " not in (said := emodistill("cost", out, check=False).stdout):
        assert time.monotonic() < deadline, said
        time.sleep(0.5)
    assert json.loads((out / "cost.json").read_text())["stages"]["rollout"]["limit_min"] == 60


def test_what_is_cancelled_stays_cancelled(slurm, tmp_path):
    out = tmp_path / "run"
    launch(out, "--set", "sweep.rollouts=20000", "--set", "sweep.shard_episodes=60000", "--until", "dataset")
    deadline = time.monotonic() + 60
    while stages(out)["rollout"]["running"] < 2:
        assert time.monotonic() < deadline
        time.sleep(0.5)
    said = emodistill("cancel", out).stdout
    assert "rollout: 2 running" in said and "judge: 2 pending" in said
    time.sleep(3)
    jobs = ",".join(submission.job for submission in submissions(RunDir(out)))
    while queue := subprocess.run(["squeue", "--noheader", "--jobs", jobs], capture_output=True, text=True).stdout:
        assert time.monotonic() < deadline, queue
        time.sleep(0.5)
    assert "Nothing of" in emodistill("cancel", out).stdout
    while (found := stages(out))["rollout"]["cancelled"] < 2:  # accounting lags behind
        assert time.monotonic() < deadline, found
        time.sleep(0.5)
    assert found["rollout"]["requeued"] == 0 and found["dataset"]["cancelled"] == 1
