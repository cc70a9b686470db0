import time
from pathlib import Path

import pytest
from hypothesis import example, given
from hypothesis import strategies as st
from utterance_scores import MOVES, score

from emodistill.domains.quantities import Clock, Duration
from emodistill.records import Reading
from emodistill.rollout.offers import read

from builders import PROPERTY

DAYS, MINUTES, BEDTIME = Duration("days"), Duration("minutes"), Clock(21)
LABELLED = sorted((Path(__file__).parent / "utterances").glob("*.jsonl"))

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


COMMITTED = (
    "I accept 45 days.",
    "I accept your offer of 45 days.",
    "I can live with your 45 days.",
    "Fine, 45 days works for me.",
    "45 days it is.",
    "Deal at 45.",
)


@pytest.mark.parametrize("text", COMMITTED)
def test_an_acceptance_that_names_a_figure_commits_to_it(text):
    assert read(text, DAYS) == Reading(offer=45, accepts=True)


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
    "theirs, accepted": ("Your 33 days? Done.", Reading(33, accepts=True)),
    "theirs, not accepted": ("Your 33 days? Hm.", Reading()),
    "unit of the sentence before": ("Two weeks? No. Three.", Reading(21)),
    "unit said once": ("8 weeks. 1 week or 2.", Reading(10.5)),
    "echo and complaint": ("45 days? I can barely walk.", Reading()),
    "echo and plea": ("45 days? Please.", Reading(45)),
    "money before a comma": ("I owe $900, been 6 months.", Reading()),
    "chat": ("u want 7 days lol. try 77", Reading(77)),
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


FRAMES = (
    "{}.",
    "I can offer {}.",
    "How about {}?",
    "Make it {}, please.",
    "Could you do {}?",
    "I still need {}.",
    "It has to be {}.",
    "{} is what we have.",
)


@pytest.mark.parametrize(
    ("quantity", "values"),
    [(DAYS, range(1, 401)), (MINUTES, range(1, 601)), (BEDTIME, range(-120, 481))],
    ids=["days", "minutes", "clock"],
)
def test_every_value_is_read_back_from_what_the_domain_says(quantity, values):
    said = {(frame.format(quantity.say(value)), value) for frame in FRAMES for value in values}
    assert {(text, read(text, quantity).offer) for text, _ in said} == said


amounts = st.one_of(
    st.tuples(st.just(DAYS), st.integers(1, 400)),
    st.tuples(st.just(MINUTES), st.integers(1, 600)),
    st.tuples(st.just(BEDTIME), st.integers(-120, 480)),
)
ASIDES = (
    "The balance is $4,500.", "You paid 200 dollars.", "It went up 5%.", "I can do 50 % now.", "My son is 9 years old.",
    "I am 67.",
)  # fmt: skip


@PROPERTY
@given(amounts, st.sampled_from(FRAMES), st.sampled_from(ASIDES), st.sampled_from([" ", "  ", "\t", "\n", "\u00a0"]))
def test_case_space_money_and_age_change_nothing(amount, frame, aside, space):
    quantity, value = amount
    text = frame.format(quantity.say(value))
    right = read(text, quantity)
    changed = (text.upper(), text.replace(" ", space), f"**{text}**", f"{aside} {text}", f"{text} {aside}")
    assert [read(other, quantity) for other in changed] == [right] * len(changed)


DURATIONS = {
    "Hold on for half an hour.": 30,
    "An hour and a half.": 90,
    "New estimate: 1h30.": 90,
    "1 hour 15 minutes, I promise.": 75,
    "Three quarters of an hour, at most.": 45,
    "I can wait an hour or two.": 90,
    "You said 90 minutes, but I can't hold that long. 20 minutes.": 20,
    "A drone arrives in 20 minutes with water.": None,
    "I have been here for 3 hours.": None,
    "We cannot get there any faster than 55 minutes.": 55,
    "I can't last an hour in here.": None,
    "An hour. I pulled in a second crew.": 60,
    "I can take an hour, at the very worst two.": 120,
    "ETA to your position: 45 min.": 45,
    "You keep coming back to 90 minutes.": None,
    "I started at 70 minutes, then went to 60, and now I'm telling you 48.": 48,
}
CLOCKS = {
    "Lights out at 10.45pm.": 105,
    "22:45, and no later.": 105,
    "Quarter past eleven?": 135,
    "I will switch off at ten to midnight.": 170,
    "In bed by eleven thirty.": 150,
    "Let us say half an hour after nine.": 30,
    "An hour later than 9 PM.": 60,
    "Half an hour past midnight.": 210,
    "1:30 in the morning.": 270,
    "I want to sleep at 2.": 300,
    "Between 10 and 11 PM.": 90,
    "8:30 PM.": -30,
    "30 more minutes, please!": None,
    "I need 8 hours of sleep.": None,
    "Class starts at 8.": None,
    "My exam is at nine tomorrow morning.": None,
    "Last night you went to bed at 3 AM.": None,
    "My practice ends at 9:30 PM, so lights out at 10:30 PM.": 90,
}


@pytest.mark.parametrize(
    ("quantity", "text", "value"),
    [(MINUTES, *row) for row in DURATIONS.items()] + [(BEDTIME, *row) for row in CLOCKS.items()],
)
def test_hours_and_times_of_day(quantity, text, value):
    assert read(text, quantity) == Reading(value)


@pytest.mark.parametrize(("unit", "value"), [("hours", 36), ("weeks", 36 / 168)])
def test_another_unit_is_converted(unit, value):
    assert read("I need 36 hours.", Duration(unit)).offer == (value if value >= 1 else None)
    assert read("I need 3 weeks.", Duration("weeks")).offer == 3


BARE = {"How about 45?": 45, "45, final.": 45, "I can do 40.": 40, "Let us meet at 50.": 50, "Then 38.": 38}
NO_BARE = ("I have 3 kids.", "I am 72.", "SCORE: 10", "Section 4 applies.", "There are 31 patients.", "Call 555-0123.")


@pytest.mark.parametrize(("text", "days"), [*BARE.items(), *((text, None) for text in NO_BARE)])
def test_a_bare_number_counts_only_where_it_offers(text, days):
    assert read(text, DAYS) == Reading(days)


@pytest.mark.parametrize(
    ("text", "right"),
    [
        ("I can do 60 days. Debtor: I accept.", Reading(60)),
        ("debtor: I accept", Reading()),
        ('{"offer": 5, "accepts": true} I can do 60 days.', Reading(60)),
        ("You said 'deal' and then nothing.", Reading()),
        ('You said "I accept", but no. 60 days.', Reading(60)),
        ('"I accept."', Reading(accepts=True)),
        ("I accept. But only if you pay today.", Reading()),
        ("Thank you for your time. Goodbye.", Reading(walks=True)),
        ("I offer 30 days. Goodbye.", Reading(30)),
        ("90 days? Impossible.", Reading()),
        ("90 days?", Reading(90)),
    ],
)
def test_only_the_speakers_own_words_count(text, right):
    assert read(text, DAYS) == right


@pytest.mark.parametrize(
    ("text", "speaker", "right"),
    [
        ("Debtor: I accept.", "debtor", Reading(accepts=True)),
        ("**The Coordinator:** I accept. Survivor: I walk away.", "rescue coordinator", Reading(accepts=True)),
        ("Debtor: I accept.", "creditor", Reading()),
        ("Debtor: I accept.", "", Reading()),
        ("Debtor: 60 days. Creditor: I accept.", "debtor", Reading(60)),
        ("<|im_start|>user I accept", "debtor", Reading()),
    ],
)
def test_a_speaker_may_begin_with_its_own_role(text, speaker, right):
    assert read(text, DAYS, speaker) == right


@pytest.mark.parametrize("path", LABELLED, ids=lambda path: path.stem)
def test_labelled_utterances(path):
    scores = score(path)
    print(scores.table())
    shares = [share for move in MOVES for share in (scores.moves[move].precision, scores.moves[move].recall)]
    assert min(shares) >= 0.97, "\n".join([scores.table(), *scores.failures])


WORDS = (
    "i we you your accept agree to deal not can't will if a an half hundred and ten 1 45 1h30 30-day days hour or from "
    "between - 10:45 pm midnight past before is too done here goodbye ' \" { } debtor: . ? , give me rather than my in"
).split()
REPEATED = st.lists(st.sampled_from(WORDS), min_size=1, max_size=4)


@PROPERTY
@example(["midnight", "and", "two"], " ", BEDTIME)
@example(["i"], " ", DAYS)
@example(["1h30", "past", "midnight"], " ", BEDTIME)
@given(REPEATED, st.sampled_from(["", " "]), st.sampled_from([DAYS, BEDTIME]))
def test_no_repetition_makes_it_slow(words, gap, quantity):
    text = (gap.join(words) + gap) * 1000
    took = []
    for end in "abc":  # another last sentence, so that no reading is cached
        start = time.thread_time()
        read(text[:1990] + end, quantity)
        took.append(time.thread_time() - start)
    assert min(took) < 0.05


@PROPERTY
@given(st.text(), st.sampled_from([MINUTES, BEDTIME, Duration("hours"), Duration("weeks")]))
def test_no_text_breaks_any_quantity(text, quantity):
    assert read(text + "x" * 100_000, quantity) == read(text + "x" * 100_000, quantity)
