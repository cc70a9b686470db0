"""Run things as a user or a job would."""

import json
import shlex
import subprocess
import sys
from pathlib import Path

ROOT = Path(__file__).parents[1]


def emodistill(*arguments: object, check: bool = True, **options) -> subprocess.CompletedProcess[str]:
    """The command as a user runs it."""
    command = [sys.executable, "-m", "emodistill", *map(str, arguments)]
    done = subprocess.run(command, cwd=ROOT, capture_output=True, text=True, check=False, **options)
    assert not check or done.returncode == 0, done.stderr
    return done


def train(run: Path, stage: str, task: str, ranks: int = 1) -> None:
    command = [sys.executable, "-m", f"jobs.{stage}", "--run", str(run), "--task", task]
    if ranks > 1:  # in a shell, because torchrun takes --run for an abbreviation of its own --run-path
        launcher = [sys.executable, "-m", "torch.distributed.run", "--standalone", f"--nproc-per-node={ranks}"]
        command = [*launcher, "--no-python", "bash", "-c", shlex.join(command)]
    done = subprocess.run(command, cwd=ROOT, capture_output=True, text=True, check=False)
    assert done.returncode == 0, done.stderr[-3000:]


def curve(run: Path, stage: str, task: str) -> list[dict[str, float]]:
    """The training curve without wall times."""
    rows = [json.loads(line) for line in (run / stage / task / "metrics.jsonl").read_text().splitlines()]
    return [{k: v for k, v in row.items() if k != "seconds"} for row in rows]
