import math

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st

from emodistill.report.statistics import Estimate, cluster_ratio, paired_difference

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
    for counts in np.random.default_rng(seed).multinomial(len(names), [1 / len(names)] * len(names), size=200):
        drawn = [row for name, times in zip(names, counts, strict=True) for row in rows * times if row[0] == name]
        if (bottom := sum(row[2] for row in drawn)) > 0:
            values.append(sum(row[1] for row in drawn) / bottom)
    assert (found.low, found.high) == pytest.approx(tuple(np.percentile(values, [2.5, 97.5])))


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


def test_only_shared_pairs_are_compared():
    ours = {("a", 0): 10.0, ("a", 1): 20.0, ("b", 0): 30.0, ("c", 0): 900.0}
    theirs = {("a", 0): 5.0, ("a", 1): 5.0, ("b", 0): 0.0, ("b", 1): -900.0, ("d", 0): 7.0}
    found = paired_difference(ours, theirs, 2000, 1)
    assert (found.value, found.n) == (pytest.approx((5 + 15 + 30) / 3), 3)
    assert (found.low, found.high) == (10.0, 30.0)  # the two shared scenarios' means
    assert found.excludes_zero()


def test_no_shared_pair_gives_no_difference():
    found = paired_difference({("a", 0): 1.0}, {("b", 0): 1.0}, 100, 1)
    assert found.n == 0 and math.isnan(found.value)


def test_pairing_takes_out_what_scenarios_have_in_common():
    ours = {(str(k), 0): 100.0 * k + 1 for k in range(20)}
    theirs = {(str(k), 0): 100.0 * k for k in range(20)}
    assert paired_difference(ours, theirs, 500, 1) == Estimate(1.0, 1.0, 1.0, 20)


@pytest.mark.parametrize(
    ("low", "high", "excludes"), [(1, 2, True), (-2, -1, True), (-1, 1, False), (0, 1, False), (-1, 0, False)]
)
def test_an_interval_excludes_zero_if_it_lies_on_one_side(low, high, excludes):
    assert Estimate(0.5, low, high, 3).excludes_zero() == excludes
