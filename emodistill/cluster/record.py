"""What was submitted: one `launch.json` for each launch, written again after every sbatch."""

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

    @classmethod
    def begin(cls, run: RunDir, code: str, profile: dict[str, Any]) -> "Launch":
        """A new record in a folder of its own."""
        stamp, number = time.strftime("%Y%m%d-%H%M%S"), 0
        while (folder := run.path("submissions", f"{stamp}{f'-{number}' if number else ''}")).exists():
            number += 1
        return cls(folder / "launch.json", code, profile, [])

    def add(self, submission: Submission) -> None:
        """Record what Slurm has just taken, durably."""
        self.submissions.append(submission)
        told = {"code": self.code, "profile": self.profile, "submissions": [asdict(s) for s in self.submissions]}
        files.write_sealed(self.path, told)


def launches(run: RunDir) -> list[Launch]:
    """All launches of a run, oldest first; unreadable records are left out."""
    found = []
    for path in sorted(run.path("submissions").glob("*/launch.json")):
        try:
            told = files.read_sealed(path)
        except ValueError:
            continue
        found.append(Launch(path, told["code"], told["profile"], [_submission(s) for s in told["submissions"]]))
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
    return Submission(**{**told, "bundles": tuple(tuple(bundle) for bundle in told["bundles"])})
