"""The command line all stage scripts share."""

import argparse
import sys
from pathlib import Path

from emodistill.cluster.job import EXIT
from emodistill.errors import BadInput, Stopped
from emodistill.execute import run_tasks
from emodistill.runs import RunDir
from emodistill.stages import STAGES

_EXIT = {**EXIT, "stopped": Stopped.exit_code}


def main(stage: str) -> int:
    """Run some or all tasks of `stage` in this process; tasks that are done are skipped."""
    parser = argparse.ArgumentParser(prog=f"python -m jobs.{stage}", description=f"Run tasks of the stage {stage}.")
    parser.add_argument(
        "--run",
        type=Path,
        required=True,
        help="run directory that `emodistill run` or `launch` has begun",
    )
    which = parser.add_mutually_exclusive_group()
    which.add_argument(
        "--shard", type=int, metavar="K", help="the stage's K-th task (an array index); default: all tasks"
    )
    which.add_argument("--task", help="a task by name, for example a variant")
    options = parser.parse_args()
    try:
        tasks = STAGES[stage].tasks(RunDir.existing(options.run).config())
    except BadInput as error:
        print(f"jobs.{stage}: {error}", file=sys.stderr)
        return error.exit_code
    if options.shard is not None:
        if not 0 <= options.shard < len(tasks):
            print(
                f"jobs.{stage}: --shard {options.shard}: the stage has the tasks 0 to {len(tasks) - 1}.",
                file=sys.stderr,
            )
            return BadInput.exit_code
        tasks = (tasks[options.shard],)
    elif options.task is not None:
        tasks = (options.task,)
    outcome = run_tasks(str(options.run.absolute()), stage, tasks)
    if outcome.message:
        print(f"jobs.{stage}: {outcome.message}", file=sys.stderr)
    return _EXIT[outcome.kind]
