import csv
import shutil
import signal
import subprocess
import sys
import time
from pathlib import Path

import numpy as np
import pytest
import torch
from safetensors.torch import load_file

from emodistill.dataset.transitions import Transitions
from emodistill.errors import BadInput, RunFailed
from emodistill.execute import run_tasks
from emodistill.runs import RunDir
from emodistill.shards import read_table
from emodistill.train.engine import memory_explained
from emodistill.train.iql import load_transitions, prepare
from emodistill.verify import verify

from helpers import ROOT, curve, emodistill, train

pytestmark = [pytest.mark.deepspeed, pytest.mark.slow]


def losses(run: Path, stage: str, task: str) -> list[float]:
    return [row["loss"] for row in curve(run, stage, task)]


def test_every_zero_stage_and_two_ranks_give_the_same_sft_curve(copied):
    found, adapters = {}, []
    for stage in range(4):
        run = copied(f"zero{stage}", dtype="float32", dropout=0.0, micro_batch_tokens=2000, deepspeed=f"zero{stage}")
        train(run, "sft", "emotion")
        found[f"ZeRO {stage}"] = losses(run, "sft", "emotion")
        adapters.append(load_file(run / "sft" / "emotion" / "adapter" / "adapter_model.safetensors"))
    run = copied("ranks", dtype="float32", dropout=0.0, micro_batch_tokens=2000, deepspeed="zero2")
    train(run, "sft", "emotion", ranks=2)
    found["2 ranks"] = losses(run, "sft", "emotion")
    for name, values in found.items():
        assert values == pytest.approx(found["ZeRO 0"], rel=1e-5), name
    assert len(found["ZeRO 0"]) > 2
    for adapter in adapters[1:]:  # Adam makes a step of the rounding of a gradient near 0
        for name, weight in adapters[0].items():
            assert (adapter[name] - weight).norm() < 1e-3 * weight.norm(), name


def test_every_zero_stage_and_two_ranks_train_the_same_selector(copied):
    found, made = {}, []
    for name, stage, ranks in (("ZeRO 0", 0, 1), ("ZeRO 1", 1, 1), ("ZeRO 2", 2, 1), ("2 ranks", 1, 2)):
        settings = {"steps": "30", "extraction": "awr", "hidden": "32", "precision": "float32"}
        run = copied(name.replace(" ", ""), deepspeed=f"zero{stage}", **settings)
        train(run, "iql", "selector", ranks)
        found[name] = curve(run, "iql", "selector")
        made.append(load_file(run / "iql" / "selector" / "selector.safetensors"))
    for name, rows in found.items():
        for row, first in zip(rows, found["ZeRO 0"], strict=True):
            assert row == pytest.approx(first, rel=1e-4), name
    for other in made[1:]:
        torch.testing.assert_close(other, made[0], rtol=1e-3, atol=1e-4)


def test_a_domain_without_transitions_and_a_signal_of_zeros_are_refused(copied):
    run = copied("run", per_domain="true")
    text = (run / "scenarios.json").read_text()
    (run / "scenarios.json").write_text(text.replace('"domain": "crad"', '"domain": "hospital"'))
    with pytest.raises(BadInput, match=r"no transition of the domain crad.*iql\.per_domain: false"):
        load_transitions(RunDir(run), "crad", "outcome")
    data = Transitions(**read_table(run / "dataset" / "transitions.h5"))
    with pytest.raises(BadInput, match=r"All rewards of iql\.signal are zero"):
        prepare(data, np.zeros(len(data.a_tm1)))


def test_off_policy_estimates_come_from_the_sweep_and_the_trained_selector(copied):
    run = copied("run", steps="30")
    assert "is not trained yet" in emodistill("ope", run, check=False).stderr
    train(run, "iql", "selector")
    said = emodistill("ope", run).stdout
    assert said == (run / "tables" / "offpolicy.md").read_text()
    rows = list(csv.DictReader((run / "tables" / "offpolicy.csv").open()))
    (run / "tables" / "offpolicy.tex").write_text("cut")
    assert "tables/offpolicy.tex" in [problem.file for problem in verify(RunDir(run))]
    data = read_table(run / "dataset" / "transitions.h5")
    mean = data["outcome_t"].sum() / data["done_t"].sum()
    (behaviour,) = [r for r in rows if (r["selector"], r["estimator"]) == ("random-emotion", "wis")]
    assert float(behaviour["return"]) == pytest.approx(mean, abs=1e-3)
    assert {(r["selector"], r["estimator"]) for r in rows} == {
        (s, e) for s in ("iql", "random-emotion") for e in ("fqe", "wis", "dr")
    }


@pytest.mark.parametrize("stage, task", [("iql", "selector"), ("sft", "emotion")])
def test_a_killed_training_resumes_to_the_same_curve_and_artefact(copied, stage, task):
    whole, killed = copied("whole"), copied("killed")
    train(whole, stage, task)
    process = subprocess.Popen([sys.executable, "-m", f"jobs.{stage}", "--run", killed, "--task", task], cwd=ROOT)
    checkpoints = killed / stage / task / "checkpoints"
    while not list(checkpoints.glob("step-*")):
        assert process.poll() is None, "ended before its first checkpoint"
        time.sleep(0.005)
    process.kill()
    process.wait()
    assert not (killed / stage / f"{task}.done").exists()
    train(killed, stage, task)
    assert curve(killed, stage, task) == curve(whole, stage, task)
    assert weights(killed, stage, task) == weights(whole, stage, task)


@pytest.mark.parametrize("stage, task", [("iql", "selector"), ("sft", "emotion")])
def test_a_damaged_checkpoint_is_not_loaded_and_the_one_before_it_leads_to_the_same_end(copied, caplog, stage, task):
    whole, damaged = copied("whole"), copied("damaged")
    train(whole, stage, task)
    shutil.copytree(whole / stage / task, damaged / stage / task)
    shutil.copy(whole / stage / f"{task}.identity", damaged / stage)
    oldest, newest = sorted((damaged / stage / task / "checkpoints").iterdir())
    harmed = newest / "state" / "mp_rank_00_model_states.pt"
    data = bytearray(harmed.read_bytes())
    data[len(data) // 2] ^= 1
    harmed.write_bytes(data)
    (damaged / stage / task / "metrics.jsonl").write_text('{"step": 1')  # a checkpoint holds its own
    [problem] = verify(RunDir(damaged))
    assert damaged / problem.file == harmed and problem.mend == "remove the checkpoint"
    (newest.parent / "tmp-00000007").mkdir()  # a kill in the middle of a save
    train(damaged, stage, task)
    assert f"goes on from {oldest.name}" in caplog.text
    assert verify(RunDir(damaged)) == [] and sorted(newest.parent.iterdir()) == [oldest, newest]
    assert curve(damaged, stage, task) == curve(whole, stage, task)
    assert weights(damaged, stage, task) == weights(whole, stage, task)


def weights(run: Path, stage: str, task: str) -> bytes:
    (file,) = [*(run / stage / task).glob("*.safetensors"), *(run / stage / task / "adapter").glob("*.safetensors")]
    return file.read_bytes()


def test_the_prelimit_signal_writes_a_checkpoint_and_the_next_attempt_goes_on(copied):
    run = copied("run", steps="100000")
    process = subprocess.Popen(
        [sys.executable, "-m", "jobs.iql", "--run", run], cwd=ROOT, stderr=subprocess.PIPE, text=True
    )
    while not list((run / "iql" / "selector" / "checkpoints").glob("step-*")):
        time.sleep(0.05)
    process.send_signal(signal.SIGUSR2)
    _, said = process.communicate(timeout=60)
    assert process.returncode == 130
    assert "Stopped at step" in said
    newest = max((run / "iql" / "selector" / "checkpoints").glob("step-*")).name
    assert f"Stopped at step {int(newest.removeprefix('step-'))} " in said


def test_jpo_starts_at_the_reference_and_moves_away_from_it(copied):
    run = copied("run")
    train(run, "sft", "emotion")
    train(run, "jpo", "emotion")
    rows = curve(run, "jpo", "emotion")
    assert rows[0]["kl"] == 0.0
    assert rows[0]["clipped"] == 0.0
    assert all(row["kl"] > 0 for row in rows[1:])


def test_a_checkpoint_of_another_layout_is_refused(copied):
    run = copied("run", steps="100000")
    process = subprocess.Popen([sys.executable, "-m", "jobs.iql", "--run", run], cwd=ROOT)
    while not list((run / "iql" / "selector" / "checkpoints").glob("step-*")):
        time.sleep(0.05)
    process.kill()
    process.wait()
    text = (run / "config.yaml").read_text()
    (run / "config.yaml").write_text(text.replace("deepspeed: zero0", "deepspeed: zero1"))
    outcome = run_tasks(str(run), "iql", ["selector"])
    assert outcome.kind == "bad_input"
    assert "Run with the same ranks and ZeRO stage" in outcome.message


def test_a_loss_that_is_not_finite_ends_the_run_and_keeps_the_last_checkpoint(copied):
    run = copied("run", learning_rate="1.0e+30")
    outcome = run_tasks(str(run), "iql", ["selector"])
    assert outcome.kind == "failed"
    assert "lower the learning rate" in outcome.message
    assert not (run / "iql" / "selector.done").exists()


def test_when_no_turn_passes_the_filter_the_message_says_which_key_to_raise(copied):
    run = copied("run", keep_fraction="0.0001")
    outcome = run_tasks(str(run), "sft", ["emotion"])
    assert outcome.kind == "bad_input"
    assert "sft.keep_fraction" in outcome.message


def test_checkpoints_come_by_minutes_too_and_only_the_newest_two_stay(copied):
    run = copied("run", checkpoint_every=1000, checkpoint_minutes="1.0e-9")
    train(run, "sft", "emotion")
    steps = len(losses(run, "sft", "emotion"))
    found = sorted(path.name for path in (run / "sft" / "emotion" / "checkpoints").iterdir())
    assert found == [f"step-{steps - 1:08d}", f"step-{steps:08d}"]


def test_gradient_checkpointing_changes_no_loss_on_either_path(copied):
    curves = []
    for name, zero in (("lean", "zero1"), ("general", "zero3")):
        for checkpointing in ("false", "true"):
            settings = {"dropout": 0.0, "deepspeed": zero, "precision": "float32"}
            run = copied(f"{name}-{checkpointing}", gradient_checkpointing=checkpointing, **settings)
            train(run, "sft", "emotion")
            curves.append(losses(run, "sft", "emotion"))
    for other in curves[1:]:
        assert other == pytest.approx(curves[0], rel=1e-5)


def test_a_loss_that_explodes_in_sft_leaves_the_checkpoint_before_it(copied):
    run = copied("run", learning_rate="1.0e+30", checkpoint_every=1)
    outcome = run_tasks(str(run), "sft", ["emotion"])
    assert outcome.kind == "failed"
    assert "lower the learning rate" in outcome.message
    assert list((run / "sft" / "emotion" / "checkpoints").glob("step-*/state"))


@pytest.mark.parametrize(
    "fail",
    [
        lambda: torch.empty(10**15),
        lambda: _raise(torch.OutOfMemoryError("CUDA out of memory. Tried to allocate 2 GiB")),
        lambda: bytearray(10**15),
    ],
)
def test_running_out_of_memory_says_what_to_lower(fail):
    with (
        pytest.raises(RunFailed, match=r"micro_batch_tokens.*gradient_checkpointing") as caught,
        memory_explained("now"),
    ):
        fail()
    assert "\n" not in str(caught.value)


def _raise(error):
    raise error


def test_another_error_is_not_taken_for_memory():
    with pytest.raises(RuntimeError, match="shapes"), memory_explained("now"):
        raise RuntimeError("shapes do not fit")


def test_alol_is_jpo_on_positive_advantages_from_the_same_start(copied):
    run = copied("run", learning_rate="1.0e-3")
    text = (run / "config.yaml").read_text()
    (run / "config.yaml").write_text(text.replace("  - full\n", "  - full\n  - alol\n"))
    train(run, "sft", "emotion")
    for task in ("emotion", "alol"):
        train(run, "jpo", task)
    (first, alol) = (curve(run, "jpo", task) for task in ("emotion", "alol"))
    assert first[0]["kl"] == alol[0]["kl"] == 0.0
    assert alol[0]["loss"] < first[0]["loss"]  # at step 0 the loss is minus the mean shaped advantage
    assert weights(run, "jpo", "emotion") != weights(run, "jpo", "alol")
