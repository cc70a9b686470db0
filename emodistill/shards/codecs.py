"""Which columns each kind of record becomes, with units, and back. Positions in a table are those of the records."""

from collections.abc import Callable, Iterable, Iterator, Mapping
from dataclasses import dataclass
from itertools import pairwise
from pathlib import Path
from typing import Any, Generic, TypeVar

import numpy as np

from emodistill.records import STATUSES, Dialogue, Episode, Reading, ScoredTurn, Turn, Verdict
from emodistill.shards.tables import Coded, Column, Table, as_written, read_table, write_table

R = TypeVar("R")
_BLOCK = 256  # turns taken apart at once


@dataclass(frozen=True, slots=True)
class Codec(Generic[R]):
    """How one kind of record becomes columns. `failed` records are kept but asked for again on resume."""

    key: Callable[[R], str]
    encode: Callable[[list[R]], Iterable[tuple[str, Column | list[str]]]]
    decode: Callable[[Table], list[R]]
    units: Mapping[str, str]  # of each column of numbers
    failed: Callable[[R], bool] = lambda record: False


def write_records(path: Path, records: list[R], codec: Codec[R]) -> None:
    """Write one shard atomically."""
    write_table(path, codec.encode(records), codec.units)


def read_records(paths: Iterable[Path], codec: Codec[R]) -> list[R]:
    """All records of some shards, in order. `RunFailed` names a file that is damaged or of another schema."""
    return [record for path in paths for record in _read_one(path, codec)]


def _read_one(path: Path, codec: Codec[R]) -> list[R]:
    table = read_table(path)
    with as_written(path):
        return codec.decode(table)


def _offsets(lengths: Iterable[int]) -> np.ndarray:
    return np.cumsum([0, *lengths], dtype=np.int64)


def _optional(value: float) -> float | None:
    return None if value != value else value


_VALUE = "domain unit, NaN: none"
_EPISODE_UNITS = {
    "rollout": "index among the scenario's rollouts",
    "seed": "random seed",
    "messages": "messages",
    "agreed": _VALUE,
    "turn.raw_of": "index into the turns",
    "turn.offer": _VALUE,
    "turn.accepts": "0 or 1",
    "turn.walks": "0 or 1",
}


def _encode_episodes(episodes: list[Episode]) -> Iterator[tuple[str, Column | list[str]]]:
    """`turn.*` columns run over all episodes' turns; `messages` says how many are each one's.

    `turn.raw` holds only the replies that differ from their utterance, those of the turns `turn.raw_of`.
    """
    _, _, utterances, readings, emotions, raws = _fields([turn for e in episodes for turn in e.turns])
    yield "turn.utterance", utterances
    raw_of = [] if raws == utterances else [k for k, raw in enumerate(raws) if raw != utterances[k]]
    yield "turn.raw", [raws[k] for k in raw_of]
    yield "turn.raw_of", np.array(raw_of, np.int32)
    yield "turn.emotion", Coded.of([emotion or "" for emotion in emotions])
    yield "turn.offer", np.array([r.offer for r in readings], np.float64)  # numpy makes NaN of None
    yield "turn.accepts", np.frombuffer(bytes([r.accepts for r in readings]), np.bool_)
    yield "turn.walks", np.frombuffer(bytes([r.walks for r in readings]), np.bool_)
    yield "id", [e.id for e in episodes]
    yield "scenario_id", [e.scenario_id for e in episodes]
    yield "error", [e.error for e in episodes]
    yield "status", Coded(np.array([STATUSES.index(e.status) for e in episodes], np.uint8), STATUSES)
    yield "rollout", np.array([e.rollout for e in episodes], np.int32)
    yield "seed", np.array([e.seed for e in episodes], np.int64)
    yield "messages", np.array([len(e.turns) for e in episodes], np.uint16)
    yield "agreed", np.array([e.agreed for e in episodes], np.float64)


def _fields(turns: list[Turn]) -> list[list[Any]]:
    """The turns' fields as columns; a block at a time, which stays in the cache."""
    columns: list[list[Any]] = [[] for _ in Turn._fields]
    for at in range(0, len(turns), _BLOCK):
        for column, values in zip(columns, zip(*turns[at : at + _BLOCK], strict=True), strict=True):
            column += values
    return columns


def _decode_episodes(table: Table) -> list[Episode]:
    utterances = list(table["turn.utterance"])
    raws = utterances.copy()
    for k, raw in zip(table["turn.raw_of"].tolist(), table["turn.raw"], strict=True):
        raws[k] = raw
    numbers = (table[f"turn.{name}"].tolist() for name in ("offer", "accepts", "walks"))
    flat = list(zip(utterances, raws, table["turn.emotion"], *numbers, strict=True))
    start = _offsets(table["messages"].tolist()).tolist()
    texts = (table[name] for name in ("id", "scenario_id", "status", "error"))
    plain = (table[name].tolist() for name in ("rollout", "seed", "agreed"))
    return [
        Episode(key, scenario_id, rollout, seed, status, _optional(agreed), _turns(flat[a:b]), error)
        for key, scenario_id, status, error, rollout, seed, agreed, (a, b) in zip(
            *texts, *plain, pairwise(start), strict=True
        )
    ]


def _turns(rows: list[tuple[str, str, str, float, bool, bool]]) -> tuple[Turn, ...]:
    return tuple(
        Turn(
            k,
            "counterparty" if k % 2 else "focal",
            utterance,
            Reading(_optional(offer), accepts, walks),
            emotion or None,
            raw,
        )
        for k, (utterance, raw, emotion, offer, accepts, walks) in enumerate(rows)
    )


_VERDICT_UNITS = {
    "start": "index into the focal turns",
    "repeat_start": "index into the scores",
    "score": "1..10, NaN: missing",
    "expected": "1..10, NaN: missing",
}


def _encode_verdicts(verdicts: list[Verdict]) -> Table:
    return {
        "episode_id": [v.episode_id for v in verdicts],
        "error": [v.error for v in verdicts],
        "start": _offsets(len(v.scores) for v in verdicts),  # [verdicts + 1]
        "repeat_start": _offsets(len(turn) for v in verdicts for turn in v.scores),  # [focal turns + 1]
        "score": np.array([s for v in verdicts for turn in v.scores for s in turn], np.float64),
        "expected": np.array([s for v in verdicts for turn in v.expected for s in turn], np.float64),
    }


def _decode_verdicts(table: Table) -> list[Verdict]:
    turns = list(pairwise(table["repeat_start"].tolist()))
    columns = (table[name].tolist() for name in ("score", "expected"))
    scores, expected = ([tuple(column[a:b]) for a, b in turns] for column in columns)
    spans = zip(table["episode_id"], table["error"], pairwise(table["start"].tolist()), strict=True)
    return [Verdict(key, tuple(scores[a:b]), tuple(expected[a:b]), error) for key, error, (a, b) in spans]


_DIALOGUE_UNITS = {
    "message_start": "index into the messages",
    "turn_start": "index into the scored turns",
    "turn.message": "index into the dialogue's messages",
    "turn.judge": "1..10, NaN: missing",
    "turn.advantage": "standard deviations within the scenario, NaN: missing",
    "turn.ret": "reward",
    "turn.quality": "judge score + reward / 2, NaN: missing",
}


def _encode_dialogues(dialogues: list[Dialogue]) -> Table:
    messages = [message for d in dialogues for message in d.messages]
    turns = [turn for d in dialogues for turn in d.turns]
    table: dict[str, Any] = {
        "episode_id": [d.episode_id for d in dialogues],
        "scenario_id": [d.scenario_id for d in dialogues],
        "message_start": _offsets(len(d.messages) for d in dialogues),
        "message.role": Coded.of([role for role, _ in messages]),
        "message.content": [content for _, content in messages],
        "turn_start": _offsets(len(d.turns) for d in dialogues),
        "turn.message": np.array([t.message for t in turns], np.int32),
        "turn.emotion": Coded.of([t.emotion for t in turns]),
    }
    for name in ("judge", "advantage", "ret", "quality"):
        table[f"turn.{name}"] = np.array([getattr(t, name) for t in turns], np.float64)
    return table


def _decode_dialogues(table: Table) -> list[Dialogue]:
    messages = list(zip(table["message.role"], table["message.content"], strict=True))
    names = ("message", "emotion", "judge", "advantage", "ret", "quality")
    columns = [c.tolist() if isinstance(c, np.ndarray) else c for c in (table[f"turn.{name}"] for name in names)]
    turns = [ScoredTurn(*values) for values in zip(*columns, strict=True)]
    m, t = table["message_start"], table["turn_start"]
    return [
        Dialogue(episode_id, table["scenario_id"][i], tuple(messages[m[i] : m[i + 1]]), tuple(turns[t[i] : t[i + 1]]))
        for i, episode_id in enumerate(table["episode_id"])
    ]


EPISODES: Codec[Episode] = Codec(
    lambda e: e.id, _encode_episodes, _decode_episodes, _EPISODE_UNITS, lambda e: e.status == "error"
)
VERDICTS: Codec[Verdict] = Codec(
    lambda v: v.episode_id,
    lambda verdicts: _encode_verdicts(verdicts).items(),
    _decode_verdicts,
    _VERDICT_UNITS,
    lambda v: bool(v.error),
)
DIALOGUES: Codec[Dialogue] = Codec(
    lambda d: d.episode_id, lambda dialogues: _encode_dialogues(dialogues).items(), _decode_dialogues, _DIALOGUE_UNITS
)
