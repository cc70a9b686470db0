"""The `emodistill` command. Errors are one paragraph and an exit code: 2 bad input, 1 failed run, 130 stopped."""

import argparse
import json
import os
import sys
from collections.abc import Sequence
from pathlib import Path
from typing import TYPE_CHECKING

from emodistill import __version__, export, import_sweep, planning, reference, see, staging
from emodistill.audit import command as audit
from emodistill.errors import BadInput, RunFailed, Stopped

if TYPE_CHECKING:
    from emodistill.cluster.profiles import Profile
    from emodistill.config import Config


def main(arguments: Sequence[str] | None = None) -> int:
    """Parse, dispatch, and turn errors into an exit code."""
    options = _parser().parse_args(arguments)
    try:
        options.command(options)
        return 0
    except (BadInput, RunFailed, Stopped) as error:
        if options.debug:
            raise
        print(f"emodistill: {error}", file=sys.stderr)
        return error.exit_code
    except KeyboardInterrupt:
        print("emodistill: stopped. Give the same command again to go on.", file=sys.stderr)
        return Stopped.exit_code
    except BrokenPipeError:  # the reader of our output has gone, as `| head` does
        os.dup2(os.open(os.devnull, os.O_WRONLY), sys.stdout.fileno())
        return 0
    except OSError as error:
        print(f"emodistill: {error}. What is finished is kept; mend that and run again.", file=sys.stderr)
        return RunFailed.exit_code


def _parser() -> argparse.ArgumentParser:
    parser = argparse.ArgumentParser(
        prog="emodistill", description="Teach small language models when and how to show emotion in a negotiation."
    )
    parser.add_argument("--version", action="version", version=f"emodistill {__version__}")
    parser.add_argument("--debug", action="store_true", help="show tracebacks")
    commands = parser.add_subparsers(required=True, metavar="COMMAND")

    def command(name: str, function: object, text: str) -> argparse.ArgumentParser:
        added = commands.add_parser(name, help=text, description=text)
        added.set_defaults(command=function)
        return added

    for name, function, text in (
        ("run", _run, "run all stages of a configuration on this machine, resuming what is there"),
        ("launch", _launch, "submit all stages that are missing to Slurm, and return; the jobs need nobody to watch"),
        ("plan", planning.plan, "show stages, tasks, tokens, DeepSpeed and sbatch text; run nothing"),
    ):
        added = command(name, function, text)
        added.add_argument("config", type=Path, help="YAML file, see yaml/")
        added.add_argument(
            "--set",
            dest="overrides",
            action="append",
            default=[],
            metavar="a.b=VALUE",
            help="override one key; may be repeated",
        )
        added.add_argument("--profile", default="local", help="a file of slurm/profiles/, or a path (default: local)")
        added.add_argument("--out", type=Path, help="run directory (default: results/NAME)")
        if name == "plan":
            planning.add_options(added)
        else:
            added.add_argument("--fresh", action="store_true", help="redo the stages whose configuration has changed")
            added.add_argument("--until", metavar="STAGE", help="stop after this stage")
        if name == "launch":
            added.add_argument(
                "--allow-code-change", action="store_true", help="let queued jobs run with code edited after submission"
            )
            added.add_argument(
                "--prepare", action="store_true", help="only write the run directory, for slurm/*.sbatch by hand"
            )
    resume = command("resume", _resume, "launch again what a run still misses, with its recorded profile")
    resume.add_argument("--allow-code-change", action="store_true", help="as for launch")
    see.add(command)
    export.add(command)
    import_sweep.add(command)
    audit.add(command)
    reference.add(command)
    staging.add(command)
    verify = command("verify", _verify, "re-read every file of a run and name those that are damaged")
    verify.add_argument("--repair", action="store_true", help="remove what is damaged, and only that")
    report = command("report", _report, "write tables, figures and report.html again from the shards that are there")
    for added in (verify, report, resume):
        added.add_argument("dir", type=Path, help="run directory")
    simulator = command("simulator", None, "the simulator's known truth: the oracle's value, and what is heard")
    asked = simulator.add_subparsers(required=True, metavar="WHAT")
    oracle = asked.add_parser("oracle", help="exact expected returns on held-out scenarios, and their check by play")
    oracle.set_defaults(command=_simulator_oracle)
    oracle.add_argument("--domain", default="crad", help="default: crad")
    oracle.add_argument("--max-messages", type=int, default=30, metavar="N", help="of a negotiation (default: 30)")
    oracle.add_argument("--persona", default="vanilla", help="of the counterparty (default: vanilla)")
    oracle.add_argument("--episodes", type=int, default=4000, metavar="N", help="that check a policy (default: 4000)")
    hearing = asked.add_parser("hearing", help="confusion matrix of the heard emotions on the teacher's utterances")
    hearing.set_defaults(command=_simulator_hearing)
    for added in (oracle, hearing):
        added.add_argument("--seed", type=int, default=7, help="of scenarios and episodes (default: 7)")
        added.add_argument("--json", action="store_true", help="machine-readable")
    scenarios = command("scenarios", _scenarios, "what a scenario CSV gives: import recovers its rows and shows them")
    scenarios.add_argument("action", choices=("import",))
    scenarios.add_argument("file", type=Path, help="a CSV with a published header")
    scenarios.add_argument("--domain", help="refuse a file of another domain (default: the header tells)")
    scenarios.add_argument("--json", action="store_true", help="machine-readable, with all facts")
    scenarios.add_argument("--skip-bad", action="store_true", help="leave out rows that cannot be recovered")
    offer = command("offer", _offer, "the number that an utterance offers, or none")
    offer.add_argument("--domain", default="crad", help="whose unit to print (default: crad, days)")
    offer.add_argument("--json", action="store_true", help="offer, accepts and walks")
    offer.add_argument("text")
    return parser


def _run(options: argparse.Namespace) -> None:
    from emodistill.cluster.drive import drive
    from emodistill.cluster.plan import check
    from emodistill.cluster.profiles import load_profile
    from emodistill.stages import STAGES

    config, root = _asked(options)
    profile = load_profile(options.profile, tuple(STAGES))
    if options.until is not None and options.until not in STAGES:
        raise BadInput(f"--until {options.until}: there is no such stage. Stages: {', '.join(STAGES)}.")
    check(config, tuple(STAGES)[: tuple(STAGES).index(options.until or "tables") + 1])
    run = drive(
        config,
        root.absolute(),
        profile,
        options.fresh,
        options.until,
        lambda line: print(line, file=sys.stderr, flush=True),
    )
    table = run.path("tables", "main.md")
    if table.is_file() and options.until in (None, "tables"):
        print(table.read_text(encoding="utf-8"), end="")
        print(f"\nReport: {_short(run.path('report.html'))}; its tables and figures: {_short(run.path('tables'))}, "
              f"{_short(run.path('figures'))}")  # fmt: skip


def _asked(options: argparse.Namespace) -> "tuple[Config, Path]":
    """The configuration that is asked for, with the sweep that was imported into its folder, and that folder."""
    from emodistill.config import with_absolute_paths
    from emodistill.configfile import load_config
    from emodistill.runs import RunDir
    from emodistill.sweeps.store import with_import

    config = with_absolute_paths(load_config(options.config, tuple(options.overrides)))
    root = options.out or Path("results") / config.name
    return with_import(config, RunDir(root)), root


def _launch(options: argparse.Namespace) -> None:
    from emodistill.cluster.begin import prepare
    from emodistill.cluster.profiles import load_profile
    from emodistill.stages import STAGES

    config, root = _asked(options)
    profile = load_profile(options.profile, tuple(STAGES))
    if options.prepare:
        prepare(config, root.absolute(), options.fresh)
        print(f"{root} is prepared. Submit its stages in order, for example: sbatch slurm/dataset.sbatch {root}")
    else:
        _submit(config, root, profile, options)


def _resume(options: argparse.Namespace) -> None:
    from emodistill.cluster.profiles import Profile
    from emodistill.cluster.record import launches
    from emodistill.configfile import validate
    from emodistill.runs import RunDir

    run = RunDir.existing(options.dir)
    former = launches(run)
    if not former:
        raise BadInput(f"{options.dir} was never launched. Use: emodistill launch CONFIG --profile P --out DIR.")
    options.fresh, options.until = False, None
    _submit(run.config(), options.dir, validate(Profile, former[-1].profile, str(former[-1].path)), options)


def _submit(config: "Config", root: Path, profile: "Profile", options: argparse.Namespace) -> None:
    from emodistill.cluster.launch import launch
    from emodistill.cluster.plan import check
    from emodistill.stages import STAGES

    if options.until is not None and options.until not in STAGES:
        raise BadInput(f"--until {options.until}: there is no such stage. Stages: {', '.join(STAGES)}.")
    check(config, tuple(STAGES)[: tuple(STAGES).index(options.until or "tables") + 1])
    say = lambda line: print(line, file=sys.stderr, flush=True)  # noqa: E731
    made = launch(config, root.absolute(), profile, options.fresh, options.until, options.allow_code_change, say)
    jobs = sum(len(submission.bundles) for submission in made)
    print(
        f"{jobs} job(s) submitted in {len(made)} array(s). See them with: emodistill status {root}"
        if made
        else f"Nothing to submit: what is missing in {root} is in the queue, or nothing is."
    )


def _verify(options: argparse.Namespace) -> None:
    from emodistill.runs import RunDir
    from emodistill.verify import repair, verify

    run = RunDir.existing(options.dir)
    found = verify(run)
    lines = [f"{problem} ({problem.mend})" for problem in found]
    if found and options.repair:
        with run.lock():
            repair(run, found)
        print("\n".join([*lines, "That is mended; give the run's command again to make anew what was removed."]))
    elif found:
        advice = f"Mend them with: emodistill verify {options.dir} --repair, and give the run's command again."
        raise RunFailed("\n".join([f"{len(lines)} problem(s) in {options.dir}:", *lines, advice]))
    else:
        print(f"{options.dir}: every recorded file is whole.")


def _report(options: argparse.Namespace) -> None:
    from emodistill.kinds import refuse_audit
    from emodistill.models import require
    from emodistill.report.build import report
    from emodistill.runs import RunDir

    require("matplotlib")
    run = RunDir.existing(options.dir)
    refuse_audit(run)
    report(run, run.config())
    print(run.path("tables", "main.md").read_text(encoding="utf-8"), end="")


def _simulator_oracle(options: argparse.Namespace) -> None:
    from emodistill.domains.base import PERSONAS
    from emodistill.records import Rules
    from emodistill.simulator.measure import measure_oracle, render_oracle

    if options.persona not in PERSONAS:
        raise BadInput(f"--persona {options.persona}: there is no such persona. Known: {', '.join(PERSONAS)}.")
    if options.max_messages < 2 or options.episodes < 2:
        raise BadInput("--max-messages and --episodes: give whole numbers from 2 upwards.")
    rules = Rules(max_messages=options.max_messages)
    found = measure_oracle(options.domain, rules, options.persona, options.episodes, options.seed)
    print(json.dumps(found) if options.json else render_oracle(found))


def _simulator_hearing(options: argparse.Namespace) -> None:
    from emodistill.simulator.measure import measure_hearing, render_hearing

    found = measure_hearing(options.seed)
    print(json.dumps(found) if options.json else render_hearing(found))


def _scenarios(options: argparse.Namespace) -> None:
    from emodistill.domains import DOMAINS, domain_named
    from emodistill.domains.importer import import_file
    from emodistill.domains.listing import render, summary

    key = None if options.domain is None else domain_named(options.domain).key
    found = import_file(options.file, DOMAINS.values(), key, options.skip_bad)
    print(json.dumps(summary(found), indent=2, ensure_ascii=False) if options.json else render(found))


def _offer(options: argparse.Namespace) -> None:
    from dataclasses import asdict

    from emodistill.domains import domain_named
    from emodistill.rollout.offers import read

    found = read(options.text, domain_named(options.domain).quantity)
    if options.json:
        print(json.dumps(asdict(found)))
    else:
        print("none" if found.offer is None else f"{found.offer:g}")


def _short(path: Path) -> str:
    return str(path.relative_to(Path.cwd())) if path.is_relative_to(Path.cwd()) else str(path)
