"""Columns to an HDF5 file and back. The only importer of h5py.

A table is named columns: numbers (a numpy array, its unit an attribute), codes into a short vocabulary (the labels an
attribute), or texts (HDF5 keeps `x` as `x.bytes`, gzip chunks of one byte buffer, and `x.lengths`). Nothing but
standard HDF5: h5dump and a bare h5py read it.

The file is made in memory and written in one go, to a temporary name, synced and renamed, so a reader never sees half
a file. HDF5's user block holds the CRC-32 of all that follows it. It is checked before HDF5 sees a byte, because
libhdf5 can crash on a damaged header; so a flipped byte is a `Damaged` file, never a changed number. A column costs its
own decompression and decoding only, but the whole file is read.
"""

import hashlib
import io
import json
import math
import os
import re
import sys
from collections.abc import Iterable, Iterator, Mapping, Sequence
from concurrent.futures import Future, ThreadPoolExecutor
from contextlib import contextmanager
from dataclasses import dataclass
from itertools import pairwise
from pathlib import Path
from typing import Any

import h5py
import numpy as np
from isal import isal_zlib

from emodistill import files
from emodistill.errors import RunFailed
from emodistill.files import replace_atomically
from emodistill.records import SCHEMA

_CHUNK = 1 << 20  # bytes of text compressed at once: long enough that threads seldom wait for the interpreter
_USER_BLOCK = 512  # bytes, the smallest HDF5 knows; text, so that `head` shows it
_CRC, _IDENTITY = b"crc32 %08x ", b"emodistill schema %d\n" % SCHEMA
_CRC_END = len(_CRC % 0)
_LEVEL = 1  # of isal's gzip: as small as zlib's first, and made in a third of the time
_TURN = 0.0005  # s; see `_quick_turns`
_INFLATION = 1100  # how many times gzip can shrink something, and a little
_BLOCK = 1024  # texts encoded at once
_UTF8 = ("utf-8", "surrogatepass")  # a model's reply may hold a lone surrogate


class Damaged(RunFailed):
    """A file whose content is not what was written: torn, cut short, or with flipped bytes."""


@dataclass(frozen=True, slots=True)
class Coded(Sequence[str]):
    """Words of a short vocabulary: `codes` [n], the smallest unsigned type, index into `labels`."""

    codes: np.ndarray
    labels: tuple[str, ...]

    @classmethod
    def of(cls, words: Sequence[str]) -> "Coded":
        """The vocabulary is what occurs, sorted."""
        labels = tuple(sorted(set(words)))
        index = {label: code for code, label in enumerate(labels)}
        return cls(_smallest(np.fromiter(map(index.__getitem__, words), np.int64, len(words))), labels)

    def __len__(self) -> int:
        return len(self.codes)

    def __getitem__(self, i: Any) -> Any:
        return self.labels[self.codes[i]]

    def __iter__(self) -> Iterator[str]:
        return map(self.labels.__getitem__, self.codes.tolist())


@dataclass(frozen=True, slots=True)
class Texts(Sequence[str]):
    """Texts as one UTF-8 `buffer` and where each starts: int64 [n + 1], in bytes. Decoded when asked for."""

    buffer: bytes
    starts: np.ndarray

    def __len__(self) -> int:
        return len(self.starts) - 1

    def __getitem__(self, i: Any) -> Any:
        if not 0 <= i < len(self):
            raise IndexError(i)
        return self.buffer[self.starts[i] : self.starts[i + 1]].decode(*_UTF8)

    def __iter__(self) -> Iterator[str]:
        if self.buffer.isascii():
            whole = self.buffer.decode()
            return (whole[a:b] for a, b in pairwise(self.starts.tolist()))
        return (self.buffer[a:b].decode(*_UTF8) for a, b in pairwise(self.starts.tolist()))


Column = np.ndarray | Coded | Texts
Table = Mapping[str, Any]


def write_table(
    path: Path, columns: Iterable[tuple[str, Column | Sequence[str]]], units: Mapping[str, str] | None = None
) -> None:
    """Write (name, column) pairs atomically; a plain sequence of str is text.

    Text is compressed by threads while later columns are still being made, so a generator should yield it first.
    """
    image = io.BytesIO()
    with (
        h5py.File(image, "w", userblock_size=_USER_BLOCK) as file,
        _quick_turns(),
        ThreadPoolExecutor(len(os.sched_getaffinity(0))) as pool,
    ):
        compressed = []
        for name, column in columns:
            for part, array, attributes in _parts(name, column, units or {}):
                if part.endswith(".bytes") and len(array):
                    dataset, chunks = _compress(file, part, array, pool)
                    compressed.append((dataset, chunks))
                else:
                    dataset = file.create_dataset(part, data=array)
                dataset.attrs.update(attributes)
        for dataset, chunks in compressed:
            for k, chunk in enumerate(chunks):
                dataset.id.write_direct_chunk((k * dataset.chunks[0],), chunk.result())
    whole = image.getbuffer()
    whole[_CRC_END:_USER_BLOCK] = _IDENTITY.ljust(_USER_BLOCK - _CRC_END)
    whole[:_CRC_END] = _CRC % isal_zlib.crc32(whole[_CRC_END:])
    replace_atomically(path, lambda temporary: temporary.write_bytes(whole))


@contextmanager
def _quick_turns() -> Iterator[None]:
    """Let threads have the interpreter soon. isal asks for it each time that its output grows, six times a chunk; at
    the usual 5 ms a turn it waits longer than it compresses, and nothing goes side by side."""
    before = sys.getswitchinterval()
    sys.setswitchinterval(_TURN)
    try:
        yield
    finally:
        sys.setswitchinterval(before)


@contextmanager
def open_table(path: Path) -> Iterator["Columns"]:
    """The columns of a file, each decoded when it is asked for.

    `Damaged` names a file that is not as it was written, `RunFailed` one that cannot be read or is of another schema.
    """
    try:
        whole = path.read_bytes()
    except OSError as error:
        raise RunFailed(f"{path} cannot be read: {error.strerror}.") from None
    if whole.startswith(b"\x89HDF"):
        raise RunFailed(f"{path} has schema 1, this version reads {SCHEMA}. Run with --fresh.")
    if whole[:_CRC_END] != _CRC % isal_zlib.crc32(memoryview(whole)[_CRC_END:]):
        raise Damaged(
            f"{path} is damaged: it is not what was written there. "
            "`emodistill verify --repair` removes bad files; then run again."
        )
    written = re.match(rb"emodistill schema (\d{1,9})\n", whole[_CRC_END:_USER_BLOCK])
    if written is None or int(written[1]) != SCHEMA:
        schema = written[1].decode() if written else "none"
        raise RunFailed(f"{path} has schema {schema}, this version reads {SCHEMA}. Run with --fresh.")
    with as_written(path):
        file = h5py.File(io.BytesIO(whole), "r")
    with file:
        yield Columns(file, path, _INFLATION * len(whole))


@contextmanager
def as_written(path: Path) -> Iterator[None]:
    """A file that is whole, but holds no table of ours, is `Damaged`."""
    try:
        yield
    except (
        LookupError,
        MemoryError,
        OSError,
        OverflowError,
        RecursionError,
        RuntimeError,
        TypeError,
        ValueError,
    ) as error:
        said = " ".join(str(error).split())[:200]
        raise Damaged(
            f"{path} holds no table that this program wrote ({said}). `emodistill verify --repair` removes bad files; "
            "then run again."
        ) from None


def read_table(path: Path) -> dict[str, Column]:
    """All columns, read and checked."""
    with open_table(path) as columns:
        return dict(columns)


def content_hash(paths: Iterable[Path]) -> str:
    """Hash of what the tables hold, whatever HDF5 and gzip make of the bytes."""
    digest = hashlib.sha256()
    for path in paths:
        for name, column in sorted(read_table(path).items()):
            for part, array, attributes in _parts(name, column, {}):
                header = _header(part, array, attributes)
                digest.update(len(header).to_bytes(8, "big") + header + array.tobytes())
    return digest.hexdigest()


class Columns(Mapping[str, Column]):
    """An open table; see `open_table`."""

    def __init__(self, file: h5py.File, path: Path, most_bytes: int) -> None:
        self._file, self._path, self._most_bytes = file, path, most_bytes

    def __getitem__(self, name: str) -> Column:
        if name not in self._file and f"{name}.bytes" not in self._file:
            raise KeyError(name)
        with as_written(self._path):
            return self._column(name)

    def _column(self, name: str) -> Column:
        if f"{name}.bytes" in self._file:
            buffer, starts = self._array(f"{name}.bytes").tobytes(), _offsets(self._array(f"{name}.lengths"))
            if starts[-1] != len(buffer) or (np.diff(starts) < 0).any():
                raise ValueError(f"the lengths of {name} are not those of its texts")
            return Texts(buffer, starts)
        codes, labels = self._array(name), self._file[name].attrs.get("labels")
        return codes if labels is None else _coded(codes, files.loads(labels))

    def _array(self, name: str) -> np.ndarray:
        """One dataset: numbers in this very file, and no more than it can hold. HDF5 itself would follow links."""
        ours = isinstance(self._file.get(name, getlink=True), h5py.HardLink)
        dataset = self._file[name] if ours else None
        if not isinstance(dataset, h5py.Dataset) or dataset.is_virtual or dataset.external:
            raise ValueError(f"{name} is no dataset of this file")
        if dataset.ndim not in (1, 2) or dataset.dtype.kind not in "biuf" or dataset.nbytes > self._most_bytes:
            raise ValueError(f"{name} is no column")
        return np.asarray(dataset[...])

    def __iter__(self) -> Iterator[str]:
        return (name.removesuffix(".bytes") for name in self._file if not name.endswith(".lengths"))

    def __len__(self) -> int:
        return sum(1 for _ in self)


def _coded(codes: np.ndarray, labels: Any) -> Coded:
    usable = isinstance(labels, list) and all(isinstance(label, str) for label in labels) and codes.dtype.kind == "u"
    if not usable or codes.max(initial=0) >= max(1, len(labels)) or (len(codes) and not labels):
        raise ValueError("codes without a label")
    return Coded(codes, tuple(labels))


def _parts(
    name: str, column: Column | Sequence[str], units: Mapping[str, str]
) -> Iterator[tuple[str, np.ndarray, dict[str, str]]]:
    """The datasets of a column: name, array, attributes."""
    if isinstance(column, np.ndarray):
        yield name, column, {"unit": units[name]} if name in units else {}
    elif isinstance(column, Coded):
        yield name, column.codes, {"labels": json.dumps(column.labels)}
    else:
        buffer, lengths = (column.buffer, np.diff(column.starts)) if isinstance(column, Texts) else _joined(column)
        yield f"{name}.bytes", np.frombuffer(buffer, np.uint8), {}
        yield f"{name}.lengths", _smallest(lengths), {"unit": "bytes"}


def _joined(texts: Sequence[str]) -> tuple[bytes, np.ndarray]:
    """Texts as UTF-8 and their lengths in bytes. A block at a time, which stays in the cache: one join and one encoding
    where a character is a byte."""
    buffers, lengths = [], [np.zeros(0, np.int64)]
    for at in range(0, len(texts), _BLOCK):
        block = texts[at : at + _BLOCK]
        joined = "".join(block)
        encoded = None if joined.isascii() else [text.encode(*_UTF8) for text in block]
        buffers.append(joined.encode() if encoded is None else b"".join(encoded))
        lengths.append(np.fromiter(map(len, block if encoded is None else encoded), np.int64, len(block)))
    return b"".join(buffers), np.concatenate(lengths)


def _compress(
    file: h5py.File, name: str, array: np.ndarray, pool: ThreadPoolExecutor
) -> tuple[h5py.Dataset, list[Future[bytes]]]:
    """A dataset in equal gzip chunks, and the chunks to come. HDF5 stores the last one whole, padded with zeros."""
    size = math.ceil(len(array) / math.ceil(len(array) / _CHUNK))
    dataset = file.create_dataset(
        name, array.shape, array.dtype, chunks=(size,), compression="gzip", compression_opts=_LEVEL
    )
    parts = (array[at : at + size] for at in range(0, len(array), size))
    return dataset, [pool.submit(_deflate, part, size) for part in parts]


def _deflate(part: np.ndarray, size: int) -> bytes:
    return isal_zlib.compress(part.data if len(part) == size else part.tobytes().ljust(size, b"\0"), _LEVEL)


def _header(name: str, array: np.ndarray, attributes: Mapping[str, Any]) -> bytes:
    return json.dumps([name, array.dtype.str, array.shape, sorted(attributes.items())]).encode()


def _offsets(lengths: np.ndarray) -> np.ndarray:
    return np.concatenate([[0], np.cumsum(lengths, dtype=np.int64)])


def _smallest(values: np.ndarray) -> np.ndarray:
    """The same non-negative integers in as few bytes each as the largest needs."""
    return values.astype(np.min_scalar_type(int(values.max(initial=0))))
