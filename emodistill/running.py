"""The commands that do a run: run, launch, resume; and what all commands share that take a configuration."""

import argparse
import sys
from collections.abc import Callable, Mapping
from pathlib import Path
from typing import TYPE_CHECKING

from emodistill.errors import BadInput, shown

if TYPE_CHECKING:
    from emodistill.cluster.profiles import Profile
    from emodistill.config import Config
    from emodistill.stages import Stage

_RUN_DIR = "run directory (default: results/NAME)"


def add(command: Callable[..., argparse.ArgumentParser]) -> None:
    """Add the commands to a parser; `command(name, function, text)` makes one."""
    run = command("run", _run, "run all stages of a configuration on this machine, resuming what is there")
    launch = command(
        "launch", _launch, "submit all stages that are missing to Slurm, and return; the jobs need nobody to watch"
    )
    for added in (run, launch):
        add_config(added, _RUN_DIR)
        added.add_argument("--until", metavar="STAGE", help="stop after this stage")
    run.add_argument("--fresh", action="store_true", help=_FRESH)
    add_again(launch)
    launch.add_argument(
        "--prepare", action="store_true", help="only write the run directory, for slurm/*.sbatch by hand"
    )
    resume = command("resume", _resume, "launch again what a run still misses, with its recorded profile")
    resume.add_argument("--allow-code-change", action="store_true", help="as for launch")
    resume.add_argument("dir", type=Path, help="run directory")


_FRESH = "redo the stages whose configuration has changed"


def add_config(parser: argparse.ArgumentParser, out: str = _RUN_DIR) -> None:
    """The configuration, and where it is done."""
    parser.add_argument("config", type=Path, help="YAML file, see yaml/")
    parser.add_argument(
        "--set", dest="overrides", action="append", default=[], metavar="a.b=VALUE",
        help="override one key; may be repeated",
    )  # fmt: skip
    parser.add_argument("--profile", default="local", help="a file of slurm/profiles/, or a path (default: local)")
    parser.add_argument("--out", type=Path, help=out)


def add_again(parser: argparse.ArgumentParser) -> None:
    """What may be redone, or gone on with, though something has changed."""
    parser.add_argument("--fresh", action="store_true", help=_FRESH)
    parser.add_argument(
        "--allow-code-change", action="store_true", help="let queued jobs run with code edited after submission"
    )


def asked(options: argparse.Namespace) -> "tuple[Config, Path]":
    """The configuration that is asked for, with the sweep that was imported into its folder, and that folder."""
    from emodistill.config import with_absolute_paths
    from emodistill.configfile import load_config
    from emodistill.runs import RunDir
    from emodistill.sweeps.store import with_import

    config = with_absolute_paths(load_config(options.config, tuple(options.overrides)))
    root = options.out or Path("results") / config.name
    if root.exists() and not root.is_dir():
        raise BadInput(f"{root} is no folder. Name another one with --out.")
    return with_import(config, RunDir(root)), root


def check_stages(config: "Config", profile: "Profile", stages: "Mapping[str, Stage]", until: str | None) -> None:
    """`BadInput` if something that these stages need is not there, or there is no such `until`."""
    from emodistill.cluster.plan import check

    names = list(stages)
    if until is not None and until not in names:
        raise BadInput(f"--until {shown(until)}: there is no such stage. Stages: {', '.join(names)}.")
    check(config, profile, names[: names.index(until or names[-1]) + 1])


def submit(
    config: "Config", root: Path, profile: "Profile", fresh: bool, until: str | None, allow_code_change: bool,
    stages: "Mapping[str, Stage]",
) -> None:  # fmt: skip
    """Check, launch, and say what was submitted."""
    from emodistill.cluster.launch import launch

    check_stages(config, profile, stages, until)
    made = launch(config, root.absolute(), profile, fresh, until, allow_code_change, say, stages)
    jobs = sum(len(submission.bundles) for submission in made)
    print(
        f"{jobs} job(s) submitted in {len(made)} array(s). See them with: emodistill status {root}"
        if made
        else f"Nothing to submit: what is missing in {root} is in the queue, or nothing is."
    )


def say(line: str) -> None:
    """How a long command tells where it is."""
    print(line, file=sys.stderr, flush=True)


def _run(options: argparse.Namespace) -> None:
    from emodistill.cluster.drive import drive
    from emodistill.cluster.profiles import load_profile
    from emodistill.stages import STAGES

    config, root = asked(options)
    profile = load_profile(options.profile)
    check_stages(config, profile, STAGES, options.until)
    run = drive(config, root.absolute(), profile, options.fresh, options.until, say)
    table = run.path("tables", "main.md")
    if options.until not in (None, "tables"):
        say(f"All stages up to {options.until} are done. See: emodistill status {_short(run.root)}")
    elif table.is_file():
        print(table.read_text(encoding="utf-8"), end="")
        print(f"\nReport: {_short(run.path('report.html'))}; its tables and figures: {_short(run.path('tables'))}, "
              f"{_short(run.path('figures'))}")  # fmt: skip


def _launch(options: argparse.Namespace) -> None:
    from emodistill.cluster.begin import prepare
    from emodistill.cluster.profiles import load_profile
    from emodistill.stages import STAGES

    config, root = asked(options)
    profile = load_profile(options.profile)
    if options.prepare:
        prepare(config, root.absolute(), options.fresh)
        print(f"{root} is prepared. Submit its stages in order, for example: sbatch slurm/dataset.sbatch {root}")
    else:
        submit(config, root, profile, options.fresh, options.until, options.allow_code_change, STAGES)


def _resume(options: argparse.Namespace) -> None:
    from emodistill.cluster.profiles import Profile
    from emodistill.cluster.record import launches
    from emodistill.configfile import validate
    from emodistill.kinds import stages_of
    from emodistill.runs import RunDir

    run = RunDir.existing(options.dir)
    former = launches(run)
    if not former:
        raise BadInput(
            f"{options.dir} was never launched. Use: emodistill launch CONFIG --profile P --out DIR, or for an audit "
            "emodistill audit with the same options."
        )
    profile = validate(Profile, former[-1].profile, str(former[-1].path))
    submit(run.config(), options.dir, profile, False, None, options.allow_code_change, stages_of(run))


def _short(path: Path) -> str:
    return str(path.relative_to(Path.cwd())) if path.is_relative_to(Path.cwd()) else str(path)
