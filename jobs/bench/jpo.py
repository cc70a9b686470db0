"""JPO as shipped (`train_jpo`) against a plain loop that computes the same losses, on SmolLM2-135M and real pairs.

The plain loop: one response at a time with its whole prompt, full-vocabulary log-softmax, and a second forward pass for
the reference at every step; policy and reference share the base weights, which favours it. Same steps, schedule,
clipping and dtype. Three epochs over few dialogues; the rate of ours counts the pass for the reference too. Each
arm is a process of its own, whose peak memory is its resident set with everything imported. Both start from one
adapter. Whether they do the same is told by two more, shorter runs in float32, where rounding hides nothing: how alike
their losses are, and what the adapters have learnt.
"""

import json
import resource
import shutil
import subprocess
import sys
import time
from pathlib import Path
from tempfile import TemporaryDirectory
from typing import Any

from emodistill.config import Config
from emodistill.configfile import load_config
from emodistill.runs import RunDir
from emodistill.seeds import seed_of
from emodistill.shards import DIALOGUES, read_records
from emodistill.train.selection import advantage_turns, sampled
from emodistill.train.sequences import Sequence, plan_steps
from jobs.bench import Measured
from jobs.bench.training import ROOT, arm, flops_per_token, matmul_peak, swept

_OURS = ("jpo.max_dialogues=4", "jpo.epochs=3", "jpo.batch_turns=10", "jpo.checkpoint_every=1000",
         "jpo.micro_batch_tokens=700")  # fmt: skip
_EXACT = {"precision": "float32", "max_dialogues": 2, "epochs": 2}


def run() -> Measured:
    """SFT for a start, then both arms."""
    with TemporaryDirectory() as scratch:
        folder = swept(Path(scratch) / "run", "sft.max_dialogues=8", "sft.learning_rate=1e-3", *_OURS)
        command = [sys.executable, "-m", "jobs.sft", "--run", str(folder), "--task", "emotion"]
        subprocess.run(command, cwd=ROOT, check=True, capture_output=True)
        ours, plain = (arm("jpo", folder, name, "{}") for name in ("ours", "plain"))
        exact = [arm("jpo", folder, name, json.dumps(_EXACT)) for name in ("ours", "plain")]
        alike = _same_way(folder)
    peak = matmul_peak(ours["dtype"])
    rates = {name: row["samples"] / row["seconds"] for name, row in (("ours", ours), ("plain", plain))}
    apart = max(abs(a - b) for a, b in zip(*(found["losses"] for found in exact), strict=True))
    checks = {
        "samples/s, ours / plain": (rates["ours"] / rates["plain"], rates["ours"] / rates["plain"] >= 6, "at least 6"),
        "peak memory, ours / plain": (ours["rss_gb"] / plain["rss_gb"], ours["rss_gb"] <= 0.6 * plain["rss_gb"],
                                      "at most 0.6"),
        "largest difference of the loss curves in float32": (apart, apart < 1e-3, "below 1e-3"),
        "cosine of what the adapters have learnt in float32": (alike, alike > 0.99, "above 0.99"),
    }  # fmt: skip
    figures = {
        "ours": ours, "plain": plain, "compute dtype": ours["dtype"], "matmul peak, GFLOP/s": round(peak / 1e9, 1),
        "4·N·tokens/s of the peak": round(flops_per_token() * ours["tokens"] / ours["seconds"] / peak, 3),
        "samples per CPU second, ours / plain": round(
            ours["samples"] / ours["cpu_seconds"] / (plain["samples"] / plain["cpu_seconds"]), 2
        ),
        **{name: round(value, 6) for name, (value, _, _) in checks.items()},
    }  # fmt: skip
    return Measured(
        figures, {k: text for k, (_, _, text) in checks.items()}, {k: met for k, (_, met, _) in checks.items()}
    )


def _same_way(folder: Path) -> float:
    """Cosine between the two arms' changes of the adapter, which are what all their gradients add up to."""
    import torch
    from safetensors.torch import load_file

    before, ours, plain = (
        load_file(folder / part / "adapter_model.safetensors")
        for part in ("sft/emotion/adapter", "jpo/emotion/adapter", "plain/policy")
    )
    moved = [
        torch.cat([(learnt[name].float() - before[name].float()).flatten() for name in sorted(before)])
        for learnt in (ours, plain)
    ]
    return float(moved[0] @ moved[1] / (moved[0].norm() * moved[1].norm()))


def _ours(folder: Path, config: Config) -> dict[str, Any]:
    from emodistill.tasks import StopFlag, TaskContext
    from emodistill.train import jpo

    spent = {"seconds": 0.0, "cpu": 0.0}
    reference = jpo.reference_log_probs

    def timed(*arguments: Any) -> Any:
        started, spent["cpu"] = time.perf_counter(), time.process_time()
        found = reference(*arguments)
        spent["seconds"] += time.perf_counter() - started
        return found

    jpo.reference_log_probs = timed
    run = RunDir.existing(folder)
    shutil.rmtree(folder / "jpo", ignore_errors=True)
    context = TaskContext("jpo", "emotion", {}, StopFlag(), lambda spec: None, lambda done, total: None, "bench")  # type: ignore[arg-type,return-value]
    jpo.train_jpo(run, config, context)
    cpu = time.process_time() - spent["cpu"]
    rows = [json.loads(line) for line in (folder / "jpo" / "emotion" / "metrics.jsonl").read_text().splitlines()]
    samples, seconds, tokens = (sum(row[key] for row in rows) for key in ("responses", "seconds", "tokens"))
    return {"samples": samples, "seconds": seconds + spent["seconds"], "cpu_seconds": cpu,
            "reference_seconds": spent["seconds"],
            "tokens": tokens, "losses": [row["loss"] for row in rows]}  # fmt: skip


def _plain(folder: Path, config: Config) -> dict[str, Any]:
    import torch
    from peft import PeftModel
    from transformers import AutoModelForCausalLM

    from emodistill.models import resolve
    from emodistill.train.policy_model import computes_in_bf16

    torch.manual_seed(0)
    settings = config.jpo
    dtype = torch.bfloat16 if computes_in_bf16(config.models.student, settings) else torch.float32
    adapter = str(folder / "sft" / "emotion" / "adapter")
    base = AutoModelForCausalLM.from_pretrained(
        resolve(config.models.student.model), dtype=dtype, trust_remote_code=False
    )
    model = PeftModel.from_pretrained(base, adapter, adapter_name="policy", is_trainable=True).eval()
    model.load_adapter(adapter, adapter_name="reference")
    model.set_adapter("policy")
    trained = [p for p in model.parameters() if p.requires_grad]
    optimizer = torch.optim.AdamW(trained, lr=settings.learning_rate)
    steps = _steps(folder, config)
    schedule = torch.optim.lr_scheduler.LambdaLR(optimizer, _cosine(len(steps), settings.warmup_fraction))

    def log_probs(sequence: Sequence, start: int, end: int) -> Any:
        ids = torch.tensor([sequence.ids[:end]])
        logp = torch.log_softmax(model(input_ids=ids, use_cache=False).logits.float(), -1)
        return logp[0, start - 1 : end - 1].gather(1, ids[0, start:end, None])[:, 0]

    losses, samples, started, cpu = [], 0, time.perf_counter(), time.process_time()
    for step in steps:
        responses = [(s, r) for s in step for r in s.responses]
        tokens, total = sum(r.end - r.start for _, r in responses), 0.0
        for sequence, r in responses:
            with torch.no_grad():
                model.set_adapter("reference")
                before = log_probs(sequence, r.start, r.end)
            model.set_adapter("policy")
            delta = log_probs(sequence, r.start, r.end) - before
            ratio, shaped = delta.mean().exp(), r.weight if r.weight > 0 else settings.kappa * r.weight
            surrogate = torch.minimum(ratio * shaped, ratio.clamp(1 - settings.epsilon, 1 + settings.epsilon) * shaped)
            kl = ((-delta).exp() + delta - 1).sum()
            loss = settings.beta_kl * kl / tokens - surrogate / len(responses)
            loss.backward()
            total += loss.item()
        torch.nn.utils.clip_grad_norm_(trained, settings.clip)
        optimizer.step()
        schedule.step()
        optimizer.zero_grad()
        samples += len(responses)
        losses.append(total)
    spent, cpu = time.perf_counter() - started, time.process_time() - cpu
    model.save_pretrained(str(folder / "plain"), selected_adapters=["policy"])
    return {"samples": samples, "seconds": spent, "cpu_seconds": cpu, "losses": losses}


def _steps(folder: Path, config: Config) -> list[list[Sequence]]:
    """Those of `train_jpo`."""
    from emodistill.train.policy_model import load_tokenizer
    from emodistill.train.sft import prepare

    settings, seed = config.jpo, seed_of(config.seed, "jpo", "emotion")
    dialogues = read_records([folder / "dataset" / "pairs-emotion.h5"], DIALOGUES)
    chosen = advantage_turns(dialogues, settings.signal)
    picked = sampled(dialogues, chosen, settings.max_dialogues, seed)
    sequences, _ = prepare(picked, chosen, load_tokenizer(config.models.student), settings.max_length)
    return plan_steps(sequences, settings.batch_turns, settings.epochs, seed)


def _cosine(steps: int, fraction: float) -> Any:
    import math

    warmup = max(1, round(fraction * steps))
    return lambda i: (
        (i + 1) / warmup if i < warmup else 0.5 * (1 + math.cos(math.pi * (i - warmup) / max(1, steps - warmup)))
    )


def main(folder: Path, name: str, changed: str) -> None:
    """One arm; `changed`: settings of jpo as JSON."""
    from emodistill.train.policy_model import computes_in_bf16

    config = load_config(folder / "config.yaml", [f"jpo.{key}={value}" for key, value in json.loads(changed).items()])
    found = (_ours if name == "ours" else _plain)(folder, config)
    bf16 = computes_in_bf16(config.models.student, config.jpo)
    found["dtype"] = "bfloat16" if bf16 else "float32"
    found["rss_gb"] = round(resource.getrusage(resource.RUSAGE_SELF).ru_maxrss / 1e6, 3)
    print(json.dumps(found))


if __name__ == "__main__":
    main(Path(sys.argv[1]), *sys.argv[2:])
