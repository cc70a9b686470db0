import signal
import subprocess
import sys
import time
from pathlib import Path

import pytest
import torch
from safetensors.torch import load_file

from emodistill.execute import run_tasks

from helpers import ROOT, curve, train

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
    for adapter in adapters[1:]:
        torch.testing.assert_close(adapter, adapters[0], rtol=1e-3, atol=1e-4)


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
