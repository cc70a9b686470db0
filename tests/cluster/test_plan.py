import pytest

from emodistill.cluster.profiles import load_profile
from emodistill.cluster.submit import sbatch_text
from emodistill.errors import BadInput
from emodistill.stages import STAGES

from helpers import ROOT, emodistill

NAMES = tuple(STAGES)


def test_the_paper_scale_plan_renders_whole_without_gpu_key_or_slurm(tmp_path, monkeypatch):
    monkeypatch.delenv("LLM_API_KEY", raising=False)
    config = ROOT / "yaml" / "paper" / "crad.yaml"
    done = emodistill("plan", config, "--profile", "a100-cluster", "--out", tmp_path / "run")
    for stage in NAMES:
        assert f"# sbatch, {stage}\n#!/bin/bash" in done.stdout
    assert "80 train, 20 held out" in done.stdout
    assert "120,000" in done.stdout  # 80 scenarios × 100 rollouts × 15 replies
    sft = done.stdout.partition("# sbatch, sft")[2].partition("# sbatch, jpo")[0]
    assert "--gpus-per-node=4" in sft and "--ntasks-per-node=4" in sft and "--array=0-1%1" in sft
    assert "stage: 2" in done.stdout.partition("# DeepSpeed, sft")[2].partition("# DeepSpeed, jpo")[0]
    assert list(tmp_path.iterdir()) == []


def test_the_sbatch_text_follows_the_profile(tmp_path):
    profile = tmp_path / "mine.yaml"
    profile.write_text(
        "cluster: slurm\nsetup: [module load cuda]\nextra: {exclusive: ''}\n"
        "default: {partition: short, account: me, time_min: 30, mem_gb: 7}\n"
        "stages: {rollout: {parallel: 3, time_min: 90}}\n"
    )
    text = sbatch_text(load_profile(str(profile), NAMES), "rollout", "demo", 12, tmp_path)
    lines = text.splitlines()
    for line in (
        "#SBATCH --array=0-11%3", "#SBATCH --partition=short", "#SBATCH --account=me", "#SBATCH --time=90",
        "#SBATCH --mem=7GB", "#SBATCH --job-name=demo-rollout", "module load cuda",
    ):  # fmt: skip
        assert line in lines


@pytest.mark.parametrize("name", ["local", "one-machine", "a100-cluster"])
def test_shipped_profiles_load(name):
    assert load_profile(name, NAMES).cluster == ("local" if name == "local" else "slurm")


@pytest.mark.parametrize(
    "text, words",
    [
        ("cluster: slurm\nstages: {rolout: {parallel: 2}}", "no such stage"),
        ("cluster: slurm\nstages: {rollout: {paralel: 2}}", "did you mean 'parallel'"),
        ("cluster: pbs", "'pbs'"),
        ("clutser: slurm", "did you mean 'cluster'"),
    ],
)
def test_a_typo_in_a_profile_is_named(tmp_path, text, words):
    (tmp_path / "p.yaml").write_text(text)
    with pytest.raises(BadInput, match=words):
        load_profile(str(tmp_path / "p.yaml"), NAMES)


def test_without_slurm_a_slurm_profile_is_refused(tmp_path):
    done = emodistill(
        "run", "yaml/smoke.yaml", "--profile", "one-machine", "--out", tmp_path / "run", "--until", "rollout",
        check=False, env={"PATH": str(tmp_path), "HOME": str(tmp_path)},
    )  # fmt: skip
    assert done.returncode == 2
    assert "There is no Slurm here" in done.stderr
