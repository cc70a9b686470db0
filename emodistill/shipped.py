"""Files that the suite ships beside its package: the folders slurm/ and yaml/ of the clone it is installed from."""

from pathlib import Path

from emodistill.errors import BadInput

_ROOT = Path(__file__).parents[1]


def shipped(folder: str) -> Path:
    """A folder of the clone, such as slurm/profiles; `BadInput` if the package was installed without it."""
    path = _ROOT / folder
    if not path.is_dir():
        raise BadInput(
            f"The folder {folder} is missing beside the package, in {_ROOT}: only a clone holds it. "
            "Clone the repository and install from there, with pip install -e . (not without -e)."
        )
    return path
