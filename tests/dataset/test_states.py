import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st

from emodistill.dataset.states import NO_EMOTION, STATE_NAMES, state_before
from emodistill.emotions import GOEMOTIONS

from builders import PROPERTY, VAGUE, dialogue, mirrored, mirrored_turns, readings, scenario, scenarios, whole

FEWER = scenario(20, 120)


def named(turns, bargain=FEWER, max_messages=10):
    values, _ = state_before(bargain, turns, max_messages)
    return dict(zip(STATE_NAMES, values.tolist(), strict=True))


def test_the_state_before_the_first_turn():
    values, last = state_before(FEWER, (), 10)
    np.testing.assert_array_equal(values, np.array([0, 1, 0, 0, 0, 0, 0, 0.5, 0.3], np.float32))
    assert values.dtype == np.float32 and last == NO_EMOTION == 28


def test_a_state_by_hand():
    turns = dialogue(30, 100, 40, VAGUE, emotions=("joy", "anger"))
    values, last = state_before(FEWER, turns, 10)
    assert values == pytest.approx([0.0, 0.8 - 0.2, 0.4, 0.2, 0.2, (0.2 + 0.0) / 2, 0.1, 0.5, 0.3], abs=1e-7)
    assert last == GOEMOTIONS.index("anger")


def test_only_the_last_three_concessions_are_averaged():
    state = named(dialogue(30, 100, 30, 90, 30, 60, 30, 66))  # steps 0.2, 0.1, 0.3, -0.06
    assert state["mean of last 3 counterparty concessions"] == pytest.approx((0.1 + 0.3 - 0.06) / 3)
    assert state["last counterparty concession"] == pytest.approx(-0.06)
    assert state["counterparty position"] == pytest.approx(0.54)


@pytest.mark.parametrize(
    ("replies", "stalled"),
    [
        ((100,), 0), ((VAGUE,), 1), ((119.5,), 1), ((119,), 0), ((121,), 0), ((100, 100, 99.5, VAGUE), 3),
        ((100, 100, 90), 0), ((VAGUE,) * 4, 4),
    ],
)  # fmt: skip
def test_stalemate_counts_replies_without_movement_since_the_last_one(replies, stalled):
    turns = dialogue(*(said for reply in replies for said in (30, reply)))
    assert named(turns)["stalemate count / 10"] == pytest.approx(stalled / 10)


def test_a_turn_without_emotion_counts_as_none_yet():
    assert state_before(FEWER, dialogue(30, 100), 10)[1] == NO_EMOTION
    assert state_before(FEWER, dialogue(30, 100, emotions=("neutral",)), 10)[1] == 27


@PROPERTY
@given(scenarios, st.lists(readings, max_size=8), whole)
def test_mirrored_numbers_give_the_same_state(bargain, said, shift):
    here, _ = state_before(bargain, dialogue(*said), 10)
    there, _ = state_before(mirrored(bargain, shift), mirrored_turns(dialogue(*said), shift), 10)
    np.testing.assert_array_equal(there, here)
