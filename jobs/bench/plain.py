"""The plain loop that `jobs.bench iql` is measured against: one seed, three networks, three optimisers.

Same networks, batch, losses and clipping as a member of the ensemble with `critics: 1, extraction: awr`; written as
single-file implementations of IQL are.
"""

import copy

import numpy as np
import torch
from torch import Tensor, nn
from torch.nn import functional as F

from emodistill.config import IQL
from emodistill.policy.networks import ACTIONS, Networks, Shape


class Net(nn.Module):
    """State [n, 9] and last emotion [n] to `out` values."""

    def __init__(self, hidden: int, out: int) -> None:
        super().__init__()
        self.last = nn.Embedding(ACTIONS + 1, ACTIONS)
        self.layers = nn.Sequential(
            nn.Linear(9 + ACTIONS, hidden), nn.LayerNorm(hidden, elementwise_affine=False), nn.ReLU(),
            nn.Linear(hidden, hidden), nn.LayerNorm(hidden, elementwise_affine=False), nn.ReLU(),
            nn.Linear(hidden, out),
        )  # fmt: skip

    def forward(self, state: Tensor, last: Tensor) -> Tensor:
        """Outputs [n, out]."""
        return self.layers(torch.cat([state, self.last(last)], dim=1))


class Dueling(Net):
    """Q(s, ·): [n, 28]."""

    def __init__(self, hidden: int) -> None:
        super().__init__(hidden, 1 + ACTIONS)

    def forward(self, state: Tensor, last: Tensor) -> Tensor:
        """Q values."""
        out = super().forward(state, last)
        return out[:, :1] + out[:, 1:] - out[:, 1:].mean(1, keepdim=True)


class Plain:
    """Columns: s_tm1, last_tm1, a_tm1, r_t, s_t, last_t, done_t."""

    def __init__(self, columns: tuple[Tensor, ...], settings: IQL, seed: int) -> None:
        torch.manual_seed(seed)
        self.columns, self.settings, self.rng = columns, settings, np.random.default_rng(seed)
        self.q, self.v = Dueling(settings.hidden), Net(settings.hidden, 1)
        self.policy = Net(settings.hidden, ACTIONS)
        self.target = copy.deepcopy(self.q).requires_grad_(False)
        self.optimisers = {net: torch.optim.Adam(net.parameters(), settings.learning_rate) for net in self._nets()}

    def _nets(self) -> tuple[nn.Module, ...]:
        return self.q, self.v, self.policy

    def step(self) -> dict[str, float]:
        """One update of the three networks."""
        tau, beta, gamma = self.settings.tau, self.settings.beta, self.settings.gamma
        rows = torch.from_numpy(self.rng.integers(len(self.columns[0]), size=self.settings.batch))
        s, last, a, r, s2, last2, done = (column[rows] for column in self.columns)
        with torch.no_grad():
            next_v = self.v(s2, last2)[:, 0]
            slow = self.target(s, last).gather(1, a[:, None])[:, 0]
        over = slow - self.v(s, last)[:, 0]
        v_loss = (torch.where(over < 0, 1 - tau, tau) * over.square()).mean()
        self._descend(self.v, v_loss)
        q_loss = (self.q(s, last).gather(1, a[:, None])[:, 0] - r - gamma * (1 - done) * next_v).square().mean()
        self._descend(self.q, q_loss)
        for ours, theirs in zip(self.target.parameters(), self.q.parameters(), strict=True):
            ours.data.mul_(1 - self.settings.polyak).add_(self.settings.polyak * theirs.data)
        weight = (beta * over.detach()).exp().clamp(max=100)
        said = F.log_softmax(self.policy(s, last), dim=1).gather(1, a[:, None])[:, 0]
        policy_loss = -(weight * said).mean()
        self._descend(self.policy, policy_loss)
        return {"v_loss": v_loss.item(), "q_loss": q_loss.item(), "policy_loss": policy_loss.item()}

    def _descend(self, net: nn.Module, loss: Tensor) -> None:
        self.optimisers[net].zero_grad()
        loss.backward()
        nn.utils.clip_grad_norm_(net.parameters(), self.settings.clip)
        self.optimisers[net].step()

    @torch.no_grad()
    def as_networks(self) -> Networks:
        """The same functions in the ensemble's form, so that both are judged alike."""
        made = Networks(Shape(1, 1, True, self.settings.hidden))
        for k, net in enumerate(self._nets()):
            first, second, head = net.layers[0], net.layers[3], net.layers[6]
            shown = net.last.weight @ first.weight[:, 9:].T + first.bias  # [29, hidden], row 28: none yet
            made.first[k, 0, :9] = first.weight[:, :9].T
            made.first[k, 0, 9:-1], made.first[k, 0, -1] = shown[:-1] - shown[-1], shown[-1]
            made.second[k, 0], made.second_bias[k, 0, 0] = second.weight.T, second.bias
            columns = {0: slice(None), 1: slice(0, 1), 2: slice(1, None)}[k]
            made.head[k, 0].zero_()
            made.head_bias[k, 0].zero_()
            made.head[k, 0, :, columns], made.head_bias[k, 0, 0, columns] = head.weight.T, head.bias
        return made
