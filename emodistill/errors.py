"""The three ways a command ends badly, each with its exit code (ours)."""


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
