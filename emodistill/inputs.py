"""What a task is begun with, on a cluster where a marker may be seen late and a job may be lost without a word."""

import logging
import time
from collections.abc import Callable

from emodistill import attempts
from emodistill.config import Config
from emodistill.errors import BadInput, GivenUp, Stopped
from emodistill.ledger import Ledger
from emodistill.locks import is_held
from emodistill.runs import Claim, Failure, RunDir
from emodistill.stages import Stage

_LATE_S, _LOOK_S = 120.0, 5.0  # network file systems show another node's files within a minute
_log = logging.getLogger(__name__)


def claimed(
    run: RunDir, config: Config, stage: Stage, task: str, lacking: bool, stop: Callable[[], bool]
) -> tuple[Ledger, Claim]:
    """The task's claim, and the ledger it is from.

    In a Slurm job inputs are waited for. What then is still not there is lost if nothing before this job is left to
    make it (`lacking`): it is given up here, and the task goes on without it, or is given up too. Else `Stopped`: the
    job is to look again later. Outside of Slurm a missing input is `BadInput`.
    """
    began, said = time.monotonic(), False
    while True:
        ledger = Ledger(run, config)
        claim = ledger.claim(stage, task)
        if claim is not None:
            return ledger, claim
        needs = [] if stage.makes_do else _reads(config, stage, task)
        gone = [other for name, other in needs if ledger.given_up(stage.source(name), other)]
        if gone:
            raise GivenUp(f"{stage.name} {task} cannot be done: {gone[0]}, which it reads, was given up.")
        if not attempts.slurm_job():
            raise BadInput(f"{_cannot(config, stage, task)} Run those stages first.")
        if time.monotonic() - began >= _LATE_S:
            break
        if stop():
            raise Stopped(f"{_cannot(config, stage, task)} Stopped while it waited for that.")
        if not said:
            _log.warning("%s Looking for it for %.0f s.", _cannot(config, stage, task), _LATE_S)
            said = True
        for name in stage.reads(config, task):  # a listing makes a network file system look again
            list(run.path(name).glob("*"))
        time.sleep(_LOOK_S)
    if not lacking:
        raise Stopped(f"{_cannot(config, stage, task)} It was not to be seen here within {_LATE_S:.0f} s.")
    _declare_lost(run, ledger, config, stage, task)
    claim = ledger.claim(stage, task)
    if claim is None:
        raise GivenUp(f"{_cannot(config, stage, task)} Its job has ended without a result.")
    return ledger, claim


def _declare_lost(run: RunDir, ledger: Ledger, config: Config, stage: Stage, task: str) -> None:
    """Give up inputs that nobody makes any more; `BadInput` if nothing would be left to read."""
    reads = _reads(config, stage, task)
    missing = [(name, other) for name, other in reads if not _made(ledger, stage.source(name), other)]
    if stage.makes_do and len(missing) == len(reads):
        raise BadInput(f"{_cannot(config, stage, task)} Nothing that it reads is there.")
    for name, other in missing:
        if not ledger.given_up(stage.source(name), other) and not is_held(run.lock_path(name, other)):
            reason = attempts.latest(run, name, other).reason or "its job ended without a result (killed? cancelled?)"
            run.give_up(Failure(name, other, ledger.fingerprint(stage.source(name), other), "", 1, reason))


def _made(ledger: Ledger, stage: Stage, task: str) -> bool:
    marker = ledger.marker(stage, task)
    return marker is not None and marker.fingerprint == ledger.fingerprint(stage, task)


def _reads(config: Config, stage: Stage, task: str) -> list[tuple[str, str]]:
    return [(name, other) for name, others in stage.reads(config, task).items() for other in others]


def _cannot(config: Config, stage: Stage, task: str) -> str:
    names = " or ".join(stage.reads(config, task))
    return f"{stage.name} {task} cannot start: a task of {names} has not finished."
