import pytest
from hypothesis import given
from hypothesis import strategies as st

from emodistill.domains.quantities import Duration
from emodistill.records import Reading
from emodistill.rollout.offers import read

from builders import PROPERTY

DAYS = Duration("days")

OFFERS = {
    "I can offer 45 days.": 45,
    "45 Days!": 45,
    "FORTY DAYS": 40,
    "30days": 30,
    "A 30-day plan is what I propose.": 30,
    "30 full days": 30,
    "30 business days": 30,
    "another 30 days": 30,
    "Pay in ten days.": 10,
    "seventeen days": 17,
    "ninety days": 90,
    "forty-five days": 45,
    "forty five days": 45,
    "a hundred days": 100,
    "one hundred and twenty days": 120,
    "one hundred five days": 105,
    "one hundred and twenty-five days": 125,
    "two hundred days": 200,
    "within a week": 7,
    "six weeks": 42,
    "2.5 weeks": 17.5,
    "a fortnight": 14,
    "one month": 30,
    "Let us say 3 months.": 90,
    "30-45 days": 37.5,
    "30 – 45 days": 37.5,
    "thirty to sixty days": 45,
    "Between 30 and 45 days works.": 37.5,
    "two or three weeks": 17.5,
    "First I said 60 days, now I say 50 days.": 50,
    "Could you do 30 days?": 30,
    "I accept, if it is 20 days.": 20,
    "If we can do 45 days, we have a deal.": 45,
    "at most 60 days": 60,
    "It is 500 USD, due in 12 days.": 12,
    "You asked for 90 days, I can do 50 days.": 50,
    "60 days won't work, 40 days will.": 40,
    "Not 60 days but 45 days.": 45,
    "I can do 60 days instead of 90 days.": 60,
    "Instead of 90 days, let us settle on 60 days.": 60,
    "The debt is 120 days overdue; pay within 30 days.": 30,
    "Your offer of 90 days is too far off, so 40 days.": 40,
}

NO_FIGURE = (
    "",
    "Hello there.",
    "It is 500 USD.",
    "We face hard days.",
    "Have a good day.",
    "Every day counts.",
    "We need a few more days.",
    "Not 60 days.",
    "Your offer of 90 days.",
    "Your request for 90 days?",
    "You said 90 days.",
    "I cannot accept 30 days.",
    "I can't do 30 days.",
    "We won't wait 90 days.",
    "90 days is too long.",
    "60 days are too many.",
    "60 days is not possible.",
    "The account is 45 days overdue.",
    "45 days past due",
    "It was due 30 days ago.",
    "30 days late",
    "We are past 90 days.",
)

ACCEPTANCES = (
    "I accept.",
    "I accept your offer.",
    "I accept your offer of 45 days.",
    "I gladly accept your proposal.",
    "We can accept that.",
    "We agree.",
    "I agree to your terms.",
    "I will take it.",
    "Deal!",
    "It's a deal.",
    "It’s a deal.",
    "You have a deal.",
    "We have a deal, I accept.",
    "We can live with that.",
    "I accept. These talks are over.",
    "Agreed.",
    "Accepted.",
)

NOT_ACCEPTANCES = (
    "I can't accept that.",
    "I cannot accept your offer.",
    "We will not accept this.",
    "I do not agree to that.",
    "We refuse to accept that.",
    "I could accept your offer.",
    "I can accept your offer if you provide collateral.",
    "Before I accept, tell me more.",
    "If we accept, will you pay?",
    "I agree with you that it is late.",
    "Would you accept that?",
    "Dealing with you is hard.",
)

WALK_AWAYS = (
    "I am walking away.",
    "I'm walking away.",
    "We’re done negotiating.",
    "These talks are over.",
    "We will walk away.",
    "I must end this negotiation.",
    "There is nothing more to discuss.",
)

THREATS = (
    "If you do not move, we will walk away.",
    "Name a figure or I will walk away.",
    "I do not want to walk away.",
    "I don't want to end the talks.",
    "Before I walk away, one last try.",
)


@pytest.mark.parametrize(("text", "days"), OFFERS.items())
def test_an_offer_is_read_in_days(text, days):
    found = read(text, DAYS)
    assert found.offer == days and not found.walks


@pytest.mark.parametrize("text", NO_FIGURE)
def test_quoted_negated_and_overdue_figures_are_no_offers(text):
    assert read(text, DAYS) == Reading()


@pytest.mark.parametrize("text", ACCEPTANCES)
def test_an_acceptance_is_heard(text):
    assert read(text, DAYS) == Reading(accepts=True)


@pytest.mark.parametrize("text", [*NOT_ACCEPTANCES, *THREATS])
def test_refusals_conditions_and_threats_end_nothing(text):
    assert read(text, DAYS) == Reading()


@pytest.mark.parametrize("text", WALK_AWAYS)
def test_a_walk_away_is_heard(text):
    assert read(text, DAYS) == Reading(walks=True)


def test_an_acceptance_may_name_its_figure():
    assert read("I accept 45 days.", DAYS) == Reading(offer=45, accepts=True)


MISREAD = {
    "overdue without the word after the figure": ("The debt has been overdue for 120 days.", Reading()),
    "overdue by": ("The account is overdue by 45 days.", Reading()),
    "unacceptable": ("60 days is unacceptable.", Reading()),
    "can not in two words": ("I can not do 30 days.", Reading()),
    "unable to": ("We are unable to do 30 days.", Reading()),
    "not wait": ("I will not wait 90 days.", Reading()),
    "your proposed": ("Your proposed 90 days are noted.", Reading()),
    "from x to y": ("I come down from 90 to 60 days.", Reading(60)),
    "thousands separator": ("1,200 days", Reading(1200)),
    "five digits": ("12345 days", Reading()),
    "half a month": ("half a month", Reading(15)),
    "idiom": ("One day we will laugh about it.", Reading()),
    "money and days": ("I can pay 500 and 30 days is what I need.", Reading(30)),
    "contracted acceptance": ("I'll accept that.", Reading(accepts=True)),
    "contracted take": ("We’ll take it.", Reading(accepts=True)),
    "condition after a bare acceptance": ("I accept your offer if you provide collateral.", Reading()),
    "question": ("Do we have a deal?", Reading()),
    "not accepted": ("Your offer is not accepted.", Reading()),
    "deal with": ("Deal with me fairly.", Reading()),
    "condition after a walk-away": ("We will walk away if you do not move.", Reading()),
    "unless": ("Unless you move, we will walk away.", Reading()),
    "conversation": ("This conversation is over.", Reading(walks=True)),
}


@pytest.mark.parametrize(("text", "right"), MISREAD.values(), ids=MISREAD)
def test_sentences_that_are_easily_misread(text, right):
    assert read(text, DAYS) == right


@PROPERTY
@given(st.integers(0, 9999))
def test_every_whole_number_of_days_is_read(days):
    assert read(f"I offer {days} days, please.", DAYS) == Reading(days)


@PROPERTY
@given(st.text())
def test_no_text_breaks_the_reader_and_nothing_both_accepts_and_walks(text):
    found = read(text, DAYS)
    assert not (found.accepts and found.walks) and (found.offer is None or found.offer >= 0)


def test_only_the_first_2000_characters_are_read():
    assert read("x" * 1980 + " I offer 30 days. And 40 days.", DAYS).offer == 30
