"""The exact value of choosing emotions against the simulator, by dynamic programming (ours).

Given scenario, persona and the teacher's plan, a negotiation is a finite Markov chain: focal turn, the counterparty's
standing offer in whole units, its latest replies without a concession (0, 1, 2 or more) and the emotion last shown.
The recursion follows `rollout.agreement` (acceptance, crossing, tolerance, timeout) and `dataset.rewards`, so its
values are exact expected returns (METHOD.md §4). The oracle knows the counterparty's character and the teacher's plan,
which no learner does: it is an upper bound.
"""

from dataclasses import dataclass
from functools import lru_cache

import numpy as np

from emodistill.dataset.rewards import TERMINAL
from emodistill.emotions import GOEMOTIONS
from emodistill.records import Rules, Scenario
from emodistill.rollout.agreement import tolerance
from emodistill.simulator.effects import PHASES, phase
from emodistill.simulator.kernels import axis_of, concedes, kernels, limit_units
from emodistill.simulator.plans import planned_units

LABELS = len(GOEMOTIONS)
STILLS = 3  # 0, 1, 2 or more replies without a concession


@dataclass(frozen=True, slots=True)
class Solution:
    """Expected returns of one scenario and plan, and the oracle's choices.

    `best` and `other`: uint8 [focal turns, STILLS, units], an emotion's index; `other` is for when the focal side has
    just shown `best`.
    """

    oracle: float
    random: float
    fixed: np.ndarray  # float64 [28]
    best: np.ndarray
    other: np.ndarray


@dataclass(frozen=True, slots=True)
class _Moves:
    """One phase's kernels as arrays; v = 28 emotions shown anew, then worn; j = outcomes; c = whole units given up."""

    risk: np.ndarray  # float64 [v, 1]
    chance: np.ndarray  # float64 [v, 1, j]
    flat: np.ndarray  # int64 [v, j, c], index into [emotion, (conceded, stood), c] of what follows


def solve(scenario: Scenario, plan: int, persona: str, rules: Rules) -> Solution:
    """Backward induction over focal turns.

    `ahead` is the value of what follows, for the policies oracle, random and fixed, by the emotion last shown:
    [3, 28, STILLS, c]. `shown` is the value of showing each emotion now: [3, (anew, worn), 28, STILLS, c].
    """
    axis, moves = axis_of(scenario), _moves(scenario, persona, rules.max_messages)
    asked = planned_units(plan, axis.length, rules.max_messages)
    units = np.arange(limit_units(scenario, persona) + 1)
    values = axis.origin + axis.sign * units
    choices = np.zeros((2, len(asked), STILLS, len(units)), np.uint8)
    ahead = np.full((3, LABELS, STILLS, len(units)), -TERMINAL)
    for turn in reversed(range(len(asked))):
        weight, previous = 1 - (turn + 1) / rules.max_messages, asked[turn - 1] if turn else axis.length
        conceding = -weight * (previous - asked[turn]) / axis.length
        near = np.abs(axis.value(asked[turn]) - values) <= tolerance(scenario, rules)
        if 2 * turn + 1 == rules.max_messages:  # no reply to the focal side's last message
            shown = np.full((3, 2, *ahead.shape[1:]), conceding - TERMINAL)
        else:
            gained = weight * np.minimum(units, asked[turn]) / axis.length
            after = gained + np.where((units >= asked[turn]) | near, TERMINAL, ahead)
            shown = _before_reply(after, moves, 2 * turn / rules.max_messages, weight * units / axis.length) + conceding
        ahead, choices[:, turn] = _choose(shown, first=turn == 0)
        if turn:
            accepting = TERMINAL - weight * (previous - units) / axis.length
            ahead = np.where(units >= asked[turn], accepting, np.where(near, conceding + TERMINAL, ahead))
    value = ahead[:, :, 0, 0]
    return Solution(float(value[0, 0]), float(value[1, 0]), value[2], choices[0], choices[1])


def fixed_utility(scenario: Scenario, plan: int, persona: str, rules: Rules) -> np.ndarray:
    """Expected utility (METHOD.md §8: 100 × savings, failures as 0) of showing one emotion throughout: float64 [28].

    The recursion of `solve` for these policies alone, with the agreed position in place of the return.
    """
    axis, moves = axis_of(scenario), _moves(scenario, persona, rules.max_messages)
    asked = planned_units(plan, axis.length, rules.max_messages)
    units = np.arange(limit_units(scenario, persona) + 1)
    values = axis.origin + axis.sign * units
    ahead = np.zeros((1, LABELS, STILLS, len(units)))
    for turn in reversed(range(len(asked))):
        near = np.abs(axis.value(asked[turn]) - values) <= tolerance(scenario, rules)
        midway = (asked[turn] + units) / (2 * axis.length)
        shown = np.zeros((1, 2, *ahead.shape[1:]))
        if 2 * turn + 1 < rules.max_messages:  # else there is no reply, and the time is up
            agreed = np.where(units >= asked[turn], asked[turn] / axis.length, midway)
            after = np.where((units >= asked[turn]) | near, agreed, ahead)
            shown = _before_reply(after, moves, 2 * turn / rules.max_messages, np.zeros(len(units)), walked=0.0)
        ahead = shown[:, min(turn, 1)]
        if turn:
            ahead = np.where(units >= asked[turn], units / axis.length, np.where(near, midway, ahead))
    return 100 * ahead[0, :, 0, 0]


def _before_reply(
    after: np.ndarray, moves: dict[str, _Moves], progress: float, here: np.ndarray, walked: float = -TERMINAL
) -> np.ndarray:
    """Value of a focal message before its reply: [policies, 2, 28, STILLS, c].

    `after` is the value after the reply, as `ahead`; `here` [c] is what the present offer has already been credited;
    `walked` is the value of a walk-away.
    """
    values = []
    for still in range(STILLS):
        move = moves[phase(progress, still)]
        follows = after[:, :, (0, min(still + 1, STILLS - 1))].reshape(len(after), -1)[:, move.flat]
        stays = (move.chance @ follows)[:, :, 0] - here
        values.append(walked * move.risk + (1 - move.risk) * stays)
    return np.stack(values, axis=2).reshape(len(after), 2, LABELS, STILLS, -1)


def _choose(shown: np.ndarray, first: bool) -> tuple[np.ndarray, np.ndarray]:
    """Value of the three policies by the emotion last shown, and the oracle's (best, other); `first`: none shown."""
    anew, worn = shown[:, 0], shown[:, 1]
    order = np.argsort(anew[0], axis=0, kind="stable")[::-1][:2]  # best and second best: [2, STILLS, c]
    top, second = np.take_along_axis(anew[0], order, 0)
    again = np.take_along_axis(worn[0], order[:1], 0)[0]
    choices = np.stack([order[0], np.where(again > second, order[0], order[1])])
    if first:
        random = np.broadcast_to(anew[1].mean(0), anew[1].shape)
        return np.stack([np.broadcast_to(top, random.shape), random, anew[2]]), choices
    is_best = np.arange(LABELS)[:, None, None] == order[0]
    oracle = np.where(is_best, np.maximum(again, second), top)
    return np.stack([oracle, anew[1].mean(0) + (worn[1] - anew[1]) / LABELS, worn[2]]), choices


@lru_cache(maxsize=4)
def _moves(scenario: Scenario, persona: str, max_messages: int) -> dict[str, _Moves]:
    table, length = kernels(scenario, persona, max_messages), axis_of(scenario).length
    here = np.arange(limit_units(scenario, persona) + 1)
    follows = np.arange(2 * LABELS)[:, None, None] % LABELS * 2
    found = {}
    for name in PHASES:
        every = [table[name, emotion, worn] for worn in (False, True) for emotion in GOEMOTIONS]
        steps = np.zeros((len(every), max(len(kernel.steps) for kernel in every)), np.int64)
        chance = np.zeros(steps.shape)
        for v, kernel in enumerate(every):
            steps[v, : len(kernel.steps)], chance[v, : len(kernel.steps)] = zip(*kernel.steps, strict=True)
        there = np.minimum(here + steps[:, :, None], here[-1])
        stood = ~concedes(there - here, length)
        risk = np.array([[kernel.risk] for kernel in every])
        found[name] = _Moves(risk, chance[:, None], (follows + stood) * len(here) + there)
    return found
