import math

import numpy as np
import pytest

from emodistill.report.ratings import bradley_terry, ratings


def by_hunter(points):
    """The same by the MM algorithm (Hunter, 2004), with the drawn game against a player of strength 1."""
    games, wins, strength = points + points.T, points.sum(1) + 0.5, np.ones(len(points))
    for _ in range(50_000):
        pairs = games / (strength[:, None] + strength)
        strength = wins / (pairs.sum(1) + 1 / (strength + 1))
    return np.log(strength) - np.log(strength).mean()


def test_two_players_by_hand():
    # With 3 : 1 points, d the difference and its halves against the player at 0: 3 - 4 s(d) + 0.5 - s(d / 2) = 0.
    a, b = bradley_terry(np.array([[0, 3.0], [1, 0]]))
    s = lambda x: 1 / (1 + math.exp(-x))  # noqa: E731
    assert a == -b and 3 - 4 * s(a - b) + 0.5 - s(a) == pytest.approx(0, abs=1e-9)
    [a, b] = bradley_terry(np.array([[0, 75_000.0], [25_000, 0]]))
    assert a - b == pytest.approx(math.log(3), abs=1e-4)  # among many games the prior is nothing


@pytest.mark.parametrize("kind", ["mixed", "draws", "always wins", "two groups"])
def test_the_ratings_are_those_of_another_algorithm(kind):
    rng = np.random.default_rng(3)
    points = rng.integers(1, 9, (5, 5)) / 2
    if kind == "draws":
        points = (points + points.T) / 2
    if kind == "always wins":
        points[:, 0], points[0] = 0, 5
    if kind == "two groups":
        points[:2, 2:] = points[2:, :2] = 0
    np.fill_diagonal(points, 0)
    found = bradley_terry(points)
    assert found == pytest.approx(by_hunter(points), abs=1e-6) and np.isfinite(found).all()
    assert (kind == "draws") == bool(np.abs(found).max() < 1e-9)
    assert kind != "always wins" or found.argmax() == 0


def test_intervals_are_by_scenario_and_hold_the_truth():
    rng, theta = np.random.default_rng(0), np.array([-0.6, 0.0, 0.6])
    chance = 1 / (1 + np.exp(theta - theta[:, None]))
    held = 0
    for _ in range(200):
        wins = np.triu(rng.binomial(10, np.broadcast_to(chance, (30, 3, 3))), 1)
        points = wins + np.swapaxes(np.triu(10 - wins, 1), 1, 2)
        found = ratings(points.astype(float), 500, 1)
        held += sum(e.low <= truth <= e.high for e, truth in zip(found, theta, strict=True))
    assert {e.n for e in found} == {600} and 0.92 <= held / 600 <= 0.98


def test_one_scenario_has_no_interval():
    found = ratings(np.array([[[0, 3.0], [1, 0]]]), 100, 1)
    assert found[0].value > 0 and math.isnan(found[0].low) and found[0].n == 4
