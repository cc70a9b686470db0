"""Run things as a user or a job would."""

import contextlib
import json
import os
import shlex
import subprocess
import sys
from collections.abc import Callable, Iterator
from pathlib import Path

import pytest

from emodistill.configfile import load_config
from emodistill.domains import build_scenarios
from emodistill.execute import run_tasks
from emodistill.runs import RunDir

ROOT = Path(__file__).parents[1]


def emodistill(*arguments: object, check: bool = True, **options) -> subprocess.CompletedProcess[str]:
    """The command as a user runs it."""
    command = [sys.executable, "-m", "emodistill", *map(str, arguments)]
    done = subprocess.run(command, cwd=ROOT, capture_output=True, text=True, check=False, **options)
    assert not check or done.returncode == 0, done.stderr
    return done


def begun(root: Path, *overrides: str) -> RunDir:
    """A run directory as the driver leaves it before the first task: yaml/smoke.yaml, with overrides."""
    run, config = RunDir(root), load_config(ROOT / "yaml" / "smoke.yaml", overrides)
    root.mkdir(parents=True)
    run.write_config(config)
    run.write_scenarios(build_scenarios(config.scenarios, config.seed))
    run.write_manifest({"name": config.name})
    return run


@contextlib.contextmanager
def small_disk(folder: Path, size: str) -> Iterator[Callable[[str], None]]:
    """A tmpfs of that size at `folder`; gives a function that remounts it with other options."""
    if os.geteuid() != 0 or subprocess.run(["mount", "-t", "tmpfs", "-o", f"size={size}", "tmpfs", folder]).returncode:
        pytest.skip("mounting a small disk needs root, and a machine that allows it")
    try:
        yield lambda options: subprocess.run(["mount", "-o", f"remount,{options}", folder], check=True) and None
    finally:
        subprocess.run(["umount", "-l", folder], check=True)


def train(run: Path, stage: str, task: str, ranks: int = 1) -> None:
    """A training task: in this process, which spares it the imports; several ranks under torchrun, and ZeRO 3, which
    patches torch for good, in processes of their own."""
    alone = ranks == 1
    if alone and "zero3" not in (run / "config.yaml").read_text():
        outcome = run_tasks(str(run), stage, [task])
        assert outcome.kind == "done", outcome.message
        return
    command = [sys.executable, "-m", f"jobs.{stage}", "--run", str(run), "--task", task]
    if not alone:  # in a shell, because torchrun takes --run for an abbreviation of its own --run-path
        launcher = [sys.executable, "-m", "torch.distributed.run", "--standalone", f"--nproc-per-node={ranks}"]
        command = [*launcher, "--no-python", "bash", "-c", shlex.join(command)]
    done = subprocess.run(command, cwd=ROOT, capture_output=True, text=True, check=False)
    assert done.returncode == 0, done.stderr[-3000:]


def curve(run: Path, stage: str, task: str) -> list[dict[str, float]]:
    """The training curve without wall times."""
    rows = [json.loads(line) for line in (run / stage / task / "metrics.jsonl").read_text().splitlines()]
    return [{k: v for k, v in row.items() if k != "seconds"} for row in rows]
