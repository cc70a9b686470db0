"""METHOD.md §8 from episodes: one row an episode, and the ratios the tables are made of."""

from collections.abc import Iterable
from dataclasses import dataclass

import numpy as np

from emodistill.records import Episode, Scenario

METRICS = ("success", "outcomes", "utility", "rounds")


@dataclass(frozen=True, slots=True)
class EvalRecord:
    """What one evaluation episode contributes. Invalid episodes are technical errors: counted, never scored."""

    scenario_id: str
    rollout: int  # the pair (scenario_id, rollout) is the same negotiation in every variant
    valid: bool
    agreed: bool
    savings: float  # clip(pos(agreed), 0, 1), 0 without agreement
    messages: int


def eval_records(episodes: Iterable[Episode], scenarios: dict[str, Scenario]) -> list[EvalRecord]:
    """One record an episode."""
    made = []
    for e in episodes:
        pos = 0.0 if e.agreed is None else scenarios[e.scenario_id].pos(e.agreed)
        made.append(
            EvalRecord(
                e.scenario_id,
                e.rollout,
                e.status != "error",
                e.agreed is not None,
                min(1.0, max(0.0, pos)),
                len(e.turns),
            )
        )
    return made


def ratio_parts(records: Iterable[EvalRecord], metric: str) -> tuple[np.ndarray, np.ndarray]:
    """Per valid episode, (numerator, denominator) of a metric: float64 [n] each.

    The metric's value is Σ numerator / Σ denominator. success: % agreed of valid. outcomes: mean 100·savings of agreed.
    utility: the same over valid, failures 0. rounds: messages of valid.
    """
    valid = [record for record in records if record.valid]
    agreed = np.array([record.agreed for record in valid], np.float64)
    savings = 100 * np.array([record.savings for record in valid], np.float64)
    ones = np.ones(len(valid))
    return {
        "success": (100 * agreed, ones),
        "outcomes": (savings * agreed, agreed),
        "utility": (savings, ones),
        "rounds": (np.array([record.messages for record in valid], np.float64), ones),
    }[metric]
