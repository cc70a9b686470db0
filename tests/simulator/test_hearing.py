import random
from dataclasses import replace
from itertools import product
from pathlib import Path

import pytest

from emodistill.config import Scenarios
from emodistill.domains import DOMAINS, build_scenarios
from emodistill.emotions import GOEMOTIONS
from emodistill.rollout.offers import read
from emodistill.simulator import phrases
from emodistill.simulator.emotional import EMOTIONAL
from emodistill.simulator.hearing import heard_emotion, quotes_of
from emodistill.simulator.measure import measure_hearing, render_hearing
from emodistill.simulator.stage import stage

from builders import scenario

SPOKEN = [(label, phrase) for label, said in EMOTIONAL.items() for phrase in said]
PARAPHRASES = [line.split(": ", 1) for line in Path(__file__).with_name("paraphrases.txt").read_text().splitlines()]


def test_every_label_has_eight_phrases_of_one_sentence_and_each_is_heard_as_its_label():
    assert tuple(EMOTIONAL) == GOEMOTIONS and len({phrase for _, phrase in SPOKEN}) == len(SPOKEN)
    assert min(map(len, EMOTIONAL.values())) >= 8
    assert all(sum(map(phrase.count, ".!?")) == 1 and phrase[-1] in ".!?" for _, phrase in SPOKEN)
    assert [(label, phrase) for label, phrase in SPOKEN if heard_emotion(phrase) != label] == []


def test_a_cue_counts_most_often_then_first_and_not_after_a_negation():
    assert heard_emotion("Pay in 30 days.") == "neutral"
    assert heard_emotion("I am sorry, but I am furious and angry.") == "anger"
    assert heard_emotion("I am sorry and furious.") == "remorse"
    assert heard_emotion("I am not angry.") == heard_emotion("It was no pleasure.") == "neutral"


def test_a_feeling_in_a_quoted_fact_is_not_the_speaker_s():
    bargain = replace(scenario(), facts=(*scenario().facts[1:], ("creditor", "Joy Relief Fund of Fear")))
    said = "I write for Joy Relief Fund of Fear. I am furious. I offer 30 days."
    assert heard_emotion(said) == "joy" and heard_emotion(said, quotes_of(bargain)) == "anger"
    assert quotes_of(scenario()) == ()


@pytest.mark.parametrize("domain", DOMAINS)
def test_nothing_but_the_emotional_phrase_shows_an_emotion(domain):
    for bargain in build_scenarios(Scenarios(domains=(domain,)), seed=7):
        at = stage(bargain, "vanilla", 30)
        banks = (at.linked.open, at.linked.offer, at.linked.hold, phrases.ACCEPT, at.levers)
        said = [sentence.format(offer=at.say(bargain.value(0.5))) for bank in banks for sentence in bank]
        assert [sentence for sentence in said if heard_emotion(sentence, at.quotes) != "neutral"] == []


@pytest.mark.parametrize("domain", DOMAINS)
def test_a_phrase_before_or_after_changes_neither_figure_nor_acceptance(domain):
    bargain = build_scenarios(Scenarios(domains=(domain,)), seed=7)[0]
    at, quantity = stage(bargain, "vanilla", 30), DOMAINS[domain].quantity
    value = at.axis.value(round(at.axis.length / 2))
    offers = [sentence.format(offer=at.say(value)) for sentence in (*at.linked.open, *at.linked.offer, *at.linked.hold)]
    rng = random.Random(1)
    for (label, phrase), offer in product(SPOKEN, rng.sample(offers, 4)):
        parts = [phrase, rng.choice(at.levers), offer]
        rng.shuffle(parts)
        found = read(" ".join(parts), quantity)
        assert (found.offer, found.accepts, found.walks) == (value, False, False), parts
        assert heard_emotion(" ".join(parts), at.quotes) == label, parts
    for (_, phrase), accept in product(SPOKEN, phrases.ACCEPT):
        for said in (f"{phrase} {accept}", f"{accept} {phrase}"):
            found = read(said, quantity)
            assert (found.offer, found.accepts, found.walks) == (None, True, False), said


def test_the_teacher_is_heard_as_it_is_told_and_the_matrix_says_so():
    found = measure_hearing(seed=3)
    counted = sum(sum(heard.values()) for heard in found["confusion"].values())
    assert counted == found["utterances"] > 1500 and tuple(found["confusion"]) == GOEMOTIONS
    right = sum(heard.get(told, 0) for told, heard in found["confusion"].items())
    assert found["accuracy"] == right / counted >= 0.99
    assert f"{found['utterances']:,} teacher utterances" in render_hearing(found)


def test_words_the_lexicon_was_not_made_for_are_heard_less_well():
    """Written after the lexicon, which was not changed for them; most misses are heard as neutral."""
    assert min(sum(label == told for told, _ in PARAPHRASES) for label in GOEMOTIONS) >= 5
    heard = [(label, heard_emotion(said)) for label, said in PARAPHRASES]
    assert sum(told == found for told, found in heard) / len(heard) >= 0.70
    wrong = [found for told, found in heard if told != found]
    assert wrong.count("neutral") / len(wrong) >= 0.7
