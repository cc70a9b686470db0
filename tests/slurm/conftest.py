"""A real Slurm on this machine for the tests in this folder (slurm/dev/up.sh).

Where it cannot be started (not root, no apt-get) the tests are skipped with the reason; in CI that is a failure,
because there they are meant to run. A Slurm that was up before the session is left up.
"""

import os
import subprocess
from collections.abc import Iterator
from dataclasses import dataclass
from pathlib import Path

import pytest

HERE = Path(__file__).parent
SLURM_DEV = HERE.parents[1] / "slurm" / "dev"
CANNOT_RUN_HERE = 2  # exit code of up.sh


@dataclass(frozen=True)
class Slurm:
    """A running Slurm; `SLURM_CONF` in the environment already points to it."""

    conf: Path


def pytest_collection_modifyitems(items: list[pytest.Item]) -> None:
    for item in items:  # the hook sees the whole session's items
        if HERE in item.path.parents:
            item.add_marker("slurm")


@pytest.fixture(scope="session")
def slurm() -> Iterator[Slurm]:
    folder = Path(os.environ.get("EMODISTILL_SLURM_DIR", "/tmp/emodistill-slurm"))
    was_there = folder.exists()
    up = subprocess.run([SLURM_DEV / "up.sh"], capture_output=True, text=True, timeout=300)
    if up.returncode == CANNOT_RUN_HERE and os.environ.get("CI") != "true":
        pytest.skip(up.stderr.strip())
    if up.returncode != 0:
        pytest.fail(up.stderr.strip(), pytrace=False)

    conf = folder.resolve() / "slurm.conf"
    with pytest.MonkeyPatch.context() as patch:
        patch.setenv("SLURM_CONF", str(conf))
        yield Slurm(conf=conf)
    if not was_there:
        subprocess.run([SLURM_DEV / "down.sh"], check=True, capture_output=True, timeout=120)
