"""The pipeline's own stages as real Slurm jobs: the same results as on this machine's processes."""

import json
import shutil
import subprocess
import time

import pytest

from emodistill.shards import content_hash

from helpers import curve, emodistill

pytestmark = [pytest.mark.slow]


@pytest.fixture(scope="module")
def local(tmp_path_factory, tiny_model):
    out = tmp_path_factory.mktemp("local") / "run"
    emodistill("run", "yaml/smoke.yaml", "--out", out, "--until", "dataset")
    return out


def test_arrays_on_slurm_make_the_same_shards_as_local_jobs(slurm, local, tmp_path):
    out = tmp_path / "run"
    emodistill("run", "yaml/smoke.yaml", "--out", out, "--profile", "one-machine", "--until", "dataset")
    for stage in ("rollout", "judge", "dataset"):
        names = sorted(path.name for path in (local / stage).glob("*.h5"))
        assert content_hash(out / stage / n for n in names) == content_hash(local / stage / n for n in names)
    deadline = time.monotonic() + 30  # accounting lags behind
    while missing := {"smoke-rollout|COMPLETED", "smoke-judge|COMPLETED"} - accounted():
        assert time.monotonic() < deadline, missing
        time.sleep(0.5)
    assert "to do" not in emodistill("run", "yaml/smoke.yaml", "--out", out, "--until", "dataset").stderr


def accounted() -> set[str]:
    command = ["sacct", "-XnP", "--format=JobName,State"]
    return set(subprocess.run(command, capture_output=True, text=True, check=True).stdout.split())


@pytest.mark.deepspeed
def test_two_deepspeed_ranks_under_srun_train_like_one_process(slurm, local, tmp_path):
    alone, ranks = tmp_path / "alone", tmp_path / "ranks"
    for out in (alone, ranks):
        shutil.copytree(local, out)
    profile = tmp_path / "two-ranks.yaml"
    profile.write_text("cluster: slurm\nstages: {sft: {tasks_per_node: 2, time_min: 10}}\n")
    arguments = ("run", "yaml/smoke.yaml", "--until", "sft", "--set", "sft.deepspeed=zero2")
    emodistill(*arguments, "--out", alone)
    emodistill(*arguments, "--out", ranks, "--profile", profile)
    losses = [[row["loss"] for row in curve(out, "sft", "emotion")] for out in (alone, ranks)]
    assert losses[1] == pytest.approx(losses[0], rel=2e-3)
    assert json.loads((ranks / "sft" / "emotion.done").read_text())["rows"] > 0
