import os
import socket

import pytest

from emodistill.locks import Held, hold


def test_the_second_is_told_who_holds_it_and_gets_it_afterwards(tmp_path):
    path = tmp_path / "lock"
    with hold(path):
        with pytest.raises(Held, match=f"process {os.getpid()} on {socket.gethostname()} since 20"), hold(path):
            raise AssertionError
        with pytest.raises(Held), hold(path, wait_s=0.3):
            raise AssertionError
    with hold(path):
        pass
