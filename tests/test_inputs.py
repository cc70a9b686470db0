"""Slurm jobs whose inputs are seen late, or never: with the fingerprints and counts of real tasks."""

import os

import pytest

from emodistill import inputs
from emodistill.errors import Stopped
from emodistill.execute import run_tasks
from emodistill.ledger import Ledger
from emodistill.locks import hold
from emodistill.stages import STAGES
from emodistill.tasks import Result

from helpers import begun, small_disk

SHARDS = ("shard-00000", "shard-00001")


@pytest.fixture
def job(monkeypatch):
    """This process is a Slurm job that Slurm has restarted as often as said; waits are short."""
    monkeypatch.setenv("SLURM_JOB_ID", "77")
    monkeypatch.setattr(inputs, "_LATE_S", 0.3)
    monkeypatch.setattr(inputs, "_LOOK_S", 0.05)
    return lambda restarts: monkeypatch.setenv("SLURM_RESTART_COUNT", str(restarts))


@pytest.fixture
def run(tmp_path):
    return begun(tmp_path / "run")


def do(run, stage, *tasks, lacking=False):
    return run_tasks(str(run.root), stage, tasks, lacking)


def test_a_marker_that_is_seen_late_is_waited_for(run, job, monkeypatch):
    assert do(run, "rollout", SHARDS[0]).kind == "done"
    marker = run.marker_path("rollout", SHARDS[0])
    hidden = marker.rename(marker.with_suffix(".hidden"))
    monkeypatch.setattr("time.sleep", lambda seconds: hidden.exists() and hidden.rename(marker))
    assert do(run, "judge", SHARDS[0]).kind == "done"


def test_one_that_does_not_come_is_looked_for_again_later_but_not_for_ever(run, job):
    """Outside of Slurm the same is bad input, said at once."""
    for restarts in range(5):
        job(restarts)
        assert do(run, "judge", SHARDS[0]).kind == "stopped"
    job(5)
    outcome = do(run, "judge", SHARDS[0])
    assert outcome.kind == "given_up" and "a task of rollout has not finished" in outcome.message
    del os.environ["SLURM_JOB_ID"]
    assert do(run, "judge", SHARDS[1]).kind == "bad_input"


def test_what_was_lost_without_a_word_is_done_without(run, job):
    assert do(run, "rollout", SHARDS[0]).kind == do(run, "judge", SHARDS[0]).kind == "done"
    assert do(run, "dataset", "pairs").kind == "stopped"  # by hand: somebody may still make it
    assert do(run, "dataset", "pairs", lacking=True).kind == "done"
    assert "without a result" in run.failure("rollout", SHARDS[1]).reason
    assert Ledger(run, run.config()).is_done(STAGES["dataset"], "pairs")


def test_what_is_still_being_made_is_not_lost(run, job):
    assert do(run, "rollout", SHARDS[0]).kind == do(run, "judge", SHARDS[0]).kind == "done"
    run.path("judge").mkdir(exist_ok=True)
    with hold(run.lock_path("rollout", SHARDS[1])):
        assert do(run, "dataset", "pairs", lacking=True).kind == "given_up"
    assert run.failure("rollout", SHARDS[1]) is None


def test_nothing_at_all_is_not_gone_on_with(run, job):
    """All were cancelled: what waits for them ends."""
    assert do(run, "dataset", "pairs", lacking=True).kind == "bad_input"
    assert run.failure("rollout", SHARDS[0]) is None


def test_a_bundle_does_what_it_can(run, job, monkeypatch):
    monkeypatch.setattr("emodistill.work.evaluate_cell", lambda run, config, context: Result(1, []))
    outcome = do(run, "evaluate", "iql-only", "vanilla-slm", lacking=True)
    assert outcome.kind == "given_up" and "evaluate iql-only cannot start" in outcome.message
    assert run.marker("evaluate", "vanilla-slm") is not None and run.failure("iql", "selector") is not None


def test_a_quota_that_stays_full_is_given_up_and_lets_the_job_end(tmp_path, job):
    """Nothing can be counted or declared there; Slurm's own count ends it."""
    folder = tmp_path / "disk"
    folder.mkdir()
    with small_disk(folder, "400k") as remount:
        run = begun(folder / "run")
        (folder / "filler").write_bytes(b"x" * (os.statvfs(folder).f_bavail * os.statvfs(folder).f_frsize))
        for restarts in range(5):
            job(restarts)
            outcome = do(run, "rollout", SHARDS[0])
            assert outcome.kind == "failed" and "No space left on device" in outcome.message
        job(5)
        assert do(run, "rollout", SHARDS[0]).kind == "given_up"
        remount("size=50m")
        assert do(run, "rollout", SHARDS[0]).kind == "done"


def test_stops_that_bring_nothing_are_counted_and_those_that_bring_something_are_not(run, job, monkeypatch):
    """A time limit shorter than the first save would else requeue the job for ever."""

    def stopped(run, config, context):
        if gets_further:
            context.progress(int(os.environ["SLURM_RESTART_COUNT"]) + 1, 100)
        raise Stopped("Stopped at a limit.")

    monkeypatch.setattr("emodistill.work.rollout_shard", stopped)
    gets_further = True
    for restarts in range(8):
        job(restarts)
        assert do(run, "rollout", SHARDS[0]).kind == "stopped"
    gets_further = False
    kinds = []
    for restarts in range(8, 14):
        job(restarts)
        kinds.append(do(run, "rollout", SHARDS[0]).kind)
    assert kinds == ["stopped"] * 5 + ["given_up"]
    assert "a time limit?" in run.failure("rollout", SHARDS[0]).reason
