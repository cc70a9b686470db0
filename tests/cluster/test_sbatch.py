"""The sbatch text, as a whole."""

import sys
from fractions import Fraction

import pytest

from emodistill.cluster.profiles import load_profile
from emodistill.cluster.sbatch import job_name, sbatch_text
from emodistill.errors import BadInput

from helpers import ROOT

PROFILE = """
cluster: slurm
default:
  {partition: short, account: me, time_min: 30, grace_s: 90, mem_gb: 7, modules: [cuda/12], setup: [ulimit -n 4096],
          env: {A: "1"}, sbatch: {hold: false}}
stages:
  rollout:
    {parallel: 6, time_min: 90, gpus_per_node: 1, env: {PLACE: "/a b/'c'"},
     sbatch: {exclude: "n[1-2]", exclusive: true}}
  sft: {nodes: 2, tasks_per_node: 4, gres: "gpu:4", python: apptainer exec i.sif python}
"""

ROLLOUT = f"""#!/bin/bash

# Parameters
#SBATCH --account=me
#SBATCH --array=0-11%3
#SBATCH --cpus-per-task=1
#SBATCH --dependency=afterok:7
#SBATCH --error=/f/%A_%a_0_log.err
#SBATCH --exclude='n[1-2]'
#SBATCH --exclusive
#SBATCH --gpus-per-node=1
#SBATCH --job-name=demo.rollout.00000-00011
#SBATCH --kill-on-invalid-dep=yes
#SBATCH --mem=7GB
#SBATCH --nodes=1
#SBATCH --ntasks-per-node=1
#SBATCH --open-mode=append
#SBATCH --output=/f/%A_%a_0_log.out
#SBATCH --partition=short
#SBATCH --requeue
#SBATCH --signal=USR2@90
#SBATCH --time=90
#SBATCH --wckey=submitit

# setup
module load cuda/12
ulimit -n 4096
export A=1
export PLACE='/a b/'"'"'c'"'"''

# command
export SUBMITIT_EXECUTOR=slurm
srun --unbuffered --output /f/%A_%a_%t_log.out --error /f/%A_%a_%t_log.err --cpus-per-task=1 --kill-on-bad-exit=1 \
{sys.executable} -u -m emodistill.cluster.payload /f


# teardown
set -- "$?"
{(ROOT / "slurm" / "requeue.sh").read_text()}"""


def text(tmp_path, stage, jobs, **options):
    (tmp_path / "p.yaml").write_text(PROFILE)
    asked = load_profile(str(tmp_path / "p.yaml")).resources(stage)
    tasks = [f"shard-{k:05d}" for k in range(jobs)] if stage == "rollout" else ["emotion"]
    return sbatch_text(asked, job_name("demo", stage, tasks), jobs, "/f", **options)


def test_the_text_of_an_array_is_this(tmp_path):
    assert text(tmp_path, "rollout", 12, dependency="afterok:7", share=Fraction(1, 2)) + "\n" == ROLLOUT


def test_ranks_and_containers(tmp_path):
    lines = text(tmp_path, "sft", 1).splitlines()
    for line in (
        "#SBATCH --nodes=2", "#SBATCH --ntasks-per-node=4", "#SBATCH --gres=gpu:4",
        "#SBATCH --job-name=demo.sft.emotion", "#SBATCH --output=/f/%j_0_log.out",
    ):  # fmt: skip
        assert line in lines
    [line] = [line for line in lines if "apptainer" in line]  # the node's own Slurm requeues it: an image has none
    assert line.startswith("srun") and line.endswith("apptainer exec i.sif python -u -m emodistill.cluster.payload /f")
    assert not any("--array" in line or "--dependency" in line for line in lines)


def test_a_stage_overrides_the_default_key_by_key(tmp_path):
    text(tmp_path, "sft", 1)
    profile = load_profile(str(tmp_path / "p.yaml"))
    assert profile.resources("rollout").env == {"A": "1", "PLACE": "/a b/'c'"}
    assert profile.resources("rollout").sbatch == {"hold": False, "exclude": "n[1-2]", "exclusive": True}


@pytest.mark.parametrize("said", ["{sbatch: {clusters: 'a,b'}}", "{}\nstages: {sft: {sbatch: {clusters: b}}}"])
def test_jobs_of_one_run_go_to_one_cluster(tmp_path, said):
    (tmp_path / "c.yaml").write_text(f"cluster: slurm\ndefault: {said}")
    with pytest.raises(BadInput, match="Slurm allows that on one cluster"):
        load_profile(str(tmp_path / "c.yaml"))


@pytest.mark.parametrize(
    "tasks, which",
    [(["shard-00004", "shard-00005"], "00004-00005"), (["shard-00001", "shard-00009"], "00001-and-1"),
     (["sft+jpo"], "sft+jpo"), (["vanilla-slm", "full", "sft"], "vanilla-slm-and-2")],
)  # fmt: skip
def test_names_say_which_tasks(tasks, which):
    assert job_name("demo", "judge", tasks) == f"demo.judge.{which}"
