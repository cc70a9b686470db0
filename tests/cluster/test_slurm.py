"""Slurm's commands with hiccups: fake ones on PATH."""

import os
import subprocess

import pytest
from submitit.core.utils import DelayedSubmission

from emodistill.cluster import slurm
from emodistill.cluster.graph import Array
from emodistill.cluster.profiles import Resources
from emodistill.cluster.slurm import Element, NotNow, indices
from emodistill.cluster.submit import submit_array
from emodistill.errors import BadInput, RunFailed

from helpers import ROOT


@pytest.fixture
def fake(tmp_path, monkeypatch):
    """`fake(name, script)` puts a shell script on PATH; `$CALLS` holds a line for each call of any."""
    folder, calls = tmp_path / "bin", tmp_path / "calls"
    folder.mkdir()
    monkeypatch.setenv("PATH", f"{folder}:{os.environ['PATH']}")
    monkeypatch.setenv("CALLS", str(calls))
    monkeypatch.setattr("time.sleep", lambda seconds: None)

    def make(name: str, script: str) -> None:
        (folder / name).write_text(f'#!/bin/sh\necho "{name} $*" >> "$CALLS"\n{script}\n')
        (folder / name).chmod(0o755)

    make.calls = lambda: calls.read_text().splitlines() if calls.exists() else []
    return make


BUSY = 'echo "slurm_load_jobs error: Unable to contact slurm controller (connect failure)" >&2; exit 1'
ONCE_BUSY = f'if [ $(wc -l < "$CALLS") = 1 ]; then {BUSY}; fi'


def test_a_busy_controller_is_asked_again_and_a_refusal_is_not(fake):
    held = "3|N/A|PENDING launch failed requeued held|x"
    lines = ("12|0|RUNNING|x", "12|2-4%2|PENDING|x", "9|N/A|COMPLETED|x", held)
    fake("squeue", "\n".join([ONCE_BUSY, *(f"echo '{line}'" for line in lines)]))
    found = slurm.live()
    waiting = {Element("12", k): "PENDING" for k in (2, 3, 4)}
    assert found == {Element("12", 0): "RUNNING", **waiting, Element("3"): slurm.HELD}
    assert len(fake.calls()) == 2
    fake("squeue", BUSY)
    with pytest.raises(NotNow, match=r"does not answer squeue after 6 tries: .*Unable to contact"):
        slurm.live()
    fake("squeue", 'echo "squeue: error: Invalid user: me" >&2; exit 1')
    with pytest.raises(RunFailed, match=r"Slurm refuses squeue: .*Invalid user"):
        slurm.live()


@pytest.mark.parametrize(
    "said, expected",
    [("N/A", [None]), ("7", [7]), ("0-2,5", [0, 1, 2, 5]), ("[3-9:2%4]", [3, 5, 7, 9]), ("", [None])],
)
def test_array_indices(said, expected):
    assert indices(said) == expected


def submit(tmp_path):
    bundles = (("shard-00000",), ("shard-00001",))
    return submit_array(Resources(), Array("rollout", bundles, ()), "n", tmp_path, tmp_path / "jobs", "", "c")


def test_a_submission_that_seemed_to_fail_is_not_made_twice(fake, tmp_path):
    fake("sbatch", 'echo "sbatch: error: Batch job submission failed: Socket timed out on send/recv" >&2; exit 1')
    fake("squeue", f"echo '77|0-1|PENDING|emodistill {tmp_path}/jobs'")
    assert submit(tmp_path) == "77"
    assert [call.split()[0] for call in fake.calls()] == ["sbatch", "squeue"]
    for index, shard in enumerate(("shard-00000", "shard-00001")):  # each element finds its own work
        assert DelayedSubmission.load(tmp_path / "jobs" / f"77_{index}_submitted.pkl").args[2] == (shard,)


def test_a_busy_sbatch_is_tried_again_on_whatever_cluster_it_lands(fake, tmp_path):
    fake("sbatch", f"{ONCE_BUSY}\necho 'Submitted batch job 78 on cluster east'")
    fake("squeue", "true")
    assert submit(tmp_path) == "78"
    assert len(list((tmp_path / "jobs").glob("78_*_submitted.pkl"))) == 2


def test_a_refused_submission_says_why(fake, tmp_path):
    fake("sbatch", 'echo "sbatch: error: invalid partition specified: gpuu" >&2; exit 1')
    with pytest.raises(RunFailed, match=r"Slurm refuses sbatch: .*invalid partition specified: gpuu"):
        submit(tmp_path)


def test_the_array_limit_is_asked(fake):
    fake("scontrol", "echo 'MaxArraySize            = 1001'")
    assert slurm.max_array_size("east") == 1001 and fake.calls() == ["scontrol --clusters=east show config"]
    fake("scontrol", "echo 'MaxArraySize            = 0'")  # arrays are off
    assert slurm.max_array_size() == 1


def test_a_hanging_sbatch_is_left_and_looked_for(fake, tmp_path, monkeypatch):
    monkeypatch.setattr(slurm, "_TIMEOUT_S", 0.3)
    fake("sbatch", "sleep 5")
    fake("squeue", f"echo '77|0-1|PENDING|emodistill {tmp_path}/jobs'")
    assert submit(tmp_path) == "77"


@pytest.mark.parametrize(
    "code, state, again",
    [(0, "RUNNING", False), (2, "RUNNING", False), (3, "RUNNING", False), (75, "RUNNING", True), (137, "RUNNING", True),
     (75, "CANCELLED", False), (137, "PREEMPTED", False)],
)  # fmt: skip
def test_a_job_goes_on_unless_it_is_done_or_was_cancelled(fake, code, state, again):
    fake("scontrol", f"{ONCE_BUSY}\necho 'JobId=5 JobName=x JobState={state} Reason=None'")
    fake("sleep", '[ "$1" != 600 ] || kill $PPID')  # as Slurm ends the script
    assert end_of_job(code, SLURM_JOB_ID="5") == (-15 if again else code)
    assert ("scontrol requeue 5" in fake.calls()) == again


def end_of_job(code: int, **environment: str) -> int:
    script = ["bash", ROOT / "slurm" / "requeue.sh", str(code)]
    return subprocess.run(script, env={**os.environ, **environment}, check=False).returncode


def test_the_last_element_of_an_array_does_not_requeue_the_others(fake):
    fake("scontrol", "echo JobState=RUNNING")
    fake("sleep", "kill $PPID")
    end_of_job(1, SLURM_JOB_ID="5", SLURM_ARRAY_JOB_ID="5", SLURM_ARRAY_TASK_ID="3")
    assert fake.calls()[:2] == ["scontrol --oneliner show job 5_3", "scontrol requeue 5_3"]


@pytest.mark.parametrize("code, restarts, again", [(1, 50, False), (1, 49, True), (75, 50, True), (75, 1000, False)])
def test_what_dies_before_it_can_count_is_not_requeued_for_ever(fake, code, restarts, again):
    fake("scontrol", "echo JobState=RUNNING")
    fake("sleep", "kill $PPID")
    end_of_job(code, SLURM_JOB_ID="5", SLURM_RESTART_COUNT=str(restarts))
    assert ("scontrol requeue 5" in fake.calls()) == again


def test_without_slurm_that_is_said(monkeypatch, tmp_path):
    monkeypatch.setenv("PATH", str(tmp_path))
    with pytest.raises(BadInput, match="There is no Slurm here"):
        slurm.live()
