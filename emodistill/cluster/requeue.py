"""The end of every job's script: `python -m emodistill.cluster.requeue CODE`, with the code that srun ended with.

A job that saved and stopped (time limit, preemption, SIGTERM), crashed or was killed goes back into the queue; the
tasks count how often they are begun (attempts.py), so this ends. One that is done, was given bad input, or was
cancelled by its user stays as it is.
"""

import os
import sys
import time

from emodistill.cluster.job import GIVEN_UP
from emodistill.cluster.slurm import ask, state_of
from emodistill.errors import BadInput, RunFailed

_RESTARTS = 1000  # more than this no job needs
_FINAL = frozenset({0, BadInput.exit_code, GIVEN_UP})


def main(code: int) -> int:
    """Requeue this job if it should go on; else the code it ends with."""
    job = os.environ["SLURM_JOB_ID"]
    if code in _FINAL or int(os.environ.get("SLURM_RESTART_COUNT", "0")) >= _RESTARTS:
        return code
    try:
        state = state_of(job)
        if state != "RUNNING":  # CANCELLED by the user; a preempted job is requeued by Slurm itself
            return code
        ask(["scontrol", "requeue", job])
    except (BadInput, RunFailed) as error:
        print(f"emodistill: this job ended with {code} and could not be requeued. {error}", file=sys.stderr)
        return code
    time.sleep(600)  # until Slurm ends this script
    return code


if __name__ == "__main__":
    sys.exit(main(int(sys.argv[1])))
