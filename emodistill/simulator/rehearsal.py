"""The oracle's values checked by play: scripted episodes through the rollout engine, returns by `dataset` (ours)."""

from collections.abc import Callable
from dataclasses import dataclass, replace

import numpy as np

from emodistill.dataset.rewards import step_rewards, terminal_reward
from emodistill.emotions import GOEMOTIONS
from emodistill.llm.scripted import ScriptedModel
from emodistill.records import Episode, Rules, Scenario, Select, Style, Turn
from emodistill.rollout.engine import Usage, Voice, play
from emodistill.rollout.sweep import episode_tasks
from emodistill.simulator.kernels import axis_of
from emodistill.simulator.negotiators import standing
from emodistill.simulator.oracle import Solution
from emodistill.simulator.plans import PLANS, plan_index

IN_FLIGHT = 64


@dataclass(frozen=True, slots=True)
class Sample:
    """Mean return (METHOD.md §4) of n episodes with its standard error, and their utility (§8)."""

    mean: float
    standard_error: float
    n: int
    utility: float


def oracle_select(solutions: dict[tuple[str, int], Solution], plan: int) -> Select:
    """The oracle as a selector, for episodes whose teacher follows `plan`; `solutions` by (scenario id, plan)."""

    def select(scenario: Scenario, turns: tuple[Turn, ...], seed: int) -> str:
        solution = solutions[scenario.id, plan]
        here, still = standing(turns[1::2], axis_of(scenario))
        spot = (len(turns) // 2, still, here or 0)
        best = GOEMOTIONS[int(solution.best[spot])]
        return best if not turns or turns[-2].emotion != best else GOEMOTIONS[int(solution.other[spot])]

    return select


def rehearse(
    scenarios: tuple[Scenario, ...],
    select_for: Callable[[int], Select],
    rules: Rules,
    persona: str,
    episodes: int,
    seed: int,
) -> Sample:
    """Play at least `episodes` episodes, as many of each scenario and plan; `select_for(plan)` chooses the emotions."""
    by_id = {scenario.id: scenario for scenario in scenarios}
    played: list[Episode] = []
    rounds = -(-episodes // (len(scenarios) * len(PLANS)))
    tasks = episode_tasks(scenarios, rounds * len(PLANS), seed, "rehearsal")
    for plan in range(len(PLANS)):
        share = [
            replace(task, seed=task.seed - plan_index(task.seed) + plan)
            for task in tasks
            if task.rollout % len(PLANS) == plan
        ]
        voice, style = Voice(ScriptedModel(), temperature=0.0, max_tokens=1), Style(persona=persona)
        played += play(share, voice, voice, select_for(plan), rules, IN_FLIGHT, Usage(), style=style)
    returns = np.array([episode_return(by_id[e.scenario_id], e, rules.max_messages) for e in played])
    error = float(returns.std(ddof=1) / np.sqrt(len(returns)))
    utility = float(100 * np.mean([_savings(by_id[e.scenario_id], e) for e in played]))
    return Sample(float(returns.mean()), error, len(returns), utility)


def _savings(scenario: Scenario, episode: Episode) -> float:
    pos = 0.0 if episode.agreed is None else scenario.pos(episode.agreed)
    return min(1.0, max(0.0, pos))


def episode_return(scenario: Scenario, episode: Episode, max_messages: int) -> float:
    """R(τ) = Σ Δ_t + R_term (METHOD.md §4)."""
    return float(step_rewards(scenario, episode, max_messages).sum()) + terminal_reward(episode)
