"""slurm/*.sbatch: the stages by hand, in a user's own order."""

import os
import subprocess
import sys
from pathlib import Path

import pytest

from helpers import ROOT, emodistill

pytestmark = [pytest.mark.slow]


def test_stages_by_hand_make_what_a_run_makes(slurm, tmp_path):
    here, there = tmp_path / "here", tmp_path / "there"
    emodistill("run", "yaml/smoke.yaml", "--out", here, "--until", "dataset")
    emodistill("launch", "yaml/smoke.yaml", "--prepare", "--out", there)
    path = {**os.environ, "PATH": f"{Path(sys.executable).parent}:{os.environ['PATH']}"}
    for stage, array in (("rollout", ["--array=0-1"]), ("judge", ["--array=0-1"]), ("dataset", [])):
        script = ROOT / "slurm" / f"{stage}.sbatch"
        command = ["sbatch", "--wait", "--cpus-per-task=1", f"--output={tmp_path}/%x.%j.log", *array, script, there]
        subprocess.run(command, check=True, capture_output=True, cwd=ROOT, env=path, timeout=120)
    for stage in ("rollout", "judge", "dataset"):
        for marker in here.glob(f"{stage}/*.done"):
            made, expected = (folder / stage / marker.name for folder in (there, here))
            assert sums(made) == sums(expected)


def sums(marker: Path) -> str:
    return marker.read_text().partition('"files"')[2].partition("}")[0]


@pytest.mark.parametrize("script", sorted((ROOT / "slurm").glob("*.sbatch")), ids=lambda path: path.stem)
def test_each_script_is_valid_shell_and_names_its_stage(script):
    subprocess.run(["bash", "-n", script], check=True)
    assert f"python -m jobs.{script.stem} " in script.read_text() and (ROOT / "jobs" / f"{script.stem}.py").is_file()
