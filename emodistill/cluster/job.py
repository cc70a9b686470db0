"""What one Slurm job does: the function submitit calls, and the exit codes that slurm/requeue.sh understands."""

import random
import sys
import time
from collections.abc import Sequence

from emodistill.code import code_digest
from emodistill.errors import BadInput, RunFailed
from emodistill.execute import run_tasks

STOPPED, GIVEN_UP = 75, 3  # 75 is EX_TEMPFAIL: saved, to be gone on with
EXIT = {
    "done": 0, "failed": RunFailed.exit_code, "bad_input": BadInput.exit_code, "given_up": GIVEN_UP, "stopped": STOPPED,
}  # fmt: skip


def run_job(root: str, stage: str, tasks: Sequence[str], code: str | None, stagger_s: float, lacking: bool) -> None:
    """Run the tasks in this job, and end the process with the outcome's code.

    `code`: the digest of the code this was submitted with, or None if it does not matter; `lacking`: see `run_tasks`.
    """
    if code is not None and code != code_digest():
        _end(
            BadInput.exit_code,
            f"{stage}: the code has changed since this job was submitted ({code} → {code_digest()}), and two versions "
            "do not make one run. Undo the edit, or launch again (--allow-code-change if results stay as they are).",
        )
    time.sleep(random.uniform(0, stagger_s))
    outcome = run_tasks(root, stage, tasks, lacking)
    if outcome.kind != "done":  # what waits for a bundle looks itself for what was given up
        _end(0 if outcome.kind == "given_up" and len(tasks) > 1 else EXIT[outcome.kind], outcome.message)


def _end(code: int, message: str) -> None:
    print(f"emodistill: {message}", file=sys.stderr, flush=True)
    sys.exit(code)
