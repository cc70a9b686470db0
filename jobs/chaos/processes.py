"""The processes of a run under chaos, found by the variable they inherit, and what can happen to them."""

import os
import random
import signal
import time
from dataclasses import dataclass
from pathlib import Path

VARIABLE = "EMODISTILL_CHAOS"


@dataclass(frozen=True, slots=True)
class Strike:
    """What was done to a process, and of which stage it was (`driver`: of none)."""

    how: str
    stage: str


def members(folder: Path) -> list[int]:
    """Process ids whose environment names `folder`; zombies have none."""
    mark = f"{VARIABLE}={folder}\0".encode()
    found = []
    for path in Path("/proc").glob("[0-9]*/environ"):
        try:
            if mark in path.read_bytes():
                found.append(int(path.parent.name))
        except OSError:  # it has ended, or is another user's
            continue
    return found


def strike(folder: Path, rng: random.Random, stage: str | None = None) -> Strike | None:
    """Kill, terminate, or stop and continue one of them, or one of a stage; None if there was nobody."""
    alive = [(pid, of) for pid in sorted(members(folder)) if (of := _stage(pid)) and stage in (None, of)]
    if not alive:
        return None
    (victim, of), how = rng.choice(alive), rng.choice(("SIGKILL", "SIGKILL", "SIGTERM", "SIGSTOP"))
    try:
        os.kill(victim, signal.Signals[how])
        if how == "SIGSTOP":
            time.sleep(rng.uniform(0.2, 2.0))
            os.kill(victim, signal.SIGCONT)
    except ProcessLookupError:
        return None
    return Strike(how, of)


def _stage(pid: int) -> str:
    """As its command line tells, which names a job's folder; empty if it has ended."""
    try:
        words = Path(f"/proc/{pid}/cmdline").read_bytes().decode(errors="replace").split("\0")
    except OSError:
        return ""
    folders = [word.partition("/submissions/")[2].split("/")[0] for word in words]
    return next((folder.rpartition("-")[2] for folder in folders if folder), "driver")


def end(folder: Path) -> None:
    """Kill all of them, and wait until they are gone."""
    while alive := members(folder):
        for pid in alive:
            try:
                os.kill(pid, signal.SIGKILL)
            except ProcessLookupError:
                continue
        time.sleep(0.05)
