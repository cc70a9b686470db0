import math

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st

from emodistill.report.statistics import (
    Estimate,
    benjamini_hochberg,
    cluster_ratio,
    paired_difference,
    swap_p,
)

from builders import PROPERTY

NAN = math.nan


def ratio(rows, resamples=2000, seed=1):
    """rows: (cluster, numerator, denominator)"""
    clusters, top, bottom = zip(*rows, strict=True)
    return cluster_ratio(np.array(top, float), np.array(bottom, float), np.array(clusters), resamples, seed)


@st.composite
def tables(draw):
    cell = st.tuples(st.sampled_from("abcde"), st.integers(-9, 9), st.integers(0, 3))
    rows = draw(st.lists(cell, min_size=1, max_size=25).filter(lambda rows: sum(row[2] for row in rows) > 0))
    return [(name, top if bottom else 0, bottom) for name, top, bottom in rows]


@PROPERTY
@given(tables(), st.integers(0, 9))
def test_the_interval_is_that_of_a_plain_loop_over_whole_clusters(rows, seed):
    names = sorted({name for name, _, _ in rows})
    value = sum(top for _, top, _ in rows) / sum(bottom for _, _, bottom in rows)
    found = ratio(rows, 200, seed)
    assert (found.value, found.n) == (pytest.approx(value), len(rows))
    if len(names) == 1:
        assert math.isnan(found.low) and math.isnan(found.high)
        return
    values = []
    for names_drawn in np.random.default_rng(seed).integers(len(names), size=(200, len(names))):
        drawn = [row for k in names_drawn for row in rows if row[0] == names[k]]
        if (bottom := sum(row[2] for row in drawn)) > 0:
            values.append(sum(row[1] for row in drawn) / bottom)
    # Student's 97.5 % points for 1 to 4 degrees of freedom, from a printed table.
    t, k = (12.706, 4.303, 3.182, 2.776)[len(names) - 2], len(names)
    tail = math.erfc(t * math.sqrt(k / (k - 1)) / math.sqrt(2)) / 2
    ends = tuple(np.quantile(values, [tail, 1 - tail]))
    assert (found.low, found.high) == pytest.approx(ends, rel=1e-3, abs=1e-3)


def test_two_clusters_have_an_interval_in_closed_form():
    # Both draws fall on the same cluster in a quarter of the resamples each, so the ends are the clusters' means.
    assert ratio([("a", 10, 1), ("a", 20, 1), ("b", 70, 1), ("b", 90, 1)]) == Estimate(47.5, 15.0, 80.0, 4)


def test_episodes_of_a_cluster_are_no_independent_evidence():
    rows = [(name, value, 1) for name, value in zip("abcdefgh", range(8), strict=True)]
    assert ratio(rows * 50) == Estimate(3.5, ratio(rows).low, ratio(rows).high, 400)


def test_many_clusters_give_the_normal_interval():
    values = np.random.default_rng(0).normal(5, 2, 400)
    found = cluster_ratio(values, np.ones(400), np.arange(400), 4000, 1)
    half = 1.96 * values.std() / math.sqrt(400)
    assert (found.low, found.high) == pytest.approx((values.mean() - half, values.mean() + half), abs=0.03)


def test_the_same_seed_gives_the_same_interval():
    rows = [(k % 7, k * k % 11, 1) for k in range(40)]
    assert ratio(rows, seed=3) == ratio(rows, seed=3) != ratio(rows, seed=4)


@pytest.mark.parametrize("rows", [[("a", 0, 0), ("b", 0, 0)], [("a", 0, 0)]])
def test_nothing_to_count_gives_no_value(rows):
    assert repr(ratio(rows)) == repr(Estimate(NAN, NAN, NAN, len(rows)))


def test_no_episode_gives_no_value():
    empty = np.array([])
    assert repr(cluster_ratio(empty, empty, empty, 100, 1)) == repr(Estimate(NAN, NAN, NAN, 0))


def test_one_cluster_has_a_value_but_no_interval():
    found = ratio([("a", 1, 1), ("a", 4, 1)])
    assert found.value == 2.5 and math.isnan(found.low) and math.isnan(found.high) and not found.excludes_zero()


def test_resamples_without_a_denominator_do_not_count():
    assert ratio([("a", 3, 1), ("b", 0, 0)]) == Estimate(3.0, 3.0, 3.0, 2)


def parts(*rows):
    """Rows of (numerator, denominator)."""
    top, bottom = np.array(rows, float).T
    return top, bottom


def test_a_paired_difference_of_ratios_by_hand():
    ours, theirs = parts((10, 1), (0, 0), (30, 1)), parts((5, 1), (5, 1), (0, 1))
    found = paired_difference(ours, theirs, np.array([0, 0, 1]), 2000, 1)
    assert found == Estimate(pytest.approx(20 - 10 / 3), 5.0, 30.0, 3)  # ends: one scenario or the other alone
    assert found.excludes_zero()


def test_no_pair_gives_no_difference():
    empty = np.array([])
    found = paired_difference((empty, empty), (empty, empty), empty, 100, 1)
    assert found.n == 0 and math.isnan(found.value)
    assert math.isnan(swap_p((empty, empty), (empty, empty), empty, 100, 1))


def test_pairing_takes_out_what_scenarios_have_in_common():
    level = 100.0 * np.arange(20)
    found = paired_difference((level + 1, np.ones(20)), (level, np.ones(20)), np.arange(20), 500, 1)
    assert found == Estimate(1.0, 1.0, 1.0, 20)


def test_the_swap_p_is_that_of_all_swaps_one_by_one():
    rng = np.random.default_rng(4)
    clusters = np.repeat(np.arange(6), 5)
    ours, theirs = ((rng.random(30) * b, b) for b in rng.integers(0, 2, (2, 30)).astype(float))

    def ratios(swapped):
        sides = [np.where(np.isin(clusters, swapped), b, a) for a, b in zip(ours + theirs, theirs + ours, strict=True)]
        return sides[0].sum() / sides[1].sum() - sides[2].sum() / sides[3].sum()

    every = [[c for c in range(6) if k >> c & 1] for k in range(64)]
    seen = abs(ratios([]))
    by_hand = np.mean([abs(ratios(swapped)) >= seen - 1e-12 for swapped in every])
    assert swap_p(ours, theirs, clusters, 1000, 1) == by_hand
    assert swap_p(ours, theirs, clusters, 63, 1) == pytest.approx(by_hand, abs=0.2)  # random swaps


def test_swap_p_of_scenarios_that_all_agree_and_of_none_that_differ():
    ones, clusters = np.ones(5), np.arange(5)
    assert swap_p((ones, ones), (0 * ones, ones), clusters, 1000, 1) == 2 / 32
    assert swap_p((ones, ones), (ones, ones), clusters, 1000, 1) == 1.0
    forty = np.ones(40)
    assert swap_p((forty, forty), (0 * forty, forty), np.arange(40), 999, 1) == 1 / 1000


def test_swap_p_is_uniform_where_nothing_differs():
    rng, found = np.random.default_rng(2), []
    for _ in range(1500):
        level = np.repeat(rng.normal(0, 2, 20), 5)
        ours, theirs = ((level + rng.normal(0, 1, 100), np.ones(100)) for _ in range(2))
        found.append(swap_p(ours, theirs, np.repeat(np.arange(20), 5), 400, 1))
    assert np.mean(np.array(found) <= 0.05) == pytest.approx(0.05, abs=0.015)
    assert np.mean(found) == pytest.approx(0.5, abs=0.03)


def test_benjamini_hochberg_by_hand_and_a_comparison_that_was_not_made_counts_for_nothing():
    p = np.array([0.04, NAN, 0.01, 0.03, 0.9])
    found = benjamini_hochberg(p)
    assert found[[0, 2, 3, 4]] == pytest.approx([0.04 * 4 / 3, 0.04, 0.04 * 4 / 3, 0.9])
    assert math.isnan(found[1]) and benjamini_hochberg(np.array([])).shape == (0,)


@pytest.mark.parametrize(
    ("low", "high", "excludes"), [(1, 2, True), (-2, -1, True), (-1, 1, False), (0, 1, False), (-1, 0, False)]
)
def test_an_interval_excludes_zero_if_it_lies_on_one_side(low, high, excludes):
    assert Estimate(0.5, low, high, 3).excludes_zero() == excludes
