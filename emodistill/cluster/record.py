"""What was submitted: one `launch.json` for each launch, written before the first sbatch and again after each."""

import re
import time
from collections.abc import Iterable, Iterator
from dataclasses import asdict, dataclass
from pathlib import Path
from typing import Any

from emodistill import files
from emodistill.cluster.slurm import Element
from emodistill.runs import RunDir


@dataclass(frozen=True, slots=True)
class Submission:
    """One sbatch: an array whose element i runs `bundles[i]`, or a single job."""

    stage: str
    job: str
    name: str
    bundles: tuple[tuple[str, ...], ...]
    folder: str  # relative to the run: sbatch text and logs
    dependency: str = ""
    cluster: str = ""

    def elements(self) -> Iterator[tuple[Element, tuple[str, ...]]]:
        """Each element with its tasks."""
        for index, bundle in enumerate(self.bundles):
            yield Element(self.job, index if len(self.bundles) > 1 else None, self.cluster), bundle

    def on(self, cluster: str) -> bool:
        """Whether a job of that cluster may be of this submission; an empty name may be any."""
        return not (cluster and self.cluster) or cluster in self.cluster.split(",")

    def log(self, element: Element, kind: str) -> str:
        """Name of an element's log in `folder`; kind is `out` or `err`."""
        return f"{element}_0_log.{kind}"


@dataclass(slots=True)
class Launch:
    """One launch's record, growing."""

    path: Path
    code: str
    profile: dict[str, Any]
    submissions: list[Submission]
    folder: str  # as its jobs were told it; the run may be reached by other names

    @classmethod
    def begin(cls, run: RunDir, code: str, profile: dict[str, Any]) -> "Launch":
        """A new record, durable before any job is: what Slurm takes and nobody records can be found by its comment."""
        stamp, number = fresh_stamp(run), 0
        while (folder := run.path("submissions", f"{stamp}{f'-{number:02d}' if number else ''}")).exists():
            number += 1
        made = cls(folder / "launch.json", code, profile, [], str(folder.absolute()))
        made._write()
        return made

    def add(self, submission: Submission) -> None:
        """Record what Slurm has just taken, durably."""
        self.submissions.append(submission)
        self._write()

    def comment(self, submission: Submission) -> str:
        """What the submission's jobs carry in the queue."""
        return comment_of(Path(self.folder) / Path(submission.folder).name)

    def of(self, run: RunDir) -> bool:
        """Whether its jobs are this run's, which may have been moved; not those of one that this is a copy of."""
        home = Path(self.folder).parents[1]
        return not home.exists() or home.samefile(run.root)

    def _write(self) -> None:
        told = {"code": self.code, "profile": self.profile, "folder": self.folder}
        files.write_sealed(self.path, {**told, "submissions": [asdict(s) for s in self.submissions]})


def comment_of(folder: Path | str) -> str:
    """What tells one array's jobs from all others in the queue: where it was submitted from."""
    return f"emodistill {folder}"


def fresh_stamp(run: RunDir) -> str:
    """UTC now, or the latest stamp there is if this machine's clock is behind: names in order are times in order."""
    there = [path.name[:15] for path in run.path("submissions").glob("[0-9]*")]
    return max([time.strftime("%Y%m%d-%H%M%S", time.gmtime()), *(s for s in there if re.fullmatch(r"\d{8}-\d{6}", s))])


def launches(run: RunDir) -> list[Launch]:
    """All launches of a run, oldest first; unreadable records are left out."""
    found = []
    for path in sorted(run.path("submissions").glob("*/launch.json")):
        try:
            told = files.read_sealed(path)
            made = [_submission(submission) for submission in told["submissions"]]
            folder = told.get("folder", str(path.parent.absolute()))
            found.append(files.record(Launch, {"path": path, **told, "submissions": made, "folder": folder}))
        except (ValueError, LookupError, TypeError):
            continue
    return found


def submissions(run: RunDir) -> list[Submission]:
    """Everything ever submitted for the run, oldest first."""
    return [submission for launch in launches(run) for submission in launch.submissions]


def by_task(found: Iterable[Submission]) -> dict[tuple[str, str], tuple[Submission, Element]]:
    """(stage, task) to the latest submission and element that runs it."""
    return {
        (submission.stage, task): (submission, element)
        for submission in found
        for element, bundle in submission.elements()
        for task in bundle
    }


def _submission(told: dict[str, Any]) -> Submission:
    made = files.record(Submission, {**told, "bundles": tuple(tuple(bundle) for bundle in told["bundles"])})
    if not files.inside(made.folder) or not all(isinstance(task, str) for bundle in made.bundles for task in bundle):
        raise ValueError("it is no submission of this run")
    return made
