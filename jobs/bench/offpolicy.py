"""How often a 95 % interval from offline data holds the truth: 200 simulated sweeps of crad, three estimators.

A draw is 80 scenarios, drawn from 400, with 10 random-emotion rollouts each. The truth is the mean return that the
selector really gets on the 400, by play. Two selectors, trained once on another sweep: a soft one (β 0.5), for which
importance weights mean something, and a sharp one (the default β), for which only the fitted Q does: its
importance-sampled figures are shown beside their few effective episodes, and not asked for.
"""

import json
import tempfile
import time
from pathlib import Path

import numpy as np

from emodistill.config import IQL, Scenarios
from emodistill.dataset.rewards import turn_rewards
from emodistill.dataset.transitions import Transitions, take
from emodistill.domains import build_scenarios
from emodistill.evaluate.offpolicy import Logged, evaluate
from emodistill.policy.artefact import load, probabilities
from emodistill.policy.selectors import trained
from emodistill.rollout.sweep import episode_tasks
from emodistill.train.iql import prepare
from jobs.bench import Measured
from jobs.bench.selector import RULES, SEED
from jobs.bench.sweeps import played, sweep, trained_in

DRAWS, POOL, ROLLOUTS, SCENARIOS, A_DRAW, PLAYED, RESAMPLES = 200, 400, 20, 80, 10, 60, 500
SETTINGS = IQL(ensemble=2, steps=2000)
SELECTORS = {"soft": 0.5, "sharp": IQL().beta}
ASKED = [("soft", "fqe"), ("soft", "wis"), ("soft", "dr"), ("sharp", "fqe")]


def run() -> Measured:
    """Coverage of every estimator for both selectors."""
    scenarios = build_scenarios(Scenarios(train=POOL, held_out=20), SEED)[:POOL]
    learnt = sweep(scenarios[:SCENARIOS], ROLLOUTS, RULES, SEED + 1)
    pool, figures = sweep(scenarios, ROLLOUTS, RULES, SEED), {"draws": DRAWS}
    coverage: dict[tuple[str, str], float] = {}
    with tempfile.TemporaryDirectory() as name:
        folder = Path(name)
        trained_in(folder, prepare(learnt, learnt.outcome_t), SETTINGS, RULES, SEED)
        for selector, beta in SELECTORS.items():
            description = json.loads((folder / "selector.json").read_text(encoding="utf-8"))
            (folder / "selector.json").write_text(json.dumps({**description, "beta": beta}), encoding="utf-8")
            truth, error = _truth(folder, scenarios)
            figures |= {f"{selector}: true return": round(truth, 3), f"{selector}: its error": round(error, 3)}
            target = probabilities(*load(folder), pool.s_tm1, pool.last_tm1)
            for estimator, found in _draws(pool, target, truth).items():
                coverage[selector, estimator] = found["coverage"]
                figures |= {f"{selector}, {estimator}: {key}": round(value, 3) for key, value in found.items()}
    target_met = {f"{selector}, {kind}": coverage[selector, kind] >= 0.9 for selector, kind in ASKED}
    return Measured(figures, dict.fromkeys(target_met, "at least 90 % of the intervals hold the truth"), target_met)


def _truth(folder: Path, scenarios: tuple) -> tuple[float, float]:  # type: ignore[type-arg]
    """Mean return of the stored selector over the pool's scenarios, and its standard error given those."""
    tasks = episode_tasks(scenarios, PLAYED, SEED, "off-policy truth")
    episodes = played(tasks, trained({"crad": folder}), RULES)
    returns = np.array([
        turn_rewards(task.scenario, episode, RULES.max_messages).sum()
        for task, episode in zip(tasks, episodes, strict=True)
    ]).reshape(len(scenarios), PLAYED)  # fmt: skip
    return float(returns.mean()), float(np.sqrt(returns.var(1, ddof=1).mean() / returns.size))


def _draws(pool: Transitions, target: np.ndarray, truth: float) -> dict[str, dict[str, float]]:
    """Coverage, mean error, mean width and effective episodes of each estimator over the draws."""
    rng, rows = np.random.default_rng(SEED), _rows_of_episodes(pool)
    found: dict[str, list[tuple[float, ...]]] = {}
    started = time.perf_counter()
    for draw in range(DRAWS):
        logged = _draw(pool, target, rows, rng)
        for name, one in evaluate(logged, RESAMPLES, draw).items():
            e = one.estimate
            row = (float(e.low <= truth <= e.high), e.value - truth, e.high - e.low, one.effective)
            found.setdefault(name, []).append(row)
    seconds = (time.perf_counter() - started) / DRAWS
    keys = ("coverage", "mean error", "mean width", "effective episodes")
    means = {name: dict(zip(keys, np.mean(values, 0).tolist(), strict=True)) for name, values in found.items()}
    return {name: {**values, "seconds for all three": seconds} for name, values in means.items()}


def _rows_of_episodes(pool: Transitions) -> list[list[np.ndarray]]:
    """scenario -> episode -> its rows."""
    ends = np.flatnonzero(pool.done_t) + 1
    found: list[list[np.ndarray]] = [[] for _ in range(POOL)]
    for start, end in zip(np.concatenate([[0], ends[:-1]]), ends, strict=True):
        found[pool.scenario[start]].append(np.arange(start, end))
    return found


def _draw(pool: Transitions, target: np.ndarray, rows: list[list[np.ndarray]], rng: np.random.Generator) -> Logged:
    """Scenarios with replacement, each with rollouts of its own; a scenario drawn twice is two clusters."""
    taken, clusters = [], []
    for cluster, scenario in enumerate(rng.integers(POOL, size=SCENARIOS)):
        for episode in rng.choice(len(rows[scenario]), A_DRAW, replace=False):
            taken.append(rows[scenario][episode])
            clusters.append(np.full(len(taken[-1]), cluster))
    index = np.concatenate(taken)
    logged = Logged.of(take(pool, index), target[index])
    return Logged(logged.state, logged.last_shown, logged.action, logged.reward, logged.done, logged.target,
                  np.concatenate(clusters))  # fmt: skip
