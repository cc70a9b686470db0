import pytest
import torch

from emodistill.config import JPO, SFT, VLLM, LoRA
from emodistill.train.memory import Shape, _kept_per_token, estimate, shape_of

QWEN = shape_of(VLLM(backend="vllm", model="Qwen/Qwen2.5-7B-Instruct"))


def test_a_known_models_size_is_the_published_one(tiny_model):
    assert QWEN.parameters == pytest.approx(7.615e9, rel=0.001)
    smol = Shape(576, 1536, 30, 9, 3, 64, 49152, True)
    assert smol.parameters == pytest.approx(134_515_008, rel=0.001)  # its norms are left out
    assert smol.adapter_parameters(LoRA()) == 30 * 16 * (2 * (576 + 576) + 2 * (576 + 192))
    assert shape_of(VLLM(backend="vllm", model="tiny-random")).layers == 2
    assert shape_of(VLLM(backend="vllm", model="nobody/knows")) is None


def test_sizes_that_are_named_otherwise_or_hold_experts_are_not_guessed(tmp_path):
    from transformers import Gemma3Config, GPT2Config, MixtralConfig

    for number, config in enumerate((Gemma3Config(), GPT2Config(), MixtralConfig())):
        config.save_pretrained(tmp_path / str(number))
        assert shape_of(VLLM(backend="vllm", model=str(tmp_path / str(number)))) is None


def test_zero_cuts_optimiser_then_gradients_then_weights_and_checkpointing_the_activations():
    at = {(stage, ranks): estimate(QWEN, LoRA(), SFT(), True, stage, ranks) for stage in range(4) for ranks in (1, 4)}
    assert at[0, 4] == at[0, 1]
    assert at[1, 4].optimiser == at[0, 1].optimiser / 4 and at[1, 4].gradients == at[0, 1].gradients
    assert at[2, 4].gradients == at[0, 1].gradients / 4 and at[2, 4].weights == at[0, 1].weights
    assert at[3, 4].weights < at[2, 4].weights / 2
    few = SFT(micro_batch_tokens=64, max_length=64)
    assert estimate(QWEN, LoRA(), few, True, 3, 64).total == 2 * QWEN.parameters + 1e9  # before it is cut up
    whole, kept = (estimate(QWEN, LoRA(), JPO(gradient_checkpointing=c), True, 2, 4) for c in (False, True))
    assert whole.activations > 5 * kept.activations
    assert estimate(QWEN, LoRA(), JPO(), False, 0, 1).weights == 2 * at[0, 1].weights


@pytest.mark.parametrize("bf16", [True, False])
def test_the_activations_are_what_autograd_keeps(bf16):
    from peft import LoraConfig, get_peft_model
    from transformers import LlamaConfig, LlamaForCausalLM

    shape = Shape(64, 160, 6, 4, 2, 16, 100, True)
    config = LlamaConfig(vocab_size=100, hidden_size=64, intermediate_size=160, num_hidden_layers=6,
                         num_attention_heads=4, num_key_value_heads=2, attn_implementation="sdpa")  # fmt: skip
    base = LlamaForCausalLM(config).to(torch.bfloat16 if bf16 else torch.float32)
    lora = LoraConfig(r=4, lora_dropout=0.05, target_modules=["q_proj", "k_proj", "v_proj", "o_proj"])
    model = get_peft_model(base, lora, autocast_adapter_dtype=False).train()
    weights = {p.untyped_storage().data_ptr() for p in model.parameters()}
    kept: dict[int, int] = {}

    def note(tensor):
        if (storage := tensor.untyped_storage()).data_ptr() not in weights:
            kept[storage.data_ptr()] = storage.nbytes()
        return tensor

    ids = torch.randint(100, (2, 400))
    with torch.autograd.graph.saved_tensors_hooks(note, lambda tensor: tensor):
        out = base.model(input_ids=ids, use_cache=False).last_hidden_state
    assert out.requires_grad
    expected = ids.numel() * _kept_per_token(shape, 2 if bf16 else 4, checkpointing=False)
    assert sum(kept.values()) == pytest.approx(expected, rel=0.2)
