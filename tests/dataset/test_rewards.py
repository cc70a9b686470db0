import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st

from emodistill.dataset.rewards import Standing, advantages, standings, step_rewards, terminal_reward, turn_rewards
from emodistill.records import STATUSES, Reading, Rules
from emodistill.rollout.agreement import outcome

from builders import (
    ACCEPTS,
    PROPERTY,
    VAGUE,
    WALKS,
    dialogue,
    episode,
    mirrored,
    mirrored_turns,
    readings,
    scenario,
    scenarios,
    whole,
)

FEWER = scenario(20, 120)  # pos(x) = (120 - x) / 100
NO_END = 10**12  # messages, so that w(t) = 1


def rewards(said, agreed=None, bargain=FEWER, max_messages=10):
    status = "timeout" if agreed is None else "agreement"
    return step_rewards(bargain, episode(status, agreed, dialogue(*said)), max_messages)


@pytest.mark.parametrize(
    ("said", "agreed", "expected"),
    [
        # w = 0.9, 0.8, 0.7 of [counterparty's gain - focal's concession]
        ((30, 90), None, [0.9 * (0.3 - 0.1)]),
        ((30, 90, 50, 70), None, [0.9 * (0.3 - 0.1), 0.8 * (0.2 - 0.2)]),
        ((30, 90, 50, ACCEPTS), 50, [0.9 * (0.3 - 0.1), 0.8 * (0.4 - 0.2)]),
        ((30, 90, ACCEPTS), 90, [0.9 * (0.3 - 0.1), 0.8 * (0.0 - 0.6)]),
        ((30, 90, Reading(90, accepts=True)), 90, [0.9 * (0.3 - 0.1), 0.8 * (0.0 - 0.6)]),
        ((ACCEPTS, 90, 30), None, [0.9 * 0.3, 0.8 * -0.1]),
        ((ACCEPTS, 90, ACCEPTS), 90, [0.9 * 0.3, 0.8 * -0.7]),
        ((30, ACCEPTS), 30, [0.9 * (0.9 - 0.1)]),
        ((30,), None, [0.9 * -0.1]),
        ((VAGUE, VAGUE, VAGUE, WALKS), None, [0.0, 0.0]),
        ((30, VAGUE, VAGUE, 100, VAGUE, 110), None, [0.9 * -0.1, 0.8 * 0.2, 0.7 * -0.1]),
        ((40, 90, 30, 90), None, [0.9 * (0.3 - 0.2), 0.8 * 0.1]),
        ((60, 58), 59, [0.9 * (0.62 - 0.4)]),  # a midpoint moves nobody
        ((60, Reading(58, accepts=True)), 59, [0.9 * (0.62 - 0.4)]),
        ((20, 1000), None, [0.9 * -2.0]),
        ((1000, 120), None, [0.9 * -2.0]),
        ((-300, 120), None, [0.9 * 2.0]),
        ((1000, -1000), None, [0.9 * (2.0 - 2.0)]),
        ((20, 320, 20, 420), None, [0.9 * -2.0, 0.8 * -1.0]),
    ],
)
def test_step_rewards_by_hand(said, agreed, expected):
    assert rewards(said, agreed) == pytest.approx(expected, abs=1e-12)


def test_the_same_in_a_domain_where_the_focal_side_wants_more():
    assert rewards((110, 50, 90, ACCEPTS), 90, scenario(120, 20)) == pytest.approx([0.9 * 0.2, 0.8 * 0.2], abs=1e-12)


def test_positions_before_and_after_each_message():
    turns = dialogue(30, 90, VAGUE, ACCEPTS)
    assert standings(FEWER, episode("agreement", 30, turns)) == [
        Standing(1.0, 0.0), Standing(0.9, 0.0), Standing(0.9, 0.3), Standing(0.9, 0.3), Standing(0.9, 0.9)
    ]  # fmt: skip


@PROPERTY
@given(scenarios, st.lists(readings, min_size=1, max_size=9), whole)
def test_mirrored_numbers_give_the_same_rewards(bargain, said, shift):
    turns, rules = dialogue(*said), Rules(max_messages=9)
    end = outcome(bargain, turns, rules)
    status, agreed = ("timeout", None) if end is None else (end.status, end.agreed)
    there = None if agreed is None else shift - agreed
    here = step_rewards(bargain, episode(status, agreed, turns), 9)
    mirror = step_rewards(mirrored(bargain, shift), episode(status, there, mirrored_turns(turns, shift)), 9)
    np.testing.assert_array_equal(mirror, here)


@PROPERTY
@given(scenarios, st.lists(st.floats(-0.4, 1.4), min_size=1, max_size=8))
def test_without_discount_an_accepted_deal_at_p_is_worth_2p_minus_1_however_it_was_reached(bargain, path):
    agreed = bargain.value(path[-1])
    said = (*(bargain.value(p) for p in path), ACCEPTS)
    assert rewards(said, agreed, bargain, NO_END).sum() == pytest.approx(2 * bargain.pos(agreed) - 1, abs=1e-9)


@PROPERTY
@given(st.lists(st.floats(-0.4, 1.4), min_size=1, max_size=8))
def test_without_discount_rewards_sum_to_what_both_sides_moved(path):
    value = [FEWER.value(p) for p in path]
    focal, counterparty = path[::2][-1], [0.0, *path[1::2]][-1]
    assert rewards(value, max_messages=NO_END).sum() == pytest.approx(counterparty - (1 - focal), abs=1e-9)


def test_an_agreement_ends_with_2_and_any_other_end_with_minus_2():
    ends = {s: terminal_reward(episode(s, 50 if s == "agreement" else None, ())) for s in STATUSES if s != "error"}
    assert ends == {"agreement": 2.0, "breakdown": -2.0, "timeout": -2.0}


def test_the_last_focal_turn_also_has_the_end():
    ended = episode("agreement", 50, dialogue(30, 90, 50, 70, 50, ACCEPTS))
    steps = step_rewards(FEWER, ended, 10)
    assert turn_rewards(FEWER, ended, 10).tolist() == pytest.approx([*steps[:2], 0.7 * 0.2 + 2])


def test_an_error_has_no_reward():
    with pytest.raises(ValueError, match="e ended in a technical error"):
        terminal_reward(episode("error", None, dialogue(30)))


def test_advantages_by_hand():
    values = np.array([1.0, 5.0, 3.0, 5.0, 2.0, np.nan, 4.0, np.nan, 9.0])
    groups = np.array(["a", "b", "a", "b", "c", "c", "c", "d", "e"])
    np.testing.assert_allclose(advantages(values, groups), [-1, 0, 1, 0, -1, np.nan, 1, np.nan, 0])


def test_advantages_are_clipped_at_10():
    one_in_102 = np.array([1.0] + [0.0] * 101)  # z of the outlier: sqrt(101) = 10.05
    clipped = advantages(one_in_102, np.zeros(102))
    assert clipped[0] == 10.0 and advantages(-one_in_102, np.zeros(102))[0] == -10.0
    assert clipped[1] == pytest.approx(-1 / np.sqrt(101))


def test_a_spread_below_the_floor_gives_no_advantage():
    below, above = np.array([5.0, 5.0 + 1e-6]), np.array([5.0, 5.0 + 4e-6])  # σ = half the gap
    np.testing.assert_array_equal(advantages(below, np.zeros(2)), [0.0, 0.0])
    np.testing.assert_allclose(advantages(above, np.zeros(2)), [-1.0, 1.0], rtol=1e-6)


@PROPERTY
@given(st.lists(st.tuples(st.integers(1, 10) | st.just(np.nan), st.integers(0, 3)), min_size=1, max_size=30))
def test_advantages_of_a_scenario_are_centred_and_depend_on_no_other(rows):
    values, groups = np.array([float(v) for v, _ in rows]), np.array([g for _, g in rows])
    found = advantages(values, groups)
    np.testing.assert_array_equal(np.isnan(found), np.isnan(values))
    for group in set(groups):
        alone = found[groups == group]
        np.testing.assert_array_equal(alone, advantages(values[groups == group], np.zeros(len(alone))))
        assert abs(np.nansum(alone)) < 1e-9
