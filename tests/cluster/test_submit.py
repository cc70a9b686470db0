import os

import pytest

from emodistill.cluster.graph import Array
from emodistill.cluster.profiles import Resources, load_profile
from emodistill.cluster.submit import submit_array, submit_local
from emodistill.errors import BadInput
from emodistill.execute import DRIVER

BUNDLES = (("shard-00000",), ("shard-00001",))


def test_only_local_jobs_are_told_whose_end_is_theirs(tmp_path, monkeypatch):
    seen = {}

    class Fake:
        def __init__(self, *arguments, **options):
            pass

        def update_parameters(self, **options):
            pass

        def submit(self, *arguments):
            seen["driver"] = os.environ.get(DRIVER)

    monkeypatch.setattr("emodistill.cluster.submit.submitit.LocalExecutor", Fake)
    submit_local("rollout", tmp_path, BUNDLES, tmp_path)
    assert seen == {"driver": str(os.getpid())} and DRIVER not in os.environ


def test_sbatch_is_not_told_of_the_job_or_rank_that_submits(tmp_path, monkeypatch):
    """It hands its environment on. What the user gives it stays, unless the profile says otherwise."""
    inside = {"SLURM_JOB_ID": "7", "SLURM_MEM_PER_NODE": "100", "RANK": "1", "WORLD_SIZE": "2", "MASTER_ADDR": "n1",
              "LOCAL_RANK": "1", "SBATCH_PARTITION": "other", "SBATCH_JOB_NAME": "x"}  # fmt: skip
    kept = {"SLURM_CONF": "kept", "SBATCH_ACCOUNT": "me", "PATH": f"{tmp_path}:{os.environ['PATH']}"}
    for name, value in {**inside, **kept}.items():
        monkeypatch.setenv(name, value)
    (tmp_path / "sbatch").write_text(f"#!/bin/sh\nenv > {tmp_path}/env\necho Submitted batch job 12")
    (tmp_path / "sbatch").chmod(0o755)
    array = Array("rollout", BUNDLES, ())
    assert submit_array(Resources(partition="p"), array, "n", tmp_path, tmp_path / "jobs", "", None) == "12"
    seen = dict(line.partition("=")[::2] for line in (tmp_path / "env").read_text().splitlines())
    assert not inside.keys() & seen.keys() and kept.items() <= seen.items()
    assert os.environ["SLURM_JOB_ID"] == "7"


@pytest.mark.parametrize("seen", [None, "3", ""])
def test_a_local_job_sees_the_gpus_that_its_driver_sees(tmp_path, monkeypatch, seen):
    monkeypatch.delenv("CUDA_VISIBLE_DEVICES", raising=False)
    if seen is not None:
        monkeypatch.setenv("CUDA_VISIBLE_DEVICES", seen)
    submitted = []
    monkeypatch.setattr("submitit.LocalExecutor.submit", lambda self, *call: submitted.append(call))
    submit_local("rollout", tmp_path, BUNDLES[:1], tmp_path)
    [(run, *arguments)] = submitted
    monkeypatch.setenv("CUDA_VISIBLE_DEVICES", "")  # as submitit starts the job
    monkeypatch.setattr(
        "emodistill.cluster.submit.run_tasks", lambda *told: (told, os.environ.get("CUDA_VISIBLE_DEVICES"))
    )
    assert run(*arguments) == ((str(tmp_path), "rollout", BUNDLES[0]), seen)


@pytest.mark.parametrize(
    "text, stage",
    [
        ("cluster: slurm\nstages: {rollout: {tasks_per_node: 2}}", "rollout"),
        ("cluster: slurm\ndefault: {nodes: 2}", "rollout"),
        ("cluster: local\nstages: {sft: {tasks_per_node: 2}}", "sft"),
    ],
)
def test_only_training_may_run_in_ranks_and_only_under_slurm(tmp_path, text, stage):
    (tmp_path / "p.yaml").write_text(text)
    with pytest.raises(BadInput, match=rf"{stage}: only iql, sft, jpo run in several ranks"):
        load_profile(str(tmp_path / "p.yaml"))
