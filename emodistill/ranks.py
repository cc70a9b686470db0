"""Processes of one job that train together: what Slurm tells them of one another, and how they go the same way.

Rank 0 looks at the run directory and decides, and the others do as it says: their own node may see other files, and one
that leaves alone lets the rest wait for it.
"""

import itertools
import json
import os
import sys
import time
from collections.abc import Callable, Sequence
from datetime import timedelta
from functools import cache
from typing import Any

from emodistill.errors import RunFailed

_WORD_S = 900.0  # rank 0 may itself wait for a lock, or for markers
_HEARD_S = 60.0  # for all to have heard, before rank 0 may leave and take its word along
_words = itertools.count()


def rank() -> int:
    """This process's rank; 0 if it is alone."""
    return int(os.environ.get("RANK", "0"))


def world() -> int:
    """How many processes there are."""
    return int(os.environ.get("WORLD_SIZE", "1"))


def join_slurm() -> None:
    """Several tasks of one `srun` are ranks of one torch.distributed group, led by the node that launched them.

    A job of several tasks whose script runs something without `srun` has no step of several: that process is alone.
    """
    env = os.environ
    if int(env.get("SLURM_STEP_NUM_TASKS", "1")) > 1 and "RANK" not in env:
        port = 20_000 + int(env["SLURM_JOB_ID"]) % 20_000
        env.update(RANK=env["SLURM_PROCID"], WORLD_SIZE=env["SLURM_STEP_NUM_TASKS"], LOCAL_RANK=env["SLURM_LOCALID"])
        env.update(MASTER_ADDR=env["SLURM_LAUNCH_NODE_IPADDR"], MASTER_PORT=str(port))


def leave() -> None:
    """Ranks part in order: a group that is only dropped may abort the process at its end."""
    distributed = sys.modules.get("torch.distributed")
    if world() > 1 and distributed is not None and distributed.is_initialized():
        distributed.destroy_process_group()


def agreed(decide: Callable[[], Any], raises: Sequence[type[Exception]]) -> Any:
    """What `decide` gives on rank 0 (as JSON can say it), on all ranks; likewise what it raises, if of these kinds."""
    if world() == 1:
        return decide()
    store, key = _store(), f"emodistill/{next(_words)}"
    if rank():
        said = json.loads(store.get(key))
        store.add(f"{key}/heard", 1)
        if "raised" in said:
            raise {kind.__name__: kind for kind in raises}.get(said["raised"], RunFailed)(said["message"])
        return said["decided"]
    try:
        decided = decide()
    except Exception as error:
        _tell(store, key, {"raised": type(error).__name__, "message": str(error)})
        raise
    _tell(store, key, {"decided": decided})
    return decided


@cache
def _store() -> Any:
    """What ranks tell one another through; kept, because it ends with rank 0's last use of it."""
    from torch.distributed.rendezvous import rendezvous

    return next(rendezvous("env://", timeout=timedelta(seconds=_WORD_S)))[0]


def _tell(store: Any, key: str, said: dict[str, Any]) -> None:
    store.set(key, json.dumps(said))
    deadline = time.monotonic() + _HEARD_S
    while store.add(f"{key}/heard", 0) < world() - 1 and time.monotonic() < deadline:
        time.sleep(0.05)
