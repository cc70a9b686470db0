"""What Slurm's queue holds of a run: tasks that a job there will do, and jobs that no record tells of."""

import time
from collections.abc import Sequence
from dataclasses import dataclass

from emodistill.cluster import slurm
from emodistill.cluster.graph import Queued, Task
from emodistill.cluster.record import comment_of, launches
from emodistill.cluster.slurm import Element
from emodistill.errors import RunFailed
from emodistill.runs import RunDir

_ENDING_S = (1.0, 2.0, 4.0, 8.0, 15.0, 15.0, 15.0, 15.0, 15.0)  # Slurm lets a cancelled job save for half a minute


@dataclass(frozen=True, slots=True)
class Queue:
    """`strays`: jobs of a launch that was cut off before it could record them; they may lack what they need."""

    tasks: dict[Task, Queued]
    strays: tuple[Element, ...] = ()

    def ending(self) -> set[Element]:
        """Jobs on their way out: of the queue, or back into it."""
        return {job.element for job in self.tasks.values() if job.state == "COMPLETING"}


def in_queue(run: RunDir, cluster: str = "") -> Queue:
    """One squeue call. A job is the run's by its number and its comment: a Slurm that was set up anew counts from 1."""
    found = [launch for launch in launches(run) if launch.of(run)]
    if not found:
        return Queue({})
    clusters = {submission.cluster for launch in found for submission in launch.submissions} | {cluster}
    held = {
        (element.job, element.index, comment): (element, state)
        for element, state, comment in slurm.queued(sorted(clusters - {""}))
    }
    tasks: dict[Task, Queued] = {}
    for launch in found:
        for submission in launch.submissions:
            comment = launch.comment(submission)
            for element, bundle in submission.elements():
                there, state = held.get((element.job, element.index, comment), (None, ""))
                if there is not None and submission.on(there.cluster):
                    del held[element.job, element.index, comment]
                    job = Queued(element, state, len(submission.bundles))
                    tasks |= {(submission.stage, task): job for task in bundle}
    ours = tuple(comment_of(launch.folder) + "/" for launch in found)
    return Queue(tasks, tuple(element for (_, _, said), (element, _) in held.items() if said.startswith(ours)))


def settled(run: RunDir, cluster: str, patience: Sequence[float] = _ENDING_S) -> Queue:
    """The queue once strays are out of it, and each job that was ending is gone or back; `RunFailed` if that lasts."""
    queue = in_queue(run, cluster)
    slurm.cancel(queue.strays)
    ending = queue.ending()
    for wait in (*patience, None):
        if not ending and not queue.strays:
            return queue
        if wait is None:
            break
        time.sleep(wait)
        queue = in_queue(run, cluster)
        ending &= queue.ending()
    left = ", ".join(sorted(map(str, [*ending, *queue.strays]))[:8])
    raise RunFailed(f"Jobs of {run.root} are still ending: {left}. Nothing was submitted; try again in a minute.")
