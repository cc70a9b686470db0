from emodistill.cluster.screen import render
from emodistill.plain import duration, number, table

NOTHING = {
    "planned": 2, "done": 0, "running": 0, "pending": 0, "finishing": 0, "failed": 0, "cancelled": 0, "missing": 0,
    "requeued": 0, "started": {}, "rows": 0, "errors": 0, "errors_to_retry": 0, "seconds": 0.0, "usage": {},
    "rows_per_s": None, "eta_s": None, "gpu_hours": 0.0, "core_hours": 0.0,
}  # fmt: skip
ROLLOUT = {
    **NOTHING, "planned": 64, "done": 40, "running": 16, "pending": 5, "finishing": 1, "failed": 2, "requeued": 3,
    "started": {"shard-00041": "12/125"}, "rows": 5000, "errors": 7, "seconds": 51_840.0, "rows_per_s": 0.0965123,
    "eta_s": 1800.0, "gpu_hours": 18.25,
    "usage": {"prompt_tokens": 1.2e9, "cached_tokens": 1e9, "generated_tokens": 3.4e7, "usd": 1.5},
}  # fmt: skip
FOUND = {
    "run": "crad", "dir": "results/crad", "complete": False, "active": True,
    "slurm": {"source": "sacct", "why": "", "launched": True, "hopeless": False},
    "stages": {"rollout": ROLLOUT, "judge": {**NOTHING, "pending": 2}},
    "trouble": [
        {"stage": "rollout", "task": f"shard-{k:05d}", "what": "TIMEOUT", "log": f"x/7_{k}.err", "tail": ""}
        for k in range(10)
    ],
}  # fmt: skip
GOLDEN = """\
crad in results/crad: 40 of 66 tasks done

stage     done  running  pending  failed  requeued   rows  errors  rows/s  time     ETA  tokens  GPU-h  notes
rollout  40/64       16        5       2         3  5,000       7  0.0965  14 h  30 min   1.2 G   18.2  1 finishing, shard-00041 12/125, usd 1.5000
judge      0/2                 2                        0       0       -     -       -       -      0

rollout shard-00000 and 9 more: TIMEOUT
    log: results/crad/x/7_0.err"""  # noqa: E501


def test_the_table():
    lines = render(FOUND).splitlines()
    assert "\n".join(lines[:8]) == GOLDEN
    assert lines[-1] == "All their logs: emodistill logs results/crad --failed"


def test_a_complete_run_is_a_short_table():
    stage = {**NOTHING, "done": 2, "rows": 48, "seconds": 0.5, "rows_per_s": 96.0}
    found = {**FOUND, "complete": True, "active": False, "trouble": [], "stages": {"rollout": stage}}
    assert render(found).splitlines() == [
        "crad in results/crad: complete", "",
        "stage    done  rows  errors  rows/s   time",
        "rollout   2/2    48       0      96  0.5 s",
    ]  # fmt: skip


def test_errors_that_the_next_run_tries_again_are_told():
    stage = {**NOTHING, "done": 2, "errors": 7, "errors_to_retry": 5}
    last = render({**FOUND, "complete": True, "trouble": [], "stages": {"rollout": stage}}).splitlines()[-1]
    assert last.startswith("5 technical error(s) of finished tasks: the next run tries them again (3 times in all)")


def test_what_ended_without_being_complete_says_how_to_go_on():
    assert render({**FOUND, "active": False}).splitlines()[-1].endswith("Go on with: emodistill resume results/crad")


def test_numbers_and_durations():
    assert [number(x) for x in (None, 0, 0.0964, 7.0, 12.34, 1234.5, 5_600_000)] == [
        "-", "0", "0.0964", "7", "12.3", "1,234", "5.6 M",
    ]  # fmt: skip
    assert [duration(x) for x in (None, 0, 1.25, 45, 119, 121, 3600, 7200, 86400, 200_000)] == [
        "-", "0.0 s", "1.2 s", "45 s", "119 s", "2.0 min", "60 min", "2.0 h", "24 h", "2.3 d",
    ]  # fmt: skip
    head, rows = ("stage", "b", "c"), [["x", "0", "1"], ["y", "-", "22"]]
    assert table(head, rows, keep=()) == ["stage   c", "x       1", "y      22"]
    assert table(head, rows, words=("b", "c")) == ["stage  b  c", "    x  0  1", "    y  -  22"]
