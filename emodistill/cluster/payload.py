"""What a Slurm job starts with: submitit's own entry, once it is sure that only we can have written what it unpickles.

A pickle runs what is in it. Folders on a cluster are often open to a group, so that is looked at, not hoped for.
"""

import sys
from pathlib import Path

from emodistill.errors import BadInput
from emodistill.files import others_can_write


def check(folder: Path, payload: Path) -> None:
    """`BadInput` if anybody but us or root could have put the job's pickle into that folder.

    It may not be there yet; who can put it there later can write to the folder.
    """
    for path in (folder, payload):
        if (path is folder or path.exists()) and others_can_write(path):
            raise BadInput(
                f"{path} belongs to another user, or others can write to it, so a job of it could run their code as "
                f"you. Delete {folder} and give the launch again."
            )


def main() -> None:
    """Check, then hand over to submitit."""
    from submitit.core.job_environment import JobEnvironment
    from submitit.core.utils import JobPaths

    try:
        check(folder := Path(sys.argv[1]), JobPaths(folder, JobEnvironment().job_id).submitted_pickle)
    except (BadInput, OSError) as error:
        print(f"emodistill: {error}", file=sys.stderr, flush=True)
        sys.exit(BadInput.exit_code)
    from submitit.core.submission import submitit_main

    submitit_main()


if __name__ == "__main__":
    main()
