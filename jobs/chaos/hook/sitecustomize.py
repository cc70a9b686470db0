"""On the path of a run under chaos: kills this process at a random fsync or rename, before or after it.

`EMODISTILL_CHAOS` names a folder: `rate` in it holds the chance of a call (no file: none), `strikes` gets a line for
each kill: how, and after a tab the stage. No import of ours, and nothing when the variable is unset.
"""

import os
import random
import signal
import sys
from collections.abc import Callable
from pathlib import Path
from typing import Any

_FOLDER = os.environ.get("EMODISTILL_CHAOS", "")


def _strike(name: str) -> None:
    try:
        rate = float(Path(_FOLDER, "rate").read_text() or 0)
    except FileNotFoundError:
        return
    if random.SystemRandom().random() < rate:
        with Path(_FOLDER, "strikes").open("a") as file:
            file.write(f"SIGKILL at {name}\t{_stage()}\n")
        os.kill(os.getpid(), signal.SIGKILL)


def _stage() -> str:
    folders = [word.partition("/submissions/")[2].split("/")[0] for word in sys.argv]
    return next((folder.rpartition("-")[2] for folder in folders if folder), "driver")


def _between(name: str, function: Callable[..., Any]) -> Callable[..., Any]:
    def struck(*arguments: Any, **named: Any) -> Any:
        _strike(f"the beginning of {name}")
        done = function(*arguments, **named)
        _strike(f"the end of {name}")
        return done

    return struck


if _FOLDER:
    for _name in ("fsync", "replace", "rename"):
        setattr(os, _name, _between(_name, getattr(os, _name)))
