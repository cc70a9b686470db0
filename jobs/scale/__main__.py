"""`python -m jobs.scale volume CONFIG` and `python -m jobs.scale arrays`: the tables of docs/scale.md."""

import argparse
from dataclasses import replace
from pathlib import Path

from emodistill.configfile import load_config
from jobs.scale.arrays import Load, play
from jobs.scale.volume import Rates, hours, volumes

_GPUS, _RANKS = (1, 8, 64), {"sft": 4, "jpo": 4}
_WORLDS: dict[str, dict[str, float]] = {
    "nothing happens": {},
    "a crash in 100 h": {"crashes_per_h": 0.01},
    "a crash in 10 h": {"crashes_per_h": 0.1},
    "preempted once in 2 h": {"preemptions_per_h": 0.5},
    "preempted twice an hour": {"preemptions_per_h": 2.0},
    "both of these, 1 % poisoned": {"crashes_per_h": 0.1, "preemptions_per_h": 2.0, "poisoned": 0.01},
    "the same, saved once in 10 min": {
        "crashes_per_h": 0.1, "preemptions_per_h": 2.0, "poisoned": 0.01, "segment_s": 600.0,
    },
    "limit of 20 min a job": {"limit_s": 1200.0},
}  # fmt: skip


def main() -> None:
    """Print one table."""
    parser = argparse.ArgumentParser(prog="python -m jobs.scale", description=__doc__)
    asked = parser.add_subparsers(required=True, dest="what")
    asked.add_parser("volume", help="tokens and GPU-hours of a configuration").add_argument("config", type=Path)
    asked.add_parser("arrays", help="10,000 tasks on 64 slots, in several worlds").add_argument(
        "--seed", type=int, default=1
    )
    options = parser.parse_args()
    print("\n".join(_volume(options.config) if options.what == "volume" else _arrays(options.seed)))


def _volume(path: Path) -> list[str]:
    found = volumes(load_config(path), Rates())
    heads = ("stage", "tasks", "generated tokens", "prompt tokens", "trained tokens", "GPU-hours")
    lines = [_row(*heads, *(f"hours on {gpus}" for gpus in _GPUS)), "|---" * 9 + "|"]
    total = dict.fromkeys(("alone", *_GPUS), 0.0)
    for name, of in found.items():
        took = {"alone": of.gpu_hours, **{gpus: hours(of, gpus, _RANKS.get(name, 1)) for gpus in _GPUS}}
        total = {key: total[key] + took[key] for key in total}
        tokens = (f"{count:,}" for count in (of.generated, of.prompt, of.trained))
        lines.append(_row(name, str(of.tasks), *tokens, *(f"{value:,.1f}" for value in took.values())))
    return [*lines, _row("all", str(sum(of.tasks for of in found.values())), "", "", "",
                         *(f"{value:,.1f}" for value in total.values()))]  # fmt: skip


def _row(*cells: str) -> str:
    return f"| {' | '.join(cells)} |"


def _arrays(seed: int) -> list[str]:
    load = Load()
    ideal = load.tasks * (load.work_s + load.start_s) / load.slots
    lines = [
        "| world | hours | of the ideal | jobs begun | work done twice | given up |",
        "|---|---|---|---|---|---|",
    ]
    for name, changes in _WORLDS.items():
        found = play(replace(load, **changes), seed)
        lines.append(
            f"| {name} | {found.makespan_s / 3600:.1f} | {found.makespan_s / ideal:.3f} | {found.stays:,} | "
            f"{100 * found.lost_s / found.work_s:.2f} % | {found.given_up} |"
        )
    return lines


if __name__ == "__main__":
    main()
