"""Job logs of a run: which files a question is about, their last lines, and what is added to them."""

import itertools
import os
import re
import time
from collections.abc import Callable, Sequence
from dataclasses import dataclass
from pathlib import Path

from emodistill.cluster.record import by_task, submissions
from emodistill.cluster.status import summary
from emodistill.errors import BadInput
from emodistill.kinds import stages_of
from emodistill.runs import RunDir
from emodistill.tails import news, tail

_LOOK_S, _ASK_S = 5.0, 30.0  # between looks for new files; where Slurm must be asked


@dataclass(frozen=True, slots=True)
class Wanted:
    """Which logs: of one stage, of one task, of what failed; nothing given means the latest job of each stage."""

    stage: str | None = None
    task: str | None = None
    failed: bool = False


@dataclass(frozen=True, slots=True)
class Job:
    """Where a job's logs lie; `stem` is their common beginning."""

    stage: str
    folder: Path
    stem: str

    def files(self) -> list[Path]:
        """Standard error and output, of each rank."""
        return sorted(self.folder.glob(f"{self.stem}_*_log.err")) + sorted(self.folder.glob(f"{self.stem}_*_log.out"))


def jobs(run: RunDir, wanted: Wanted) -> list[Job]:
    """The jobs in question, by stage; `BadInput` for a stage or task that the run does not have."""
    names = _stages(run, wanted)
    if wanted.failed:
        trouble = [one for one in summary(run)["trouble"] if wanted.task in (None, one["task"])]
        return [job for name in names for job in _failed(run, name, trouble)]
    found = (_of_task(run, name, wanted.task) if wanted.task else _latest(run, name) for name in names)
    return [job for job in found if job is not None]


def _stages(run: RunDir, wanted: Wanted) -> list[str]:
    stages = stages_of(run)
    if wanted.stage is not None and wanted.stage not in stages:
        raise BadInput(f"--stage {wanted.stage}: there is no such stage. Stages: {', '.join(stages)}.")
    names = [wanted.stage] if wanted.stage else list(stages)
    config = run.config()
    have = [name for name in names if wanted.task is None or wanted.task in stages[name].tasks(config)]
    if not have:
        some = ", ".join(itertools.islice((task for name in names for task in stages[name].tasks(config)), 8))
        raise BadInput(f"{wanted.stage or 'This run'} has no task {wanted.task!r}; it has {some} and so on.")
    return have


def _of_task(run: RunDir, stage: str, task: str) -> Job | None:
    """The latest job that was given the task."""
    known = by_task(submissions(run)).get((stage, task))
    folder = _local_folder(run, stage)
    if known is not None and (folder is None or _stamp(folder) < _stamp(run.path(known[0].folder).parent)):
        return Job(stage, run.path(known[0].folder), str(known[1]))
    named = b"\x8c" + bytes([len(task)]) + task.encode()  # as pickle writes a short string; nothing is unpickled here
    of_task = [stem for stem in _stems(folder) if named in _bytes(folder / f"{stem}_submitted.pkl")] if folder else []
    return Job(stage, folder, of_task[-1]) if folder and of_task else None


def _latest(run: RunDir, stage: str) -> Job | None:
    """The job of the stage's latest submission that has written last."""
    folders = [run.path(submission.folder) for submission in submissions(run) if submission.stage == stage]
    launches = sorted({folder.parent for folder in folders}, key=_stamp)
    rounds = [[folder for folder in folders if folder.parent == launch] for launch in launches]
    if (local := _local_folder(run, stage)) is not None:
        rounds.append([local])
    for together in sorted(rounds, key=lambda some: min(_stamp(f) or _stamp(f.parent) for f in some), reverse=True):
        found = [(folder, stem) for folder in together for stem in _stems(folder)[-1:]]
        if found:
            folder, stem = max(found, key=lambda one: max(_written(path) for path in Job(stage, *one).files()))
            return Job(stage, folder, stem)
    return None


def _failed(run: RunDir, stage: str, trouble: Sequence[dict[str, str]]) -> list[Job]:
    """Jobs that failed or whose task was given up, as the status says; of a local run, those that ended badly."""
    paths = dict.fromkeys(run.path(one["log"]) for one in trouble if one["stage"] == stage and one["log"])
    found = [Job(stage, path.parent, path.name.removesuffix("_0_log.err")) for path in paths]
    folder = _local_folder(run, stage)
    if found or folder is None:
        return found
    return [Job(stage, folder, stem) for stem in _stems(folder) if _ended_badly(folder, stem)]


def _ended_badly(folder: Path, stem: str) -> bool:
    result = _bytes(folder / f"{stem}_0_result.pkl")
    if result:
        return b"\x8c\x04done" not in result and b"\x8c\x07stopped" not in result  # its Outcome's kind, pickled
    try:
        os.kill(int(stem), 0)
    except (OSError, ValueError):
        return True
    return False


def _local_folder(run: RunDir, stage: str) -> Path | None:
    """The newest folder of a stage that ran as processes of one machine."""
    return max(run.path("submissions").glob(f"[0-9]*-[0-9]*-{stage}"), default=None)


def _stamp(folder: Path) -> str:
    found = re.match(r"\d{8}-\d{6}", folder.name)
    return found[0] if found else ""


def _stems(folder: Path) -> list[str]:
    """Jobs of a folder by the beginning of their logs' names; the one that has written last comes last."""
    newest: dict[str, float] = {}
    for path in folder.glob("*_log.*"):
        stem = re.sub(r"_\d+_log\.\w+$", "", path.name)
        newest[stem] = max(newest.get(stem, 0.0), _written(path))
    return sorted(newest, key=newest.__getitem__)


def _written(path: Path) -> float:
    try:
        return path.stat().st_mtime
    except OSError:
        return 0.0


def _bytes(path: Path) -> bytes:
    try:
        return path.read_bytes()
    except OSError:
        return b""


def show(run: RunDir, found: Sequence[Job], lines: int, say: Callable[[str], None]) -> dict[Path, int]:
    """Say the end of each log under its name; how far each file was read."""
    read: dict[Path, int] = {}
    for job in found:
        files = job.files()
        for path in files:
            read[path] = path.stat().st_size
            if read[path]:
                say("\n".join([_title(run, job, path), *tail(path, lines), ""]))
        if not any(read[path] for path in files):
            name = (job.folder / f"{job.stem}_*_log.*").relative_to(run.root)
            say(f"==> {job.stage}: {name} {'are empty' if files else 'are not there yet'}\n")
    return read


def follow(run: RunDir, wanted: Wanted, lines: int, say: Callable[[str], None]) -> None:
    """As `tail -f`, until interrupted; logs of jobs that begin later are taken in."""
    found = jobs(run, wanted)
    read, last = show(run, found, lines, say), None
    looked = time.monotonic()
    while True:
        time.sleep(1.0)
        if time.monotonic() - looked > (_ASK_S if wanted.failed else _LOOK_S):
            found, looked = list(dict.fromkeys([*found, *jobs(run, wanted)])), time.monotonic()
        for job in found:
            for path in job.files():
                added, read[path] = news(path, read.get(path, 0))
                if added:
                    say("\n".join([*([] if path == last else [_title(run, job, path)]), *added]))
                    last = path


def _title(run: RunDir, job: Job, path: Path) -> str:
    return f"==> {job.stage}: {path.relative_to(run.root)}"
