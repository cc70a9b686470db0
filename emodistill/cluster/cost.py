"""What a run took: its jobs beside what they asked for, from one sacct call, and its tokens and money at endpoints."""

import math
import statistics
import time
from collections.abc import Sequence
from dataclasses import asdict, dataclass
from typing import Any

from emodistill import files
from emodistill.cluster.accounting import Allocation, history
from emodistill.cluster.record import Submission, submissions
from emodistill.cluster.spent import Spent, spent
from emodistill.cluster.spent import render as render_spent
from emodistill.errors import BadInput, RunFailed
from emodistill.kinds import stages_of
from emodistill.plain import duration, number, table
from emodistill.runs import RunDir

_FAR_OFF = 4  # times what was used
_TELLS_S = 10  # a shorter stay says nothing of efficiency: Slurm counts whole seconds
_SPARE = 2  # times the most that was used is what a hint suggests


@dataclass(frozen=True, slots=True)
class StageCost:
    """A stage's jobs together. Elapsed: of one stay on its nodes, so a job requeued twice counts three times."""

    jobs: int
    stays: int
    median_s: float
    longest_s: float
    limit_min: int | None  # as last asked for, like `asked_mb`
    asked_mb: float | None
    used_mb: float | None  # by the largest job; None where Slurm does not measure it
    cpu_efficiency: float | None  # CPU time by cores × elapsed time, of stays that have ended and tell
    gpu_efficiency: float | None  # mean share of the time that GPUs were busy; None where Slurm does not measure it
    core_hours: float
    gpu_hours: float
    cpus: int = 0  # of one job, as last given; so are `nodes`
    nodes: int = 1
    out_of_memory: int = 0
    out_of_time: int = 0


def cost(run: RunDir) -> dict[str, Any]:
    """Per stage and in all, also written to `cost.json`. `RunFailed` without accounting."""
    found, models = submissions(run), spent(run)
    if not found and not models:
        raise BadInput(
            f"{run.root} was never launched and no finished task asked a model: there is nothing that Slurm accounts "
            "or an endpoint charges. `emodistill status` has times."
        )
    stages = _of_jobs(run, found) if found else {}
    total = {key: round(sum(s[key] for s in stages.values()), 3) for key in ("jobs", "core_hours", "gpu_hours")}
    made = {"run": run.config().name, "at": time.strftime("%Y-%m-%d %H:%M:%S"), "stages": stages, "total": total}
    if models:
        made["models"] = {name: asdict(one) for name, one in models.items()}
    files.write_json(run.path("cost.json"), made)
    return made


def _of_jobs(run: RunDir, found: Sequence[Submission]) -> dict[str, dict[str, Any]]:
    """By stage, from Slurm's accounting."""
    try:
        jobs = history(found, steps=True)
    except (BadInput, RunFailed) as error:
        raise RunFailed(
            f"What the jobs of {run.root} took is known to Slurm's accounting alone, and there is none to ask here: "
            f"{error} `emodistill status {run.root}` shows what the finished tasks say of themselves."
        ) from None
    if not jobs:
        raise RunFailed(
            f"Slurm's accounting knows none of the jobs of {run.root} (the first is {found[0].job}, {found[0].name}). "
            "It may lag behind by a minute, or have forgotten old jobs, or this is another cluster."
        )
    stages = {}
    for name in stages_of(run):
        spent = [jobs[e] for s in found if s.stage == name for e, _ in s.elements() if e in jobs]
        if spent:
            took = summed(spent)
            stages[name] = {**asdict(took), "hints": hints(took)}
    return stages


def summed(jobs: Sequence[Sequence[Allocation]]) -> StageCost:
    """The cost of jobs, each with its stays."""
    stays = [stay for job in jobs for stay in job]
    ended = [stay.elapsed_s for stay in stays if stay.elapsed_s and stay.ended is not None] or [0]
    measured = [stay for stay in stays if stay.ended is not None and stay.elapsed_s >= _TELLS_S and stay.cpus]
    busy = [stay.gpu_busy for stay in measured if stay.gpu_busy is not None]
    held_s = sum(stay.elapsed_s * stay.cpus for stay in measured)
    return StageCost(
        jobs=len(jobs),
        stays=len(stays),
        median_s=statistics.median(ended),
        longest_s=max(ended),
        limit_min=stays[-1].limit_min,
        asked_mb=stays[-1].asked_mb,
        used_mb=max((stay.used_mb for stay in stays if stay.used_mb is not None), default=None),
        cpu_efficiency=round(sum(stay.cpu_s for stay in measured) / held_s, 3) if held_s else None,
        gpu_efficiency=round(statistics.mean(busy), 3) if busy else None,
        cpus=stays[-1].cpus,
        nodes=stays[-1].nodes,
        core_hours=round(sum(stay.elapsed_s * stay.cpus for stay in stays) / 3600, 3),
        gpu_hours=round(sum(stay.elapsed_s * stay.gpus for stay in stays) / 3600, 3),
        out_of_memory=sum(stay.state == "OUT_OF_MEMORY" for stay in stays),
        out_of_time=sum(stay.state == "TIMEOUT" for stay in stays),
    )


def hints(took: StageCost) -> list[str]:
    """Requests that are far from what was used, and what would do."""
    found = []
    asked, used, longest_min = took.asked_mb, took.used_mb, took.longest_s / 60
    if took.out_of_memory:
        found.append(f"{took.out_of_memory} ran out of memory: raise mem_gb" + (f" from {_gb(asked)}" if asked else ""))
    elif asked and used and asked >= _FAR_OFF * max(used, 256):
        enough = math.ceil(_SPARE * used / 1024 / took.nodes)
        node = " a node" if took.nodes > 1 else ""
        found.append(f"asks {_gb(asked)} GB, uses {_gb(used)} GB: mem_gb: {enough}{node} would do")
    if took.out_of_time:
        found.append(f"{took.out_of_time} ran into the time limit of {took.limit_min} min before they could save")
    elif took.limit_min and took.longest_s and took.limit_min >= _FAR_OFF * max(longest_min, 5):
        enough = max(10, math.ceil(_SPARE * longest_min))
        took_min = f"{longest_min:.0f} min" if longest_min >= 1 else "less than a minute"
        found.append(f"asks {took.limit_min} min, the longest took {took_min}: time_min: {enough} would do")
    if took.cpu_efficiency is not None and took.cpu_efficiency * _FAR_OFF <= 1 < took.cpus:
        cores = took.cpu_efficiency * took.cpus
        enough = max(1, math.ceil(_SPARE * cores))
        found.append(f"asks {took.cpus} cores, keeps {cores:.2g} busy: {enough} in all would do (cpus_per_task)")
    if took.gpu_efficiency is not None and took.gpu_efficiency * _FAR_OFF <= 1:
        found.append(
            f"its GPUs are busy {100 * took.gpu_efficiency:.0f} % of the time: fewer, or larger batches, would do"
        )
    return found


def render(found: dict[str, Any]) -> str:
    """The costs as tables, and the hints."""
    models = {name: Spent(**one) for name, one in found.get("models", {}).items()}
    told = render_spent(models) if models else []
    if not found["stages"]:
        return "\n".join(told)
    return "\n".join([*_jobs(found), *([""] if models else []), *told])


def _jobs(found: dict[str, Any]) -> list[str]:
    rows = [_row(name, s) for name, s in found["stages"].items()]
    total = found["total"]
    rows.append(
        ["all", str(total["jobs"]), "", "", "", "", "", "", "", number(total["core_hours"]), number(total["gpu_hours"])]
    )
    header = ("stage", "jobs", "requeued", "median", "longest", "limit", "MaxRSS", "asked", "CPU", "core-h", "GPU-h")
    advised: dict[str, list[str]] = {}
    for name, s in found["stages"].items():
        for hint in s["hints"]:
            advised.setdefault(hint, []).append(name)
    advice = [f"{', '.join(names)}: {hint}" for hint, names in advised.items()]
    return [*table(header, rows, keep=("MaxRSS", "asked")), *([""] if advice else []), *advice]


def _row(name: str, s: dict[str, Any]) -> list[str]:
    limit, efficiency = s["limit_min"], s["cpu_efficiency"]
    memory = [f"{_gb(megabytes)} GB" if megabytes else "-" for megabytes in (s["used_mb"], s["asked_mb"])]
    times = [duration(s[key] or None) for key in ("median_s", "longest_s")]
    return [
        name, str(s["jobs"]), str(s["stays"] - s["jobs"]), *times,
        duration(None if limit is None else limit * 60.0), *memory,
        "-" if efficiency is None else f"{100 * efficiency:.0f} %", number(s["core_hours"]), number(s["gpu_hours"]),
    ]  # fmt: skip


def _gb(megabytes: float) -> str:
    return f"{megabytes / 1024:.0f}" if megabytes >= 10 * 1024 else f"{megabytes / 1024:.2g}"
