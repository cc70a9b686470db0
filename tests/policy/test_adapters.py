"""Adapters leave the house: PEFT and a plain checkpoint give the trainer's own log-probabilities."""

import contextlib
import json

import pytest
import torch
from safetensors.torch import load_file, save_file

from emodistill.cli import main
from emodistill.config import JPO, SFT, VLLM, LoRA
from emodistill.errors import BadInput
from emodistill.policy.adapters import check_adapter
from emodistill.train.policy_model import new_adapter, stored_adapter

from helpers import begun

SPEC = VLLM(backend="vllm", model="tiny-random", dtype="float32")
IDS = torch.randint(3, 250, (1, 40), generator=torch.Generator().manual_seed(0))


@pytest.fixture
def run(tmp_path, tiny_model):
    """A run whose SFT adapter does something."""
    model = new_adapter(SPEC, SFT(lora=LoRA(dropout=0.0)), seed=0)
    for name, parameter in model.named_parameters():
        if "lora_B" in name:
            torch.nn.init.normal_(parameter, std=0.1, generator=torch.Generator().manual_seed(1))
    out = begun(tmp_path / "run")
    model.peft.save_pretrained(str(out.path("sft", "emotion", "adapter")))
    return out


def log_probs(model):
    column = torch.arange(1, 40)
    with torch.no_grad():
        return model(IDS, torch.zeros(39, dtype=torch.int64), column)


def plain(model):
    with torch.no_grad():
        logp = model(input_ids=IDS).logits[0, :-1].float().log_softmax(-1)
    return logp.gather(1, IDS[0, 1:, None])[:, 0]


def test_peft_and_the_exported_checkpoint_say_what_the_trainer_says(run, tmp_path, tiny_model):
    from peft import PeftModel
    from transformers import AutoModelForCausalLM, AutoTokenizer

    adapter = run.path("sft", "emotion", "adapter")
    ours = log_probs(stored_adapter(SPEC, JPO(), adapter))
    base = AutoModelForCausalLM.from_pretrained(tiny_model, dtype=torch.float32)
    torch.testing.assert_close(plain(PeftModel.from_pretrained(base, str(adapter))), ours, rtol=1e-4, atol=1e-4)
    assert main(["export", str(run.root), "sft", str(tmp_path / "merged")]) == 0
    merged = AutoModelForCausalLM.from_pretrained(tmp_path / "merged", dtype=torch.float32)
    torch.testing.assert_close(plain(merged), ours, rtol=0.05, atol=0.05)  # the checkpoint is bfloat16
    assert AutoTokenizer.from_pretrained(tmp_path / "merged").chat_template


def test_what_cannot_be_exported_is_refused_by_name(run, tmp_path, capsys):
    for variant, words in (("vanilla-slm", "has no adapter"), ("full", "has not been trained")):
        assert main(["export", str(run.root), variant, str(tmp_path / "x")]) == 2
        assert words in capsys.readouterr().err
    assert main(["export", str(run.root), "sft", str(tmp_path)]) == 2
    assert "exists already" in capsys.readouterr().err


def test_an_adapter_of_another_base_model_is_named_with_both(run, tmp_path):
    from transformers import LlamaConfig

    LlamaConfig(hidden_size=96, num_hidden_layers=2).save_pretrained(tmp_path / "wide")
    LlamaConfig(hidden_size=64, num_hidden_layers=5).save_pretrained(tmp_path / "deep")
    adapter = run.path("sft", "emotion", "adapter")
    for name, words in (("wide", "hidden size 96"), ("deep", "5 layers")):
        with pytest.raises(BadInput, match=words) as caught:
            check_adapter(adapter, str(tmp_path / name))
        assert "tiny-random" in str(caught.value) and "models.student.model" in str(caught.value)


def test_layers_are_counted_where_models_of_several_media_and_older_ones_have_them(run, tmp_path):
    from transformers import Gemma3Config, GPT2Config

    nested, adapter = tmp_path / "nested", run.path("sft", "emotion", "adapter")
    for size, fits in ((64, True), (96, False)):
        Gemma3Config(text_config={"hidden_size": size, "num_hidden_layers": 2}).save_pretrained(nested)
        with contextlib.nullcontext() if fits else pytest.raises(BadInput, match="hidden size 96"):
            check_adapter(adapter, str(nested))
    GPT2Config(n_layer=2).save_pretrained(tmp_path / "old")
    names = [f"base_model.model.transformer.h.{k}.attn.c_attn.lora_A.weight" for k in (0, 1)]
    save_file({name: torch.zeros(4, 768) for name in names}, adapter / "adapter_model.safetensors")
    check_adapter(adapter, str(tmp_path / "old"))


@pytest.mark.parametrize("harm", ["cut", "gone", "nonsense"])
def test_a_damaged_adapter_is_bad_input(run, tiny_model, harm):
    adapter = run.path("sft", "emotion", "adapter")
    weights = adapter / "adapter_model.safetensors"
    if harm == "cut":
        weights.write_bytes(weights.read_bytes()[:50])
    elif harm == "gone":
        weights.unlink()
    else:
        (adapter / "adapter_config.json").write_text("{")
    with pytest.raises(BadInput, match="no whole PEFT adapter"):
        check_adapter(adapter, tiny_model)


def test_an_adapter_whose_targets_leave_out_queries_still_fits(run, tiny_model):
    adapter = run.path("sft", "emotion", "adapter")
    weights = {n: t for n, t in load_file(adapter / "adapter_model.safetensors").items() if "q_proj" not in n}
    save_file(weights, adapter / "adapter_model.safetensors")
    check_adapter(adapter, tiny_model)
    assert json.loads((adapter / "adapter_config.json").read_text())["r"] == 16
