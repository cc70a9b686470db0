"""Tasks under faults: what is finished stays, what is wrong is said, and the next run ends as if nothing had been."""

import os
import re
import signal
import subprocess
import sys
from dataclasses import replace

import pytest

from emodistill import execute
from emodistill.execute import run_tasks
from emodistill.files import read_sealed, record
from emodistill.llm.scripted import ScriptedModel
from emodistill.shards import content_hash
from emodistill.used import Used
from emodistill.verify import verify

from helpers import begun, small_disk

BIG = ("sweep.rollouts=100", "sweep.shard_episodes=600")  # one shard of 600 episodes
SHARD = "shard-00000"


def rollout(run, task=SHARD):
    return run_tasks(str(run.root), "rollout", [task])


@pytest.fixture(scope="module")
def undisturbed(tmp_path_factory) -> str:
    run = begun(tmp_path_factory.mktemp("undisturbed") / "run", *BIG)
    assert rollout(run).kind == "done"
    return content_hash([run.shard("rollout", SHARD)])


@pytest.fixture
def disk(tmp_path):
    folder = tmp_path / "disk"
    folder.mkdir()
    return folder


def segments_of(run):
    return sorted(run.path("rollout").glob(f"{SHARD}.part-*.h5"))


@pytest.fixture
def stopped_on_full_disk(disk):
    """A run whose disk was full in the middle of a shard, and the function that remounts the disk."""
    with small_disk(disk, "80k") as remount:
        run = begun(disk / "run", *BIG)
        outcome = rollout(run)
        assert outcome.kind == "failed" and "No space left on device" in outcome.message
        assert segments_of(run) and not run.shard("rollout", SHARD).exists()
        yield run, remount


def test_a_really_full_disk_loses_nothing_and_goes_on_after_space_returns(stopped_on_full_disk, undisturbed):
    run, remount = stopped_on_full_disk
    kept = {path.name: path.read_bytes() for path in segments_of(run)}
    assert rollout(run).kind == "failed" and {p.name: p.read_bytes() for p in segments_of(run)}.items() >= kept.items()
    remount("size=50m")
    assert rollout(run).kind == "done" and verify(run) == [] and segments_of(run) == []
    assert content_hash([run.shard("rollout", SHARD)]) == undisturbed


def test_damaged_segments_cost_only_their_own_episodes(stopped_on_full_disk, undisturbed):
    run, remount = stopped_on_full_disk
    remount("size=50m")
    torn = segments_of(run)[0]
    torn.write_bytes(torn.read_bytes()[:-20])
    [problem] = verify(run)
    assert problem.file == f"rollout/{torn.name}" and "is damaged" in problem.what
    assert rollout(run).kind == "done"
    assert content_hash([run.shard("rollout", SHARD)]) == undisturbed


def test_a_read_only_folder_is_said_and_can_still_be_read(disk):
    with small_disk(disk, "50m") as remount:
        run = begun(disk / "run")
        assert rollout(run).kind == "done"
        remount("ro")
        outcome = rollout(run, "shard-00001")
        assert outcome.kind == "failed" and "Read-only file system" in outcome.message
        assert verify(run) == []
        remount("rw")
        assert rollout(run, "shard-00001").kind == "done"


def test_a_second_writer_says_who_has_the_shard_and_waits_for_its_end(tmp_path, monkeypatch, caplog):
    run = begun(tmp_path / "run")
    run.path("rollout").mkdir()
    lock = run.path("rollout", f".{SHARD}.lock")
    code = "import sys, time; from pathlib import Path; from emodistill.locks import hold\n"
    code += f"with hold(Path({str(lock)!r})): print('held', flush=True); time.sleep(60)"
    with subprocess.Popen([sys.executable, "-c", code], stdout=subprocess.PIPE, text=True) as other:
        assert other.stdout.readline() == "held\n"
        monkeypatch.setattr(execute, "_LOCK_WAIT_S", 1.3)
        outcome = rollout(run)
        assert outcome.kind == "failed"
        assert re.search(
            rf"being run by process {other.pid} on \S+ since \d{{4}}-\d\d-\d\d \d\d:\d\d:\d\d", outcome.message
        )
        assert f"is held by process {other.pid}" in caplog.text
        assert rollout(run, "shard-00001").kind == "done"
        other.kill()
    assert rollout(run).kind == "done"


def test_what_a_killed_process_left_half_written_goes(tmp_path):
    run = begun(tmp_path / "run")
    run.path("rollout").mkdir()
    names = (f".{SHARD}.h5.9.tmp", f".{SHARD}.part-1-9.h5.9.tmp", f".{SHARD}.done.9.tmp", ".shard-00001.h5.9.tmp")
    for name in names:
        run.path("rollout", name).write_bytes(b"half")
    assert rollout(run).kind == "done"
    assert [path.name for path in run.path("rollout").glob(".*.tmp")] == [".shard-00001.h5.9.tmp"]


def test_a_damaged_marker_costs_no_episode(tmp_path):
    run = begun(tmp_path / "run")
    assert rollout(run).kind == "done"
    shard, marker = run.shard("rollout", SHARD), run.marker_path("rollout", SHARD)
    before = content_hash([shard])
    marker.write_text(marker.read_text().replace('"rows": 24', '"rows": 25'))
    assert run.marker("rollout", SHARD) is None
    assert rollout(run).kind == "done" and content_hash([shard]) == before
    assert run.marker("rollout", SHARD).usage["generated_tokens"] == 0  # nothing was played again


def test_a_task_clears_its_own_files_and_not_those_of_one_whose_name_goes_on_after_a_dot(tmp_path):
    run = begun(tmp_path / "run")
    kinds = ("done", "identity", "failed", "tries", "progress", "progress.tmp", "h5", "h5.damaged",
             "part-00000000000000000001-9.h5", "part-00000000000000000001-9.h5.damaged")  # fmt: skip
    for task in ("full", "full.vs-threat"):
        run.path("evaluate", task).mkdir(parents=True)
        run.path("evaluate", task, "shard-00000.h5").touch()
        for kind in kinds:
            run.path("evaluate", f"{task}.{kind}").touch()
            run.path("evaluate", f".{task}.{kind}.9.tmp").touch()
    run.sweep("evaluate", "full", alone=False)
    run.clear("evaluate", "full")
    sibling = {f"full.vs-threat.{kind}" for kind in kinds} | {f".full.vs-threat.{kind}.9.tmp" for kind in kinds}
    assert {path.name for path in run.path("evaluate").iterdir()} == sibling | {"full.vs-threat"}
    assert run.path("evaluate", "full.vs-threat", "shard-00000.h5").exists()


class Billed(ScriptedModel):
    """A simulator that charges for each reply, is told to stop after some, and fails with others."""

    replies, stop_after, failing = 0, (60, 120), "-r0001"

    def poll(self):
        given = [reply._replace(prompt_tokens=3, generated_tokens=2, usd=0.5) for reply in super().poll()]
        before, Billed.replies = Billed.replies, Billed.replies + len(given)
        if any(before < number <= Billed.replies for number in self.stop_after):
            os.kill(os.getpid(), signal.SIGTERM)
        return [reply._replace(text="") if self.failing and self.failing in reply.key else reply for reply in given]


def test_what_a_task_used_is_summed_over_stops_and_replays(tmp_path, monkeypatch):
    run = begun(tmp_path / "run", "in_flight=8")
    monkeypatch.setattr(execute.ModelPool, "__call__", lambda self, spec: Billed())
    seconds = []
    for kind in ("stopped", "stopped", "done"):
        assert rollout(run).kind == kind
        marker = run.marker("rollout", SHARD)
        kept = marker or record(Used, read_sealed(run.spent_path("rollout", SHARD)))
        seconds.append(kept.seconds)
        assert kept.usage["prompt_tokens"] == 3 * Billed.replies and kept.usage["usd"] == 0.5 * Billed.replies
    assert marker.errors and not run.spent_path("rollout", SHARD).exists()
    monkeypatch.setattr(Billed, "failing", "")
    assert rollout(run).kind == "done"
    marker = run.marker("rollout", SHARD)
    assert marker.errors == 0 and marker.usage["generated_tokens"] == 2 * Billed.replies
    assert 0 < seconds[0] < seconds[1] < seconds[2] < marker.seconds
    run.mark(replace(marker, errors=1, tries=3))
    asked = Billed.replies
    assert rollout(run).kind == "done" and Billed.replies == asked  # a requeued bundle tries errors no more often
    run.spent_path("rollout", SHARD).write_text("torn")
    assert [problem.file for problem in verify(run)] == [f"rollout/{SHARD}.spent"]
