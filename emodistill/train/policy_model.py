"""The language model as the trainers see it: log-probabilities of response tokens, nothing else."""

from functools import cached_property
from pathlib import Path
from typing import Any

import torch
from torch import Tensor, nn
from torch.nn import functional as F

from emodistill.config import JPO, SFT, VLLM, PolicyTraining
from emodistill.errors import BadInput
from emodistill.models import computes_in_bfloat16, require, resolve
from emodistill.policy.adapters import check_adapter
from emodistill.train.engine import memory_explained
from emodistill.train.head import log_probs
from emodistill.train.lean import LeanDecoder, lean_decoder
from emodistill.train.tree import Tree, tree_of


class ResponseLogProbs(nn.Module):
    """A causal LM with a LoRA adapter. The output head runs on response positions only.

    On a CPU, models that `lean.py` knows run through it; all others through transformers and PEFT.
    """

    def __init__(self, peft_model: Any, checkpointing: bool = False) -> None:
        super().__init__()
        self.peft, self._checkpointing = peft_model, checkpointing
        head = peft_model.get_base_model().get_output_embeddings()
        capped = getattr(peft_model.config, "final_logit_softcapping", None)
        self._plain_head = type(head) is nn.Linear and head.bias is None and not capped

    @cached_property
    def _lean(self) -> LeanDecoder | None:
        return lean_decoder(self.peft, self._checkpointing)  # at first use: DeepSpeed has moved the weights by then

    def forward(self, ids: Tensor, row: Tensor, column: Tensor) -> Tensor:
        """log π(token) of the tokens at (row, column) of ids, given all before them.

        ids: [sequences, length]; gives float32 [tokens].
        """
        model = self.peft.get_base_model()
        head, target = model.get_output_embeddings(), ids[row, column]
        if self._lean is not None:
            hidden = self._lean(*_unpadded(ids, row, column))
        else:
            hidden = model.base_model(input_ids=ids, use_cache=False).last_hidden_state[row, column - 1]
        if self._plain_head and not hasattr(head.weight, "ds_id"):  # ZeRO 3 gathers weights when a module is called
            return log_probs(hidden, head.weight, target)
        return -F.cross_entropy(head(hidden).float(), target, reduction="none")


def _unpadded(ids: Tensor, row: Tensor, column: Tensor) -> tuple[Tree, Tensor]:
    """The sequences as a tree, each up to the token before its last target, and where each target's source lies."""
    lengths = torch.zeros(len(ids), dtype=torch.int64).scatter_reduce(0, row, column, "amax")
    tree = tree_of([sequence[:length].tolist() for sequence, length in zip(ids, lengths, strict=True)])
    start = torch.cat([torch.zeros(1, dtype=torch.int64), lengths.cumsum(0)[:-1]])
    return tree, torch.cat([branch.path for branch in tree.branches])[start[row] + column - 1]


def load_tokenizer(spec: VLLM) -> Any:
    """The student's tokenizer. What it pads with is never read; one that names nothing pads with its end of turn."""
    require("transformers", "peft")
    from transformers import AutoTokenizer

    tokenizer = AutoTokenizer.from_pretrained(resolve(spec.model), trust_remote_code=False)
    if tokenizer.pad_token_id is None:
        tokenizer.pad_token = tokenizer.eos_token
    return tokenizer


def computes_in_bf16(spec: VLLM, settings: PolicyTraining) -> bool:
    """Whether to multiply in bfloat16."""
    if settings.precision == "auto" and spec.dtype == "float32":
        return False
    return computes_in_bfloat16(settings.precision)


def new_adapter(spec: VLLM, settings: SFT, seed: int) -> ResponseLogProbs:
    """The base model with a fresh adapter (B = 0, so it changes nothing yet), with dropout."""
    from peft import LoraConfig, get_peft_model

    base, lora = _base(spec, settings), settings.lora
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
    return _ready(get_peft_model(base, config), settings).train()


def stored_adapter(spec: VLLM, settings: JPO, folder: Path) -> ResponseLogProbs:
    """The base model with the adapter in `folder`, ready to be trained on, without dropout."""
    from peft import PeftModel

    check_adapter(folder, resolve(spec.model))
    model = _ready(PeftModel.from_pretrained(_base(spec, settings), str(folder), is_trainable=True), settings).eval()
    for module in model.modules():
        if getattr(module, "gradient_checkpointing", False):
            module.training = True  # transformers checkpoints a layer only in training; its dropouts stay off
    return model


def _ready(peft_model: Any, settings: PolicyTraining) -> ResponseLogProbs:
    if settings.gradient_checkpointing:
        peft_model.gradient_checkpointing_enable({"use_reentrant": False})
    return ResponseLogProbs(peft_model, settings.gradient_checkpointing)


def _base(spec: VLLM, settings: PolicyTraining) -> Any:
    from transformers import AutoModelForCausalLM

    # On a CPU plain attention is a third faster at these lengths than torch's fused kernel.
    attention = "sdpa" if torch.cuda.is_available() else "eager"
    dtype = torch.bfloat16 if computes_in_bf16(spec, settings) else torch.float32
    try:
        with memory_explained(f"while {spec.model} was loaded"):
            model = AutoModelForCausalLM.from_pretrained(
                resolve(spec.model), dtype=dtype, attn_implementation=attention, trust_remote_code=False
            )
            for (
                parameter
            ) in model.parameters():  # off the file's mapping, which would stay resident beside lean.py's copies
                parameter.data = parameter.data.clone()
            return model
    except OSError as error:
        raise BadInput(f"models.student.model {spec.model!r} cannot be loaded: {str(error).splitlines()[0]}") from None
