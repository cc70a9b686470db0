"""Two-rank DeepSpeed training as launched jobs, on one node and across two, killed and with a node lost: one curve."""

import contextlib
import os
import shutil
import signal
import subprocess
import time

import pytest
from test_launch import launch, step_processes, wait_for_end

from emodistill.runs import RunDir

from helpers import curve, emodistill

pytestmark = [pytest.mark.slow, pytest.mark.deepspeed]
TRAINED = (("iql", "selector"), ("sft", "emotion"), ("jpo", "emotion"))
MORE = [
    word
    for setting in (
        "iql.precision=float32",
        "sft.precision=float32",
        "jpo.precision=float32",
        "iql.steps=800",
        "iql.checkpoint_every=100",
        "sft.deepspeed=zero2",
        "sft.epochs=4",
        "sft.checkpoint_every=3",
        "jpo.epochs=4",
        "jpo.checkpoint_every=3",
    )
    for word in ("--set", setting)
]


@pytest.fixture(scope="module")
def alone(tmp_path_factory, tiny_model):
    """The training by one process on this machine."""
    out = tmp_path_factory.mktemp("alone") / "run"
    emodistill("run", "yaml/smoke.yaml", "--out", out, "--until", "jpo", *MORE)
    return out


@pytest.fixture(scope="module")
def undisturbed(_two_nodes, alone, tmp_path_factory):
    """The same by two ranks on one node."""
    with pytest.MonkeyPatch.context() as patch:
        patch.setenv("SLURM_CONF", str(_two_nodes.conf))
        out = copy_before_training(alone, tmp_path_factory.mktemp("ranks") / "run")
        launch_until(out, "jpo", nodes=1)
        wait_for_end(out)
    return out


def copy_before_training(run, out):
    shutil.copytree(run, out)
    for stage, _ in TRAINED:
        shutil.rmtree(out / stage)
    return out


def launch_until(out, stage: str, nodes: int) -> None:
    """Two ranks for each training stage, on so many nodes."""
    profile = out.parent / "ranks.yaml"
    ranks = ", ".join(f"{name}: {{nodes: {nodes}, tasks_per_node: {2 // nodes}}}" for name, _ in TRAINED)
    profile.write_text(f"cluster: slurm\ndefault: {{time_min: 20}}\nstages: {{{ranks}}}\n")
    launch(out, "--until", stage, *MORE, profile=profile)


def losses(out, stage: str, task: str) -> list[float]:
    return [row["loss"] for row in curve(out, stage, task)]


def test_two_ranks_train_like_one_process(alone, undisturbed):
    for stage, task in TRAINED:  # sums in another order grow apart over many steps; they begin as one
        ours, theirs = losses(undisturbed, stage, task), losses(alone, stage, task)
        assert len(ours) == len(theirs) and ours[:10] == pytest.approx(theirs[:10], rel=5e-3, abs=1e-4)


@pytest.mark.parametrize("nodes, harm", [(1, "a rank killed"), (2, "a node lost")], ids=str)
def test_harm_to_every_training_leaves_the_curves_as_they_are(two_nodes, alone, undisturbed, tmp_path, nodes, harm):
    out = copy_before_training(alone, tmp_path / "run")
    for stage, task in TRAINED:
        launch_until(out, stage, nodes)
        with frozen_half_way(out, stage, task) as ranks:
            if harm == "a rank killed":
                os.kill(ranks[-1], signal.SIGKILL)
            else:
                two_nodes.script("node.sh", "down", "n2").check_returncode()
        if harm == "a node lost":
            wait_until(lambda stage=stage: "RUNNING" not in states_of(out, stage))
            two_nodes.script("node.sh", "up", "n2").check_returncode()
        wait_for_end(out)
        assert losses(out, stage, task) == pytest.approx(losses(undisturbed, stage, task), rel=1e-4, abs=1e-6)


@contextlib.contextmanager
def frozen_half_way(out, stage: str, task: str):
    """The stage's ranks, stopped as soon as a checkpoint lies there; the training is not at its end."""
    wait_until(lambda: list(out.glob(f"{stage}/{task}/checkpoints/step-*")), every_s=0.02)
    ranks = step_processes(out, stage)
    for rank in ranks:
        os.kill(rank, signal.SIGSTOP)
    assert len(ranks) == 2 and RunDir(out).marker(stage, task) is None
    yield ranks
    for rank in ranks:
        with contextlib.suppress(ProcessLookupError):
            os.kill(rank, signal.SIGCONT)


def states_of(out, stage: str) -> list[str]:
    said = subprocess.run(["squeue", "--noheader", "--format=%j|%T"], capture_output=True, text=True).stdout
    return [line.split("|")[1] for line in said.splitlines() if f".{stage}" in line]


def wait_until(condition, within_s: float = 300, every_s: float = 0.3) -> None:
    deadline = time.monotonic() + within_s
    while not condition():
        assert time.monotonic() < deadline
        time.sleep(every_s)
