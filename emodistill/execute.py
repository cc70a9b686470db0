"""Run tasks of a stage in this process: what a submitit job, a `python -m jobs.<stage>` and the tests all call.

A task is skipped if done; held by a lock, so that a leftover process and a new one cannot write the same files;
cleared if its partial work belongs to another configuration; and marked last.
"""

import contextlib
import json
import os
import signal
import sys
import threading
import time
import traceback
from collections.abc import Iterator, Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Literal

from emodistill import attempts
from emodistill.config import Config
from emodistill.errors import BadInput, RunFailed, Stopped
from emodistill.ledger import Ledger
from emodistill.llm import ModelPool
from emodistill.locks import Held, hold
from emodistill.runs import Claim, Failure, Marker, RunDir
from emodistill.stages import STAGES, Stage
from emodistill.tasks import StopFlag, TaskContext, stop_on_signals

DRIVER = "EMODISTILL_DRIVER_PID"  # a local job ends with the process that started it
_LOCK_WAIT_S = 120.0


@dataclass(frozen=True, slots=True)
class Outcome:
    """How a job ended, as plain data that crosses process borders."""

    kind: Literal["done", "stopped", "bad_input", "failed", "given_up"]
    message: str = ""


class _GivenUp(Exception):
    """The task has been begun too often without getting further."""


def run_tasks(root: str, stage_name: str, tasks: Sequence[str]) -> Outcome:
    """Run the named tasks one after the other; never raises for what a task does."""
    flag, pool = StopFlag(), ModelPool()
    # OpenMP threads that spin while they wait halve the speed of everything else on the machine, and gain nothing.
    os.environ.setdefault("OMP_WAIT_POLICY", "PASSIVE")
    _watch_driver()
    _join_slurm_ranks()
    try:
        run = RunDir.existing(Path(root))
        config, stage = run.config(), STAGES[stage_name]
        given_up = []
        with stop_on_signals(flag):
            for task in tasks:
                try:
                    with _counted(run, stage, task):
                        _run_task(run, config, stage, task, flag, pool)
                except _GivenUp as error:
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
        _leave_ranks()


def _run_task(run: RunDir, config: Config, stage: Stage, task: str, flag: StopFlag, pool: ModelPool) -> None:
    if task not in stage.tasks(config):
        raise BadInput(
            f"The stage {stage.name} of {run.root} has no task {task!r}; it has {', '.join(stage.tasks(config)[:8])}."
        )
    with _hold(run, stage, task):
        ledger = Ledger(run, config)
        marker, done = ledger.marker(stage, task), ledger.is_done(stage, task)
        if done and marker is not None and not marker.errors:
            return
        claim = ledger.claim(stage, task)
        if claim is None:
            raise BadInput(
                f"{stage.name} {task} cannot start: a task of {' or '.join(stage.reads(config, task))} "
                "has not finished. Run those stages first."
            )
        rank = int(os.environ.get("RANK", "0"))
        if rank == 0:
            run.begin(stage.name, task, claim)
            run.sweep(stage.name, task, alone=len(stage.tasks(config)) == 1)
            _count(run, stage, task, claim)
        context = TaskContext(stage.name, task, ledger.inputs(stage, task), flag, pool, _reporter(run, stage, task))
        started = time.monotonic()
        result = stage.run(run, config, context)
        if rank == 0:
            run.mark(
                Marker(
                    stage.name,
                    task,
                    claim.fingerprint,
                    claim.inputs,
                    result.rows,
                    result.errors,
                    round(time.monotonic() - started, 2),
                    run.checksums(result.files),
                    result.usage,
                    marker.tries + 1 if done and marker is not None else 1,
                )
            )
            run.path(stage.name, f"{task}.progress").unlink(missing_ok=True)


def _count(run: RunDir, stage: Stage, task: str, claim: Claim) -> None:
    """In a Slurm job, count this beginning, and give the task up if it is one too many."""
    job = attempts.slurm_job()
    if not job:
        return
    begun = attempts.begin(run, stage.name, task, job)
    if begun.tries > attempts.TRIES:
        reason = begun.reason or "its process was killed without a word (out of memory? a crash in native code?)"
        run.give_up(Failure(stage.name, task, claim.fingerprint, claim.inputs, attempts.TRIES, reason))
        attempts.forget(run, stage.name, task)
        raise _GivenUp(f"{stage.name} {task} is given up after {attempts.TRIES} tries that brought nothing: {reason}")


@contextlib.contextmanager
def _counted(run: RunDir, stage: Stage, task: str) -> Iterator[None]:
    """A beginning that ends well, or is stopped with all saved, is not held against the task."""
    if not attempts.slurm_job() or int(os.environ.get("RANK", "0")):
        yield
        return
    try:
        yield
    except (Stopped, _GivenUp):
        attempts.forget(run, stage.name, task)
        raise
    except Exception as error:
        attempts.note(run, stage.name, task, f"{type(error).__name__}: {error}"[:500])
        raise
    attempts.forget(run, stage.name, task)


@contextlib.contextmanager
def _hold(run: RunDir, stage: Stage, task: str) -> Iterator[None]:
    """Wait for a leftover process of the same task to end. Ranks other than 0 work under rank 0's lock."""
    run.path(stage.name).mkdir(parents=True, exist_ok=True)
    if int(os.environ.get("RANK", "0")):
        yield
        return
    try:
        with hold(run.lock_path(stage.name, task), _LOCK_WAIT_S):
            yield
    except Held as held:
        raise RunFailed(
            f"{stage.name} {task} is being run by {held}, and that has not ended in {_LOCK_WAIT_S:.0f} s. "
            "Stop that one first, or wait for it; what it has finished is kept."
        ) from None


def _reporter(run: RunDir, stage: Stage, task: str) -> "_Progress":
    return _Progress(run.path(stage.name, f"{task}.progress"))


class _Progress:
    """Rank 0 writes (done, total) to a small file at most once a second."""

    def __init__(self, path: Path) -> None:
        self._path, self._last, self._silent = path, 0.0, int(os.environ.get("RANK", "0")) > 0

    def __call__(self, done: int, total: int) -> None:
        now = time.monotonic()
        if now - self._last >= 1.0 and not self._silent:
            self._last = now
            temporary = self._path.with_suffix(".progress.tmp")
            temporary.write_text(json.dumps([done, total]), encoding="utf-8")
            os.replace(temporary, self._path)


def _join_slurm_ranks() -> None:
    """Several Slurm tasks are ranks of one torch.distributed group, led by the node that launched the step."""
    env = os.environ
    if int(env.get("SLURM_NTASKS", "1")) > 1 and "SLURM_PROCID" in env and "RANK" not in env:
        port = 20_000 + int(env["SLURM_JOB_ID"]) % 20_000
        env.update(RANK=env["SLURM_PROCID"], WORLD_SIZE=env["SLURM_NTASKS"], LOCAL_RANK=env["SLURM_LOCALID"])
        env.update(MASTER_ADDR=env["SLURM_LAUNCH_NODE_IPADDR"], MASTER_PORT=str(port))


def _leave_ranks() -> None:
    """Ranks part in order: a group that is only dropped may abort the process at its end."""
    distributed = sys.modules.get("torch.distributed")
    if int(os.environ.get("WORLD_SIZE", "1")) > 1 and distributed is not None and distributed.is_initialized():
        distributed.destroy_process_group()


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
