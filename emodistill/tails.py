"""The ends of log files."""

import os
from pathlib import Path

_BLOCK = 1 << 16
_LONGEST = 1 << 20  # bytes of a file's end that are looked at


def tail(path: Path, lines: int) -> list[str]:
    """The last lines."""
    with path.open("rb") as file:
        left, data = file.seek(0, os.SEEK_END), b""
        while left and data.count(b"\n") <= lines and len(data) < _LONGEST:
            step = min(_BLOCK, left)
            left = file.seek(left - step)
            data = file.read(step) + data
    return _lines(data)[-lines:]


def news(path: Path, start: int) -> tuple[list[str], int]:
    """Whole lines that were added after byte `start`, and where they end. A file that has shrunk is read anew."""
    with path.open("rb") as file:
        size = file.seek(0, os.SEEK_END)
        start = file.seek(start if start <= size else 0)
        data = file.read()
    end = data.rfind(b"\n") + 1
    return _lines(data[:end]), start + end


def own_tail(lines: int = 15, characters: int = 2000) -> str:
    """The end of this process's own error log, with what its earlier attempts left there; empty if that is no file."""
    try:
        return "\n".join(tail(Path("/proc/self/fd/2").readlink(), lines))[-characters:]
    except OSError:
        return ""


def last_words(path: Path) -> str:
    """The command's own words at the end of a job's log, if it ended with some."""
    try:
        said = [line for line in tail(path, 20) if line.startswith("emodistill: ")]
    except OSError:
        return ""
    return said[-1].removeprefix("emodistill: ") if said else ""


def _lines(data: bytes) -> list[str]:
    """Of a line that a progress bar wrote again and again, what it said last."""
    lines = data.decode("utf-8", errors="replace").split("\n")
    return [line.rstrip("\r").rpartition("\r")[2] for line in (lines if lines[-1] else lines[:-1])]
