"""What a task has used over all its attempts: seconds, tokens, money.

A marker comes last, and an attempt may be stopped, requeued, or end in errors that are asked for again. So until the
marker holds the sum, it is kept in `<task>.spent`, every few seconds and at an attempt's end. A SIGKILL loses what was
used since, and what an endpoint charges for replies that nobody waits for is in no sum.
"""

import contextlib
import time
from dataclasses import asdict, dataclass, field

from emodistill import files, ranks
from emodistill.runs import RunDir

_EVERY_S = 5.0


@dataclass(frozen=True, slots=True)
class Used:
    """Seconds of work, and what models used in it, by kind: tokens and USD."""

    seconds: float = 0.0
    usage: dict[str, float] = field(default_factory=dict)


class Tally:
    """One attempt's use, on top of that of those before it with the same claim. Only rank 0 writes it down."""

    def __init__(self, run: RunDir, stage: str, task: str) -> None:
        self._path = run.spent_path(stage, task)
        self._before = _before(run, stage, task)
        self._began = self._kept = time.monotonic()
        self._usage: dict[str, float] = {}

    def update(self, usage: dict[str, float]) -> None:
        """What this attempt has used so far."""
        self._usage = usage
        if time.monotonic() - self._kept >= _EVERY_S:
            self.keep()

    def keep(self) -> None:
        """Write the sum down, if that can be written."""
        self._kept = time.monotonic()
        if ranks.rank() == 0:
            with contextlib.suppress(OSError):
                files.write_sealed(self._path, asdict(self.total()))

    def total(self) -> Used:
        """Of all attempts."""
        before = self._before.usage
        summed = {kind: float(before.get(kind, 0.0) + amount) for kind, amount in self._usage.items()}
        return Used(round(self._before.seconds + time.monotonic() - self._began, 2), {**before, **summed})

    def of(self, usage: dict[str, float]) -> dict[str, float]:
        """A result's usage with the sums in place of this attempt's share; what else it counts stays as it is."""
        return {**usage, **{kind: self.total().usage[kind] for kind in self._usage}}

    def forget(self) -> None:
        """The marker holds the sum."""
        self._path.unlink(missing_ok=True)


def _before(run: RunDir, stage: str, task: str) -> Used:
    """Of the attempts before: whichever says more, since both hold all that was before them."""
    marker, found = run.marker(stage, task), [Used()]
    if marker is not None:
        found.append(Used(marker.seconds, marker.usage))
    with contextlib.suppress(OSError, ValueError):
        found.append(files.record(Used, files.read_sealed(run.spent_path(stage, task))))
    return max(found, key=lambda one: one.seconds)
