"""Scripted episodes a second on one core, and which part of the house the time goes to.

Each round plays new episodes, so that no cache knows them. Every part is then timed alone on one recorded batch: what
teacher and counterparty were asked, and what was read (with warm caches); the engine's share is the rest. Times are CPU
seconds of this process, so that a busy machine distorts less; best of the rounds.
"""

import gc
import itertools
import time
from collections.abc import Callable, Iterator

from emodistill.config import Scenarios
from emodistill.domains import build_scenarios, domain_named
from emodistill.llm.base import ChatRequest
from emodistill.llm.scripted import ScriptedModel
from emodistill.policy.selectors import random_emotion
from emodistill.records import Episode, Rules, Scenario
from emodistill.rollout.engine import Usage, Voice, play
from emodistill.rollout.offers import read
from emodistill.rollout.sweep import episode_tasks
from emodistill.simulator.negotiators import counterparty_says, teacher_says
from jobs.bench import Measured

ROLLOUTS, ROUNDS, SEED, IN_FLIGHT = 25, 3, 7, 256
ASKED = 2000.0  # episodes a second


class _Recorder(ScriptedModel):
    """Keeps what it was asked."""

    def __init__(self) -> None:
        super().__init__()
        self.asked: list[ChatRequest] = []

    def submit(self, request: ChatRequest) -> None:
        self.asked.append(request)
        super().submit(request)


def run() -> Measured:
    """Random-emotion rollouts of the 80 training scenarios of crad at 12 and 30 messages."""
    figures = {f"{key}, {limit} messages": value for limit in (12, 30) for key, value in _measure(limit).items()}
    rates = [value for name, value in figures.items() if name.startswith("episodes a second")]
    return Measured(figures, {"rate": "at least 2,000 episodes a second on one core"}, {"rate": min(rates) >= ASKED})


def _measure(max_messages: int) -> dict[str, float]:
    recorder = _Recorder()
    scenarios = build_scenarios(Scenarios(), SEED)[:80]
    episodes = list(_play(recorder, scenarios, max_messages, SEED))
    quantity = domain_named("crad").quantity
    asked = {
        seat: [request for request in recorder.asked if request.view.seat == seat] for seat in ("focal", "counterparty")
    }
    said = [turn.utterance for episode in episodes for turn in episode.turns]
    seeds = itertools.count(SEED + 1)
    gc.collect()
    gc.freeze()  # a user's process does not keep what was asked; the collector would look through it again and again
    arms: dict[str, Callable[[], object]] = {
        "all": lambda: sum(1 for _ in _play(ScriptedModel(), scenarios, max_messages, next(seeds))),
        "teacher": lambda: [teacher_says(r.view, r.seed) for r in asked["focal"]],
        "counterparty": lambda: [counterparty_says(r.view, r.seed) for r in asked["counterparty"]],
        "reading": lambda: [read(utterance, quantity) for utterance in said],
    }
    best = dict.fromkeys(arms, float("inf"))
    for _ in range(ROUNDS):
        for name, arm in arms.items():
            start = time.process_time()
            arm()
            best[name] = min(best[name], time.process_time() - start)
    gc.unfreeze()
    parts = {name: best[name] / best["all"] for name in ("teacher", "counterparty", "reading")}
    return {
        "episodes a second": len(episodes) / best["all"],
        "messages an episode": len(said) / len(episodes),
        **{f"share of {name}": share for name, share in parts.items()},
        "share of the engine": 1 - sum(parts.values()),
    }


def _play(model: ScriptedModel, scenarios: tuple[Scenario, ...], max_messages: int, seed: int) -> Iterator[Episode]:
    voice = Voice(model, temperature=0.0, max_tokens=1)
    tasks = episode_tasks(scenarios, ROLLOUTS, seed, "bench")
    return play(tasks, voice, voice, random_emotion, Rules(max_messages), IN_FLIGHT, Usage())
