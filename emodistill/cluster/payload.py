"""What a Slurm job starts with: submitit's own entry, once it is sure that only we can have written what it unpickles.

A pickle runs what is in it. Folders on a cluster are often open to a group, so that is looked at, not hoped for.
"""

import sys
from pathlib import Path

from emodistill.errors import BadInput
from emodistill.files import others_can_write


def check(folder: Path) -> None:
    """`BadInput` if anybody but us or root could have put a job's pickles into that folder."""
    for path in (folder, *folder.glob("*_submitted.pkl")):
        if others_can_write(path):
            raise BadInput(
                f"{path} belongs to another user, or others can write to it, so a job of it could run their code as "
                f"you. Delete {folder} and give the launch again."
            )


def main() -> None:
    """Check, then hand over to submitit."""
    try:
        check(Path(sys.argv[1]))
    except (BadInput, OSError) as error:
        print(f"emodistill: {error}", file=sys.stderr, flush=True)
        sys.exit(BadInput.exit_code)
    from submitit.core.submission import submitit_main

    submitit_main()


if __name__ == "__main__":
    main()
