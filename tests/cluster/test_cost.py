import json

import pytest

from emodistill.cluster.accounting import parse
from emodistill.cluster.cost import cost, hints, render, summed
from emodistill.errors import BadInput, RunFailed

from helpers import emodistill

SACCT = (
    "12_0|hpc|smoke.rollout|REQUEUED|2026-03-01T10:00:00|3600|1|cpu=8,gres/gpu=1|64G|240|04:00:00|||",
    "12_0.0|hpc|python|FAILED|2026-03-01T10:00:00|3600|1|cpu=8||||1|2G|",
    "12_0|hpc|smoke.rollout|COMPLETED|2026-03-01T12:00:00|1800|1|cpu=8,gres/gpu=1|64G|240|02:00:00|||",
    "12_0.0|hpc|python|COMPLETED|2026-03-01T12:00:00|1800|1|cpu=8||||1|3G|",
    "12_1|hpc|smoke.rollout|RUNNING|Unknown|600|1|cpu=8,gres/gpu=1|64G|240|00:00:00|||",
    "13_[0-1%2]|hpc|smoke.judge|PENDING|Unknown|0|1||8G|60|00:00:00|||",
)
GOLDEN = """\
stage    jobs  requeued  median  longest   limit  MaxRSS  asked   CPU  core-h  GPU-h
rollout     2         1  45 min   60 min   4.0 h    3 GB  64 GB  50 %    13.3   1.67
judge       2         0       -        -  60 min       -   8 GB     -       0      0
all         4                                                            13.3   1.67

rollout: asks 64 GB, uses 3 GB: mem_gb: 6 would do
rollout: asks 240 min, the longest took 60 min: time_min: 120 would do"""
TWO = (("shard-00000",), ("shard-00001",))
BOTH = (("rollout", "12", TWO), ("judge", "13", TWO))


def test_what_the_jobs_took_as_a_table_and_in_the_run(slurm_says, launched):
    run = launched(*BOTH)
    slurm_says.says("sacct", *SACCT)
    assert render(cost(run)) == GOLDEN
    (call,) = slurm_says.calls()
    assert "-X" not in call.split()  # MaxRSS is the steps'
    written = json.loads(run.path("cost.json").read_text())
    rollout = written["stages"]["rollout"]
    # 6,000 s on 8 cores and one GPU; 6 h of CPU time in 1.5 h × 8 cores; the longest in the middle of two ends
    assert rollout["core_hours"] == pytest.approx(6000 * 8 / 3600, abs=1e-3)
    assert rollout["gpu_hours"] == pytest.approx(6000 / 3600, abs=1e-3)
    assert (rollout["cpu_efficiency"], rollout["median_s"], rollout["used_mb"]) == (0.5, 2700, 3072)


def test_idle_cores_and_gpus_and_memory_of_several_nodes_are_told():
    job = "7|c|n|COMPLETED|2026-03-01T10:00:00|3600|2|cpu=32,gres/gpu=8|256G|120|02:00:00|||"
    step = "7.0|c|python|COMPLETED|2026-03-01T10:00:00|3600|2|cpu=32||||8|3G|cpu=00:10,gres/gpumem=3G,gres/gpuutil=12"
    (stay,) = parse(f"{job}\n{step}")
    assert hints(summed([[stay]])) == [
        "asks 256 GB, uses 24 GB: mem_gb: 24 a node would do",
        "asks 32 cores, keeps 2 busy: 4 in all would do (cpus_per_task)",
        "its GPUs are busy 12 % of the time: fewer, or larger batches, would do",
    ]


def ran(state: str, elapsed: int, limit: str, asked: str, used: str) -> list[str]:
    job = f"7|c|n|{state}|2026-03-01T10:00:00|{elapsed}|1|cpu=2|{asked}|{limit}|{elapsed // 60}:00|||"
    stays = parse(f"{job}\n7.0|||||||||||1|{used}|")
    return hints(summed([stays]))


@pytest.mark.parametrize(
    "took, said",
    [
        (("COMPLETED", 540, "240", "64G", "3G"), ["asks 64 GB, uses 3 GB: mem_gb: 6 would do",
                                                  "asks 240 min, the longest took 9 min: time_min: 18 would do"]),
        (("COMPLETED", 7200, "240", "8G", "3G"), []),
        (("COMPLETED", 540, "UNLIMITED", "0", "3G"), []),
        (("COMPLETED", 540, "15", "16?", ""), []),
        (("OUT_OF_MEMORY", 7200, "240", "8G", "3G"), ["1 ran out of memory: raise mem_gb from 8"]),
        (("TIMEOUT", 3600, "60", "8G", "3G"), ["1 ran into the time limit of 60 min before they could save"]),
    ],
)  # fmt: skip
def test_hints_only_where_a_request_is_far_off(took, said):
    assert ran(*took) == said


@pytest.mark.parametrize(
    "said, words", [("Slurm accounting storage is disabled", "storage is disabled"), (None, "sacct is not on PATH")]
)
def test_without_accounting_one_paragraph_and_exit_code_1(slurm_says, launched, said, words):
    run = launched(*BOTH)
    if said:
        slurm_says.says("sacct", said, code=1)
    with pytest.raises(RunFailed, match=words) as error:
        cost(run)
    assert error.value.exit_code == 1 and "\n" not in str(error.value) and not run.path("cost.json").exists()


def test_jobs_that_nobody_knows_and_runs_without_jobs_are_told_apart(slurm_says, launched):
    run = launched(*BOTH)
    slurm_says.says("sacct")
    with pytest.raises(RunFailed, match="knows none of the jobs"):
        cost(run)
    for path in run.path("submissions").glob("*/launch.json"):
        path.unlink()
    with pytest.raises(BadInput, match="never launched"):
        cost(run)
    assert emodistill("cost", run.root, "--json", check=False).returncode == 2
