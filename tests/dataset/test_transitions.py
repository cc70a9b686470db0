from dataclasses import fields

import numpy as np
import pytest

from emodistill.dataset.states import state_before
from emodistill.dataset.transitions import Transitions, concatenate, transitions
from emodistill.emotions import GOEMOTIONS

from builders import VAGUE, dialogue, episode, scenario

EMOTIONS = ("joy", "anger", "joy")
SHORT = episode("timeout", None, dialogue(30, 110, 40, emotions=EMOTIONS))
LONG = episode("timeout", None, dialogue(30, 110, 40, VAGUE, 50, 100, emotions=EMOTIONS))


def made(of):
    n = len(of.focal_turns())
    outcome, judge, hybrid = (np.arange(n) + offset for offset in (0.5, 10.0, 20.0))
    return transitions(scenario(), of, 10, outcome, judge, hybrid, 7)


@pytest.mark.parametrize(("of", "n"), [(SHORT, 2), (LONG, 3)])
def test_shapes_and_types(of, n):
    rows = made(of)
    assert rows.s_tm1.shape == rows.s_t.shape == (n, 9) and rows.s_tm1.dtype == rows.s_t.dtype == np.float32
    for name in ("last_tm1", "a_tm1", "last_t"):
        assert (getattr(rows, name).shape, getattr(rows, name).dtype) == ((n,), np.int64)
    assert rows.done_t.dtype == bool and set(rows.columns()) == {field.name for field in fields(Transitions)}


def test_each_row_is_a_focal_turn_and_its_next_state_is_the_next_rows():
    rows = made(LONG)
    for row, turn in enumerate(LONG.focal_turns()):
        state, last = state_before(scenario(), LONG.turns[: turn.index], 10)
        np.testing.assert_array_equal(rows.s_tm1[row], state)
        assert rows.last_tm1[row] == last
    np.testing.assert_array_equal(rows.s_t[:-1], rows.s_tm1[1:])
    joy, anger = GOEMOTIONS.index("joy"), GOEMOTIONS.index("anger")
    assert rows.a_tm1.tolist() == [joy, anger, joy]
    assert (rows.last_tm1.tolist(), rows.last_t.tolist()) == ([28, joy, anger], [joy, anger, 28])


@pytest.mark.parametrize("of", [SHORT, LONG])
def test_only_the_last_row_is_done_and_its_next_state_is_empty(of):
    rows = made(of)
    assert rows.done_t.tolist() == [False] * (len(rows.done_t) - 1) + [True]
    assert not rows.s_t[-1].any() and rows.last_t[-1] == 28


def test_signals_keep_their_rows():
    rows = made(LONG)
    assert rows.outcome_t.tolist() == [0.5, 1.5, 2.5] and rows.judge_t.tolist() == [10, 11, 12]
    assert rows.hybrid_t.tolist() == [20, 21, 22]


def test_concatenation_is_row_by_row():
    both = concatenate([made(SHORT), made(LONG)]).columns()
    for name, column in both.items():
        np.testing.assert_array_equal(column, np.concatenate([getattr(made(SHORT), name), getattr(made(LONG), name)]))
    assert both["done_t"].tolist() == [False, True, False, False, True]


def test_a_turn_without_emotion_is_no_transition():
    with pytest.raises(ValueError, match="not in"):
        made(episode("timeout", None, dialogue(30, 110, 40, emotions=("joy",))))
