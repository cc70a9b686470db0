"""Files that are whole or absent: write to a temporary name, sync, rename."""

import hashlib
import json
import os
import shutil
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from pathlib import Path
from typing import Any


def replace_atomically(path: Path, write: Callable[[Path], object]) -> None:
    """`write` fills a temporary file beside `path`, which then takes its place in one step."""
    path.parent.mkdir(parents=True, exist_ok=True)
    temporary = path.with_name(f".{path.name}.{os.getpid()}.tmp")
    try:
        write(temporary)
        with temporary.open("rb+") as file:
            os.fsync(file.fileno())
        os.replace(temporary, path)
    finally:
        temporary.unlink(missing_ok=True)
    sync_folder(path.parent)


def sync_folder(folder: Path) -> None:
    """Make a rename in `folder` durable."""
    handle = os.open(folder, os.O_RDONLY)
    try:
        os.fsync(handle)
    finally:
        os.close(handle)


def sync_tree(folder: Path) -> None:
    """Make everything below a folder durable."""
    for path in folder.rglob("*"):
        if path.is_file():
            with path.open("rb+") as file:
                os.fsync(file.fileno())
    sync_folder(folder)


@contextmanager
def new_folder(folder: Path) -> Iterator[Path]:
    """A temporary folder to fill, which takes the place of `folder`, absent or empty, at the end; or is deleted."""
    folder.parent.mkdir(parents=True, exist_ok=True)
    temporary = folder.with_name(f".{folder.name}.{os.getpid()}.tmp")
    try:
        temporary.mkdir()
        yield temporary
        sync_tree(temporary)
        temporary.rename(folder)
    finally:
        shutil.rmtree(temporary, ignore_errors=True)
    sync_folder(folder.parent)


def write_text(path: Path, text: str) -> None:
    """Write a text file atomically."""
    replace_atomically(path, lambda temporary: temporary.write_text(text, encoding="utf-8"))


def write_json(path: Path, data: Any) -> None:
    """Write indented JSON atomically."""
    write_text(path, json.dumps(data, indent=2, ensure_ascii=False) + "\n")


_SEAL = ',\n  "sha256": "{}"\n}}\n'  # the last entry of a sealed file: checksum of the bytes before it


def write_sealed(path: Path, data: dict[str, Any]) -> None:
    """Write a JSON mapping atomically, with a checksum of its text as the last entry."""
    before = json.dumps(data, indent=2, ensure_ascii=False).removesuffix("\n}")
    write_text(path, before + _SEAL.format(hashlib.sha256(before.encode()).hexdigest()))


def read_sealed(path: Path | str) -> dict[str, Any]:
    """What `write_sealed` wrote; `ValueError` if it is anything else."""
    with open(path, "rb", buffering=0) as file:  # noqa: PTH123  a status reads 20,000
        text = file.read()
    before = text[: -len(_SEAL.format("0" * 64))]
    if text != before + _SEAL.format(hashlib.sha256(before).hexdigest()).encode():
        raise ValueError("its checksum differs")
    data: dict[str, Any] = json.loads(text)
    del data["sha256"]
    return data


def sha256(path: Path) -> str:
    """Checksum of a file's bytes."""
    with path.open("rb") as file:
        return hashlib.file_digest(file, "sha256").hexdigest()
