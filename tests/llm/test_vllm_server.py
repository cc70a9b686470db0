"""The HTTP backend against vLLM's own OpenAI-compatible server, with the embedded tiny model."""

import json
import os
import socket
import subprocess
import sys
import time
import urllib.request

import numpy as np
import pytest

from emodistill.config import Judge, OpenAI, Scripted
from emodistill.errors import BadInput
from emodistill.judge.score import DIGITS, judge_episodes
from emodistill.llm import make_model
from emodistill.policy.selectors import random_emotion
from emodistill.records import Rules
from emodistill.rollout.engine import Usage, Voice, play

from asking import answers, request
from builders import tasks
from fault_server import KEY

pytestmark = [pytest.mark.vllm, pytest.mark.slow]
SCHEMA = '{"type": "object", "properties": {"offer": {"enum": [40, 50]}}, "required": ["offer"]}'


def free_port() -> int:
    with socket.socket() as taken:
        taken.bind(("127.0.0.1", 0))
        return taken.getsockname()[1]


def wait_for(url: str, server: subprocess.Popen) -> None:
    deadline = time.monotonic() + 300
    while time.monotonic() < deadline and server.poll() is None:
        try:
            urllib.request.urlopen(f"{url}/health", timeout=5)
            return
        except OSError:
            time.sleep(0.5)
    raise AssertionError("vLLM's server did not start")


@pytest.fixture(scope="module")
def url(tiny_model, tmp_path_factory):
    port, log = free_port(), tmp_path_factory.mktemp("server") / "log"
    command = [sys.executable, "-m", "vllm.entrypoints.openai.api_server", "--host", "127.0.0.1", "--port", port]
    command += ["--model", tiny_model, "--served-model-name", "tiny", "--api-key", KEY, "--max-model-len", 4096]
    command += ["--enforce-eager", "--no-enable-chunked-prefill", "--max-num-batched-tokens", 8192]
    # A random model would put white space between the braces for ever.
    command += ["--structured-outputs-config", '{"backend": "xgrammar", "disable_any_whitespace": true}']
    quiet = {"VLLM_CPU_KVCACHE_SPACE": "1", "HF_HUB_OFFLINE": "1", "VLLM_NO_USAGE_STATS": "1"}
    with log.open("wb") as output:
        server = subprocess.Popen(
            list(map(str, command)), env={**os.environ, **quiet}, stdout=output, stderr=subprocess.STDOUT
        )
    try:
        wait_for(f"http://127.0.0.1:{port}", server)
        yield f"http://127.0.0.1:{port}/v1"
    finally:
        server.terminate()
        server.wait(60)


@pytest.fixture
def connect(url, monkeypatch, request):
    def opened(key=KEY, model="tiny"):
        monkeypatch.setenv("TEST_KEY", key)
        made = make_model(OpenAI(backend="openai", model=model, base_url=url, api_key_env="TEST_KEY"))
        request.addfinalizer(made.close)
        return made

    return opened


def test_episodes_are_played_and_judged_with_expected_scores(connect):
    model, usage = connect(), Usage()
    focal, counterparty = Voice(model, 0.7, 24), Voice(make_model(Scripted(backend="scripted")), 0.7, 60)
    todo = tasks(2)
    episodes = list(play(todo, focal, counterparty, random_emotion, Rules(max_messages=4), 8, usage))
    assert len(episodes) == 2 and not [episode.error for episode in episodes if episode.error]
    assert usage.prompt_tokens > 500 and usage.generated_tokens > 20
    scenarios = {task.scenario.id: task.scenario for task in todo}
    verdicts = list(judge_episodes(episodes, scenarios, model, 4, Judge(attempts=1), 8, usage))
    assert [len(v.scores) for v in verdicts] == [len(e.focal_turns()) for e in episodes]
    assert all(1 <= value <= 10 for v in verdicts for value in np.ravel((v.scores, v.expected)))


def test_a_seed_fixes_the_words(connect):
    model, asked = connect(), [request(f"k{i}", seed=i % 3) for i in range(9)]
    first = {key: reply.text for key, reply in answers(model, asked).items()}
    assert {key: reply.text for key, reply in answers(model, asked[::-1]).items()} == first
    assert len(set(first.values())) == 3


def test_choices_schemas_and_probabilities_are_the_servers(connect):
    asked = [request(f"c{i}", i, choices=DIGITS, logprobs=True, max_tokens=4) for i in range(6)]
    asked += [request(f"s{i}", i, schema=SCHEMA, max_tokens=20) for i in range(4)]
    found = answers(connect(), asked)
    for i in range(6):
        likely = {token: p for token, p in found[f"c{i}"].alternatives if p > 1e-6}
        assert found[f"c{i}"].text in DIGITS and set(likely) == set(DIGITS)
        assert sum(likely.values()) == pytest.approx(1, abs=1e-3)
    assert all(json.loads(found[f"s{i}"].text)["offer"] in (40, 50) for i in range(4))


def test_a_long_prompt_is_an_error_and_a_wrong_key_or_model_ends_the_task(connect):
    found = answers(connect(), [request("long", chat=(("user", "a" * 5000),)), request("short")])
    assert "HTTP 400" in found["long"].error and "4096" in found["long"].error and found["short"].text
    for wrong, words in (({"key": "other-key"}, "HTTP 401"), ({"model": "nope"}, "HTTP 404")):
        with pytest.raises(BadInput, match=words):
            answers(connect(**wrong), [request("k")])
