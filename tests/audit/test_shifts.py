"""Shifts, vulnerability and worst dialogues by hand; an adversary that chooses among chance gains nothing."""

import math
from dataclasses import replace

import numpy as np
import pytest

from emodistill.audit.dialogues import largest_losses
from emodistill.audit.shifts import BASE, TESTED, held_out_gains, shifts, vulnerabilities
from emodistill.emotions import GOEMOTIONS
from emodistill.evaluate.metrics import EvalRecords


def of(*rows):
    """Episodes of (scenario, rollout, valid, agreed, savings, messages)."""
    return EvalRecords(*map(np.array, zip(*rows, strict=True)))


def cell(savings, agreed=True, messages=10, seeds=2):
    """Episodes of the scenarios with these savings, the same for each seed."""
    return of(*((scenario, k, True, agreed, s, messages) for scenario, s in enumerate(savings) for k in range(seeds)))


@pytest.fixture
def records():
    """joy gains 10, 20, 30, 40 points; anger fails; pride is best in a and c, and costs in b and d; others are flat."""
    flat = {emotion: cell([0.5] * 4) for emotion in GOEMOTIONS}
    return {
        **flat,
        "joy": cell([0.6, 0.7, 0.8, 0.9], messages=8),
        "anger": cell([0.0] * 4, agreed=False, messages=4),
        "pride": cell([1.0, 0.2, 1.0, 0.2]),
    }


def test_shifts_are_paired_means_against_neutral_with_adjusted_p(records):
    found = {row.emotion: row for row in shifts(records, "crad", 500, 1)}
    joy, anger = found["joy"], found["anger"]
    assert (joy.level.value, joy.utility.value, joy.rounds.value) == (pytest.approx(75), pytest.approx(25), -2)
    assert (anger.utility.value, anger.success.value) == (-50, -100)
    assert joy.p == anger.p == 2 / 16  # of the 16 ways to swap four scenarios two are as far from 0
    assert joy.adjusted == 1 and not (joy.significant or anger.significant)
    assert found["love"].adjusted == 1 and math.isnan(found[BASE].p) and found[BASE].utility.value == 0


def test_with_enough_scenarios_what_all_of_them_show_is_significant():
    """12 scenarios: 2 / 2^12 · 27 / 2 < 0.05, the least that two emotions of 27 can reach."""
    flat = {emotion: cell([0.5] * 12) for emotion in GOEMOTIONS}
    found = shifts({**flat, "joy": cell([0.6] * 12), "anger": cell([0.3] * 12)}, "crad", 5000, 1)
    assert [row.emotion for row in found if row.significant] == ["anger", "joy"]
    assert {row.adjusted for row in found if row.significant} == {27 / 2**12}


def test_what_is_chosen_on_one_half_is_measured_on_the_other(records):
    """On a and c pride is best (+50), and costs 30 in b and d; there joy is best (+30), and gains 20 in a and c."""
    [found] = vulnerabilities({"crad": records}, shifts(records, "crad", 500, 1), 500, 1)
    assert found.chosen == ("pride", "joy")
    assert found.gain.value == pytest.approx((-30 - 30 + 10 + 30) / 4) and found.gain.n == 8
    assert (found.raised, found.lowered, found.tested, found.share) == (0, 0, 27, 0)


def test_where_no_emotion_helps_the_adversary_stays_neutral():
    records = {e: cell([0.5] * 7) if e == BASE else cell([0.4] * 7) for e in GOEMOTIONS}
    rows = [*shifts(records, "crad", 200, 1), *shifts(records, "student", 200, 1)]
    every, crad, student = vulnerabilities({"crad": records, "student": records}, rows, 200, 1)
    assert (every.domain, every.tested, every.lowered) == ("all", 54, 54)
    assert crad.chosen == (BASE, BASE) and every.gain.value == crad.gain.value == student.gain.value == 0


def test_choosing_among_27_shifts_of_pure_chance_gains_nothing():
    rng = np.random.default_rng(2)
    played = cell([0.0] * 20)
    gains, naive = [], []
    for _ in range(300):
        utility = {e: rng.normal(0.5, 0.2, len(played)) for e in GOEMOTIONS}
        gains.append(held_out_gains({e: replace(played, savings=of) for e, of in utility.items()})[0].mean())
        naive.append(100 * (max(utility[e].mean() for e in TESTED) - utility[BASE].mean()))
    assert abs(np.mean(gains)) < 3 * np.std(gains) / np.sqrt(300)
    assert np.mean(naive) > 5  # what the same choice looks like on the scenarios it was made on


def test_errors_are_counted_and_their_pairs_left_out(records):
    records["joy"].valid[0] = False
    found = {row.emotion: row for row in shifts(records, "crad", 200, 1)}
    assert (found["joy"].errors, found["joy"].utility.n) == (1, 7)
    assert found["joy"].utility.value == pytest.approx((10 + 2 * (20 + 30 + 40)) / 7)


def test_one_scenario_has_shifts_but_neither_interval_nor_p():
    records = {e: of(*((0, k, True, True, 0.5, 4) for k in range(3))) for e in GOEMOTIONS}
    rows = shifts(records, "crad", 200, 1)
    assert all(math.isnan(row.p) and math.isnan(row.utility.low) for row in rows)
    [found] = vulnerabilities({"crad": records}, rows, 200, 1)
    assert math.isnan(found.gain.value) and found.chosen == ()


def test_the_largest_losses_are_of_different_scenarios(records):
    assert [(round(loss), emotion, s, k) for loss, emotion, s, k in largest_losses(records, 3)] == [
        (50, "pride", 0, 0), (50, "pride", 2, 0), (40, "joy", 3, 0),
    ]  # fmt: skip
    flat = {e: cell([0.5] * 4) for e in GOEMOTIONS}
    assert largest_losses(flat, 3) == []
