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
MORE = ("--set", "iql.steps=2000", "--set", "iql.checkpoint_every=200", "--set", "sft.deepspeed=zero2")


@pytest.fixture(scope="module")
def alone(tmp_path_factory, tiny_model):
    """The same training by one process on this machine."""
    out = tmp_path_factory.mktemp("alone") / "run"
    emodistill("run", "yaml/smoke.yaml", "--out", out, "--until", "jpo", *MORE)
    return out


@pytest.mark.parametrize("where", ["one node", "two nodes, a rank killed", "two nodes, one lost"])
def test_two_ranks_train_like_one_process(two_nodes, tiny_model, alone, tmp_path, where):
    spread = "nodes: 2, tasks_per_node: 1" if "two" in where else "nodes: 1, tasks_per_node: 2"
    profile = tmp_path / "ranks.yaml"
    ranks = ", ".join(f"{stage}: {{{spread}}}" for stage in ("iql", "sft", "jpo"))
    profile.write_text(f"cluster: slurm\ndefault: {{time_min: 20}}\nstages: {{{ranks}}}\n")
    out = tmp_path / "run"
    shutil.copytree(alone, out)
    for stage, _ in TRAINED:
        shutil.rmtree(out / stage)
    launch(out, "--until", "jpo", *MORE, profile=profile)
    if where != "one node":
        wait_until(lambda: list(out.glob("iql/selector/checkpoints/*/")))
        if "killed" in where:
            os.kill(step_processes(out)[0], signal.SIGKILL)
        else:
            two_nodes.script("node.sh", "down", "n2")
            wait_until(lambda: "PENDING" in states_of(out, "iql"))
            two_nodes.script("node.sh", "up", "n2")
    wait_for_end(out, within_s=500)
    for stage, task in TRAINED:
        ours, theirs = ([row["loss"] for row in curve(folder, stage, task)] for folder in (out, alone))
        assert ours == pytest.approx(theirs, rel=5e-3, abs=1e-4), (where, stage)


def states_of(out, stage: str) -> list[str]:
    said = subprocess.run(["squeue", "--noheader", "--format=%j|%T"], capture_output=True, text=True).stdout
    return [line.split("|")[1] for line in said.splitlines() if f".{stage}" in line]


def wait_until(condition, within_s: float = 120) -> None:
    deadline = time.monotonic() + within_s
    while not condition():
        assert time.monotonic() < deadline
        time.sleep(0.3)
