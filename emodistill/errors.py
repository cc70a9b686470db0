"""The three ways a command ends badly, each with its exit code, and the hint that names a near word (ours)."""

import difflib
from collections.abc import Iterable

_LONGEST_NAME = 200  # characters


class BadInput(Exception):
    """The user can mend it: a key, a file, a package, a full disk. Exit code 2.

    The message is one paragraph that names what is wrong, where, and how to mend it.
    """

    exit_code = 2


class RunFailed(Exception):
    """A stage's task crashed or was lost; the rest of the run directory is intact. Exit code 1."""

    exit_code = 1


class Stopped(Exception):
    """Asked to stop (Ctrl-C, SIGTERM, time limit). Exit code 130.

    Finished work is on disk, the same command goes on.
    """

    exit_code = 130


class GivenUp(Exception):
    """A task cannot be done here, and will not be tried again until it is asked for anew; all else goes on."""


def shown(name: str) -> str:
    """A name from a file inside a message: as it is, or in quotes and escaped where it would break the line."""
    return name if name.isprintable() and len(name) <= _LONGEST_NAME else repr(name[:_LONGEST_NAME])


def nearest(name: str, known: Iterable[str]) -> str:
    """What to add to a message about an unknown name; nothing if no known one is near."""
    near = difflib.get_close_matches(name[:_LONGEST_NAME], list(known), n=1, cutoff=0.5)
    return f"; did you mean {near[0]!r}?" if near else ""
