"""Slurm's commands with hiccups: fake ones on PATH."""

import os

import pytest

from emodistill.cluster import requeue, slurm
from emodistill.cluster.graph import Array
from emodistill.cluster.profiles import Resources
from emodistill.cluster.slurm import Element, NotNow, indices
from emodistill.cluster.submit import submit_array
from emodistill.errors import BadInput, RunFailed


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
    fake("squeue", f"{ONCE_BUSY}\necho '12|0|RUNNING|x'; echo '12|2-4%2|PENDING|x'; echo '9|N/A|COMPLETED|x'")
    found = slurm.live()
    assert found == {Element("12", 0): "RUNNING", **{Element("12", k): "PENDING" for k in (2, 3, 4)}}
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
    (tmp_path / "jobs").mkdir()
    bundles = (("shard-00000",), ("shard-00001",))
    return submit_array(Resources(), Array("rollout", bundles, ()), "n", tmp_path, tmp_path / "jobs", "", "c")


def test_a_submission_that_seemed_to_fail_is_not_made_twice(fake, tmp_path):
    fake("srun", "")
    fake("sbatch", 'echo "sbatch: error: Batch job submission failed: Socket timed out on send/recv" >&2; exit 1')
    fake("squeue", f"echo '77|0-1|PENDING|emodistill {tmp_path}/jobs'")
    assert submit(tmp_path) == "77"
    assert [call.split()[0] for call in fake.calls()] == ["sbatch", "squeue"]


def test_a_busy_sbatch_is_tried_again_on_whatever_cluster_it_lands(fake, tmp_path):
    fake("srun", "")
    fake("sbatch", f"{ONCE_BUSY}\necho 'Submitted batch job 78 on cluster east'")
    fake("squeue", "true")
    assert submit(tmp_path) == "78"
    assert len(list((tmp_path / "jobs").glob("78_*_submitted.pkl"))) == 2


def test_a_refused_submission_says_why(fake, tmp_path):
    fake("srun", "")
    fake("sbatch", 'echo "sbatch: error: invalid partition specified: gpuu" >&2; exit 1')
    with pytest.raises(RunFailed, match=r"sbatch refuses the job: .*invalid partition specified: gpuu"):
        submit(tmp_path)


def test_the_array_limit_is_asked(fake):
    fake("scontrol", "echo 'MaxArraySize            = 1001'")
    assert slurm.max_array_size() == 1001


@pytest.mark.parametrize(
    "code, state, again",
    [(0, "RUNNING", False), (2, "RUNNING", False), (3, "RUNNING", False), (75, "RUNNING", True), (137, "RUNNING", True),
     (75, "CANCELLED", False), (137, "PREEMPTED", False)],
)  # fmt: skip
def test_a_job_goes_on_unless_it_is_done_or_was_cancelled(fake, monkeypatch, code, state, again):
    fake("scontrol", f"echo 'JobId=5 JobName=x JobState={state} Reason=None'")
    monkeypatch.setenv("SLURM_JOB_ID", "5")
    assert requeue.main(code) == code
    assert ("scontrol requeue 5" in fake.calls()) == again


def test_without_slurm_that_is_said(monkeypatch, tmp_path):
    monkeypatch.setenv("PATH", str(tmp_path))
    with pytest.raises(BadInput, match="There is no Slurm here"):
        slurm.live()
