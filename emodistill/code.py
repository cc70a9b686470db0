"""Which code this is: a hash of what a job reads of this repository, so that a queued job notices an edit."""

import hashlib
from functools import cache
from pathlib import Path


@cache
def code_digest() -> str:
    """Hash over the package's Python files and DeepSpeed's settings, names and bytes."""
    root, digest = Path(__file__).parents[1], hashlib.sha256()
    for path in sorted([*(root / "emodistill").rglob("*.py"), *(root / "yaml" / "deepspeed").glob("*.yaml")]):
        digest.update(f"{path.relative_to(root)}\0".encode() + path.read_bytes() + b"\0")
    return digest.hexdigest()[:16]
