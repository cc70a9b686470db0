"""The selector's networks as batched tensors: every member of the ensemble and each of its nets in one product (ours).

A member has `critics` dueling Q networks, a V network and, for AWR, a policy network (METHOD.md §5), each with two
hidden layers of LayerNorm and ReLU. All have one shape, so a parameter is one tensor [net, member, in, out] and a layer
is one `bmm` over nets and members. LayerNorm has no gain and offset of its own (ours): the weights around it can do
their work, and each would cost a pass over all activations.
"""

from collections.abc import Sequence
from dataclasses import dataclass

import torch
from torch import Tensor, nn
from torch.nn import functional as F

from emodistill.dataset.states import NO_EMOTION, STATE_NAMES

ACTIONS = NO_EMOTION  # one for each emotion
INPUTS = len(STATE_NAMES) + ACTIONS + 1  # state, last emotion (all zero: none yet), a constant 1 for the bias

Weights = Sequence[Tensor]  # first, second, second_bias, head, head_bias, each [nets, members, ...]


@dataclass(frozen=True, slots=True)
class Shape:
    """How many networks of which size."""

    members: int
    critics: int
    policy: bool
    hidden: int

    @property
    def nets(self) -> int:
        """Networks of one member: critics, V, policy, in this order."""
        return self.critics + 1 + self.policy


class Networks(nn.Module):
    """All that is trained."""

    def __init__(self, shape: Shape) -> None:
        super().__init__()
        self.shape = shape
        lead, hidden = (shape.nets, shape.members), shape.hidden
        self.first = _uniform(*lead, INPUTS, hidden, fan_in=INPUTS - 1)
        self.second, self.second_bias = (_uniform(*lead, rows, hidden, fan_in=hidden) for rows in (hidden, 1))
        self.head, self.head_bias = (_uniform(*lead, rows, 1 + ACTIONS, fan_in=hidden) for rows in (hidden, 1))

    def weights(self) -> list[Tensor]:
        """All parameters, as `outputs` takes them."""
        return [self.first, self.second, self.second_bias, self.head, self.head_bias]


def _uniform(*size: int, fan_in: int) -> nn.Parameter:
    """As `nn.Linear` starts."""
    return nn.Parameter((torch.rand(size) * 2 - 1) / fan_in**0.5)


def inputs(state: Tensor, last: Tensor) -> Tensor:
    """What the networks see of normalised states [n, 9] and last emotions [n]: [n, INPUTS].

    The last emotion selects a row of the first layer, which is its embedding; as a one-hot it is part of that layer's
    product, and so is the bias.
    """
    shown = F.one_hot(last, ACTIONS + 1)[:, :ACTIONS].to(state.dtype)
    return torch.cat([state, shown, torch.ones_like(state[:, :1])], dim=1)


def outputs(weights: Weights, x: Tensor) -> Tensor:
    """What nets say of each member's own rows x [members, n, INPUTS]: [nets, members, n, 1 + 28].

    Column 0 is a value (V, and the state's share of a dueling Q), the others are one for each emotion. Products are
    in the precision of the weights.
    """
    nets, members = weights[0].shape[:2]
    first, second, second_bias, head, head_bias = (weight.flatten(0, 1) for weight in weights)
    rows = x.expand(nets, *x.shape).reshape(nets * members, *x.shape[1:])
    hidden = _normalised(torch.bmm(rows, first))
    hidden = _normalised(torch.baddbmm(second_bias, hidden, second))
    values = torch.baddbmm(head_bias, hidden, head)
    return values.reshape(nets, members, *values.shape[1:])


def _normalised(before: Tensor) -> Tensor:
    return F.relu_(F.layer_norm(before, before.shape[-1:]))


def dueling(out: Tensor) -> Tensor:
    """Q(s, ·) = v(s) + a(s, ·) − mean a: [..., 28] of a critic's output [..., 29]."""
    advantage = out[..., 1:]
    return out[..., :1] + advantage - advantage.mean(dim=-1, keepdim=True)
