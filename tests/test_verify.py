from dataclasses import replace

import pytest

from emodistill.cli import main
from emodistill.execute import run_tasks
from emodistill.files import write_sealed
from emodistill.locks import hold
from emodistill.shards import EPISODES, ShardWriter, content_hash, read_records
from emodistill.verify import repair, verify

from helpers import begun
from scripted_run import scripted_run

TASKS = [("rollout", "shard-00000"), ("rollout", "shard-00001"), ("judge", "shard-00000")]


@pytest.fixture
def run(tmp_path):
    """Two of two rollout shards and one of two judge shards done; a segment of a third shard nobody finished."""
    run = begun(tmp_path / "run")
    for stage, task in TASKS:
        assert run_tasks(str(run.root), stage, [task]).kind == "done"
    writer = ShardWriter(run.path("rollout", "shard-00009.h5"), EPISODES)
    writer.add(read_records([run.shard("rollout", "shard-00000")], EPISODES)[0])
    writer.flush()
    segment = next(run.path("rollout").glob("shard-00009.part-*"))
    segment.rename(segment.with_name("shard-00009.part-1-1.h5"))
    return run


def flip(path):
    data = bytearray(path.read_bytes())
    data[len(data) // 2] ^= 1
    path.write_bytes(data)


def test_a_whole_run_has_no_problem(run):
    assert verify(run) == []


@pytest.mark.parametrize(
    "name, gone",
    [
        ("rollout/shard-00000.h5", {f"rollout/shard-00000.{kind}" for kind in ("h5", "done", "identity")}),
        ("judge/shard-00000.h5", {f"judge/shard-00000.{kind}" for kind in ("h5", "done", "identity")}),
        ("rollout/shard-00001.done", {"rollout/shard-00001.done"}),
        ("rollout/shard-00001.identity", set()),
        ("rollout/shard-00009.part-1-1.h5", {"rollout/shard-00009.part-1-1.h5"}),
        ("manifest.json", {"manifest.json"}),
        ("config.yaml", {"config.yaml"}),
        ("scenarios.json", {"scenarios.json"}),
    ],
)  # fmt: skip
def test_a_flipped_byte_is_named_and_repair_removes_just_that(run, name, gone):
    def there():
        return {str(p.relative_to(run.root)) for p in run.root.rglob("*") if p.suffix != ".lock" and p.is_file()}

    before, content = there(), content_hash([run.shard(*task) for task in TASKS])
    flip(run.path(name))
    found = verify(run)
    assert [problem.file for problem in found] == [name]
    repair(run, found)
    assert before - there() == gone and not there() - before
    if not gone & {"config.yaml", "scenarios.json", "manifest.json"}:  # the next run writes these
        assert verify(run) == []
        for stage, task in TASKS:
            assert run_tasks(str(run.root), stage, [task]).kind == "done"
        assert content_hash([run.shard(*task) for task in TASKS]) == content


@pytest.mark.parametrize("name", ["judge/shard-00001.failed", "submissions/20260101-000000/launch.json",
                                  "spending/0123456789ab.json"])  # fmt: skip
def test_a_damaged_record_that_no_result_depends_on_is_named_and_removed(run, name):
    write_sealed(run.path(name), {"told": 1})
    assert verify(run) == []
    flip(run.path(name))
    assert [problem.file for problem in verify(run)] == [name]
    repair(run, verify(run))
    assert verify(run) == [] and not run.path(name).exists()


def test_a_missing_file_and_a_truncated_one_are_named(run):
    run.shard("rollout", "shard-00000").unlink()
    judged = run.shard("judge", "shard-00000")
    judged.write_bytes(judged.read_bytes()[:-1])
    assert [str(problem).partition(",")[0] for problem in verify(run)] == [
        "judge/shard-00000.h5: its checksum differs from the one in shard-00000.done",
        "rollout/shard-00000.h5: missing",
    ]


def test_what_a_job_is_making_anew_is_no_damage(run, monkeypatch):
    """A task that is tried again keeps its marker until the new one."""
    flip(run.shard("rollout", "shard-00000"))
    with hold(run.lock_path("rollout", "shard-00000")):
        assert verify(run) == []
    marker = run.marker("rollout", "shard-00000")

    def marked_meanwhile(path):
        if path == run.shard("rollout", "shard-00000"):
            run.mark(replace(marker, tries=2))
        return "another"

    assert len(verify(run)) == 1
    monkeypatch.setattr("emodistill.files.sha256", marked_meanwhile)
    assert not any(problem.task == "shard-00000" and problem.stage == "rollout" for problem in verify(run))


def test_a_damaged_claim_of_unfinished_work_is_refused_until_it_is_repaired(run):
    run.marker_path("judge", "shard-00000").unlink()
    flip(run.claim_path("judge", "shard-00000"))
    outcome = run_tasks(str(run.root), "judge", ["shard-00000"])
    assert outcome.kind == "failed" and "verify --repair" in outcome.message
    repair(run, verify(run))
    assert run_tasks(str(run.root), "judge", ["shard-00000"]).kind == "done"


def test_what_people_read_is_checked_too_and_report_says_what_it_wrote(tmp_path, capsys):
    run = scripted_run(tmp_path / "run")
    assert main(["report", str(run.root)]) == main(["verify", str(run.root)]) == 0  # the stage itself has not run
    assert "they are not checked: report.html, tables/differences.csv" in capsys.readouterr().out
    assert run_tasks(str(run.root), "tables", ["main"]).kind == "done"
    assert main(["report", str(run.root)]) == main(["verify", str(run.root)]) == 0
    assert "not checked" not in capsys.readouterr().out
    written = [run.path("report.html"), *run.path("tables").glob("*.[cmt][sde]*"), *run.path("figures").glob("*.*")]
    assert {path.suffix for path in written} == {".html", ".csv", ".md", ".tex", ".svg", ".png"} and len(written) > 12
    for path in written:
        whole = path.read_bytes()
        for harm in (flip, lambda path: path.write_bytes(path.read_bytes()[:-1]), lambda path: path.unlink()):
            harm(path)
            assert [problem.file for problem in verify(run)] == [str(path.relative_to(run.root))]
            path.write_bytes(whole)
    flip(run.path("report.html"))
    assert main(["verify", str(run.root), "--repair"]) == 0
    assert run_tasks(str(run.root), "tables", ["main"]).kind == "done" and verify(run) == []
