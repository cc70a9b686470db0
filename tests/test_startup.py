"""What a login node has to load before it says anything: no numerical library, no HDF5, no torch."""

import subprocess
import sys

import pytest

from helpers import ROOT, begun

_SHOW = """import sys; from emodistill.cli import main
try: main(sys.argv[1:])
finally: print(*sys.modules, file=sys.stderr)"""
_HEAVY = {"torch", "numpy", "h5py", "transformers", "submitit", "matplotlib", "vllm", "deepspeed", "scipy", "pyarrow"}


@pytest.mark.parametrize(
    "arguments, more", [(["--help"], {"pydantic", "yaml"}), (["status", "RUN"], set()), (["config"], set())]
)
def test_looking_loads_nothing_heavy(tmp_path, arguments, more):
    run = begun(tmp_path / "run")
    command = [str(run.root) if word == "RUN" else word for word in arguments]
    python = [sys.executable, "-c", _SHOW]
    done = subprocess.run([*python, *command], cwd=ROOT, capture_output=True, text=True, check=False)
    assert done.stdout
    loaded = set(done.stderr.split())
    assert "emodistill.cli" in loaded
    assert not loaded & (_HEAVY | more)
