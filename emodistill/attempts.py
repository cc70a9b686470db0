"""How often a Slurm job has begun a task without getting further: what tells a poison task from bad luck.

A task may be killed without a word, or unable to write one (a full quota), so it is Slurm that counts: by how often it
has put the job back into the queue since the task last was further. A count that grows while the work does not means
that the task cannot get on there. Counts belong to one job: a new launch starts anew.
"""

import contextlib
import os
from dataclasses import asdict, dataclass, replace
from pathlib import Path

from emodistill import files
from emodistill.runs import RunDir

TRIES = 5  # beginnings in a row that bring nothing new; then the task is given up


@dataclass(frozen=True, slots=True)
class Attempts:
    """`job` has begun the task `tries` times since it last was further than `progress`."""

    job: str
    tries: int = 0
    progress: float = 0.0
    reason: str = ""  # why the latest one ended, if it could say
    restarts: int = 0  # of the job, when the task was begun with that much done

    def begun(self, job: str, progress: float, restarts: int) -> "Attempts":
        """A beginning by that job, with that much done so far, after Slurm has restarted it so often."""
        if job != self.job or progress > self.progress:
            return Attempts(job, 1, progress, restarts=restarts)
        return replace(self, tries=restarts - self.restarts + 1)


def latest(run: RunDir, stage: str, task: str) -> Attempts:
    """What has been counted of a task that is under way or waits to be begun again."""
    return _read(_path(run, stage, task))


def begin(run: RunDir, stage: str, task: str, job: str) -> Attempts:
    """Count a beginning, durably if anything can be written."""
    path, restarts = _path(run, stage, task), int(os.environ.get("SLURM_RESTART_COUNT", "0"))
    before = _read(path)
    now = before.begun(job, _progress(run, stage, task), restarts)
    try:
        files.write_json(path, asdict(now))
    except OSError:  # if none of its beginnings could be written down, all may have been for this task
        return now if before.job == job else replace(now, tries=restarts + 1)
    return now


def note(run: RunDir, stage: str, task: str, reason: str) -> None:
    """Keep why this beginning came to its end, if that can be written."""
    path = _path(run, stage, task)
    with contextlib.suppress(OSError):
        if path.exists():
            files.write_json(path, asdict(replace(_read(path), reason=reason)))


def forget(run: RunDir, stage: str, task: str) -> None:
    """The task has ended, or is given up."""
    with contextlib.suppress(OSError):
        _path(run, stage, task).unlink(missing_ok=True)


def _read(path: Path) -> Attempts:
    try:
        return files.record(Attempts, files.loads(path.read_text(encoding="utf-8")))
    except (OSError, ValueError):
        return Attempts("")


def _path(run: RunDir, stage: str, task: str) -> Path:
    return run.path(stage, f"{task}.tries")


def _progress(run: RunDir, stage: str, task: str) -> float:
    """How far the task is, in whatever unit it counts."""
    try:
        return float(files.loads(run.path(stage, f"{task}.progress").read_text(encoding="utf-8"))[0])
    except (OSError, ValueError, TypeError, LookupError, OverflowError):
        return 0.0


def slurm_job() -> str:
    """The Slurm job this process belongs to; empty outside of one."""
    return os.environ.get("SLURM_JOB_ID", "")
