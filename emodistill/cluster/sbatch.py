"""The sbatch options and text of a stage's jobs: pure functions of a profile, golden-tested (submitit renders them).

After srun, every job's script hands srun's exit code to slurm/requeue.sh, which decides whether the job goes on, so a
run needs nobody who waits for it.
"""

import shlex
import sys
from collections.abc import Sequence
from fractions import Fraction
from pathlib import Path
from typing import Any

from submitit.slurm.slurm import _make_sbatch_string

from emodistill.cluster.profiles import Resources
from emodistill.errors import BadInput
from emodistill.shipped import shipped

_ALL = Fraction(1)
_ENTRY = "emodistill.cluster.payload"


def job_name(run: str, stage: str, tasks: Sequence[str]) -> str:
    """`run.stage.tasks`: `demo.rollout.00000-00015`; `demo.sft.emotion`; or the first task and how many more."""
    names = [task.removeprefix("shard-") for task in tasks]
    numbers = [int(name) for name in names if name.isdecimal()]
    if len(names) == 1:
        which = names[0]
    elif len(numbers) == len(names) and numbers == list(range(numbers[0], numbers[0] + len(numbers))):
        which = f"{names[0]}-{names[-1]}"
    else:
        which = f"{names[0]}-and-{len(names) - 1}"
    return f"{run}.{stage}.{which}"


def sbatch_options(
    asked: Resources, name: str, comment: str = "", dependency: str = "", share: Fraction = _ALL
) -> dict[str, Any]:
    """What submitit renders; `share`: the array's part of the stage's parallel jobs."""
    extra: dict[str, Any] = {"requeue": True, **asked.sbatch}
    extra = {key: value for key, value in extra.items() if value is not False}
    if dependency:
        extra["kill-on-invalid-dep"] = "yes"
    options = {
        "job_name": name, "comment": comment or None, "dependency": dependency or None,
        "time": asked.time_min, "signal_delay_s": asked.grace_s, "nodes": asked.nodes,
        "ntasks_per_node": asked.tasks_per_node, "cpus_per_task": asked.cpus_per_task,
        "gpus_per_node": asked.gpus_per_node or None, "gres": asked.gres, "partition": asked.partition,
        "account": asked.account, "qos": asked.qos, "constraint": asked.constraint,
        "array_parallelism": max(1, int(asked.parallel * share)), "mem": asked.mem_gb and f"{asked.mem_gb}GB",
        "setup": _setup(asked) or None, "teardown": _teardown(), "additional_parameters": extra,
        # srun does not take --cpus-per-task over from sbatch; and ranks are lost together.
        "srun_args": [f"--cpus-per-task={asked.cpus_per_task}", "--kill-on-bad-exit=1"], "stderr_to_stdout": False,
    }  # fmt: skip
    return {key: value for key, value in options.items() if value is not None}


def sbatch_text(
    asked: Resources,
    name: str,
    jobs: int,
    folder: Path,
    dependency: str = "",
    share: Fraction = _ALL,
    comment: str = "",
) -> str:
    """The sbatch file that a stage's jobs are submitted with. Needs no Slurm.

    `BadInput` for a folder whose name would end a line of it, or that Slurm would fill in (%).
    """
    if not str(folder).isprintable() or "%" in str(folder):
        raise BadInput(f"Slurm takes no folder called {str(folder)!r}: it holds a control character or a %. "
                       "Choose another with --out.")  # fmt: skip
    return _make_sbatch_string(
        command=f"{asked.python or shlex.quote(sys.executable)} -u -m {_ENTRY} {shlex.quote(str(folder))}",
        folder=folder,
        map_count=jobs if jobs > 1 else None,
        **sbatch_options(asked, name, comment, dependency, share),
    )


def _setup(asked: Resources) -> list[str]:
    loads = [f"module load {shlex.quote(module)}" for module in asked.modules]
    return [*loads, *asked.setup, *(f"export {name}={shlex.quote(value)}" for name, value in asked.env.items())]


def _teardown() -> list[str]:
    requeue = shipped("slurm") / "requeue.sh"
    return ['set -- "$?"', *requeue.read_text(encoding="utf-8").splitlines()]
