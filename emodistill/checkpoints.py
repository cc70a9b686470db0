"""Checkpoints of training: folders whose seal says how they were written and holds each file's checksum."""

from collections.abc import Iterator
from pathlib import Path
from typing import Any

from emodistill import files

_SEAL = "checkpoint.json"


def seal(folder: Path, layout: dict[str, Any]) -> None:
    """The last file of a checkpoint; `layout`: what its pieces depend on."""
    names = sorted(str(path.relative_to(folder)) for path in folder.rglob("*") if path.is_file())
    files.write_sealed(folder / _SEAL, {"layout": layout, "files": {n: files.sha256(folder / n) for n in names}})


def layout(folder: Path) -> dict[str, Any]:
    """What a whole checkpoint was written with."""
    found: dict[str, Any] = files.read_sealed(folder / _SEAL)["layout"]
    return found


def damages(folder: Path) -> Iterator[tuple[Path, str]]:
    """Each file that is not as it was written, and what is wrong with it."""
    try:
        recorded = files.read_sealed(folder / _SEAL)["files"]
    except FileNotFoundError:
        yield folder / _SEAL, "missing"
        return
    except ValueError as error:
        yield folder / _SEAL, str(error)
        return
    for name, expected in recorded.items():
        path = folder / name
        if not path.is_file():
            yield path, f"missing, {_SEAL} names it"
        elif files.sha256(path) != expected:
            yield path, f"its checksum differs from the one in {_SEAL}"


def folder_of(path: Path) -> Path:
    """The checkpoint that a file lies in."""
    return next(parent for parent in path.parents if parent.name.startswith("step-"))
