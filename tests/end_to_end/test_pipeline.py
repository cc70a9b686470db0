"""The whole pipeline as a user runs it, on real vLLM, DeepSpeed and submitit."""

import csv
import json
import random
import shutil
import signal
import subprocess
import sys
import time
from pathlib import Path

import numpy as np
import pytest

from emodistill.configfile import load_config
from emodistill.domains import build_scenarios
from emodistill.emotions import GOEMOTIONS
from emodistill.runs import RunDir
from emodistill.shards import EPISODES, content_hash, read_records

from helpers import ROOT, emodistill

pytestmark = [pytest.mark.slow]


@pytest.fixture
def copy(smoke_run, tmp_path) -> Path:
    out = tmp_path / "run"
    shutil.copytree(smoke_run, out)
    return out


def rows(run: Path) -> list[dict[str, str]]:
    with (run / "tables" / "main.csv").open() as file:
        return list(csv.DictReader(file))


@pytest.mark.vllm
@pytest.mark.deepspeed
def test_every_stage_is_complete_and_verified_and_nothing_ended_in_an_error(smoke_run):
    found = json.loads(emodistill("status", smoke_run, "--json").stdout)
    assert found["complete"]
    assert all(stage["errors"] == 0 for stage in found["stages"].values())
    assert found["stages"]["rollout"]["rows"] == 48
    assert "whole" in emodistill("verify", smoke_run).stdout


@pytest.mark.vllm
@pytest.mark.deepspeed
def test_every_number_of_the_main_table_can_be_recomputed_from_the_shards(smoke_run):
    scenarios = RunDir(smoke_run).scenarios()
    header = (smoke_run / "tables" / "main.csv").read_text().splitlines()[0]
    assert header.startswith("variant,success,outcomes,utility,rounds,n,errors,success_low,success_high")
    for row in rows(smoke_run):
        episodes = read_records([smoke_run / "evaluate" / row["variant"] / "shard-00000.h5"], EPISODES)
        assert {scenarios[e.scenario_id].split for e in episodes} == {"held_out"}
        savings = []
        for e in episodes:
            s = scenarios[e.scenario_id]
            distance = (
                0 if e.agreed is None else (e.agreed - s.counterparty_target) / (s.focal_target - s.counterparty_target)
            )
            savings.append(min(1, max(0, distance)))
        assert float(row["utility"]) == pytest.approx(100 * np.mean(savings), abs=1e-3)
        assert float(row["success"]) == pytest.approx(100 * np.mean([e.agreed is not None for e in episodes]), abs=1e-3)
        assert float(row["rounds"]) == pytest.approx(np.mean([len(e.turns) for e in episodes]), abs=1e-3)
        assert (int(row["n"]), int(row["errors"])) == (len(episodes), 0)
        assert row["counterparty"] == "simulated counterparty"


@pytest.mark.vllm
@pytest.mark.deepspeed
def test_the_adapter_that_was_trained_is_the_one_that_speaks(smoke_run):
    def spoken(variant):
        episodes = read_records([smoke_run / "evaluate" / variant / "shard-00000.h5"], EPISODES)
        return [turn.utterance for episode in episodes for turn in episode.focal_turns()]

    assert spoken("vanilla-slm") != spoken("emotion-free")
    assert spoken("random-emotion") != spoken("sft")


@pytest.mark.vllm
@pytest.mark.deepspeed
def test_the_other_variants_train_what_they_need_and_speak_with_their_own_voice(copy):
    others = ["vanilla-llm", "alol", "sft+jpo", "fixed:gratitude"]
    emodistill("run", "yaml/smoke.yaml", "--out", copy, "--fresh", "--set", f"evaluate.variants={others}")
    played = {v: read_records([copy / "evaluate" / v / "shard-00000.h5"], EPISODES) for v in others}
    emotions = {v: {t.emotion for e in found for t in e.turns if t.seat == "focal"} for v, found in played.items()}
    assert emotions["vanilla-llm"] == {None} and emotions["fixed:gratitude"] == {"gratitude"}
    assert len(emotions["sft+jpo"]) > 1 and emotions["alol"] <= set(GOEMOTIONS)
    offers = [t.reading.offer for e in played["vanilla-llm"] for t in e.turns if t.seat == "focal"]
    assert any(offer is not None for offer in offers)  # the teacher negotiates; the tiny student only makes noise
    adapters = {task: (copy / "jpo" / task / "adapter" / "adapter_model.safetensors") for task in ("emotion", "alol")}
    assert adapters["alol"].read_bytes() != adapters["emotion"].read_bytes()
    assert [row["variant"] for row in rows(copy)] == others


@pytest.mark.vllm
@pytest.mark.deepspeed
def test_a_second_run_does_nothing_and_shows_the_table(copy):
    before = {path: path.stat().st_mtime_ns for path in copy.rglob("*.done")}
    started = time.monotonic()
    done = emodistill("run", "yaml/smoke.yaml", "--out", copy)
    assert time.monotonic() - started < 10
    assert "| vanilla-slm |" in done.stdout
    assert "to do" not in done.stderr
    assert {path: path.stat().st_mtime_ns for path in copy.rglob("*.done")} == before


@pytest.mark.vllm
@pytest.mark.deepspeed
def test_a_changed_config_is_refused_by_name_and_fresh_redoes_only_what_it_touches(copy):
    arguments = ("run", "yaml/smoke.yaml", "--out", copy, "--set", "report.resamples=500")
    refused = emodistill(*arguments, check=False)
    assert refused.returncode == 2
    assert "report.resamples: 1000 → 500" in refused.stderr
    assert "Stages affected: tables" in refused.stderr
    shards = {path: path.stat().st_mtime_ns for path in copy.rglob("shard-*.h5")}
    done = emodistill(*arguments, "--fresh")
    assert "tables: 1 of 1" in done.stderr
    assert "evaluate" not in done.stderr
    assert {path: path.stat().st_mtime_ns for path in copy.rglob("shard-*.h5")} == shards


@pytest.mark.vllm
@pytest.mark.deepspeed
def test_a_damaged_shard_is_named_and_repair_removes_just_its_task(copy):
    shard = copy / "evaluate" / "full" / "shard-00000.h5"
    data = bytearray(shard.read_bytes())
    data[len(data) // 2] ^= 1
    shard.write_bytes(data)
    done = emodistill("verify", copy, check=False)
    assert done.returncode == 1
    assert "evaluate/full/shard-00000.h5" in done.stderr
    assert "Traceback" not in done.stderr
    emodistill("verify", copy, "--repair")
    assert not shard.exists()
    found = json.loads(emodistill("status", copy, "--json").stdout)["stages"]
    assert (found["evaluate"]["done"], found["evaluate"]["planned"]) == (5, 6)
    assert "whole" in emodistill("verify", copy).stdout


def test_killed_at_random_moments_the_sweep_ends_with_the_same_content(tmp_path):
    """SIGKILL of the driver and of its jobs, again and again: nothing lost, doubled or changed."""
    command = [sys.executable, "-m", "emodistill", "run", "yaml/smoke.yaml", "--until", "dataset"]
    command += [
        "--set",
        "sweep.rollouts=300",
        "--set",
        "sweep.shard_episodes=500",
        "--set",
        "negotiation.max_messages=16",
    ]
    whole, killed = tmp_path / "whole", tmp_path / "killed"
    subprocess.run([*command, "--out", whole], cwd=ROOT, check=True, capture_output=True)
    rng, kills = random.Random(5), 0
    while True:
        process = subprocess.Popen(
            [*command, "--out", killed], cwd=ROOT, stderr=subprocess.PIPE, start_new_session=True
        )
        try:
            process.communicate(timeout=rng.uniform(0.7, 2.0))
            break
        except subprocess.TimeoutExpired:
            kills += 1
            if kills % 2:  # the driver alone: its jobs must notice
                process.kill()
            else:
                subprocess.run(["pkill", "-KILL", "-g", str(process.pid)], check=False)
            process.communicate()
    assert process.returncode == 0
    assert kills >= 2
    for stage in ("rollout", "judge", "dataset"):
        files = sorted(path.name for path in (whole / stage).glob("*.h5"))
        assert sorted(path.name for path in (killed / stage).glob("*.h5")) == files
        assert content_hash(killed / stage / n for n in files) == content_hash(whole / stage / n for n in files)


def test_ctrl_c_stops_cleanly_and_says_how_to_go_on(tmp_path):
    command = [
        sys.executable,
        "-m",
        "emodistill",
        "run",
        "yaml/smoke.yaml",
        "--out",
        tmp_path / "run",
        "--until",
        "judge",
    ]
    command += ["--set", "sweep.rollouts=3000", "--set", "sweep.shard_episodes=9000"]
    process = subprocess.Popen(command, cwd=ROOT, stderr=subprocess.PIPE, text=True, start_new_session=True)
    segments = (tmp_path / "run" / "rollout").glob
    while not list(segments("shard-*.part-*.h5")):
        assert process.poll() is None
        time.sleep(0.02)
    process.send_signal(signal.SIGINT)
    _, said = process.communicate(timeout=60)
    assert process.returncode == 130
    assert "give the same command again" in said
    assert "Traceback" not in said


def test_one_driver_at_a_time(tmp_path):
    part = ("run", "yaml/smoke.yaml", "--out", tmp_path / "run", "--until", "rollout")
    emodistill(*part)
    assert emodistill(*part).stderr == f"All stages up to rollout are done. See: emodistill status {tmp_path / 'run'}\n"
    with RunDir(tmp_path / "run").lock():
        done = emodistill("run", "yaml/smoke.yaml", "--out", tmp_path / "run", check=False)
    assert done.returncode == 2
    assert "is in use by process" in done.stderr


def test_held_out_scenarios_never_enter_the_training_files(tmp_path):
    out = tmp_path / "run"
    emodistill("run", "yaml/smoke.yaml", "--out", out, "--until", "dataset")
    held_out = {
        s.id for s in build_scenarios(load_config(ROOT / "yaml/smoke.yaml").scenarios, 1) if s.split == "held_out"
    }
    episodes = read_records(sorted((out / "rollout").glob("shard-*.h5")), EPISODES)
    assert len(held_out) == 3
    assert not held_out & {episode.scenario_id for episode in episodes}
