"""How far scorings of the same utterances agree: the repeats of a judge. Pure functions.

Scores are float [turns, repeats], NaN where missing; a statistic with nothing to count is NaN.
"""

from dataclasses import dataclass
from itertools import combinations

import numpy as np


@dataclass(frozen=True, slots=True)
class Agreement:
    """Of two or more scorings. Differences are over all pairs of scores of the same turn."""

    alpha: float  # Krippendorff's, interval data
    difference: float  # mean absolute difference, in points
    within_one: float  # share of pairs at most one point apart


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
