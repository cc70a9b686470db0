"""Which code this is: a hash of what a job reads of this repository, so that a queued job notices an edit."""

import hashlib
from functools import cache
from pathlib import Path


@cache
def code_digest() -> str:
    """Hash over the package's Python files, what report.html is made of and DeepSpeed's settings, names and bytes."""
    root, digest = Path(__file__).parents[1], hashlib.sha256()
    read = (("emodistill", "**/*.py"), ("emodistill/report/page", "*"), ("yaml/deepspeed", "*.yaml"))
    for path in sorted(path for folder, pattern in read for path in (root / folder).glob(pattern) if path.is_file()):
        digest.update(f"{path.relative_to(root)}\0".encode() + path.read_bytes() + b"\0")
    return digest.hexdigest()[:16]
