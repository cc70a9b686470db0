"""A real Slurm on this machine for the tests in this folder (slurm/dev/up.sh), with one node and with two.

Where it cannot be started (not root, no apt-get, no namespaces) the tests are skipped with the reason; in CI that is a
failure, because there they are meant to run. The session has a Slurm of its own, whatever an earlier one left behind;
with EMODISTILL_SLURM_DIR set it takes the one of that folder, and leaves it up if it was there before.
"""

import contextlib
import os
import subprocess
import tempfile
from collections.abc import Iterator
from dataclasses import dataclass
from pathlib import Path

import pytest

HERE = Path(__file__).parent
SLURM_DEV = HERE.parents[1] / "slurm" / "dev"
FOLDER = os.environ.get("EMODISTILL_SLURM_DIR") or tempfile.mktemp(prefix="emodistill-slurm-", dir="/tmp")
CANNOT_RUN_HERE = 2  # exit code of up.sh


@dataclass(frozen=True)
class Slurm:
    """A running Slurm; in a test `SLURM_CONF` already points to it."""

    folder: Path

    @property
    def conf(self) -> Path:
        return self.folder / "slurm.conf"

    def script(self, name: str, *arguments: str) -> subprocess.CompletedProcess[str]:
        """Run up.sh, down.sh or node.sh of slurm/dev on this Slurm."""
        return subprocess.run(
            [SLURM_DEV / name, *arguments],
            env={**os.environ, "EMODISTILL_SLURM_DIR": str(self.folder)}, capture_output=True, text=True, timeout=300,
        )  # fmt: skip


def pytest_collection_modifyitems(items: list[pytest.Item]) -> None:
    for item in items:  # the hook sees the whole session's items
        if HERE in item.path.parents:
            item.add_marker("slurm")


@contextlib.contextmanager
def running(folder: str, nodes: int) -> Iterator[Slurm]:
    """Bring it up, and down again unless its folder was there before."""
    slurm = Slurm(Path(folder).resolve())
    was_there = slurm.folder.exists()
    up = slurm.script("up.sh", str(nodes))
    if up.returncode == CANNOT_RUN_HERE and os.environ.get("CI") != "true":
        pytest.skip(up.stderr.strip())
    if up.returncode != 0:
        pytest.fail(up.stderr.strip(), pytrace=False)
    yield slurm
    if not was_there:
        slurm.script("down.sh").check_returncode()


@pytest.fixture(scope="session")
def slurm() -> Iterator[Slurm]:
    with running(FOLDER, 1) as one_node, pytest.MonkeyPatch.context() as patch:
        patch.setenv("SLURM_CONF", str(one_node.conf))
        yield one_node


@pytest.fixture(scope="session")
def _two_nodes() -> Iterator[Slurm]:
    with running(f"{FOLDER}-2", 2) as slurm:
        yield slurm


@pytest.fixture
def two_nodes(_two_nodes: Slurm, monkeypatch: pytest.MonkeyPatch) -> Slurm:
    """Nodes n1 and n2; `two_nodes.script("node.sh", "down", "n2")` loses one. A test with this has not `slurm` too."""
    monkeypatch.setenv("SLURM_CONF", str(_two_nodes.conf))
    return _two_nodes
