"""Records to HDF5 and back: typed columns, text as one byte buffer plus offsets. The only importer of h5py.

A table is `{name: numpy array | list of str}`; HDF5 keeps a text column `x` as `x.bytes` and `x.offsets`. Files are
written to a temporary name, synced and renamed, so a reader never sees half a file. A `ShardWriter` keeps finished
records in small segments while its task runs, and compacts them into the shard at the end; a kill loses at most
what was not yet in a segment.
"""

import hashlib
import os
import time
from collections.abc import Callable, Iterable
from dataclasses import dataclass
from itertools import pairwise
from pathlib import Path
from typing import Any, Generic, TypeVar

import h5py
import numpy as np

from emodistill.errors import RunFailed
from emodistill.files import replace_atomically
from emodistill.records import STATUSES, Dialogue, Episode, Reading, ScoredTurn, Turn, Verdict

SCHEMA = 1
Table = dict[str, Any]
R = TypeVar("R")


def write_table(path: Path, table: Table, attrs: dict[str, str] | None = None) -> None:
    """Write all columns atomically."""

    def write(temporary: Path) -> None:
        with h5py.File(temporary, "w") as file:
            file.attrs.update({"schema": SCHEMA, **(attrs or {})})
            for name, column in table.items():
                if isinstance(column, list):
                    parts = [text.encode("utf-8", "surrogatepass") for text in column]
                    file[f"{name}.bytes"] = np.frombuffer(b"".join(parts), np.uint8)
                    file[f"{name}.offsets"] = np.cumsum([0, *map(len, parts)], dtype=np.int64)
                else:
                    file[name] = column

    replace_atomically(path, write)


def read_table(path: Path) -> Table:
    """Read all columns; `RunFailed` names a file that is damaged or of another schema."""
    try:
        with h5py.File(path, "r", locking=False) as file:
            schema = file.attrs.get("schema")
            raw = {name: dataset[...] for name, dataset in file.items()}
        if schema == SCHEMA:
            return _joined(raw)
    except Exception as error:  # a flipped byte can surface as any exception of HDF5, numpy or the text codec
        raise RunFailed(
            f"{path} is damaged ({error}). `emodistill verify --repair` removes bad files; then run again."
        ) from None
    raise RunFailed(f"{path} has schema {schema}, this version reads {SCHEMA}. Run with --fresh.")


def _joined(raw: dict[str, np.ndarray]) -> Table:
    table: Table = {}
    for name, column in raw.items():
        stem, _, part = name.rpartition(".")
        if part == "offsets":
            buffer = raw[f"{stem}.bytes"].tobytes()
            table[stem] = [buffer[a:b].decode("utf-8", "surrogatepass") for a, b in pairwise(column)]
        elif part != "bytes":
            table[name] = column
    return table


@dataclass(frozen=True, slots=True)
class Codec(Generic[R]):
    """How one kind of record becomes a table. `failed` records are kept but asked for again on resume."""

    key: Callable[[R], str]
    encode: Callable[[list[R]], Table]
    decode: Callable[[Table], list[R]]
    failed: Callable[[R], bool] = lambda record: False


class ShardWriter(Generic[R]):
    """Collects one shard's records durably.

    `done` holds the keys that need no more work. `close` compacts; without it the segments stay for the next attempt.
    """

    def __init__(self, path: Path, codec: Codec[R], every: int = 50, seconds: float = 5.0) -> None:
        self._path, self._codec, self._every, self._seconds = path, codec, every, seconds
        self._segments = sorted(path.parent.glob(f"{path.stem}.part-*.h5"))
        self._kept: dict[str, R] = {}
        sources = ([path] if path.exists() else []) + self._segments
        for record in (record for source in sources for record in codec.decode(read_table(source))):
            self._kept[codec.key(record)] = record
        self._new: list[R] = []
        self._synced = time.monotonic()

    @property
    def done(self) -> set[str]:
        """Keys already recorded without failure."""
        return {key for key, record in self._kept.items() if not self._codec.failed(record)}

    def add(self, record: R) -> None:
        """Take one record; it is durable after the next segment."""
        self._kept[self._codec.key(record)] = record
        self._new.append(record)
        if len(self._new) >= self._every or time.monotonic() - self._synced > self._seconds:
            self.flush()

    def flush(self) -> None:
        """Write what is not yet on disk as a segment."""
        if self._new:
            segment = self._path.with_name(f"{self._path.stem}.part-{time.time_ns():020d}-{os.getpid()}.h5")
            write_table(segment, self._codec.encode(self._new))
            self._segments.append(segment)
        self._new, self._synced = [], time.monotonic()

    def close(self) -> list[R]:
        """Compact into the shard, ordered by key, and drop the segments; returns the shard's records."""
        records = [self._kept[key] for key in sorted(self._kept)]
        write_table(self._path, self._codec.encode(records))
        for segment in self._segments:
            segment.unlink(missing_ok=True)
        return records


def read_records(paths: Iterable[Path], codec: Codec[R]) -> list[R]:
    """All records of some shards, in order."""
    return [record for path in paths for record in codec.decode(read_table(path))]


def content_hash(paths: Iterable[Path]) -> str:
    """Hash of what the tables hold, whatever HDF5 makes of the bytes."""
    digest = hashlib.sha256()
    for path in paths:
        for name, column in sorted(read_table(path).items()):
            parts = (
                [t.encode("utf-8", "surrogatepass") for t in column] if isinstance(column, list) else [column.tobytes()]
            )
            for part in (name.encode(), *parts):
                digest.update(len(part).to_bytes(8, "big") + part)
    return digest.hexdigest()


def _offsets(lengths: Iterable[int]) -> np.ndarray:
    return np.cumsum([0, *lengths], dtype=np.int64)


def _float(value: float | None) -> float:
    return float("nan") if value is None else value


def _optional(value: float) -> float | None:
    return None if np.isnan(value) else float(value)


def _encode_episodes(episodes: list[Episode]) -> Table:
    turns = [turn for episode in episodes for turn in episode.turns]
    return {
        "id": [e.id for e in episodes],
        "scenario_id": [e.scenario_id for e in episodes],
        "rollout": np.array([e.rollout for e in episodes], np.int32),
        "seed": np.array([e.seed for e in episodes], np.int64),
        "status": np.array([STATUSES.index(e.status) for e in episodes], np.int8),
        "agreed": np.array([_float(e.agreed) for e in episodes], np.float64),  # in the domain's unit, NaN: none
        "error": [e.error for e in episodes],
        "turn_start": _offsets(len(e.turns) for e in episodes),  # [episodes + 1] into the columns below
        "turn.utterance": [t.utterance for t in turns],
        "turn.raw": [t.raw for t in turns],
        "turn.emotion": [t.emotion or "" for t in turns],
        "turn.offer": np.array([_float(t.reading.offer) for t in turns], np.float64),  # in the domain's unit, NaN: none
        "turn.accepts": np.array([t.reading.accepts for t in turns], np.bool_),
        "turn.walks": np.array([t.reading.walks for t in turns], np.bool_),
    }


def _decode_episodes(table: Table) -> list[Episode]:
    columns = (table[f"turn.{name}"] for name in ("utterance", "raw", "emotion", "offer", "accepts", "walks"))
    flat = list(zip(*columns, strict=True))
    start = table["turn_start"]
    episodes = []
    for i, episode_id in enumerate(table["id"]):
        turns = tuple(
            Turn(
                k,
                "counterparty" if k % 2 else "focal",
                text,
                Reading(_optional(offer), bool(accepts), bool(walks)),
                emotion or None,
                raw,
            )
            for k, (text, raw, emotion, offer, accepts, walks) in enumerate(flat[start[i] : start[i + 1]])
        )
        status, agreed = STATUSES[table["status"][i]], _optional(table["agreed"][i])
        rollout, seed = int(table["rollout"][i]), int(table["seed"][i])
        episodes.append(
            Episode(episode_id, table["scenario_id"][i], rollout, seed, status, agreed, turns, table["error"][i])
        )
    return episodes


def _encode_verdicts(verdicts: list[Verdict]) -> Table:
    return {
        "episode_id": [v.episode_id for v in verdicts],
        "error": [v.error for v in verdicts],
        "start": _offsets(len(v.scores) for v in verdicts),  # [verdicts + 1] into the next
        "repeat_start": _offsets(len(turn) for v in verdicts for turn in v.scores),  # [turns + 1] into the rest
        "score": np.array([s for v in verdicts for turn in v.scores for s in turn], np.float64),  # 1..10, NaN: missing
        "expected": np.array([s for v in verdicts for turn in v.expected for s in turn], np.float64),
    }


def _decode_verdicts(table: Table) -> list[Verdict]:
    turns = list(pairwise(table["repeat_start"].tolist()))
    columns = (table[name].tolist() for name in ("score", "expected"))
    scores, expected = ([tuple(column[a:b]) for a, b in turns] for column in columns)
    spans = zip(table["episode_id"], table["error"], pairwise(table["start"]), strict=True)
    return [Verdict(key, tuple(scores[a:b]), tuple(expected[a:b]), error) for key, error, (a, b) in spans]


def _encode_dialogues(dialogues: list[Dialogue]) -> Table:
    messages = [message for d in dialogues for message in d.messages]
    turns = [turn for d in dialogues for turn in d.turns]
    table: Table = {
        "episode_id": [d.episode_id for d in dialogues],
        "scenario_id": [d.scenario_id for d in dialogues],
        "message_start": _offsets(len(d.messages) for d in dialogues),
        "message.role": [role for role, _ in messages],
        "message.content": [content for _, content in messages],
        "turn_start": _offsets(len(d.turns) for d in dialogues),
        "turn.message": np.array([t.message for t in turns], np.int32),
        "turn.emotion": [t.emotion for t in turns],
    }
    for name in ("judge", "advantage", "ret", "quality"):
        table[f"turn.{name}"] = np.array([getattr(t, name) for t in turns], np.float64)
    return table


def _decode_dialogues(table: Table) -> list[Dialogue]:
    messages = list(zip(table["message.role"], table["message.content"], strict=True))
    names = ("message", "emotion", "judge", "advantage", "ret", "quality")
    columns = [c if isinstance(c, list) else c.tolist() for c in (table[f"turn.{name}"] for name in names)]
    turns = [ScoredTurn(*values) for values in zip(*columns, strict=True)]
    m, t = table["message_start"], table["turn_start"]
    return [
        Dialogue(episode_id, table["scenario_id"][i], tuple(messages[m[i] : m[i + 1]]), tuple(turns[t[i] : t[i + 1]]))
        for i, episode_id in enumerate(table["episode_id"])
    ]


EPISODES: Codec[Episode] = Codec(lambda e: e.id, _encode_episodes, _decode_episodes, lambda e: e.status == "error")
VERDICTS: Codec[Verdict] = Codec(lambda v: v.episode_id, _encode_verdicts, _decode_verdicts, lambda v: bool(v.error))
DIALOGUES: Codec[Dialogue] = Codec(lambda d: d.episode_id, _encode_dialogues, _decode_dialogues)
