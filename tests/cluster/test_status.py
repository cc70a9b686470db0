import json
import os
import resource
import time

import pytest

from emodistill import attempts
from emodistill.cluster.screen import intervals, render, watch
from emodistill.cluster.status import Started, speed, summary, time_left
from emodistill.ledger import Ledger
from emodistill.locks import hold
from emodistill.runs import Failure, Marker
from emodistill.stages import STAGES, Fingerprints

from helpers import emodistill

TWO = (("shard-00000",), ("shard-00001",))
BOTH = (("rollout", "12", TWO), ("judge", "13", TWO))


def row(job: str, state: str, name: str = "smoke.rollout", ended: float | None = None, elapsed: int = 3600) -> str:
    end = "Unknown" if ended is None else time.strftime("%Y-%m-%dT%H:%M:%S", time.localtime(ended))
    return f"{job}|hpc|{name}|{state}|{end}|{elapsed}|1|cpu=4,gres/gpu=2|4G|60||||"


def states(stage: dict) -> dict[str, int]:
    names = ("done", "running", "pending", "finishing", "failed", "cancelled", "missing")
    return {name: stage[name] for name in names if stage[name]}


def test_states_requeues_and_hours_of_one_sacct_call(slurm_says, launched, finish):
    run = launched(*BOTH)
    finish(run, "rollout", "shard-00000")
    slurm_says.says(
        "sacct", row("12_0", "COMPLETED"), row("12_1", "REQUEUED"), row("12_1", "NODE_FAIL"), row("12_1", "RUNNING"),
        row("13_[0-1%2]", "PENDING", "smoke.judge", elapsed=0),
    )  # fmt: skip
    found = summary(run)
    rollout, judge = found["stages"]["rollout"], found["stages"]["judge"]
    assert states(rollout) == {"done": 1, "running": 1} and states(judge) == {"pending": 2}
    assert (rollout["requeued"], rollout["gpu_hours"], rollout["core_hours"]) == (2, 8.0, 16.0)
    assert (rollout["rows"], rollout["rows_per_s"], rollout["eta_s"]) == (24, 12.0, 2.0)
    assert found["active"] and not found["complete"] and len(slurm_says.calls()) == 1


@pytest.mark.parametrize(
    "state, ended, shown",
    [
        ("COMPLETED", 5, "finishing"), ("COMPLETED", -3000, "finishing"), ("COMPLETED", 5000, "missing"),
        ("FAILED", 5, "failed"), ("OUT_OF_MEMORY", 5, "failed"), ("TIMEOUT", 5, "failed"), ("BOOT_FAIL", 5, "failed"),
        ("NODE_FAIL", 5, "pending"), ("NODE_FAIL", 5000, "failed"), ("PREEMPTED", 5, "pending"),
        ("REQUEUED", 5, "pending"), ("CANCELLED by 0", 5, "cancelled"), ("COMPLETING", None, "running"),
    ],
)  # fmt: skip
def test_what_an_unfinished_tasks_job_means(slurm_says, launched, state, ended, shown):
    """`ended`: seconds ago; below zero where that machine's clock is ahead."""
    run = launched(("rollout", "12", (TWO[0],)))
    slurm_says.says("sacct", row("12", state, ended=None if ended is None else time.time() - ended))
    found = summary(run)
    assert states(found["stages"]["rollout"]) == {shown: 1, "missing": 1} if shown != "missing" else {"missing": 2}
    assert bool(found["trouble"]) == (shown == "failed")
    assert found["active"] == (shown in ("finishing", "pending", "running"))


def test_a_job_that_accounting_does_not_know_yet_waits(slurm_says, launched):
    run = launched(("rollout", "12", TWO))
    slurm_says.says("sacct")
    assert states(summary(run)["stages"]["rollout"]) == {"pending": 2}
    record = next(run.path("submissions").glob("*/launch.json"))
    os.utime(record, (time.time() - 3600,) * 2)
    assert states(summary(run)["stages"]["rollout"]) == {"missing": 2}


def test_a_bundle_runs_one_task_at_a_time(slurm_says, launched, finish):
    run = launched(("evaluate", "12", (("vanilla-slm", "random-emotion", "iql-only"),)))
    finish(run, "evaluate", "vanilla-slm")
    slurm_says.says("sacct", row("12", "RUNNING", "smoke.evaluate"))
    assert states(summary(run)["stages"]["evaluate"]) == {"done": 1, "running": 1, "pending": 1, "missing": 3}


def test_what_failed_says_why_and_where_its_log_is(slurm_says, launched):
    run = launched(*BOTH)
    slurm_says.says("sacct", row("12_0", "OUT_OF_MEMORY"), row("12_1", "RUNNING"), row("13_0", "FAILED", "smoke.judge"))
    folder = next(run.path("submissions").glob("*/*-judge"))
    (folder / "13_0_0_log.err").write_text("noise\nemodistill: judge: the code has changed\nsrun: error\n")
    for task, fingerprint in (("shard-00000", "another configuration's"), ("shard-00001", None)):
        mine = Fingerprints(run.config())(STAGES["judge"], task)
        run.give_up(Failure("judge", task, fingerprint or mine, "", 5, "ValueError: a\nb", "one\ntwo"))
    found = summary(run)
    assert [(one["stage"], one["task"], one["what"]) for one in found["trouble"]] == [
        ("rollout", "shard-00000", "OUT_OF_MEMORY"),
        ("judge", "shard-00000", "FAILED: judge: the code has changed"),
        ("judge", "shard-00001", "given up after 5 tries: ValueError: a b"),
    ]
    shown = render(found).splitlines()
    at = shown.index(f"    log: {folder}/13_1_0_log.err")
    assert shown[at - 2 : at] == ["    | one", "    | two"]


def test_a_task_that_is_begun_again_and_again_is_told_before_it_is_given_up(slurm_says, launched, monkeypatch):
    run = launched(("rollout", "12", TWO))
    slurm_says.says("sacct", row("12_0", "REQUEUED"), row("12_0", "RUNNING"), row("12_1", "RUNNING"))
    run.path("rollout").mkdir()
    for tries in range(2):
        monkeypatch.setenv("SLURM_RESTART_COUNT", str(tries))
        attempts.begin(run, "rollout", "shard-00000", "12")
        assert bool(summary(run)["trouble"]) == (tries == 1)
    attempts.note(run, "rollout", "shard-00000", "RunFailed: no route\nto host")
    (one,) = summary(run)["trouble"]
    assert one["what"] == "begun 2 times without getting further: RunFailed: no route to host"
    assert states(summary(run)["stages"]["rollout"]) == {"running": 2}


def test_without_accounting_the_queue_is_asked_and_sacct_never_again(slurm_says, launched, finish):
    run = launched(*BOTH)
    finish(run, "rollout", "shard-00000")
    slurm_says.says("sacct", "Slurm accounting storage is disabled", code=1)
    slurm_says.says("squeue", "12|1|RUNNING|x", "13|0-1%2|PENDING|x", "99|N/A|RUNNING|not ours")
    shown = []

    def later(seconds: float) -> None:
        if len(shown) == 2:
            slurm_says.says("squeue")

    watch(run, shown.append, later)
    assert len(shown) == 3 and "Nothing of it runs any more" in shown[2] and "Nothing" not in shown[1]
    assert "Slurm accounting storage is disabled" in shown[0]
    assert [call.partition(" ")[0] for call in slurm_says.calls()] == ["sacct", "squeue", "squeue", "squeue"]
    slurm_says.says("squeue", "12|1|RUNNING|x", "13|0-1%2|PENDING|x")
    found = summary(run)["stages"]
    assert states(found["rollout"]) == {"done": 1, "running": 1} and states(found["judge"]) == {"pending": 2}
    assert found["rollout"]["gpu_hours"] is found["rollout"]["requeued"] is None


def test_without_slurm_the_markers_tell_and_the_reason_is_said(slurm_says, launched, finish):
    run = launched(*BOTH)
    finish(run, "rollout", "shard-00000")
    with hold(run.lock_path("rollout", "shard-00001")):
        found = summary(run)
    assert states(found["stages"]["rollout"]) == {"done": 1, "running": 1}
    assert "Slurm was not asked" in render(found) and "squeue is not on PATH" in render(found)
    shown = []
    watch(run, shown.append, lambda seconds: pytest.fail("nothing will come"))
    assert len(shown) == 1


def test_a_slurm_that_is_away_is_waited_for_but_not_within_a_poll(slurm_says, launched):
    run = launched(*BOTH)
    for command in ("sacct", "squeue"):
        slurm_says.says(command, "slurm_load_jobs error: Unable to contact slurm controller", code=1)
    started = time.monotonic()
    found = summary(run)
    assert time.monotonic() - started < 1 and len(slurm_says.calls()) == 2
    assert found["active"] and found["slurm"]["accounting"] and "Slurm gave no answer" in render(found)


def test_a_run_without_jobs_asks_nobody(slurm_says, launched):
    run = launched()
    slurm_says.says("sacct")
    found = summary(run)
    assert not slurm_says.calls() and not found["active"] and "Slurm" not in render(found)


def test_the_jobs_of_a_named_cluster_are_asked_for_there(slurm_says, launched):
    run = launched(("rollout", "12", TWO), cluster="east")
    slurm_says.says("sacct", row("12_0", "RUNNING").replace("|hpc|", "|east|"), row("12_1", "RUNNING"))
    assert states(summary(run)["stages"]["rollout"]) == {"running": 1, "pending": 1}  # 12_1 is of hpc, and not ours
    slurm_says.says("sacct", "disabled", code=1)
    slurm_says.says("squeue", "CLUSTER: east", "12|0-1|PENDING|x", "CLUSTER: hpc", "12|1|RUNNING|x")
    assert states(summary(run)["stages"]["rollout"]) == {"pending": 2}
    assert all("--clusters=east" in call for call in slurm_says.calls())


TEN_THOUSAND = ("scenarios.train=1000", "sweep.rollouts=100", "sweep.shard_episodes=10")


def worked_s() -> float:
    """Processor time of all ended children."""
    used = resource.getrusage(resource.RUSAGE_CHILDREN)
    return used.ru_utime + used.ru_stime


def timed_status(run, slurm_says) -> dict:
    """The command's own answer, with one question to Slurm; two seconds of work, or 8 where slow and busy."""
    path = f"{slurm_says.folder}:/usr/bin:/bin"
    before = worked_s()
    found = json.loads(emodistill("status", run.root, "--json", env={**os.environ, "PATH": path}).stdout)
    assert worked_s() - before < 8
    assert len(slurm_says.calls()) == 1
    return found


def test_ten_thousand_elements_take_one_call_and_two_seconds(slurm_says, launched):
    run = launched(("rollout", "12", tuple((f"shard-{k:05d}",) for k in range(10_000))), overrides=TEN_THOUSAND)
    elements = [row(f"12_{k}", "RUNNING" if k % 2 else "FAILED", ended=time.time()) for k in range(9_000)]
    slurm_says.says("sacct", *elements, row("12_[9000-9999%64]", "PENDING"))
    found = timed_status(run, slurm_says)
    assert states(found["stages"]["rollout"]) == {"running": 4500, "failed": 4500, "pending": 1000}
    assert len(render(found).splitlines()) < 40


def test_so_do_twenty_thousand_tasks_that_are_done(slurm_says, launched, monkeypatch):
    shards = tuple((f"shard-{k:05d}",) for k in range(10_000))
    run = launched(("rollout", "12", shards), ("judge", "13", shards), overrides=TEN_THOUSAND)
    monkeypatch.setattr(os, "fsync", lambda handle: None)
    config = run.config()
    for stage in (STAGES["rollout"], STAGES["judge"]):
        run.path(stage.name).mkdir()
        ledger = Ledger(run, config)
        for (task,) in shards:
            claim = ledger.claim(stage, task)
            files = {f"{stage.name}/{task}.h5": "0" * 64}
            run.shard(stage.name, task).touch()
            run.mark(Marker(stage.name, task, claim.fingerprint, claim.inputs, 10, 0, 2.0, files, {"usd": 0.5}))
    elements = [row(f"{job}_{k}", "COMPLETED", f"smoke.{stage}", time.time())
                for job, stage in (("12", "rollout"), ("13", "judge")) for k in range(10_000)]  # fmt: skip
    slurm_says.says("sacct", *elements)
    found = timed_status(run, slurm_says)
    assert [found["stages"][stage]["done"] for stage in ("rollout", "judge", "dataset")] == [10_000, 10_000, 0]
    assert found["stages"]["judge"]["usage"] == {"usd": 5000.0}


def test_speed_and_time_left():
    def marker(rows: int, seconds: float) -> Marker:
        return Marker("rollout", "t", "", "", rows, 0, seconds, {})

    assert speed([]) is None and speed([(7.0, 0.0, 10)]) is None
    assert speed([(2.0, 2.0, 10), (9.0, 4.0, 20)]) == 5.0  # one after the other, with a pause between
    assert speed([(2.0, 2.0, 10), (3.0, 2.0, 10), (2.5, 0.5, 10)]) == 10.0  # three at once, in three seconds
    assert time_left([], {"a": None}, 1) is None and time_left([marker(1, 4.0)], {"a": None}, 0) is None
    assert time_left([marker(1, 4.0)], {"a": None, "b": None, "c": Started(3, 4, 99.0)}, 2) == 4.5  # (4 + 4 + 1) / 2
    assert time_left([], {"a": Started(1, 4, 10.0)}, 1) == 30.0
    assert time_left([], {"a": Started(1, 4, 10.0), "b": None}, 2) == 40.0  # the longest one
    assert time_left([], {"a": Started(5, 4, 0.0)}, 1) == 0.0  # never negative


def test_the_time_between_polls_grows_from_2_to_30_seconds():
    times = [wait for wait, _ in zip(intervals(), range(20), strict=False)]
    assert times[0] == 2 and times == sorted(times) and times[-1] == 30
