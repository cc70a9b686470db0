"""What a run has done and what it is doing: its markers, and one question to Slurm."""

import math
import os
import time
from collections import Counter
from collections.abc import Collection, Sequence
from dataclasses import dataclass
from typing import Any

from emodistill import attempts, files
from emodistill.cluster.accounting import Allocation
from emodistill.cluster.record import Submission, by_task, submissions
from emodistill.cluster.slurm import Element
from emodistill.cluster.view import View, look, requeues, state_of
from emodistill.config import Config
from emodistill.kinds import stages_of
from emodistill.ledger import Ledger, tried_again
from emodistill.locks import is_held
from emodistill.runs import Marker, RunDir
from emodistill.stages import Stage
from emodistill.tails import last_words

_READ = 20  # logs of failed jobs, for their last words
_STATES = ("running", "pending", "finishing", "failed", "cancelled", "missing")


@dataclass(frozen=True, slots=True)
class _Seen:
    """A run at one moment, and who was asked."""

    run: RunDir
    config: Config
    ledger: Ledger
    found: list[Submission]
    jobs: dict[tuple[str, str], tuple[Submission, Element]]  # the latest of each task
    view: View
    now: float


@dataclass(frozen=True, slots=True)
class Started:
    """A task under way: what it has done of what it has to do, in its own unit, and seconds since it was begun."""

    done: float
    total: float
    seconds: float
    errors: int = 0


def summary(run: RunDir, accounting: bool = True) -> dict[str, Any]:
    """Per stage: tasks by state, rows, errors, speed, time left, usage; what is in trouble; whether all is complete.

    `active`: something runs, waits, or may do so. `accounting`: whether to ask sacct, and not only squeue.
    """
    config, found = run.config(), submissions(run)
    view = look(found, accounting)
    seen = _Seen(run, config, Ledger(run, config), found, by_task(found), view, time.time())
    trouble: list[dict[str, str]] = []
    stages = {name: _stage(seen, stage, trouble) for name, stage in stages_of(run).items()}
    complete = all(s["done"] == s["planned"] for s in stages.values())
    busy = any(s[state] for s in stages.values() for state in ("running", "pending", "finishing"))
    unknown = not view.source and not view.hopeless
    return {
        "run": config.name, "dir": str(run.root), "complete": complete,
        "active": not complete and (busy or unknown or is_held(run.path(".lock"))),
        "slurm": {
            "source": view.source, "why": view.why, "accounting": view.accounting, "hopeless": view.hopeless,
            "launched": bool(found),
        },
        "stages": stages, "trouble": trouble,
    }  # fmt: skip


def _stage(seen: _Seen, stage: Stage, trouble: list[dict[str, str]]) -> dict[str, Any]:
    tasks = stage.tasks(seen.config)
    done = {task for task in tasks if seen.ledger.is_done(stage, task)}
    markers = [marker for task in tasks if task in done and (marker := seen.ledger.marker(stage, task)) is not None]
    begun = _files(seen.run, stage)
    states = _states(seen, stage, [task for task in tasks if task not in done], begun.keys(), trouble)
    started = {task: _started(seen.run, stage.name, task) for task in states if f"{task}.identity" in begun}
    count = Counter(states.values())
    usage: dict[str, float] = {}
    for marker in markers:
        for kind, amount in marker.usage.items():
            usage[kind] = usage.get(kind, 0.0) + amount
    spent = [
        known for s in seen.found if s.stage == stage.name for e, _ in s.elements() if (known := seen.view.jobs.get(e))
    ]
    told = seen.view.source == "sacct"
    return {
        "planned": len(tasks), "done": len(done), **{state: count[state] for state in _STATES},
        "requeued": sum(map(requeues, spent)) if told else None,
        "started": {task: f"{s.done:g}/{s.total:g}" if s else "started" for task, s in started.items()},
        "rows": sum(m.rows for m in markers),
        "errors": sum(m.errors for m in markers) + sum(s.errors for s in started.values() if s),
        "errors_to_retry": sum(m.errors for m in markers if tried_again(m)),
        "seconds": round(sum(m.seconds for m in markers), 1), "usage": usage,
        "rows_per_s": speed([(begun.get(f"{m.task}.done", seen.now), m.seconds, m.rows) for m in markers]),
        "eta_s": time_left(markers, {task: started.get(task) for task in states}, count["running"]),
        "gpu_hours": _hours(spent, "gpus") if told else None, "core_hours": _hours(spent, "cpus") if told else None,
    }  # fmt: skip


def _states(
    seen: _Seen, stage: Stage, tasks: Sequence[str], begun: Collection[str], trouble: list[dict[str, str]]
) -> dict[str, str]:
    """State of each unfinished task; those that failed, or fail again and again, are added to `trouble`."""
    states: dict[str, str] = {}
    busy: set[Element] = set()
    for task in tasks:
        submission, element = seen.jobs.get((stage.name, task), (None, None))
        failure = seen.run.failure(stage.name, task) if f"{task}.failed" in begun else None
        given_up = failure is not None and failure.fingerprint == seen.ledger.fingerprint(stage, task)
        what, said, state = "", "", "missing"
        if failure is not None and given_up:
            state, what = "failed", f"given up after {failure.tries} tries: {' '.join(failure.reason.split())}"
            said = failure.tail
        elif submission is not None and element is not None:
            submitted = 0.0 if element in seen.view.jobs else _submitted(seen.run, submission)
            state = state_of(seen.view, element, submitted, seen.now)
            if state == "failed":
                what = seen.view.jobs[element][-1].state
            if state == "running" and element in busy:  # a job runs its tasks one after the other
                state = "pending"
            busy.add(element)
        lock = seen.run.lock_path(stage.name, task)
        if state in ("pending", "missing") and lock.name in begun and is_held(lock):  # Slurm does not know, or not yet
            state = "running"
        if state != "failed" and f"{task}.tries" in begun:
            what = _again(attempts.latest(seen.run, stage.name, task))
        if what:
            log = f"{submission.folder}/{submission.log(element, 'err')}" if submission and element else ""
            words = (
                last_words(seen.run.path(log)) if state == "failed" and not given_up and len(trouble) < _READ else ""
            )
            what += f": {words}" if words else ""
            trouble.append({"stage": stage.name, "task": task, "what": what, "log": log, "tail": said})
        states[task] = state
    return states


def _again(counted: attempts.Attempts) -> str:
    if counted.tries < 2:
        return ""
    return f"begun {counted.tries} times without getting further: {' '.join(counted.reason.split()) or 'killed'}"


def speed(ended: Sequence[tuple[float, float, int]]) -> float | None:
    """Rows a second while any of these tasks ran, several at once or not; of each: when it ended, seconds, rows."""
    busy, until = 0.0, -math.inf
    for begin, end in sorted((end - seconds, end) for end, seconds, _ in ended):
        busy += max(0.0, end - max(begin, until))
        until = max(until, end)
    return sum(rows for *_, rows in ended) / busy if busy > 0 else None


def time_left(markers: Sequence[Marker], unfinished: dict[str, Started | None], running: int) -> float | None:
    """Seconds until the unfinished tasks are done, with as many at once as now; None if nothing tells.

    A task not begun takes the mean of those done, or else of what those under way will take.
    """
    under_way = [s for s in unfinished.values() if s is not None and s.done > 0]
    lengths = [m.seconds for m in markers] or [s.seconds * s.total / s.done for s in under_way]
    if not running or not lengths:
        return None
    mean = sum(lengths) / len(lengths)
    left = []
    for s in unfinished.values():
        share = min(1.0, s.done / s.total) if s is not None and s.total else 0.0
        whole = mean if markers or s is None or not share else s.seconds / share
        left.append(whole * (1 - share))
    return max(sum(left) / running, max(left, default=0.0))


def _started(run: RunDir, stage: str, task: str) -> Started | None:
    path = run.path(stage, f"{task}.progress")
    try:
        done, total, errors = files.loads(path.read_text(encoding="utf-8"))
        # Both times are the file server's: no clock of ours is compared with them.
        spent = path.stat().st_mtime - run.claim_path(stage, task).stat().st_mtime
        return Started(float(done), float(total), max(0.0, spent), errors)
    except (OSError, ValueError, TypeError, OverflowError):
        return None


def _files(run: RunDir, stage: Stage) -> dict[str, float]:
    """Files of the stage, and when the markers were written: one listing; asking for each is slow over a network."""
    try:
        listed = list(os.scandir(run.path(stage.name)))
        return {file.name: file.stat().st_mtime if file.name.endswith(".done") else 0.0 for file in listed}
    except OSError:
        return {}


def _submitted(run: RunDir, submission: Submission) -> float:
    try:
        return run.path(submission.folder).parent.joinpath("launch.json").stat().st_mtime
    except OSError:
        return 0.0


def _hours(spent: Sequence[Sequence[Allocation]], what: str) -> float:
    total: float = sum(allocation.elapsed_s * getattr(allocation, what) for known in spent for allocation in known)
    return round(total / 3600, 3)
