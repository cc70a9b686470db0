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
    """The top `fraction` of each domain's turns by the signal, weight 1 (METHOD.md §6); unscored turns never pass."""
    by_domain: dict[str, list[tuple[float, str, int]]] = defaultdict(list)
    for dialogue in dialogues:
        for turn in dialogue.turns:
            if not np.isnan(score := signal_of(turn, signal)):
                by_domain[_domain(dialogue)].append((-score, dialogue.episode_id, turn.message))
    chosen: Chosen = defaultdict(dict)
    for rows in by_domain.values():
        for _, episode, message in sorted(rows)[: round(fraction * len(rows))]:
            chosen[episode][message] = 1.0
    if not chosen:
        scored = sum(map(len, by_domain.values()))
        raise BadInput(
            f"sft.keep_fraction {fraction} keeps none of {scored} scored turns (signal {signal}). "
            "Raise it, or sweep more rollouts."
        )
    return dict(chosen)


def advantage_turns(dialogues: Sequence[Dialogue], signal: Signal) -> Chosen:
    """Every turn with a score, weighted by its advantage within its scenario (METHOD.md §4)."""
    rows = [(d, turn) for d in dialogues for turn in d.turns]
    if signal == "judge":
        weights = np.array([turn.advantage for _, turn in rows])
    else:
        values = np.array([signal_of(turn, signal) for _, turn in rows])
        weights = advantages(values, np.array([d.scenario_id for d, _ in rows]))
    if not np.any(np.nan_to_num(weights)):
        raise BadInput(
            f"All advantages are zero or missing (signal {signal}): there is nothing to prefer. "
            "Choose another jpo.signal, or sweep and judge more."
        )
    chosen: Chosen = defaultdict(dict)
    for (dialogue, turn), weight in zip(rows, weights, strict=True):
        if not np.isnan(weight):
            chosen[dialogue.episode_id][turn.message] = float(weight)
    return dict(chosen)


def richest(dialogues: Sequence[Dialogue], chosen: Chosen, limit: int | None) -> list[Dialogue]:
    """At most `limit` dialogues with chosen turns, scenario by scenario in turn, those with most chosen turns first."""
    return _dealt(sorted(dialogues, key=lambda d: (-len(chosen.get(d.episode_id, ())), d.episode_id)), chosen, limit)


def sampled(dialogues: Sequence[Dialogue], chosen: Chosen, limit: int | None, seed: int) -> list[Dialogue]:
    """At most `limit` dialogues with chosen turns, scenario by scenario in turn, drawn at random within each."""
    order = np.random.default_rng(seed).permutation(len(dialogues))
    return _dealt([dialogues[i] for i in order], chosen, limit)


def _dealt(ordered: Sequence[Dialogue], chosen: Chosen, limit: int | None) -> list[Dialogue]:
    """One dialogue of each scenario, then the next of each, keeping the order within a scenario."""
    queues: dict[str, list[Dialogue]] = defaultdict(list)
    for dialogue in ordered:
        if dialogue.episode_id in chosen:
            queues[dialogue.scenario_id].append(dialogue)
    rounds = max(map(len, queues.values()), default=0)
    names = sorted(queues)
    return [queues[name][i] for i in range(rounds) for name in names if i < len(queues[name])][:limit]


def _domain(dialogue: Dialogue) -> str:
    return dialogue.scenario_id.partition("-")[0]  # every id begins with it, and imported ones hold further dashes
