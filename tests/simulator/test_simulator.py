import random
from collections import Counter
from dataclasses import astuple, replace
from itertools import product

import numpy as np
import pytest

from emodistill.config import Scenarios
from emodistill.dataset.rewards import step_rewards, terminal_reward
from emodistill.domains import build_scenarios
from emodistill.domains.crad import DOMAIN
from emodistill.emotions import GOEMOTIONS
from emodistill.llm.base import View
from emodistill.llm.scripted import ScriptedModel
from emodistill.policy.selectors import fixed, no_emotion, random_emotion
from emodistill.records import Reading, Turn
from emodistill.rollout import offers
from emodistill.rollout.sweep import episode_tasks
from emodistill.simulator import phrases
from emodistill.simulator.critic import critique
from emodistill.simulator.effects import FAMILY, STRENGTH, WORN, Effect, effect, phase
from emodistill.simulator.hearing import heard_emotion
from emodistill.simulator.negotiators import counterparty_says, teacher_says

from builders import FACTS, RULES, mirrored, mirrored_turns, played, scenario


def read(text: str) -> Reading:
    return offers.read(text, DOMAIN.quantity)


PHASES = ("early", "moving", "stalled", "late")
SPOKEN = [(label, phrase) for label, said in phrases.EMOTIONAL.items() for phrase in said]
SPEECH = DOMAIN.speech
OFFERS = [sentence.format(offer="45 days") for sentence in (*SPEECH.open, *SPEECH.offer, *SPEECH.hold)]
REASONS = [sentence.format(**dict(FACTS)) for sentence in [sentence for _, sentence in DOMAIN.levers]]
MOODS = [mood for moods in phrases.MOODS.values() for mood in moods]


@pytest.fixture(scope="module")
def bargains():
    return build_scenarios(Scenarios(train=40, held_out=1), seed=1)[:40]


@pytest.fixture(scope="module")
def episodes(bargains):
    return played(episode_tasks(bargains, 2, 3, "test"), ScriptedModel(), random_emotion)


def test_every_label_has_phrases_and_each_is_heard_as_its_label():
    assert tuple(phrases.EMOTIONAL) == GOEMOTIONS and len({phrase for _, phrase in SPOKEN}) == len(SPOKEN)
    assert [(label, phrase, heard_emotion(phrase)) for label, phrase in SPOKEN if heard_emotion(phrase) != label] == []


def test_offers_and_reasons_around_a_phrase_leave_both_emotion_and_figure():
    for (label, phrase), offer in product(SPOKEN, OFFERS):
        said = f"{phrase} {REASONS[len(phrase) % 3]} {offer}"
        assert (heard_emotion(said), read(said)) == (label, Reading(45.0)), said


def test_acceptances_with_a_phrase_are_heard():
    for (_, phrase), accept in product(SPOKEN, phrases.ACCEPT):
        assert read(f"{phrase} {accept}") == Reading(accepts=True), (phrase, accept)


def test_what_the_counterparty_says_is_read_as_it_is_meant():
    for mood, sentence in product(MOODS, (*SPEECH.counter_open, *SPEECH.counter_offer, *SPEECH.counter_hold)):
        assert read(f"{mood} {sentence.format(offer='97 days')}") == Reading(97.0)
    assert {read(f"{mood} {accept}") for mood, accept in product(MOODS, phrases.ACCEPT)} == {Reading(accepts=True)}
    assert {read(sentence) for sentence in phrases.COUNTER_WALK} == {Reading(walks=True)}
    assert {read(sentence) for sentence in phrases.COUNTER_ASK} == {Reading()}


def test_without_a_cue_neutral_is_heard_and_most_cues_win():
    assert heard_emotion("Pay in 30 days.") == "neutral"
    assert heard_emotion("I am sorry, but I am furious and angry.") == "anger"
    assert heard_emotion("I am sorry and furious.") == "remorse"


def test_the_reply_depends_on_words_only(episodes, bargains):
    by_id = {bargain.id: bargain for bargain in bargains}
    for episode in episodes[:20]:
        for k in range(1, len(episode.turns), 2):
            heard = episode.turns[:k]
            other = tuple(replace(turn, emotion="disgust" if turn.seat == "focal" else None) for turn in heard)
            views = [
                View(by_id[episode.scenario_id], turns, "counterparty", told, 12, seed)
                for turns, told, seed in product((heard, other), (None, "joy"), (1, 2))
            ]
            assert len({counterparty_says(view, random.Random(k)) for view in views}) == 1


def test_the_reply_depends_on_the_emotion_in_the_words(bargains):
    def replies(phrase):
        turns = ()
        for k in (0, 2):
            said = f"{phrase} I offer 20 days."
            turns = (*turns, Turn(k, "focal", said, read(said)))
            reply = counterparty_says(View(bargains[0], turns, "counterparty", None, 12, 1), random.Random(k))
            turns = (*turns, Turn(k + 1, "counterparty", reply, read(reply)))
        return [turn.reading for turn in turns]

    assert replies("Thank you for your effort.") != replies("I object to this.")


def test_the_teacher_shows_what_it_is_told_and_never_retreats(episodes, bargains):
    by_id = {bargain.id: bargain for bargain in bargains}
    for episode in episodes:
        offers = [turn.reading.offer for turn in episode.focal_turns() if turn.reading.offer is not None]
        assert offers == sorted(offers) and offers[0] >= by_id[episode.scenario_id].focal_target - 1
        assert [heard_emotion(turn.utterance) for turn in episode.focal_turns()] == [
            turn.emotion for turn in episode.focal_turns()
        ]


def test_told_nothing_the_teacher_sounds_neutral(bargains):
    for episode in played(episode_tasks(bargains[:10], 1, 3, "test"), ScriptedModel(), no_emotion):
        assert {heard_emotion(turn.utterance) for turn in episode.focal_turns()} == {"neutral"}


def test_same_view_and_seed_same_words(bargains):
    view = View(bargains[0], (), "focal", "joy", 12, 5)
    assert teacher_says(view, random.Random(1)) == teacher_says(view, random.Random(1))
    assert len({teacher_says(view, random.Random(k)) for k in range(20)}) > 5


@pytest.mark.parametrize(
    ("progress", "step", "name"),
    [
        (0.0, 0.5, "early"), (0.249, 0.0, "early"), (0.25, 0.06, "moving"), (0.25, 0.059, "stalled"),
        (0.599, 1.0, "moving"), (0.599, -1.0, "stalled"), (0.6, 1.0, "late"), (1.0, 0.0, "late"),
    ],
)  # fmt: skip
def test_phases(progress, step, name):
    assert phase(progress, step) == name


def test_effects_by_hand():
    for label, before, expected in (
        ("gratitude", None, (1.9, 0.5)),
        ("gratitude", "gratitude", (1 + 0.6 * 0.9, 1 - 0.6 * 0.5)),
        ("amusement", "joy", (1 + 0.4 * 0.9, 1 - 0.4 * 0.5)),
    ):
        assert astuple(effect(label, before, "early")) == pytest.approx(expected)
    assert {effect("neutral", before, now) for before in (None, "neutral") for now in PHASES} == {Effect(1, 1)}


def test_every_label_has_a_family_and_no_two_of_a_family_the_same_strength():
    assert set(FAMILY) == set(GOEMOTIONS) and WORN < 1
    assert max(Counter((FAMILY[label], STRENGTH[label]) for label in GOEMOTIONS).values()) == 1
    assert (min(STRENGTH.values()), max(STRENGTH.values())) == (pytest.approx(0.4), 1.0)


def test_no_emotion_is_best_in_every_phase():
    best = {now: max(GOEMOTIONS, key=lambda label: effect(label, None, now).concession) for now in PHASES}
    assert best == {"early": "gratitude", "moving": "gratitude", "stalled": "disapproval", "late": "sadness"}


def test_the_critic_keeps_to_its_scale_and_has_no_polarity(episodes, bargains):
    by_id = {bargain.id: bargain for bargain in bargains}
    for episode in episodes:
        bargain, mirror = by_id[episode.scenario_id], mirrored(by_id[episode.scenario_id], 200)
        for turn in episode.focal_turns():
            heard = episode.turns[: turn.index + 1]
            score = critique(bargain, heard, 12)
            assert 1 <= score <= 10
            assert critique(mirror, mirrored_turns(heard, 200), 12) == pytest.approx(score, abs=1e-9)


def test_the_critic_prefers_a_figure_an_anchor_and_news():
    def score(*said):
        turns = tuple(Turn(k, "counterparty" if k % 2 else "focal", text, read(text)) for k, text in enumerate(said))
        return critique(scenario(20, 120), turns, 12)

    assert score("Let us say 22 days.") > score("Let us say 90 days.") > score("Let us talk.")
    opened = ("Let us say 22 days.", "We would need 110 days.")
    assert score(*opened, "I can go to 22 days.") > score(*opened, opened[0])
    assert score(*opened, "I can go to 30 days.") > score(*opened, "I can go to 60 days.")


def mean_return(select, bargains):
    by_id = {bargain.id: bargain for bargain in bargains}
    episodes = played(episode_tasks(bargains, 3, 3, "effects"), ScriptedModel(), select)
    returns = [step_rewards(by_id[e.scenario_id], e, RULES.max_messages).sum() + terminal_reward(e) for e in episodes]
    return float(np.mean(returns))


def best_now(bargain, turns, rng):
    """The emotion with the largest planted effect on the reply that comes next."""
    own = [
        bargain.pos(turn.reading.offer)
        for turn in turns
        if turn.seat == "counterparty" and turn.reading.offer is not None
    ]
    now = phase((len(turns) + 1) / RULES.max_messages, own[-1] - own[-2] if len(own) > 1 else 0.0)
    shown = next((turn.emotion for turn in reversed(turns) if turn.seat == "focal"), None)
    return max(GOEMOTIONS, key=lambda label: effect(label, shown, now).concession)


def test_no_fixed_emotion_comes_near_a_choice_by_phase(bargains):
    chance, best = mean_return(random_emotion, bargains), mean_return(best_now, bargains)
    assert best - chance > 0.75
    share = {label: (mean_return(fixed(label), bargains) - chance) / (best - chance) for label in GOEMOTIONS}
    assert {label: gain for label, gain in share.items() if gain >= 0.8} == {}
    assert min(share.values()) < 0 < max(share.values())
