"""The dialogues of a run as the HTML report carries them: an index of all, and texts in compressed chunks.

A chunk is gzip of a JSON list, in base64, so that a browser unpacks some hundred dialogues when one is opened and never
all. Within a source the first rollout of every scenario comes first, so what a limit leaves out is no scenario.
"""

import base64
import gzip
import json
import math
from collections.abc import Callable, Iterator, Mapping, Sequence
from dataclasses import dataclass
from typing import Any

from emodistill.dataset.rewards import step_rewards, terminal_reward
from emodistill.emotions import GOEMOTIONS
from emodistill.records import STATUSES, Episode, Scenario, Verdict

Loader = Callable[[], tuple[list[Episode], Mapping[str, Verdict]]]  # verdicts by episode id
CHUNK = 200  # dialogues
MOST_BYTES = 27_000_000  # of all chunks together, as they stand in the page


@dataclass(frozen=True, slots=True)
class Source:
    """Episodes of one cell, or of one shard of the training rollouts; `load` reads them with their verdicts."""

    cell: str
    load: Loader


@dataclass(frozen=True, slots=True)
class Chunk:
    """Some dialogues: `first` is the place of the first one in its cell."""

    first: int
    text: str  # base64 of gzip of JSON


@dataclass(frozen=True, slots=True)
class Dialogues:
    """A cell's dialogues. `rows`: of each, scenario's place, rollout, status, agreed, savings, return, messages."""

    cell: str
    rows: tuple[tuple[Any, ...], ...]
    chunks: tuple[Chunk, ...]
    played: int  # episodes there are; more than rows where the limit left some out


def gather(
    sources: Sequence[Source], scenarios: dict[str, Scenario], max_messages: int, most_bytes: int = MOST_BYTES
) -> list[Dialogues]:
    """Each cell's dialogues, in the order of the sources; every source gets its share of what is left of the limit."""
    place = {key: k for k, key in enumerate(scenarios)}
    found: dict[str, tuple[list[tuple[Any, ...]], list[Chunk], list[int]]] = {}
    left = most_bytes
    for k, source in enumerate(sources):
        episodes, verdicts = source.load()
        allowed = left // (len(sources) - k)
        rows, chunks, played = found.setdefault(source.cell, ([], [], []))
        played.append(len(episodes))
        ordered = sorted(episodes, key=lambda e: (e.rollout, place[e.scenario_id]))
        for some in _parts(ordered):
            texts = [[turn.utterance for turn in e.turns] for e in some]
            figures = [_figures(e, scenarios, verdicts, max_messages) for e in some]
            chunk = Chunk(len(rows), packed({"texts": texts, "figures": figures}))  # apart, they compress better
            if len(chunk.text) > allowed:
                break
            allowed, left = allowed - len(chunk.text), left - len(chunk.text)
            chunks.append(chunk)
            rows += [_row(e, scenarios[e.scenario_id], place, max_messages) for e in some]
    return [Dialogues(cell, tuple(rows), tuple(chunks), sum(n)) for cell, (rows, chunks, n) in found.items()]


def packed(value: Any) -> str:
    """Base64 of gzip of JSON, the same bytes for the same value."""
    return base64.b64encode(gzip.compress(json.dumps(value, separators=(",", ":"), allow_nan=False).encode(),
                                          6, mtime=0)).decode()  # fmt: skip


def _parts(episodes: Sequence[Episode]) -> Iterator[Sequence[Episode]]:
    return (episodes[at : at + CHUNK] for at in range(0, len(episodes), CHUNK))


def _row(episode: Episode, scenario: Scenario, place: Mapping[str, int], max_messages: int) -> tuple[Any, ...]:
    savings = None if episode.agreed is None else min(1.0, max(0.0, scenario.pos(episode.agreed)))
    total = None
    if episode.status != "error":
        total = float(step_rewards(scenario, episode, max_messages).sum()) + terminal_reward(episode)
    return (
        place[scenario.id], episode.rollout, STATUSES.index(episode.status), _rounded(episode.agreed),
        _rounded(savings), _rounded(total), len(episode.turns),
    )  # fmt: skip


def _figures(
    episode: Episode, scenarios: dict[str, Scenario], verdicts: Mapping[str, Verdict], max_messages: int
) -> dict[str, Any]:
    """Messages as [emotion or -1, offer or null, move]; the focal turns' rewards, and scores if it was judged.

    Move: 1 accepts, 2 walks away. Rewards are the steps' (METHOD.md §4), without the terminal one.
    """
    made: dict[str, Any] = {
        "m": [
            [-1 if t.emotion is None else GOEMOTIONS.index(t.emotion), _rounded(t.reading.offer),
             2 if t.reading.walks else int(t.reading.accepts)]
            for t in episode.turns
        ]
    }  # fmt: skip
    if episode.status == "error":
        return {**made, "error": episode.error}
    made["r"] = [_rounded(float(r)) for r in step_rewards(scenarios[episode.scenario_id], episode, max_messages)]
    if episode.id in verdicts:
        made["j"] = [_rounded(score) for score in verdicts[episode.id].turn_scores()]
    return made


def _rounded(value: float | None) -> float | None:
    """To what a reader can use; None where there is no figure."""
    return None if value is None or not math.isfinite(value) else round(value, 3)
