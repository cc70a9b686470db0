"""Walk a run's stages on this machine, in order: start what is missing, wait, stop cleanly, say how to go on."""

import json
import signal
import sys
import time
from collections.abc import Callable, Mapping
from dataclasses import dataclass
from pathlib import Path

from tqdm import tqdm

from emodistill.cluster.begin import begin, say_retries
from emodistill.cluster.profiles import Profile, Resources
from emodistill.cluster.record import fresh_stamp
from emodistill.cluster.submit import Job, submit_local
from emodistill.config import Config
from emodistill.errors import BadInput, RunFailed, Stopped
from emodistill.execute import Outcome
from emodistill.ledger import Ledger
from emodistill.runs import RunDir
from emodistill.stages import STAGES, Stage

_POLL_S = 0.1
_GRACE_S = 60.0  # how long jobs may take to save after a stop
_RESUBMISSIONS = 20  # of a job that was stopped from outside (time limit, preemption)


@dataclass(slots=True)
class _Stop:
    asked: int = 0

    def __call__(self, *_: object) -> None:
        self.asked += 1


def drive(
    config: Config,
    root: Path,
    profile: Profile,
    fresh: bool,
    until: str | None,
    say: Callable[[str], None],
    stages: Mapping[str, Stage] = STAGES,
) -> RunDir:
    """Run all stages (or up to `until`) that are not done, as processes of this machine.

    Raises `Stopped`, `RunFailed` or `BadInput`; the run resumes from there.
    """
    if profile.cluster != "local":
        raise BadInput("`emodistill run` uses this machine. With a profile for Slurm, use: emodistill launch.")
    run = RunDir(root)
    run.create()
    with run.lock():
        begin(run, config, fresh, stages)
        walked = list(stages.values())[: list(stages).index(until) + 1] if until else list(stages.values())
        say_retries(Ledger(run, config), walked, say)
        stop = _Stop()
        handlers = {number: signal.signal(number, stop) for number in (signal.SIGINT, signal.SIGTERM)}
        try:
            for stage in walked:
                _run_stage(run, config, stage, profile, stop, say)
        finally:
            for number, handler in handlers.items():
                signal.signal(number, handler)
    return run


def _run_stage(
    run: RunDir, config: Config, stage: Stage, profile: Profile, stop: _Stop, say: Callable[[str], None]
) -> None:
    ledger = Ledger(run, config)
    tasks = ledger.to_do(stage)
    if not tasks:
        return
    if any(ledger.claim(stage, task) is None for task in tasks):
        raise RunFailed(f"{stage.name} cannot start: a stage before it is incomplete in {run.root}.")
    started, asked = time.monotonic(), profile.resources(stage.name)
    say(f"{stage.name}: {len(tasks)} of {len(stage.tasks(config))} task(s) to do")
    bundles = [tuple(tasks[i : i + asked.bundle]) for i in range(0, len(tasks), asked.bundle)]
    folder = run.path("submissions", f"{fresh_stamp(run)}-{stage.name}")
    for task in tasks:
        run.forgive(stage.name, task)
    failed = _Stage(run, stage, asked, folder).work_off(bundles, stop)
    if failed:
        raise (
            RunFailed(
                f"{len(failed)} job(s) of {stage.name} failed; everything else is kept. {failed[0].message} "
                f"Mend that and give the same command again."
            )
            if failed[0].kind != "bad_input"
            else BadInput(failed[0].message)
        )
    say(f"{stage.name}: done in {time.monotonic() - started:.1f} s")


class _Stage:
    """The jobs of one stage in flight."""

    def __init__(self, run: RunDir, stage: Stage, asked: Resources, folder: Path) -> None:
        self._run, self._stage, self._asked, self._folder = run, stage, asked, folder

    def work_off(self, bundles: list[tuple[str, ...]], stop: _Stop) -> list[Outcome]:
        """Run all bundles; the outcomes of those that failed. Raises `Stopped` when asked to stop."""
        waiting = list(bundles)
        running: list[Job] = []
        failed: list[Outcome] = []
        resubmitted: dict[tuple[str, ...], int] = {}
        tasks = [task for bundle in bundles for task in bundle]
        with tqdm(
            total=1.0,
            desc=self._stage.name,
            disable=not sys.stderr.isatty(),
            leave=False,
            bar_format="{desc}: {percentage:3.0f}%|{bar}| {elapsed}<{remaining}",
        ) as bar:
            while waiting or running:
                if stop.asked:
                    self._end(running, stop)
                batch = waiting[: self._asked.parallel - len(running)]
                if batch and not (failed and failed[0].kind == "bad_input"):
                    running += submit_local(self._stage.name, self._run.root, batch, self._folder)
                del waiting[: len(batch)]
                for job in [job for job in running if job.finished()]:
                    running.remove(job)
                    outcome = job.outcome()
                    times = resubmitted.get(job.tasks, 0)
                    if outcome.kind == "stopped" and not stop.asked and times < _RESUBMISSIONS:
                        resubmitted[job.tasks] = times + 1
                        waiting.append(job.tasks)
                    elif outcome.kind != "done" and not stop.asked:
                        failed.append(outcome)
                bar.update(self._fraction(tasks) - bar.n)
                time.sleep(_POLL_S)
        if stop.asked:
            self._end([], stop)
        return failed

    def _fraction(self, tasks: list[str]) -> float:
        return sum(self._share(task) for task in tasks) / len(tasks)

    def _share(self, task: str) -> float:
        if self._run.marker_path(self._stage.name, task).exists():
            return 1.0
        try:
            done, total, _ = json.loads(
                self._run.path(self._stage.name, f"{task}.progress").read_text(encoding="utf-8")
            )
        except (OSError, ValueError):
            return 0.0
        return float(done) / float(total) if total else 0.0

    def _end(self, running: list[Job], stop: _Stop) -> None:
        for job in running:
            job.stop()
        deadline = time.monotonic() + _GRACE_S
        while any(not job.finished() for job in running) and time.monotonic() < deadline and stop.asked < 2:
            time.sleep(_POLL_S)
        raise Stopped(
            f"Stopped in {self._stage.name}. Finished work is in {self._run.root}; "
            "give the same command again to go on."
        )
