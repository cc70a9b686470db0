"""A launched run, and a Slurm made of little scripts."""

from collections.abc import Callable
from dataclasses import dataclass
from pathlib import Path

import pytest

from emodistill.cluster.record import Launch, Submission
from emodistill.ledger import Ledger
from emodistill.runs import Marker, RunDir
from emodistill.stages import STAGES

from helpers import begun


@dataclass
class FakeSlurm:
    """Commands that print what they are told to; they are the only ones on PATH."""

    folder: Path

    def says(self, command: str, *lines: str, code: int = 0) -> None:
        """From now on that command prints these lines (on stderr if it fails)."""
        (self.folder / f"{command}.text").write_text("".join(f"{line}\n" for line in lines))
        script = self.folder / command
        script.write_text(
            f'#!/bin/sh\necho "{command} $*" >> {self.folder}/calls\n'
            f"/bin/cat {self.folder}/{command}.text{' >&2' if code else ''}\nexit {code}\n"
        )
        script.chmod(0o755)

    def calls(self) -> list[str]:
        path = self.folder / "calls"
        return path.read_text().splitlines() if path.exists() else []


@pytest.fixture
def slurm_says(tmp_path, monkeypatch) -> FakeSlurm:
    folder = tmp_path / "bin"
    folder.mkdir()
    monkeypatch.setenv("PATH", str(folder))
    return FakeSlurm(folder)


Launched = Callable[..., RunDir]


@pytest.fixture
def launched(tmp_path) -> Launched:
    """`launched((stage, job, bundles), …, cluster=…, overrides=…)`: a run whose launch submitted these."""

    def make(*arrays: tuple[str, str, tuple[tuple[str, ...], ...]], cluster: str = "", overrides=()) -> RunDir:
        run = begun(tmp_path / "run", *overrides)
        record = Launch.begin(run, "code", {})
        for number, (stage, job, bundles) in enumerate(arrays):
            folder = record.path.parent / f"{number:02d}-{stage}"
            folder.mkdir(parents=True)
            place = str(folder.relative_to(run.root))
            record.add(Submission(stage, job, f"smoke.{stage}", bundles, place, "", cluster))
        return run

    return make


@pytest.fixture
def finish() -> Callable[..., None]:
    """`finish(run, stage, task, rows, seconds)`: as a task that is done leaves it."""

    def done(run: RunDir, stage: str, task: str, rows: int = 24, seconds: float = 2.0) -> None:
        claim = Ledger(run, run.config()).claim(STAGES[stage], task)
        assert claim is not None
        run.path(stage).mkdir(exist_ok=True)
        run.begin(stage, task, claim)
        usage = {"prompt_tokens": 100.0, "generated_tokens": 10.0}
        run.mark(Marker(stage, task, claim.fingerprint, claim.inputs, rows, 0, seconds, {}, usage))

    return done
