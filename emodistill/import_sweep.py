"""`emodistill import-sweep`: a sweep in the authors' published format becomes the rollouts of a run."""

import argparse
import sys
from collections.abc import Callable
from pathlib import Path
from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from emodistill.sweeps.records import Sweep

_SHOWN = 40  # episodes left out that are named; sweep.json has all


def add(command: Callable[..., argparse.ArgumentParser]) -> None:
    """Add the command to the parser."""
    added = command("import-sweep", _import, "read sweeps in the authors' published format as the rollouts of a run")
    added.add_argument("files", type=Path, nargs="+", metavar="FILE", help="a JSON file with episode_results")
    added.add_argument("--out", type=Path, required=True, metavar="DIR", help="run directory, new or prepared")
    added.add_argument("--domain", help="whose sweep it is (default: the file tells)")
    added.add_argument("--skip-bad", action="store_true", help="leave out episodes that cannot be used")


def _import(options: argparse.Namespace) -> None:
    from emodistill.runs import RunDir
    from emodistill.sweeps.read import read_sweep
    from emodistill.sweeps.store import store

    run = RunDir(options.out)
    known = run.scenarios() if run.path("scenarios.json").is_file() else {}
    sweep = read_sweep(options.files, options.domain, known, options.skip_bad)
    run.create()
    with run.lock():
        store(run, sweep)
    left = [f"{one.file}, episode {one.index}, left out: {one.reason}" for one in sweep.left_out]
    more = [f"and {len(left) - _SHOWN} more, all of them in {run.path('imported', 'sweep.json')}"]
    print("\n".join(left[:_SHOWN] + (more if len(left) > _SHOWN else [])), end="\n" if left else "", file=sys.stderr)
    print(_summary(sweep, run.root))


def _summary(sweep: "Sweep", root: Path) -> str:
    from emodistill.sweeps.store import counts

    found = counts(sweep)
    bare = sum(not any(text for _, text in scenario.facts) for scenario in sweep.scenarios)
    told = f" ({bare} without facts: neither the file nor a scenarios.json beside it tells any)" if bare else ""
    return (
        f"{len(sweep.played)} of {len(sweep.played) + len(sweep.left_out)} episodes imported: {sweep.domain}, "
        f"{len(sweep.scenarios)} scenarios{told}, from {', '.join(sweep.files)}\n"
        f"offers: {found['offers_stated']} as the files state them ({found['same']} of these our reader finds in the "
        f"words, too), {found['offers_read']} read from the words\n"
        f"outcomes: {found['outcomes_stated']} as the files state them, {found['outcomes_by_rules']} to be decided by "
        f"the run's rules\n"
        f"Go on with: emodistill run CONFIG --out {root}"
    )
