"""Files that are whole or absent: write to a temporary name, sync, rename."""

import hashlib
import json
import os
import shutil
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from dataclasses import fields
from functools import cache
from pathlib import Path
from typing import Any, TypeVar, get_args, get_origin

from emodistill.errors import shown

T = TypeVar("T")

_UMASK = os.umask(0o077)
os.umask(_UMASK)
_MODE = 0o666 & ~_UMASK  # of a finished file


def replace_atomically(path: Path, write: Callable[[Path], object]) -> None:
    """`write` fills a temporary file beside `path`, which then takes its place in one step."""
    path.parent.mkdir(parents=True, exist_ok=True)
    temporary = path.with_name(f".{path.name}.{os.getpid()}.tmp")
    try:
        temporary.unlink(missing_ok=True)  # of a killed process that had this number
        os.close(os.open(temporary, os.O_CREAT | os.O_EXCL | os.O_WRONLY, 0o600))  # ours alone; follows no link
        write(temporary)
        with temporary.open("rb+") as file:
            os.fchmod(file.fileno(), _MODE)
            os.fsync(file.fileno())
        os.replace(temporary, path)
    finally:
        temporary.unlink(missing_ok=True)
    sync_folder(path.parent)


def others_can_write(path: Path) -> bool:
    """Whether somebody else could have put there what is in it: another owner than us or root, or open to others."""
    found = path.stat()
    return found.st_uid not in (os.geteuid(), 0) or bool(found.st_mode & 0o022)


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
    data: dict[str, Any] = loads(text)
    del data["sha256"]
    return data


def loads(text: str | bytes) -> Any:
    """What a JSON text holds; `ValueError` for anything else, however deep."""
    try:
        return json.loads(text)
    except RecursionError:
        raise ValueError("it is nested too deeply") from None


def record(kind: type[T], data: Any) -> T:
    """A dataclass of JSON values; `ValueError` if a field is missing, unknown, or of another type.

    A checksum says that a file is as it was written, not that we wrote it.
    """
    try:
        made = kind(**data)
    except TypeError as error:
        raise ValueError(f"it is no {kind.__name__.lower()}: {shown(str(error))}") from None
    for name, fits in _checks(kind):  # type: ignore[arg-type]  # a class can be hashed
        if not fits(getattr(made, name)):
            raise ValueError(f"its {name} is of the wrong kind")
    return made


def inside(name: str) -> bool:
    """Whether a file's name, relative to a folder, stays in that folder."""
    parts = [part for part in name.split("/") if part not in ("", ".")]
    return bool(parts) and ".." not in parts and not name.startswith("/") and name.isprintable()


@cache
def _checks(kind: Any) -> list[tuple[str, Callable[[Any], bool]]]:
    """Each field of a dataclass, and whether a value is of its type; a status asks 20,000 times."""
    return [(field.name, _check(field.type)) for field in fields(kind)]


def _check(kind: Any) -> Callable[[Any], bool]:
    origin = get_origin(kind)
    if origin is dict:
        of = _check(get_args(kind)[1])
        return lambda value: isinstance(value, dict) and all(isinstance(k, str) and of(v) for k, v in value.items())
    if kind in (int, float):
        return lambda value: type(value) in (int, kind)  # no bool
    return lambda value: kind is Any or isinstance(value, origin or kind)


def sha256(path: Path) -> str:
    """Checksum of a file's bytes."""
    with path.open("rb") as file:
        return hashlib.file_digest(file, "sha256").hexdigest()
