"""Re-read everything a run has written, name what is damaged, and remove just that (DESIGN.md)."""

from collections.abc import Iterator
from dataclasses import asdict, dataclass
from typing import Literal

from emodistill import files
from emodistill.errors import RunFailed
from emodistill.runs import Claim, Marker, RunDir
from emodistill.shards import open_table

Mend = Literal["remove the file", "redo the task", "write it again"]


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
    found += _claims(run)
    return found + list(_unfinished(run, named))


def repair(run: RunDir, problems: list[Problem]) -> None:
    """Remove what is damaged, and only that; the run's own command makes it anew."""
    for problem in problems:
        if problem.mend == "redo the task":
            run.clear(problem.stage, problem.task)
        elif problem.mend == "remove the file":
            run.path(problem.file).unlink(missing_ok=True)
    for problem in problems:
        marker = run.marker(problem.stage, problem.task) if problem.mend == "write it again" else None
        if marker is not None:
            files.write_sealed(run.path(problem.file), asdict(Claim(marker.fingerprint, marker.inputs)))


def _inputs(run: RunDir) -> Iterator[Problem]:
    """The manifest, and the files it names: the next run writes them again from the user's configuration."""
    try:
        recorded = run.manifest().get("files", {})
    except RunFailed:
        yield Problem("manifest.json", "its checksum differs", "remove the file")
        return
    for name, expected in recorded.items():
        if not run.path(name).is_file():
            yield Problem(name, "missing, manifest.json names it", "remove the file")
        elif files.sha256(run.path(name)) != expected:
            yield Problem(name, "its checksum differs from the one in manifest.json", "remove the file")


def _recorded(run: RunDir, marker: Marker) -> Iterator[Problem]:
    done = f"{marker.task}.done"
    for name, expected in marker.files.items():
        if not run.path(name).is_file():
            yield Problem(name, f"missing, {done} names it", "redo the task", marker.stage, marker.task)
        elif files.sha256(run.path(name)) != expected:
            what = f"its checksum differs from the one in {done}"
            yield Problem(name, what, "redo the task", marker.stage, marker.task)


def _claims(run: RunDir) -> Iterator[Problem]:
    for path in sorted(run.root.glob("*/*.identity")):
        stage, task = path.parent.name, path.stem
        try:
            run.claim(stage, task)
        except RunFailed:
            mend: Mend = "redo the task" if run.marker(stage, task) is None else "write it again"
            yield Problem(str(path.relative_to(run.root)), "its checksum differs", mend, stage, task)


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
