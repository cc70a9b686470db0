import time

import pytest

from emodistill.cluster.accounting import Allocation, assigned, history, parse, seconds
from emodistill.cluster.record import Submission
from emodistill.cluster.slurm import Element

# JobID|Cluster|JobName|State|End|ElapsedRaw|NNodes|AllocTRES|ReqMem|TimelimitRaw|TotalCPU|NTasks|MaxRSS|TRESUsageInAve
REQUEUED_ARRAY = """\
12_0|hpc|n|REQUEUED|2026-03-01T10:00:00|60|1|billing=8,cpu=8,gres/gpu:a100=2,gres/gpu=2,node=1|64G|240|02:00.500|||
12_0.batch|hpc|batch|CANCELLED|2026-03-01T10:00:00|60|1|cpu=8,node=1||||1|900K|
12_0.0|hpc|python|FAILED|2026-03-01T10:00:00|60|1|cpu=8,node=1||||4|1048576K|
12_0|hpc|n|COMPLETED|2026-03-01T10:05:00|100|1|cpu=8,gres/gpu:a100=4|64G|240|00:10|||
12_1|hpc|n|CANCELLED by 0|None|0|0||64G|240|00:00|||
12_[2,5-9:2%3]|hpc|n|PENDING|Unknown|0|1||64G|UNLIMITED||||
"""


def test_elements_of_an_array_with_their_requeues_steps_and_pending_ranges():
    first, again, cancelled, *waiting = parse(REQUEUED_ARRAY)
    assert first == Allocation(
        Element("12", 0, "hpc"), "n", "REQUEUED", time.mktime((2026, 3, 1, 10, 0, 0, 0, 0, -1)), 60, 8, 2, 240,
        64 * 1024.0, 120.5, 4 * 1024.0,
    )  # fmt: skip
    assert (again.gpus, again.used_mb, again.live) == (4, None, False)
    assert (cancelled.state, cancelled.ended, cancelled.live) == ("CANCELLED", None, False)
    assert [(w.element.index, w.state, w.live, w.limit_min) for w in waiting] == [
        (k, "PENDING", True, None) for k in (2, 5, 7, 9)
    ]


@pytest.mark.parametrize(
    "said, meant", [("", 0), ("00:04.512", 4.512), ("01:00:00", 3600), ("2-03:00:01", 2 * 86400 + 3 * 3600 + 1)]
)
def test_times(said, meant):
    assert seconds(said) == pytest.approx(meant)


@pytest.mark.parametrize(
    "said, megabytes", [("64G", 65536), ("4Gn", 8192), ("500Mc", 6000), ("0", 0), ("16?", None), ("", None)]
)
def test_requested_memory_is_of_the_whole_allocation(said, megabytes):
    (found,) = parse(f"7|c|n|RUNNING|Unknown|5|2|cpu=12|{said}|60||||")
    assert found.asked_mb == megabytes


def test_only_ids_of_our_job_and_cluster_are_ours():
    """Ids are given again, by another cluster or a Slurm that began anew."""
    mine = Submission("rollout", "12", "mine", (("a",), ("b",)), "", cluster="east")
    rows = [
        Allocation(Element("12", 0, "east"), "mine", "RUNNING"),
        Allocation(Element("12", 1, "west"), "mine", "RUNNING"),
        Allocation(Element("12", 1, "east"), "another", "RUNNING"),
        Allocation(Element("13", 0, "east"), "mine", "RUNNING"),
    ]
    assert assigned([mine], rows) == {Element("12", 0, "east"): rows[:1]}


def test_one_question_names_all_jobs_and_clusters(slurm_says):
    slurm_says.says("sacct", "12_0|east|a|RUNNING|Unknown|5|1|cpu=1|4G|60||||")
    found = [Submission("rollout", job, "a", (("x",), ("y",)), "", cluster="east") for job in ("12", "14")]
    assert list(history(found)) == [Element("12", 0, "east")]
    (call,) = slurm_says.calls()
    assert "--jobs=12,14" in call and "--clusters=east" in call and " -X" in call and " -D" in call
