"""The exact utility of one emotion throughout, against play and against the return's dynamic programme."""

import numpy as np
import pytest

from emodistill.config import Scenarios
from emodistill.domains import build_scenarios
from emodistill.emotions import GOEMOTIONS
from emodistill.policy.selectors import fixed
from emodistill.records import Rules
from emodistill.simulator.oracle import fixed_utility
from emodistill.simulator.plans import PLANS
from emodistill.simulator.rehearsal import rehearse

from builders import mirrored, scenario


@pytest.mark.parametrize(
    ("domain", "emotion", "persona", "rules"),
    [
        ("crad", "joy", "vanilla", Rules()),
        ("hospital", "relief", "threat", Rules(max_messages=13, tolerance_pct=20)),
        ("student", "neutral", "victim", Rules(max_messages=12, tolerance_units=0)),
    ],
)
def test_play_has_the_expected_utility(domain, emotion, persona, rules):
    settings = Scenarios(domains=(domain,), held_out=5)
    scenarios = build_scenarios(settings, 7)[settings.train :]
    found = [fixed_utility(s, plan, persona, rules) for s in scenarios for plan in range(len(PLANS))]
    expected = np.mean(found, axis=0)[GOEMOTIONS.index(emotion)]
    sample = rehearse(scenarios, lambda plan: fixed(emotion), rules, persona, 3000, 3)
    assert sample.utility == pytest.approx(expected, abs=3 * 40 / np.sqrt(sample.n))  # an episode's sd is below 40


def test_a_mirrored_scenario_has_the_same_utility():
    one, rules = scenario(20, 60), Rules(max_messages=12)
    same = fixed_utility(mirrored(one, 80), 3, "vanilla", rules)
    assert fixed_utility(one, 3, "vanilla", rules) == pytest.approx(same, abs=1e-9)
