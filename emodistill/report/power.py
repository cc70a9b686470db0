"""How many scenarios and seeds show a difference: power of the paired comparison (METHOD.md §8). Pure functions.

The difference of two variants in scenario s and seed k is δ + b_s + w_sk with independent deviations, so its mean over
S scenarios and K seeds has variance (σ_b² + σ_w²/K) / S. The power is that of a two-sided t on the scenarios' means,
with S − 1 degrees of freedom: more seeds take away the within-scenario part alone. The tables swap scenarios instead
(`statistics.swap_p`), which from 10 scenarios on has the same power (docs/audit.md).
"""

import math
from collections.abc import Sequence
from dataclasses import dataclass

import numpy as np

from emodistill.report.student_t import critical, tail

LEVEL, POWER = 0.05, 0.8
MOST = 10**6  # scenarios; more are as good as none


@dataclass(frozen=True, slots=True)
class Components:
    """Variances of a paired difference, in squared points, and the pilot that they are from."""

    between: float  # σ_b², of the scenarios' true differences
    within: float  # σ_w², of one pair in its scenario
    mean: float  # δ as the pilot saw it
    scenarios: int
    pairs: int

    def standard_error(self, scenarios: int, seeds: int) -> float:
        """Of the mean difference, in points."""
        return math.sqrt((self.between + self.within / seeds) / scenarios)


def components(differences: np.ndarray, clusters: np.ndarray) -> Components | None:
    """Variance components from pairs [n] and their scenarios [n], by one-way analysis of variance.

    None unless there are two scenarios and one with two pairs. Unequal numbers of pairs are allowed (Searle, Casella,
    McCulloch: *Variance Components*, 1992, §3.6); a negative σ_b² is 0.
    """
    _, index, counts = np.unique(clusters, return_inverse=True, return_counts=True)
    n, groups = len(differences), len(counts)
    if groups < 2 or n == groups:
        return None
    means = np.bincount(index, differences) / counts
    mean = float(differences.mean())
    within = float(((differences - means[index]) ** 2).sum() / (n - groups))
    spread = float((counts * (means - mean) ** 2).sum() / (groups - 1))
    size = (n - (counts**2).sum() / n) / (groups - 1)
    return Components(max(0.0, (spread - within) / size), within, mean, groups, n)


def power(difference: float, of: Components, scenarios: int, seeds: int) -> float:
    """Probability that the test at 5 % sees that true difference."""
    if scenarios < 2:
        return 0.0
    error = of.standard_error(scenarios, seeds)
    if error == 0:
        return 1.0 if difference else 0.0
    return tail(critical(LEVEL, scenarios - 1), scenarios - 1, abs(difference) / error)


def needed(difference: float, of: Components, seeds: int) -> int | None:
    """The fewest scenarios that see it with 80 % power; None if a million do not."""
    low, high = 1, 2
    while power(difference, of, high, seeds) < POWER:
        low, high = high, 2 * high
        if high > MOST:
            return None
    while high - low > 1:
        middle = (low + high) // 2
        low, high = (middle, high) if power(difference, of, middle, seeds) < POWER else (low, middle)
    return high


def power_rows(difference: float, named: dict[str, Components], seeds: Sequence[int]) -> list[tuple[str, ...]]:
    """Rows of text, the header first: scenarios needed for each comparison and number of seeds."""
    counts = (f"{k} seed{'s' * (k > 1)}" for k in seeds)
    rows = [("comparison", "in the pilot", "sd between scenarios", "sd within", *counts)]
    for name, of in named.items():
        spread = (f"{math.sqrt(of.between):.1f}", f"{math.sqrt(of.within):.1f}")
        counts = (_shown(needed(difference, of, k)) for k in seeds)
        rows.append((name, f"{of.mean:+.1f} (n = {of.pairs})", *spread, *counts))
    return rows


def _shown(count: int | None) -> str:
    return f"over {MOST:,}" if count is None else f"{count:,}"
