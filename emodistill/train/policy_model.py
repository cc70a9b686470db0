"""The language model as the trainers see it: log-probabilities of response tokens, nothing else."""

from pathlib import Path
from typing import Any

import torch
from torch import Tensor, nn
from torch.nn import functional as F

from emodistill.config import VLLM, LoRA
from emodistill.errors import BadInput
from emodistill.models import require, resolve

_DTYPES = {"bfloat16": torch.bfloat16, "float16": torch.float16, "float32": torch.float32}


class ResponseLogProbs(nn.Module):
    """A causal LM with a LoRA adapter. The output head runs on response positions only."""

    def __init__(self, peft_model: Any) -> None:
        super().__init__()
        self.peft = peft_model

    def forward(self, ids: Tensor, row: Tensor, column: Tensor) -> Tensor:
        """log π(token) of the tokens at (row, column) of ids, given all before them.

        ids: [sequences, length]; gives float32 [tokens].
        """
        language_model = self.peft.get_base_model()
        hidden = language_model.model(input_ids=ids, use_cache=False).last_hidden_state
        logits = language_model.get_output_embeddings()(hidden[row, column - 1])
        return -F.cross_entropy(logits.float(), ids[row, column], reduction="none")


def load_tokenizer(spec: VLLM) -> Any:
    """The student's tokenizer."""
    require("transformers", "peft")
    from transformers import AutoTokenizer

    return AutoTokenizer.from_pretrained(resolve(spec.model))


def new_adapter(spec: VLLM, lora: LoRA, seed: int) -> ResponseLogProbs:
    """The base model with a fresh adapter (B = 0, so it changes nothing yet)."""
    from peft import LoraConfig, get_peft_model

    base = _base(spec)
    present = {name.rsplit(".", 1)[-1] for name, _ in base.named_modules()}
    if missing := [target for target in lora.targets if target not in present]:
        raise BadInput(f"sft.lora.targets: {spec.model} has no module named {', '.join(missing)}.")
    torch.manual_seed(seed)
    config = LoraConfig(
        r=lora.rank,
        lora_alpha=lora.alpha,
        lora_dropout=lora.dropout,
        target_modules=list(lora.targets),
        task_type="CAUSAL_LM",
    )
    return ResponseLogProbs(get_peft_model(base, config))


def stored_adapter(spec: VLLM, folder: Path) -> ResponseLogProbs:
    """The base model with the adapter in `folder`, ready to be trained on, without dropout."""
    from peft import PeftModel

    return ResponseLogProbs(PeftModel.from_pretrained(_base(spec), str(folder), is_trainable=True)).eval()


def _base(spec: VLLM) -> Any:
    from transformers import AutoModelForCausalLM

    # On a CPU plain attention is a third faster at these lengths than torch's fused kernel.
    attention = "sdpa" if torch.cuda.is_available() else "eager"
    try:
        return AutoModelForCausalLM.from_pretrained(
            resolve(spec.model), dtype=_DTYPES[spec.dtype], attn_implementation=attention
        )
    except OSError as error:
        raise BadInput(f"models.student.model {spec.model!r} cannot be loaded: {str(error).splitlines()[0]}") from None
