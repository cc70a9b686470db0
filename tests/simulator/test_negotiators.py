import random
from collections import Counter
from itertools import product

import pytest
from hypothesis import given
from hypothesis import strategies as st

from emodistill.config import Scenarios
from emodistill.domains import DOMAINS, build_scenarios
from emodistill.domains.base import PERSONAS
from emodistill.llm.base import View
from emodistill.llm.scripted import ScriptedModel
from emodistill.policy.selectors import no_emotion, random_emotion
from emodistill.records import Reading, Rules, Turn
from emodistill.rollout.offers import read
from emodistill.rollout.sweep import episode_tasks
from emodistill.seeds import seed_of
from emodistill.simulator import phrases
from emodistill.simulator.hearing import heard_emotion, quotes_of
from emodistill.simulator.kernels import axis_of
from emodistill.simulator.negotiators import counterparty_says, situation, standing, teacher_says
from emodistill.simulator.stage import stage

from builders import PROPERTY, dialogue, mirrored, mirrored_turns, played, scenario, scenarios

DAYS = DOMAINS["crad"].quantity
MOODS = [mood for bank in (*phrases.MOODS.values(), *phrases.PERSONA_SAYS.values()) for mood in bank]


@pytest.fixture(scope="module", params=DOMAINS)
def bargains(request):
    return build_scenarios(Scenarios(domains=(request.param,), train=30, held_out=1), seed=1)[:30]


@pytest.fixture(scope="module")
def episodes(bargains):
    return played(episode_tasks(bargains, 3, 3, "test"), ScriptedModel(), random_emotion, Rules(max_messages=30))


def said(*words, bargain=None):
    quantity = DAYS if bargain is None else DOMAINS[bargain.domain].quantity
    return tuple(
        Turn(k, "counterparty" if k % 2 else "focal", text, read(text, quantity)) for k, text in enumerate(words)
    )


def test_what_the_counterparty_says_is_read_as_it_is_meant(bargains):
    quantity, at = DOMAINS[bargains[0].domain].quantity, stage(bargains[0], "vanilla", 30)
    value = at.axis.value(round(at.axis.length / 3))
    banks = (*at.speech.counter_open, *at.speech.counter_offer, *at.speech.counter_hold)
    for mood, sentence in product(MOODS, banks):
        found = read(f"{mood} {sentence.format(offer=at.say(value))}", quantity)
        assert found == Reading(value), (mood, sentence)
    assert {read(f"{mood} {accept}", quantity) for mood, accept in product(MOODS, phrases.ACCEPT)} == {
        Reading(accepts=True)
    }
    assert {read(sentence, quantity) for sentence in phrases.COUNTER_WALK} == {Reading(walks=True)}
    assert {read(sentence, quantity) for sentence in phrases.COUNTER_ASK} == {Reading()}


def test_there_is_a_choice_of_words():
    banks = (phrases.ACCEPT, phrases.COUNTER_ASK, phrases.COUNTER_WALK, *phrases.MOODS.values())
    assert min(len(set(bank)) for bank in banks) >= 6


def test_the_teacher_hardly_ever_says_the_same_twice(episodes):
    utterances = [turn.utterance for episode in episodes for turn in episode.focal_turns()]
    drawn = random.Random(1).sample(utterances, min(1000, len(utterances)))
    assert len(set(drawn)) >= 0.9 * len(drawn)


def test_the_reply_depends_on_words_only(episodes, bargains):
    by_id = {bargain.id: bargain for bargain in bargains}
    for episode in episodes[:20]:
        for k in range(1, len(episode.turns), 2):
            heard = episode.turns[:k]
            other = tuple(turn._replace(emotion="disgust" if turn.seat == "focal" else None) for turn in heard)
            views = [
                View(by_id[episode.scenario_id], turns, "counterparty", told, 30, seed)
                for turns, told, seed in product((heard, other), (None, "joy"), (1, 2))
            ]
            assert len({counterparty_says(view, seed_of(k)) for view in views}) == 1


def test_the_reply_depends_on_the_emotion_in_the_words():
    def steps(phrase):
        turns, view = said(f"{phrase} I offer 20 days."), View(scenario(), (), "counterparty", None, 12, 1)
        replies = [read(counterparty_says(view._replace(turns=turns), seed_of(k)), DAYS) for k in range(400)]
        return sum(120 - reply.offer for reply in replies if reply.offer) / 400, sum(r.walks for r in replies)

    (thanked, left_thanked), (blamed, left_blamed) = steps("Thank you for your effort."), steps("I object to this.")
    assert thanked > 5 * blamed and left_blamed > 3 * left_thanked


def test_the_teacher_keeps_to_its_side_never_retreats_and_shows_what_it_is_told(episodes, bargains):
    by_id = {bargain.id: bargain for bargain in bargains}
    for episode in episodes:
        bargain = by_id[episode.scenario_id]
        asked = [bargain.pos(t.reading.offer) for t in episode.focal_turns() if t.reading.offer is not None]
        assert asked == sorted(asked, reverse=True) and 0.85 <= asked[0] <= 1 and len(asked) >= len(episode.turns) // 2
        for turn in episode.focal_turns():
            assert heard_emotion(turn.utterance, quotes_of(bargain)) == turn.emotion, turn.utterance


def test_the_counterparty_stays_on_whole_units_within_its_limit_and_never_retreats(episodes, bargains):
    by_id = {bargain.id: bargain for bargain in bargains}
    for episode in episodes:
        bargain = by_id[episode.scenario_id]
        limit, axis = stage(bargain, "vanilla", 30).limit, axis_of(bargain)
        given = [axis.units(t.reading.offer) for t in episode.turns[1::2] if t.reading.offer is not None]
        assert given == sorted(given) and all(units == round(units) and 0 <= units <= limit for units in given)


def test_all_ends_happen(episodes):
    assert {episode.status for episode in episodes} >= {"agreement", "breakdown"}


def test_told_nothing_the_teacher_sounds_neutral(bargains):
    for episode in played(episode_tasks(bargains[:10], 1, 3, "test"), ScriptedModel(), no_emotion):
        assert {heard_emotion(t.utterance, quotes_of(bargains[0])) for t in episode.focal_turns()} == {"neutral"}


def test_same_view_and_seed_same_words():
    view = View(scenario(), (), "focal", "joy", 12, 5)
    assert teacher_says(view, seed_of(1)) == teacher_says(view, seed_of(1))
    assert len({teacher_says(view, seed_of(k)) for k in range(20)}) > 10


def test_the_teacher_takes_an_offer_that_is_no_worse_than_its_plan():
    view = View(scenario(20, 120), said("Let us say 20 days.", "We would need 25 days."), "focal", None, 12, 0)
    assert read(teacher_says(view, seed_of(1)), DAYS).accepts
    worse = view._replace(turns=said("Let us say 20 days.", "We would need 60 days."))
    assert read(teacher_says(worse, seed_of(1)), DAYS).offer is not None


def test_figureless_talk_gets_no_concession_and_costs_patience():
    view = View(scenario(), said("Well.", "We would need 110 days.", "Well."), "counterparty", None, 12, 1)
    replies = [counterparty_says(view, seed_of(k)) for k in range(200)]
    assert set(replies) <= {*phrases.COUNTER_ASK, *phrases.COUNTER_WALK}
    patient = view._replace(turns=said("Let us say 20 days.", "We would need 110 days.", "Let us say 30 days."))
    assert situation(view).risk == pytest.approx(7 * situation(patient).risk)
    first = read(counterparty_says(view._replace(turns=view.turns[:1]), seed_of(1)), DAYS)
    assert first.offer == 120 or first.walks


@pytest.mark.parametrize("words", ["I offer 130 days.", "I offer 120 days."])
def test_more_than_it_asks_is_taken_at_once(words):
    view = View(scenario(20, 120), said(words), "counterparty", None, 12, 1)
    replies = Counter(read(counterparty_says(view, seed_of(k)), DAYS) for k in range(100))
    assert set(replies) <= {Reading(accepts=True), Reading(walks=True)} and replies[Reading(accepts=True)] > 80


@pytest.mark.parametrize(
    ("replies", "expected"),
    [
        ((), (None, 0)), ((None,), (None, 1)), ((None, None, None), (None, 2)), ((120,), (0, 1)), ((110,), (10, 0)),
        ((120, 120), (0, 2)), ((120, 110), (10, 0)), ((110, 110), (10, 1)), ((110, None), (10, 1)),
        ((110, None, 110), (10, 2)), ((110, None, 100), (20, 0)), ((None, None, 110), (10, 0)),
        ((110, 100, 100), (20, 1)), ((110, 100, 100, 100, 100), (20, 2)), ((None, 120), (0, 2)),
    ],
)  # fmt: skip
def test_where_the_counterparty_stands(replies, expected):
    turns = dialogue(*(what for reply in replies for what in (20, Reading() if reply is None else reply)))
    assert standing(turns[1::2], axis_of(scenario(20, 120))) == expected


@PROPERTY
@given(scenarios, st.integers(0, 400), st.lists(st.none() | st.integers(-5, 40), max_size=6), st.sampled_from(PERSONAS))
def test_a_mirrored_dialogue_is_understood_the_same(bargain, shift, given_up, persona):
    axis = axis_of(bargain)
    here = [Reading() if units is None else axis.value(units) for units in given_up]
    turns = dialogue(*(what for reply in here for what in (bargain.focal_target, reply)), bargain.focal_target)
    view = View(bargain, turns, "counterparty", None, 30, 1, persona)
    other = view._replace(scenario=mirrored(bargain, shift), turns=mirrored_turns(turns, shift))
    one, two = situation(view), situation(other)
    assert (one.here, one.asked, one.kernel, one.risk) == (two.here, two.asked, two.kernel, two.risk)


def test_each_persona_has_its_own_words_now_and_then():
    view = View(scenario(), said("Let us say 20 days."), "counterparty", None, 12, 1)
    for persona in PERSONAS:
        replies = [counterparty_says(view._replace(persona=persona), seed_of(k)) for k in range(300)]
        share = sum(reply.startswith(phrases.PERSONA_SAYS[persona] or "-") for reply in replies) / len(replies)
        assert share == 0 if persona == "vanilla" else 0.2 < share < 0.45
