"""TRL's SFTTrainer on given samples: `python -m jobs.bench.trl_arm SAMPLES.json DTYPE LAYOUT ROWS STEPS`.

The first step warms up. Real tokens are counted, never padding.
"""

import json
import sys
import time
from pathlib import Path
from typing import Any

import torch
import transformers

from emodistill.models import SMOLLM2, resolve


def main(samples: str, dtype: str, layout: str, rows: int, steps: int) -> None:
    """Train, and print real tokens, samples and seconds of the steps after the first."""
    import datasets
    from peft import LoraConfig
    from trl import SFTConfig, SFTTrainer

    transformers.logging.set_verbosity_error()
    # dill cannot hash a table of current pyarrow; the name of a cache entry is all it would be for.
    datasets.arrow_dataset.generate_fingerprint = lambda dataset: "samples"  # type: ignore[attr-defined]
    data = json.loads(Path(samples).read_text(encoding="utf-8"))
    layouts: dict[str, dict[str, Any]] = {
        "packed": {"packing": True, "max_length": 1024},
        "padded": {"packing": False, "max_length": 1024, "train_sampling_strategy": "group_by_length"},
    }
    options = SFTConfig(
        output_dir=f"{samples}.trl", per_device_train_batch_size=rows, max_steps=steps, bf16=dtype == "bfloat16",
        use_cpu=True, gradient_checkpointing=False, learning_rate=1e-4, lr_scheduler_type="cosine", warmup_steps=1,
        report_to="none", save_strategy="no", disable_tqdm=True, logging_steps=1, seed=0, **layouts[layout],
    )  # fmt: skip
    path = resolve(SMOLLM2)
    lora = LoraConfig(r=16, lora_alpha=32, lora_dropout=0.05, task_type="CAUSAL_LM",
                      target_modules=["q_proj", "k_proj", "v_proj", "o_proj"])  # fmt: skip
    trainer = SFTTrainer(
        model=transformers.AutoModelForCausalLM.from_pretrained(path, dtype=getattr(torch, dtype)),
        args=options, train_dataset=datasets.Dataset.from_list(data), peft_config=lora,
        processing_class=transformers.AutoTokenizer.from_pretrained(path),
    )  # fmt: skip
    step, marks = trainer.training_step, []

    def timed(model: Any, inputs: dict[str, Any], *rest: Any, **named: Any) -> Any:
        started, cpu = time.perf_counter(), time.process_time()
        mask = inputs.get("attention_mask")
        tokens = int(mask.sum()) if mask is not None else inputs["input_ids"].numel()
        starts = inputs["position_ids"].eq(0).sum() if "position_ids" in inputs else len(inputs["input_ids"])
        out = step(model, inputs, *rest, **named)
        marks.append((tokens, int(starts), time.perf_counter() - started, time.process_time() - cpu))
        return out

    trainer.training_step = timed
    trainer.train()
    tokens, count, seconds, cpu_seconds = (sum(column) for column in zip(*marks[1:], strict=True))
    print(json.dumps({"tokens": tokens, "samples": count, "seconds": seconds, "cpu_seconds": cpu_seconds}))


if __name__ == "__main__":
    main(sys.argv[1], sys.argv[2], sys.argv[3], int(sys.argv[4]), int(sys.argv[5]))
