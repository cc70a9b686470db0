"""One contract for every backend behind `ChatModel`. The HTTP backend speaks to a stand-in here."""

import threading
import time

import pytest

from emodistill.config import VLLM, Scripted
from emodistill.domains.quantities import Duration
from emodistill.judge.score import DIGITS
from emodistill.llm import ModelPool, make_model
from emodistill.llm.scripted import ScriptedModel
from emodistill.rollout.structured import parse, schema

from asking import CHAT, answers, request
from fault_server import Endpoint

REAL = [pytest.mark.vllm, pytest.mark.slow]
ALL = ["scripted", "openai", pytest.param("vllm", marks=REAL)]
READ_PROMPTS = ALL[1:]
DAYS = Duration("days")


@pytest.fixture
def model(request):
    """The backend that the test is run for, ready to be asked."""
    backend = request.param
    if backend == "vllm":
        yield request.getfixturevalue("engine")
    elif backend == "openai":
        with Endpoint(s_per_token=0.005) as endpoint:
            yield request.getfixturevalue("http_model")(endpoint.url)
    else:
        yield make_model(Scripted(backend="scripted"))


every = pytest.mark.parametrize("model", ALL, indirect=True)


@every
def test_every_request_has_one_reply_with_its_key_words_and_counts(model):
    requests = [request(f"k{i}", seed=i) for i in range(40)]
    for reply in answers(model, requests).values():
        assert reply.text and not reply.error
        assert 0 <= reply.cached_tokens <= reply.prompt_tokens and reply.generated_tokens >= 0 and reply.usd >= 0
        assert sum(p for _, p in reply.alternatives) <= 1 + 1e-6


@every
def test_a_seed_fixes_the_words_in_whatever_order_they_are_asked_for(model):
    requests = [request(f"k{i}", seed=i % 6) for i in range(12)]
    first = {key: reply.text for key, reply in answers(model, requests).items()}
    assert {key: reply.text for key, reply in answers(model, requests[::-1]).items()} == first
    assert [first[f"k{i}"] for i in range(6)] == [first[f"k{i + 6}"] for i in range(6)]
    assert len({first[f"k{i}"] for i in range(6)}) >= 3
    assert answers(model, requests[4:5])["k4"].text == first["k4"]


@every
def test_replies_come_as_they_are_ready(model):
    model.submit(request("late", seed=1, max_tokens=60))
    model.submit(request("early", seed=2, max_tokens=2))
    first, deadline = [], time.monotonic() + 60
    while not first and time.monotonic() < deadline:
        first = model.poll()
    assert [reply.key for reply in first] == ["early"] or isinstance(model, ScriptedModel)
    while len(first) < 2 and time.monotonic() < deadline:
        first += model.poll()
    assert {reply.key for reply in first} == {"early", "late"}


@every
def test_a_poll_with_nothing_asked_returns_at_once(model):
    started = time.monotonic()
    assert [list(model.poll()) for _ in range(3)] == [[], [], []]
    assert time.monotonic() - started < 1


@every
def test_a_guided_choice_is_one_of_the_choices_with_probabilities_of_where_it_begins(model):
    asked = [request(f"k{i}", i, seat="judge", choices=DIGITS, logprobs=True, max_tokens=4) for i in range(8)]
    for reply in answers(model, asked).values():
        assert reply.text in DIGITS
        assert sum(p for _, p in reply.alternatives) == pytest.approx(1, abs=1e-3)
        assert all(token in DIGITS for token, p in reply.alternatives if p > 1e-6)


@every
def test_a_schema_gives_a_reply_that_decides_even_if_it_is_cut(model):
    asked = [request(f"k{i}", i, schema=schema(DAYS), max_tokens=60) for i in range(4)]
    for reply in answers(model, asked).values():
        assert parse(reply.text, DAYS) is not None


@pytest.mark.parametrize("model", READ_PROMPTS, indirect=True)
def test_a_prompt_that_is_too_long_is_a_reply_with_an_error(model):
    found = answers(model, [request("long", chat=(("user", "a" * 50_000),)), request("short", chat=CHAT)])
    assert found["long"].text == "" and found["long"].error
    assert found["short"].text and not found["short"].error


@pytest.mark.parametrize("model", ALL[:2], indirect=True)  # the vLLM engine is shared
def test_close_may_be_called_twice_and_with_requests_open(model):
    before = threading.active_count()
    model.submit(request("k"))
    model.close()
    model.close()
    assert threading.active_count() <= before


def test_equal_specs_share_one_model():
    pool = ModelPool()
    assert pool(Scripted(backend="scripted")) is pool(Scripted(backend="scripted"))
    pool.close()


def test_only_a_model_that_speaks_with_adapters_keeps_memory_for_them(monkeypatch):
    made = []
    monkeypatch.setattr("emodistill.llm.make_model", lambda spec, spending, rank: made.append((spec.model, rank)))
    student, judge = VLLM(backend="vllm", model="student"), VLLM(backend="vllm", model="judge")
    pool = ModelPool()
    pool.expect_adapters(student, 128)
    pool(student)
    pool(judge)
    assert made == [("student", 128), ("judge", None)]
