import random
from collections import Counter
from dataclasses import astuple, replace

import pytest
from hypothesis import given
from hypothesis import strategies as st

from emodistill.dataset.states import STALEMATE
from emodistill.domains.base import PERSONAS
from emodistill.emotions import GOEMOTIONS
from emodistill.simulator import phrases
from emodistill.simulator.character import PERSONA, character
from emodistill.simulator.effects import FAMILY, PHASE_RISK, PHASES, STILL, STRENGTH, WORN, Effect, effect, phase
from emodistill.simulator.kernels import MOST_REPLIES, MOST_RISK, axis_of, concedes, kernels
from emodistill.simulator.plans import PLANS, plan_index, planned_units

from builders import PROPERTY, mirrored, scenario

DOMAIN_KEYS = ("crad", "disaster", "hospital", "student")
BEST = {  # domain -> the family that is right in each phase, as docs/simulator.md tells it
    "crad": ("warm", "bright", "open", "firm", "sorrow"),
    "disaster": ("open", "warm", "bright", "sorrow", "firm"),
    "hospital": ("sorrow", "bright", "warm", "open", "firm"),
    "student": ("bright", "open", "firm", "sorrow", "warm"),
}
lengths = st.integers(1, 400)


def toward(focal_target, counterparty_target, domain="crad"):
    return replace(scenario(focal_target, counterparty_target), domain=domain)


@pytest.mark.parametrize(
    ("progress", "still", "name"),
    [
        (0.0, 2, "opening"), (2 / 30, 2, "opening"), (0.1, 0, "giving"), (0.2, 1, "holding"), (0.2, 2, "deadlock"),
        (0.64, 0, "giving"), (0.65, 0, "closing"), (0.65, 1, "closing"), (0.9, 2, "deadlock"),
    ],
)  # fmt: skip
def test_phases(progress, still, name):
    assert phase(progress, still) == name


def test_effects_by_hand():
    for label, worn, expected in (
        ("gratitude", False, (2.8, 0.4)),
        ("gratitude", True, (1 + 0.9 * 1.8, 1 - 0.9 * 0.6)),
        ("love", False, (1 + 0.7 * 1.8, 1 - 0.7 * 0.6)),
    ):
        assert astuple(effect("crad", label, worn, "opening")) == pytest.approx(expected)
    assert {effect("crad", "neutral", worn, now) for worn in (False, True) for now in PHASES} == {Effect(1, 1)}
    assert effect("toy", "gratitude", False, "opening") == effect("crad", "gratitude", False, "opening")


def test_another_family_is_right_in_each_phase_and_it_is_right_in_both_respects():
    for domain, families in BEST.items():
        for now, family in zip(PHASES, families, strict=True):
            shown = {label: effect(domain, label, False, now) for label in GOEMOTIONS}
            ranked = sorted(GOEMOTIONS, key=lambda label: -shown[label].concession)
            assert {FAMILY[label] for label in ranked[:5]} == {family}
            assert min(GOEMOTIONS, key=lambda label: shown[label].risk) == ranked[0]
            rest = max(shown[label].concession for label in GOEMOTIONS if FAMILY[label] != family)
            assert shown[ranked[4]].concession > 1.5 * rest
        assert len(set(families)) == len(PHASES)


def test_what_was_right_in_the_phase_before_is_at_worst_dull():
    borders = (("opening", "giving"), ("giving", "holding"), ("holding", "deadlock"), ("giving", "closing"))
    for domain, families in BEST.items():
        right = dict(zip(PHASES, families, strict=True))
        for before, now in borders:
            kept = [effect(domain, label, False, now) for label in GOEMOTIONS if FAMILY[label] == right[before]]
            assert min(found.concession for found in kept) >= 0.7 and max(found.risk for found in kept) <= 1.2


def test_every_label_has_a_family_and_no_two_of_a_family_the_same_strength():
    assert set(FAMILY) == set(GOEMOTIONS) and WORN < 1
    assert max(Counter((FAMILY[label], STRENGTH[label]) for label in GOEMOTIONS).values()) == 1
    assert (min(STRENGTH.values()), max(STRENGTH.values())) == (pytest.approx(0.7), 1.0)


def test_a_standstill_is_what_the_selector_s_state_calls_one():
    assert STILL == STALEMATE
    assert [concedes(step, 300) for step in (0, 2, 3, -5)] == [False, False, True, False]
    assert concedes(1, 7) and not concedes(0, 7)


@PROPERTY
@given(lengths, st.sampled_from(DOMAIN_KEYS), st.sampled_from(PERSONAS), st.sampled_from((4, 12, 30)))
def test_kernels_are_distributions_with_the_planted_mean(length, domain, persona, max_messages):
    bargain = toward(0, length, domain)
    who, table = character(bargain, persona), kernels(bargain, persona, max_messages)
    assert len(table) == len(PHASES) * len(GOEMOTIONS) * 2
    for (now, emotion, worn), kernel in table.items():
        risk = who.risk / min(MOST_REPLIES, max_messages // 2) * PHASE_RISK[now]
        assert kernel.risk == pytest.approx(min(MOST_RISK, risk * effect(domain, emotion, worn, now).risk))
        units, chance = zip(*kernel.steps, strict=True)
        assert sum(chance) == pytest.approx(1, abs=1e-12) and min(chance) > 0 and list(units) == sorted(set(units))
        assert min(units) == 0
        moving = 1 - min(0.9, 0.25 / kernel.concession)
        mean = who.pace / min(MOST_REPLIES, max_messages // 2) * kernel.concession * length * moving
        assert sum(u * p for u, p in kernel.steps) == pytest.approx(mean)


@PROPERTY
@given(lengths, st.integers(-200, 200), st.sampled_from(PERSONAS))
def test_a_mirrored_scenario_has_the_same_counterparty(length, shift, persona):
    here, there = toward(30, 30 + length), mirrored(toward(30, 30 + length), shift)
    assert kernels(here, persona, 12) == kernels(there, persona, 12)
    assert character(here, persona) == character(there, persona)
    assert axis_of(here).units(30) == axis_of(there).units(shift - 30) == length


def test_the_character_scales_effects_but_does_not_change_which_is_best():
    for domain, families in BEST.items():
        for k in range(20):
            table = kernels(replace(toward(20, 120, domain), id=f"x-{k}"), "vanilla", 12)
            for now, family in zip(PHASES, families, strict=True):
                best = max(GOEMOTIONS, key=lambda label, now=now, table=table: table[now, label, False].concession)
                assert FAMILY[best] == family


def test_each_persona_has_its_own_temper():
    assert set(PERSONA) == set(phrases.PERSONA_SAYS) == set(PERSONAS)
    bargain = toward(20, 120)
    assert len({tuple(kernels(bargain, persona, 12).values()) for persona in PERSONAS}) == len(PERSONAS)


@PROPERTY
@given(lengths, st.integers(2, 31), st.sampled_from(range(len(PLANS))))
def test_plans_start_near_the_target_and_never_retreat(length, max_messages, plan):
    asked = planned_units(plan, float(length), max_messages)
    assert len(asked) == (max_messages + 1) // 2
    assert list(asked) == sorted(asked, reverse=True)
    assert length * 0.93 - 0.5 <= asked[0] <= length and asked[-1] >= 0.33 * length - 0.5


def test_plans_are_equally_likely():
    rng = random.Random(1)
    drawn = Counter(plan_index(rng.getrandbits(63)) for _ in range(12_000))
    assert set(drawn) == set(range(len(PLANS))) and max(drawn.values()) < 1.15 * min(drawn.values())
