"""Intervals and tests that respect what is repeated: scenarios are resampled or swapped whole (METHOD.md §8). Pure.

Episodes of a scenario share its difficulty, so they are no independent evidence. Every statistic here is a ratio of
sums over episodes, Σ numerator / Σ denominator, and needs each scenario's sums only: however many episodes there are,
a resample costs as much as there are scenarios.

Intervals are *expanded percentile* intervals (Hesterberg, What Teachers Should Know About the Bootstrap, The American
Statistician 69, 2015): with k clusters the plain percentile interval is that of a normal law with the variance of k
instead of k − 1, so its tails are taken at Φ(−t √(k / (k − 1))) instead of 2.5 %, t Student's 97.5 % point with k − 1
degrees of freedom. For a mean that is the t interval; the ends stay in the range of the data. docs/statistics.md has
the coverage we measured.

What it cannot do: below about 10 scenarios it is too short for skewed figures, and with 2 or 3 it is the range of what
resampling can give. Where nearly all scenarios agree (100 % success in each) it has no width, which says that nothing
else was seen and not that nothing else can be. It holds for scenarios like these, played by these models.
"""

from collections.abc import Callable
from dataclasses import dataclass
from functools import lru_cache
from statistics import NormalDist

import numpy as np

from emodistill.report.student_t import critical

Parts = tuple[np.ndarray, np.ndarray]  # numerator and denominator of each episode: float64 [n] both


@dataclass(frozen=True, slots=True)
class Estimate:
    """A value, its 95 % interval, and how many episodes made it. NaN where nothing could be counted."""

    value: float
    low: float
    high: float
    n: int

    def excludes_zero(self) -> bool:
        """Whether the interval lies on one side of 0."""
        return self.low > 0 or self.high < 0


def cluster_ratio(
    numerator: np.ndarray, denominator: np.ndarray, clusters: np.ndarray, resamples: int, seed: int
) -> Estimate:
    """Σ numerator / Σ denominator with an interval from resampling whole clusters.

    All [n], one entry an episode; `clusters` names each episode's scenario. With fewer than two clusters there is no
    interval.
    """
    sums = _cluster_sums((numerator, denominator), clusters)
    return _estimate(sums, lambda s: s[..., 0] / s[..., 1], len(clusters), resamples, seed)


def paired_difference(ours: Parts, theirs: Parts, clusters: np.ndarray, resamples: int, seed: int) -> Estimate:
    """Our ratio − theirs over the same n (scenario, seed) pairs, clustered by scenario: `clusters` [n].

    Both ratios are taken over the same resampled scenarios, so what makes a scenario easy for both drops out.
    """
    return _estimate(_cluster_sums((*ours, *theirs), clusters), _difference, len(clusters), resamples, seed)


def swap_p(ours: Parts, theirs: Parts, clusters: np.ndarray, resamples: int, seed: int) -> float:
    """Two-sided p of a paired difference: how often it is as large when the two change places in whole scenarios.

    If both were alike, either could have had either's results in a scenario. All 2^k swaps of k scenarios if
    `resamples` allow, else so many random ones, the one observed counted with them (Phipson and Smyth, 2010), so the
    least p is 1 / (resamples + 1). For means this is the sign-flip test by cluster (Canay, Romano and Shaikh,
    Randomization Tests under an Approximate Symmetry Assumption, Econometrica 85, 2017). NaN for fewer than two
    scenarios.
    """
    sums = _cluster_sums((*ours, *theirs), clusters)
    with np.errstate(invalid="ignore", divide="ignore"):
        seen = _difference(total := sums.sum(0))
        if len(sums) < 2 or np.isnan(seen):
            return float("nan")
        signs = _signs(len(sums), resamples, seed)
        half = signs @ ((sums[:, :2] - sums[:, 2:]) / 2)
        middle = (total[:2] + total[2:]) / 2
        swapped = np.abs(_difference(np.concatenate([middle + half, middle - half], axis=1)))
        rounding = 1e-9 * np.abs(total[[0, 2]] / total[[1, 3]]).max()
    as_large = int((~(swapped < abs(seen) - rounding)).sum())  # without a denominator: no evidence
    return as_large / len(signs) if len(signs) == 2 ** len(sums) else (1 + as_large) / (1 + len(signs))


def benjamini_hochberg(p: np.ndarray) -> np.ndarray:
    """Adjusted p of p [n]: the least false discovery rate at which each is a discovery (JRSS B 57, 1995). [n].

    A NaN (a comparison that could not be made) stays one and counts for nothing.
    """
    adjusted = np.full(len(p), np.nan)
    known = np.flatnonzero(~np.isnan(p))
    falling = known[np.argsort(-p[known], kind="stable")]
    scaled = p[falling] * len(known) / np.arange(len(known), 0, -1)
    adjusted[falling] = np.minimum(1.0, np.minimum.accumulate(scaled))
    return adjusted


def interval(values: np.ndarray, clusters: int) -> tuple[float, float]:
    """Expanded percentile ends of a statistic's values [resamples] from so many clusters; NaN values do not count."""
    tail = NormalDist().cdf(-critical(0.05, clusters - 1) * (clusters / (clusters - 1)) ** 0.5)
    low, high = np.quantile(values[~np.isnan(values)], [tail, 1 - tail])
    return float(low), float(high)


@lru_cache(maxsize=4)
def resampled(clusters: int, resamples: int, seed: int) -> np.ndarray:
    """How often each cluster is drawn: float64 [resamples, clusters], read-only. All statistics share the draws."""
    drawn = np.random.default_rng(seed).integers(clusters, size=(resamples, clusters))
    flat = (drawn + clusters * np.arange(resamples)[:, None]).ravel()
    counts = np.bincount(flat, minlength=resamples * clusters).reshape(resamples, clusters).astype(np.float64)
    counts.setflags(write=False)
    return counts


@lru_cache(maxsize=4)
def _signs(clusters: int, resamples: int, seed: int) -> np.ndarray:
    """+1 where the two keep their places, -1 where they change: float64 [all 2^clusters, or resamples; clusters]."""
    if 2**clusters <= resamples:
        bits = np.arange(2**clusters)[:, None] >> np.arange(clusters) & 1
    else:
        bits = np.random.default_rng(seed).integers(2, size=(resamples, clusters))
    signs: np.ndarray = 1.0 - 2 * bits
    return signs


def _estimate(
    sums: np.ndarray, statistic: Callable[[np.ndarray], np.ndarray], n: int, resamples: int, seed: int
) -> Estimate:
    """The statistic (of sums [..., m]) of all clusters' sums [k, m] together, and its interval."""
    with np.errstate(invalid="ignore", divide="ignore"):
        value = float(statistic(sums.sum(0)))
        if len(sums) < 2 or np.isnan(value):
            return Estimate(value, np.nan, np.nan, n)
        values = statistic(resampled(len(sums), resamples, seed) @ sums)
    return Estimate(value, *interval(values, len(sums)), n)


def _difference(sums: np.ndarray) -> np.ndarray:
    """Of sums [..., 4], our numerator and denominator and theirs."""
    difference: np.ndarray = sums[..., 0] / sums[..., 1] - sums[..., 2] / sums[..., 3]
    return difference


def _cluster_sums(columns: tuple[np.ndarray, ...], clusters: np.ndarray) -> np.ndarray:
    """Σ of each column [n] over each cluster: float64 [clusters, columns]."""
    names, index = np.unique(clusters, return_inverse=True)
    return np.stack([np.bincount(index, column, len(names)) for column in columns], axis=1)
