"""Does the selector find the planted truth? Trained on 80 simulator scenarios a domain, played on the 20 held-out ones.

Return is METHOD.md §4's, as in `emodistill simulator oracle`. Every policy plays the same episodes (scenario and seed),
so differences are paired; intervals are 95 % bootstraps clustered by scenario. The oracle knows the counterparty's
character and the teacher's plan. The best fixed emotion is the best on the held-out scenarios, by exact value, which
is more than anybody could know.
"""

import tempfile
from collections.abc import Callable, Sequence
from pathlib import Path

import numpy as np

from emodistill.config import IQL, Scenarios
from emodistill.dataset.rewards import turn_rewards
from emodistill.domains import DOMAINS, build_scenarios
from emodistill.emotions import GOEMOTIONS
from emodistill.policy.selectors import fixed, random_emotion, trained
from emodistill.records import Rules, Scenario, Select
from emodistill.report.statistics import cluster_ratio
from emodistill.rollout.engine import Task
from emodistill.rollout.sweep import episode_tasks
from emodistill.simulator.oracle import solve
from emodistill.simulator.plans import PLANS, plan_index
from emodistill.simulator.rehearsal import oracle_select
from emodistill.train.iql import prepare
from jobs.bench import Measured
from jobs.bench.sweeps import played, sweep, trained_in

SEED, TRAIN, ROLLOUTS, SEEDS, RESAMPLES = 7, 80, 100, 40, 10_000
ASKED = 0.9
RULES = Rules()


def run() -> Measured:
    """The four domains with the default settings, one selector each."""
    figures: dict[str, object] = {}
    met = {}
    for domain in DOMAINS:
        scenarios = build_scenarios(Scenarios(domains=(domain,)), SEED)
        found = measure(scenarios[:TRAIN], scenarios[TRAIN:], IQL(), ROLLOUTS, SEEDS, SEED)
        figures |= {f"{domain}: {name}": value for name, value in found.items()}
        met[f"{domain}: share"] = found["share of the oracle's gain"] >= ASKED
        met[f"{domain}: beats the best fixed emotion"] = found["minus best fixed"][1] > 0
    said = ("at least 0.90 of what the oracle gains over random", "the paired difference's interval is above 0")
    return Measured(figures, {name: said["beats" in name] for name in met}, met)


def measure(
    train: Sequence[Scenario], test: Sequence[Scenario], settings: IQL, rollouts: int, seeds: int, seed: int
) -> dict[str, object]:
    """Train on one set of scenarios, play on another."""
    prepared = prepare(data := sweep(train, rollouts, RULES, seed), data.outcome_t)
    with tempfile.TemporaryDirectory() as name:
        trained_in(Path(name), prepared, settings, RULES, seed)
        select = trained({test[0].domain: Path(name)})
    return {"transitions": len(data.a_tm1), **compared(test, select, seeds, seed)}


def compared(test: Sequence[Scenario], select: Select, seeds: int, seed: int) -> dict[str, object]:
    """The selector beside oracle, random and the best fixed emotion on the same episodes."""
    tasks = episode_tasks(test, seeds, seed, "bench selector")
    solved = {(s.id, plan): solve(s, plan, "vanilla", RULES) for s in test for plan in range(len(PLANS))}
    best = GOEMOTIONS[int(np.mean([found.fixed for found in solved.values()], 0).argmax())]
    returns = {
        "selector": returns_of(tasks, lambda plan: select),
        "random": returns_of(tasks, lambda plan: random_emotion),
        "oracle": returns_of(tasks, lambda plan: oracle_select(solved, plan)),
        "best fixed": returns_of(tasks, lambda plan: fixed(best)),
    }
    clusters, ones = np.array([task.scenario.id for task in tasks]), np.ones(len(tasks))
    gained, possible = (returns[name] - returns["random"] for name in ("selector", "oracle"))
    share = cluster_ratio(gained, possible, clusters, RESAMPLES, seed)
    better = cluster_ratio(returns["selector"] - returns["best fixed"], ones, clusters, RESAMPLES, seed)
    return {
        "episodes a policy": len(tasks),
        **{f"return of {name}": round(float(values.mean()), 3) for name, values in returns.items()},
        "best fixed emotion": best,
        "share of the oracle's gain": round(share.value, 3),
        "its interval": [round(share.low, 3), round(share.high, 3)],
        "minus best fixed": [round(better.value, 3), round(better.low, 3), round(better.high, 3)],
    }


def returns_of(tasks: Sequence[Task], select_for: Callable[[int], Select]) -> np.ndarray:
    """R(τ) of each task's episode, in their order."""
    found: dict[str, float] = {}
    for plan in range(len(PLANS)):
        share = [task for task in tasks if plan_index(task.seed) == plan]
        for task, episode in zip(share, played(share, select_for(plan), RULES), strict=True):
            found[task.id] = float(turn_rewards(task.scenario, episode, RULES.max_messages).sum())
    return np.array([found[task.id] for task in tasks])
