"""Which tasks of a run are done, and which are still to do, as the markers say."""

import hashlib

from emodistill.config import Config
from emodistill.runs import Claim, Failure, Marker, RunDir
from emodistill.stages import Fingerprints, Stage

MAX_TRIES = 3  # of a task that ended with technical errors, over all runs


class Ledger:
    """A run at one moment: every marker is read and hashed once, so that 20,000 shards take a second.

    Make a new one to see what has happened since.
    """

    def __init__(self, run: RunDir, config: Config) -> None:
        self._run, self._config, self.fingerprint = run, config, Fingerprints(config)
        self._markers: dict[tuple[str, str], Marker | None] = {}
        self._digests: dict[tuple[str, str], str | None] = {}

    def marker(self, stage: Stage, task: str) -> Marker | None:
        """The task's marker, whatever configuration it is of."""
        key = (stage.name, task)
        if key not in self._markers:
            self._markers[key] = self._run.marker(*key)
        return self._markers[key]

    def claim(self, stage: Stage, task: str) -> Claim | None:
        """What the task has to be begun with now; None while something it reads is missing.

        A stage that makes do does not wait for inputs that were given up; it reads the others.
        """
        digests = []
        for name, tasks in stage.reads(self._config, task).items():
            for other in tasks:
                digest = self._digest(stage.source(name), other)
                if digest is not None:
                    digests.append(digest)
                elif stage.makes_do and self.given_up(stage.source(name), other):
                    digests.append("given up")
                else:
                    return None
        inputs = hashlib.sha256(" ".join(digests).encode()).hexdigest()[:16]
        return Claim(self.fingerprint(stage, task), inputs)

    def _digest(self, stage: Stage, task: str) -> str | None:
        """Of what the task has produced with the current configuration; None if it has not."""
        key = (stage.name, task)
        if key not in self._digests:
            marker = self.marker(stage, task)
            current = marker is not None and marker.fingerprint == self.fingerprint(stage, task)
            self._digests[key] = marker.digest() if marker is not None and current else None
        return self._digests[key]

    def given_up(self, stage: Stage, task: str) -> bool:
        """Whether the task, or one that it cannot do without, was given up."""
        return self.failure(stage, task) is not None

    def failure(self, stage: Stage, task: str) -> Failure | None:
        """Why the task, or the first one that it cannot do without, was given up; None if it was not."""
        failure = self._run.failure(stage.name, task)
        if failure is not None and failure.fingerprint == self.fingerprint(stage, task):
            return failure
        reads = () if stage.makes_do else stage.reads(self._config, task).items()
        before = (self.failure(stage.source(name), other) for name, others in reads for other in others)
        return next((found for found in before if found is not None), None)

    def inputs(self, stage: Stage, task: str) -> dict[str, tuple[str, ...]]:
        """What the task reads, without what was given up."""
        return {
            name: tuple(other for other in others if not (stage.makes_do and self.given_up(stage.source(name), other)))
            for name, others in stage.reads(self._config, task).items()
        }

    def is_done(self, stage: Stage, task: str) -> bool:
        """Whether the task's marker is that of the current configuration and inputs, and its files are there."""
        marker = self.marker(stage, task)
        return (
            marker is not None
            and Claim(marker.fingerprint, marker.inputs) == self.claim(stage, task)
            and self._run.whole(marker)
        )

    def is_settled(self, stage: Stage, task: str) -> bool:
        """Whether the task is done, and is not tried again for technical errors."""
        marker = self.marker(stage, task)
        return marker is not None and not tried_again(marker) and self.is_done(stage, task)

    def to_do(self, stage: Stage) -> list[str]:
        """Tasks that have not finished, or finished with technical errors and have not been tried too often."""
        return [task for task in stage.tasks(self._config) if not self.is_settled(stage, task)]

    def errors_to_retry(self, stage: Stage) -> int:
        """Technical errors of tasks that are done, and yet to do for them."""
        markers = {task: self.marker(stage, task) for task in stage.tasks(self._config)}
        again = [
            (task, marker.errors) for task, marker in markers.items() if marker is not None and tried_again(marker)
        ]
        return sum(errors for task, errors in again if self.is_done(stage, task))


def tried_again(marker: Marker) -> bool:
    """Whether the next run does the finished task again, for its technical errors."""
    return marker.errors > 0 and marker.tries < MAX_TRIES
