"""The work functions of the model-driven stages: rollout, judge, evaluate.

Each is `work(run, config, context) → Result`.
"""

import math
from dataclasses import asdict
from pathlib import Path

from emodistill.config import Config, Sampling, Spec
from emodistill.errors import BadInput, RunFailed, Stopped
from emodistill.evaluate.variants import adapter_folder, selector_of, variant_named
from emodistill.judge.score import judge_episodes
from emodistill.policy.selectors import random_emotion
from emodistill.records import Episode, Rules, Scenario, Style
from emodistill.rollout.engine import Usage, Voice
from emodistill.rollout.sweep import episode_tasks, record_episodes
from emodistill.runs import RunDir
from emodistill.shards import EPISODES, VERDICTS, ShardWriter, read_records
from emodistill.tasks import Result, TaskContext


def rules_of(config: Config) -> Rules:
    """The negotiation's rules from the configuration."""
    return Rules(**config.negotiation.model_dump(exclude={"layout", "replies"}))


def style_of(config: Config, persona: str) -> Style:
    """How both seats are prompted, with the counterparty's persona."""
    return Style(config.negotiation.layout, config.negotiation.replies, persona)


def rollout_shard(run: RunDir, config: Config, context: TaskContext) -> Result:
    """One shard of the random-emotion sweep on training scenarios (METHOD.md §3)."""
    train = _split(run, "train")
    size, number = config.sweep.shard_episodes, int(context.task.rpartition("-")[2])
    tasks = episode_tasks(train, config.sweep.rollouts, config.seed, "sweep")[number * size : (number + 1) * size]
    voices = [
        _voice(context, spec, config.sweep.sampling) for spec in (config.models.teacher, config.models.counterparty)
    ]
    path = run.shard("rollout", context.task)
    played = record_episodes(
        path, tasks, *voices, random_emotion, rules_of(config), config.in_flight, context.stop, context.progress,
        style_of(config, config.sweep.persona),
    )  # fmt: skip
    return _episodes_result(context, path, played)


def judge_shard(run: RunDir, config: Config, context: TaskContext) -> Result:
    """Verdicts for one rollout shard (METHOD.md §4)."""
    episodes = read_records([run.shard("rollout", context.task)], EPISODES)
    writer = ShardWriter(run.shard("judge", context.task), VERDICTS)
    judged = writer.done()
    missing = [episode for episode in episodes if episode.id not in judged]
    done = len(episodes) - len(missing)
    model, usage = context.model(config.models.judge), Usage()
    limit = config.negotiation.max_messages
    try:
        for verdict in judge_episodes(
            missing, run.scenarios(), model, limit, config.judge, config.in_flight, usage, context.stop
        ):
            writer.add(verdict)
            done += 1
            context.progress(done, len(episodes))
    except (BadInput, RunFailed):  # of a model that cannot go on
        writer.flush()
        raise
    if context.stop():
        writer.flush()
        raise Stopped(f"Stopped with {done} of {len(episodes)} episodes judged.")
    verdicts = writer.close()
    missing_scores = sum(math.isnan(score) for verdict in verdicts for score in verdict.turn_scores())
    errors = sum(bool(verdict.error) for verdict in verdicts)
    counts = {**asdict(usage), "missing_scores": missing_scores}
    return Result(len(verdicts), [run.shard("judge", context.task)], errors, {k: float(v) for k, v in counts.items()})


def evaluate_variant(run: RunDir, config: Config, context: TaskContext) -> Result:
    """One variant on the held-out scenarios.

    Every variant meets the same seeds and counterparty draws (METHOD.md §8).
    """
    variant = variant_named(context.task)
    tasks = episode_tasks(_split(run, "held_out"), config.evaluate.seeds, config.seed, "evaluate")
    focal = _voice(context, config.models.student, config.evaluate.sampling)
    focal = Voice(focal.model, focal.temperature, focal.max_tokens, focal.top_p, adapter_folder(run, variant))
    counterparty = _voice(context, config.models.counterparty, config.sweep.sampling)
    path = run.path("evaluate", context.task, "shard-00000.h5")
    played = record_episodes(
        path,
        tasks,
        focal,
        counterparty,
        selector_of(run, variant),
        rules_of(config),
        config.in_flight,
        context.stop,
        context.progress,
        style_of(config, config.evaluate.persona),
    )
    return _episodes_result(context, path, played)


def _split(run: RunDir, split: str) -> list[Scenario]:
    return [scenario for scenario in run.scenarios().values() if scenario.split == split]


def _voice(context: TaskContext, spec: Spec, sampling: Sampling) -> Voice:
    return Voice(context.model(spec), sampling.temperature, sampling.max_tokens, sampling.top_p)


def _episodes_result(context: TaskContext, path: Path, played: tuple[list[Episode], Usage] | None) -> Result:
    if played is None:
        raise Stopped(f"Stopped in {context.stage} {context.task}; the finished episodes are kept.")
    episodes, usage = played
    errors = sum(episode.status == "error" for episode in episodes)
    return Result(len(episodes), [path], errors, {k: float(v) for k, v in asdict(usage).items()})
