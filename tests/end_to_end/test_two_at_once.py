"""Two commands on one run directory: one wins, the other says who has it and since when."""

import os
import re
import signal
import subprocess
import sys
import time

import pytest

from helpers import ROOT, emodistill

pytestmark = pytest.mark.slow


def start(*arguments, **options):
    command = [sys.executable, "-m", "emodistill", *map(str, arguments)]
    return subprocess.Popen(command, cwd=ROOT, stdout=subprocess.DEVNULL, stderr=subprocess.PIPE, text=True, **options)


def wait_until_it_holds(process, out):
    lock = out / ".lock"
    while not lock.exists() or f"process {process.pid} on " not in lock.read_text():
        assert process.poll() is None, process.communicate()
        time.sleep(0.02)


def refused(process, *arguments, **options):
    done = emodistill(*arguments, check=False, **options)
    who = rf"is in use by process {process.pid} on \S+ since \d{{4}}-\d\d-\d\d \d\d:\d\d:\d\d\. Wait for it, or stop it"
    assert done.returncode == 2 and re.search(who, done.stderr), done.stderr


@pytest.fixture
def slurm(tmp_path):
    """A Slurm of scripts that takes every job and shows none; while `hold` exists, sbatch waits."""
    folder = tmp_path / "bin"
    folder.mkdir()
    takes = f'echo x >> {folder}/taken; echo "Submitted batch job $(grep -c x {folder}/taken)"'
    for name, body in (
        ("sbatch", f"while [ -e {folder}/hold ]; do sleep 0.1; done; {takes}"),
        ("squeue", ""),
        ("sacct", ""),
        ("scontrol", "echo 'MaxArraySize = 1001'"),
    ):
        (folder / name).write_text(f"#!/bin/sh\n{body}\n")
        (folder / name).chmod(0o755)
    return folder


def test_a_run_and_a_launch_beside_a_run_are_refused_until_it_is_killed(slurm, tmp_path):
    out, env = tmp_path / "run", {**os.environ, "PATH": f"{slurm}:{os.environ['PATH']}"}
    command = ("run", "yaml/smoke.yaml", "--out", out, "--until", "rollout")
    first = start(*command)
    wait_until_it_holds(first, out)
    first.send_signal(signal.SIGSTOP)
    refused(first, *command)
    refused(first, "launch", "yaml/smoke.yaml", "--out", out, "--profile", "one-machine", env=env)
    assert not (slurm / "taken").exists()
    first.kill()
    first.communicate()
    emodistill(*command)
    assert "whole" in emodistill("verify", out).stdout


def test_of_two_resumes_one_submits(slurm, tmp_path):
    out, env = tmp_path / "run", {**os.environ, "PATH": f"{slurm}:{os.environ['PATH']}"}
    launched = ("launch", "yaml/smoke.yaml", "--out", out, "--profile", "one-machine", "--until", "judge")
    emodistill(*launched, env=env)
    (slurm / "taken").unlink()
    (slurm / "hold").touch()
    first = start("resume", out, env=env)
    wait_until_it_holds(first, out)
    refused(first, "resume", out, env=env)
    refused(first, "run", "yaml/smoke.yaml", "--out", out, env=env)
    (slurm / "hold").unlink()
    _, said = first.communicate()
    assert first.returncode == 0, said
    assert (slurm / "taken").read_text().count("x") == said.count("job(s) as ") > 2
