import re
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
    """Makes private copies of that run, with some keys of the configuration changed."""

    def copy(name: str, **replaced: object) -> Path:
        out = tmp_path / name
        shutil.copytree(dataset_run, out)
        text = (out / "config.yaml").read_text()
        for key, value in replaced.items():
            text, count = re.subn(rf"(?m)(^ +{key}: ).*$", rf"\g<1>{value}", text)
            assert count
        (out / "config.yaml").write_text(text)
        return out

    return copy
