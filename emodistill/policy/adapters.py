"""A PEFT adapter on disk and the weights it makes with its base model."""

from pathlib import Path

import torch


def merged_weights(base: str, adapter: Path) -> dict[str, torch.Tensor]:
    """The base model's weights with the adapter merged in, by checkpoint name, in the checkpoint's dtype."""
    from peft import PeftModel
    from transformers import AutoModelForCausalLM

    model = AutoModelForCausalLM.from_pretrained(base, dtype="auto")
    merged = PeftModel.from_pretrained(model, str(adapter)).merge_and_unload()
    # A tied output head is not in the checkpoint: the engine ties it again by itself.
    tied = {"lm_head.weight"} if merged.config.tie_word_embeddings else set()
    return {name: tensor.detach() for name, tensor in merged.state_dict().items() if name not in tied}
