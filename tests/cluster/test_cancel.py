import shutil

import pytest

from emodistill.cluster.cancel import cancel, render
from emodistill.cluster.graph import Queued
from emodistill.cluster.queue import in_queue
from emodistill.cluster.record import launches
from emodistill.cluster.slurm import Element
from emodistill.errors import BadInput
from emodistill.locks import hold
from emodistill.runs import RunDir

TWO = (("shard-00000",), ("shard-00001",))


def test_one_scancel_of_whole_arrays_the_last_first(slurm_says, launched):
    run = launched(("rollout", "12", TWO), ("judge", "13", TWO), ("dataset", "14", (("pairs",),)))
    rollout, judge, dataset = comments(run)
    stranger = "14|N/A|RUNNING|emodistill /elsewhere"  # of a Slurm that counted to 14 before
    stray = f"99|N/A|RUNNING|{rollout}"  # taken by Slurm as its launch was killed
    slurm_says.says("squeue", stranger, stray, f"12|0|COMPLETED|{rollout}", f"12|1|RUNNING|{rollout}",
                    f"13|0-1%2|PENDING|{judge}", f"14|N/A|PENDING|{dataset}")  # fmt: skip
    slurm_says.says("scancel")
    found = cancel(run)
    assert [call for call in slurm_says.calls() if call.startswith("scancel")] == ["scancel 14 13 12 99"]
    assert render(run, found).splitlines() == [
        "5 job(s) cancelled:", "of a launch that was cut off: 1 queued",
        "rollout: 1 running", "judge: 2 pending", "dataset: 1 pending",
        f"Go on with: emodistill resume {run.root}",
    ]  # fmt: skip


def comments(run) -> list[str]:
    return [launch.comment(submission) for launch in launches(run) for submission in launch.submissions]


def test_a_run_is_known_by_other_names_and_a_copy_of_it_is_another(slurm_says, launched, tmp_path):
    run = launched(("rollout", "12", TWO))
    slurm_says.says("squeue", f"12|0-1|PENDING|{comments(run)[0]}")
    (tmp_path / "link").symlink_to(run.root)
    assert len(in_queue(RunDir(tmp_path / "link")).tasks) == 2
    shutil.copytree(run.root, tmp_path / "copy")
    assert in_queue(RunDir(tmp_path / "copy")).tasks == {}
    run.root.rename(tmp_path / "moved")
    assert len(in_queue(RunDir(tmp_path / "moved")).tasks) == 2


def test_the_latest_submission_of_a_task_need_not_be_the_one_that_lives(slurm_says, launched):
    run = launched(("rollout", "12", TWO), ("rollout", "15", TWO))
    slurm_says.says("squeue", f"12|1|RUNNING|{comments(run)[0]}")
    assert in_queue(run).tasks == {("rollout", "shard-00001"): Queued(Element("12", 1), "RUNNING", 2)}


def test_ten_thousand_elements_are_one_call(slurm_says, launched):
    run = launched(("rollout", "12", tuple((f"shard-{k:05d}",) for k in range(10_000))), cluster="east")
    [ours] = comments(run)
    lines = [*(f"12|{k}|RUNNING|{ours}" for k in range(5_000)), f"12|5000-9999|PENDING|{ours}"]
    slurm_says.says("squeue", "CLUSTER: east", *lines)
    slurm_says.says("scancel")
    assert cancel(run) == {"rollout": {"running": 5_000, "pending": 5_000}}
    assert slurm_says.calls()[1:] == ["scancel --clusters=east 12"]


def test_nothing_in_the_queue_is_said_and_nothing_cancelled(slurm_says, launched):
    run = launched(("rollout", "12", TWO))
    slurm_says.says("squeue", "12|0-1|CANCELLED|x")
    assert "Nothing of" in render(run, cancel(run)) and len(slurm_says.calls()) == 1


def test_no_cancel_while_a_launch_is_submitting(slurm_says, launched):
    run = launched(("rollout", "12", TWO))
    with hold(run.path(".lock")), pytest.raises(BadInput, match="in use by"):
        cancel(run)
    assert not slurm_says.calls()
