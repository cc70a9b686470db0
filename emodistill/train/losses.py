"""The losses, as pure functions (METHOD.md §5-7). Each docstring says what the mean is over."""

from dataclasses import dataclass
from typing import Literal

import torch
from torch import Tensor

AWR_CLIP = 100.0  # largest weight of a sample (release)


def expectile_loss(difference: Tensor, tau: float) -> Tensor:
    """L_τ(u) = |τ − 1(u < 0)| u², mean over the last axis, n. difference u = Q̄ − V: [..., n]."""
    weight = torch.where(difference < 0, 1 - tau, tau)
    return (weight * difference.square()).mean(-1)


def bellman_loss(q_tm1: Tensor, r_t: Tensor, done_t: Tensor, v_t: Tensor, gamma: float) -> Tensor:
    """MSE of Q(s, e) to r + γ (1 − done) V(s'), mean over the last axis, n. V(s') gets no gradient. All [..., n]."""
    target = r_t + gamma * (1 - done_t) * v_t.detach()
    return (q_tm1 - target).square().mean(-1)


def awr_loss(log_policy: Tensor, advantage: Tensor, beta: float) -> Tensor:
    """−min(exp(β A), 100) log π(e|s), mean over all n; the weight gets no gradient. Both [..., n] (release)."""
    weight = (beta * advantage.detach()).exp().clamp(max=AWR_CLIP)
    return -(weight * log_policy).mean(-1)


@dataclass(frozen=True, slots=True)
class JPOTerms:
    """Sums over the responses or tokens of a micro-batch.

    Divide by the whole batch's counts for the loss of METHOD.md §7.
    """

    surrogate: Tensor  # Σ over responses of min(ρÃ, clip(ρ)Ã)
    kl: Tensor  # Σ over tokens of exp(−δ) + δ − 1
    clipped: Tensor  # number of responses whose gradient the clip removes; of a response's tokens, their share


def jpo_terms(
    logp: Tensor,
    reference: Tensor,
    response: Tensor,
    advantage: Tensor,
    kappa: float,
    epsilon: float,
    ratio_of: Literal["sequence", "token"],
) -> JPOTerms:
    """Terms of the JPO loss. `token`: each token has its own ratio exp δ_t, and a response counts with their mean.

    logp, reference: [tokens] log-probabilities of the response tokens under π_θ and π_ref;
    response: int64 [tokens], which response a token belongs to; advantage: [responses], A before κ.
    """
    delta = logp - reference
    count = torch.zeros_like(advantage).index_add(0, response, torch.ones_like(delta))
    shaped = torch.where(advantage > 0, advantage, kappa * advantage)
    if ratio_of == "token":
        ratio, shaped, share = delta.exp(), shaped[response], (1 / count)[response]
    else:
        mean_delta = torch.zeros_like(advantage).index_add(0, response, delta) / count
        ratio, share = mean_delta.exp(), torch.ones_like(count)
    plain, bounded = ratio * shaped, ratio.clamp(1 - epsilon, 1 + epsilon) * shaped
    kl = (-delta).exp() + delta - 1
    return JPOTerms((torch.minimum(plain, bounded) * share).sum(), kl.sum(), ((bounded < plain) * share).sum())
