"""slurm/*.sbatch: the stages by hand, in a user's own order."""

import json
import os
import subprocess
import sys
from pathlib import Path

import pytest

from emodistill.stages import STAGES

from helpers import ROOT, emodistill

pytestmark = [pytest.mark.slow]


def test_stages_by_hand_make_what_a_run_makes(slurm, smoke_run, tmp_path):
    there = tmp_path / "there"
    emodistill("launch", "yaml/smoke.yaml", "--prepare", "--out", there, "--set", "evaluate.variants=[full]")
    path = {**os.environ, "PATH": f"{Path(sys.executable).parent}:{os.environ['PATH']}"}
    for stage in STAGES:
        array = ["--array=0-1"] if stage in ("rollout", "judge") else []
        options = [
            "--wait",
            f"--cpus-per-task={1 if array else os.cpu_count()}",
            f"--output={tmp_path}/%x.%j.log",
            *array,
        ]
        command = ["sbatch", *options, ROOT / "slurm" / f"{stage}.sbatch", there]
        done = subprocess.run(command, capture_output=True, text=True, cwd=ROOT, env=path, timeout=300)
        assert done.returncode == 0, "".join(log.read_text()[-2000:] for log in tmp_path.glob(f"*.{stage}.*.log"))
    made = [marker.relative_to(there) for marker in there.glob("*/*.done")]
    assert {marker.parent.name for marker in made} == set(STAGES) and len(made) == 10
    assert "| full |" in (there / "tables" / "main.md").read_text()
    for marker in made:
        assert marker.parent.name == "tables" or sums(smoke_run / marker) == sums(there / marker), marker


def sums(marker: Path) -> dict[str, str]:
    """Checksums of what a task has made, but for the training's log, which has times."""
    made = json.loads(marker.read_text())["files"]
    return {name: value for name, value in made.items() if not name.endswith("metrics.jsonl")}


@pytest.mark.parametrize("script", sorted((ROOT / "slurm").glob("*.sbatch")), ids=lambda path: path.stem)
def test_each_script_is_valid_shell_and_names_its_stage(script):
    subprocess.run(["bash", "-n", script], check=True)
    assert f"python -m jobs.{script.stem} " in script.read_text() and (ROOT / "jobs" / f"{script.stem}.py").is_file()
