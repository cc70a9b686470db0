"""Named sets of defaults, chosen by the top-level key `preset`; the file's own keys override them.

`paper`: where this project's defaults differ from the paper's or the release's (METHOD.md), the values of those. What
cannot be chosen stays ours: polarity-free positions, the last emotion as an embedding, missing scores as missing, an
error that is no breakdown.
"""

from typing import Any

PRESETS: dict[str, dict[str, Any]] = {
    "paper": {
        "negotiation": {"tolerance_units": 5.0, "layout": "paper"},
        "iql": {"extraction": "awr", "critics": 1, "ensemble": 1, "steps": 20_000, "beta": 3.0},
    }
}


def merged(defaults: dict[str, Any], own: dict[str, Any]) -> dict[str, Any]:
    """`own` over `defaults`, section by section."""
    both = {key: merged(defaults[key], own[key]) for key in own if _sections(defaults.get(key), own[key])}
    return {**defaults, **own, **both}


def _sections(*values: Any) -> bool:
    return all(isinstance(value, dict) for value in values)
