"""log π of tokens from hidden states, without keeping logits: the vocabulary is large and the head is frozen."""

from typing import Any

import torch
from torch import Tensor

_ROWS = 256  # tokens whose logits exist at once


class _LogProbs(torch.autograd.Function):
    """∂ log π(y) / ∂ hidden = W_y − Σ_v π(v) W_v does not depend on the loss: it is worked out in the forward pass."""

    @staticmethod
    def forward(ctx: Any, hidden: Tensor, weight: Tensor, target: Tensor) -> Tensor:
        logp = hidden.new_empty(len(target), dtype=torch.float32)
        slope = torch.empty_like(hidden) if ctx.needs_input_grad[0] else None
        for start in range(0, len(target), _ROWS):
            rows = slice(start, start + _ROWS)
            logits = (hidden[rows] @ weight.t()).float()
            logits -= logits.logsumexp(-1, keepdim=True)
            logp[rows] = logits.gather(1, target[rows, None])[:, 0]
            if slope is not None:
                slope[rows] = weight[target[rows]] - logits.exp_().to(weight.dtype) @ weight
        if slope is not None:
            ctx.save_for_backward(slope)
        return logp

    @staticmethod
    def backward(ctx: Any, grad: Tensor) -> tuple[Tensor | None, ...]:
        (slope,) = ctx.saved_tensors
        return grad[:, None].to(slope.dtype) * slope, None, None


def log_probs(hidden: Tensor, weight: Tensor, target: Tensor) -> Tensor:
    """log π(target) [tokens] float32, of hidden [tokens, D] under a frozen output head [vocabulary, D] without bias."""
    found: Tensor = _LogProbs.apply(hidden, weight, target)  # type: ignore[no-untyped-call]  # torch's own
    return found
