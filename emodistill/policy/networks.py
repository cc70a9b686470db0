"""The selector's networks (METHOD.md §5): twin dueling Q and V over the 9 state values and an embedded last emotion."""

import torch
from torch import Tensor, nn

from emodistill.dataset.states import NO_EMOTION, STATE_NAMES

ACTIONS = NO_EMOTION  # one for each emotion
_EMBEDDING = ACTIONS


class Trunk(nn.Module):
    """State [n, 9] and last emotion [n] to features [n, hidden]: two hidden layers, LayerNorm, ReLU."""

    def __init__(self, hidden: int) -> None:
        super().__init__()
        self.last = nn.Embedding(ACTIONS + 1, _EMBEDDING)
        layers: list[nn.Module] = []
        for width in (len(STATE_NAMES) + _EMBEDDING, hidden):
            layers += [nn.Linear(width, hidden), nn.LayerNorm(hidden), nn.ReLU()]
        self.layers = nn.Sequential(*layers)

    def forward(self, state: Tensor, last: Tensor) -> Tensor:
        """Features [n, hidden]."""
        return self.layers(torch.cat([state, self.last(last)], dim=-1))


class DuelingQ(nn.Module):
    """Q(s, ·) = v(s) + a(s, ·) − mean a: [n, 28]."""

    def __init__(self, hidden: int) -> None:
        super().__init__()
        self.trunk, self.value, self.advantage = Trunk(hidden), nn.Linear(hidden, 1), nn.Linear(hidden, ACTIONS)

    def forward(self, state: Tensor, last: Tensor) -> Tensor:
        """Q values [n, 28]."""
        features = self.trunk(state, last)
        advantage = self.advantage(features)
        return self.value(features) + advantage - advantage.mean(dim=-1, keepdim=True)


class Value(nn.Module):
    """V(s): [n]."""

    def __init__(self, hidden: int) -> None:
        super().__init__()
        self.trunk, self.value = Trunk(hidden), nn.Linear(hidden, 1)

    def forward(self, state: Tensor, last: Tensor) -> Tensor:
        """Values [n]."""
        return self.value(self.trunk(state, last)).squeeze(-1)


class Networks(nn.Module):
    """All that is trained: twin Q and V."""

    def __init__(self, hidden: int) -> None:
        super().__init__()
        self.q1, self.q2, self.v = DuelingQ(hidden), DuelingQ(hidden), Value(hidden)
