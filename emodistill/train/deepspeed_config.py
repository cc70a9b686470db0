"""The JSON that DeepSpeed is given: a ZeRO file plus what the run decides."""

from pathlib import Path
from typing import Any

from emodistill.configfile import load_yaml
from emodistill.errors import BadInput
from emodistill.shipped import shipped


def deepspeed_config(name: str, clip: float, bf16: bool) -> dict[str, Any]:
    """`name` is a file of yaml/deepspeed/ without .yaml, or a path; `BadInput` if there is none."""
    path = Path(name)
    if not path.suffix:
        path = shipped("yaml/deepspeed") / f"{name}.yaml"
    if not path.is_file():
        raise BadInput(
            f"There is no DeepSpeed configuration {path}. Name a file of yaml/deepspeed/ without .yaml, or a path."
        )
    return {
        **load_yaml(path),
        "train_micro_batch_size_per_gpu": 1,  # batches are built by the trainer, by token budget
        "gradient_accumulation_steps": 1,  # boundaries are set by hand: a step has as many micro-batches as it needs
        "gradient_clipping": clip,
        "bf16": {"enabled": bf16},
    }
