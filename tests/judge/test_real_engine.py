"""The expected score on a real engine, against the digits' probabilities from a plain forward pass."""

import numpy as np
import pytest

from emodistill.chat import token_ids
from emodistill.config import VLLM, Judge
from emodistill.judge.prompts import judge_messages
from emodistill.judge.score import DIGITS, judge_episodes
from emodistill.llm import make_model
from emodistill.llm.scripted import ScriptedModel
from emodistill.models import resolve
from emodistill.policy.selectors import random_emotion
from emodistill.rollout.engine import Usage
from emodistill.rollout.prompts import without_emotion

from builders import played, tasks


@pytest.fixture(scope="module")
def engine(tiny_model):
    model = make_model(VLLM(backend="vllm", model="tiny-random", dtype="float32", max_model_len=8192))
    yield model
    model.close()


@pytest.mark.vllm
@pytest.mark.slow
def test_scores_and_expected_scores_are_those_of_the_digits_own_probabilities(engine):
    import torch
    from transformers import AutoModelForCausalLM, AutoTokenizer

    todo = tasks(3)
    episodes, scenarios = (
        played(todo, ScriptedModel(), random_emotion),
        {task.scenario.id: task.scenario for task in todo},
    )
    usage = Usage()
    once = {v.episode_id: v for v in judge_episodes(episodes, scenarios, engine, 12, Judge(), 8, usage)}
    repeated = {v.episode_id: v for v in judge_episodes(episodes, scenarios, engine, 12, Judge(repeats=4), 8, usage)}

    tokenizer = AutoTokenizer.from_pretrained(resolve("tiny-random"))
    reader = AutoModelForCausalLM.from_pretrained(resolve("tiny-random"), dtype=torch.float32).eval()
    digits = [tokenizer.convert_tokens_to_ids(digit) for digit in DIGITS]
    for e in episodes:
        for turn, score, expected, four in zip(
            e.focal_turns(), once[e.id].scores, once[e.id].expected, repeated[e.id].expected, strict=True
        ):
            asked = judge_messages(scenarios[e.scenario_id], without_emotion(e.turns[: turn.index + 1]))
            with torch.no_grad():
                logits = reader(torch.tensor([token_ids(tokenizer, asked, generate=True)])).logits[0, -1]
            p = torch.softmax(logits[digits].double(), 0).numpy()
            assert expected[0] == pytest.approx(p @ np.arange(1, 11), abs=0.01)
            assert p[int(score[0]) - 1] == pytest.approx(p.max(), abs=0.01)
            assert four == pytest.approx([expected[0]] * 4, abs=0.01)  # sampling leaves the probabilities as they are
    sampled = np.concatenate([np.ravel(v.scores) for v in repeated.values()])
    assert len(set(sampled)) > 3
    assert usage.cached_tokens > 0.8 * usage.prompt_tokens
