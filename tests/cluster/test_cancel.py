import pytest

from emodistill.cluster.cancel import cancel, render
from emodistill.errors import BadInput
from emodistill.locks import hold

TWO = (("shard-00000",), ("shard-00001",))


def test_one_scancel_of_whole_arrays_the_last_first(slurm_says, launched):
    run = launched(("rollout", "12", TWO), ("judge", "13", TWO), ("dataset", "14", (("pairs",),)))
    lines = ("12|0|COMPLETED|", "12|1|RUNNING|", "13|0-1%2|PENDING|", "14|N/A|PENDING|", "99|N/A|RUNNING|")
    stranger = "14|N/A|RUNNING|emodistill /elsewhere"  # of a Slurm that counted to 14 before
    slurm_says.says("squeue", stranger, *(f"{line}emodistill {run.root}/submissions/s" for line in lines))
    slurm_says.says("scancel")
    found = cancel(run)
    assert [call for call in slurm_says.calls() if call.startswith("scancel")] == ["scancel 14 13 12"]
    assert render(run, found).splitlines() == [
        "4 job(s) cancelled:", "rollout: 1 running", "judge: 2 pending", "dataset: 1 pending",
        f"Go on with: emodistill resume {run.root}",
    ]  # fmt: skip


def test_ten_thousand_elements_are_one_call(slurm_says, launched):
    run = launched(("rollout", "12", tuple((f"shard-{k:05d}",) for k in range(10_000))), cluster="east")
    ours = f"emodistill {run.root}/submissions/s"
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
