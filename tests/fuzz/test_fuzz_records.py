"""The small JSON files of a run: manifest, markers, claims, failures, counts, launches, purses, imports.

A sealed file can be made by anybody: its checksum says that it is whole, not that it is ours.
"""

import json

import pytest
from fuzzing import FUZZ, JSON, changed, taken
from hypothesis import given
from hypothesis import strategies as st

from emodistill import attempts, files
from emodistill.cluster.begin import differences
from emodistill.cluster.record import launches
from emodistill.cluster.status import summary
from emodistill.config import OpenAI
from emodistill.llm.purse import Purse, Tokens
from emodistill.runs import RunDir
from emodistill.sweeps.store import with_import
from emodistill.verify import repair, verify

from helpers import begun

ELSEWHERE = ["/etc/hostname", "../outside", "rollout/../../outside", "a\0b", "", ".", "a\nb"]
MARKER = {
    "stage": "rollout", "task": "shard-00000", "fingerprint": "f", "inputs": "i", "rows": 3, "errors": 0,
    "seconds": 1.5,
    "files": {"rollout/shard-00000.h5": "0" * 64}, "usage": {"usd": 0.5}, "tries": 1,
}  # fmt: skip
FAILURE = {
    "stage": "rollout",
    "task": "shard-00000",
    "fingerprint": "f",
    "inputs": "",
    "tries": 5,
    "reason": "x",
    "tail": "",
}
SUBMISSION = {
    "stage": "rollout", "job": "7", "name": "t.rollout.00000", "bundles": [["shard-00000"], ["shard-00001"]],
    "folder": "submissions/20260101-000000/rollout", "dependency": "", "cluster": "",
}  # fmt: skip
SEALED = {
    "manifest.json": {
        "name": "t",
        "seed": 0,
        "code": "c",
        "stages": {"rollout": {"tasks": [], "ingredients": {}, "own": {"t": {}}}},
    },
    "rollout/shard-00000.done": MARKER,
    "rollout/shard-00000.failed": FAILURE,
    "rollout/shard-00000.identity": {"fingerprint": "f", "inputs": "i"},
    "submissions/20260101-000000/launch.json": {
        "code": "c", "profile": {"cluster": "slurm"}, "folder": "/nowhere", "submissions": [SUBMISSION],
    },
    "imported/sweep.json": {
        "domain": "crad", "files": {"a.json": "sha256 0"}, "content": "0", "shards": 1, "episodes": 1, "longest": 2,
        "counts": {}, "left_out": [], "scenarios": [],
    },
}  # fmt: skip
PLAIN = {
    "rollout/shard-00000.tries": {"job": "7", "tries": 2, "progress": 3.0, "reason": "", "restarts": 1},
    "rollout/shard-00000.progress": [1, 2, 0],
    "scenarios.json": [],
}


@pytest.fixture(scope="module")
def run(tmp_path_factory) -> RunDir:
    folder = tmp_path_factory.mktemp("fuzz")
    made = begun(folder / "run")
    PLAIN["scenarios.json"] = json.loads(made.path("scenarios.json").read_text())[:2]
    SEALED["manifest.json"]["files"] = files.read_sealed(made.path("manifest.json"))["files"]
    (folder / "outside").write_text("keep me")
    return made


def outside(run: RunDir) -> str:
    """What lies beside the run after all that commands do first; each call must end well or in one paragraph."""
    for call in (
        lambda: run.manifest(), lambda: run.marker("rollout", "shard-00000"),
        lambda: run.failure("rollout", "shard-00000"),
        lambda: run.claim("rollout", "shard-00000"),
        lambda: attempts.latest(run, "rollout", "shard-00000"),
        lambda: attempts.begin(run, "rollout", "shard-00000", "7"), lambda: run.scenarios(), lambda: launches(run),
        lambda: with_import(run.config(), run), lambda: differences(run, run.config()), lambda: summary(run),
        lambda: repair(run, verify(run)), lambda: run.clear("rollout", "shard-00000"),
    ):  # fmt: skip
        taken(call)
    return (run.root.parent / "outside").read_text()


@FUZZ
@given(st.data())
def test_no_sealed_file_breaks_a_command_or_deletes_what_is_not_the_runs(run, data):
    name = data.draw(st.sampled_from(sorted(SEALED)))
    told = data.draw(changed(SEALED[name]) | st.sampled_from(ELSEWHERE).map(
        lambda place: SEALED[name] | {"files": {place: "0" * 64}}))  # fmt: skip
    path = run.path(name)
    if isinstance(told, dict):
        files.write_sealed(path, json.loads(json.dumps(told, ensure_ascii=False).encode("utf-8", "replace")))
    else:
        files.write_text(path, json.dumps(told))
    assert outside(run) == "keep me"
    path.unlink(missing_ok=True)
    restore(run)


@FUZZ
@given(st.sampled_from(sorted([*SEALED, *PLAIN])), st.binary(max_size=60) | JSON.map(lambda d: json.dumps(d).encode())
       | st.sampled_from([b"[" * 100_000, b"1" * 5000, b'{"a":' * 50_000]), st.data())  # fmt: skip
def test_no_bytes_break_a_command(run, name, content, data):
    if name in PLAIN and data.draw(st.booleans()):
        content = json.dumps(data.draw(changed(PLAIN[name]))).encode()
    run.path(name).parent.mkdir(parents=True, exist_ok=True)
    run.path(name).write_bytes(content)
    assert outside(run) == "keep me"
    run.path(name).unlink(missing_ok=True)
    restore(run)


def test_a_field_of_a_strangers_name_breaks_no_line(run):
    """Found by the properties above."""
    files.write_sealed(run.claim_path("rollout", "shard-00000"), {"a\nb": 1})
    assert r"a\nb" in taken(lambda: run.claim("rollout", "shard-00000"))
    run.clear("rollout", "shard-00000")


def restore(run: RunDir) -> None:
    files.write_json(run.path("scenarios.json"), PLAIN["scenarios.json"])
    files.write_sealed(run.path("manifest.json"), SEALED["manifest.json"])


@FUZZ
@given(JSON.map(json.dumps) | changed({"prompt_tokens": 3, "generated_tokens": 4}).map(json.dumps))
def test_a_purse_that_cannot_be_read_is_not_taken_for_an_empty_one(run, text):
    spec = OpenAI(backend="openai", model="m", base_url="http://127.0.0.1:9/v1")
    for former in run.path("spent").glob("*.json"):
        former.unlink()
    Purse(spec, run.path("spent")).draw([Tokens(1, 1)], lambda _: True)
    [path] = run.path("spent").glob("*.json")
    path.write_text(text)
    found = taken(lambda: Purse(spec, run.path("spent")).draw([Tokens(1, 1)], lambda spent: min(spent) >= 0))
    assert isinstance(found, str) or json.loads(text)["prompt_tokens"] >= 0
