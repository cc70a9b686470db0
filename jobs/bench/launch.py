"""A launched run against the stages it is made of: from submission to the last marker, on a real Slurm.

`stages`: how long jobs of each stage of yaml/smoke.yaml ran, as sacct tells (whole seconds; two at once count once).
`waits`: the seconds in which a job could have started and none of the run was running: Slurm's own. What is left of
`whole` is ours: submission, and what lies between the stages. Beside it `alone`: the same stages one after the other as
processes of this machine, as `emodistill run` tells. Needs a Slurm on PATH.
"""

import subprocess
import sys
import time
from pathlib import Path
from tempfile import TemporaryDirectory

from emodistill.cluster.record import submissions
from emodistill.cluster.slurm import ask
from emodistill.runs import RunDir
from emodistill.stages import STAGES
from jobs.bench import Measured

_CONFIG = "yaml/smoke.yaml"
_AT_MOST = 1.3


def run() -> Measured:
    """The run by itself, then launched."""
    with TemporaryDirectory() as folder:
        alone, launched = Path(folder) / "alone", Path(folder) / "launched"
        stages = stage_seconds(_command("run", _CONFIG, "--out", str(alone)))
        _command("launch", _CONFIG, "--profile", "one-machine", "--out", str(launched))
        _command("status", str(launched), "--watch")
        time.sleep(5)  # accounting lags behind
        return measure(RunDir(launched), stages)


def _command(*arguments: str) -> str:
    command = [sys.executable, "-m", "emodistill", *arguments]
    return subprocess.run(command, capture_output=True, text=True, check=True).stderr


def stage_seconds(said: str) -> dict[str, float]:
    """What `emodistill run` says that its stages took."""
    words = [line.split() for line in said.splitlines() if ": done in " in line]
    return {line[0].rstrip(":"): float(line[-2]) for line in words}


def measure(launched: RunDir, alone: dict[str, float]) -> Measured:
    """A finished launch beside its stages' times."""
    ids = ",".join(submission.job for submission in submissions(launched))
    said = ask(["sacct", "-XnP", f"--jobs={ids}", "--format=JobID,Submit,Eligible,Start,End"])
    rows = [line.split("|") for line in said.splitlines()]
    stage_of = {submission.job: submission.stage for submission in submissions(launched)}
    times = [(stage_of[row[0].partition("_")[0]], *map(_seconds, row[1:])) for row in rows]
    ran = {stage: {s for name, *_, start, end in times if name == stage for s in range(start, end)} for stage in STAGES}
    waiting = {s for *_, eligible, start, _ in times for s in range(eligible, start)}.difference(*ran.values())
    stages = {stage: len(seconds) for stage, seconds in ran.items()}
    whole = max(path.stat().st_mtime for path in launched.root.rglob("*.done")) - min(submit for _, submit, *_ in times)
    ratio = whole / (sum(stages.values()) + len(waiting))
    figures = {
        "whole_s": round(whole, 1), "stages_s": stages, "summed_stages_s": sum(stages.values()),
        "slurm_waits_s": len(waiting), "ratio": round(ratio, 3),
        "alone_s": alone, "summed_alone_s": round(sum(alone.values()), 1),
        "ratio_to_alone": round(whole / (sum(alone.values()) + len(waiting)), 3),
    }  # fmt: skip
    return Measured(
        figures,
        {"ratio": f"submission to last marker at most {_AT_MOST} × (summed stage times + Slurm's waits)"},
        {"ratio": ratio <= _AT_MOST},
    )


def _seconds(moment: str) -> int:
    return int(time.mktime(time.strptime(moment, "%Y-%m-%dT%H:%M:%S")))
