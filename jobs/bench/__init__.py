"""Measurements that a reader can repeat: `python -m jobs.bench NAME --json`.

One module a case, with a `run() -> Measured`. Every case times ours, its peers and the limit in one run, arms
interleaved, best of several, because machines drift; a target is a ratio of those figures and never an absolute time.
"""

from dataclasses import dataclass
from typing import Any


@dataclass(frozen=True, slots=True)
class Measured:
    """One case's result: the raw numbers of every arm, what was asked, and which of it they meet."""

    figures: dict[str, Any]
    target: dict[str, str]
    target_met: dict[str, bool]
