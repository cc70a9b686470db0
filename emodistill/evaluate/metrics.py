"""METHOD.md §8 from episodes: one row an episode, and the ratios the tables are made of."""

from collections.abc import Iterable
from dataclasses import dataclass

import numpy as np

from emodistill.records import Scenario
from emodistill.shards import Table

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


def eval_records(episodes: Table, scenarios: dict[str, Scenario]) -> list[EvalRecord]:
    """One record an episode, from its columns of numbers: no text is decoded."""
    names = ("scenario_id", "rollout", "status", "agreed", "messages")
    made = []
    for scenario_id, rollout, status, agreed, messages in zip(*(episodes[name] for name in names), strict=True):
        pos = 0.0 if np.isnan(agreed) else scenarios[scenario_id].pos(float(agreed))
        savings = min(1.0, max(0.0, pos))
        made.append(
            EvalRecord(scenario_id, int(rollout), status != "error", not np.isnan(agreed), savings, int(messages))
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
