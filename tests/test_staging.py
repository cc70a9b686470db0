"""Models for nodes without internet: brought into one folder ahead, read over, and used from there offline."""

import json
import os
import shutil

import pytest

from emodistill import models
from emodistill.cli import main
from emodistill.cluster.plan import check
from emodistill.cluster.profiles import Profile
from emodistill.configfile import load_config
from emodistill.errors import BadInput
from emodistill.staging import check_checkpoint, engine_models

from helpers import ROOT

SMOKE = str(ROOT / "yaml" / "smoke.yaml")
SPLIT = json.dumps({"weight_map": {"w": "part.safetensors"}})
HUB = "models.student.model=acme/tiny"


@pytest.fixture
def hub(tmp_path, tiny_model, monkeypatch):
    """A cache of this test's own, and a hub that has acme/tiny; gives what was asked of the hub."""
    asked = []

    def snapshot_download(name, local_dir, allow_patterns):
        asked.append(name)
        if name != "acme/tiny":
            raise OSError("Repository Not Found")
        assert not [pattern for pattern in allow_patterns if pattern.endswith((".bin", ".py", ".pt"))]
        shutil.copytree(tiny_model, local_dir, dirs_exist_ok=True)

    monkeypatch.setattr("huggingface_hub.snapshot_download", snapshot_download)
    monkeypatch.setenv("EMODISTILL_CACHE", str(tmp_path / "cache"))
    monkeypatch.delenv("HF_HUB_OFFLINE", raising=False)
    return asked


def test_a_staged_hub_model_is_found_and_read_without_the_hub(hub, tmp_path, capsys, monkeypatch):
    assert models.resolve("acme/tiny") == "acme/tiny"
    assert main(["models", "stage", SMOKE, "--set", HUB]) == 0
    folder = tmp_path / "cache" / "models" / "acme--tiny"
    assert f"acme/tiny: {folder}" in (said := capsys.readouterr().out) and 'HF_HUB_OFFLINE: "1"' in said
    monkeypatch.setenv("HF_HUB_OFFLINE", "1")
    assert models.resolve("acme/tiny") == str(folder)
    from emodistill.train.memory import shape_of
    from emodistill.train.policy_model import load_tokenizer

    student = load_config(ROOT / "yaml" / "smoke.yaml", (HUB,)).models.student
    assert shape_of(student).hidden == 64 and load_tokenizer(student).encode("hello")
    assert main(["models", "stage", SMOKE, "--set", HUB]) == 0
    assert hub == ["acme/tiny"]  # once


def test_a_model_is_looked_for_as_the_jobs_of_its_stage_would(hub, tmp_path):
    config = load_config(ROOT / "yaml" / "smoke.yaml", (HUB,))
    env = {"HF_HUB_OFFLINE": "1", "HF_HUB_CACHE": str(tmp_path / "hub")}
    check(config, Profile(cluster="slurm"), ["sft"])
    with pytest.raises(BadInput, match="HF_HUB_OFFLINE forbids"):
        check(config, Profile(cluster="slurm", stages={"sft": {"env": env}}), ["rollout", "sft"])
    assert "HF_HUB_OFFLINE" not in os.environ


def test_offline_a_model_that_is_not_staged_is_refused_before_anything_starts(hub, monkeypatch, capsys, tmp_path):
    monkeypatch.setenv("HF_HUB_OFFLINE", "1")
    monkeypatch.setenv("HF_HUB_CACHE", str(tmp_path / "hub"))
    assert main(["run", SMOKE, "--set", HUB, "--out", str(tmp_path / "run")]) == 2
    assert "emodistill models stage CONFIG" in capsys.readouterr().err and not (tmp_path / "run").exists()
    (tmp_path / "hub" / "models--acme--tiny" / "snapshots").mkdir(parents=True)
    assert models.resolve("acme/tiny") == "acme/tiny"  # the hub's client has kept it


def test_what_cannot_be_downloaded_leaves_nothing_behind(hub, tmp_path, capsys):
    assert main(["models", "stage", SMOKE, "--set", "models.student.model=acme/none"]) == 2
    said = capsys.readouterr().err
    assert "acme/none could not be downloaded (Repository Not Found)" in said and "\n" not in said.strip()
    assert not list((tmp_path / "cache" / "models").iterdir())


def test_every_model_that_jobs_load_is_named_once():
    other = "evaluate.counterparties={big: {backend: vllm, model: acme/big}}"
    same = "models.judge={backend: vllm, model: acme/big, tensor_parallel: 2}"
    config = load_config(ROOT / "yaml" / "smoke.yaml", (HUB, other, same))
    assert engine_models(config) == ["acme/tiny", "acme/big"]


@pytest.mark.parametrize(
    "damage, words",
    [
        (lambda d: os.truncate(d / "model.safetensors", 5000), "5000 bytes where its header says"),
        (lambda d: (d / "model.safetensors").unlink(), "model.safetensors"),
        (lambda d: (d / "config.json").unlink(), "config.json"),
        (lambda d: (d / "tokenizer.json").unlink(), "no tokenizer"),
        (lambda d: (d / "model.safetensors.index.json").write_text(SPLIT), "part.safetensors"),
    ],
)  # fmt: skip
def test_a_checkpoint_that_is_not_whole_is_named(tmp_path, tiny_model, damage, words):
    folder = tmp_path / "model"
    shutil.copytree(tiny_model, folder)
    check_checkpoint(folder)
    damage(folder)
    with pytest.raises(BadInput, match=words):
        check_checkpoint(folder)


@pytest.mark.parametrize("native", [True, False])
def test_bfloat16_is_chosen_by_what_the_gpu_multiplies_itself(monkeypatch, native):
    monkeypatch.setattr("torch.cuda.is_available", lambda: True)
    monkeypatch.setattr("torch.cuda.is_bf16_supported", lambda including_emulation=True: native or including_emulation)
    monkeypatch.setattr("torch.cpu._is_avx512_bf16_supported", lambda: True)
    assert models.native_bfloat16() == native


def test_without_the_package_that_reads_the_embedded_model_its_name_is_told(monkeypatch, tmp_path):
    find = models.importlib.util.find_spec
    monkeypatch.setattr("importlib.util.find_spec", lambda name, *rest: None if name == "gguf" else find(name, *rest))
    monkeypatch.setattr(models, "_convert_smollm2", lambda *_: pytest.fail("went on without it"))
    monkeypatch.setenv("EMODISTILL_CACHE", str(tmp_path))
    with pytest.raises(BadInput, match=r"gguf are not installed"):
        models.fetch(models.SMOLLM2)
