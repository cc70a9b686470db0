"""Run tasks of a stage in this process: what a submitit job, a `python -m jobs.<stage>` and the tests all call.

A task is skipped if done; held by a lock, so that a leftover process and a new one cannot write the same files;
cleared if its partial work belongs to another configuration; and marked last.
"""

import contextlib
import json
import os
import signal
import threading
import time
import traceback
from collections.abc import Iterator, Sequence
from dataclasses import asdict, dataclass
from pathlib import Path
from typing import Any, Literal

from emodistill import attempts, inputs, ranks
from emodistill.config import Config
from emodistill.errors import BadInput, GivenUp, RunFailed, Stopped
from emodistill.kinds import EVERY
from emodistill.ledger import Ledger
from emodistill.llm import ModelPool
from emodistill.locks import Held, hold
from emodistill.runs import Failure, Marker, RunDir
from emodistill.stages import Stage
from emodistill.tails import own_tail
from emodistill.tasks import StopFlag, TaskContext, stop_on_signals
from emodistill.used import Tally

DRIVER = "EMODISTILL_DRIVER_PID"  # a local job ends with the process that started it
_LOCK_WAIT_S = 120.0


@dataclass(frozen=True, slots=True)
class Outcome:
    """How a job ended, as plain data that crosses process borders."""

    kind: Literal["done", "stopped", "bad_input", "failed", "given_up"]
    message: str = ""


def run_tasks(root: str, stage_name: str, tasks: Sequence[str], lacking: bool = False) -> Outcome:
    """Run the named tasks one after the other; never raises for what a task does.

    `lacking`: every job before this one has ended, however, so what is not there now will not come (inputs.py).
    """
    flag, pool = StopFlag(), ModelPool(Path(root) / "spending")
    # OpenMP threads that spin while they wait halve the speed of everything else on the machine, and gain nothing.
    os.environ.setdefault("OMP_WAIT_POLICY", "PASSIVE")
    _watch_driver()
    ranks.join_slurm()
    try:
        run = RunDir.existing(Path(root))
        config, stage = run.config(), EVERY[stage_name]
        if stage_name == "evaluate":
            pool.expect_adapters(config.models.student, config.sft.lora.rank)
        given_up = []
        with stop_on_signals(flag):
            for task in tasks:
                try:
                    with _counted(run, stage, task):
                        _run_task(run, config, stage, task, flag, pool, lacking)
                except GivenUp as error:
                    given_up.append(str(error))
        return Outcome("given_up", " ".join(given_up)) if given_up else Outcome("done")
    except Stopped as stopped:
        return Outcome("stopped", str(stopped))
    except BadInput as error:
        return Outcome("bad_input", str(error))
    except RunFailed as error:
        return Outcome("failed", str(error))
    except OSError as error:
        return Outcome("failed", f"{stage_name}: {error}. What was finished is kept; mend that and run again.")
    except Exception as error:  # a crash of one task must not take the driver down; the log keeps the traceback
        traceback.print_exc()
        return Outcome("failed", f"{stage_name} crashed: {type(error).__name__}: {error}")
    finally:
        pool.close()
        ranks.leave()


def _run_task(
    run: RunDir, config: Config, stage: Stage, task: str, flag: StopFlag, pool: ModelPool, lacking: bool
) -> None:
    if task not in stage.tasks(config):
        raise BadInput(
            f"The stage {stage.name} of {run.root} has no task {task!r}; it has {', '.join(stage.tasks(config)[:8])}."
        )
    with contextlib.ExitStack() as held:
        start = ranks.agreed(
            lambda: _start(run, config, stage, task, flag, lacking, held), (BadInput, Stopped, GivenUp)
        )
        if start is None:
            return
        upstream = {name: tuple(tasks) for name, tasks in start["upstream"].items()}
        tally = Tally(run, stage.name, task)
        progress = _Progress(run.path(stage.name, f"{task}.progress"), tally)
        context = TaskContext(stage.name, task, upstream, flag, pool, progress, start["fingerprint"])
        try:
            result = stage.run(run, config, context)
        except BaseException:
            tally.keep()
            raise
        if ranks.rank() == 0:
            run.mark(
                Marker(
                    stage.name,
                    task,
                    start["fingerprint"],
                    start["inputs"],
                    result.rows,
                    result.errors,
                    tally.total().seconds,
                    run.checksums(result.files),
                    tally.of(result.usage),
                    start["tries"],
                )
            )
            tally.forget()
            run.path(stage.name, f"{task}.progress").unlink(missing_ok=True)


def _start(
    run: RunDir, config: Config, stage: Stage, task: str, flag: StopFlag, lacking: bool, held: contextlib.ExitStack
) -> dict[str, Any] | None:
    """Take the task's lock into `held` and claim its files: what it begins with, or None if it is done."""
    job = attempts.slurm_job()
    begun = attempts.begin(run, stage.name, task, job) if job else attempts.Attempts("")
    if begun.tries > attempts.TRIES and not (before := Ledger(run, config)).is_settled(stage, task):
        raise _give_up(run, before, stage, task, begun)
    held.enter_context(_hold(run, stage, task))
    ledger, claim = inputs.claimed(run, config, stage, task, lacking, flag)
    if ledger.is_settled(stage, task):
        return None
    marker = ledger.marker(stage, task) if ledger.is_done(stage, task) else None
    run.begin(stage.name, task, claim)
    if job:
        attempts.begin(run, stage.name, task, job)  # the same count: clearing what was there may have taken it along
    run.sweep(stage.name, task, alone=len(stage.tasks(config)) == 1)
    tries = 1 if marker is None else marker.tries + 1
    return {**asdict(claim), "upstream": ledger.inputs(stage, task), "tries": tries}


def _give_up(run: RunDir, ledger: Ledger, stage: Stage, task: str, begun: attempts.Attempts) -> GivenUp:
    """Declare that the task cannot get on; if not even that can be written, its job still ends."""
    reason = begun.reason or "its process was killed without a word (out of memory? a crash in native code?)"
    failure = Failure(stage.name, task, ledger.fingerprint(stage, task), "", attempts.TRIES, reason, own_tail())
    with contextlib.suppress(OSError):
        run.give_up(failure)
    return GivenUp(f"{stage.name} {task} is given up after {attempts.TRIES} tries that brought nothing: {reason}")


@contextlib.contextmanager
def _counted(run: RunDir, stage: Stage, task: str) -> Iterator[None]:
    """Why a beginning came to an end is kept: it is held against the task unless the next one is further."""
    if not attempts.slurm_job() or ranks.rank():
        yield
        return
    try:
        yield
    except GivenUp:
        attempts.forget(run, stage.name, task)
        raise
    except Stopped as stopped:
        attempts.note(run, stage.name, task, f"{stopped} It got no further before it was stopped (a time limit?)"[:500])
        raise
    except Exception as error:
        attempts.note(run, stage.name, task, f"{type(error).__name__}: {error}"[:500])
        raise
    attempts.forget(run, stage.name, task)


@contextlib.contextmanager
def _hold(run: RunDir, stage: Stage, task: str) -> Iterator[None]:
    """Wait for a leftover process of the same task to end."""
    run.path(stage.name).mkdir(parents=True, exist_ok=True)
    try:
        with hold(run.lock_path(stage.name, task), _LOCK_WAIT_S):
            yield
    except Held as held:
        raise RunFailed(
            f"{stage.name} {task} is being run by {held}, and that has not ended in {_LOCK_WAIT_S:.0f} s. "
            "Stop that one first, or wait for it; what it has finished is kept."
        ) from None


class _Progress:
    """Rank 0 writes (done, total, errors) to a small file at most once a second, if it can be written."""

    def __init__(self, path: Path, tally: Tally) -> None:
        self._path, self._tally, self._last, self._silent = path, tally, 0.0, ranks.rank() > 0

    def __call__(self, done: int, total: int, errors: int = 0, usage: dict[str, float] | None = None) -> None:
        self._tally.update(usage or {})
        now = time.monotonic()
        if now - self._last >= 1.0 and not self._silent:
            self._last = now
            temporary = self._path.with_suffix(".progress.tmp")
            with contextlib.suppress(OSError):
                temporary.write_text(json.dumps([done, total, errors]), encoding="utf-8")
                os.replace(temporary, self._path)


def _watch_driver() -> None:
    """End with the local driver, even if it was killed without a chance to say so."""
    driver = os.environ.get(DRIVER)
    if driver is None:
        return

    def watch() -> None:
        while True:
            time.sleep(1.0)
            try:
                os.kill(int(driver), 0)
            except ProcessLookupError:
                os.kill(os.getpid(), signal.SIGTERM)
                return

    threading.Thread(target=watch, daemon=True).start()
