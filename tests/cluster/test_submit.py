import os

import pytest

from emodistill.cluster.profiles import load_profile
from emodistill.cluster.submit import submit
from emodistill.errors import BadInput
from emodistill.execute import DRIVER
from emodistill.stages import STAGES


def test_only_local_jobs_are_told_whose_end_is_theirs(tmp_path, monkeypatch):
    """sbatch hands the environment on: a compute node must not look for the driver's process number."""
    seen = {}
    for name in ("LocalExecutor", "SlurmExecutor"):

        class Fake:
            def __init__(self, *arguments, **options):
                pass

            def update_parameters(self, **options):
                pass

            def submit(self, *arguments):
                seen["local"] = os.environ.get(DRIVER)

            def map_array(self, function, *columns):
                seen["slurm"] = os.environ.get(DRIVER)
                return [None] * len(columns[0])

        monkeypatch.setattr(f"emodistill.cluster.submit.submitit.{name}", Fake)
    for profile in ("local", "one-machine"):
        submit(load_profile(profile, tuple(STAGES)), "rollout", "n", tmp_path, [("shard-00000",)], tmp_path)
    assert seen == {"local": str(os.getpid()), "slurm": None}
    assert DRIVER not in os.environ


def test_only_training_may_run_in_ranks(tmp_path):
    (tmp_path / "p.yaml").write_text("cluster: slurm\nstages: {rollout: {tasks_per_node: 2}}")
    with pytest.raises(BadInput, match=r"rollout: only iql, sft, jpo run in several ranks"):
        load_profile(str(tmp_path / "p.yaml"), tuple(STAGES))
