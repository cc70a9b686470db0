"""`emodistill plan`: what a run would do; with --power, how many scenarios and seeds show a difference."""

import argparse
from collections.abc import Callable
from pathlib import Path
from typing import TYPE_CHECKING

from emodistill import running
from emodistill.errors import BadInput

if TYPE_CHECKING:
    from emodistill.config import Config
    from emodistill.report.power import Components

SEEDS = (1, 3, 5, 10, 20)


def add(command: Callable[..., argparse.ArgumentParser]) -> None:
    """Add the command to a parser."""
    added = command("plan", _plan, "show stages, tasks, tokens, DeepSpeed and sbatch text; run nothing")
    running.add_config(added, "run directory (default: results/NAME, with --audit results/NAME-audit)")
    added.add_argument("--audit", action="store_true", help="of `emodistill audit` with this configuration")
    added.add_argument(
        "--power", type=float, metavar="D", help="instead: scenarios and seeds that show D points of utility"
    )
    added.add_argument("--pilot", type=Path, metavar="DIR", help="finished run with the spread (default: as --out)")


def _plan(options: argparse.Namespace) -> None:
    """Print the plan, or what the difference needs."""
    from emodistill.audit import stage as audit
    from emodistill.cluster.plan import render
    from emodistill.cluster.profiles import load_profile
    from emodistill.configfile import load_config
    from emodistill.runs import RunDir
    from emodistill.stages import STAGES
    from emodistill.sweeps.store import with_import

    config = load_config(options.config, tuple(options.overrides))
    root = options.out or Path("results") / f"{config.name}{'-audit' if options.audit else ''}"
    config = with_import(config, RunDir(root))
    if options.power is not None:
        print(_power(options.power, options.pilot or root, config))
        return
    if options.pilot is not None:
        raise BadInput("--pilot is for --power: give --power D, the difference in utility that you want to see.")
    stages = audit.STAGES if options.audit else STAGES
    print(render(config, load_profile(options.profile), root, stages), end="")


def _power(difference: float, folder: Path, config: "Config") -> str:
    from emodistill.report.pilot import pilot
    from emodistill.runs import RunDir

    if not 0 < difference <= 100:
        raise BadInput(f"--power {difference:g}: give a difference in utility, above 0 and up to 100 points.")
    if not (folder / "config.yaml").is_file():
        raise BadInput(
            f"--power needs the spread of a pilot, and {folder} holds no run. Run one first, with few seeds "
            "(emodistill run CONFIG --set evaluate.seeds=3, or emodistill audit), and name its folder with --pilot."
        )
    return power_text(difference, pilot(RunDir.existing(folder)), folder, config)


def power_text(difference: float, found: "dict[str, Components]", folder: Path, config: "Config") -> str:
    """The scenarios that are needed, by comparison and seeds, and what the configuration's own size can see."""
    from emodistill.plain import table
    from emodistill.report.power import LEVEL, POWER, power, power_rows

    scenarios, seeds = config.scenarios.held_out * len(config.scenarios.domains), config.evaluate.seeds
    head, *rows = power_rows(difference, found, SEEDS)
    here = [f"{power(difference, of, scenarios, seeds):.0%}" for of in found.values()]
    made = [(*row, chance) for row, chance in zip(rows, here, strict=True)]
    lines = table((*head, f"power at {scenarios} × {seeds}"), made, head[:1])
    return "\n".join([
        f"Held-out scenarios (of all domains together) that show a difference of {difference:g} points of utility with "
        f"{POWER:.0%} power, at {LEVEL:.0%}, two-sided, paired by scenario and seed; spread from {folder}:",
        "",
        *lines,
        "",
        f"Last column: the power of {config.name} as it is configured, {scenarios} scenarios × {seeds} seeds. More "
        "seeds take away the spread within scenarios alone, so beyond some number only more scenarios help. The "
        "spread is itself an estimate: a pilot of few scenarios is a rough guide.",
    ])  # fmt: skip
