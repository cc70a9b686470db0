"""The processes of a run under chaos, found by the variable they inherit, and what can happen to them."""

import os
import random
import signal
import time
from pathlib import Path

VARIABLE = "EMODISTILL_CHAOS"


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


def strike(folder: Path, rng: random.Random) -> str | None:
    """Kill, terminate, or stop and continue one of them; what was done, None if there was nobody."""
    alive = members(folder)
    if not alive:
        return None
    victim, how = rng.choice(sorted(alive)), rng.choice(("SIGKILL", "SIGKILL", "SIGTERM", "SIGSTOP"))
    try:
        os.kill(victim, signal.Signals[how])
        if how == "SIGSTOP":
            time.sleep(rng.uniform(0.2, 2.0))
            os.kill(victim, signal.SIGCONT)
    except ProcessLookupError:
        return None
    return how


def end(folder: Path) -> None:
    """Kill all of them, and wait until they are gone."""
    while alive := members(folder):
        for pid in alive:
            try:
                os.kill(pid, signal.SIGKILL)
            except ProcessLookupError:
                continue
        time.sleep(0.05)
