"""Re-read everything a run has written, name what is damaged, and remove just that (DESIGN.md)."""

import shutil
from collections.abc import Iterator
from dataclasses import asdict, dataclass
from typing import Literal

from emodistill import checkpoints, files
from emodistill.errors import RunFailed
from emodistill.locks import is_held
from emodistill.runs import Claim, Marker, RunDir
from emodistill.shards import open_table

Mend = Literal["remove the file", "remove the checkpoint", "redo the task", "write it again"]
_WRITERS = ("tables", "findings", "ope")  # whose marker, `main.done`, names what people read
_WRITTEN = ("report.html", "audit.md", "tables/*.csv", "tables/*.md", "tables/*.tex", "figures/*.svg", "figures/*.png")


@dataclass(frozen=True, slots=True)
class Problem:
    """A file that is not as it was written. `mend`: what `repair` does about it."""

    file: str  # relative to the run
    what: str
    mend: Mend
    stage: str = ""
    task: str = ""

    def __str__(self) -> str:
        return f"{self.file}: {self.what}"


def verify(run: RunDir) -> list[Problem]:
    """One problem for each file that is missing or damaged, of finished and of unfinished tasks."""
    found, named = list(_inputs(run)), set[str]()
    for path in sorted(run.root.glob("*/*.done")):
        marker = run.marker(path.parent.name, path.stem)
        if marker is None:  # the shards check themselves, and a task that finds all its work done only marks it again
            found.append(Problem(str(path.relative_to(run.root)), "the marker is damaged", "remove the file"))
        else:
            found += _recorded(run, marker)
            named |= marker.files.keys()
    return [*found, *_claims(run), *_records(run), *_checkpoints(run), *_unfinished(run, named)]


def unrecorded(run: RunDir) -> list[str]:
    """Tables, figures and pages that no marker names, as `report` leaves them in a run that has not finished."""
    markers = [run.marker(stage, "main") for stage in _WRITERS]
    named = {name for marker in markers if marker is not None for name in marker.files}
    there = [str(path.relative_to(run.root)) for pattern in _WRITTEN for path in sorted(run.root.glob(pattern))]
    return [name for name in there if name not in named]


def repair(run: RunDir, problems: list[Problem]) -> None:
    """Remove what is damaged, and only that; the run's own command makes it anew."""
    for problem in problems:
        if problem.mend == "redo the task":
            run.clear(problem.stage, problem.task)
        elif problem.mend == "remove the file":
            run.path(problem.file).unlink(missing_ok=True)
        elif problem.mend == "remove the checkpoint":
            shutil.rmtree(checkpoints.folder_of(run.path(problem.file)), ignore_errors=True)
    for problem in problems:
        marker = run.marker(problem.stage, problem.task) if problem.mend == "write it again" else None
        if marker is not None:
            files.write_sealed(run.path(problem.file), asdict(Claim(marker.fingerprint, marker.inputs)))


def _inputs(run: RunDir) -> Iterator[Problem]:
    """The manifest, and the files it names: the next run writes them again from the user's configuration."""
    try:
        recorded = run.manifest().get("files")
    except RunFailed:
        yield Problem("manifest.json", "its checksum differs", "remove the file")
        return
    if recorded is None:
        yield Problem("manifest.json", "missing", "remove the file")
        return
    for name, expected in recorded.items():
        if not run.path(name).is_file():
            yield Problem(name, "missing, manifest.json names it", "remove the file")
        elif files.sha256(run.path(name)) != expected:
            yield Problem(name, "its checksum differs from the one in manifest.json", "remove the file")


def _recorded(run: RunDir, marker: Marker) -> Iterator[Problem]:
    done = f"{marker.task}.done"
    for name, expected in marker.files.items():
        what = ""
        try:
            if files.sha256(run.path(name)) != expected:
                what = f"its checksum differs from the one in {done}"
        except OSError:
            what = f"missing, {done} names it"
        if what and not _being_made(run, marker):
            yield Problem(name, what, "redo the task", marker.stage, marker.task)


def _being_made(run: RunDir, marker: Marker) -> bool:
    """Whether a job makes the task's files anew, or has done so since the marker was read."""
    return is_held(run.lock_path(marker.stage, marker.task)) or run.marker(marker.stage, marker.task) != marker


def _claims(run: RunDir) -> Iterator[Problem]:
    for path in sorted(run.root.glob("*/*.identity")):
        stage, task = path.parent.name, path.stem
        try:
            run.claim(stage, task)
        except RunFailed:
            mend: Mend = "redo the task" if run.marker(stage, task) is None else "write it again"
            yield Problem(str(path.relative_to(run.root)), "its checksum differs", mend, stage, task)


def _records(run: RunDir) -> Iterator[Problem]:
    """Sealed files that no results depend on: tasks given up, what was launched, what was used and spent."""
    for pattern in ("*/*.failed", "*/*.spent", "submissions/*/launch.json", "spending/*.json"):
        for path in sorted(run.root.glob(pattern)):
            try:
                files.read_sealed(path)
            except ValueError as error:
                yield Problem(str(path.relative_to(run.root)), str(error), "remove the file")


def _checkpoints(run: RunDir) -> Iterator[Problem]:
    for folder in sorted(run.root.glob("*/*/checkpoints/step-*")):
        for path, what in list(checkpoints.damages(folder)):
            if folder.exists():  # or a running task has just removed it
                yield Problem(str(path.relative_to(run.root)), what, "remove the checkpoint")


def _unfinished(run: RunDir, named: set[str]) -> Iterator[Problem]:
    """Shards and segments that no marker names yet: each holds its own checksum."""
    for path in sorted(run.root.glob("**/*.h5")):
        name = str(path.relative_to(run.root))
        if name not in named:
            try:
                with open_table(path):
                    pass
            except RunFailed as error:
                if not path.exists():
                    continue  # a running task has just compacted it
                yield Problem(name, str(error).removeprefix(f"{path} ").partition(". ")[0], "remove the file")
