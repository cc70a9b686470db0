import pytest

from emodistill.cluster.cancel import cancel, render
from emodistill.errors import BadInput
from emodistill.locks import hold

TWO = (("shard-00000",), ("shard-00001",))


def test_one_scancel_of_whole_arrays_the_last_first(slurm_says, launched):
    run = launched(("rollout", "12", TWO), ("judge", "13", TWO), ("dataset", "14", (("pairs",),)))
    slurm_says.says(
        "squeue", "12|0|COMPLETED|x", "12|1|RUNNING|x", "13|0-1%2|PENDING|x", "14|N/A|PENDING|x", "99|N/A|RUNNING|x"
    )
    slurm_says.says("scancel")
    found = cancel(run)
    assert [call for call in slurm_says.calls() if call.startswith("scancel")] == ["scancel 14 13 12"]
    assert render(run, found).splitlines() == [
        "4 job(s) cancelled:", "rollout: 1 running", "judge: 2 pending", "dataset: 1 pending",
        f"Go on with: emodistill resume {run.root}",
    ]  # fmt: skip


def test_ten_thousand_elements_are_one_call(slurm_says, launched):
    run = launched(("rollout", "12", tuple((f"shard-{k:05d}",) for k in range(10_000))), cluster="east")
    slurm_says.says("squeue", "CLUSTER: east", *(f"12|{k}|RUNNING|x" for k in range(5_000)), "12|5000-9999|PENDING|x")
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
