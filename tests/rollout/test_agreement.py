import pytest
from hypothesis import given
from hypothesis import strategies as st

from emodistill.records import Reading, Rules
from emodistill.rollout.agreement import Outcome, outcome, standing_offer, tolerance

from builders import (
    ACCEPTS,
    PROPERTY,
    RULES,
    VAGUE,
    WALKS,
    dialogue,
    mirrored,
    mirrored_turns,
    readings,
    scenario,
    scenarios,
    whole,
)

FEWER, MORE = scenario(20, 120), scenario(120, 20)  # what the focal side wants
GOES_ON = None


@pytest.mark.parametrize(
    ("bargain", "said", "end"),
    [
        (FEWER, (), GOES_ON),
        (FEWER, (30, 110), GOES_ON),
        (FEWER, (30, 110, ACCEPTS), Outcome("agreement", 110)),
        (FEWER, (30, ACCEPTS), Outcome("agreement", 30)),
        (FEWER, (30, 110, 40, ACCEPTS), Outcome("agreement", 40)),
        (FEWER, (30, 110, VAGUE, ACCEPTS), Outcome("agreement", 30)),
        (FEWER, (30, 110, Reading(110, accepts=True)), Outcome("agreement", 110)),
        (FEWER, (30, 110, Reading(50, accepts=True)), GOES_ON),
        (FEWER, (ACCEPTS,), GOES_ON),
        (FEWER, (30, VAGUE, ACCEPTS), GOES_ON),
        (FEWER, (VAGUE, 110, VAGUE, ACCEPTS), GOES_ON),
        (FEWER, (30, 110, WALKS), Outcome("breakdown")),
        (FEWER, (30, WALKS), Outcome("breakdown")),
        (FEWER, (WALKS,), Outcome("breakdown")),
        (FEWER, (30, Reading(30, walks=True)), Outcome("breakdown")),
        (FEWER, (60, 50), Outcome("agreement", 55)),
        (MORE, (50, 60), Outcome("agreement", 55)),
        (MORE, (60, 40), GOES_ON),
        (FEWER, (60, 60), Outcome("agreement", 60)),
        (FEWER, (30, 80, 81), Outcome("agreement", 80.5)),
        (FEWER, (60, VAGUE, VAGUE, 62), Outcome("agreement", 61)),
    ],
)
def test_how_a_negotiation_ends(bargain, said, end):
    assert outcome(bargain, dialogue(*said), RULES) == end


def test_the_last_message_times_out_unless_it_settles():
    rules = Rules(max_messages=4)
    assert outcome(FEWER, dialogue(30, 110, 40), rules) is GOES_ON
    assert outcome(FEWER, dialogue(30, 110, 40, 100), rules) == Outcome("timeout")
    assert outcome(FEWER, dialogue(30, 110, 40, VAGUE), rules) == Outcome("timeout")
    assert outcome(FEWER, dialogue(30, 110, 40, ACCEPTS), rules) == Outcome("agreement", 40)
    assert outcome(FEWER, dialogue(30, 110, 40, 42), rules) == Outcome("agreement", 41)
    assert outcome(FEWER, dialogue(30, 110, 40, WALKS), rules) == Outcome("breakdown")


@pytest.mark.parametrize(
    ("rules", "bargain", "border"),
    [
        (Rules(), FEWER, 5),
        (Rules(), scenario(10, 30), 1),
        (Rules(), scenario(200, -40), 12),
        (Rules(tolerance_pct=0), FEWER, 0),
        (Rules(tolerance_units=0), FEWER, 0),
        (Rules(tolerance_units=5), scenario(10, 30), 5),
        (Rules(tolerance_units=5), scenario(0, 1000), 5),
    ],
)
def test_offers_agree_at_the_tolerance_and_not_beyond(rules, bargain, border):
    towards = 1 if bargain.counterparty_target > bargain.focal_target else -1
    middle = bargain.value(0.5)
    assert tolerance(bargain, rules) == border
    for gap, end in ((border, Outcome("agreement", middle + towards * border / 2)), (border + 0.001, GOES_ON)):
        assert outcome(bargain, dialogue(middle, middle + towards * gap), rules) == end


@PROPERTY
@given(scenarios, st.lists(readings, max_size=8), whole, st.none() | st.integers(0, 50).map(float))
def test_mirrored_numbers_end_the_same_way_at_the_mirrored_value(bargain, said, shift, units):
    rules, turns = Rules(max_messages=6, tolerance_units=units), dialogue(*said)
    there = outcome(mirrored(bargain, shift), mirrored_turns(turns, shift), rules)
    here = outcome(bargain, turns, rules)
    if here is not None and here.agreed is not None:
        here = Outcome(here.status, shift - here.agreed)
    assert there == here


@PROPERTY
@given(scenarios, whole, whole)
def test_two_offers_settle_at_their_midpoint_if_and_only_if_they_cross_or_are_near(bargain, focal, counterparty):
    crossed = bargain.pos(focal) <= bargain.pos(counterparty)
    near = 20 * abs(focal - counterparty) <= abs(bargain.focal_target - bargain.counterparty_target)
    expected = Outcome("agreement", (focal + counterparty) / 2) if crossed or near else GOES_ON
    assert outcome(bargain, dialogue(focal, counterparty), RULES) == expected
    assert outcome(bargain, dialogue(VAGUE, counterparty, focal), RULES) == expected


def test_the_standing_offer_is_the_latest_figure_of_that_seat():
    turns = dialogue(30, 110, VAGUE, 100, 40, ACCEPTS)
    assert (standing_offer(turns, "focal"), standing_offer(turns, "counterparty")) == (40, 100)
    assert (standing_offer(turns[:1], "counterparty"), standing_offer((), "focal")) == (None, None)
