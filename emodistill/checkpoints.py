"""Checkpoints of training: folders whose seal says how they were written and holds each file's checksum.

One is used only if it is whole and nobody else can have made it.
"""

import logging
import os
import shutil
from collections.abc import Iterator
from pathlib import Path
from typing import Any

from emodistill import files
from emodistill.errors import BadInput

_SEAL = "checkpoint.json"
_log = logging.getLogger(__name__)


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


def newest_whole(folder: Path) -> str | None:
    """The newest checkpoint's name; those that are damaged, and what a kill left half-written, are removed."""
    for leftover in folder.glob("tmp-*"):
        shutil.rmtree(leftover)
    lost = []
    for path in sorted(folder.glob("step-*"), reverse=True):
        damage = next(damages(path), None)
        if damage is None:
            break
        lost.append(damage)
        remove(path)
    whole = max((path.name for path in folder.glob("step-*")), default=None)
    for damaged, what in lost:
        _log.warning("%s: %s. Training goes on from %s.", damaged, what, whole or "the start")
    return whole


def remove(checkpoint: Path) -> None:
    """Under another name first, so that none is ever half there."""
    temporary = checkpoint.with_name(f"tmp-{checkpoint.name}")
    os.replace(checkpoint, temporary)
    shutil.rmtree(temporary)


def check_owner(checkpoint: Path) -> None:
    """DeepSpeed unpickles its checkpoints, which runs what is in them: `BadInput` unless only we can have made it."""
    for path in (checkpoint, *sorted(checkpoint.rglob("*"))):
        if files.others_can_write(path):
            raise BadInput(
                f"{path} belongs to another user, or others can write to it, and a checkpoint can run code when it is "
                f"read. Delete {checkpoint.parent} to train from the start; or, if all of it is yours, take it over "
                "with chown -R and chmod -R go-w."
            )
