import os

import pytest

from emodistill.cluster.graph import Array
from emodistill.cluster.profiles import Resources, load_profile
from emodistill.cluster.submit import submit_array, submit_local
from emodistill.errors import BadInput
from emodistill.execute import DRIVER
from emodistill.stages import STAGES


def test_only_local_jobs_are_told_whose_end_is_theirs(tmp_path, monkeypatch):
    """sbatch hands the environment on: a compute node must not look for the driver's process number."""
    seen = {}
    monkeypatch.setenv("SLURM_JOB_ID", "7")  # as if launched from inside an allocation
    monkeypatch.setenv("SLURM_MEM_PER_NODE", "100")
    for name in ("LocalExecutor", "SlurmExecutor"):

        class Fake:
            def __init__(self, *arguments, **options):
                pass

            def update_parameters(self, **options):
                pass

            def submit(self, *arguments):
                seen["local"] = os.environ.get(DRIVER)

            def map_array(self, function, *columns):
                seen["slurm"] = {name for name in os.environ if name.startswith("SLURM_") or name == DRIVER}
                return [type("Job", (), {"job_id": "12_0"})]

        monkeypatch.setattr(f"emodistill.cluster.submit.submitit.{name}", Fake)
    monkeypatch.setenv("SLURM_CONF", "kept")
    bundles = (("shard-00000",), ("shard-00001",))
    submit_local(Resources(), "rollout", tmp_path, bundles, tmp_path)
    assert submit_array(Resources(), Array("rollout", bundles, ()), "n", tmp_path, tmp_path, "", None) == "12"
    assert seen == {"local": str(os.getpid()), "slurm": {"SLURM_CONF"}}
    assert DRIVER not in os.environ and os.environ["SLURM_JOB_ID"] == "7"


def test_only_training_may_run_in_ranks(tmp_path):
    (tmp_path / "p.yaml").write_text("cluster: slurm\nstages: {rollout: {tasks_per_node: 2}}")
    with pytest.raises(BadInput, match=r"rollout: only iql, sft, jpo run in several ranks"):
        load_profile(str(tmp_path / "p.yaml"), tuple(STAGES))
