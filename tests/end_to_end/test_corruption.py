"""Every kind of file of a finished run, harmed in every way: `verify` names it, and after a repair the run ends alike.

Not here: tables, figures and the report, which are made anew from the shards, and logs.
"""

import re
import shutil

import pytest

from emodistill.runs import RunDir
from emodistill.shards import content_hash
from emodistill.verify import verify

from helpers import emodistill

SEALS = {".done", ".identity", "manifest.json", "config.yaml", "checkpoint.json"}
OTHERS = {"tables", "figures", "report.html", "submissions", "spending"}


def flipped(place, bit):
    """A harm: one bit of the byte at that place, a share of the length."""

    def harm(data):
        at = int(place * (len(data) - 1))
        return data[:at] + bytes([data[at] ^ bit]) + data[at + 1 :]

    return harm


HARMS = {
    "a flipped bit at the beginning": flipped(0, 1), "a flipped bit in the middle": flipped(0.5, 64),
    "a flipped bit at the end": flipped(1, 128), "cut": lambda data: data[: len(data) // 2],
    "empty": lambda data: b"", "zeros": lambda data: bytes(len(data)), "longer": lambda data: data + b"\n",
}  # fmt: skip


def kinds(root):
    """The first file of each kind: stage, depth, and suffix or, of what lies deeper, name without its precision."""
    found = {}
    for path in sorted(path for path in root.rglob("*") if path.is_file() and path.suffix != ".lock"):
        parts = path.relative_to(root).parts
        name = path.suffix
        if len(parts) != 2:
            name = re.sub(r"\d+", "#", path.stem.removeprefix("bf16_")) + path.suffix
        if parts[0] not in OTHERS and path.name != ".lock":
            found.setdefault((parts[0], len(parts), name), path)
    return found


@pytest.mark.slow
@pytest.mark.vllm
@pytest.mark.deepspeed
def test_every_harm_to_every_kind_of_file_is_named(smoke_run, tmp_path):
    root = tmp_path / "run"
    shutil.copytree(smoke_run, root)
    files = kinds(root)
    assert {name for *_, name in files} >= {
        "config.yaml", "scenarios.json", "manifest.json", ".h5",
        ".done", ".identity", "shard-#.h5", "rank-#-piece-#.h5", "metrics.jsonl", "selector.json",
        "selector.safetensors", "adapter_model.safetensors", "adapter_config.json", "README.md", "checkpoint.json",
        "mp_rank_#_model_states.pt", "zero_pp_rank_#_mp_rank_#_optim_states.pt", "latest",
    }  # fmt: skip
    assert {("iql", 3, "metrics.jsonl"), ("sft", 5, "metrics.jsonl"), ("evaluate", 3, "shard-#.h5")} <= files.keys()
    wholes = {path: path.read_bytes() for path in files.values() if path.stat().st_size}
    witnesses = [path for path in wholes if path.suffix in SEALS or path.name in SEALS]  # others' checksums are in them
    for group in [[path] for path in witnesses] + [[path for path in wholes if path not in witnesses]]:
        for harm, do in HARMS.items():
            for path in group:
                path.write_bytes(do(wholes[path]))
            named = {problem.file for problem in verify(RunDir(root))}
            assert {str(path.relative_to(root)) for path in group} <= named, harm
        for path in group:
            path.write_bytes(wholes[path])
    assert verify(RunDir(root)) == []


@pytest.mark.slow
def test_a_run_with_harm_of_every_kind_is_repaired_and_ends_as_it_was(tmp_path):
    root, command = tmp_path / "run", ("run", "yaml/smoke.yaml", "--out", tmp_path / "run", "--until", "dataset")
    emodistill(*command)
    files = {name: path.read_bytes() for name, path in named(root).items() if path.suffix != ".h5"}
    shards = {name: content_hash([path]) for name, path in named(root).items() if path.suffix == ".h5"}
    harmed = list(kinds(root).values())
    for path, harm in zip(harmed, [*HARMS.values()] * len(harmed), strict=False):
        path.write_bytes(harm(path.read_bytes()))
    said = emodistill("verify", root, check=False)
    assert said.returncode == 1 and said.stderr.startswith("emodistill: ") and "Traceback" not in said.stderr
    emodistill("verify", root, "--repair")
    emodistill(*command)
    assert "whole" in emodistill("verify", root).stdout
    assert {name: content_hash([path]) for name, path in named(root).items() if path.suffix == ".h5"} == shards
    assert {name: path.read_bytes() for name, path in named(root).items() if path.suffix != ".h5"} == files


def named(root):
    """Files whose bytes are always the same, shards among them; markers hold times."""
    wanted = {".h5", ".json", ".yaml", ".identity"}
    return {str(p.relative_to(root)): p for p in root.rglob("*") if p.suffix in wanted and p.parts[-3] != "submissions"}
