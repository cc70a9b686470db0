"""Ranks that another rank's view must not leave waiting: two processes, as srun starts them."""

import os
import socket
import subprocess
import sys

import pytest

from emodistill import ranks
from emodistill.ledger import Ledger
from emodistill.runs import Failure
from emodistill.stages import STAGES

from helpers import begun

JOB = """
import sys
from emodistill import inputs
from emodistill.execute import run_tasks
inputs._LATE_S = 0.2
print(run_tasks(sys.argv[1], "iql", ["selector", "selector"]).kind)
"""


def ends(run, **environment: str) -> list[str]:
    with socket.socket() as free:
        free.bind(("127.0.0.1", 0))
        port = str(free.getsockname()[1])
    common = {**os.environ, "WORLD_SIZE": "2", "MASTER_ADDR": "127.0.0.1", "MASTER_PORT": port, **environment}
    both = [
        subprocess.Popen([sys.executable, "-c", JOB, str(run.root)], env={**common, "RANK": rank},
                         stdout=subprocess.PIPE, text=True)
        for rank in "01"
    ]  # fmt: skip
    return [process.communicate(timeout=100)[0].strip() for process in both]


@pytest.mark.slow
@pytest.mark.parametrize("what", ["given up", "not there yet"])
def test_ranks_leave_together(tmp_path, what):
    run = begun(tmp_path / "run")
    if what == "given up":
        fingerprint = Ledger(run, run.config()).fingerprint(STAGES["dataset"], "pairs")
        run.path("dataset").mkdir()
        run.give_up(Failure("dataset", "pairs", fingerprint, "", 5, "why"))
    assert ends(run, SLURM_JOB_ID="5") == [{"given up": "given_up", "not there yet": "stopped"}[what]] * 2


def test_only_what_srun_starts_several_times_has_ranks(monkeypatch):
    script = {"SLURM_JOB_ID": "41", "SLURM_NTASKS": "2", "SLURM_PROCID": "0", "SLURM_LOCALID": "0"}  # as sbatch sets it
    step = {**script, "SLURM_PROCID": "1", "SLURM_STEP_NUM_TASKS": "2", "SLURM_LAUNCH_NODE_IPADDR": "10.0.0.7"}
    for environment, place in ((script, (0, 1)), (step, (1, 2))):
        monkeypatch.setattr(os, "environ", dict(environment))
        ranks.join_slurm()
        assert (ranks.rank(), ranks.world()) == place
    assert (os.environ["MASTER_ADDR"], os.environ["MASTER_PORT"]) == ("10.0.0.7", "20041")
