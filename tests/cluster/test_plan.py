import pytest

from emodistill.cluster.profiles import load_profile
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


@pytest.mark.parametrize("name", ["local", "one-machine", "a100-cluster", "cpu-cluster"])
def test_shipped_profiles_load(name):
    assert load_profile(name, NAMES).cluster == ("local" if name == "local" else "slurm")


@pytest.mark.parametrize(
    "text, words",
    [
        ("cluster: slurm\nstages: {rolout: {parallel: 2}}", "no such stage"),
        ("cluster: slurm\nstages: {rollout: {paralel: 2}}", "did you mean 'parallel'"),
        ("cluster: pbs", "'pbs'"),
        ("clutser: slurm", "did you mean 'cluster'"),
        ("cluster: slurm\ndefault: {sbatch: {dependency: 'afterok:1'}}", "sbatch.dependency is set by the launch"),
        ('cluster: slurm\ndefault: {setup: ["a\\nb"]}', "default.setup"),
        ("cluster: slurm\ndefault: {env: {'A=1;B': x}}", "default.env"),
    ],
)
def test_a_typo_in_a_profile_is_named(tmp_path, text, words):
    (tmp_path / "p.yaml").write_text(text)
    with pytest.raises(BadInput, match=words):
        load_profile(str(tmp_path / "p.yaml"), NAMES)


def test_without_slurm_a_slurm_profile_is_refused(tmp_path):
    done = emodistill(
        "launch", "yaml/smoke.yaml", "--profile", "one-machine", "--out", tmp_path / "run", "--until", "rollout",
        check=False, env={"PATH": str(tmp_path), "HOME": str(tmp_path)},
    )  # fmt: skip
    assert done.returncode == 2
    assert "There is no Slurm here" in done.stderr
