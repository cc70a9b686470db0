"""Every kind of bad input: one clear paragraph, exit code 2, nothing half-written."""

import shutil

import pytest

from emodistill.cli import main

from helpers import ROOT

SMOKE = str(ROOT / "yaml" / "smoke.yaml")


@pytest.fixture
def refused(capsys, tmp_path, monkeypatch):
    """Runs the command, and checks that it was refused in one paragraph and left nothing."""
    monkeypatch.chdir(tmp_path)

    def run(*arguments: str) -> str:
        before = sorted(tmp_path.rglob("*"))
        assert main(arguments) == 2
        said = capsys.readouterr()
        assert said.out == ""
        message = said.err.strip()
        assert message.startswith("emodistill: ")
        assert "\n" not in message
        assert sorted(tmp_path.rglob("*")) == before
        return message

    return run


@pytest.mark.parametrize(
    "override, words",
    [
        ("iql.setps=5", ["iql.setps", "did you mean 'steps'"]),
        ("iql.steps=many", ["iql.steps", "'many'"]),
        ("iql.steps=-1", ["iql.steps", "greater than 0"]),
        ("sft.learning_rate='high'", ["sft.learning_rate", "'high'"]),
        ("name=../escape", ["name", "'../escape'"]),
        ("scenarios.domains=[crat]", ["no domain 'crat'", "Known: crad"]),
        ("evaluate.variants=[fulll]", ["no variant 'fulll'", "did you mean 'full'"]),
        ("models.student.model=./nowhere", ["no model in nowhere", "config.json"]),
        ("scenarios.csv={crad: nowhere.csv}", ["no scenario file", "nowhere.csv"]),
    ],
)
def test_a_bad_value_is_named_with_its_mend(refused, override, words):
    message = refused("run", SMOKE, "--set", override)
    assert all(word in message for word in words), message


def test_a_missing_config_file(refused):
    assert "There is no file nowhere.yaml" in refused("run", "nowhere.yaml")


def test_an_unknown_stage_and_profile(refused):
    assert "no such stage" in refused("run", SMOKE, "--until", "rolout")
    assert "Shipped: " in refused("run", SMOKE, "--profile", "nowhere")


def test_a_csv_with_another_header(refused, tmp_path):
    (tmp_path / "other.csv").write_text("a,b\n1,2\n")
    message = refused("run", SMOKE, "--set", "scenarios.csv={crad: other.csv}")
    assert "other.csv: this is not a crad scenario file" in message
    assert "Creditor Name" in message


def test_a_folder_that_cannot_be_written_to(refused):
    message = refused("run", SMOKE, "--out", "/proc/nowhere")
    assert "/proc/nowhere cannot be written to" in message
    assert "--out" in message


def test_a_file_in_place_of_the_run_directory(refused, tmp_path):
    (tmp_path / "taken").touch()
    assert "taken is no folder. Name another one with --out." in refused("run", SMOKE, "--out", str(tmp_path / "taken"))


def test_a_disk_that_is_too_small(refused, tmp_path, monkeypatch):
    usage = shutil.disk_usage(tmp_path)
    monkeypatch.setattr(shutil, "disk_usage", lambda path: usage._replace(free=10_000_000))
    message = refused("run", SMOKE, "--out", str(tmp_path / "out"))
    assert "Only 0.01 GB are free" in message


def test_a_missing_package_and_an_unfetched_model(refused, monkeypatch, tmp_path):
    import importlib.util

    find = importlib.util.find_spec
    with monkeypatch.context() as patch:
        patch.setattr(
            importlib.util, "find_spec", lambda name, *rest: None if name == "deepspeed" else find(name, *rest)
        )
        message = refused("run", SMOKE)
        assert "deepspeed" in message
        assert "make install" in message
    monkeypatch.setenv("EMODISTILL_CACHE", str(tmp_path / "empty"))
    assert "emodistill models fetch tiny-random" in refused("run", SMOKE)


def test_a_folder_that_is_no_run(refused, tmp_path):
    for command in ("status", "verify", "report"):
        assert "is no run directory" in refused(command, str(tmp_path))


def test_a_missing_api_key(refused, monkeypatch):
    monkeypatch.delenv("OPENAI_API_KEY", raising=False)
    spec = "models.judge={backend: openai, model: m, base_url: 'http://127.0.0.1:9/v1'}"
    assert "OPENAI_API_KEY holds no key" in refused("run", SMOKE, "--set", spec)
