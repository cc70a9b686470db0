"""Jobs through submitit, local or Slurm. The only importers of submitit are this, sbatch.py and payload.py."""

import os
import signal
from collections.abc import Iterator, Sequence
from contextlib import contextmanager
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import submitit
from submitit.core.utils import DelayedSubmission, JobPaths

from emodistill import files
from emodistill.cluster import slurm
from emodistill.cluster.graph import Array
from emodistill.cluster.job import run_job
from emodistill.cluster.profiles import Resources
from emodistill.cluster.record import comment_of
from emodistill.cluster.sbatch import sbatch_text
from emodistill.execute import DRIVER, Outcome, run_tasks
from emodistill.tails import tail

_NO_LIMIT_MIN = 60 * 24 * 365  # submitit's local executor would stop a job after 2 minutes
_LOG_TAIL_LINES = 15
_FOREVER = 10**6  # how often submitit lets a job run into its time limit; ours requeue themselves
_VISIBLE = "CUDA_VISIBLE_DEVICES"
_DEFAULTS = ("account", "partition", "qos")  # a user's own, in SBATCH_…, hold where the profile says nothing


@dataclass(frozen=True, slots=True)
class Job:
    """One submitted job and the tasks it runs."""

    stage: str
    tasks: tuple[str, ...]
    handle: Any  # submitit.Job

    def finished(self) -> bool:
        """Whether it has ended, in whatever way."""
        return bool(self.handle.done())

    def outcome(self) -> Outcome:
        """How it ended; a job that died without a word is `failed` with its log's tail."""
        try:
            outcome: Outcome = self.handle.results()[0]
            return outcome
        except Exception as error:  # submitit raises several kinds for jobs that were killed
            reason = str(error).strip().splitlines()[0] if str(error).strip() else type(error).__name__
            return Outcome("failed", f"{self.stage} {', '.join(self.tasks)} died ({reason[:200]}). {self.log_tail()}")

    def log_tail(self) -> str:
        """The last lines of the job's error log, or of submitit's own where the job said nothing."""
        for path in (Path(self.handle.paths.stderr), Path(self.handle.paths.stdout)):
            try:
                lines = tail(path, _LOG_TAIL_LINES)
            except OSError:
                continue
            if any(lines):
                return f"The end of {path}:\n" + "\n".join(lines)
        return f"It left no log at {self.handle.paths.stderr}."

    def stop(self) -> None:
        """Ask it to stop, with SIGTERM: it finishes its segment."""
        self.handle._process.send_signal(signal.SIGTERM)


def submit_local(stage: str, root: Path, bundles: Sequence[Sequence[str]], folder: Path) -> list[Job]:
    """Start one process for each bundle of tasks."""
    folder.mkdir(parents=True, exist_ok=True)
    folder.chmod(0o700)  # what it will hold is unpickled, here too
    executor = submitit.LocalExecutor(folder)
    executor.update_parameters(timeout_min=_NO_LIMIT_MIN)
    visible = os.environ.get(_VISIBLE)
    with _shielded():
        handles = [executor.submit(run_local, visible, str(root), stage, tuple(bundle)) for bundle in bundles]
    return [Job(stage, tuple(bundle), handle) for bundle, handle in zip(bundles, handles, strict=True)]


def run_local(visible: str | None, root: str, stage: str, tasks: Sequence[str]) -> Outcome:
    """`run_tasks` with the GPUs that the driver sees: submitit hides those of this machine from its local jobs."""
    if visible is None:
        os.environ.pop(_VISIBLE, None)
    else:
        os.environ[_VISIBLE] = visible
    return run_tasks(root, stage, tasks)


def submit_array(
    asked: Resources, array: Array, name: str, root: Path, folder: Path, dependency: str, code: str | None
) -> str:
    """Submit one array to Slurm; its job id.

    submitit's executor names its pickles by the id that sbatch prints, and loses them where that is found otherwise.
    So the script is submitted here, and the pickles are written when the id is known; jobs wait a minute for them.
    """
    folder.mkdir(parents=True, exist_ok=True)
    folder.chmod(0o755)  # what it will hold is unpickled: see payload.py
    comment, script, n = comment_of(folder), folder / "job.sh", len(array.bundles)
    files.write_text(script, sbatch_text(asked, name, n, folder, dependency, array.share, comment))
    keep = {f"SBATCH_{key.upper()}" for key in _DEFAULTS if getattr(asked, key) is None and key not in asked.sbatch}
    with slurm.outside(keep):
        job = slurm.submit(script, comment, asked.cluster)
    for index, tasks in enumerate(array.bundles):
        work = DelayedSubmission(run_job, str(root), array.stage, tasks, code, float(asked.stagger_s), array.lacking)
        work.set_timeout(asked.time_min, _FOREVER)
        path = JobPaths(folder, f"{job}_{index}" if n > 1 else job).submitted_pickle
        work.dump(temporary := path.with_suffix(".tmp"))
        temporary.chmod(0o600)
        temporary.replace(path)  # whole, but not synced: 10,000 of them are wanted within a minute
    return job


@contextmanager
def _shielded() -> Iterator[None]:
    """Children start with SIGINT ignored.

    So Ctrl-C reaches the tasks' own handlers and not submitit's controller.
    """
    before = signal.signal(signal.SIGINT, signal.SIG_IGN)
    os.environ[DRIVER] = str(os.getpid())
    try:
        yield
    finally:
        os.environ.pop(DRIVER, None)
        signal.signal(signal.SIGINT, before)
