"""`emodistill launch` on a real Slurm: the same run as on this machine, whatever happens to its jobs."""

import os
import random
import signal
import subprocess
import time
from pathlib import Path
from typing import Any

import pytest

from emodistill.cluster.record import submissions
from emodistill.runs import RunDir
from emodistill.shards import content_hash

from helpers import emodistill

pytestmark = [pytest.mark.slow]
LONG = ("--set", "sweep.rollouts=5000", "--set", "sweep.shard_episodes=15000", "--set", "evaluate.seeds=8")


def slurm_says(*command: str) -> str:
    return subprocess.run(command, capture_output=True, text=True, check=True, timeout=60).stdout


def launch(out: Path, *arguments: object, profile: object = "one-machine") -> None:
    emodistill("launch", "yaml/smoke.yaml", "--profile", profile, "--out", out, *arguments)


def jobs(out: Path) -> list[str]:
    return [submission.job for submission in submissions(RunDir(out))]


def queued(out: Path) -> dict[str, str]:
    """Element to state, of the run's jobs in the queue."""
    asked = ["squeue", "--noheader", "--array", "--format=%F|%i|%T"]
    while (said := subprocess.run(asked, capture_output=True, text=True, timeout=60)).returncode:
        time.sleep(1)  # the controller or its network may be under fire
    lines = said.stdout.splitlines()
    rows = [line.split("|") for line in lines]
    return {name: state for array, name, state in rows if array in jobs(out)}


def wait_for_end(out: Path, within_s: float = 400) -> None:
    deadline = time.monotonic() + within_s
    while left := queued(out):
        assert time.monotonic() < deadline, left
        time.sleep(0.5)


def states(out: Path) -> set[str]:
    """The final states that accounting has for the run's jobs."""
    ids = ",".join(jobs(out))
    return {line.split(" ")[0] for line in slurm_says("sacct", "-XnP", "-j", ids, "--format=State").splitlines()}


def shards(out: Path) -> str:
    return content_hash(
        sorted(out.glob("rollout/*.h5")) + sorted(out.glob("judge/*.h5")) + sorted(out.glob("dataset/*.h5"))
    )


def table(out: Path) -> str:
    return (out / "tables" / "main.md").read_text()


def complete(out: Path) -> bool:
    return '"complete": true' in emodistill("status", out, "--json").stdout


def test_a_launched_run_is_the_run_of_this_machine(slurm, tiny_model, tmp_path):
    here, there = tmp_path / "here", tmp_path / "there"
    emodistill("run", "yaml/smoke.yaml", "--out", here)
    launch(there)
    before = jobs(there)
    launch(there)  # what is in the queue is not submitted again
    assert jobs(there) == before
    wait_for_end(there)
    time.sleep(3)  # accounting lags behind
    assert states(there) == {"COMPLETED"}
    assert (shards(there), table(there)) == (shards(here), table(here))
    launch(there)
    assert jobs(there) == before


def step_processes(out: Path) -> list[int]:
    found = subprocess.run(["pgrep", "-f", f"submitit.core._submit {out}"], capture_output=True, text=True).stdout
    return [int(pid) for pid in found.split() if "srun" not in Path(f"/proc/{pid}/comm").read_text()]


class Fire:
    """What happens to jobs on a cluster, drawn at random."""

    def __init__(self, slurm: Any, out: Path, seed: int) -> None:
        self._slurm, self._out, self._random, self.done = slurm, out, random.Random(seed), []

    def strike(self) -> None:
        running = [name for name, state in queued(self._out).items() if state == "RUNNING"]
        if not running:
            return
        how = self._random.choice([self._kill, self._requeue, self._terminate, self._restart_slurmd])
        if how(self._random.choice(running)):
            self.done.append(how.__name__)

    def _kill(self, job: str) -> bool:
        processes = step_processes(self._out)
        if processes:
            os.kill(self._random.choice(processes), signal.SIGKILL)
        return bool(processes)

    def _requeue(self, job: str) -> bool:
        return subprocess.run(["scontrol", "requeue", job], capture_output=True).returncode == 0

    def _terminate(self, job: str) -> bool:
        return subprocess.run(["scancel", "--signal=TERM", job], capture_output=True).returncode == 0

    def _restart_slurmd(self, job: str) -> bool:
        for path in self._slurm.folder.glob("run/slurmd.*.pid"):
            os.kill(int(path.read_text()), signal.SIGKILL)
        time.sleep(1)
        return self._slurm.script("up.sh").returncode == 0


def test_a_run_under_fire_ends_by_itself_as_if_nothing_had_happened(slurm, tiny_model, tmp_path):
    here, there = tmp_path / "here", tmp_path / "there"
    emodistill("run", "yaml/smoke.yaml", "--out", here, *LONG)
    launch(there, *LONG)
    fire = Fire(slurm, there, seed=3)
    for _ in range(12):
        time.sleep(4)
        fire.strike()
    wait_for_end(there)
    assert len(set(fire.done)) >= 3, fire.done
    assert complete(there), emodistill("status", there).stdout
    assert (shards(there), table(there)) == (shards(here), table(here))


def test_a_time_limit_too_short_is_lived_through(slurm, tmp_path):  # slurmctld looks at limits every 30 s
    profile = tmp_path / "short.yaml"
    profile.write_text("cluster: slurm\ndefault: {time_min: 1, grace_s: 58}\nstages: {rollout: {parallel: 2}}\n")
    here, there = tmp_path / "here", tmp_path / "there"
    long = ("--until", "rollout", "--set", "sweep.rollouts=30000", "--set", "sweep.shard_episodes=90000")
    emodistill("run", "yaml/smoke.yaml", "--out", here, *long)
    launch(there, *long, profile=profile)
    wait_for_end(there)
    assert complete_stage(there, "rollout") and shards(there) == shards(here)
    requeued = slurm_says("sacct", "-DXnP", "-j", ",".join(jobs(there)), "--format=State").count("REQUEUED")
    assert requeued >= 1


def complete_stage(out: Path, stage: str) -> bool:
    run = RunDir(out)
    return all(run.marker(stage, path.stem) for path in out.glob(f"{stage}/*.identity"))


def test_a_cancelled_run_stays_cancelled(slurm, tmp_path):
    out = tmp_path / "run"
    launch(out, "--until", "judge", *LONG)
    while "RUNNING" not in queued(out).values():
        time.sleep(0.2)
    slurm_says("scancel", *jobs(out))
    wait_for_end(out)
    time.sleep(15)  # a requeued job would be back by then
    assert queued(out) == {} and states(out) <= {"CANCELLED"}
    launch(out, "--until", "judge", *LONG)
    wait_for_end(out)
    assert complete_stage(out, "judge") and len(list(out.glob("judge/*.done"))) == 2


def test_a_poison_shard_is_given_up_and_all_else_finishes(slurm, tiny_model, tmp_path, monkeypatch):
    out = tmp_path / "run"
    (tmp_path / "site").mkdir()
    (tmp_path / "site" / "sitecustomize.py").write_text(POISON)
    monkeypatch.setenv("PYTHONPATH", f"{tmp_path / 'site'}:{os.environ.get('PYTHONPATH', '')}")
    launch(out)
    wait_for_end(out)
    failure = RunDir(out).failure("rollout", "shard-00001")
    assert failure is not None and "killed without a word" in failure.reason
    assert "shard-00001" in table(out) and "given up" in table(out)
    assert len(list(out.glob("evaluate/*.done"))) == 6
    monkeypatch.delenv("PYTHONPATH")
    launch(out)
    wait_for_end(out)
    assert complete(out) and "given up" not in table(out)


POISON = """
import os, sys
if "submitit.core._submit" in " ".join(sys.orig_argv):
    import emodistill.work as work
    played = work.rollout_shard
    def rollout_shard(run, config, context):
        if context.task == "shard-00001":
            os.kill(os.getpid(), 9)
        return played(run, config, context)
    work.rollout_shard = rollout_shard
"""
