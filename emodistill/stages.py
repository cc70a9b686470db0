"""The stages of a run, what each depends on, and its fingerprint."""

import hashlib
import importlib
import json
import math
from collections.abc import Callable, Mapping
from dataclasses import dataclass
from typing import Any

from emodistill import wording
from emodistill.config import Config
from emodistill.domains import sources
from emodistill.evaluate.cells import cells, iql_tasks, jpo_tasks, sft_tasks
from emodistill.recipes import Recipe
from emodistill.records import SCHEMA
from emodistill.runs import RunDir
from emodistill.tasks import Result, TaskContext

# How something is computed, not what: leaves every result (or its distribution) as it is, so no fingerprint holds it.
_NOT_HASHED = frozenset(
    "in_flight log_every checkpoint_every checkpoint_minutes gradient_checkpointing deepspeed micro_batch_tokens "
    "concurrency timeout_s retries kv_cache_gb max_num_seqs tensor_parallel gpu_memory_utilization api_key_env "
    "max_tokens_spent max_usd usd_per_million_prompt usd_per_million_generated".split()
)


Reads = dict[str, tuple[str, ...]]  # input stage -> its tasks that are read


@dataclass(frozen=True, slots=True)
class Stage:
    """One stage.

    `uniform`: all its tasks have the same fingerprint, so one of them speaks for all. `makes_do`: goes on without
    inputs that were given up, and says that they are missing. `own`: settings that only this task depends on. `chain`:
    the stages it belongs to.
    """

    name: str
    reads: Callable[[Config, str], Reads]  # what a task reads
    settings: Callable[[Config], dict[str, Any]]
    tasks: Callable[[Config], tuple[str, ...]]
    work: str  # module:function
    uniform: bool = True
    makes_do: bool = False
    own: Callable[[Config, str], dict[str, Any]] = lambda config, task: {}
    chain: Callable[[], "Mapping[str, Stage]"] = lambda: STAGES

    def source(self, name: str) -> "Stage":
        """The stage of its chain that it reads by that name."""
        return self.chain()[name]

    def run(self, run: RunDir, config: Config, context: TaskContext) -> Result:
        """Do one task."""
        module, _, function = self.work.partition(":")
        result: Result = getattr(importlib.import_module(module), function)(run, config, context)
        return result


def _shards(config: Config) -> tuple[str, ...]:
    imported = config.sweep.imported
    episodes = len(config.scenarios.domains) * config.scenarios.train * config.sweep.rollouts
    count = math.ceil(episodes / config.sweep.shard_episodes) if imported is None else imported.shards
    return tuple(f"shard-{k:05d}" for k in range(count))


def _dump(config: Config, *sections: str) -> dict[str, Any]:
    whole = config.model_dump(mode="json")
    return {"seed": config.seed, **{section: whole[section] for section in sections}}


def _with_models(config: Config, roles: tuple[str, ...], *sections: str) -> dict[str, Any]:
    models = config.models.model_dump(mode="json")
    return {**_dump(config, *sections), "models": {role: models[role] for role in roles}}


def _prompts(config: Config, of: Callable[[str], str]) -> dict[str, dict[str, str]]:
    return {"prompts": {domain: of(domain) for domain in config.scenarios.domains}}


def _every(*names: str) -> Callable[[Config, str], Reads]:
    return lambda config, task: {name: STAGES[name].tasks(config) for name in names}


def _rollout_settings(config: Config) -> dict[str, Any]:
    """Of an imported sweep: its checksums, instead of who would play it and how often."""
    settings = _with_models(config, ("teacher", "counterparty"), "negotiation", "sweep")
    if config.sweep.imported is None:
        del settings["sweep"]["imported"]
    else:
        settings |= {"models": {}, "sweep": {"imported": settings["sweep"]["imported"]}}
    scenarios = {"train": config.scenarios.train, "source": sources(config.scenarios)}
    return {**settings, "scenarios": scenarios, **_prompts(config, wording.of_negotiators)}


def _evaluated(config: Config, task: str) -> Reads:
    reads: dict[str, list[str]] = {}
    for variant in cells(config)[task].policies():
        trained = [("iql", name) for name in variant.selectors(config).values()]
        for stage, name in [*trained, *([variant.adapter] if variant.adapter else [])]:
            reads.setdefault(stage, []).append(name)
    return {stage: tuple(dict.fromkeys(names)) for stage, names in reads.items()}


def _evaluate_settings(config: Config) -> dict[str, Any]:
    settings = _with_models(config, ("student", "counterparty"), "evaluate", "negotiation")
    settings["evaluate"] = {key: settings["evaluate"][key] for key in ("seeds", "persona", "sampling")}
    counterparty = {"sweep": {"sampling": config.sweep.sampling.model_dump(mode="json")}}
    held_out = {**config.scenarios.model_dump(exclude={"csv", "domains"}), "source": sources(config.scenarios)}
    return {**settings, "scenarios": held_out, **counterparty, **_prompts(config, wording.of_negotiators)}


STAGES: dict[str, Stage] = {
    stage.name: stage
    for stage in (
        Stage("rollout", _every(), _rollout_settings, _shards, "emodistill.work:rollout_shard"),
        Stage("judge", lambda c, task: {"rollout": (task,)},
              lambda c: {**_with_models(c, ("judge",), "judge"), **_prompts(c, wording.of_judge)},
              _shards, "emodistill.work:judge_shard"),
        Stage("dataset", _every("rollout", "judge"), lambda c: {},
              lambda c: ("pairs",), "emodistill.dataset.build:build_dataset", makes_do=True),
        Stage("iql", _every("dataset"), lambda c: _dump(c, "iql"), iql_tasks, "emodistill.train.iql:train_iql"),
        Stage("sft", _every("dataset"), lambda c: _with_models(c, ("student",), "sft"),
              sft_tasks, "emodistill.train.sft:train_sft"),
        Stage("jpo", lambda c, task: {"dataset": ("pairs",), "sft": (Recipe.of(task).sft_task,)},
              lambda c: _with_models(c, ("student",), "jpo"), jpo_tasks, "emodistill.train.jpo:train_jpo"),
        Stage("evaluate", _evaluated, _evaluate_settings, lambda c: tuple(cells(c)), "emodistill.work:evaluate_cell",
              uniform=False, own=lambda c, task: cells(c)[task].settings(c)),
        Stage("tables", _every("evaluate", "judge"),
              lambda c: {**_dump(c, "report"), "cells": list(cells(c))},
              lambda c: ("main",), "emodistill.report.build:build_report", makes_do=True),
    )
}  # fmt: skip


def ingredients(stage: Stage, config: Config) -> dict[str, Any]:
    """What the stage's own results depend on, besides its inputs: flat, `section.key` to value."""
    flat: dict[str, Any] = {"schema": SCHEMA}
    _flatten(stage.settings(config), "", flat)
    return flat


def own_ingredients(stage: Stage, config: Config, task: str) -> dict[str, Any]:
    """What only this task depends on, flat as `ingredients`."""
    flat: dict[str, Any] = {}
    _flatten(stage.own(config, task), "", flat)
    return flat


class Fingerprints:
    """Fingerprints of one configuration, each worked out once; scenario files are read when first asked for.

    One says with what settings a task is done, and not which task that is: cells of two policies may share it. Results
    are told apart by stage, task, fingerprint and inputs together (`Claim`, under the task's name).
    """

    def __init__(self, config: Config) -> None:
        self._config = config
        self._known: dict[tuple[str, str], str] = {}
        self._ingredients: dict[str, dict[str, Any]] = {}  # by stage: to say them, all prompts are rendered

    def __call__(self, stage: Stage, task: str) -> str:
        """Hash of the stage's ingredients and of the fingerprints of what the task reads."""
        key = (stage.name, "" if stage.uniform else task)
        if key not in self._known:
            inputs = [
                self(stage.source(name), other)
                for name, tasks in stage.reads(self._config, task).items()
                for other in (tasks[:1] if stage.source(name).uniform else tasks)
            ]
            if stage.name not in self._ingredients:
                self._ingredients[stage.name] = ingredients(stage, self._config)
            own = own_ingredients(stage, self._config, task)
            parts = [stage.name, {**self._ingredients[stage.name], **own}, inputs]
            self._known[key] = hashlib.sha256(json.dumps(parts, sort_keys=True).encode()).hexdigest()[:16]
        return self._known[key]


def _flatten(value: Any, prefix: str, into: dict[str, Any]) -> None:
    if isinstance(value, dict):
        for key, inner in value.items():
            if key not in _NOT_HASHED:
                _flatten(inner, f"{prefix}.{key}" if prefix else key, into)
    else:
        into[prefix] = value
