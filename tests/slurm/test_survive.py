"""What only a real Slurm proves of launched jobs: where they are launched from, and what is lost without a word."""

import os
import subprocess
import sys
import time
from pathlib import Path

import pytest
from test_launch import complete_stage, jobs, queued, wait_for_end

from emodistill.ledger import Ledger
from emodistill.runs import Failure, RunDir
from emodistill.stages import STAGES

from helpers import ROOT, emodistill

pytestmark = [pytest.mark.slow]
HURRIED = """
import emodistill.inputs
emodistill.inputs._LATE_S = 3.0
"""


def test_a_launch_from_inside_an_allocation_is_as_from_outside(slurm, tmp_path):
    """The allocation's own shape, limits and ranks must not be handed on."""
    out = tmp_path / "run"
    launch = f"{sys.executable} -m emodistill launch yaml/smoke.yaml --profile one-machine --until judge --out {out}"
    inside = {**os.environ, "RANK": "1", "WORLD_SIZE": "2", "MASTER_ADDR": "nowhere"}  # as under torchrun
    command = ["sbatch", "--wait", "--ntasks=2", "--time=7", "--job-name=inside", f"--output={tmp_path}/log"]
    done = subprocess.run([*command, f"--wrap={launch}"], cwd=ROOT, env=inside, capture_output=True, timeout=200)
    assert done.returncode == 0, (tmp_path / "log").read_text()
    wait_for_end(out)
    assert complete_stage(out, "judge") and len(list(out.glob("judge/*.done"))) == 2


def test_one_shard_that_is_cancelled_is_done_without(slurm, tmp_path, monkeypatch):
    """It leaves neither a marker nor a word; what makes do without it says so, and goes on."""
    (tmp_path / "site").mkdir()
    (tmp_path / "site" / "sitecustomize.py").write_text(HURRIED)
    monkeypatch.setenv("PYTHONPATH", f"{tmp_path / 'site'}:{os.environ.get('PYTHONPATH', '')}")
    out = tmp_path / "run"
    emodistill("launch", "yaml/smoke.yaml", "--profile", "one-machine", "--until", "dataset", "--out", out)
    subprocess.run(["scancel", f"{jobs(out)[0]}_1"], check=True)
    wait_for_end(out)
    run = RunDir(out)
    assert "without a result" in run.failure("rollout", "shard-00001").reason
    assert run.marker("dataset", "pairs") is not None
    assert emodistill("resume", out, check=False).returncode == 0  # asks for all stages, and for the shard again
    assert "rollout" in {name.split(".")[1] for name in names(out)}
    subprocess.run([sys.executable, "-m", "emodistill", "cancel", str(out)], cwd=ROOT, check=True)
    while queued(out):
        time.sleep(0.5)


def names(out) -> list[str]:
    ids = ",".join(jobs(out))
    said = subprocess.run(["squeue", "--noheader", f"--jobs={ids}", "--format=%j"], capture_output=True, text=True)
    return said.stdout.split()


def test_ranks_under_srun_begin_together_and_leave_together(slurm, tmp_path):
    out = tmp_path / "run"
    emodistill("run", "yaml/smoke.yaml", "--until", "dataset", "--out", out)
    path = f"{Path(sys.executable).parent}:{os.environ['PATH']}"

    def train() -> int:
        script = ["--ntasks=2", "--cpus-per-task=1", f"--output={tmp_path}/log", ROOT / "slurm" / "iql.sbatch", out]
        done = subprocess.run(["sbatch", "--wait", *script], cwd=ROOT, env={**os.environ, "PATH": path}, timeout=250)
        return done.returncode

    assert train() == 0 and RunDir(out).marker("iql", "selector") is not None
    run = RunDir(out)
    fingerprint = Ledger(run, run.config()).fingerprint(STAGES["dataset"], "pairs")
    run.marker_path("dataset", "pairs").unlink()
    run.give_up(Failure("dataset", "pairs", fingerprint, "", 5, "why"))
    assert train() == 3  # neither waits for the other, nor does srun kill it, which would requeue the job
