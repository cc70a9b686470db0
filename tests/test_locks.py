import errno
import os
import socket
import subprocess
import sys

import pytest

from emodistill.errors import BadInput
from emodistill.locks import Held, hold, is_held


def test_the_second_is_told_who_holds_it_and_gets_it_afterwards(tmp_path):
    path = tmp_path / "lock"
    with hold(path):
        with pytest.raises(Held, match=f"process {os.getpid()} on {socket.gethostname()} since 20"), hold(path):
            raise AssertionError
        with pytest.raises(Held), hold(path, wait_s=0.3):
            raise AssertionError
    with hold(path):
        pass


def test_a_lock_that_a_dead_host_left_behind_is_taken(tmp_path):
    """The kernel, or the file server, lets go when a holder is gone; what it wrote stays and means nothing."""
    path = tmp_path / "lock"
    path.write_text("process 4711 on a-node-that-burnt since 2020-01-01 00:00:00, with a long name")
    assert not is_held(path)
    with hold(path):
        assert path.read_text().startswith(f"process {os.getpid()} on {socket.gethostname()} since 20")
        assert "burnt" not in path.read_text() and is_held(path)


def test_a_killed_holder_holds_nothing(tmp_path):
    path = tmp_path / "lock"
    code = "import sys, time; from pathlib import Path; from emodistill.locks import hold\n"
    code += f"with hold(Path({str(path)!r})): print('held', flush=True); time.sleep(60)"
    with subprocess.Popen([sys.executable, "-c", code], stdout=subprocess.PIPE, text=True) as other:
        assert other.stdout.readline() == "held\n" and is_held(path)
        with pytest.raises(Held, match=f"process {other.pid} on "), hold(path):
            raise AssertionError
        other.kill()
    with hold(path):
        pass


@pytest.mark.parametrize("number", [errno.ENOSYS, errno.ENOLCK])
def test_a_file_system_without_locks_is_named_and_nothing_is_held_there(tmp_path, monkeypatch, number):
    def refuse(handle, how):
        raise OSError(number, os.strerror(number))

    monkeypatch.setattr("fcntl.flock", refuse)
    with pytest.raises(BadInput, match=r"lock gives no locks .* --out.*-o flock"), hold(tmp_path / "lock"):
        raise AssertionError
    assert not is_held(tmp_path / "lock")
