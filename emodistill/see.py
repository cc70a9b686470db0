"""The commands that look at a run, and the one that stops it: status, logs, cancel, cost, ope."""

import argparse
import json
from collections.abc import Callable
from pathlib import Path

from emodistill.errors import BadInput


def add(command: Callable[..., argparse.ArgumentParser]) -> None:
    """Add the commands to a parser; `command(name, function, text)` makes one."""
    status = command("status", _status, "what is done, runs, waits and failed, errors, speed and time for each stage")
    how = status.add_mutually_exclusive_group()
    how.add_argument("--json", action="store_true", help="machine-readable")
    how.add_argument("--watch", action="store_true", help="again and again, until nothing of it runs any more")
    logs = command("logs", _logs, "the end of the job logs: of the latest job of each stage, or those asked for")
    logs.add_argument("--stage", help="of this stage alone")
    which = logs.add_mutually_exclusive_group()
    which.add_argument("--task", metavar="T", help="of the job that does this task")
    which.add_argument("--shard", type=int, metavar="K", help="the same, by the number of a shard")
    logs.add_argument("--failed", action="store_true", help="of jobs that failed, or whose task was given up")
    logs.add_argument("-f", "--follow", action="store_true", help="go on with what is added, until Ctrl-C")
    logs.add_argument("--lines", type=int, default=20, metavar="N", help="of each file (default: 20)")
    cancel = command("cancel", _cancel, "take everything of a run out of Slurm's queue; what is finished is kept")
    cost = command(
        "cost", _cost, "what the jobs took, beside what they asked for, by Slurm's accounting; tokens and money"
    )
    cost.add_argument("--json", action="store_true", help="machine-readable")
    ope = command("ope", _ope, "what the trained selector would return, estimated from the sweep alone")
    for added in (status, logs, cancel, cost, ope):
        added.add_argument("dir", type=Path, help="run directory")


def _ope(options: argparse.Namespace) -> None:
    from emodistill.models import require
    from emodistill.report.offpolicy import off_policy
    from emodistill.runs import RunDir

    require("torch")
    run = RunDir.existing(options.dir)
    print(off_policy(run, run.config())[0].read_text(encoding="utf-8"), end="")


def _status(options: argparse.Namespace) -> None:
    from emodistill.cluster.screen import redraw, render, watch
    from emodistill.cluster.status import summary
    from emodistill.runs import RunDir

    run = RunDir.existing(options.dir)
    if options.watch:
        try:
            watch(run, redraw)
        except KeyboardInterrupt:
            print()
        return
    found = summary(run)
    print(json.dumps(found, indent=2) if options.json else render(found))


def _logs(options: argparse.Namespace) -> None:
    from emodistill.cluster.logs import Wanted, follow, jobs, show
    from emodistill.runs import RunDir

    if options.lines < 1:
        raise BadInput("--lines: give a whole number from 1 upwards.")
    run = RunDir.existing(options.dir)
    task = options.task if options.shard is None else f"shard-{options.shard:05d}"
    wanted = Wanted(options.stage, task, options.failed)

    def say(text: str) -> None:
        print(text, flush=True)

    if options.follow:
        try:
            follow(run, wanted, options.lines, say)
        except KeyboardInterrupt:
            print()
    elif found := jobs(run, wanted):
        show(run, found, options.lines, say)
    else:
        print(f"No job of that kind{' failed' if options.failed else ' has a log'} in {options.dir}.")


def _cancel(options: argparse.Namespace) -> None:
    from emodistill.cluster.cancel import cancel, render
    from emodistill.runs import RunDir

    run = RunDir.existing(options.dir)
    print(render(run, cancel(run)))


def _cost(options: argparse.Namespace) -> None:
    from emodistill.cluster.cost import cost, render
    from emodistill.runs import RunDir

    found = cost(RunDir.existing(options.dir))
    print(json.dumps(found, indent=2) if options.json else render(found))
