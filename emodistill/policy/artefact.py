"""The selector as files: `selector.safetensors` and `selector.json` beside it; loads without pickle."""

import json
from dataclasses import asdict, dataclass
from pathlib import Path

import numpy as np
import torch
from safetensors.torch import load_file, save_file

from emodistill import files
from emodistill.emotions import GOEMOTIONS
from emodistill.errors import BadInput
from emodistill.policy.networks import Networks


@dataclass(frozen=True, slots=True)
class SelectorMeta:
    """What the networks need besides their weights."""

    hidden: int
    beta: float
    max_messages: int
    state_mean: tuple[float, ...]  # [9], normalisation of the state
    state_scale: tuple[float, ...]  # [9]
    reward_scale: float  # max |r| of training; Q is in units of it
    vocabulary: tuple[str, ...]
    seen: tuple[bool, ...]  # emotions shown in training; others are never chosen


def save(folder: Path, networks: Networks, meta: SelectorMeta) -> list[Path]:
    """Write both files atomically."""
    weights, description = folder / "selector.safetensors", folder / "selector.json"
    files.replace_atomically(weights, lambda path: save_file(networks.state_dict(), path))
    files.write_json(description, asdict(meta))
    return [weights, description]


def load(folder: Path) -> tuple[Networks, SelectorMeta]:
    """Read a selector; `BadInput` if it was trained on another vocabulary."""
    raw = json.loads((folder / "selector.json").read_text(encoding="utf-8"))
    meta = SelectorMeta(**{name: tuple(value) if isinstance(value, list) else value for name, value in raw.items()})
    if meta.vocabulary != GOEMOTIONS:
        raise BadInput(
            f"The selector in {folder} was trained on another emotion vocabulary. "
            "Train it again with this configuration."
        )
    networks = Networks(meta.hidden)
    networks.load_state_dict(load_file(folder / "selector.safetensors"))
    return networks.eval(), meta


@torch.no_grad()
def probabilities(networks: Networks, meta: SelectorMeta, state: np.ndarray, last: int) -> np.ndarray:
    """π(e|s) ∝ exp(β (Q − V)) over the emotions seen in training, twin minimum: float64 [28] (METHOD.md §5)."""
    s = (torch.from_numpy(state) - torch.tensor(meta.state_mean)) / torch.tensor(meta.state_scale)
    s, e = s.float()[None], torch.tensor([last])
    advantage = torch.minimum(networks.q1(s, e), networks.q2(s, e))[0] - networks.v(s, e)
    logits = (meta.beta * advantage).double().masked_fill(~torch.tensor(meta.seen), -torch.inf)
    return torch.softmax(logits, dim=-1).numpy()
