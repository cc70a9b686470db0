"""The sbatch options and text of a stage's jobs: pure functions of a profile, golden-tested (submitit renders them).

After srun, every job's script hands srun's exit code to `emodistill.cluster.requeue`, which decides whether the job
goes on, so a run needs nobody who waits for it.
"""

import shlex
import sys
from collections.abc import Sequence
from pathlib import Path
from typing import Any

from submitit.slurm.slurm import _make_sbatch_string

from emodistill.cluster.profiles import Resources


def job_name(run: str, stage: str, tasks: Sequence[str]) -> str:
    """`run.stage` and, for arrays of shards, which: `demo.rollout.00000-00015`."""
    shards = [task.rpartition("-")[2] for task in tasks if task.startswith("shard-")]
    return ".".join([run, stage, *([f"{shards[0]}-{shards[-1]}"] if shards else [])])


def sbatch_options(
    asked: Resources, name: str, comment: str = "", dependency: str = "", chunks: int = 1
) -> dict[str, Any]:
    """What submitit's Slurm executor is given; `chunks`: arrays that share the stage's limit of parallel jobs."""
    extra: dict[str, Any] = {"requeue": True, **asked.sbatch}
    if dependency:
        extra["kill-on-invalid-dep"] = "yes"
    options = {
        "job_name": name, "comment": comment or None, "dependency": dependency or None,
        "time": asked.time_min, "signal_delay_s": asked.grace_s, "nodes": asked.nodes,
        "ntasks_per_node": asked.tasks_per_node, "cpus_per_task": asked.cpus_per_task,
        "gpus_per_node": asked.gpus_per_node or None, "gres": asked.gres, "partition": asked.partition,
        "account": asked.account, "qos": asked.qos, "constraint": asked.constraint,
        "array_parallelism": max(1, asked.parallel // chunks), "mem": asked.mem_gb and f"{asked.mem_gb}GB",
        "setup": _setup(asked) or None, "teardown": _teardown(asked), "additional_parameters": extra,
        # srun does not take --cpus-per-task over from sbatch; and ranks are lost together.
        "srun_args": [f"--cpus-per-task={asked.cpus_per_task}", "--kill-on-bad-exit=1"], "stderr_to_stdout": False,
    }  # fmt: skip
    return {key: value for key, value in options.items() if value is not None}


def sbatch_text(asked: Resources, name: str, jobs: int, folder: Path, dependency: str = "", chunks: int = 1) -> str:
    """The sbatch file a stage's jobs would be submitted with. Needs no Slurm."""
    return _make_sbatch_string(
        command=f"{_python(asked)} -u -m submitit.core._submit {shlex.quote(str(folder))}",
        folder=folder,
        map_count=jobs if jobs > 1 else None,
        **sbatch_options(asked, name, dependency=dependency, chunks=chunks),
    )


def _setup(asked: Resources) -> list[str]:
    loads = [f"module load {shlex.quote(module)}" for module in asked.modules]
    return [*loads, *asked.setup, *(f"export {name}={shlex.quote(value)}" for name, value in asked.env.items())]


def _teardown(asked: Resources) -> list[str]:
    return [f'{_python(asked)} -m emodistill.cluster.requeue "$?"']


def _python(asked: Resources) -> str:
    return asked.python or shlex.quote(sys.executable)
