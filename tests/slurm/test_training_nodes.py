"""Two-rank DeepSpeed training as launched jobs, on one node and across two, killed and with a node lost: one curve."""

import os
import shutil
import signal
import subprocess
import time

import pytest
from test_launch import launch, step_processes, wait_for_end

from helpers import curve, emodistill

pytestmark = [pytest.mark.slow, pytest.mark.deepspeed]
TRAINED = (("iql", "selector"), ("sft", "emotion"), ("jpo", "emotion"))
MORE = ("--set", "iql.steps=800", "--set", "iql.checkpoint_every=100", "--set", "sft.deepspeed=zero2")


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
        out = begin(alone, tmp_path_factory.mktemp("ranks"), "nodes: 1, tasks_per_node: 2")
        wait_for_end(out)
    return out


def begin(alone, folder, spread: str):
    """Launch the training in ranks, in a copy of the run that has all before it."""
    ranks = ", ".join(f"{stage}: {{{spread}}}" for stage, _ in TRAINED)
    (folder / "ranks.yaml").write_text(f"cluster: slurm\ndefault: {{time_min: 20}}\nstages: {{{ranks}}}\n")
    out = folder / "run"
    shutil.copytree(alone, out)
    for stage, _ in TRAINED:
        shutil.rmtree(out / stage)
    launch(out, "--until", "jpo", *MORE, profile=folder / "ranks.yaml")
    return out


def losses(out, stage: str, task: str) -> list[float]:
    return [row["loss"] for row in curve(out, stage, task)]


def test_two_ranks_train_like_one_process(alone, undisturbed):
    for stage, task in TRAINED[1:]:
        assert losses(undisturbed, stage, task) == pytest.approx(losses(alone, stage, task), rel=5e-3, abs=1e-4)
    # Sums in another order grow apart over hundreds of IQL steps; they begin as one.
    ours, theirs = losses(undisturbed, *TRAINED[0]), losses(alone, *TRAINED[0])
    assert len(ours) == len(theirs) == 80 and ours[:10] == pytest.approx(theirs[:10], rel=5e-3)


@pytest.mark.parametrize("harm", ["a rank killed", "a node lost"])
def test_harm_on_two_nodes_leaves_the_curve_as_it_is(two_nodes, alone, undisturbed, tmp_path, harm):
    out = begin(alone, tmp_path, "nodes: 2, tasks_per_node: 1")
    wait_until(lambda: list(out.glob("iql/selector/checkpoints/*/")))
    if harm == "a rank killed":
        os.kill(step_processes(out)[0], signal.SIGKILL)
    else:
        two_nodes.script("node.sh", "down", "n2").check_returncode()
        wait_until(lambda: "RUNNING" not in states_of(out, "iql"))
        two_nodes.script("node.sh", "up", "n2").check_returncode()
    wait_for_end(out)
    for stage, task in TRAINED:
        assert losses(out, stage, task) == pytest.approx(losses(undisturbed, stage, task), rel=1e-4, abs=1e-6)


def states_of(out, stage: str) -> list[str]:
    said = subprocess.run(["squeue", "--noheader", "--format=%j|%T"], capture_output=True, text=True).stdout
    return [line.split("|")[1] for line in said.splitlines() if f".{stage}" in line]


def wait_until(condition, within_s: float = 120) -> None:
    deadline = time.monotonic() + within_s
    while not condition():
        assert time.monotonic() < deadline
        time.sleep(0.3)
