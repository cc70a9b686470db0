"""What LoRA training holds in a GPU's memory, estimated before anything starts. Pure arithmetic; bytes unless said."""

import json
from dataclasses import dataclass
from pathlib import Path

from emodistill.config import VLLM, LoRA, PolicyTraining
from emodistill.errors import BadInput
from emodistill.models import resolve

_CONTEXT = 1.0e9  # CUDA's own, and what the allocator cannot use
_LIVE = 1e9  # ZeRO 3 gathers at most so many parameters at once (DeepSpeed's stage3_max_live_parameters)
_HEAD_ROWS = 256  # tokens whose logits exist at once (head.py)
_RESPONSES = 0.25  # of a dialogue's tokens, at most (0.16 in the demo): all their logits exist at once under ZeRO 3


@dataclass(frozen=True, slots=True)
class Shape:
    """A decoder's sizes."""

    hidden: int
    feed: int
    layers: int
    heads: int
    groups: int  # key heads
    width: int  # of a head
    vocabulary: int
    tied: bool

    @property
    def layer_parameters(self) -> int:
        """Weights of one layer."""
        return 2 * self.hidden * self.width * (self.heads + self.groups) + 3 * self.hidden * self.feed

    @property
    def parameters(self) -> int:
        """Weights of the model."""
        return self.layers * self.layer_parameters + (1 if self.tied else 2) * self.vocabulary * self.hidden

    def adapter_parameters(self, lora: LoRA) -> int:
        """Weights of the adapter."""
        q, kv = self.heads * self.width, self.groups * self.width
        ends = {"q_proj": (self.hidden, q), "k_proj": (self.hidden, kv), "v_proj": (self.hidden, kv),
                "o_proj": (q, self.hidden), "gate_proj": (self.hidden, self.feed), "up_proj": (self.hidden, self.feed),
                "down_proj": (self.feed, self.hidden)}  # fmt: skip
        return self.layers * sum(lora.rank * sum(ends.get(name, (self.hidden, self.hidden))) for name in lora.targets)


# From the published config.json: a hub id can be planned for on a machine that never saw it.
_KNOWN = {"Qwen/Qwen2.5-7B-Instruct": Shape(3584, 18944, 28, 28, 4, 128, 152064, False)}
_SIZES = {"hidden_size", "intermediate_size", "num_hidden_layers", "num_attention_heads", "vocab_size"}


@dataclass(frozen=True, slots=True)
class Estimate:
    """Bytes on one rank's GPU."""

    weights: float
    gradients: float
    optimiser: float
    activations: float
    start: float  # the whole base, which every rank holds before ZeRO 3 cuts it up

    @property
    def least(self) -> float:
        """What no setting can lower."""
        return self.start + _CONTEXT

    @property
    def total(self) -> float:
        """The most that is held at once, with what CUDA takes for itself."""
        return max(self.start, self.weights + self.gradients + self.optimiser + self.activations) + _CONTEXT


def shape_of(spec: VLLM) -> Shape | None:
    """From the model's config.json if it is on this machine; None if its sizes are not known here.

    Nor are those of a model that names them otherwise, or whose layers hold several experts.
    """
    try:
        path = Path(resolve(spec.model)) / "config.json"
    except BadInput:
        return None
    if not path.is_file():
        return _KNOWN.get(spec.model)
    found = json.loads(path.read_text(encoding="utf-8"))
    if not found.keys() >= _SIZES or any("experts" in key for key in found):
        return None
    heads, hidden = found["num_attention_heads"], found["hidden_size"]
    return Shape(
        hidden, found["intermediate_size"], found["num_hidden_layers"], heads, found.get("num_key_value_heads", heads),
        found.get("head_dim") or hidden // heads, found["vocab_size"], found.get("tie_word_embeddings", True),
    )  # fmt: skip


def estimate(shape: Shape, lora: LoRA, settings: PolicyTraining, bf16: bool, stage: int, ranks: int) -> Estimate:
    """Frozen base and adapter under ZeRO `stage` on `ranks`, with the fullest micro-batch."""
    element = 2 if bf16 else 4
    trained = shape.adapter_parameters(lora)
    base = element * shape.parameters
    weights = base if stage < 3 else base / ranks + element * min(_LIVE, shape.parameters)
    tokens = max(settings.micro_batch_tokens, settings.max_length)
    return Estimate(
        weights=weights + element * trained / (ranks if stage == 3 else 1),
        gradients=element * trained / (ranks if stage >= 2 else 1),
        optimiser=12 * trained / (ranks if stage >= 1 else 1),  # float32 weights and Adam's two moments
        activations=tokens * _kept_per_token(shape, element, settings.gradient_checkpointing)
        + (_RESPONSES * tokens if stage == 3 else _HEAD_ROWS) * shape.vocabulary * (8 + element),
        start=base,
    )


def _kept_per_token(shape: Shape, element: int, checkpointing: bool) -> float:
    """What autograd keeps of a token through all layers of a Llama-like model with LoRA on q, k, v, o.

    A layer: both norms' inputs in float32; the dropped inputs of four adapters and their masks; q, k, v and the
    attention's result; gate, up and silu(gate). Frozen projections keep nothing. Checkpointing keeps each layer's
    input, and all of the one layer that is worked out again.
    """
    hidden, inner, keys = shape.hidden, shape.heads * shape.width, shape.groups * shape.width
    layer = (
        2 * 4 * hidden
        + (3 * hidden + inner) * (element + 1)
        + element * (2 * inner + 2 * keys)
        + element * 3 * shape.feed
    )
    return layer + element * hidden * shape.layers if checkpointing else layer * shape.layers
