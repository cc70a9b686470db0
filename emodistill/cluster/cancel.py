"""`emodistill cancel`: take everything of a run out of Slurm's queue."""

from collections import Counter

from emodistill.cluster import slurm
from emodistill.cluster.launch import in_queue
from emodistill.cluster.record import submissions
from emodistill.runs import RunDir


def cancel(run: RunDir) -> dict[str, Counter[str]]:
    """Cancel all jobs of the run; per stage, how many were in which state. Empty if none was in the queue.

    Whole arrays, the last ones first: none may start because another before it has ended. One that runs is told to
    save, and its script leaves a cancelled job as it is.
    """
    with run.lock():
        queued = in_queue(run)
        jobs = {(element.job, element.cluster) for element, _ in queued.values()}
        last_first = dict.fromkeys(
            slurm.Element(submission.job, None, submission.cluster)
            for submission in reversed(submissions(run))
            if (submission.job, submission.cluster) in jobs
        )
        slurm.cancel(list(last_first))
    states = {(stage, element): state for (stage, _), (element, state) in queued.items()}
    found: dict[str, Counter[str]] = {}
    for (stage, _), state in states.items():
        found.setdefault(stage, Counter())[state.lower()] += 1
    return found


def render(run: RunDir, found: dict[str, Counter[str]]) -> str:
    """What was cancelled, in a few lines."""
    if not found:
        return f"Nothing of {run.root} is in the queue."
    lines = [
        f"{stage}: {', '.join(f'{count} {state}' for state, count in states.items())}"
        for stage, states in found.items()
    ]
    jobs = sum(sum(states.values()) for states in found.values())
    return "\n".join([f"{jobs} job(s) cancelled:", *lines, f"Go on with: emodistill resume {run.root}"])
