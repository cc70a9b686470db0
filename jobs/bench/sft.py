"""LoRA-SFT as shipped (`python -m jobs.sft`) against TRL's SFTTrainer, on SmolLM2-135M and real pairs.

Two sample sets. `dialogues`: whole dialogues, loss on their chosen turns, the same tokens for both. `turns`: what TRL
is usually given, one sample a chosen turn with its whole prompt; ours trains the same turns in one pass a dialogue.
Same rank, dropout and rate; 16 turns a step for ours, two packed rows of up to 1,024 tokens for TRL, without
accumulation or checkpointing. TRL runs in float32 and bfloat16, packed and padded, and its fastest counts. Arms in
turn, two rounds (the second in the format of ours), best of each; every first step warms up.
"""

import json
import shutil
import subprocess
import sys
from pathlib import Path
from tempfile import TemporaryDirectory
from typing import Any

from emodistill.config import VLLM
from emodistill.configfile import load_config
from emodistill.errors import BadInput
from emodistill.models import SMOLLM2
from emodistill.shards import DIALOGUES, read_records
from emodistill.train.selection import best_turns, richest
from emodistill.train.sequences import Sequence
from jobs.bench import Measured
from jobs.bench.training import ROOT, arm, flops_per_token, matmul_peak, swept

DIALOGUES_TRAINED, ROUNDS = 24, 2
SETTINGS = (f"sft.max_dialogues={DIALOGUES_TRAINED}", "sft.lora={dropout: 0.05}", "sft.learning_rate=1e-4",
            "sft.batch_turns=16", "sft.checkpoint_every=1000")  # fmt: skip


def run() -> Measured:
    """All arms in turn, `ROUNDS` times."""
    try:
        import trl  # noqa: F401
    except ImportError:
        raise BadInput("TRL is not installed here. Run: .venv/bin/pip install trl==1.16.0 datasets==5.2.0") from None
    with TemporaryDirectory() as scratch:
        folder = swept(Path(scratch) / "run", *SETTINGS)
        sets = {name: _write(Path(scratch), name, samples) for name, samples in _samples(folder).items()}
        found: dict[str, list[dict[str, Any]]] = {}
        for turn in range(ROUNDS):
            found.setdefault("ours", []).append(_ours(folder))
            own = found["ours"][0]["dtype"]
            for dtype in ("float32", "bfloat16") if not turn else (own,):
                for name, path in sets.items():
                    found.setdefault(f"TRL {dtype}, {name}", []).append(arm("trl_arm", path, dtype, "packed", 2, 4))
            if not turn:
                found[f"TRL {own} padded, dialogues"] = [arm("trl_arm", sets["dialogues"], own, "padded", 3, 3)]
    return _measured(found)


def _measured(found: dict[str, list[dict[str, Any]]]) -> Measured:
    tokens = {name: max(row["tokens"] / row["seconds"] for row in rows) for name, rows in found.items()}
    samples = {name: max(row["samples"] / row["seconds"] for row in rows) for name, rows in found.items()}
    theirs = max(rate for name, rate in tokens.items() if name.startswith("TRL") and name.endswith("dialogues"))
    their_turns = max(rate for name, rate in samples.items() if name.startswith("TRL") and name.endswith("turns"))
    dtype = found["ours"][0]["dtype"]
    peak = matmul_peak(dtype)
    ratios = {"tokens/s, ours / TRL": (tokens["ours"] / theirs, 5.0),
              "turns/s, ours / TRL": (samples["ours"] / their_turns, 12.0)}  # fmt: skip
    figures = {
        "arms": found,
        "real tokens/s": {name: round(rate, 1) for name, rate in tokens.items()},
        "trained turns/s": {"ours": round(samples["ours"], 3), "TRL": round(their_turns, 3)},
        "compute dtype of ours": dtype,
        "matmul peak, GFLOP/s": round(peak / 1e9, 1),
        "4·N·tokens/s of the peak, sample tokens": round(flops_per_token() * tokens["ours"] / peak, 3),
        **{name: round(value, 2) for name, (value, _) in ratios.items()},
    }
    target = {name: f"at least {least:g}" for name, (_, least) in ratios.items()}
    return Measured(figures, target, {name: value >= least for name, (value, least) in ratios.items()})


def _ours(folder: Path) -> dict[str, Any]:
    """The shipped job from scratch; its own log has the tokens, turns and seconds of each step."""
    shutil.rmtree(folder / "sft", ignore_errors=True)
    command = [sys.executable, "-m", "jobs.sft", "--run", str(folder), "--task", "emotion"]
    subprocess.run(command, cwd=ROOT, check=True, capture_output=True)
    rows = [json.loads(line) for line in (folder / "sft" / "emotion" / "metrics.jsonl").read_text().splitlines()][1:]
    tokens, turns, seconds = (sum(row[key] for row in rows) for key in ("tokens", "responses", "seconds"))
    made = {"tokens": tokens, "samples": turns, "seconds": round(seconds, 2), "dtype": _dtype(folder)}
    print(f"ours: {made}", file=sys.stderr, flush=True)
    return made


def _dtype(folder: Path) -> str:
    from emodistill.train.policy_model import computes_in_bf16

    config = load_config(folder / "config.yaml")
    return "bfloat16" if computes_in_bf16(config.models.student, config.sft) else "float32"


def _samples(folder: Path) -> dict[str, list[dict[str, list[int]]]]:
    """The dialogues that ours trains on, whole and cut into one sample a turn."""
    from emodistill.train.policy_model import load_tokenizer
    from emodistill.train.sft import prepare

    dialogues = read_records([folder / "dataset" / "pairs-emotion.h5"], DIALOGUES)
    chosen = best_turns(dialogues, "hybrid", 0.25)
    tokenizer = load_tokenizer(VLLM(backend="vllm", model=SMOLLM2))
    whole, _ = prepare(richest(dialogues, chosen, DIALOGUES_TRAINED), chosen, tokenizer, 1024)
    turns = [Sequence(s.key, s.ids[: r.end], (r,)) for s in whole for r in s.responses]
    return {name: [_sample(s) for s in sequences] for name, sequences in (("dialogues", whole), ("turns", turns))}


def _sample(sequence: Sequence) -> dict[str, list[int]]:
    labels = [-100] * len(sequence.ids)
    for response in sequence.responses:
        labels[response.start : response.end] = sequence.ids[response.start : response.end]
    return {"input_ids": list(sequence.ids), "labels": labels}


def _write(folder: Path, name: str, samples: list[dict[str, list[int]]]) -> Path:
    path = folder / f"{name}.json"
    path.write_text(json.dumps(samples), encoding="utf-8")
    return path
