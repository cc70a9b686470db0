"""What the training benchmarks share: pairs from a scripted sweep, arms as processes, the GEMM limit."""

import json
import os
import subprocess
import sys
import time
from pathlib import Path
from typing import Any

from emodistill.config import VLLM
from emodistill.models import SMOLLM2
from emodistill.train.memory import shape_of

ROOT = Path(__file__).parents[2]


def swept(folder: Path, *overrides: str) -> Path:
    """A run of yaml/demo.yaml up to its dataset."""
    settings = [part for override in overrides for part in ("--set", override)]
    command = [sys.executable, "-m", "emodistill", "run", "yaml/demo.yaml", "--until", "dataset", "--out", folder]
    subprocess.run([*command, *settings], cwd=ROOT, check=True, stderr=subprocess.DEVNULL)
    return folder


def arm(module: str, *arguments: object) -> dict[str, Any]:
    """Run an arm in a process of its own; its last line is its JSON."""
    command = [sys.executable, "-m", f"jobs.bench.{module}", *map(str, arguments)]
    done = subprocess.run(command, cwd=ROOT, capture_output=True, text=True, check=False,
                          env={**os.environ, "OMP_WAIT_POLICY": "PASSIVE"})  # fmt: skip
    if done.returncode:
        raise RuntimeError(f"{' '.join(command)} failed:\n{done.stderr[-3000:]}")
    found: dict[str, Any] = json.loads(done.stdout.splitlines()[-1])
    print(f"{module} {' '.join(map(str, arguments[1:]))}: {found}", file=sys.stderr, flush=True)
    return found


def matmul_peak(dtype: str) -> float:
    """FLOP/s of the fastest of the model's own products on 2,048 tokens, and of a large square one."""
    import torch

    best = 0.0
    for rows, inner, columns in ((2048, 576, 3072), (2048, 1536, 576), (2048, 2048, 2048)):
        a, b = (torch.randn(shape).to(getattr(torch, dtype)) for shape in ((rows, inner), (inner, columns)))
        for _ in range(20):
            started = time.perf_counter()
            a @ b
            best = max(best, 2 * rows * inner * columns / (time.perf_counter() - started))
    return best


def flops_per_token() -> float:
    """4 N: forward, and backward to the inputs of frozen weights; N without the embedding, which multiplies nothing."""
    shape = shape_of(VLLM(backend="vllm", model=SMOLLM2))
    assert shape is not None
    return 4.0 * shape.layers * shape.layer_parameters
