"""METHOD.md §8 from episodes: one row an episode, and the ratios the tables are made of."""

from dataclasses import dataclass

import numpy as np

from emodistill.records import Scenario
from emodistill.shards import Table

METRICS = ("success", "outcomes", "utility", "rounds")


@dataclass(frozen=True, slots=True)
class EvalRecords:
    """What each of n evaluation episodes contributes. Invalid ones are technical errors: counted, never scored.

    The pair (scenario, rollout) is the same negotiation in every variant.
    """

    scenario: np.ndarray  # int64 [n], place among the run's scenarios
    rollout: np.ndarray  # int64 [n]
    valid: np.ndarray  # bool [n]
    agreed: np.ndarray  # bool [n]
    savings: np.ndarray  # float64 [n], clip(pos(agreed), 0, 1), 0 without agreement
    messages: np.ndarray  # int64 [n]

    def __len__(self) -> int:
        return len(self.scenario)

    def take(self, rows: np.ndarray) -> "EvalRecords":
        """The episodes of these rows: indices, or a mask [n]."""
        return EvalRecords(*(getattr(self, name)[rows] for name in EvalRecords.__slots__))


def eval_records(episodes: Table, scenarios: dict[str, Scenario]) -> EvalRecords:
    """From an evaluation shard's columns of numbers: of the texts, only scenario ids are decoded."""
    place = {key: k for k, key in enumerate(scenarios)}
    scenario = np.array([place[key] for key in episodes["scenario_id"]], np.int64)
    ours = np.array([s.focal_target for s in scenarios.values()], np.float64)[scenario]
    theirs = np.array([s.counterparty_target for s in scenarios.values()], np.float64)[scenario]
    agreed = ~np.isnan(episodes["agreed"])
    savings = np.where(agreed, np.clip((episodes["agreed"] - theirs) / (ours - theirs), 0.0, 1.0), 0.0)
    valid = np.array([status != "error" for status in episodes["status"]], np.bool_)
    rollout, messages = (episodes[name].astype(np.int64) for name in ("rollout", "messages"))
    return EvalRecords(scenario, rollout, valid, agreed, savings, messages)


def ratio_parts(records: EvalRecords, metric: str) -> tuple[np.ndarray, np.ndarray]:
    """Per valid episode, (numerator, denominator) of a metric: float64 [valid] each.

    The metric's value is Σ numerator / Σ denominator. success: % agreed of valid. outcomes: mean 100·savings of agreed.
    utility: the same over valid, failures 0. rounds: messages of valid.
    """
    agreed = records.agreed[records.valid].astype(np.float64)
    savings = 100 * records.savings[records.valid]
    messages = records.messages[records.valid].astype(np.float64)
    ones = np.ones(len(agreed))
    return {
        "success": (100 * agreed, ones),
        "outcomes": (savings * agreed, agreed),
        "utility": (savings, ones),
        "rounds": (messages, ones),
    }[metric]


def paired(ours: EvalRecords, theirs: EvalRecords) -> tuple[EvalRecords, EvalRecords]:
    """The negotiations that are valid in both, row by row the same (scenario, rollout), in that order."""
    width = 1 + max(one.rollout.max(initial=0) for one in (ours, theirs))
    rows = [np.flatnonzero(one.valid) for one in (ours, theirs)]
    keys = [one.scenario[of] * width + one.rollout[of] for one, of in zip((ours, theirs), rows, strict=True)]
    _, here, there = np.intersect1d(*keys, return_indices=True)
    return ours.take(rows[0][here]), theirs.take(rows[1][there])


def utility_differences(ours: EvalRecords, theirs: EvalRecords) -> tuple[np.ndarray, np.ndarray]:
    """Our utility minus theirs of each negotiation that is valid in both, and its scenario: float64 and int64 [n]."""
    here, there = paired(ours, theirs)
    return ratio_parts(here, "utility")[0] - ratio_parts(there, "utility")[0], here.scenario
