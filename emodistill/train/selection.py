"""Which turns to learn from, by which signal. Pure functions of the dialogues' scores."""

from collections import defaultdict
from collections.abc import Sequence

import numpy as np

from emodistill.config import Signal
from emodistill.dataset.rewards import advantages
from emodistill.errors import BadInput
from emodistill.records import Dialogue, ScoredTurn

Chosen = dict[str, dict[int, float]]  # episode id -> message index -> weight


def signal_of(turn: ScoredTurn, signal: Signal) -> float:
    """The score a signal gives a turn: judge r_t, outcome R(τ), hybrid q_t; NaN if missing."""
    return {"judge": turn.judge, "outcome": turn.ret, "hybrid": turn.quality}[signal]


def best_turns(dialogues: Sequence[Dialogue], signal: Signal, fraction: float) -> Chosen:
    """The top `fraction` of all turns by the signal, with weight 1 (METHOD.md §6); turns without a score never pass."""
    rows = [(d.episode_id, turn.message, signal_of(turn, signal)) for d in dialogues for turn in d.turns]
    scored = [row for row in rows if not np.isnan(row[2])]
    keep = round(fraction * len(scored))
    if keep == 0:
        raise BadInput(
            f"sft.keep_fraction {fraction} keeps none of {len(scored)} scored turns (signal {signal}). "
            "Raise it, or sweep more rollouts."
        )
    chosen: Chosen = defaultdict(dict)
    for episode, message, _ in sorted(scored, key=lambda row: (-row[2], row[0], row[1]))[:keep]:
        chosen[episode][message] = 1.0
    return dict(chosen)


def advantage_turns(dialogues: Sequence[Dialogue], signal: Signal) -> Chosen:
    """Every turn with a score, weighted by its advantage within its scenario (METHOD.md §4)."""
    rows = [(d, turn) for d in dialogues for turn in d.turns]
    values = np.array([signal_of(turn, signal) for _, turn in rows])
    weights = advantages(values, np.array([d.scenario_id for d, _ in rows]))
    if not np.any(np.nan_to_num(weights)):
        raise BadInput(
            f"All advantages are zero or missing (signal {signal}): there is nothing to prefer. "
            "Choose another jpo.signal, or judge again."
        )
    chosen: Chosen = defaultdict(dict)
    for (dialogue, turn), weight in zip(rows, weights, strict=True):
        if not np.isnan(weight):
            chosen[dialogue.episode_id][turn.message] = float(weight)
    return dict(chosen)


def capped(dialogues: Sequence[Dialogue], chosen: Chosen, limit: int | None) -> list[Dialogue]:
    """At most `limit` dialogues with chosen turns, scenario by scenario in turn, those with most chosen turns first."""
    by_scenario: dict[str, list[Dialogue]] = defaultdict(list)
    for dialogue in dialogues:
        if dialogue.episode_id in chosen:
            by_scenario[dialogue.scenario_id].append(dialogue)
    queues = [
        sorted(group, key=lambda d: (-len(chosen[d.episode_id]), d.episode_id))
        for _, group in sorted(by_scenario.items())
    ]
    rounds = max(map(len, queues), default=0)
    ordered = [queue[i] for i in range(rounds) for queue in queues if i < len(queue)]
    return ordered[:limit]
