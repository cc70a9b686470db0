"""Jobs through submitit, local or Slurm by the same code. The only importer of submitit."""

import os
import signal
from collections.abc import Iterator, Sequence
from contextlib import contextmanager
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import submitit
from submitit.slurm.slurm import _make_sbatch_string

from emodistill.cluster.profiles import Profile, Resources
from emodistill.errors import BadInput
from emodistill.execute import DRIVER, Outcome, run_tasks

_NO_LIMIT_MIN = 60 * 24 * 365  # submitit's local executor would stop a job after 2 minutes
_LOG_TAIL_LINES = 15


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
        """The last lines of the job's error log."""
        path = Path(self.handle.paths.stderr)
        try:
            lines = path.read_text(encoding="utf-8", errors="replace").splitlines()[-_LOG_TAIL_LINES:]
        except OSError:
            return f"It left no log at {path}."
        return f"The end of {path}:\n" + "\n".join(lines)

    def stop(self) -> None:
        """Ask it to stop: locally SIGTERM, which finishes the segment; on Slurm scancel."""
        process = getattr(self.handle, "_process", None)
        if process is not None:
            process.send_signal(signal.SIGTERM)
        else:
            self.handle.cancel()


def submit(
    profile: Profile, stage: str, name: str, root: Path, bundles: Sequence[Sequence[str]], folder: Path
) -> list[Job]:
    """Start one job for each bundle of tasks; on Slurm they form one array."""
    executor = _executor(profile, stage, name, folder)
    with _shielded(watched=profile.cluster == "local"):
        if profile.cluster == "local":
            handles = [executor.submit(run_tasks, str(root), stage, tuple(bundle)) for bundle in bundles]
        else:
            n = len(bundles)
            handles = executor.map_array(run_tasks, [str(root)] * n, [stage] * n, [tuple(bundle) for bundle in bundles])
    return [Job(stage, tuple(bundle), handle) for bundle, handle in zip(bundles, handles, strict=True)]


def sbatch_text(profile: Profile, stage: str, name: str, jobs: int, folder: Path) -> str:
    """The sbatch file a stage's jobs would be submitted with. Pure: needs no Slurm."""
    return _make_sbatch_string(
        command=f"python -u -m submitit.core._submit {folder}",
        folder=folder,
        map_count=jobs,
        **_slurm_options(profile, stage, name),
    )


def _executor(profile: Profile, stage: str, name: str, folder: Path) -> Any:
    if profile.cluster == "local":
        executor = submitit.LocalExecutor(folder)
        asked = profile.resources(stage)
        executor.update_parameters(
            timeout_min=_NO_LIMIT_MIN, tasks_per_node=asked.tasks_per_node, gpus_per_node=asked.gpus_per_node
        )
        return executor
    try:
        executor = submitit.SlurmExecutor(folder, max_num_timeout=100)
    except RuntimeError:
        raise BadInput(
            "There is no Slurm here: srun is not on PATH. Log in to the cluster's login node, or use --profile local."
        ) from None
    executor.update_parameters(**_slurm_options(profile, stage, name))
    return executor


def _slurm_options(profile: Profile, stage: str, name: str) -> dict[str, Any]:
    asked: Resources = profile.resources(stage)
    options = {
        "job_name": f"{name}-{stage}", "time": asked.time_min, "nodes": asked.nodes,
        "ntasks_per_node": asked.tasks_per_node, "cpus_per_task": asked.cpus_per_task,
        "gpus_per_node": asked.gpus_per_node or None, "partition": asked.partition, "account": asked.account,
        "qos": asked.qos, "constraint": asked.constraint, "array_parallelism": asked.parallel,
        "mem": None if asked.mem_gb is None else f"{asked.mem_gb}GB", "setup": list(profile.setup) or None,
        "srun_args": [f"--cpus-per-task={asked.cpus_per_task}"],  # srun does not take it over from sbatch
        "signal_delay_s": 120, "additional_parameters": dict(profile.extra) or None, "stderr_to_stdout": False,
    }  # fmt: skip
    return {key: value for key, value in options.items() if value is not None}


@contextmanager
def _shielded(watched: bool) -> Iterator[None]:
    """Children start with SIGINT ignored.

    So Ctrl-C reaches the tasks' own handlers and not submitit's controller.
    """
    before = signal.signal(signal.SIGINT, signal.SIG_IGN)
    if watched:  # never for Slurm: sbatch would carry our process number to machines where it means nothing
        os.environ[DRIVER] = str(os.getpid())
    try:
        yield
    finally:
        os.environ.pop(DRIVER, None)
        signal.signal(signal.SIGINT, before)
