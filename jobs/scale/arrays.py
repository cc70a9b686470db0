"""A job array played by events: tasks on slots, with crashes, preemption and time limits, saved by segments.

It follows what the suite does: a task goes on from its last segment; told to stop (preempted, or near its time limit)
it saves first; killed, it loses what came after the last segment; begun `TRIES` times without getting further it is
given up. What a cluster does besides, such as a queue of others, is not in it.
"""

import heapq
import random
from dataclasses import dataclass, field

TRIES = 5  # as in emodistill.attempts
REQUEUE_S = 30.0  # Slurm lets about so long pass before a requeued job may start


@dataclass(frozen=True, slots=True)
class Load:
    """An array and its cluster. Rates are a slot's: events in an hour of running."""

    tasks: int = 10_000
    slots: int = 64
    work_s: float = 1800.0  # a task's own work, on average
    spread: float = 0.3  # of its logarithm (normal)
    start_s: float = 60.0  # load a model, before any work
    segment_s: float = 60.0  # work between two saves
    limit_s: float = 4 * 3600.0  # of one stay
    crashes_per_h: float = 0.0
    preemptions_per_h: float = 0.0
    poisoned: float = 0.0  # share of tasks that die at one and the same place


@dataclass(slots=True)
class Played:
    """What came of it, in seconds and counts."""

    makespan_s: float = 0.0
    held_s: float = 0.0  # slots held, starts included
    work_s: float = 0.0  # work of the tasks that are done
    lost_s: float = 0.0  # work that was done twice
    done: int = 0
    given_up: int = 0
    stays: int = 0  # begun jobs, requeued ones included


@dataclass(slots=True)
class _Task:
    work_s: float
    poison_s: float | None  # where it dies
    saved_s: float = 0.0
    tries: int = 0  # without getting further
    lost_s: float = field(default=0.0)


def play(load: Load, seed: int) -> Played:
    """Run the array to its end."""
    rng, found = random.Random(seed), Played()
    mean = load.spread**2 / 2  # so that the average is `work_s`
    tasks = [_Task(load.work_s * rng.lognormvariate(-mean, load.spread), None) for _ in range(load.tasks)]
    for task in rng.sample(tasks, round(load.poisoned * load.tasks)):
        task.poison_s = rng.random() * task.work_s
    ready = [(0.0, number) for number in range(load.tasks)]  # when a task may start, and its number
    free = [0.0] * load.slots
    while ready:
        may_start, number = heapq.heappop(ready)
        begin = max(may_start, heapq.heappop(free))
        task, stay = tasks[number], _stay(tasks[number], load, rng)
        end = begin + stay
        heapq.heappush(free, end)
        found.stays += 1
        found.held_s += stay
        found.makespan_s = max(found.makespan_s, end)
        if task.saved_s >= task.work_s:
            found.done += 1
            found.work_s += task.work_s
            found.lost_s += task.lost_s
        elif task.tries >= TRIES:
            found.given_up += 1
        else:
            heapq.heappush(ready, (end + REQUEUE_S, number))
    return found


def _stay(task: _Task, load: Load, rng: random.Random) -> float:
    """One stay on a slot: how long it lasts. Moves what is saved."""
    crash, stop = _next(load.crashes_per_h, rng), min(_next(load.preemptions_per_h, rng), load.limit_s)
    before, left = task.saved_s, task.work_s - task.saved_s
    poison = float("inf") if task.poison_s is None else max(0.0, task.poison_s - before)
    killed, finished = min(crash, load.start_s + poison), load.start_s + left
    if finished <= min(killed, stop):
        task.saved_s = task.work_s
        return finished
    if stop <= killed:  # told in time: it saves
        task.saved_s = before + max(0.0, stop - load.start_s)
    else:
        worked = max(0.0, killed - load.start_s)
        kept = worked // load.segment_s * load.segment_s
        task.saved_s, task.lost_s = before + kept, task.lost_s + worked - kept
    task.tries = 0 if task.saved_s > before else task.tries + 1
    return min(stop, killed)


def _next(per_hour: float, rng: random.Random) -> float:
    return rng.expovariate(per_hour / 3600) if per_hour else float("inf")
