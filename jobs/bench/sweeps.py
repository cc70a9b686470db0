"""What the selector's measurements share: a scripted sweep as transitions, and training as the stage does it."""

from collections.abc import Sequence
from pathlib import Path

import numpy as np

from emodistill.config import IQL
from emodistill.dataset.rewards import turn_rewards
from emodistill.dataset.transitions import Transitions, concatenate, transitions
from emodistill.llm import ModelPool
from emodistill.llm.scripted import ScriptedModel
from emodistill.policy.artefact import SelectorMeta, save, spread_of
from emodistill.policy.selectors import random_emotion
from emodistill.records import Episode, Rules, Scenario, Select
from emodistill.rollout.engine import Task, Usage, Voice, play
from emodistill.rollout.sweep import episode_tasks
from emodistill.tasks import StopFlag, TaskContext
from emodistill.train.iql import Prepared, optimise

IN_FLIGHT = 256


def played(tasks: Sequence[Task], select: Select, rules: Rules) -> list[Episode]:
    """Scripted episodes, in the order of their tasks."""
    voice = Voice(ScriptedModel(), temperature=0.0, max_tokens=1)
    found = {episode.id: episode for episode in play(tasks, voice, voice, select, rules, IN_FLIGHT, Usage())}
    return [found[task.id] for task in tasks]


def sweep(scenarios: Sequence[Scenario], rollouts: int, rules: Rules, seed: int) -> Transitions:
    """A random-emotion sweep's transitions with the outcome as the signal; `scenario` is the place in `scenarios`."""
    place = {scenario.id: k for k, scenario in enumerate(scenarios)}
    parts = []
    for episode in played(episode_tasks(scenarios, rollouts, seed, "sweep"), random_emotion, rules):
        k = place[episode.scenario_id]
        rewards = turn_rewards(scenarios[k], episode, rules.max_messages)
        missing = np.full(len(rewards), np.nan)
        parts.append(transitions(scenarios[k], episode, rules.max_messages, rewards, missing, missing, k))
    return concatenate(parts)


def trained_in(folder: Path, prepared: Prepared, settings: IQL, rules: Rules, seed: int) -> None:
    """Train as the iql stage does, DeepSpeed and checkpoints included, and leave the artefact in `folder`."""
    context = TaskContext("iql", "selector", {}, StopFlag(), ModelPool(), lambda done, total: None, "bench")
    networks = optimise(prepared, settings, seed, folder, context)
    spread = spread_of(networks, prepared.columns[0])
    meta = SelectorMeta.of(
        networks.shape, settings, rules.max_messages, prepared.normaliser, prepared.reward_scale, spread,
        prepared.seen, context.fingerprint,
    )  # fmt: skip
    save(folder, networks, meta)
