"""A configuration is refused in one paragraph, or is one that loads to the same again."""

from pathlib import Path

import pytest
from fuzzing import FUZZ, JSON, TEXTS, changed, taken
from hypothesis import given
from hypothesis import strategies as st

import yaml
from emodistill.cluster.profiles import Profile, load_profile
from emodistill.config import Config
from emodistill.configfile import load_config, resolved_yaml

from helpers import ROOT

BASE = "name: t\nmodels: {student: {backend: vllm, model: tiny-random}}\n"
WHOLE = yaml.safe_load(resolved_yaml(load_config(ROOT / "yaml" / "smoke.yaml")))
HTTP = {"backend": "openai", "model": "m", "base_url": "http://127.0.0.1:9/v1"}
SEED = WHOLE | {"models": WHOLE["models"] | {"teacher": HTTP}, "preset": "paper"}
PROFILE = yaml.safe_load((ROOT / "slurm" / "profiles" / "a100-cluster.yaml").read_text())
DEEP, LONG = "[" * 3000, "1" * 5000
LAUGHS = "\n".join(["a0: &a0 [x, x]", *(f"a{k}: &a{k} [*a{k - 1}, *a{k - 1}]" for k in range(1, 40))])
ODD = [
    "&a [*a]", "&a {b: *a}", "*a", "<<: *a", "!!python/object/apply:os.system ['true']", "!!python/name:os.system",
    "!!binary x", "!!timestamp x", "!!int x", "!!int 1_", "!!float x", "!!bool x", "!!set {a, b}", "!!omap [a: 1]",
    "!!null x", "!x y", "2024-99-99", "2024-01-01T99:99:99Z", LONG, f"0x{LONG}", f"{LONG}:59", "1:99", "0o9", "1e999",
    ".nan", ".inf", '"\\ud800"', '"\\x00"', '"\\U00110000"', "'a\n\n b'", DEEP, "{a: " * 3000, "- " * 3000, "%YAML 9.9",
    "---", "...", "\0", "\t", "|\n  x", ">-\n  x", "? [a]", "name", "x" * 3000, "", LAUGHS,
]  # fmt: skip
KEYS = ["name", "seed", "models", "sweep", "iql", "steps", "extends", "preset", "scenarios", "csv", "evaluate", "&a b"]
LINES = st.tuples(st.sampled_from(KEYS) | TEXTS, st.sampled_from(ODD) | TEXTS).map(lambda pair: ": ".join(pair))
YAML = st.one_of(
    st.lists(LINES, max_size=4).map(lambda lines: BASE + "\n".join(lines)),
    st.sampled_from(ODD) | TEXTS,
    (changed(SEED) | JSON.map(lambda value: SEED | {"extends": value})).map(
        lambda data: yaml.dump(data, allow_unicode=True)
    ),
)


@pytest.fixture(scope="module")
def path(tmp_path_factory) -> Path:
    return tmp_path_factory.mktemp("fuzz") / "run.yaml"


def written(path: Path, text: str | bytes) -> Path:
    path.write_bytes(text.encode("utf-8", "surrogatepass") if isinstance(text, str) else text)
    return path


@FUZZ
@given(YAML | st.binary(max_size=80), st.lists(st.sampled_from(["iql.steps", "", "a.b", "name"]) | TEXTS, max_size=1))
def test_no_yaml_breaks_the_configuration(path, text, keys):
    overrides = tuple(f"{key}={value}" for key, value in zip(keys, ["[", *ODD], strict=False))
    found = taken(lambda: load_config(written(path, text), overrides))
    if isinstance(found, Config):
        assert load_config(written(path, resolved_yaml(found))) == found


@FUZZ
@given(changed(PROFILE).map(yaml.dump) | YAML)
def test_no_yaml_breaks_a_profile(path, text):
    found = taken(lambda: load_profile(str(written(path, text))))
    if isinstance(found, Profile):
        assert load_profile(str(written(path, yaml.safe_dump(found.model_dump(mode="json"))))) == found
