"""A Llama-like decoder with LoRA on q, k, v, o, written for few passes over memory: what trains on CPUs.

The same mathematics as transformers and PEFT (a test compares loss and gradients), with: sequences that share their
beginning computed once (`tree.py`); no gradient of frozen weights, nor of what lies below the first adapter; one
product for q, k, v and one for gate and up; one dropout mask a layer input; of the last layer only what a loss depends
on; and for the gradient a layer keeps few tensors and works out the rest again. T tokens, D hidden size.
"""

from dataclasses import dataclass
from typing import Any

import torch
from torch import Tensor, nn
from torch.nn import functional as F

from emodistill.train.attention import attend, attend_backward
from emodistill.train.tree import Tree

_ADAPTED = ("q_proj", "k_proj", "v_proj", "o_proj")
_FAMILIES = ("llama", "qwen2", "mistral")


@dataclass(frozen=True, slots=True)
class Frozen:
    """One layer's weights that are not trained, [out, in], and its shape."""

    norm_in: Tensor
    qkv: Tensor
    qkv_bias: Tensor | None
    o: Tensor
    norm_mid: Tensor
    gate_up: Tensor
    down: Tensor
    eps: float
    heads: int
    groups: int  # key heads
    width: int  # of a head
    lora_scale: float
    keep: float  # 1 − dropout of the adapter's input


class LeanDecoder:
    """Runs the decoder of a PEFT model; reads its weights where they are, so training moves them as ever."""

    def __init__(self, peft_model: Any, checkpointing: bool) -> None:
        model = peft_model.get_base_model().model
        self._model, self._checkpointing = model, checkpointing
        self._layers = [(layer, _frozen(layer, model.config)) for layer in model.layers]

    def __call__(self, tree: Tree, rows: Tensor) -> Tensor:
        """Normed hidden states [rows, D] of those tokens of the tree, the input of the output head."""
        x = self._model.embed_tokens(tree.ids)
        angles = tuple(t[0] for t in self._model.rotary_emb(x[None], tree.position[None]))
        kept, back = rows.unique(return_inverse=True)
        for number, (layer, frozen) in enumerate(self._layers):
            last = number == len(self._layers) - 1
            masks = _masks(x, len(kept) if last else len(x), frozen) if _drops(layer) else (None, None)
            call = _Call(frozen, tree, angles, masks, kept if last else None, self._checkpointing)
            x = _Layer.apply(x, *_adapters(layer), call)  # type: ignore[no-untyped-call]  # torch's own
        last_hidden: Tensor = self._model.norm(x)[back]
        return last_hidden


def lean_decoder(peft_model: Any, checkpointing: bool) -> LeanDecoder | None:
    """The fast way for this model; None where its mathematics is another, or its weights are elsewhere."""
    base = peft_model.get_base_model()
    config = base.config
    wanted = {f"{name}.lora_A" for name in _ADAPTED} | {f"{name}.lora_B" for name in _ADAPTED}
    trained = {".".join(n.split(".")[-4:-2]) for n, p in peft_model.named_parameters() if p.requires_grad}
    fits = (
        config.model_type in _FAMILIES
        and config.hidden_act == "silu"
        and not getattr(config, "attention_dropout", 0.0)
        and set(getattr(config, "layer_types", None) or ["full_attention"]) == {"full_attention"}
        and (config.model_type != "mistral" or config.sliding_window is None)
        and trained == wanted
        and not any(hasattr(p, "ds_id") for p in base.parameters())  # ZeRO 3 keeps weights in pieces
        and all(parameter.device.type == "cpu" for parameter in base.parameters())
        and not any(
            p.ndim == 1 and "proj" in n and n.split(".")[-3][0] not in "qkv" for n, p in base.named_parameters()
        )
    )
    return LeanDecoder(peft_model, checkpointing) if fits else None


@dataclass(frozen=True, slots=True)
class _Call:
    """What one layer needs beside its input and adapters."""

    frozen: Frozen
    tree: Tree
    angles: tuple[Tensor, ...]  # cos, sin: [T, width]
    masks: tuple[Tensor | None, Tensor | None]  # dropout of the adapters' inputs, scaled: of q, k, v and of o
    kept: Tensor | None  # rows that go on; None: all
    checkpointing: bool


class _Layer(torch.autograd.Function):
    """One decoder layer and its gradient by hand."""

    @staticmethod
    def forward(ctx: Any, x: Tensor, a: Tensor, b_q: Tensor, b_k: Tensor, b_v: Tensor, a_o: Tensor, b_o: Tensor,
                call: _Call) -> Tensor:  # fmt: skip
        """x: [T, D]; gives [T or kept rows, D]. `a` is A of q, k and v, one below the other: [3r, D]."""
        out, saved = _forward(x, (a, b_q, b_k, b_v, a_o, b_o), call)
        ctx.call = call
        ctx.save_for_backward(x, a, b_q, b_k, b_v, a_o, b_o, *(() if call.checkpointing else saved))
        return out

    @staticmethod
    def backward(ctx: Any, grad: Tensor) -> tuple[Tensor | None, ...]:
        """Gradients of x and the adapters."""
        x, *rest = ctx.saved_tensors
        adapters, saved = tuple(rest[:6]), tuple(rest[6:])
        if not saved:
            saved = _forward(x, adapters, ctx.call)[1]
        return (*_backward(grad, x, adapters, saved, ctx.call, ctx.needs_input_grad[0]), None)


def _forward(x: Tensor, adapters: tuple[Tensor, ...], call: _Call) -> tuple[Tensor, tuple[Tensor, ...]]:
    """The layer's output and what its gradient needs: q|k|v after rotation, attention, middle stream, gate|up."""
    a, b_q, b_k, b_v, a_o, b_o = adapters
    w, scale = call.frozen, call.frozen.lora_scale
    h = _norm(x, w.norm_in, w.eps)[0]
    qkv = h @ w.qkv.t() if w.qkv_bias is None else torch.addmm(w.qkv_bias, h, w.qkv.t())
    u = _dropped(h, call.masks[0]) @ a.t()
    for part, low, b in zip(_split(qkv, w), u.chunk(3, 1), (b_q, b_k, b_v), strict=True):
        part.addmm_(low, b.t(), alpha=scale)
    q, k, v = _heads(qkv, w)
    _rotate(qkv, w, call.angles, 1.0)
    o = attend(q, k, v, call.tree, w.width**-0.5).flatten(1)
    stream, o_kept = (x, o) if call.kept is None else (x[call.kept], o[call.kept])
    mid = torch.addmm(stream, o_kept, w.o.t())
    mid.addmm_(_dropped(o_kept, call.masks[1]) @ a_o.t(), b_o.t(), alpha=scale)
    gate_up = _norm(mid, w.norm_mid, w.eps)[0] @ w.gate_up.t()
    gate, up = gate_up.chunk(2, 1)
    return torch.addmm(mid, F.silu(gate).mul_(up), w.down.t()), (qkv, o, mid, gate_up)


def _backward(
    grad: Tensor, x: Tensor, adapters: tuple[Tensor, ...], saved: tuple[Tensor, ...], call: _Call, below: bool
) -> tuple[Tensor | None, ...]:
    """Gradients of x (if `below`) and of the adapters."""
    w, scale = call.frozen, call.frozen.lora_scale
    a, b_q, b_k, b_v, a_o, b_o = adapters
    qkv, o, mid, gate_up = saved
    gate, up = gate_up.chunk(2, 1)
    d_act = grad @ w.down
    d_gate_up = torch.empty_like(gate_up)
    torch.mul(d_act, F.silu(gate), out=d_gate_up[:, up.shape[1] :])
    d_gate_up[:, : up.shape[1]] = torch.ops.aten.silu_backward(d_act.mul_(up), gate)
    d_mid = grad + _norm_backward(d_gate_up @ w.gate_up, mid, w.norm_mid, w.eps)

    o_kept = o if call.kept is None else o[call.kept]
    dropped = _dropped(o_kept, call.masks[1])
    d_low = (d_mid @ b_o).mul_(scale)
    grads_o = (d_low.t() @ dropped, (d_mid.t() @ (dropped @ a_o.t())).mul_(scale))
    d_o = (d_mid @ w.o).add_(_dropped(d_low @ a_o, call.masks[1]))
    if call.kept is not None:
        d_o, d_mid = (torch.zeros_like(t).index_copy_(0, call.kept, d) for t, d in ((o, d_o), (x, d_mid)))

    q, k, v = _heads(qkv, w)
    parts = attend_backward(d_o.view(q.shape), o.view(q.shape), q, k, v, call.tree, w.width**-0.5)
    d_qkv = torch.cat([part.flatten(1) for part in parts], 1)
    _rotate(d_qkv, w, call.angles, -1.0)
    h, norm = _norm(x, w.norm_in, w.eps)
    dropped = _dropped(h, call.masks[0])
    lows = (dropped @ a.t()).chunk(3, 1)
    d_parts = _split(d_qkv, w)
    grads_b = [(d.t() @ low).mul_(scale) for d, low in zip(d_parts, lows, strict=True)]
    d_low = torch.cat([d @ b for d, b in zip(d_parts, (b_q, b_k, b_v), strict=True)], 1).mul_(scale)
    grad_a = d_low.t() @ dropped
    d_x = None
    if below:
        d_h = (d_qkv @ w.qkv).add_(_dropped(d_low @ a, call.masks[0]))
        d_x = _norm_backward(d_h, x, w.norm_in, w.eps, norm).add_(d_mid)
    return (d_x, grad_a, *grads_b, *grads_o)


def _dropped(t: Tensor, mask: Tensor | None) -> Tensor:
    return t if mask is None else t * mask


def _drops(layer: Any) -> bool:
    """Whether the adapters are in training. The layer itself always is where gradients are checkpointed."""
    return bool(layer.self_attn.q_proj.training)


def _masks(x: Tensor, kept: int, w: Frozen) -> tuple[Tensor | None, Tensor | None]:
    """Dropout of the adapters' inputs, 0 or 1 / keep: one for q, k and v, one for o."""
    if w.keep == 1.0:
        return None, None
    shapes = (x.shape, (kept, w.heads * w.width))
    first, second = (x.new_empty(shape).bernoulli_(w.keep).div_(w.keep) for shape in shapes)
    return first, second


def _norm(x: Tensor, weight: Tensor, eps: float) -> tuple[Tensor, Tensor]:
    """RMSNorm of each row, and 1 / RMS [T, 1] in float32."""
    inverse = torch.rsqrt(torch.linalg.vector_norm(x, dim=-1, keepdim=True, dtype=torch.float32).square_()
                          .div_(x.shape[-1]).add_(eps))  # fmt: skip
    return (x * inverse.to(x.dtype)).mul_(weight), inverse


def _norm_backward(grad: Tensor, x: Tensor, weight: Tensor, eps: float, inverse: Tensor | None = None) -> Tensor:
    """g = grad · weight; 1/RMS · (g − x · mean(g x) / RMS²)."""
    inverse = _norm(x, weight, eps)[1] if inverse is None else inverse
    inverse = inverse.to(x.dtype)
    g = grad * weight
    share = (g * x).sum(-1, keepdim=True).mul_(inverse.square()).div_(x.shape[-1])
    return torch.addcmul(g, x, share, value=-1).mul_(inverse)


def _split(qkv: Tensor, w: Frozen) -> tuple[Tensor, ...]:
    return torch.split(qkv, [w.heads * w.width, w.groups * w.width, w.groups * w.width], 1)


def _heads(qkv: Tensor, w: Frozen) -> tuple[Tensor, ...]:
    """q [T, H, d], k and v [T, G, d]: views."""
    return tuple(part.unflatten(1, (-1, w.width)) for part in _split(qkv, w))


def _rotate(qkv: Tensor, w: Frozen, angles: tuple[Tensor, ...], sign: float) -> None:
    """Rotary positions of q and k, in place; sign −1 turns back, which is the gradient."""
    half = w.width // 2
    cos, sin = (angle[:, None, :half] for angle in angles)
    both = qkv[:, : (w.heads + w.groups) * w.width].unflatten(1, (-1, w.width))
    first, second = both[..., :half], both[..., half:]
    turned = first * cos - sign * second * sin
    second.mul_(cos).addcmul_(first, sin, value=sign)
    first.copy_(turned)


def _frozen(layer: Any, config: Any) -> Frozen:
    attention, feed = layer.self_attn, layer.mlp
    q, k, v, o = (getattr(attention, name) for name in _ADAPTED)
    dropout = q.lora_dropout["default"]
    bases = [part.base_layer for part in (q, k, v)]
    return Frozen(
        layer.input_layernorm.weight, _joined(*bases),
        None if q.base_layer.bias is None else torch.cat([base.bias for base in bases]),
        o.base_layer.weight, layer.post_attention_layernorm.weight, _joined(feed.gate_proj, feed.up_proj),
        feed.down_proj.weight, layer.input_layernorm.variance_epsilon, config.num_attention_heads,
        config.num_key_value_heads, attention.head_dim, q.scaling["default"], 1 - getattr(dropout, "p", 0.0),
    )  # fmt: skip


@torch.no_grad()
def _joined(*linears: nn.Linear) -> Tensor:
    """The weights one below the other; the modules keep views of it, so they take no memory twice."""
    whole = torch.cat([linear.weight for linear in linears])
    for linear, part in zip(linears, whole.split([linear.out_features for linear in linears]), strict=True):
        linear.weight.data = part
    return whole


def _adapters(layer: Any) -> tuple[Tensor, ...]:
    q, k, v, o = (getattr(layer.self_attn, name) for name in _ADAPTED)
    a = torch.cat([part.lora_A["default"].weight for part in (q, k, v)])
    return (a, *(part.lora_B["default"].weight for part in (q, k, v)), o.lora_A["default"].weight,
            o.lora_B["default"].weight)  # fmt: skip
