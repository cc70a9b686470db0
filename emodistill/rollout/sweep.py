"""Episodes into a shard, for the sweep and for evaluation: what is already recorded is not played again."""

from collections.abc import Callable, Iterable
from dataclasses import asdict
from pathlib import Path

from emodistill.errors import BadInput, RunFailed
from emodistill.records import Episode, Rules, Scenario, Select, Style
from emodistill.rollout.engine import Task, Usage, Voice, play
from emodistill.seeds import seed_of
from emodistill.shards import EPISODES, ShardWriter


def episode_tasks(
    scenarios: Iterable[Scenario], rollouts: int, seed: int, purpose: str, part: slice = slice(None)
) -> list[Task]:
    """`rollouts` episodes of each scenario; an episode's seed does not depend on shard, order or variant.

    Of all of them in order, only `part` is made.
    """
    known = list(scenarios)
    return [
        Task(f"{s.id}-r{k:04d}", s, k, seed_of(seed, purpose, s.domain, s.id, k))
        for s, k in ((known[n // rollouts], n % rollouts) for n in range(len(known) * rollouts)[part])
    ]


def scenario_of(episode_id: str) -> str:
    """The scenario of an episode that `episode_tasks` named."""
    return episode_id.rpartition("-r")[0]


def record_episodes(
    path: Path,
    tasks: list[Task],
    focal: Voice,
    counterparty: Voice,
    select: Select,
    rules: Rules,
    in_flight: int,
    stop: Callable[[], bool],
    progress: Callable[[int, int, int, dict[str, float]], None],
    style: Style,
    answer: Select | None = None,
) -> tuple[list[Episode], Usage] | None:
    """Play what the shard lacks and compact it.

    None if stopped before the end; then, and if a model ends the task, all finished episodes are in segments.
    """
    writer, usage = ShardWriter(path, EPISODES), Usage()
    recorded = writer.done()
    missing = [task for task in tasks if task.id not in recorded]
    done, errors = len(tasks) - len(missing), 0
    try:
        for episode in play(missing, focal, counterparty, select, rules, in_flight, usage, stop, style, answer):
            writer.add(episode)
            done += 1
            errors += episode.status == "error"
            progress(done, len(tasks), errors, asdict(usage))
    except (BadInput, RunFailed):  # of a model that cannot go on
        writer.flush()
        raise
    finally:  # replies to episodes that did not end count too
        progress(done, len(tasks), errors, asdict(usage))
    if stop():
        writer.flush()
        return None
    return writer.close(), usage
