"""`emodistill cancel`: take everything of a run out of Slurm's queue."""

from collections import Counter

from emodistill.cluster import slurm
from emodistill.cluster.queue import in_queue
from emodistill.cluster.record import submissions
from emodistill.runs import RunDir


def cancel(run: RunDir) -> dict[str, Counter[str]]:
    """Cancel all jobs of the run; per stage, how many were in which state. Empty if none was in the queue.

    Whole arrays, the last ones first: none may start because another before it has ended. One that runs is told to
    save, and its script leaves a cancelled job as it is.
    """
    with run.lock():
        queue = in_queue(run)
        jobs = {(job.element.job, job.element.cluster) for job in queue.tasks.values()}
        last_first = dict.fromkeys(
            slurm.Element(submission.job, None, submission.cluster)
            for submission in reversed(submissions(run))
            if (submission.job, submission.cluster) in jobs
        )
        slurm.cancel([*last_first, *queue.strays])
    states = {(stage, job.element): job.state for (stage, _), job in queue.tasks.items()}
    found = {"of a launch that was cut off": Counter(queued=len(queue.strays))} if queue.strays else {}
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
