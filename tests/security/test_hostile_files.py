"""Models, adapters, checkpoints and payloads that carry code: it does not run. Temporary files are ours alone."""

import json
import os
import pickle
import shutil
import subprocess
import sys
from pathlib import Path

import pytest

from emodistill import checkpoints, files
from emodistill.cluster.payload import check
from emodistill.errors import BadInput

from helpers import ROOT


class Bomb:
    """Pickled, it touches a file as soon as it is read."""

    def __init__(self, mark: Path) -> None:
        self.mark = mark

    def __reduce__(self):
        return Path.touch, (self.mark,)


@pytest.fixture
def bomb(tmp_path):
    """A pickle, and whether it has gone off."""
    mark = tmp_path / "it ran"
    data = pickle.dumps(Bomb(mark))
    pickle.loads(data)
    assert mark.exists()  # so the bomb is live
    mark.unlink()
    return data, mark


@pytest.fixture
def model(tmp_path, tiny_model) -> Path:
    return Path(shutil.copytree(tiny_model, tmp_path / "model"))


def test_a_models_pickled_weights_are_not_unpickled(bomb, model):
    from emodistill.policy.adapters import merged_model

    data, mark = bomb
    next(model.glob("*.safetensors")).unlink()
    (model / "pytorch_model.bin").write_bytes(data)
    adapter = model.parent / "adapter"
    adapter.mkdir()
    (adapter / "adapter_config.json").write_text('{"base_model_name_or_path": "x", "peft_type": "LORA"}')
    (adapter / "adapter_model.bin").write_bytes(data)
    with pytest.raises(BadInput, match="no whole PEFT adapter"):
        merged_model(str(model), adapter)
    transformers = pytest.importorskip("transformers")
    with pytest.raises(Exception, match=r"(?i)weights|unpickl|safetensors|load"):
        transformers.AutoModelForCausalLM.from_pretrained(str(model), trust_remote_code=False)
    assert not mark.exists()


def test_a_models_own_code_does_not_run(model, monkeypatch):
    from emodistill.config import VLLM
    from emodistill.policy.adapters import check_adapter
    from emodistill.train.policy_model import load_tokenizer

    mark = model.parent / "it ran"
    for name in ("config.json", "tokenizer_config.json"):
        told = json.loads((model / name).read_text())
        told |= {"model_type": "strange", "tokenizer_class": "Strange", "auto_map": {
            "AutoConfig": "own.Own", "AutoModelForCausalLM": "own.Own",
            "AutoTokenizer": ["own.Own", "own.Own"]}}  # fmt: skip
        (model / name).write_text(json.dumps(told))
    (model / "own.py").write_text(f"import pathlib\npathlib.Path({str(mark)!r}).touch()\nclass Own: pass\n")
    monkeypatch.setattr("builtins.input", lambda *_: "y")  # nobody is asked, either
    with pytest.raises(Exception):  # noqa: B017  whatever transformers says
        load_tokenizer(VLLM(backend="vllm", model=str(model)))
    with pytest.raises(Exception):  # noqa: B017
        check_adapter(model, str(model))
    assert not mark.exists()


def test_a_payload_that_others_could_have_written_is_not_unpickled(bomb, tmp_path):
    data, mark = bomb
    folder = tmp_path / "jobs"
    folder.mkdir()
    payload = folder / "7_submitted.pkl"
    payload.write_bytes(data)
    check(folder, payload)
    environment = {**os.environ, "SUBMITIT_EXECUTOR": "slurm", "SLURM_JOB_ID": "7"}
    command = [sys.executable, "-m", "emodistill.cluster.payload", str(folder)]
    for path in (folder, payload):
        path.chmod(path.stat().st_mode | 0o020)
        done = subprocess.run(command, cwd=ROOT, capture_output=True, text=True, check=False, env=environment)
        assert done.returncode == 2 and f"{path} belongs to another user" in done.stderr and done.stdout == ""
        path.chmod(path.stat().st_mode & ~0o022)
    assert not mark.exists()
    subprocess.run(command, cwd=ROOT, capture_output=True, check=False, env=environment)
    assert mark.exists()  # so it is this that is guarded
    check(folder, folder / "8_submitted.pkl")  # not there yet


def test_a_checkpoint_that_others_could_have_written_is_not_read(tmp_path):
    checkpoint = tmp_path / "checkpoints" / "step-00000001"
    (checkpoint / "state").mkdir(parents=True)
    (checkpoint / "state" / "optimiser.pt").write_bytes(b"x")
    checkpoints.check_owner(checkpoint)
    (checkpoint / "state" / "optimiser.pt").chmod(0o666)
    with pytest.raises(BadInput, match=r"optimiser\.pt belongs to another user, or others can write to it"):
        checkpoints.check_owner(checkpoint)


@pytest.mark.skipif(os.geteuid() != 0, reason="only root gives files away")
def test_a_strangers_file_is_told_apart_even_if_it_is_closed(tmp_path):
    (tmp_path / "7_submitted.pkl").touch(0o600)
    os.chown(tmp_path / "7_submitted.pkl", 65534, 65534)
    assert files.others_can_write(tmp_path / "7_submitted.pkl")
    with pytest.raises(BadInput, match=r"7_submitted\.pkl"):
        check(tmp_path, tmp_path / "7_submitted.pkl")


def test_a_file_in_the_making_is_ours_alone_and_no_link_is_followed(tmp_path):
    path, victim, seen = tmp_path / "a.json", tmp_path / "victim", []
    victim.write_text("keep me")
    (tmp_path / f".a.json.{os.getpid()}.tmp").symlink_to(victim)

    def write(temporary: Path) -> None:
        temporary.write_text("x")
        seen.append(temporary.stat().st_mode & 0o777)

    files.replace_atomically(path, write)
    assert seen == [0o600] and path.stat().st_mode & 0o777 == 0o666 & ~files._UMASK
    assert victim.read_text() == "keep me" and path.read_text() == "x"
