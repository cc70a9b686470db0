"""The selector as files: `selector.safetensors` and `selector.json` beside it; loads without pickle."""

import json
from dataclasses import asdict, dataclass
from pathlib import Path
from typing import Any

import numpy as np
import torch
from safetensors.torch import load_file, save_file
from torch import Tensor

from emodistill import files
from emodistill.config import IQL
from emodistill.emotions import GOEMOTIONS
from emodistill.errors import BadInput
from emodistill.policy.networks import Networks, Shape, dueling, inputs, outputs

VERSION = 2  # of both files' layout


@dataclass(frozen=True, slots=True)
class Normaliser:
    """Makes states mean 0 and deviation 1."""

    mean: tuple[float, ...]  # [9]
    scale: tuple[float, ...]  # [9]

    @classmethod
    def of(cls, states: np.ndarray) -> "Normaliser":
        """By the states of training, float32 [n, 9]; a constant value becomes 0. A float32 sum of many rows drifts."""
        mean, scale = states.mean(0, np.float64), np.maximum(states.std(0, np.float64), 1e-3)
        return cls(tuple(mean.tolist()), tuple(scale.tolist()))

    def __call__(self, states: np.ndarray) -> Tensor:
        """Normalised states: float32 [n, 9]."""
        return torch.from_numpy(((states - np.array(self.mean)) / np.array(self.scale)).astype(np.float32))


@dataclass(frozen=True, slots=True)
class SelectorMeta:
    """What the networks need besides their weights."""

    version: int
    fingerprint: str  # of the stage that made it
    shape: Shape
    extraction: str
    signal: str
    beta: float
    spread: float  # deviation of Q over emotions within a state, in units of reward_scale
    disagreement: float  # deviation of the advantage over members, in units of spread
    max_messages: int
    normaliser: Normaliser
    reward_scale: float  # max |r| of training; Q is in units of it
    vocabulary: tuple[str, ...]
    seen: tuple[bool, ...]  # emotions shown in training; others are never chosen

    @classmethod
    def of(cls, shape: Shape, settings: IQL, max_messages: int, normaliser: Normaliser, reward_scale: float,
           spread: tuple[float, float], seen: tuple[bool, ...], fingerprint: str) -> "SelectorMeta":  # fmt: skip
        """The description of networks just trained."""
        return cls(VERSION, fingerprint, shape, settings.extraction, settings.signal, settings.beta, *spread,
                   max_messages, normaliser, reward_scale, GOEMOTIONS, seen)  # fmt: skip


def save(folder: Path, networks: Networks, meta: SelectorMeta) -> list[Path]:
    """Write both files atomically."""
    weights, description = folder / "selector.safetensors", folder / "selector.json"
    tensors = {name: tensor.detach().cpu().contiguous() for name, tensor in networks.state_dict().items()}
    files.replace_atomically(weights, lambda path: save_file(tensors, path))
    files.write_json(description, asdict(meta))
    return [weights, description]


def load(folder: Path) -> tuple[Networks, SelectorMeta]:
    """Read a selector; `BadInput` if another version wrote it or it was trained on another vocabulary."""
    raw = json.loads((folder / "selector.json").read_text(encoding="utf-8"))
    if raw.get("version") != VERSION:
        raise BadInput(
            f"The selector in {folder} has version {raw.get('version', 1)}, this program reads {VERSION}. Train it "
            "again."
        )
    if tuple(raw["vocabulary"]) != GOEMOTIONS:
        other = sorted(set(raw["vocabulary"]) ^ set(GOEMOTIONS))
        what = f"they differ in {', '.join(other[:5])}" if other else "the same labels in another order"
        raise BadInput(
            f"The selector in {folder} was trained on another emotion vocabulary ({what}). "
            "Train it again with this configuration."
        )
    networks = Networks(Shape(**raw["shape"]))
    networks.load_state_dict(load_file(folder / "selector.safetensors"))
    return networks.eval(), _meta(raw)


def _meta(raw: dict[str, Any]) -> SelectorMeta:
    normaliser = Normaliser(*(tuple(raw["normaliser"][name]) for name in ("mean", "scale")))
    lists = {name: tuple(raw[name]) for name in ("vocabulary", "seen")}
    return SelectorMeta(**{**raw, **lists, "shape": Shape(**raw["shape"]), "normaliser": normaliser})


def critics(networks: Networks, x: Tensor) -> Tensor:
    """Twin minimum of Q of each member on the same rows x [n, INPUTS]: [members, n, 28]."""
    shape = networks.shape
    weights = [weight[: shape.critics] for weight in networks.weights()]
    return dueling(outputs(weights, x.expand(shape.members, *x.shape))).amin(0)


@torch.no_grad()
def spread_of(networks: Networks, x: Tensor, at_most: int = 10_000) -> tuple[float, float]:
    """Root mean squares over states: how Q varies over emotions within a state, and its advantage over members.

    The second is in units of the first: what the members disagree on, beside what they tell apart.
    """
    rows = x[:: max(1, len(x) // at_most)].to(networks.first.device)
    q = critics(networks, rows)
    advantage = q - q.mean(-1, keepdim=True)  # [members, n, 28]
    spread = max(float(advantage.square().mean().sqrt()), 1e-9)
    return spread, float(advantage.var(0, correction=0).mean().sqrt()) / spread


@torch.no_grad()
def probabilities(networks: Networks, meta: SelectorMeta, states: np.ndarray, last: np.ndarray) -> np.ndarray:
    """π(e|s) over the emotions seen in training: float64 [n, 28] for states float32 [n, 9], last int64 [n].

    Closed form: ∝ exp(β A), A the members' mean of min Q − V in units of its own spread (ours; V cancels). AWR: the
    mean of the members' policies.
    """
    x = inputs(meta.normaliser(states), torch.from_numpy(last))
    unseen = ~torch.tensor(meta.seen)
    if meta.extraction == "awr":
        policy = [weight[-1, None] for weight in networks.weights()]
        out = outputs(policy, x.expand(meta.shape.members, *x.shape))[0, ..., 1:].double()
        return torch.softmax(out.masked_fill(unseen, -torch.inf), -1).mean(0).numpy()
    scores = critics(networks, x).double().mean(0) / meta.spread
    return torch.softmax((meta.beta * scores).masked_fill(unseen, -torch.inf), -1).numpy()
