"""The judge's table: what it scored in each domain, what is missing, and how far its repeats agree."""

import math
from collections.abc import Iterable
from dataclasses import dataclass

import numpy as np

from emodistill.judge.agreement import Agreement, agreement
from emodistill.records import Scenario, Verdict
from emodistill.report.sheet import Column, Sheet
from emodistill.rollout.sweep import scenario_of


@dataclass(frozen=True, slots=True)
class JudgeRow:
    """One domain's focal turns. NaN where there is nothing to count; agreement needs two repeats."""

    domain: str
    turns: int
    missing: int  # turns without a score
    errors: int  # episodes about which the judge could not be asked
    mean: float  # of the turn scores, 1..10
    sd: float  # of the turn scores, over n
    expected: float  # mean of the expected scores
    repeats: int
    agreement: Agreement


def judge_rows(verdicts: Iterable[Verdict], scenarios: dict[str, Scenario], repeats: int) -> list[JudgeRow]:
    """One row a domain, in the scenarios' order."""
    domains: dict[str, list[Verdict]] = {scenario.domain: [] for scenario in scenarios.values()}
    for verdict in verdicts:
        domains[scenarios[scenario_of(verdict.episode_id)].domain].append(verdict)
    return [_row(domain, judged, repeats) for domain, judged in domains.items() if judged]


def judge_sheet(rows: Iterable[JudgeRow], title: str, judge: str) -> Sheet:
    """The rows as a table; an empty cell is a figure that does not exist."""
    columns = (
        Column("domain", "domain"), Column("turns", "focal turns"), Column("missing", "missing"),
        Column("errors", "errors"), Column("mean", "mean", 2), Column("sd", "sd", 2),
        Column("expected", "expected", 2), Column("repeats", "repeats"), Column("alpha", "α", 2),
        Column("mean_absolute_difference", "mean difference", 2), Column("within_one", "within 1", 2),
        Column("judge", ""),
    )  # fmt: skip
    cells = []
    for r in rows:
        a = r.agreement
        agreed = (a.alpha, a.difference, a.within_one)
        cells.append((r.domain, r.turns, r.missing, r.errors, r.mean, r.sd, r.expected, r.repeats, *agreed, judge))
    note = (
        "Scores 1 to 10; missing: no readable reply; errors: episodes about which the judge could not be asked. "
        "Between repeats: Krippendorff's α (interval), mean absolute difference, share of pairs within 1 point."
    )
    return Sheet(title, columns, tuple(cells), (note,))


def _row(domain: str, verdicts: list[Verdict], repeats: int) -> JudgeRow:
    means = np.array([score for verdict in verdicts for score in verdict.turn_scores()])
    scores = np.array([turn for verdict in verdicts for turn in verdict.scores]).reshape(-1, repeats)
    expected = np.array([score for verdict in verdicts for turn in verdict.expected for score in turn])
    scored = means[~np.isnan(means)]
    return JudgeRow(
        domain, len(means), len(means) - len(scored), sum(bool(verdict.error) for verdict in verdicts),
        _mean(scored), float(scored.std()) if len(scored) else math.nan, _mean(expected[~np.isnan(expected)]),
        repeats, agreement(scores),
    )  # fmt: skip


def _mean(values: np.ndarray) -> float:
    return float(values.mean()) if len(values) else math.nan
