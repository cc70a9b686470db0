"""One process at a time: a lock file that says who holds it. The kernel drops the lock when its holder dies."""

import errno
import fcntl
import logging
import os
import socket
import time
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path

from emodistill.errors import BadInput

_GLANCE_S = 1.0  # who only asks whether a lock is held holds it for a moment
_NO_LOCKS = (errno.ENOSYS, errno.ENOLCK, errno.EOPNOTSUPP)  # as Lustre and NFS say it
_log = logging.getLogger(__name__)


class Held(Exception):
    """Another process holds the lock; the text says which, where, and since when."""


@contextmanager
def hold(path: Path, wait_s: float = 0.0) -> Iterator[None]:
    """Hold the lock file, after waiting for its holder to end; `Held` if that takes longer than `wait_s`.

    `BadInput` if that file system has no locks.
    """
    with path.open("a+") as file:
        began, said = time.monotonic(), False
        while not _taken(file.fileno(), path):
            file.seek(0)
            holder = file.read().strip() or "another process"
            waited = time.monotonic() - began
            if waited >= max(wait_s, _GLANCE_S):
                raise Held(holder)
            if not said and waited >= _GLANCE_S:
                _log.warning("%s is held by %s; waiting up to %.0f s for it to end.", path, holder, wait_s)
                said = True
            time.sleep(0.2)
        file.truncate(0)
        file.write(f"process {os.getpid()} on {socket.gethostname()} since {time.strftime('%Y-%m-%d %H:%M:%S')}")
        file.flush()
        yield


def is_held(path: Path) -> bool:
    """Whether somebody holds that lock file now."""
    try:
        with path.open() as file:
            fcntl.flock(file.fileno(), fcntl.LOCK_SH | fcntl.LOCK_NB)
    except FileNotFoundError:
        return False
    except BlockingIOError:
        return True
    except OSError as error:
        if error.errno not in _NO_LOCKS:
            raise
    return False


def _taken(handle: int, path: Path) -> bool:
    try:
        fcntl.flock(handle, fcntl.LOCK_EX | fcntl.LOCK_NB)
    except BlockingIOError:
        return False
    except OSError as error:
        if error.errno not in _NO_LOCKS:
            raise
        raise BadInput(
            f"The file system of {path} gives no locks ({error.strerror}), and without them two jobs could write the "
            "same files. Choose another with --out, or have it mounted with locks (Lustre: -o flock; NFS: lockd)."
        ) from None
    return True
