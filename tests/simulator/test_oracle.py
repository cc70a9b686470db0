"""The dynamic programme against the real functions: by exhaustive enumeration of small cases, and by play."""

import json
import random
from dataclasses import replace
from functools import partial

import numpy as np
import pytest

from emodistill.cli import main
from emodistill.config import Scenarios
from emodistill.domains import build_scenarios, domain_named
from emodistill.domains.base import PERSONAS
from emodistill.emotions import GOEMOTIONS
from emodistill.llm.base import View
from emodistill.policy.selectors import fixed, random_emotion
from emodistill.records import Rules, Turn
from emodistill.rollout.agreement import outcome
from emodistill.rollout.offers import read
from emodistill.seeds import Dice
from emodistill.simulator.measure import measure_oracle, render_oracle
from emodistill.simulator.negotiators import answer, situation, teacher_says
from emodistill.simulator.oracle import solve
from emodistill.simulator.phrases import COUNTER_WALK
from emodistill.simulator.plans import PLANS
from emodistill.simulator.rehearsal import episode_return, oracle_select, rehearse

from builders import episode, mirrored, scenario

POLICIES = ("oracle", "random", "gratitude", "anger", "neutral")
MONEY = 1e-9


def value_of(solution, policy):
    values = {"oracle": solution.oracle, "random": solution.random}
    return values[policy] if policy in values else float(solution.fixed[GOEMOTIONS.index(policy)])


def enumerated(bargain, rules, plan, persona, choose, turns=()):
    """Expected return by following every branch in text, through reading, agreement and rewards.

    `choose(turns, value_of_emotion)` turns the values of the 28 emotions into the policy's.
    """
    end = outcome(bargain, turns, rules)
    if end is not None:
        return episode_return(bargain, episode(end.status, end.agreed, turns, of=bargain.id), rules.max_messages)
    further = partial(enumerated, bargain, rules, plan, persona, choose)
    quantity = domain_named(bargain.domain).quantity

    def heard(seat, words, emotion=None):
        return (*turns, Turn(len(turns), seat, words, read(words, quantity), emotion))

    view = View(bargain, turns, "focal", None, rules.max_messages, plan, persona)
    if len(turns) % 2 == 0:
        return choose(
            turns, lambda e: further(heard("focal", teacher_says(view._replace(emotion=e), SEEDS.getrandbits(63)), e))
        )
    now = situation(view)
    stays = sum(
        p * further(heard("counterparty", answer(now, step, Dice(SEEDS.getrandbits(63)))))
        for step, p in now.kernel.steps
    )
    return now.risk * further(heard("counterparty", COUNTER_WALK[0])) + (1 - now.risk) * stays


SEEDS = random.Random(4)  # the words vary; what they do must not


def chosen(policy, solution, plan, bargain):
    if policy == "random":
        return lambda turns, value: np.mean([value(emotion) for emotion in GOEMOTIONS])
    select = oracle_select({(bargain.id, plan): solution}, plan) if policy == "oracle" else fixed(policy)
    return lambda turns, value: value(select(bargain, turns, None))


@pytest.mark.parametrize("policy", ["oracle", "gratitude", "anger", "neutral"])
@pytest.mark.parametrize(
    ("bargain", "rules", "plan", "persona"),
    [
        (scenario(20, 27), Rules(max_messages=6), 0, "vanilla"),
        (scenario(20, 60), Rules(max_messages=7), 5, "threat"),
        (scenario(150, 20), Rules(max_messages=6, tolerance_units=5), 10, "victim"),
        (scenario(20, 23), Rules(max_messages=8, tolerance_pct=0), 11, "pressure"),
        (scenario(20, 21), Rules(max_messages=3), 2, "vanilla"),
        (scenario(20.5, 30.25), Rules(max_messages=6), 7, "vanilla"),
    ],
)
def test_every_branch_played_out_in_words_gives_the_dynamic_programme_s_value(policy, bargain, rules, plan, persona):
    solution = solve(bargain, plan, persona, rules)
    expected = enumerated(bargain, rules, plan, persona, chosen(policy, solution, plan, bargain))
    assert value_of(solution, policy) == pytest.approx(expected, abs=MONEY)


@pytest.mark.slow
@pytest.mark.parametrize(("bargain", "plan"), [(scenario(20, 27), 4), (scenario(24, 20), 9)])
def test_no_choice_of_emotions_is_worth_more_than_the_oracle_and_random_is_their_mean(bargain, plan):
    rules = Rules(max_messages=4)
    solution = solve(bargain, plan, "vanilla", rules)
    best = enumerated(bargain, rules, plan, "vanilla", lambda turns, value: max(map(value, GOEMOTIONS)))
    assert solution.oracle == pytest.approx(best, abs=MONEY)
    mean = enumerated(bargain, rules, plan, "vanilla", chosen("random", solution, plan, bargain))
    assert solution.random == pytest.approx(mean, abs=MONEY)


@pytest.mark.parametrize("persona", PERSONAS)
def test_a_mirrored_scenario_has_the_same_value(persona):
    bargain, rules = scenario(20, 90), Rules(max_messages=12)
    here, there = (solve(one, 3, persona, rules) for one in (bargain, mirrored(bargain, 300)))
    assert here.oracle == pytest.approx(there.oracle, abs=MONEY) and np.allclose(here.fixed, there.fixed, atol=MONEY)
    assert (here.best == there.best).all() and (here.other == there.other).all()


@pytest.fixture(scope="module")
def held_out():
    return build_scenarios(Scenarios(), seed=7)[80:83]


@pytest.mark.parametrize("max_messages", [12, pytest.param(30, marks=pytest.mark.slow)])
def test_play_confirms_each_value(held_out, max_messages):
    rules = Rules(max_messages=max_messages)
    solved = {(s.id, plan): solve(s, plan, "vanilla", rules) for s in held_out for plan in range(len(PLANS))}
    selects = {
        "oracle": lambda plan: oracle_select(solved, plan),
        "random": lambda plan: random_emotion,
        "gratitude": lambda plan: fixed("gratitude"),
        "neutral": lambda plan: fixed("neutral"),
    }
    for policy, select_for in selects.items():
        sample = rehearse(held_out, select_for, rules, "vanilla", 720, seed=1)
        expected = np.mean([value_of(solution, policy) for solution in solved.values()])
        assert sample.n == 720 and abs(sample.mean - expected) < 3 * sample.standard_error, policy


@pytest.mark.parametrize("domain", ["crad", "disaster", "hospital", "student"])
@pytest.mark.parametrize("max_messages", [12, pytest.param(30, marks=pytest.mark.slow)])
def test_the_oracle_gains_much_and_no_fixed_emotion_comes_near_it(held_out, domain, max_messages):
    rules = Rules(max_messages=max_messages)
    solved = [
        solve(replace(one, domain=domain), plan, "vanilla", rules) for one in held_out for plan in range(len(PLANS))
    ]
    oracle, chance = (np.mean([value_of(solution, policy) for solution in solved]) for policy in POLICIES[:2])
    share = (np.mean([solution.fixed for solution in solved], axis=0) - chance) / (oracle - chance)
    assert oracle - chance > 0.9
    assert share.max() < 0.7 and share.min() < 0


def test_the_command_reports_value_check_and_share(capsys):
    found = measure_oracle("crad", Rules(max_messages=4), "vanilla", 240, seed=7)
    assert (found["domain"], found["max_messages"], found["persona"], found["scenarios"]) == ("crad", 4, "vanilla", 20)
    for row in (found["oracle"], found["best_fixed"], found["random"], found["neutral"]):
        assert abs(row["monte_carlo"] - row["return"]) < 4 * row["standard_error"] and row["n"] == 240
        assert 0 <= row["utility"] <= 100
    gain = found["oracle"]["return"] - found["random"]["return"]
    best = found["best_fixed"]
    assert best["emotion"] in GOEMOTIONS and found["neutral"]["return"] <= best["return"] < found["oracle"]["return"]
    assert found["best_fixed_share"] == pytest.approx((best["return"] - found["random"]["return"]) / gain)
    table = render_oracle(found)
    assert table.startswith("simulated: crad") and f"best fixed: {best['emotion']}" in table
    command = "simulator oracle --domain crad --max-messages 4 --episodes 240 --json"
    assert main(command.split()) == 0
    assert json.loads(capsys.readouterr().out) == found


@pytest.mark.parametrize(
    ("wrong", "named"),
    [
        ("--persona kind", "vanilla, pressure, victim, threat"), ("--domain moon", "'moon'"),
        ("--max-messages 1", "--max-messages"), ("--episodes 0", "--episodes"),
    ],
)  # fmt: skip
def test_a_wrong_option_is_one_paragraph(wrong, named, capsys):
    assert main(["simulator", "oracle", *wrong.split()]) == 2
    said = capsys.readouterr().err
    assert named in said and said.count("\n") == 1
