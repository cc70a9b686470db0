"""A launched run, and a Slurm made of little scripts."""

from collections.abc import Callable
from dataclasses import dataclass
from pathlib import Path

import pytest

from emodistill import runs
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


class Cluster:
    """sbatch puts what it is given into the queue that squeue shows and scancel empties."""

    def __init__(self, slurm_says, folder):
        self.says, self.queue, self._folder = slurm_says, folder / "squeue.text", folder
        slurm_says.says("squeue")
        slurm_says.says("scontrol", "MaxArraySize = 1001")
        comment = "--comment='*\\(emodistill [^']*\\)'*$"
        self.takes = f"""
            n=$(grep -c ^sbatch {folder}/calls)
            size=$(sed -n 's/.*--array=0-\\([0-9]*\\).*/0-\\1/p' "$1")
            echo "$n|${{size:-N/A}}|PENDING|$(sed -n "s/.*{comment}/\\1/p" "$1")" >> {self.queue}
            echo "Submitted batch job $n"
            """
        self.script("sbatch", self.takes)
        self.script("scancel", f'for job; do sed -i "/^${{job%%_*}}|/d" {self.queue}; done')

    def script(self, name: str, body: str) -> None:
        head = f'#!/bin/sh\nPATH=/usr/bin:/bin\necho "{name} $*" >> {self._folder}/calls\n'
        (self._folder / name).write_text(head + body + "\n")
        (self._folder / name).chmod(0o755)

    def called(self, name: str) -> list[str]:
        return [call for call in self.says.calls() if call.startswith(name)]


@pytest.fixture
def cluster(slurm_says, monkeypatch):
    monkeypatch.setattr("time.sleep", lambda seconds: None)
    monkeypatch.setattr(runs, "NEEDED_BYTES", 0)
    monkeypatch.setenv("PATH", f"{slurm_says.folder}:/usr/bin:/bin:/usr/sbin:/sbin")  # before the real ones, if any
    return Cluster(slurm_says, slurm_says.folder)


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
