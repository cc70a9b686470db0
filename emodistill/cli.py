"""The `emodistill` command. Errors are one paragraph and an exit code: 2 bad input, 1 failed run, 130 stopped."""

import argparse
import os
import sys
from collections.abc import Sequence
from pathlib import Path
from typing import Any

from emodistill import __version__, configpage, export, import_sweep, planning, running, see, staging, tools
from emodistill.audit import command as audit
from emodistill.errors import BadInput, RunFailed, Stopped


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


class CommandParser(argparse.ArgumentParser):
    """With `any_order`, options may stand anywhere among the names.

    Before Python 3.13 argparse else takes a name that may be left out for left out as soon as an option comes.
    """

    any_order = False

    def parse_known_args(self, args: Any = None, namespace: Any = None) -> tuple[Any, list[str]]:
        if not self.any_order:
            return super().parse_known_args(args, namespace)
        self.any_order = False  # what follows calls this again
        try:
            return self.parse_known_intermixed_args(args, namespace)
        finally:
            self.any_order = True


def _parser() -> argparse.ArgumentParser:
    parser = argparse.ArgumentParser(
        prog="emodistill", description="Teach small language models when and how to show emotion in a negotiation."
    )
    parser.add_argument("--version", action="version", version=f"emodistill {__version__}")
    parser.add_argument("--debug", action="store_true", help="show tracebacks")
    commands = parser.add_subparsers(required=True, metavar="COMMAND", parser_class=CommandParser)

    def command(name: str, function: object, text: str) -> argparse.ArgumentParser:
        added = commands.add_parser(name, help=text, description=text)
        added.set_defaults(command=function)
        return added

    running.add(command)
    planning.add(command)
    see.add(command)
    verify = command("verify", _verify, "re-read every file of a run and name those that are damaged")
    verify.add_argument("--repair", action="store_true", help="remove what is damaged, and only that")
    report = command("report", _report, "write tables, figures and report.html again from the shards that are there")
    for added in (verify, report):
        added.add_argument("dir", type=Path, help="run directory")
    export.add(command)
    import_sweep.add(command)
    audit.add(command)
    tools.add(command)
    configpage.add(command)
    staging.add(command)
    return parser


def _verify(options: argparse.Namespace) -> None:
    from emodistill.runs import RunDir
    from emodistill.verify import repair, unrecorded, verify

    run = RunDir.existing(options.dir)
    found = verify(run)
    lines = [f"{problem} ({problem.mend})" for problem in found]
    if found and options.repair:
        with run.lock():
            repair(run, found)
        again = "give the run's command again to make anew what was removed"
        again += " (emodistill ope: the off-policy table)" if any(problem.stage == "ope" for problem in found) else ""
        print("\n".join([*lines, f"That is mended; {again}."]))
    elif found:
        advice = f"Mend them with: emodistill verify {options.dir} --repair, and give the run's command again."
        raise RunFailed("\n".join([f"{len(lines)} problem(s) in {options.dir}:", *lines, advice]))
    else:
        print(f"{options.dir}: every recorded file is whole.")
    if left := unrecorded(run):
        print(f"No marker names these, so they are not checked: {', '.join(left)}")


def _report(options: argparse.Namespace) -> None:
    from emodistill.audit.findings import findings
    from emodistill.audit.write import write
    from emodistill.kinds import is_audit
    from emodistill.models import require
    from emodistill.report.build import report
    from emodistill.runs import RunDir

    require("matplotlib")
    run = RunDir.existing(options.dir)
    config = run.config()
    if is_audit(run):
        stage, table, made = "findings", "audit.md", write(run, findings(run, config))
    else:
        stage, table, made = "tables", "main.md", report(run, config).files
    run.remark(stage, "main", made)
    print(run.path("tables", table).read_text(encoding="utf-8"), end="")
