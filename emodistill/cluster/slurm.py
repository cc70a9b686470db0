"""Slurm's commands, asked patiently: a busy controller is tried again, and its answers are read here only."""

import os
import random
import re
import subprocess
import time
from collections.abc import Callable, Iterator, Sequence
from contextlib import contextmanager
from dataclasses import dataclass

from emodistill.errors import BadInput, RunFailed

PATIENCE_S = (1.0, 2.0, 4.0, 8.0, 16.0)  # between tries, with jitter
_TIMEOUT_S = 60.0
_WHOLE = {"SLURM_BITSTR_LEN": "0", "SLURM_TIME_FORMAT": "standard"}  # array indices in full, times as ISO 8601
_KEPT = frozenset({"SLURM_CONF", "SLURM_CLUSTERS"})
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


def ask(command: Sequence[str], patience: Sequence[float] = PATIENCE_S) -> str:
    """Standard output of a Slurm command, tried again while the failure is one that passes.

    `BadInput` if there is no such command; `RunFailed` with Slurm's own words if it refuses; `NotNow` if it stays away.
    `patience`: seconds to wait before each further try.
    """
    said, environment = "", {**os.environ, **_WHOLE}
    for wait in (*patience, None):
        try:
            done = subprocess.run(
                command, capture_output=True, text=True, timeout=_TIMEOUT_S, check=False, env=environment
            )
        except FileNotFoundError:
            raise BadInput(f"There is no Slurm here: {command[0]} is not on PATH. Log in to a login node.") from None
        except subprocess.TimeoutExpired:
            said = f"no answer within {_TIMEOUT_S:.0f} s"
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


def patiently(attempt: Callable[[], str], landed: Callable[[], str | None]) -> str:
    """A submission's job id. One that failed in passing is looked for before it is tried again."""
    for wait in (*PATIENCE_S, None):
        try:
            return attempt()
        except Exception as error:  # submitit and subprocess raise several kinds
            said = " ".join(str(error).split())
            if not _PASSING.search(said):
                raise RunFailed(f"sbatch refuses the job: {said[:500]}") from None
        if wait is None:
            raise NotNow(f"sbatch does not get through after {len(PATIENCE_S) + 1} tries: {said[:400]}")
        time.sleep(wait * random.uniform(0.75, 1.25))
        if (found := landed()) is not None:
            return found
    raise AssertionError


def max_array_size() -> int:
    """How many elements an array may have here."""
    found = re.search(r"^MaxArraySize\s*=\s*(\d+)", ask(["scontrol", "show", "config"]), re.MULTILINE)
    return int(found[1]) if found else 1001


def live(clusters: Sequence[str] = (), patience: Sequence[float] = PATIENCE_S, about: str = "") -> dict[Element, str]:
    """State (`PENDING`, `RUNNING`, …) of each of the user's jobs that Slurm still holds: one squeue call.

    `about`: only jobs whose comment starts with this; a Slurm that was set up anew counts its jobs from 1 again.
    """
    return {element: state for element, state, said in _queued(clusters, patience) if said.startswith(about)}


def by_comment(comment: str, clusters: Sequence[str] = ()) -> str | None:
    """The id of the queued job with that comment."""
    return next((element.job for element, _, said in _queued(clusters) if said == comment), None)


def _queued(clusters: Sequence[str], patience: Sequence[float] = PATIENCE_S) -> Iterator[tuple[Element, str, str]]:
    where = [f"--clusters={','.join(clusters)}"] if clusters else []
    cluster = clusters[0] if len(clusters) == 1 else ""
    command = ["squeue", "--me", "--noheader", "--states=all", "--format=%F|%K|%T|%k", *where]
    for line in ask(command, patience).splitlines():
        if line.startswith("CLUSTER:"):
            cluster = line.partition(":")[2].strip()
            continue
        job, index, state, comment = line.split("|", 3)
        if state in LIVE:
            for number in indices(index):
                yield Element(job, number, cluster), state, comment


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
def outside() -> Iterator[None]:
    """Without the variables of a job this process may itself be in: sbatch would hand its limits on."""
    kept = dict(os.environ)
    for name in list(os.environ):
        if re.match(r"(SLURM|SBATCH|SRUN|SALLOC|PMI|PMIX)_", name) and name not in _KEPT:
            del os.environ[name]
    try:
        yield
    finally:
        os.environ.clear()
        os.environ.update(kept)


def state_of(job: str) -> str:
    """What Slurm says the job is doing now."""
    shown = ask(["scontrol", "--oneliner", "show", "job", job])
    found = re.search(r"\bJobState=([A-Z_]+)", shown)
    return found[1] if found else "UNKNOWN"
