"""`make bench`: run the cases one after the other and keep what they measured in results/reference/bench.json and .md.

Each case is a process of its own, as `python -m jobs.bench NAME --json`, and replaces only its own entry, so a session
that is cut off, or that ran only some, leaves the others' figures with their machine and date.
"""

import argparse
import json
import subprocess
import sys
from datetime import UTC, datetime
from pathlib import Path
from typing import Any

from emodistill.files import write_text
from jobs.bench.__main__ import CASES

FOLDER = Path(__file__).resolve().parents[2] / "results" / "reference"
_HEAD = """# What the benchmarks measured

By `make bench`, or `python -m jobs.bench.reference NAME ...` for single cases. Each case ran alone, on the machine and
day that stand with it; figures of different machines are not to be compared. Ratios are of arms of the same run.
"""


def main() -> int:
    """Run the named cases, or all; exit code 1 if one did not end well."""
    parser = argparse.ArgumentParser(prog="python -m jobs.bench.reference", description=__doc__)
    parser.add_argument("names", nargs="*", metavar="NAME", help=f"of {', '.join(CASES)} (default: all)")
    parser.add_argument("--out", type=Path, default=FOLDER, help="folder (default: results/reference)")
    options = parser.parse_args()
    if unknown := [name for name in options.names if name not in CASES]:
        parser.error(f"{', '.join(unknown)}: there is no such case. Cases: {', '.join(CASES)}.")
    failed = []
    for name in options.names or CASES:
        print(f"{name}: {CASES[name]}", file=sys.stderr, flush=True)
        done = subprocess.run(
            [sys.executable, "-m", "jobs.bench", name, "--json"], stdout=subprocess.PIPE, text=True, check=False
        )
        if done.returncode:
            failed.append(name)
        else:
            keep(options.out, json.loads(done.stdout.splitlines()[-1]))
    if failed:
        print(f"No figures of {', '.join(failed)} (see above); what was kept of them before stays.", file=sys.stderr)
    return 1 if failed else 0


def keep(folder: Path, measured: dict[str, Any]) -> None:
    """Put one case's result into bench.json, and write bench.md anew."""
    path = folder / "bench.json"
    kept = json.loads(path.read_text(encoding="utf-8")) if path.exists() else {}
    kept[measured["name"]] = {**measured, "date": datetime.now(UTC).strftime("%Y-%m-%d")}
    kept = {name: kept[name] for name in CASES if name in kept}
    folder.mkdir(parents=True, exist_ok=True)
    write_text(path, json.dumps(kept, indent=1) + "\n")
    write_text(folder / "bench.md", render(kept))


def render(kept: dict[str, Any]) -> str:
    """All that is kept, in Markdown; a case without figures says so."""
    parts = [_HEAD]
    for name, text in CASES.items():
        parts.append(f"## {name}\n{text[0].upper()}{text[1:]}.\n")
        if name not in kept:
            parts.append("Not measured yet.\n")
            continue
        one = kept[name]
        machine, versions = one["machine"], one["versions"]
        parts.append(
            f"{one['date']}, {machine['cpu']}, {machine['cores']} cores; "
            + ", ".join(f"{package} {version}" for package, version in versions.items()) + ".\n"
        )  # fmt: skip
        rows = [(key, _shown(value)) for key, value in one["figures"].items()]
        rows += [(f"asked: {key}: {asked}", "met" if one["target_met"][key] else "**not met**")
                 for key, asked in one["target"].items()]  # fmt: skip
        parts.append("| figure | value |\n|---|---|\n" + "".join(f"| {key} | {value} |\n" for key, value in rows))
    return "\n".join(parts)


def _shown(value: Any) -> str:
    text = json.dumps(value, ensure_ascii=False) if isinstance(value, dict | list) else str(value)
    return text.replace("|", "\\|")


if __name__ == "__main__":
    sys.exit(main())
