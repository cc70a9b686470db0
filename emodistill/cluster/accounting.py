"""What Slurm's accounting says of a run's jobs: one sacct call, and the only reader of its output."""

import re
from collections.abc import Iterable, Iterator, Sequence
from dataclasses import dataclass, replace
from datetime import datetime
from functools import cache

from emodistill.cluster.record import Submission
from emodistill.cluster.slurm import LIVE, PATIENCE_S, Element, ask, indices

_FIELDS = (
    "JobID,Cluster,JobName,State,End,ElapsedRaw,NNodes,AllocTRES,ReqMem,TimelimitRaw,TotalCPU,NTasks,MaxRSS,TRESUsageInAve"
).split(",")
_MB = {"K": 1 / 1024, "M": 1.0, "G": 1024.0, "T": 1024.0**2, "P": 1024.0**3, "": 1 / 1024**2}


@dataclass(frozen=True, slots=True)
class Allocation:
    """One stay of a job or array element in the queue and on its nodes; a requeued one has several."""

    element: Element
    name: str
    state: str  # its first word: RUNNING, COMPLETED, CANCELLED, …
    ended: float | None = None  # seconds since the epoch
    elapsed_s: int = 0
    cpus: int = 0
    gpus: int = 0
    limit_min: int | None = None
    asked_mb: float | None = None  # memory of the whole allocation
    cpu_s: float = 0.0  # known once its steps have ended
    used_mb: float | None = None  # at its largest: of the largest task, times the tasks of that step
    nodes: int = 1
    gpu_busy: float | None = None  # mean share of the time, where Slurm measures it (AutoDetect=nvml)

    @property
    def live(self) -> bool:
        """Whether it may still run."""
        return self.state in LIVE


History = dict[Element, list[Allocation]]  # of each element submitted, oldest first


def history(found: Sequence[Submission], steps: bool = False, patience: Sequence[float] = PATIENCE_S) -> History:
    """All allocations of these submissions, memory and CPU time only with `steps`. Raises what `ask` raises."""
    clusters = sorted({name for submission in found for name in submission.cluster.split(",") if name})
    command = ["sacct", "-P", "--noheader", "-D", *([] if steps else ["-X"]), f"--format={','.join(_FIELDS)}"]
    command += [f"--jobs={','.join(submission.job for submission in found)}"]
    command += [f"--clusters={','.join(clusters)}"] if clusters else []
    return assigned(found, parse(ask(command, patience)))


def assigned(found: Sequence[Submission], allocations: Iterable[Allocation]) -> History:
    """The allocations by element as submitted: an id that another cluster or an older Slurm also gave is not ours."""
    ours = {submission.job: submission for submission in found}
    made: History = {}
    for allocation in allocations:
        submission = ours.get(allocation.element.job)
        if submission is None or allocation.name != submission.name or not submission.on(allocation.element.cluster):
            continue
        element = Element(allocation.element.job, allocation.element.index, submission.cluster)
        made.setdefault(element, []).append(allocation)
    return made


def parse(text: str) -> list[Allocation]:
    """Allocations, in sacct's order, each with its steps' CPU time and memory."""
    made: list[Allocation] = []
    for line in text.splitlines():
        values = line.split("|")
        if len(values) != len(_FIELDS):
            continue
        row = dict(zip(_FIELDS, values, strict=True))
        if "." not in row["JobID"]:
            made += _allocations(row)
        elif made and (used := _mb(row["MaxRSS"])) is not None:  # steps follow their job
            used *= _whole(row["NTasks"]) or 1
            made[-1] = replace(made[-1], used_mb=max(used, made[-1].used_mb or 0.0))
        if made and "." in row["JobID"] and (busy := re.search(r"gres/gpuutil=(\d+)", row["TRESUsageInAve"])):
            made[-1] = replace(made[-1], gpu_busy=max(int(busy[1]) / 100, made[-1].gpu_busy or 0.0))
    return made


def _allocations(row: dict[str, str]) -> Iterator[Allocation]:
    job, _, index = row["JobID"].partition("_")
    cpus, gpus = _held(row["AllocTRES"])
    nodes = _whole(row["NNodes"]) or 1
    rest = (
        row["JobName"], (row["State"].split() or ["UNKNOWN"])[0], _moment(row["End"]),
        max(0, _whole(row["ElapsedRaw"]) or 0), cpus, gpus, _whole(row["TimelimitRaw"]),
        _asked_mb(row["ReqMem"], nodes, cpus), seconds(row["TotalCPU"]), None, nodes,
    )  # fmt: skip
    for number in indices(index):
        yield Allocation(Element(job, number, row["Cluster"]), *rest)


@cache
def _held(said: str) -> tuple[int, int]:
    """Cores and GPUs of `cpu=4,gres/gpu=2,…`."""
    held = dict(part.partition("=")[::2] for part in said.split(",") if part)
    typed = sum(_whole(count) or 0 for name, count in held.items() if name.startswith("gres/gpu:"))
    return _whole(held.get("cpu", "")) or 0, _whole(held.get("gres/gpu", "")) or typed


@cache
def seconds(said: str) -> float:
    """`[days-][hours:]minutes:seconds` as sacct writes times; 0 for none."""
    days, _, rest = said.rpartition("-")
    total = 0.0
    for part in rest.split(":") if rest else []:
        total = total * 60 + float(part)
    return total + 86400.0 * int(days or 0)


@cache
def _asked_mb(said: str, nodes: int, cpus: int) -> float | None:
    """Requested memory; Slurm before 21.08 gives it for each node (`4Gn`) or core (`4Gc`)."""
    each = {"n": nodes, "c": max(1, cpus)}.get(said[-1:], 1)
    found = _mb(said.rstrip("nc"))
    return found and found * each


def _mb(said: str) -> float | None:
    found = re.fullmatch(r"([\d.]+)([KMGTP]?)", said)
    return float(found[1]) * _MB[found[2]] if found else None


def _whole(said: str) -> int | None:
    return int(said) if said.isdecimal() else None


def _moment(said: str) -> float | None:
    try:
        return datetime.fromisoformat(said).timestamp()
    except ValueError:  # Unknown, None
        return None
