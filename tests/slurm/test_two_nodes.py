"""The development Slurm with two nodes: steps and ranks across both, a node that is lost and comes back, no traces."""

import dataclasses
import os
import subprocess
import sys
import tempfile
import time
from collections.abc import Callable
from pathlib import Path

SLURM_DEV = Path(__file__).parents[2] / "slurm" / "dev"
JOB_TIMEOUT_S = 90

ALL_REDUCE = """
import os, torch, torch.distributed as dist
from emodistill import ranks
ranks.join_slurm()
dist.init_process_group("gloo")
total = torch.tensor([10 ** dist.get_rank()])
dist.all_reduce(total)
print(os.uname().nodename, total.item(), flush=True)
dist.destroy_process_group()  # without it torch sometimes aborts at exit
"""


def run(*command: str) -> str:
    return subprocess.run(command, check=True, capture_output=True, text=True, timeout=JOB_TIMEOUT_S).stdout.strip()


def wait_until(condition: Callable[[], bool], what: str) -> None:
    deadline_s = time.monotonic() + JOB_TIMEOUT_S
    while not condition():
        assert time.monotonic() < deadline_s, f"{what}: not within {JOB_TIMEOUT_S} s"
        time.sleep(0.5)


def interfaces() -> set[str]:
    return {path.name for path in Path("/sys/class/net").iterdir()}


def test_a_step_runs_on_both_nodes(two_nodes):
    assert sorted(run("srun", "--nodes=2", "hostname").split()) == ["n1", "n2"]


def test_ranks_on_two_nodes_add_up_over_gloo(two_nodes, tmp_path):
    script, output = tmp_path / "all_reduce.py", tmp_path / "out"
    script.write_text(ALL_REDUCE)
    step = f"srun {sys.executable} {script}"
    run("sbatch", "--wait", "--nodes=2", "--ntasks=2", f"--output={output}", "--error=/dev/null", f"--wrap={step}")
    assert sorted(output.read_text().splitlines()) == ["n1 11", "n2 11"]


def test_the_job_of_a_lost_node_runs_again_on_the_other_and_the_node_returns(two_nodes, tmp_path):
    output = tmp_path / "out"
    work = f'[ "$SLURM_RESTART_COUNT" ] || sleep 600; echo $(hostname) $SLURM_RESTART_COUNT >{output}'
    job = run("sbatch", "--parsable", "--output=/dev/null", f"--wrap={work}")
    try:
        wait_until(lambda: run("squeue", "-h", "-j", job, "-o", "%T") == "RUNNING", "the job's first run")
        lost = run("squeue", "-h", "-j", job, "-o", "%N")
        (other,) = {"n1", "n2"} - {lost}
        two_nodes.script("node.sh", "down", lost).check_returncode()
        wait_until(lambda: output.exists() and output.read_text().endswith("\n"), "the job's second run")
        wait_until(lambda: run("sinfo", "-h", "-n", lost, "-o", "%T") == "down*", "the node's end")
        assert output.read_text() == f"{other} 1\n"

        two_nodes.script("node.sh", "up", lost).check_returncode()
        assert run("srun", f"--nodelist={lost}", "hostname") == lost
        history = ("sacct", "-XDnP", "-j", job, "--format=NodeList,State")
        expected = [f"{lost}|NODE_FAIL", f"{other}|COMPLETED"]
        wait_until(lambda: run(*history).splitlines() == expected, f"{expected} in sacct")
    finally:
        run("scancel", job)
        two_nodes.script("up.sh", "2").check_returncode()


def test_without_the_right_to_make_namespaces_up_says_so_and_touches_nothing(two_nodes, tmp_path):
    up = SLURM_DEV / "up.sh"
    folder = tmp_path / "slurm"
    for capability in ("net_admin", "sys_admin"):
        refused = subprocess.run(
            ["setpriv", f"--bounding-set=-{capability}", up, "2"],
            env={**os.environ, "EMODISTILL_SLURM_DIR": str(folder)}, capture_output=True, text=True,
        )  # fmt: skip
        assert (refused.returncode, refused.stderr.count("\n")) == (2, 1)
        assert "needs the capabilities SYS_ADMIN and NET_ADMIN" in refused.stderr
    assert not folder.exists()


def test_another_number_of_nodes_is_refused_and_a_second_slurm_leaves_no_trace(two_nodes):
    refused = two_nodes.script("up.sh", "3")
    assert refused.returncode == 1
    assert refused.stderr.startswith(f"The Slurm in {two_nodes.folder} has 2 node(s), and 3 was asked for.")
    assert "make slurm-down" in refused.stderr

    before = interfaces()
    second = dataclasses.replace(two_nodes, folder=Path(tempfile.mkdtemp(dir="/tmp")))
    try:
        second.script("up.sh", "2").check_returncode()
        added = interfaces() - before
        assert added
        assert sorted(run("srun", "--nodes=2", "hostname").split()) == ["n1", "n2"]  # the first one goes on
    finally:
        second.script("down.sh").check_returncode()
    assert not added & interfaces()
    assert str(second.folder) not in Path("/proc/self/mounts").read_text()
    assert not second.folder.exists()
