from dataclasses import replace

import pytest

from emodistill.configfile import load_config
from emodistill.domains import DOMAINS
from emodistill.domains.base import PERSONAS
from emodistill.stages import STAGES, Fingerprints

from helpers import ROOT

SMOKE = ROOT / "yaml" / "smoke.yaml"
ALL = list(STAGES)


def changed(*overrides: str) -> list[str]:
    """Stages whose first task's fingerprint the overrides change."""
    before, after = load_config(SMOKE), load_config(SMOKE, overrides)
    return [
        name
        for name, stage in STAGES.items()
        if Fingerprints(before)(stage, stage.tasks(before)[0]) != Fingerprints(after)(stage, stage.tasks(before)[0])
    ]


@pytest.mark.parametrize(
    "override",
    ["in_flight=3", "iql.log_every=7", "sft.checkpoint_every=9", "sft.deepspeed=zero3", "jpo.micro_batch_tokens=99"],
)
def test_how_something_is_computed_is_in_no_fingerprint(override):
    assert changed(override) == []


@pytest.mark.parametrize(
    "override, stages",
    [
        ("seed=2", ALL),
        ("negotiation.max_messages=8", ALL),
        ("sweep.rollouts=9", [s for s in ALL if s != "evaluate"]),
        ("judge.attempts=5", [s for s in ALL if s not in ("rollout", "evaluate")]),
        ("sft.learning_rate=0.5", ["sft", "jpo", "tables"]),
        ("report.resamples=7", ["tables"]),
        ("evaluate.seeds=9", ["evaluate", "tables"]),
    ],
)
def test_a_setting_touches_its_stage_and_what_reads_it(override, stages):
    """`evaluate` stands for its first task, vanilla-slm, which reads nothing that was trained."""
    assert changed(override) == stages


def test_an_evaluated_variant_depends_on_just_what_it_is_made_of():
    def touched(override: str) -> set[str]:
        before, after = load_config(SMOKE), load_config(SMOKE, (override,))
        stage = STAGES["evaluate"]
        both = set(stage.tasks(before)) & set(stage.tasks(after))
        return {cell for cell in both if Fingerprints(before)(stage, cell) != Fingerprints(after)(stage, cell)}

    assert touched("iql.steps=61") == {"iql-only", "full"}
    assert touched("jpo.kappa=0.5") == {"full", "emotion-free"}
    assert touched("sft.epochs=2") == {"sft", "full", "emotion-free"}
    assert touched("evaluate.variants=[vanilla-slm, full]") == set()


@pytest.mark.parametrize(
    "field, value, stages",
    [
        ("rubric", "Reward kindness.", [s for s in ALL if s not in ("rollout", "evaluate")]),
        ("personas", tuple((persona, "Be kind.") for persona in PERSONAS), ALL),
        ("brief", lambda scenario, seat: f"You are the {seat}.", ALL),
    ],
)
def test_other_words_for_the_models_are_another_run(monkeypatch, field, value, stages):
    config = load_config(SMOKE)
    before = {name: Fingerprints(config)(stage, stage.tasks(config)[0]) for name, stage in STAGES.items()}
    monkeypatch.setitem(DOMAINS, "crad", replace(DOMAINS["crad"], **{field: value}))
    after = {name: Fingerprints(config)(stage, stage.tasks(config)[0]) for name, stage in STAGES.items()}
    assert [name for name in STAGES if before[name] != after[name]] == stages


def test_the_same_scenarios_from_another_file_have_another_fingerprint(tmp_path):
    (tmp_path / "a.csv").write_text("x")
    (tmp_path / "b.csv").write_text("y")
    a, b = (f"scenarios.csv={{crad: {tmp_path / name}}}" for name in ("a.csv", "b.csv"))
    assert changed(a) == ALL
    one, other = (load_config(SMOKE, (source,)) for source in (a, b))
    stage = STAGES["rollout"]
    assert Fingerprints(one)(stage, "shard-00000") != Fingerprints(other)(stage, "shard-00000")
