"""What a Slurm job does before and after its tasks."""

import pytest

from emodistill.cluster import job
from emodistill.code import code_digest
from emodistill.execute import Outcome

TWO = ("shard-00000", "shard-00001")


@pytest.fixture
def ended(monkeypatch):
    """`ended(outcome, code, tasks)`: the exit code of a job whose tasks end so, and whether they were run at all."""

    def run(kind: str, code: str | None, tasks=TWO[:1]) -> tuple[int, bool]:
        ran = []
        monkeypatch.setattr(job, "run_tasks", lambda *arguments: ran.append(arguments) or Outcome(kind, "why"))
        try:
            job.run_job("/run", "rollout", tasks, code, 0.0, False)
        except SystemExit as end:
            return end.code, bool(ran)
        return 0, bool(ran)

    return run


def test_other_code_than_at_submission_is_not_run_unless_that_was_allowed(ended, capsys):
    assert ended("done", "another") == (2, False)
    assert "code has changed since this job was submitted (another → " in capsys.readouterr().err
    assert ended("done", code_digest()) == ended("done", None) == (0, True)


@pytest.mark.parametrize(
    "kind, tasks, code",
    [("stopped", TWO, 75), ("failed", TWO, 1), ("bad_input", TWO, 2), ("given_up", TWO[:1], 3), ("given_up", TWO, 0)],
)
def test_exit_codes_tell_the_script_what_to_do(ended, capsys, kind, tasks, code):
    """A bundle of which a part was given up ends well: what waits for the other part must not be lost."""
    assert ended(kind, None, tasks) == (code, True)
    assert "emodistill: why" in capsys.readouterr().err


def test_jobs_begin_at_random_within_the_stagger(monkeypatch):
    waits = []
    monkeypatch.setattr("time.sleep", waits.append)
    monkeypatch.setattr(job, "run_tasks", lambda *arguments: Outcome("done"))
    for _ in range(200):
        job.run_job("/run", "rollout", TWO, None, 30.0, False)
    assert 0 <= min(waits) < 5 and 25 < max(waits) <= 30


def test_all_files_that_a_job_reads_are_part_of_the_code(tmp_path, monkeypatch):
    read = ("emodistill/code.py", "yaml/deepspeed/zero2.yaml", "emodistill/report/page/style.css")
    for name in read:
        (tmp_path / name).parent.mkdir(parents=True, exist_ok=True)
        (tmp_path / name).write_text("as it was")
    monkeypatch.setattr("emodistill.code.__file__", str(tmp_path / "emodistill" / "code.py"))
    found = [code_digest.__wrapped__()]
    for name in read:
        (tmp_path / name).write_text("edited")
        found.append(code_digest.__wrapped__())
    assert len(set(found)) == 4
