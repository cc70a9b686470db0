"""Records as rows of the shared tables (columns.py)."""

import math
from collections.abc import Iterable, Iterator, Mapping
from typing import Any

from emodistill.records import Episode, Scenario, Turn, Verdict

Row = dict[str, Any]


def rollout_rows(
    episodes: Iterable[Episode], verdicts: Mapping[str, Verdict], scenarios: Mapping[str, Scenario]
) -> Iterator[Row]:
    """Episodes with their judge's scores."""
    for episode in episodes:
        verdict, row = verdicts.get(episode.id), _episode(episode, scenarios[episode.scenario_id])
        scores = [] if verdict is None else [*zip(verdict.turn_scores(), map(_mean, verdict.expected), strict=True)]
        for turn in row["turns"]:
            turn["judge_score"], turn["judge_expected"] = None, None
        for turn, (score, expected) in zip(row["turns"][::2], scores, strict=False):
            turn["judge_score"], turn["judge_expected"] = _number(score), _number(expected)
        yield row


def evaluation_rows(variant: str, episodes: Iterable[Episode], scenarios: Mapping[str, Scenario]) -> Iterator[Row]:
    """Episodes of one evaluated variant."""
    for episode in episodes:
        yield {"variant": variant, **_episode(episode, scenarios[episode.scenario_id])}


def scenario_rows(scenarios: Iterable[Scenario]) -> Iterator[Row]:
    """What was bargained over."""
    for one in scenarios:
        yield {
            "scenario_id": one.id,
            "domain": one.domain,
            "unit": one.unit,
            "focal_target": one.focal_target,
            "counterparty_target": one.counterparty_target,
            "imputed": one.imputed,
            "facts": [{"name": _text(name), "text": _text(text)} for name, text in one.facts],
        }


def _episode(episode: Episode, scenario: Scenario) -> Row:
    return {
        "episode_id": episode.id,
        "scenario_id": episode.scenario_id,
        "domain": scenario.domain,
        "rollout": episode.rollout,
        "seed": episode.seed,
        "status": episode.status,
        "agreed": episode.agreed,
        "position": None if episode.agreed is None else scenario.pos(episode.agreed),
        "turns": [_turn(turn) for turn in episode.turns],
    }


def _turn(turn: Turn) -> Row:
    return {
        "seat": turn.seat,
        "utterance": _text(turn.utterance),
        "raw": None if turn.raw.strip() == turn.utterance else _text(turn.raw),
        "emotion": turn.emotion,
        "offer": turn.reading.offer,
        "accepts": turn.reading.accepts,
        "walks": turn.reading.walks,
    }


def _mean(values: tuple[float, ...]) -> float:
    found = [value for value in values if not math.isnan(value)]
    return sum(found) / len(found) if found else math.nan


def _number(value: float) -> float | None:
    return None if math.isnan(value) else value


def _text(text: str) -> str:
    """A model's reply may hold a lone surrogate, which no Parquet file can."""
    return text.encode("utf-8", "replace").decode()
