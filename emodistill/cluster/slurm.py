"""Slurm's commands, asked patiently: a busy controller is tried again, and its answers are read here only."""

import os
import random
import re
import subprocess
import time
from collections.abc import Collection, Iterator, Sequence
from contextlib import contextmanager
from dataclasses import dataclass
from pathlib import Path

from emodistill.errors import BadInput, RunFailed

PATIENCE_S = (1.0, 2.0, 4.0, 8.0, 16.0)  # between tries, with jitter
_TIMEOUT_S, _GLANCE_S = 60.0, 20.0  # the second for questions that are asked once
_WHOLE = {"SLURM_BITSTR_LEN": "0", "SLURM_TIME_FORMAT": "standard"}  # array indices in full, times as ISO 8601
_KEPT = frozenset({"SLURM_CONF", "SLURM_CLUSTERS"})
_INSIDE = re.compile(
    r"(SLURM|SBATCH|SRUN|SALLOC|PMI|PMIX|TORCHELASTIC)_|(MASTER_(ADDR|PORT)|(LOCAL_|GROUP_|ROLE_)?(RANK|WORLD_SIZE))$"
)
_PASSING = re.compile(
    r"(?i)socket timed out|unable to contact|connection (?:refused|reset|timed out)|temporarily|try again|"
    r"slurmdbd|communication|resource temporarily|server busy|invalid authentication|protocol|zero bytes"
)


class NotNow(RunFailed):
    """Slurm did not answer, however often it was asked."""


@dataclass(frozen=True, slots=True)
class Element:
    """One job, or one element of a job array."""

    job: str  # of the array
    index: int | None = None
    cluster: str = ""  # where several are known

    def __str__(self) -> str:
        return self.job if self.index is None else f"{self.job}_{self.index}"


def ask(command: Sequence[str], patience: Sequence[float] = PATIENCE_S, limit_s: float | None = None) -> str:
    """Standard output of a Slurm command, tried again while the failure is one that passes.

    `BadInput` if there is no such command; `RunFailed` with Slurm's own words if it refuses; `NotNow` if it stays away.
    `patience`: seconds to wait before each further try; `limit_s`: how long one may take.
    """
    said, environment, limit_s = "", {**os.environ, **_WHOLE}, limit_s or (_TIMEOUT_S if patience else _GLANCE_S)
    for wait in (*patience, None):
        try:
            done = subprocess.run(
                command, capture_output=True, text=True, timeout=limit_s, check=False, env=environment
            )
        except FileNotFoundError:
            raise BadInput(f"There is no Slurm here: {command[0]} is not on PATH. Log in to a login node.") from None
        except subprocess.TimeoutExpired:
            said = f"no answer within {limit_s:.0f} s"
        else:
            if done.returncode == 0:
                return done.stdout
            said = " ".join((done.stderr or done.stdout).split()) or f"exit code {done.returncode}"
            if not _PASSING.search(said):
                raise RunFailed(f"Slurm refuses {command[0]}: {said[:400]}")
        if wait is not None:
            time.sleep(wait * random.uniform(0.75, 1.25))
    tries = f"{len(patience) + 1} tries" if patience else "one try"
    raise NotNow(f"Slurm does not answer {command[0]} after {tries}: {said[:400]}")


def submit(script: Path, comment: str, cluster: str = "") -> str:
    """A submission's job id. One that failed in passing is looked for, by its comment, before it is tried again."""
    for wait in (*PATIENCE_S, None):
        try:
            said = ask(["sbatch", str(script)], (), _TIMEOUT_S)
        except NotNow:
            if wait is None:
                raise
        else:
            found = re.search(r"Submitted batch job (\d+)", said)
            if found is None:
                raise RunFailed(f"sbatch gives no job id: {' '.join(said.split())[:400]}")
            return found[1]
        time.sleep(wait * random.uniform(0.75, 1.25))
        for element, _, of in queued([cluster] if cluster else []):
            if of == comment:
                return element.job
    raise AssertionError


def max_array_size(cluster: str = "") -> int:
    """How many elements an array may have there; 1 where arrays are off."""
    where = [f"--clusters={cluster}"] if cluster else []
    found = re.search(r"^MaxArraySize\s*=\s*(\d+)", ask(["scontrol", *where, "show", "config"]), re.MULTILINE)
    return max(1, int(found[1])) if found else 1001


def live(clusters: Sequence[str] = (), patience: Sequence[float] = PATIENCE_S) -> dict[Element, str]:
    """State (`PENDING`, `RUNNING`, …) of each of the user's jobs that Slurm still holds: one squeue call."""
    return {element: state for element, state, _ in queued(clusters, patience)}


def queued(clusters: Sequence[str], patience: Sequence[float] = PATIENCE_S) -> Iterator[tuple[Element, str, str]]:
    """The same with each job's comment; a Slurm that was set up anew counts its jobs from 1 again."""
    where = [f"--clusters={','.join(clusters)}"] if clusters else []
    cluster = clusters[0] if len(clusters) == 1 else ""
    command = ["squeue", "--me", "--noheader", "--states=all", "--format=%F|%K|%T %r|%k", *where]
    for line in ask(command, patience).splitlines():
        if line.startswith("CLUSTER:"):
            cluster = line.partition(":")[2].strip()
            continue
        job, index, said, comment = line.split("|", 3)
        state, _, reason = said.partition(" ")
        if state == "PENDING" and "held" in reason.lower():
            state = HELD
        if state in LIVE:
            for number in indices(index):
                yield Element(job, number, cluster), state, comment


HELD = "REQUEUE_HOLD"  # also said here of any job that waits for its release
LIVE = frozenset(
    "PENDING RUNNING SUSPENDED COMPLETING CONFIGURING REQUEUED REQUEUE_HOLD REQUEUE_FED RESIZING SIGNALING STAGE_OUT "
    "STOPPED RESV_DEL_HOLD SPECIAL_EXIT PREEMPTED".split()
)
"""States of a job that may still run."""


def indices(said: str) -> list[int | None]:
    """Array indices as squeue and sacct write them: `7`, `0-2,5`, `[3-9:2%4]`; one None for a job that is no array."""
    text = said.strip("[] ").partition("%")[0]
    if not text or text == "N/A":
        return [None]
    found: list[int | None] = []
    for part in text.split(","):
        span, _, step = part.partition(":")
        low, _, high = span.partition("-")
        found += range(int(low), int(high or low) + 1, int(step or 1))
    return found


def cancel(elements: Sequence[Element]) -> None:
    """scancel, in that order and in portions."""
    for cluster in sorted({element.cluster for element in elements}):
        names = [str(element) for element in elements if element.cluster == cluster]
        where = [f"--clusters={cluster}"] if cluster else []
        for start in range(0, len(names), 500):
            ask(["scancel", *where, *names[start : start + 500]])


@contextmanager
def outside(keep: Collection[str] = ()) -> Iterator[None]:
    """Without the variables of a job, or of a rank, that this process may itself be: sbatch would hand them on.

    `keep`: the user's own defaults for sbatch.
    """
    kept = dict(os.environ)
    for name in list(os.environ):
        if _INSIDE.match(name) and name not in _KEPT and name not in keep:
            del os.environ[name]
    try:
        yield
    finally:
        os.environ.clear()
        os.environ.update(kept)
