"""What holds for every domain in the registry."""

import re
from statistics import fmean, median

import pytest

from emodistill.config import Scenarios
from emodistill.domains import DOMAINS, build_scenarios
from emodistill.domains.base import PERSONAS, as_scenarios, generate
from emodistill.domains.columns import past_nine
from emodistill.domains.quantities import Clock
from emodistill.errors import BadInput
from emodistill.rollout.offers import read
from emodistill.simulator.hearing import heard_emotion

each = pytest.mark.parametrize("domain", DOMAINS.values(), ids=DOMAINS)
SEATS = ("focal", "counterparty")
# (least, greatest) of focal target, counterparty target and distance in the published rows; the mean distance
PUBLISHED = {
    "crad": ((5, 30), (32, 176), (2, 171), 105),
    "disaster": ((45, 480), (15, 300), (30, 210), 75),
    "hospital": ((12, 330), (5, 120), (7, 230), 50),
    "student": ((-30, 120), (150, 390), (180, 270), 191),
}


def generated(domain, seed=1):
    return as_scenarios(domain, generate(domain, 100, seed), 80, 20)


def filled(domain, scenario):
    return [sentence.format(**dict(scenario.facts)) for _, sentence in domain.levers]


@each
def test_generated_scenarios_repeat_by_seed_and_no_two_are_alike(domain):
    made = generate(domain, 100, seed=3)
    assert made == generate(domain, 100, seed=3) != generate(domain, 100, seed=4)
    assert generate(domain, 10, seed=3) == made[:10]
    assert len({one.facts for one in made}) == 100
    assert {tuple(name for name, _ in one.facts) for one in made} == {tuple(name for name, _ in made[0].facts)}
    assert [one for one in made if one.imputed or not all(text.strip() for _, text in one.facts)] == []


def test_more_scenarios_than_there_are_is_refused_with_how_many_there_are():
    with pytest.raises(BadInput, match=r"disaster finds 448 different scenarios where .* ask for 460"):
        build_scenarios(Scenarios(domains=("disaster",), train=440, held_out=20), seed=1)


@each
@pytest.mark.parametrize("seed", range(5))
def test_generated_targets_lie_as_the_published_ones(domain, seed):
    focal, counterparty, apart, mean = PUBLISHED[domain.key]
    made = generate(domain, 100, seed)
    distances = [abs(one.focal_target - one.counterparty_target) for one in made]
    for one, distance in zip(made, distances, strict=True):
        assert focal[0] <= one.focal_target <= focal[1]
        assert counterparty[0] <= one.counterparty_target <= counterparty[1]
        assert apart[0] <= distance <= apart[1] * 1.1
    assert 0.75 * mean < fmean(distances) < 1.33 * mean
    for values in ([one.focal_target for one in made], [one.counterparty_target for one in made]):
        assert len(set(values)) >= 9 and min(values) < median(values) < max(values)


def test_two_domains_want_more_and_two_want_less():
    for key, wants_more in {"crad": False, "disaster": True, "hospital": True, "student": False}.items():
        assert {one.focal_target > one.counterparty_target for one in generate(DOMAINS[key], 100, 2)} == {wants_more}


@each
def test_each_side_is_told_its_own_target_and_no_word_of_the_others(domain):
    for scenario in generated(domain):
        for seat, own, theirs in (
            ("focal", scenario.focal_target, scenario.counterparty_target),
            ("counterparty", scenario.counterparty_target, scenario.focal_target),
        ):
            brief = domain.brief(scenario, seat)
            assert f"\nYou want {domain.quantity.say(own)}; " in brief
            assert not re.search(rf"\b{domain.quantity.say(theirs)}\b", brief)
            numbers = re.findall(r"(?<![\d.])(\d+) (?:days|minutes|AM|PM)", brief.replace("days overdue", ""))
            assert isinstance(domain.quantity, Clock) or set(numbers) == {f"{own:g}"}


@each
def test_the_direction_told_is_the_direction_of_the_targets(domain):
    scenario = generated(domain)[0]
    up, down = ("later", "earlier") if isinstance(domain.quantity, Clock) else ("more", "fewer")
    wants = [re.findall(r"; (\w+) is better for you\.$", domain.brief(scenario, seat)) for seat in SEATS]
    assert wants == ([[up], [down]] if scenario.focal_target > scenario.counterparty_target else [[down], [up]])


@each
def test_briefs_begin_alike_say_how_to_reply_and_stay_short(domain):
    for seat in SEATS:
        briefs = [domain.brief(scenario, seat) for scenario in generated(domain)]
        assert len({brief.partition("The facts:")[0] for brief in briefs}) == 1
        assert all("one or two sentences" in brief and '"I accept"' in brief for brief in briefs)
        assert all(("walk away" in brief) == (seat == "counterparty") for brief in briefs)
        assert 100 < max(len(brief.split()) for brief in briefs) < 230


@each
def test_speech_states_one_figure_in_six_ways_or_more(domain):
    speech = domain.speech
    for kind in ("open", "offer", "hold", "counter_open", "counter_offer", "counter_hold"):
        sentences = getattr(speech, kind)
        assert len(set(sentences)) == len(sentences) >= 6
        for sentence in sentences:
            assert sentence.count("{") == sentence.count("{offer}") == 1 and not re.search(r"\d", sentence)
            assert heard_emotion(sentence.format(offer=domain.quantity.say(60))) == "neutral", sentence
            reading = read(sentence.format(offer=domain.quantity.say(60)), domain.quantity)
            assert (reading.offer, reading.accepts, reading.walks) == (60, False, False), sentence


@each
def test_levers_press_facts_without_a_figure_that_could_be_an_offer(domain):
    names = {name for name, _ in generated(domain)[0].facts}
    assert all(fact in names and f"{{{fact}}}" in sentence for fact, sentence in domain.levers)
    for scenario in generated(domain):
        for said in filled(domain, scenario):
            assert heard_emotion(said) == "neutral", said
            reading = read(said, domain.quantity)
            assert (reading.offer, reading.accepts, reading.walks) == (None, False, False), said
            assert domain.key == "crad" or not re.search(r"\d", said), said


@each
def test_every_persona_has_one_sentence_and_vanilla_none(domain):
    assert tuple(name for name, _ in domain.personas) == PERSONAS
    assert [text for name, text in domain.personas if (name == "vanilla") != (text == "")] == []
    assert all(text.startswith("You ") and text.count(".") == 1 for _, text in domain.personas[1:])


@each
def test_roles_and_columns_belong_to_the_domain(domain):
    assert domain.focal_role in domain.rubric and "Penalise" in domain.rubric
    assert len({column.name for column in domain.columns}) == len(domain.columns)


def test_all_domains_build_together_in_the_order_asked_for():
    made = build_scenarios(Scenarios(domains=tuple(reversed(DOMAINS)), train=2, held_out=1), seed=1)
    assert [s.id for s in made] == [f"{key}-{k:04d}" for key in reversed(DOMAINS) for k in range(3)]
    assert [s.split for s in made] == ["train", "train", "held_out"] * 4
    assert {s.unit for s in made} == {"days", "minutes", "minutes past 9 PM"}


def test_a_bedtime_that_is_said_is_read_back():
    say = DOMAINS["student"].quantity.say
    assert [value for value in range(-180, 541, 15) if past_nine(say(value)) != (value, False)] == []
