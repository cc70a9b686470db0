"""log π_ref of every response token, worked out once before JPO's first step (METHOD.md §7).

The trainer's own micro-batches are used, so that ρ = 1 holds to the last bit at step 0. Each rank does its share and
keeps it in pieces as it goes: a run that is stopped goes on from the pieces that are there, with any number of ranks
(another number than before makes other micro-batches, and ρ = 1 up to rounding).
Rank 0 says which pieces those are, and a node that does not see another's files yet waits for them.
"""

import time
from collections.abc import Callable, Iterable, Sequence
from functools import partial
from pathlib import Path

import numpy as np
import torch
from torch import Tensor

from emodistill.errors import RunFailed
from emodistill.ranks import agreed
from emodistill.shards import read_table, write_table
from emodistill.train.engine import Engine
from emodistill.train.sequences import MicroBatch, share

_PIECE_S = 20.0  # work that a kill may cost
_LATE_S, _LOOK_S = 120.0, 1.0  # network file systems show another node's files within a minute


@torch.no_grad()
def reference_log_probs(
    engine: Engine, batches: Sequence[MicroBatch], folder: Path, stop: Callable[[], bool]
) -> dict[str, Tensor]:
    """Sequence key → float32 [its response tokens]. `batches` may repeat sequences in later epochs."""
    kept = agreed(lambda: [path.name for path in _pieces(folder)], ())
    _wait(lambda: all((folder / name).exists() for name in kept), folder)
    done = _stored(folder / name for name in kept)
    keys = {key for batch in batches for key in batch.keys}
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
    _wait(lambda: keys <= set(_stored(_pieces(folder))), folder)
    return _stored(_pieces(folder))


def _store(folder: Path, rank: int, piece: dict[str, np.ndarray]) -> None:
    if not piece:
        return
    start = np.cumsum([0, *map(len, piece.values())], dtype=np.int64)
    columns = {"episode_id": list(piece), "start": start, "logp": np.concatenate(list(piece.values()))}
    path = folder / f"rank-{rank:03d}-piece-{len(list(folder.glob(f'rank-{rank:03d}-*.h5'))):05d}.h5"
    write_table(path, columns.items(), {"start": "index into logp", "logp": "nats"})


def _pieces(folder: Path) -> list[Path]:
    return sorted(folder.glob("rank-*.h5"))


def _wait(seen: Callable[[], bool], folder: Path) -> None:
    deadline = time.monotonic() + _LATE_S
    while not seen():
        if time.monotonic() > deadline:
            raise RunFailed(
                f"{folder}: what other ranks wrote there was not to be seen here within {_LATE_S:.0f} s. "
                "See that all nodes share this folder; then run again."
            )
        time.sleep(_LOOK_S)


def _stored(pieces: Iterable[Path]) -> dict[str, Tensor]:
    found: dict[str, Tensor] = {}
    for path in pieces:
        table = read_table(path)
        values, start = torch.from_numpy(table["logp"]), table["start"]
        for key, a, b in zip(table["episode_id"], start[:-1], start[1:], strict=True):
            found[key] = values[a:b]
    return found
