import re
from pathlib import Path

import pytest
from pydantic import ValidationError

from emodistill.configfile import load_config, load_yaml, resolved_yaml
from emodistill.errors import BadInput

BASE = "name: t\nmodels: {student: {backend: vllm, model: tiny-random}}\n"
SHIPPED = sorted((Path(__file__).parents[1] / "yaml").glob("*.yaml"))


@pytest.fixture
def load(tmp_path):
    def load_text(text, *overrides):
        path = tmp_path / "run.yaml"
        path.write_text(text, encoding="utf-8")
        return load_config(path, overrides)

    return load_text


def refusal(load, text, *overrides):
    with pytest.raises(BadInput) as caught:
        load(text, *overrides)
    return str(caught.value)


@pytest.mark.parametrize(
    ("text", "fragments"),
    [
        (BASE + "iql: {stepz: 5}", ["unknown key 'iql.stepz'", "did you mean 'steps'?", "Remove it or mend its name"]),
        (BASE + "sft: {lora: {rnak: 5}}", ["unknown key 'sft.lora.rnak'", "did you mean 'rank'?"]),
        (BASE + "modles: {}", ["unknown key 'modles'", "did you mean 'models'?"]),
        (BASE + "qqqqqq: 1", ["unknown key 'qqqqqq'. Remove it"]),
        (BASE + "seed: high", ["seed: Input should be a valid integer", "'high'", "Mend that value"]),
        (BASE + "seed: true", ["seed: Input should be a valid integer", "'True'"]),
        (BASE + "sweep: {rollouts: '5'}", ["sweep.rollouts", "'5'"]),
        (BASE + "sweep: {rollouts: 0}", ["sweep.rollouts", "greater than 0"]),
        (BASE + "sweep: 5", ["sweep", "'5'", "Mend that value"]),
        (BASE + "iql: {signal: reward}", ["iql.signal", "'judge', 'outcome' or 'hybrid'", "'reward'"]),
        (BASE + "seed: \"a\\nb\"", ["seed", r"a\nb"]),
        (BASE + "seed: x\nin_flight: y", ["seed", "(1 more after this one.)"]),
        (BASE + "name: u", ["the key 'name' is given twice (line 3)", "Mend that line"]),
        ("name: t\nmodels: {student: {backend: vllm, model: a, model: b}}", ["'model' is given twice (line 2)"]),
        ("name: [", ["not valid YAML", " at line 1", "Mend that line"]),
        ("name: t\n\tseed: 1", ["not valid YAML", "line 2"]),
        ("- a\n- b", ["must hold a mapping of keys to values, not list"]),
        ("", ["run.yaml is empty"]),
        ("cluster: slurm\ndefault: {time_min: 5}", ["is a profile, not a run's configuration", "--profile"]),
        (BASE + "scenarios: {domains: crad}", ["scenarios.domains: this key takes a list", "'crad'. Mend that value"]),
        ("name: t\nmodels: {student: {backend: vllm, model: m}, teacher: {backend: hf}}",
         ["models.teacher: there is no backend 'hf'. Known: 'scripted', 'vllm', 'openai'. "]),
        ("name: t\nmodels: {student: {}}", ["models.student", "backend"]),
        ("just words", ["must hold a mapping of keys to values, not str"]),
        ("models: {student: {backend: vllm, model: x}}", ["name is missing. Add it."]),
        ("name: ../t\nmodels: {student: {backend: vllm, model: x}}", ["name", "'../t'"]),
        ("name: t\nmodels: {student: {backend: vllm}}", ["models.student.model is missing. Add it."]),
        ("name: t\nmodels: {student: {backend: scripted}}", ["models.student.backend", "'scripted'"]),
        (BASE + "evaluate: {variants: [ful]}", ["evaluate.variants: no variant 'ful'; did you mean 'full'? Mend that"]),
        (BASE + "evaluate: {variants: ['fixed:angr']}", ["no variant 'fixed:angr'", "did you mean 'fixed:anger'?"]),
    ],
)  # fmt: skip
def test_a_refusal_is_one_paragraph_that_names_file_key_and_fix(load, tmp_path, text, fragments):
    message = refusal(load, text)
    assert "\n" not in message
    assert [fragment for fragment in (str(tmp_path / "run.yaml"), *fragments) if fragment not in message] == [], message


def test_a_missing_file_is_named():
    with pytest.raises(BadInput, match=r"no file nowhere/run\.yaml\. Name an existing YAML file"):
        load_config(Path("nowhere/run.yaml"))


def test_a_folder_and_a_binary_file_are_refused(tmp_path):
    (tmp_path / "run.yaml").write_bytes(b"\xff\xfe\xfa")
    for path in (tmp_path, tmp_path / "run.yaml"):
        with pytest.raises(BadInput, match=re.escape(f"{path} cannot be read")):
            load_yaml(path)


@pytest.mark.parametrize(
    ("written", "number"), [("1e-4", 1e-4), ("1E5", 1e5), ("-2e+3", -2000.0), ("2.5e-1", 0.25), ("3.e2", 300.0)]
)
def test_scientific_notation_is_a_float(tmp_path, written, number):
    (tmp_path / "a.yaml").write_text(f"x: {written}")
    found = load_yaml(tmp_path / "a.yaml")["x"]
    assert found == number and type(found) is float


def test_words_that_look_like_numbers_stay_words(tmp_path):
    (tmp_path / "a.yaml").write_text("{a: 1e4x, b: e5, c: '1e-4', d: 1e, e: 1-4, f: e-4}")
    assert load_yaml(tmp_path / "a.yaml") == {"a": "1e4x", "b": "e5", "c": "1e-4", "d": "1e", "e": "1-4", "f": "e-4"}


def test_set_overrides_the_file_and_the_last_one_counts(load):
    overrides = (
        "iql.steps=10", "iql.steps=11", "jpo.learning_rate=1e-7", "sft.lora.rank=4", "negotiation.tolerance_units=",
        "evaluate.variants=[full, 'fixed:joy']",
    )  # fmt: skip
    made = load(BASE + "iql: {steps: 9, hidden: 8}\nnegotiation: {tolerance_units: 5}", *overrides)
    assert (made.iql.steps, made.iql.hidden, made.jpo.learning_rate, made.sft.lora.rank) == (11, 8, 1e-7, 4)
    assert made.evaluate.variants == ("full", "fixed:joy") and made.negotiation.tolerance_units is None


@pytest.mark.parametrize(
    ("override", "fragments"),
    [
        ("iql.steps", ["--set 'iql.steps'", "a.b=value"]),
        ("=5", ["--set '=5'", "a.b=value"]),
        ("name.x=5", ["--set 'name.x=5'", "'name' is a value, not a section"]),
        ("iql.stepz=5", ["unknown key 'iql.stepz'", "did you mean 'steps'?"]),
        ("iql.steps=five", ["iql.steps", "'five'"]),
        ("iql.steps=[", ["--set 'iql.steps=['"]),
    ],
)  # fmt: skip
def test_a_bad_override_is_refused(load, override, fragments):
    message = refusal(load, BASE, override)
    assert "\n" not in message and all(fragment in message for fragment in fragments), message


@pytest.mark.parametrize("text", ["titel: x", "null: 3", "iql: {rollouts: 5}"])
def test_a_suggested_key_is_one_that_may_stand_there(load, text):
    suggested = re.search(r"did you mean '(\w+)'", refusal(load, BASE + text))
    assert suggested is None or "unknown key" not in refusal(load, BASE + re.sub(r"\w+(?=: \w)", suggested[1], text))


@pytest.mark.parametrize("text", ["2024-01-01: 1", "? [a, b]\n: 1"])
def test_a_key_that_is_no_word_is_refused(load, text):
    assert "a key is no word" in refusal(load, BASE + text)


@pytest.mark.parametrize(
    "text",
    [
        "scenarios: {domains: [crad, crad]}",
        "scenarios: {domains: []}",
        "evaluate: {variants: [full, full]}",
        "iql: {tau: .nan}",
        "sft: {keep_fraction: -3.0}",
        "negotiation: {tolerance_pct: -5.0}",
    ],
)
def test_a_value_that_no_run_can_use_is_refused(load, text):
    assert re.match(r"\w+", text)[0] in refusal(load, BASE + text)


def test_the_resolved_configuration_is_complete_and_loads_to_the_same(load):
    made = load(BASE + "iql: {learning_rate: 1e-4}\nnegotiation: {tolerance_units: 5}")
    assert load(resolved_yaml(made)) == made
    assert set(re.findall(r"\w+(?=:)", resolved_yaml(made))) >= {"seed", "rollouts", "tau", "kappa", "resamples"}


def test_a_configuration_cannot_be_changed(load):
    with pytest.raises(ValidationError, match="frozen"):
        load(BASE).seed = 3


@pytest.mark.parametrize("path", SHIPPED, ids=lambda path: path.name)
def test_shipped_configurations_load(path):
    assert load_config(path).name == path.stem


def test_the_paper_preset_fills_in_what_the_file_and_its_overrides_leave_open(load):
    own = "iql: {steps: 9, ensemble: 2}\nnegotiation: {max_messages: 12}"
    made = load("preset: paper\n" + BASE + own, "iql.beta=5")
    rules, iql = made.negotiation, made.iql
    assert (rules.tolerance_units, rules.layout, rules.max_messages) == (5, "paper", 12)
    assert (iql.extraction, iql.critics, iql.ensemble, iql.steps, iql.beta) == ("awr", 1, 2, 9, 5)
    assert made == load(resolved_yaml(made))
    assert "no preset 'papr'; did you mean 'paper'?" in refusal(load, "preset: papr\n" + BASE)


def test_a_file_may_extend_another_key_by_key(tmp_path, load):
    (tmp_path / "base.yaml").write_text(BASE + "sft: {epochs: 2, max_length: 99}\n")
    found = load("extends: base.yaml\nname: over\nsft: {epochs: 3}\n")
    assert (found.name, found.sft.epochs, found.sft.max_length, found.models.student.model) == (
        "over",
        3,
        99,
        "tiny-random",
    )
    assert "extends itself" in refusal(load, "extends: run.yaml\n")
    assert "There is no file" in refusal(load, "extends: nowhere.yaml\n")


def test_shipped_paper_files_load_and_name_themselves():
    for path in (Path(__file__).parents[1] / "yaml" / "paper").glob("*.yaml"):
        assert load_config(path).name == f"paper-{path.stem}"
