"""How often the 95 % intervals hold the truth, in a design like ours: 5 seeds, scenarios that differ."""

import numpy as np
import pytest

from emodistill.report.statistics import cluster_ratio, paired_difference

SEEDS, DRAWS, RESAMPLES = 5, 2000, 2000
# A scenario's chance of agreement p is Beta(2, 2), so E p = 0.5 and E p² = 0.3; its mean savings 0.3 + 0.4 p.
TRUTH = {"success": 50.0, "utility": 100 * (0.3 * 0.5 + 0.4 * 0.3), "outcomes": 100 * (0.3 + 0.4 * 0.3 / 0.5)}


def play(rng, p):
    """Savings and agreements of SEEDS episodes in scenarios with these p: [scenarios * SEEDS] both."""
    of = np.repeat(p, SEEDS)
    agreed = (rng.random(len(of)) < of).astype(float)
    return 100 * agreed * rng.beta(4 * (0.3 + 0.4 * of), 4 * (0.7 - 0.4 * of)), agreed


@pytest.mark.parametrize("scenarios", [20, 80])
def test_nineteen_of_twenty_intervals_hold_the_truth(scenarios):
    rng, clusters = np.random.default_rng(11), np.repeat(np.arange(scenarios), SEEDS)
    ones, held = np.ones(len(clusters)), dict.fromkeys([*TRUTH, "difference"], 0)
    for _ in range(DRAWS):
        p = rng.beta(2, 2, scenarios)
        savings, agreed = play(rng, p)
        figures = {"success": (100 * agreed, ones), "utility": (savings, ones), "outcomes": (savings, agreed)}
        for name, parts in figures.items():
            found = cluster_ratio(*parts, clusters, RESAMPLES, 1)
            held[name] += found.low <= TRUTH[name] <= found.high
        same = paired_difference((savings, agreed), play(rng, p), clusters, RESAMPLES, 1)  # outcomes, truth 0
        held["difference"] += not same.excludes_zero()
    assert all(0.93 <= count / DRAWS <= 0.97 for count in held.values()), held
