"""`emodistill launch` on a real Slurm: the same run as on this machine, whatever happens to its jobs."""

import os
import random
import shutil
import signal
import subprocess
import time
from pathlib import Path
from typing import Any

import pytest

from emodistill.cluster.record import submissions
from emodistill.runs import RunDir
from emodistill.shards import content_hash
from jobs.bench.launch import measure, stage_seconds

from helpers import emodistill

pytestmark = [pytest.mark.slow]
LONG = ("--set", "sweep.rollouts=3000", "--set", "sweep.shard_episodes=9000")
HERE = Path(__file__).parent


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


def wait_for_end(out: Path, within_s: float = 540) -> None:
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


def evaluations(out: Path) -> str:
    return content_hash(sorted(out.glob("evaluate/*/*.h5")))


def table(out: Path) -> str:
    return (out / "tables" / "main.md").read_text()


def tables(out: Path) -> dict[str, bytes]:
    return {path.name: path.read_bytes() for kind in ("csv", "md") for path in out.glob(f"tables/*.{kind}")}


def complete(out: Path) -> bool:
    return '"complete": true' in emodistill("status", out, "--json").stdout


def test_a_launched_run_is_the_run_of_this_machine(slurm, tiny_model, tmp_path):
    here, there = tmp_path / "here", tmp_path / "there"
    alone = emodistill("run", "yaml/smoke.yaml", "--out", here).stderr
    launch(there)
    before = jobs(there)
    launch(there)  # what is in the queue is not submitted again
    assert jobs(there) == before
    wait_for_end(there)
    time.sleep(3)  # accounting lags behind
    assert states(there) == {"COMPLETED"}
    assert (shards(there), evaluations(there)) == (shards(here), evaluations(here))
    assert len(tables(here)) == 5 and tables(there) == tables(here)
    launch(there)
    assert jobs(there) == before
    found = measure(RunDir(there), stage_seconds(alone)).figures  # its target is for a machine with nothing else to do
    assert set(found["alone_s"]) == set(found["stages_s"]) and found["whole_s"] > 0


def step_processes(out: Path, stage: str) -> list[int]:
    """The stage's ranks that run now."""
    pattern = f"emodistill.cluster.payload {out}/submissions/[^ ]*-{stage}"
    found = subprocess.run(["pgrep", "-f", pattern], capture_output=True, text=True).stdout
    return [int(pid) for pid in found.split() if comm(pid) != "srun"]


def comm(pid: str) -> str:
    try:
        return Path(f"/proc/{pid}/comm").read_text().strip()
    except OSError:
        return "srun"


class Brake:
    """Slows the records of a launched run's stages until they are let go of (brake/sitecustomize.py)."""

    def __init__(self, folder: Path) -> None:
        self._folder = folder

    def on(self, stage: str, seconds: float) -> None:
        """From now on each record takes so long."""
        (self._folder / stage).write_text(str(seconds))

    def off(self, stage: str) -> None:
        """Full speed again."""
        (self._folder / stage).unlink()


@pytest.fixture
def brake(tmp_path, monkeypatch) -> Brake:
    folder = tmp_path / "brake"
    folder.mkdir()
    monkeypatch.setenv("EMODISTILL_BRAKE", str(folder))
    monkeypatch.setenv("PYTHONPATH", f"{HERE / 'brake'}:{os.environ.get('PYTHONPATH', '')}")
    return Brake(folder)


class Fire:
    """What happens to jobs on a cluster: every kind once, in any order, at random moments, to the jobs of one stage."""

    def __init__(self, slurm: Any, out: Path, stage: str, seed: int) -> None:
        self._slurm, self._out, self._stage, self._random = slurm, out, stage, random.Random(seed)

    def burn(self, kinds: int = 5, within_s: float = 300) -> None:
        """Strike until every kind (or as many) has struck; the stage must not end before."""
        harms = [self._kill, self._requeue, self._terminate, self._restart_slurmd, self._preempt]
        self._random.shuffle(harms)
        harms, deadline = harms[:kinds], time.monotonic() + within_s
        while harms:
            assert time.monotonic() < deadline, harms
            running = [name for name in self._jobs() if queued(self._out).get(name) == "RUNNING"]
            if running and step_processes(self._out, self._stage):
                time.sleep(self._random.uniform(1, 4))
                if harms[-1](self._random.choice(running)):
                    harms.pop()
            time.sleep(0.5)

    def _jobs(self) -> list[str]:
        return [
            str(element)
            for submission in submissions(RunDir(self._out))
            if submission.stage == self._stage
            for element, _ in submission.elements()
        ]

    def _kill(self, job: str) -> bool:
        processes = step_processes(self._out, self._stage)
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

    def _preempt(self, job: str) -> bool:
        """A job of a partition with priority wants the whole node, and gets it."""
        urgent = ["sbatch", "--wait", "--partition=urgent", f"--cpus-per-task={os.cpu_count()}", "--output=/dev/null"]
        return subprocess.run([*urgent, "--wrap=true"], capture_output=True, timeout=120).returncode == 0


def test_rollouts_and_verdicts_under_fire_end_as_if_nothing_had_happened(slurm, brake, tmp_path):
    here, there = tmp_path / "here", tmp_path / "there"
    emodistill("run", "yaml/smoke.yaml", "--out", here, "--until", "dataset", *LONG)
    brake.on("rollout", 0.04)
    brake.on("judge", 0.04)
    launch(there, "--until", "dataset", *LONG)
    for stage, kinds in (("rollout", 5), ("judge", 2)):
        Fire(slurm, there, stage, seed=3).burn(kinds)
        brake.off(stage)
    wait_for_end(there)
    assert shards(there) == shards(here)


MORE = ("--set", "evaluate.seeds=24")


def before_evaluation(smoke_run, tmp_path) -> tuple[Path, Path]:
    """A run evaluated here in peace, and another that waits for it."""
    here, there = tmp_path / "here", tmp_path / "there"
    for out in (here, there):
        shutil.copytree(smoke_run, out)
        for stage in ("evaluate", "tables", "figures"):
            shutil.rmtree(out / stage)
    emodistill("run", "yaml/smoke.yaml", "--out", here, *MORE)
    return here, there


def results(out: Path) -> tuple:
    assert complete(out), emodistill("status", out).stdout
    return evaluations(out), tables(out)


def test_an_evaluation_under_fire_ends_as_if_nothing_had_happened(slurm, brake, smoke_run, tmp_path):
    (here, there), profile = before_evaluation(smoke_run, tmp_path), tmp_path / "pairs.yaml"
    profile.write_text("cluster: slurm\nstages: {evaluate: {bundle: 3, parallel: 2}}\n")
    brake.on("evaluate", 0.5)
    launch(there, *MORE, profile=profile)
    Fire(slurm, there, "evaluate", seed=5).burn(kinds=3)
    brake.off("evaluate")
    wait_for_end(there)
    assert results(there) == results(here)


def test_rollouts_live_through_a_time_limit_too_short(slurm, brake, tmp_path):  # slurmctld looks at it every 30 s
    profile = tmp_path / "short.yaml"
    profile.write_text("cluster: slurm\ndefault: {time_min: 1, grace_s: 58}\nstages: {rollout: {parallel: 2}}\n")
    here, there = tmp_path / "here", tmp_path / "there"
    emodistill("run", "yaml/smoke.yaml", "--out", here, "--until", "rollout", *LONG)
    brake.on("rollout", 0.04)
    launch(there, "--until", "rollout", *LONG, profile=profile)
    wait_for_requeue(there)
    brake.off("rollout")
    wait_for_end(there)
    assert complete_stage(there, "rollout") and shards(there) == shards(here)


def test_an_evaluation_lives_through_a_time_limit_too_short(slurm, brake, smoke_run, tmp_path):
    (here, there), profile = before_evaluation(smoke_run, tmp_path), tmp_path / "short.yaml"
    profile.write_text("cluster: slurm\ndefault: {time_min: 2, grace_s: 60}\nstages: {evaluate: {bundle: 6}}\n")
    brake.on("evaluate", 2.0)
    launch(there, *MORE, profile=profile)
    wait_for_requeue(there)
    brake.off("evaluate")
    wait_for_end(there)
    assert results(there) == results(here)


def wait_for_requeue(out: Path, within_s: float = 300) -> None:
    """Until a job of the run has been stopped at its time limit and put back into the queue."""
    deadline = time.monotonic() + within_s
    while "REQUEUED" not in history(out):
        assert time.monotonic() < deadline and queued(out), history(out)
        time.sleep(1)


def history(out: Path) -> list[str]:
    """The state in which each stay of a job on its node has ended."""
    said = slurm_says("sacct", "-DXnP", "-j", ",".join(jobs(out)), "--format=State").splitlines()
    return [line.split(" ")[0] for line in said]


def complete_stage(out: Path, stage: str) -> bool:
    run = RunDir(out)
    return all(run.marker(stage, path.stem) for path in out.glob(f"{stage}/*.identity"))


def test_a_cancelled_run_stays_cancelled(slurm, brake, tmp_path):
    out = tmp_path / "run"
    brake.on("rollout", 0.04)
    launch(out, "--until", "judge", *LONG)
    while "RUNNING" not in queued(out).values():
        time.sleep(0.2)
    slurm_says("scancel", *jobs(out))
    wait_for_end(out)
    time.sleep(15)  # a requeued job would be back by then
    assert queued(out) == {} and states(out) <= {"CANCELLED"}
    brake.off("rollout")
    launch(out, "--until", "judge", *LONG)
    wait_for_end(out)
    assert complete_stage(out, "judge") and len(list(out.glob("judge/*.done"))) == 2


def test_a_poison_shard_is_given_up_and_all_else_finishes(slurm, tiny_model, tmp_path, monkeypatch):
    out = tmp_path / "run"
    (tmp_path / "site").mkdir()
    (tmp_path / "site" / "sitecustomize.py").write_text(POISON)
    monkeypatch.setenv("PYTHONPATH", f"{tmp_path / 'site'}:{os.environ.get('PYTHONPATH', '')}")
    untrained = ("--set", "evaluate.variants=[vanilla-slm, iql-only]")
    launch(out, *untrained)
    wait_for_end(out)
    failure = RunDir(out).failure("rollout", "shard-00001")
    assert failure is not None and "killed without a word" in failure.reason
    said = emodistill("status", out).stdout
    assert failure.tail.splitlines()[-1] in said and "Killed" in failure.tail
    assert table(out).count("shard-00001: rollout given up after 5 tries") == 2  # in rollout, and so in judge
    assert len(list(out.glob("evaluate/*.done"))) == 2
    monkeypatch.delenv("PYTHONPATH")
    launch(out, *untrained)
    wait_for_end(out)
    assert complete(out) and "given up" not in table(out)


POISON = """
import os, sys
if "emodistill.cluster.payload" in " ".join(sys.orig_argv):
    import emodistill.work as work
    played = work.rollout_shard
    def rollout_shard(run, config, context):
        if context.task == "shard-00001":
            os.kill(os.getpid(), 9)
        return played(run, config, context)
    work.rollout_shard = rollout_shard
"""
