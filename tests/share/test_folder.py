"""The shared folder: read by PEFT, vLLM and datasets, without a trace of this machine, and whole or not there."""

import getpass
import json
import re
import socket
from pathlib import Path

import pytest
import torch

from emodistill.cli import main
from emodistill.config import SFT, VLLM, LoRA
from emodistill.execute import run_tasks
from emodistill.ledger import Ledger
from emodistill.runs import Marker, RunDir
from emodistill.shards import EPISODES, VERDICTS, read_records
from emodistill.stages import STAGES
from emodistill.train.policy_model import new_adapter

from helpers import begun, emodistill

SPEC = VLLM(backend="vllm", model="tiny-random", dtype="float32")
IDS = torch.randint(3, 250, (1, 40), generator=torch.Generator().manual_seed(0))


@pytest.fixture(scope="module")
def trained(tmp_path_factory, tiny_model) -> RunDir:
    """A run with real rollouts and verdicts, and adapters that do something, marked as the trainer would."""
    run = begun(tmp_path_factory.mktemp("trained") / "run")
    for stage in ("rollout", "judge", "dataset"):
        assert run_tasks(str(run.root), stage, STAGES[stage].tasks(run.config())).kind == "done"
    for task in ("emotion", "emotion-free"):
        model = new_adapter(SPEC, SFT(lora=LoRA(dropout=0.0)), seed=0)
        for name, parameter in model.named_parameters():
            if "lora_B" in name:
                torch.nn.init.normal_(parameter, std=0.1, generator=torch.Generator().manual_seed(len(task)))
        ledger = Ledger(run, run.config())
        claim = ledger.claim(STAGES["sft"], task)
        assert claim is not None
        run.begin("sft", task, claim)
        folder = run.path("sft", task, "adapter")
        model.peft.save_pretrained(str(folder))
        checksums = run.checksums([path for path in folder.iterdir() if path.name != "README.md"])
        run.mark(Marker("sft", task, claim.fingerprint, claim.inputs, 1, 0, 1.0, checksums))
    return run


def logits(model) -> torch.Tensor:
    with torch.no_grad():
        return model(input_ids=IDS).logits


def load(base: str, folder: Path):
    from peft import PeftModel
    from transformers import AutoModelForCausalLM

    return PeftModel.from_pretrained(AutoModelForCausalLM.from_pretrained(base, dtype=torch.float32), str(folder))


def test_peft_and_datasets_read_what_was_trained_and_played(trained, tiny_model, tmp_path):
    from datasets import load_dataset

    out = tmp_path / "shared"
    out.mkdir()  # empty: as good as none
    assert main(["export", str(trained.root), "--to", "hf", str(out)]) == 0
    for task, folder in (("emotion", out), ("emotion-free", out / "adapters" / "sft-emotion-free")):
        ours, theirs = load(tiny_model, trained.path("sft", task, "adapter")), load(tiny_model, folder)
        torch.testing.assert_close(logits(theirs), logits(ours))
        assert json.loads((folder / "adapter_config.json").read_text())["base_model_name_or_path"] == "tiny-random"

    data = str(out / "dataset")
    cache = str(tmp_path / "cache")
    rollouts = load_dataset(data, "rollouts", split="train", cache_dir=cache)
    shards = [trained.shard("rollout", task) for task in STAGES["rollout"].tasks(trained.config())]
    verdicts = [trained.shard("judge", path.stem) for path in shards]
    scores = {verdict.episode_id: verdict.turn_scores() for verdict in read_records(verdicts, VERDICTS)}
    episodes = read_records(shards, EPISODES)
    assert rollouts["episode_id"][:] == [episode.id for episode in episodes]
    for row, episode in zip(rollouts, episodes, strict=True):
        assert (row["status"], row["agreed"]) == (episode.status, episode.agreed)
        assert [turn["utterance"] for turn in row["turns"]] == [turn.utterance for turn in episode.turns]
        assert [turn["emotion"] for turn in row["turns"][::2]] == [turn.emotion for turn in episode.focal_turns()]
        assert tuple(turn["judge_score"] for turn in row["turns"][::2]) == scores[episode.id]
        assert all(turn["judge_score"] is None for turn in row["turns"][1::2])
    scenarios = load_dataset(data, "scenarios", cache_dir=cache)
    assert {split: len(rows) for split, rows in scenarios.items()} == {"train": 6, "test": 3}
    assert "Not evaluated yet." in (out / "README.md").read_text()


@pytest.mark.slow
@pytest.mark.vllm
@pytest.mark.deepspeed
def test_a_finished_run_is_read_by_vllm_and_holds_no_trace_of_this_machine(
    smoke_run, tiny_model, tmp_path, monkeypatch
):
    from datasets import load_dataset
    from huggingface_hub import DatasetCard, ModelCard

    from emodistill.policy.artefact import load as load_selector

    out = tmp_path / "shared"
    emodistill("export", smoke_run, "--to", "hf", out)
    evaluation = load_dataset(str(out / "dataset"), "evaluation", split="test", cache_dir=str(tmp_path / "cache"))
    assert len(evaluation) == 36 and len(set(evaluation["variant"])) == 6
    assert "simulated" in ModelCard.load(out / "README.md").data.tags
    assert "simulated" in DatasetCard.load(out / "dataset" / "README.md").data.tags
    load_selector(out / "selector" / "selector")
    rows = [line for line in (out / "README.md").read_text().splitlines() if "simulated counterparty" in line]
    assert len(rows) == 6
    private = (str(smoke_run), str(Path(tiny_model).parent), f"{Path.home()}/")
    who = re.compile(rf"\b({re.escape(getpass.getuser())}|{re.escape(socket.gethostname())})\b")
    for path in (path for path in out.rglob("*") if path.is_file()):
        content = path.read_bytes()
        assert not [name for name in private if name.encode() in content], path
        assert path.suffix not in (".md", ".json") or not who.search(content.decode()), path

    def said(name: str, number: int, folder: Path | None) -> str:
        adapter = None if folder is None else LoRARequest(name, number, str(folder))
        (output,) = engine.generate(["Open the negotiation."], sampling, lora_request=adapter, use_tqdm=False)
        return output.outputs[0].text

    monkeypatch.setenv("VLLM_ENABLE_V1_MULTIPROCESSING", "0")
    monkeypatch.setenv("VLLM_CPU_KVCACHE_SPACE", "1")
    from vllm import LLM, SamplingParams
    from vllm.lora.request import LoRARequest

    sampling = SamplingParams(temperature=0.0, max_tokens=16)
    engine = LLM(tiny_model, dtype="float32", enforce_eager=True, enable_lora=True, max_model_len=512)
    texts = [said("base", 0, None), said("shared", 1, out), said("run", 2, smoke_run / "jpo" / "emotion" / "adapter")]
    assert texts[0] != texts[1] == texts[2]


def test_the_folder_is_whole_or_not_there(trained, tmp_path, monkeypatch, capsys):
    def fails(*_: object) -> str:
        raise OSError(28, "No space left on device")

    out = tmp_path / "shared"
    with monkeypatch.context() as patch:
        patch.setattr("emodistill.share.folder.dataset_card", fails)
        assert main(["export", str(trained.root), "--to", "hf", str(out)]) == 1
    assert "No space left" in capsys.readouterr().err and list(tmp_path.iterdir()) == []
    (out / "x").mkdir(parents=True)
    assert main(["export", str(trained.root), "--to", "hf", str(out)]) == 2
    assert "exists already" in capsys.readouterr().err and [path.name for path in out.iterdir()] == ["x"]


@pytest.mark.parametrize(
    "given, said",
    [
        ("DIR OUT --to hf", ""), ("DIR --to hf OUT", ""), ("--to hf DIR OUT", ""), ("--to=hf DIR --base a/b OUT", ""),
        ("DIR sft --to hf OUT", "Leave the variant out"), ("DIR --to hf sft OUT", "Leave the variant out"),
        ("DIR --to merged jpo OUT", "no adapter"), ("--to merged DIR jpo OUT", "no adapter"),
        ("DIR jpo --to merged OUT", "no adapter"), ("DIR jpo OUT --to merged", "no adapter"),
    ],
)  # fmt: skip
def test_options_may_stand_anywhere(trained, tmp_path, capsys, given, said):
    names = {"DIR": str(trained.root), "OUT": str(tmp_path / "out")}
    code = main(["export", *(names.get(word, word) for word in given.split())])
    assert code == (2 if said else 0) and said in capsys.readouterr().err


def test_what_cannot_be_shared_is_refused_by_name(trained, tmp_path, monkeypatch, capsys):
    def refused(run: RunDir, *options: str, variant: str = "") -> str:
        names = [variant] if variant else []
        assert main(["export", str(run.root), *names, str(tmp_path / "shared"), *options]) == 2
        message = capsys.readouterr().err
        assert message.count("\n") == 1 and not (tmp_path / "shared").exists()
        return message

    bare = begun(tmp_path / "bare")
    assert "has no finished adapter" in refused(bare, "--to", "hf")
    assert "Leave the variant out" in refused(trained, "--to", "hf", variant="sft")
    assert "Name the variant" in refused(trained)
    assert "--base is for --to hf alone" in refused(trained, "--base", "a/b", variant="sft")
    with monkeypatch.context() as patch:
        patch.setattr("importlib.util.find_spec", lambda name: None)
        assert "pyarrow" in refused(trained, "--to", "hf")
    shard = trained.shard("rollout", "shard-00000")
    whole = shard.read_bytes()
    shard.write_bytes(whole[:-1] + b"x")
    assert "is not as it was written" in refused(trained, "--to", "hf")
    shard.write_bytes(whole)
