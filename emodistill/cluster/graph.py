"""Which arrays a launch submits, and what each waits for: pure, from what is missing and what is still queued.

A task waits for exactly what it reads and what is not there yet. Where element i of an array reads just what element i
of another makes (judge after rollout, JPO after SFT), it waits for that one (`aftercorr`); a stage that makes do
without what was given up starts when all before it has ended (`afterany`); any other when it has succeeded (`afterok`).
"""

from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass
from itertools import groupby

from emodistill.config import Config
from emodistill.stages import STAGES, Stage

Task = tuple[str, str]  # stage, name


@dataclass(frozen=True, slots=True)
class Place:
    """Where a task that is not there yet will come from: an element of this launch's arrays, or of an earlier job."""

    array: int | str  # position in this launch, or the job id of an earlier one
    index: int | None = None


@dataclass(frozen=True, slots=True)
class Wait:
    """One dependency: `how` is aftercorr, afterok or afterany; no `indices` means the whole array."""

    how: str
    array: int | str
    indices: tuple[int, ...] = ()

    def text(self, jobs: Sequence[str]) -> str:
        """As sbatch takes it; `jobs` are the ids of this launch's arrays so far."""
        job = self.array if isinstance(self.array, str) else jobs[self.array]
        return f"{self.how}:" + ":".join([f"{job}_{index}" for index in self.indices] or [job])


@dataclass(frozen=True, slots=True)
class Array:
    """Element i runs `bundles[i]`; `chunks`: arrays of the stage that share its limit of parallel jobs."""

    stage: str
    bundles: tuple[tuple[str, ...], ...]
    waits: tuple[Wait, ...]
    chunks: int = 1


def wanted(config: Config, missing: Mapping[str, Sequence[str]], queued: Mapping[Task, str]) -> dict[str, list[str]]:
    """Tasks to submit, by stage: missing ones, and those that read them; not what runs or waits.

    `queued` holds the state of every task in the queue. One that only waits, and reads what is submitted now, is
    submitted again: it waits for the wrong job.
    """
    chosen: dict[str, list[str]] = {}
    again: set[Task] = set()
    for stage in STAGES.values():
        for task in stage.tasks(config):
            reads = {(name, other) for name, others in stage.reads(config, task).items() for other in others}
            anew = bool(reads & again)
            state = queued.get((stage.name, task))
            if (anew or task in missing.get(stage.name, ())) and (state is None or (anew and state == "PENDING")):
                chosen.setdefault(stage.name, []).append(task)
                again.add((stage.name, task))
    return chosen


def arrays(
    config: Config,
    chosen: Mapping[str, Sequence[str]],
    queued: Mapping[Task, Place],
    bundle: Callable[[str], int],
    limit: int,
) -> list[Array]:
    """The arrays to submit, in order. `limit`: elements an array may have; `queued`: where tasks in the queue are."""
    made: list[Array] = []
    places = dict(queued)
    for name in (name for name in STAGES if name in chosen):
        stage = STAGES[name]
        groups = _groups(config, stage, chosen[name], places, bundle(name))
        cut = [(waits, bundles[at : at + limit]) for waits, bundles in groups for at in range(0, len(bundles), limit)]
        for waits, bundles in cut:
            for index, tasks in enumerate(bundles):
                place = Place(len(made), index if len(bundles) > 1 else None)
                places |= {(name, task): place for task in tasks}
            made.append(Array(name, tuple(bundles), waits, len(cut)))
    return made


def _groups(
    config: Config, stage: Stage, tasks: Sequence[str], places: Mapping[Task, Place], size: int
) -> list[tuple[tuple[Wait, ...], list[tuple[str, ...]]]]:
    """Bundles that wait for the same, in the tasks' order."""
    twins = {task: _twin(config, stage, task, places) for task in tasks}
    bundles = [tuple(group) for twin, group in groupby(tasks, key=twins.__getitem__) if twin]
    alone = [task for task in tasks if not twins[task]]
    bundles += [tuple(alone[at : at + size]) for at in range(0, len(alone), size)]
    waiting: dict[tuple[int | str | None, frozenset[Place]], list[tuple[str, ...]]] = {}
    for bundle in bundles:
        twin = twins[bundle[0]]
        others = frozenset().union(*(_sources(config, stage, task, places) for task in bundle)) - {twin}
        waiting.setdefault((twin and twin.array, others), []).append(bundle)
    found = []
    for (array, others), group in waiting.items():
        waits = _waits(stage, others, places)
        if array is not None:
            indices = [twins[bundle[0]].index for bundle in group]
            paired = indices == list(range(len(indices))) and _whole(array, len(indices), places)
            waits = (Wait("aftercorr" if paired else "afterok", array, () if paired else tuple(indices)), *waits)
        found.append((waits, group))
    return found


def _sources(config: Config, stage: Stage, task: str, places: Mapping[Task, Place]) -> frozenset[Place]:
    reads = stage.reads(config, task).items()
    return frozenset(places[name, other] for name, others in reads for other in others if (name, other) in places)


def _twin(config: Config, stage: Stage, task: str, places: Mapping[Task, Place]) -> Place | None:
    """The array element that makes what this task reads under its own name, if there is one."""
    own = [(name, task) for name, others in stage.reads(config, task).items() if others == (task,)]
    found = {places[key] for key in own if key in places and places[key].index is not None}
    return found.pop() if len(found) == 1 else None


def _whole(array: int | str, elements: int, places: Mapping[Task, Place]) -> bool:
    return elements == len({place.index for place in places.values() if place.array == array})


def _waits(stage: Stage, sources: frozenset[Place], places: Mapping[Task, Place]) -> tuple[Wait, ...]:
    how = "afterany" if stage.makes_do else "afterok"
    found = []
    for array in sorted({place.array for place in sources}, key=str):
        of = sorted(place.index for place in sources if place.array == array and place.index is not None)
        found.append(Wait(how, array, () if not of or _whole(array, len(of), places) else tuple(of)))
    return tuple(found)
