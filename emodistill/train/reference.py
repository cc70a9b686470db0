"""log π_ref of every response token, worked out once before JPO's first step (METHOD.md §7).

The trainer's own micro-batches are used, so that ρ = 1 holds to the last bit at step 0. Each rank does its share and
keeps it in pieces as it goes: a run that is stopped goes on from the pieces that are there, with any number of ranks.
"""

import time
from collections.abc import Callable, Sequence
from functools import partial
from pathlib import Path

import numpy as np
import torch
from torch import Tensor

from emodistill.shards import read_table, write_table
from emodistill.train.engine import Engine
from emodistill.train.sequences import MicroBatch, share

_PIECE_S = 20.0  # work that a kill may cost


@torch.no_grad()
def reference_log_probs(
    engine: Engine, batches: Sequence[MicroBatch], folder: Path, stop: Callable[[], bool]
) -> dict[str, Tensor]:
    """Sequence key → float32 [its response tokens]. `batches` may repeat sequences in later epochs."""
    done = _stored(folder)
    engine.meet()  # all have read before one writes: they must agree on what is to do
    todo: list[MicroBatch] = []
    for batch in batches:
        if not all(key in done for key in batch.keys):
            todo.append(batch)
            done.update(dict.fromkeys(batch.keys, torch.empty(0)))
    piece: dict[str, np.ndarray] = {}
    since = time.monotonic()
    mine = share(todo, engine.rank, engine.world) if todo else []
    for batch in mine:
        engine.check(stop, partial(_store, folder, engine.rank, piece))
        logp = engine(*(tensor.to(engine.device) for tensor in (batch.ids, batch.row, batch.column))).cpu()
        if batch.scale:
            piece |= {key: logp[batch.row == row].numpy() for row, key in enumerate(batch.keys)}
        if time.monotonic() - since > _PIECE_S:
            _store(folder, engine.rank, piece)
            piece, since = {}, time.monotonic()
    _store(folder, engine.rank, piece)
    engine.meet()
    return _stored(folder)


def _store(folder: Path, rank: int, piece: dict[str, np.ndarray]) -> None:
    if not piece:
        return
    start = np.cumsum([0, *map(len, piece.values())], dtype=np.int64)
    columns = {"episode_id": list(piece), "start": start, "logp": np.concatenate(list(piece.values()))}
    path = folder / f"rank-{rank:03d}-piece-{len(list(folder.glob(f'rank-{rank:03d}-*.h5'))):05d}.h5"
    write_table(path, columns.items(), {"start": "index into logp", "logp": "nats"})


def _stored(folder: Path) -> dict[str, Tensor]:
    found: dict[str, Tensor] = {}
    for path in sorted(folder.glob("rank-*.h5")):
        table = read_table(path)
        values, start = torch.from_numpy(table["logp"]), table["start"]
        for key, a, b in zip(table["episode_id"], start[:-1], start[1:], strict=True):
            found[key] = values[a:b]
    return found
