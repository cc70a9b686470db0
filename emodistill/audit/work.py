"""One cell of an audit: the teacher shows one emotion throughout, the audited model answers."""

from pathlib import Path

from emodistill.config import Config
from emodistill.policy.selectors import fixed
from emodistill.rollout.sweep import episode_tasks, record_episodes
from emodistill.runs import RunDir
from emodistill.tasks import Result, TaskContext
from emodistill.work import episodes_result, rules_of, style_of, voice


def shard_of(run: RunDir, emotion: str) -> Path:
    """Where the episodes of one emotion lie."""
    return run.path("audit", emotion, "shard-00000.h5")


def audit_emotion(run: RunDir, config: Config, context: TaskContext) -> Result:
    """All held-out scenarios with the emotion that the task is named after.

    Every emotion meets the same scenarios, seeds and counterparty draws: those of the evaluation.
    """
    held_out = [scenario for scenario in run.scenarios().values() if scenario.split == "held_out"]
    path = shard_of(run, context.task)
    played = record_episodes(
        path,
        episode_tasks(held_out, config.evaluate.seeds, config.seed, "evaluate"),
        voice(context, config.models.teacher, config.evaluate.sampling),
        voice(context, config.models.counterparty, config.sweep.sampling),
        fixed(context.task),
        rules_of(config),
        config.in_flight,
        context.stop,
        context.progress,
        style_of(config, config.evaluate.persona),
    )
    return episodes_result(context, path, played)
