"""The work functions of the model-driven stages: rollout, judge, evaluate.

Each is `work(run, config, context) → Result`.
"""

import math
from dataclasses import asdict, replace
from pathlib import Path

from emodistill.config import Config, Sampling, Spec
from emodistill.errors import BadInput, RunFailed, Stopped
from emodistill.evaluate.cells import cells
from emodistill.evaluate.variants import Variant, adapter_folder, selector_of, speaker
from emodistill.judge.score import judge_episodes
from emodistill.policy.selectors import random_emotion
from emodistill.records import Episode, Rules, Scenario, Style
from emodistill.rollout.engine import Usage, Voice
from emodistill.rollout.sweep import episode_tasks, record_episodes
from emodistill.runs import RunDir
from emodistill.shards import EPISODES, VERDICTS, ShardWriter, read_records
from emodistill.sweeps.store import take_up
from emodistill.tasks import Result, TaskContext


def rules_of(config: Config) -> Rules:
    """The negotiation's rules from the configuration."""
    return Rules(**config.negotiation.model_dump(exclude={"layout", "replies"}))


def style_of(config: Config, persona: str) -> Style:
    """How both seats are prompted, with the counterparty's persona."""
    return Style(config.negotiation.layout, config.negotiation.replies, persona)


def rollout_shard(run: RunDir, config: Config, context: TaskContext) -> Result:
    """One shard of the random-emotion sweep on training scenarios (METHOD.md §3), or of an imported one."""
    if config.sweep.imported is not None:
        return take_up(run, config, context, rules_of(config))
    train = _split(run, "train")
    size, number = config.sweep.shard_episodes, int(context.task.rpartition("-")[2])
    tasks = episode_tasks(train, config.sweep.rollouts, config.seed, "sweep", slice(number * size, (number + 1) * size))
    focal, counterparty = (
        voice(context, spec, config.sweep.sampling) for spec in (config.models.teacher, config.models.counterparty)
    )
    path = run.shard("rollout", context.task)
    played = record_episodes(
        path, tasks, focal, counterparty, random_emotion, rules_of(config), config.in_flight, context.stop,
        context.progress, style_of(config, config.sweep.persona),
    )  # fmt: skip
    return episodes_result(context, path, played)


def judge_shard(run: RunDir, config: Config, context: TaskContext) -> Result:
    """Verdicts for one rollout shard (METHOD.md §4)."""
    episodes = read_records([run.shard("rollout", context.task)], EPISODES)
    writer = ShardWriter(run.shard("judge", context.task), VERDICTS)
    judged = writer.done()
    missing = [episode for episode in episodes if episode.id not in judged]
    done, errors = len(episodes) - len(missing), 0
    model, usage = context.model(config.models.judge), Usage()
    limit = config.negotiation.max_messages
    try:
        for verdict in judge_episodes(
            missing, run.scenarios(), model, limit, config.judge, config.in_flight, usage, context.stop
        ):
            writer.add(verdict)
            done += 1
            errors += bool(verdict.error)
            context.progress(done, len(episodes), errors, asdict(usage))
    except (BadInput, RunFailed):  # of a model that cannot go on
        writer.flush()
        raise
    finally:  # replies to episodes that were not judged to the end count too
        context.progress(done, len(episodes), errors, asdict(usage))
    if context.stop():
        writer.flush()
        raise Stopped(f"Stopped with {done} of {len(episodes)} episodes judged.")
    verdicts = writer.close()
    missing_scores = sum(math.isnan(score) for verdict in verdicts for score in verdict.turn_scores())
    errors = sum(bool(verdict.error) for verdict in verdicts)
    counts = {**asdict(usage), "missing_scores": missing_scores}
    return Result(len(verdicts), [run.shard("judge", context.task)], errors, {k: float(v) for k, v in counts.items()})


def evaluate_cell(run: RunDir, config: Config, context: TaskContext) -> Result:
    """One cell on the held-out scenarios.

    Every cell meets the same seeds and counterparty draws (METHOD.md §8).
    """
    cell = cells(config)[context.task]
    tasks = episode_tasks(_split(run, "held_out"), config.evaluate.seeds, config.seed, "evaluate")
    focal = _policy(run, config, context, cell.variant)
    if cell.opponent is None:
        counterparty, answer = voice(context, cell.counterparty(config), config.sweep.sampling), None
    else:
        counterparty, answer = _policy(run, config, context, cell.opponent), selector_of(run, cell.opponent)
    path = run.path("evaluate", context.task, "shard-00000.h5")
    played = record_episodes(
        path,
        tasks,
        focal,
        counterparty,
        selector_of(run, cell.variant),
        rules_of(config),
        config.in_flight,
        context.stop,
        context.progress,
        style_of(config, cell.persona or config.evaluate.persona),
        answer,
    )
    return episodes_result(context, path, played)


def _split(run: RunDir, split: str) -> list[Scenario]:
    return [scenario for scenario in run.scenarios().values() if scenario.split == split]


def voice(context: TaskContext, spec: Spec, sampling: Sampling) -> Voice:
    """A seat's model, as the task opens it, and how it samples."""
    return Voice(context.model(spec), sampling.temperature, sampling.max_tokens, sampling.top_p)


def _policy(run: RunDir, config: Config, context: TaskContext, variant: Variant) -> Voice:
    base = voice(context, speaker(config, variant), config.evaluate.sampling)
    return replace(base, adapter=adapter_folder(run, variant))


def episodes_result(context: TaskContext, path: Path, played: tuple[list[Episode], Usage] | None) -> Result:
    """What `record_episodes` gave, as the task's result; `Stopped` if it was stopped before the end."""
    if played is None:
        raise Stopped(f"Stopped in {context.stage} {context.task}; the finished episodes are kept.")
    episodes, usage = played
    errors = sum(episode.status == "error" for episode in episodes)
    return Result(len(episodes), [path], errors, {k: float(v) for k, v in asdict(usage).items()})
