import shutil
from pathlib import Path

import pytest

from helpers import emodistill


@pytest.fixture(scope="session")
def dataset_run(tmp_path_factory, tiny_model) -> Path:
    """The smoke configuration up to its dataset."""
    out = tmp_path_factory.mktemp("dataset") / "run"
    emodistill("run", "yaml/smoke.yaml", "--out", out, "--until", "dataset")
    return out


@pytest.fixture
def copied(dataset_run, tmp_path):
    """Makes private copies of that run, with one piece of the configuration changed."""

    def copy(name: str, old: str = "", new: str = "") -> Path:
        out = tmp_path / name
        shutil.copytree(dataset_run, out)
        text = (out / "config.yaml").read_text()
        assert old in text
        (out / "config.yaml").write_text(text.replace(old, new) if old else text)
        return out

    return copy
