"""What can be known of a run's jobs now: from accounting, else from the queue, else nothing, and why."""

from collections.abc import Sequence
from dataclasses import dataclass, field
from typing import Literal

from emodistill.cluster.accounting import Allocation, History, history
from emodistill.cluster.record import Submission
from emodistill.cluster.slurm import Element, NotNow, live
from emodistill.errors import BadInput, RunFailed

SETTLES_S = 600.0  # for the marker of a finished job to be seen, or a lost job to be back in the queue
_NEW_S = 120.0  # for accounting to know a job

_WAITS = frozenset("PENDING CONFIGURING REQUEUED REQUEUE_HOLD REQUEUE_FED RESV_DEL_HOLD SPECIAL_EXIT".split())

State = Literal["running", "pending", "finishing", "failed", "cancelled", "missing"]


@dataclass(frozen=True, slots=True)
class View:
    """Jobs as far as they are known: `source` is the command that told; empty if none did, and `why` says why not."""

    source: Literal["sacct", "squeue", ""]
    why: str = ""
    jobs: History = field(default_factory=dict)
    accounting: bool = True  # whether sacct is worth asking another time
    hopeless: bool = False  # no Slurm will answer from here


def look(found: Sequence[Submission], accounting: bool = True) -> View:
    """Ask sacct, once; without accounting squeue, once. Never raises for a Slurm that does not answer."""
    if not found:
        return View("", "nothing of this run was submitted to it", hopeless=True)
    why = "there is no accounting"
    if accounting:
        try:
            return View("sacct", "", history(found, patience=()))
        except (BadInput, RunFailed) as error:
            why, accounting = str(error), isinstance(error, NotNow)
    clusters = sorted({submission.cluster for submission in found if submission.cluster})
    try:
        held = live(clusters, patience=())
    except (BadInput, RunFailed) as error:
        return View("", str(error), accounting=accounting, hopeless=isinstance(error, BadInput))
    made: History = {}
    ours = {
        (element.job, element.index): (submission, element)
        for submission in found
        for element, _ in submission.elements()
    }
    for element, state in held.items():
        submission, own = ours.get((element.job, element.index), (None, element))
        if submission is not None and submission.on(element.cluster):
            made[own] = [Allocation(own, submission.name, state)]
    return View("squeue", why, made, accounting)


def state_of(view: View, element: Element, submitted: float, now: float) -> State:
    """What the job of an unfinished task does; `missing`: nothing, as far as is known. Times in epoch seconds."""
    known = view.jobs.get(element)
    if not known:
        return "pending" if view.source == "sacct" and now - submitted < _NEW_S else "missing"
    last = known[-1]
    recent = last.ended is None or now - last.ended < SETTLES_S
    if last.state in ("PREEMPTED", "NODE_FAIL"):  # Slurm itself requeues such a job
        return "pending" if recent else "failed"
    if last.live:
        return "pending" if last.state in _WAITS else "running"
    if last.state == "COMPLETED":
        return "finishing" if recent else "missing"
    return "cancelled" if last.state in ("CANCELLED", "REVOKED") else "failed"


def requeues(known: Sequence[Allocation]) -> int:
    """How often an element went back into the queue."""
    return len(known) - 1 + (known[-1].state == "REQUEUED")
