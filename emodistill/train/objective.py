"""The losses of a whole ensemble in one pass, its slow critics, and clipping net by net (METHOD.md §5)."""

from typing import Any

import torch
from torch import Tensor, nn
from torch.nn import functional as F

from emodistill.policy.networks import Networks, Weights, dueling, outputs
from emodistill.train.losses import awr_loss, bellman_loss, expectile_loss

LOSSES = ("v_loss", "q_loss", "policy_loss")


class Objective(nn.Module):
    """Online networks and slow critics; forward gives the losses of one batch for each member."""

    def __init__(
        self, networks: Networks, tau: float, gamma: float, beta: float, clip: float, bf16: bool = False
    ) -> None:
        super().__init__()
        self.networks, self._tau, self._gamma, self._beta, self._clip = networks, tau, gamma, beta, clip
        self.dtype = torch.bfloat16 if bf16 else torch.float32
        self.target: list[Tensor] = [weight.detach().clone() for weight in self._critics()]

    def _critics(self) -> list[Tensor]:
        return [weight[: self.networks.shape.critics] for weight in self.networks.weights()]

    @torch.no_grad()
    def track(self, polyak: float) -> None:
        """Move the slow critics towards the online ones."""
        torch._foreach_lerp_(self.target, self._critics(), polyak)

    def forward(self, x_tm1: Tensor, a_tm1: Tensor, r_t: Tensor, x_t: Tensor, done_t: Tensor) -> Tensor:
        """V, Q (summed over critics) and policy loss of each member: float32 [3, members].

        x: [members, n, INPUTS]; the rest [members, n]. Without a policy net the last row is 0.
        """
        shape, index = self.networks.shape, a_tm1[..., None]
        clipped = _Clipped.apply(self._clip, *self.networks.weights())  # type: ignore[no-untyped-call]  # torch's own
        weights = self._cast(clipped)
        with torch.no_grad():
            v_t = self._outputs([weight[shape.critics, None] for weight in weights], x_t)[0, ..., 0]
            slow = dueling(self._outputs(self._cast(self.target), x_tm1)).amin(0).gather(-1, index)[..., 0]
        out = self._outputs(weights, x_tm1)
        q_tm1 = dueling(out[: shape.critics]).gather(-1, index.expand(shape.critics, *index.shape))[..., 0]
        over = slow - out[shape.critics, ..., 0]
        q_loss = bellman_loss(q_tm1, r_t, done_t, v_t, self._gamma).sum(0)
        policy_loss = torch.zeros_like(q_loss)
        if shape.policy:
            log_policy = F.log_softmax(out[-1, ..., 1:], dim=-1).gather(-1, index)[..., 0]
            policy_loss = awr_loss(log_policy, over, self._beta)
        return torch.stack([expectile_loss(over, self._tau), q_loss, policy_loss])

    def _cast(self, weights: Weights) -> list[Tensor]:
        return [weight.to(self.dtype) for weight in weights]

    def _outputs(self, weights: Weights, x: Tensor) -> Tensor:
        """Products in the chosen precision; what follows them is float32."""
        return outputs(weights, x.to(self.dtype)).float()


class _Clipped(torch.autograd.Function):
    """Identity whose gradient is clipped by the norm of each net of each member, summed over ranks before.

    An optimiser's own clipping would let one member's large gradient slow the others down.
    """

    @staticmethod
    def forward(ctx: Any, clip: float, *weights: Tensor) -> tuple[Tensor, ...]:
        ctx.clip = clip
        return tuple(weight.view_as(weight) for weight in weights)

    @staticmethod
    def backward(ctx: Any, *gradients: Tensor) -> tuple[Tensor | None, ...]:
        _average_over_ranks(gradients)
        squares = sum(torch.linalg.vector_norm(gradient, dim=(2, 3)).square() for gradient in gradients)
        scale = (ctx.clip / (squares.sqrt() + 1e-6)).clamp(max=1.0)  # [nets, members]
        if bool((scale < 1).any()):
            for gradient in gradients:
                gradient.mul_(scale[..., None, None])
        return None, *gradients


def _average_over_ranks(gradients: tuple[Tensor, ...]) -> None:
    """What DeepSpeed will do again, to equal gradients, once they are clipped."""
    if torch.distributed.is_initialized() and (world := torch.distributed.get_world_size()) > 1:
        for gradient in gradients:
            torch.distributed.all_reduce(gradient)
            gradient /= world
