"""A PEFT adapter on disk and the weights it makes with its base model."""

import json
import re
from pathlib import Path
from typing import TYPE_CHECKING, Any

from emodistill.errors import BadInput

if TYPE_CHECKING:
    import torch

_A = ".lora_A.weight"
_LAYER = re.compile(r"\.(\d+)\.")  # layers.3, or as older models say, h.3


def check_adapter(folder: Path, base: str) -> None:
    """`BadInput` if the adapter is not there, or its matrices do not fit the base model's config.json."""
    from safetensors import SafetensorError, safe_open
    from transformers import AutoConfig

    try:
        named = json.loads((folder / "adapter_config.json").read_text(encoding="utf-8"))["base_model_name_or_path"]
        with safe_open(folder / "adapter_model.safetensors", "pt") as file:
            shapes = {name: file.get_slice(name).get_shape() for name in file.keys()}  # noqa: SIM118
    except (OSError, ValueError, KeyError, SafetensorError) as error:
        raise BadInput(f"{folder} holds no whole PEFT adapter ({error}). Train it again with --fresh.") from None
    config = AutoConfig.from_pretrained(base, trust_remote_code=False).get_text_config()  # of several media: of words
    layers = {int(number[1]) for name in shapes if (number := _LAYER.search(name))}
    inputs = {shape[1] for name, shape in shapes.items() if name.endswith(f"q_proj{_A}")}
    fits = max(layers, default=0) == config.num_hidden_layers - 1 and inputs <= {config.hidden_size}
    if not fits:
        raise BadInput(
            f"The adapter in {folder} was trained on {named} ({max(layers, default=0) + 1} layers, input size "
            f"{', '.join(map(str, inputs)) or 'unknown'}) and does not fit models.student.model {base} "
            f"({config.num_hidden_layers} layers, hidden size {config.hidden_size}). "
            "Name the model it was trained on, or train the adapter again with --fresh."
        )


def merged_model(base: str, adapter: Path) -> Any:
    """The base model with the adapter merged into its weights, in the checkpoint's dtype."""
    from peft import PeftModel
    from transformers import AutoModelForCausalLM

    check_adapter(adapter, base)
    model = AutoModelForCausalLM.from_pretrained(base, dtype="auto", trust_remote_code=False)
    return PeftModel.from_pretrained(model, str(adapter)).merge_and_unload()


def merged_weights(base: str, adapter: Path) -> "dict[str, torch.Tensor]":
    """The weights of `merged_model` by checkpoint name."""
    merged = merged_model(base, adapter)
    # A tied output head is not in the checkpoint: the engine ties it again by itself.
    tied = {"lm_head.weight"} if merged.config.tie_word_embeddings else set()
    return {name: tensor.detach() for name, tensor in merged.state_dict().items() if name not in tied}
