import math
from itertools import permutations

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st

from emodistill.judge.agreement import Agreement, agreement, interval_alpha

from builders import PROPERTY

NAN = math.nan
# Krippendorff (2011), section C: 12 units, four observers.
PUBLISHED = """
1 2 3 3 2 1 4 1 2 . . .
1 2 3 3 2 2 4 1 2 5 . 3
. 3 3 3 2 3 4 2 2 5 1 .
1 2 3 3 2 4 4 1 2 5 1 .
"""
UNITS = np.array([[NAN if x == "." else float(x) for x in row.split()] for row in PUBLISHED.strip().splitlines()]).T

cell = st.integers(1, 10).map(float) | st.just(NAN)
tables = st.integers(2, 4).flatmap(lambda k: st.lists(st.lists(cell, min_size=k, max_size=k), min_size=1, max_size=12))


def test_alpha_of_the_published_example():
    assert interval_alpha(UNITS) == pytest.approx(0.849, abs=5e-4)


def test_statistics_by_hand():
    # Differences 1, 0, 2. D_o = (1 + 0 + 4) / 3; values 1 2 4 4 7 9, all pairs: mean squared difference 2·8.25·6/5.
    found = agreement(np.array([[1, 2], [4, 4], [7, 9], [5, NAN], [NAN, NAN]]))
    values = [1, 2, 4, 4, 7, 9]
    between = np.mean([(a - b) ** 2 for a, b in permutations(values, 2)])
    assert found == Agreement(pytest.approx(1 - (5 / 3) / between), 1.0, pytest.approx(2 / 3))


@PROPERTY
@given(tables)
def test_alpha_is_that_of_a_plain_loop_over_pairs(rows):
    units = [[x for x in row if not math.isnan(x)] for row in rows]
    units = [unit for unit in units if len(unit) > 1]
    values = [x for unit in units for x in unit]
    found = interval_alpha(np.array(rows))
    if len(set(values)) < 2:
        assert math.isnan(found)
        return
    observed = sum(sum((a - b) ** 2 for a, b in permutations(u, 2)) / (len(u) - 1) for u in units) / len(values)
    assert found == pytest.approx(1 - observed / np.mean([(a - b) ** 2 for a, b in permutations(values, 2)]))


@PROPERTY
@given(tables, st.floats(0.1, 9), st.floats(-9, 9))
def test_alpha_keeps_with_the_scale_and_the_order_of_repeats(rows, factor, shift):
    scores = np.array(rows)
    expected = pytest.approx(interval_alpha(scores), abs=1e-9, nan_ok=True)
    assert interval_alpha(scores * factor + shift) == expected or math.isnan(interval_alpha(scores))
    assert interval_alpha(scores[::-1, ::-1]) == expected


def test_repeats_that_agree_have_alpha_1_and_chance_has_0():
    same = np.repeat(np.arange(1.0, 11)[:, None], 3, axis=1)
    assert agreement(same) == Agreement(1.0, 0.0, 1.0)
    assert interval_alpha(np.random.default_rng(0).integers(1, 11, (20_000, 2)).astype(float)) == pytest.approx(
        0, abs=0.03
    )


@pytest.mark.parametrize("scores", [[[5.0], [7.0]], [[NAN, NAN]], [[5.0, NAN], [NAN, 7.0]], np.empty((0, 3))])
def test_nothing_to_pair_is_no_agreement(scores):
    assert repr(agreement(np.array(scores))) == repr(Agreement(NAN, NAN, NAN))


def test_one_value_for_all_has_no_alpha_but_no_difference_either():
    found = agreement(np.full((4, 2), 7.0))
    assert math.isnan(found.alpha) and (found.difference, found.within_one) == (0.0, 1.0)
