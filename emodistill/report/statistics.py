"""Intervals that respect what is repeated: 95 % bootstrap clustered by scenario (METHOD.md §8). Pure functions."""

from dataclasses import dataclass

import numpy as np


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
    """Σ numerator / Σ denominator with a percentile interval from resampling whole clusters.

    All [n], one entry an episode; `clusters` names each episode's scenario. With fewer than two clusters there is no
    interval.
    """
    n = len(numerator)
    total = denominator.sum() if n else 0.0
    if total == 0:
        return Estimate(np.nan, np.nan, np.nan, n)
    names, index = np.unique(clusters, return_inverse=True)
    tops = np.bincount(index, numerator, len(names))
    bottoms = np.bincount(index, denominator, len(names))
    value = tops.sum() / total
    if len(names) < 2:
        return Estimate(value, np.nan, np.nan, n)
    draws = np.random.default_rng(seed).multinomial(len(names), np.full(len(names), 1 / len(names)), size=resamples)
    with np.errstate(invalid="ignore", divide="ignore"):
        values = (draws @ tops) / (draws @ bottoms)
    low, high = np.nanpercentile(values, [2.5, 97.5])
    return Estimate(float(value), float(low), float(high), n)


def paired_difference(
    ours: dict[tuple[str, int], float], theirs: dict[tuple[str, int], float], resamples: int, seed: int
) -> Estimate:
    """Mean of ours − theirs over the (scenario, seed) pairs that both have, clustered by scenario."""
    shared = sorted(ours.keys() & theirs.keys())
    difference = np.array([ours[key] - theirs[key] for key in shared])
    clusters = np.array([scenario for scenario, _ in shared])
    return cluster_ratio(difference, np.ones(len(shared)), clusters, resamples, seed)
