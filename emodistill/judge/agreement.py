"""How far scorings of the same utterances agree: repeats of one judge, or two judges. Pure functions.

Scores are float [turns, repeats], NaN where missing; a statistic with nothing to count is NaN.
"""

from collections.abc import Iterable
from dataclasses import dataclass
from itertools import combinations

import numpy as np

from emodistill.records import Verdict


@dataclass(frozen=True, slots=True)
class Agreement:
    """Of two or more scorings. Differences are over all pairs of scores of the same turn."""

    alpha: float  # Krippendorff's, interval data
    difference: float  # mean absolute difference, in points
    within_one: float  # share of pairs at most one point apart


@dataclass(frozen=True, slots=True)
class Comparison:
    """Two judges on the turns that both scored."""

    turns: int
    spearman: float
    agreement: Agreement


def agreement(scores: np.ndarray) -> Agreement:
    """All statistics of scores [turns, repeats]; NaN with one repeat."""
    pairs = [np.abs(scores[:, i] - scores[:, j]) for i, j in combinations(range(scores.shape[1]), 2)]
    gaps = np.concatenate(pairs) if pairs else np.array([])
    gaps = gaps[~np.isnan(gaps)]
    if not len(gaps):
        return Agreement(np.nan, np.nan, np.nan)
    return Agreement(interval_alpha(scores), float(gaps.mean()), float((gaps <= 1).mean()))


def interval_alpha(scores: np.ndarray) -> float:
    """Krippendorff's α = 1 − D_o/D_e for interval data with missing values, scores [units, coders].

    D_o: mean over pairable values of the squared differences within a unit; D_e: of those between all of them. NaN if
    all values are equal. Krippendorff, *Computing Krippendorff's Alpha-Reliability* (2011).
    """
    present = ~np.isnan(scores)
    count = present.sum(axis=1)
    values = np.where(present, scores, 0.0)[count > 1]  # a value alone in its unit pairs with nothing
    count = count[count > 1]
    n = count.sum()
    if n == 0:
        return float("nan")
    values = np.where(present[present.sum(axis=1) > 1], values - values.sum() / n, 0.0)
    squares, sums = (values**2).sum(axis=1), values.sum(axis=1)
    observed = (2 * (count * squares - sums**2) / (count - 1)).sum() / n
    between = 2 * squares.sum() / (n - 1)  # the mean is 0
    return float(1 - observed / between) if between > 0 else float("nan")


def compare(ours: Iterable[Verdict], theirs: Iterable[Verdict]) -> Comparison:
    """Two judges' verdicts on the same episodes, by their turn scores; episodes that only one of them saw are left out.

    `ValueError` if an episode has another number of turns in the other set.
    """
    others = {verdict.episode_id: verdict.turn_scores() for verdict in theirs}
    shared = [(v.turn_scores(), others[v.episode_id]) for v in ours if v.episode_id in others]
    pairs = np.array([pair for a, b in shared for pair in zip(a, b, strict=True)]).reshape(-1, 2)
    both = pairs[~np.isnan(pairs).any(axis=1)]
    return Comparison(len(both), spearman(both[:, 0], both[:, 1]), agreement(both))


def spearman(x: np.ndarray, y: np.ndarray) -> float:
    """Pearson correlation of the ranks, ties at their mean rank; NaN if either side is constant."""
    ranks = [_ranks(values) - (len(values) + 1) / 2 for values in (x, y)]
    scale = np.sqrt((ranks[0] ** 2).sum() * (ranks[1] ** 2).sum())
    return float((ranks[0] * ranks[1]).sum() / scale) if scale > 0 else float("nan")


def _ranks(values: np.ndarray) -> np.ndarray:
    """Ranks from 1, equal values at the mean of theirs."""
    _, group, count = np.unique(values, return_inverse=True, return_counts=True)
    last = np.cumsum(count)
    return (last - (count - 1) / 2)[group]
