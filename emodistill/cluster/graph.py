"""Which arrays a launch submits, and what each waits for: pure, from what is missing and what is still queued.

A task waits for exactly what it reads and what is not there yet. Where element i of an array reads just what element i
of another makes (judge after rollout, JPO after SFT), it waits for that one (`aftercorr`); a stage that makes do
without what was given up, or a bundle whose tasks read different things, starts when all before it has ended
(`afterany`); any other when it has succeeded (`afterok`).
"""

from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass
from fractions import Fraction
from itertools import groupby

from emodistill.cluster.slurm import HELD, Element
from emodistill.config import Config
from emodistill.stages import STAGES, Stage

Task = tuple[str, str]  # stage, name


@dataclass(frozen=True, slots=True)
class Queued:
    """The job in Slurm's queue that will do a task."""

    element: Element
    state: str
    of: int = 1  # elements of its array, as submitted


@dataclass(frozen=True, slots=True)
class Place:
    """Where a task that is not there yet will come from: an element of this launch's arrays, or of an earlier job."""

    array: int | str  # position in this launch, or the job id of an earlier one
    index: int | None = None
    of: int = 1  # elements of that array, also those that have ended


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
    """Element i runs `bundles[i]`; `share`: its part of the stage's parallel jobs, by its length."""

    stage: str
    bundles: tuple[tuple[str, ...], ...]
    waits: tuple[Wait, ...]
    share: Fraction = Fraction(1)

    @property
    def lacking(self) -> bool:
        """Whether what its tasks read may be missing for good when it starts."""
        return any(wait.how == "afterany" for wait in self.waits)


def wanted(
    config: Config,
    missing: Mapping[str, Sequence[str]],
    queued: Mapping[Task, Queued],
    stages: Mapping[str, Stage] = STAGES,
) -> dict[str, list[str]]:
    """Tasks to submit, by stage: missing ones, and those that read them; not what runs or waits.

    A job that only waits, and reads what is submitted now, waits for the wrong job: all its tasks are submitted again.
    """
    chosen: dict[str, list[str]] = {}
    again: set[Task] = set()
    for stage in stages.values():
        tasks, anew = stage.tasks(config), set()
        for task in tasks:
            reads = {(name, other) for name, others in stage.reads(config, task).items() for other in others}
            if reads & again:
                anew.add(task)
        lacking = anew | set(missing.get(stage.name, ()))
        jobs = {task: queued[stage.name, task] for task in lacking if (stage.name, task) in queued}
        stale = {job.element for task, job in jobs.items() if task in anew and job.state in ("PENDING", HELD)}
        picked = [task for task in tasks if task in lacking and (task not in jobs or jobs[task].element in stale)]
        if picked:
            chosen[stage.name] = picked
            again |= {(stage.name, task) for task in picked}
    return chosen


def arrays(
    config: Config,
    chosen: Mapping[str, Sequence[str]],
    queued: Mapping[Task, Place],
    bundle: Callable[[str], int],
    limit: int,
    stages: Mapping[str, Stage] = STAGES,
) -> list[Array]:
    """The arrays to submit, in order. `limit`: elements an array may have; `queued`: where tasks in the queue are."""
    made: list[Array] = []
    places = dict(queued)
    for name, stage in stages.items():
        if name not in chosen:
            continue
        groups = _groups(config, stage, chosen[name], places, bundle(name))
        jobs = sum(len(bundles) for _, bundles in groups)
        cut = [(waits, bundles[at : at + limit]) for waits, bundles in groups for at in range(0, len(bundles), limit)]
        for waits, bundles in cut:
            for index, tasks in enumerate(bundles):
                place = Place(len(made), index if len(bundles) > 1 else None, len(bundles))
                places |= {(name, task): place for task in tasks}
            made.append(Array(name, tuple(bundles), waits, Fraction(len(bundles), jobs)))
    return made


def _groups(
    config: Config, stage: Stage, tasks: Sequence[str], places: Mapping[Task, Place], size: int
) -> list[tuple[tuple[Wait, ...], list[tuple[str, ...]]]]:
    """Bundles that wait for the same, in the tasks' order."""
    twins = {task: _twin(config, stage, task, places) for task in tasks}
    bundles = [tuple(group) for twin, group in groupby(tasks, key=twins.__getitem__) if twin]
    alone = [task for task in tasks if not twins[task]]
    bundles += [tuple(alone[at : at + size]) for at in range(0, len(alone), size)]
    waiting: dict[tuple[int | str | None, frozenset[Place], str], list[tuple[str, ...]]] = {}
    for bundle in bundles:
        twin = twins[bundle[0]]
        sources = {_sources(config, stage, task, places) for task in bundle}
        how = "afterany" if stage.makes_do or len(sources) > 1 else "afterok"
        array = None if twin is None else twin.array
        waiting.setdefault((array, frozenset().union(*sources) - {twin}, how), []).append(bundle)
    found = []
    for (array, others, how), group in waiting.items():
        waits = _waits(how, others)
        if array is not None:
            pairs = [pair for bundle in group if (pair := twins[bundle[0]]) is not None]
            indices = tuple(pair.index for pair in pairs if pair.index is not None)  # a twin always has one
            paired = indices == tuple(range(pairs[0].of))
            waits = (Wait("aftercorr" if paired else "afterok", array, () if paired else indices), *waits)
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


def _waits(how: str, sources: frozenset[Place]) -> tuple[Wait, ...]:
    found = []
    for array in sorted({place.array for place in sources}, key=str):
        places = [place for place in sources if place.array == array]
        indices = tuple(sorted(place.index for place in places if place.index is not None))
        found.append(Wait(how, array, () if len(places) == places[0].of else indices))
    return tuple(found)
