"""Whatever an endpoint answers is a reply, a reply with an error, or one paragraph that ends the task."""

import json

import httpx
import openai
import pytest
from fuzzing import CHARACTERS, FUZZ, JSON, changed, in_time
from hypothesis import given
from hypothesis import strategies as st

from emodistill.config import OpenAI
from emodistill.errors import BadInput, RunFailed
from emodistill.judge.score import DIGITS, expected_score, parse_score
from emodistill.llm.openai import OpenAIModel, retry_after_s
from emodistill.rollout.engine import Usage

from asking import request

KEY = "canary-key-5f1c"
TOKEN = {"token": "7", "logprob": -0.1, "bytes": None}
ANSWER = {
    "id": "x", "object": "chat.completion", "created": 0, "model": "m",
    "choices": [{"index": 0, "finish_reason": "stop",
                 "message": {"role": "assistant", "content": '{"choice": "7"}'},
                 "logprobs": {"content": [TOKEN | {"token": t, "top_logprobs": [TOKEN]} for t in
                                          ('{"', "choice", '": "', "7", '"}')]}}],
    "usage": {"prompt_tokens": 9, "completion_tokens": 3, "total_tokens": 12,
              "prompt_tokens_details": {"cached_tokens": 1}},
}  # fmt: skip
ERROR = {"error": {"message": f"no {KEY}", "type": "x", "code": "insufficient_quota", "param": None}}
BODIES = st.one_of(
    changed(ANSWER).map(json.dumps), changed(ERROR).map(json.dumps), JSON.map(json.dumps),
    st.text(CHARACTERS, max_size=40),
    st.sampled_from(["[" * 100_000, '{"a":' * 100_000, "1" * 5000, "", KEY, json.dumps({**ANSWER, "id": KEY * 1000})]),
).map(lambda text: text.encode("utf-8", "surrogatepass"))  # fmt: skip
BODIES = BODIES | st.binary(max_size=40)
STATUSES = st.just(200) | st.sampled_from(
    [200, 201, 204, 301, 302, 304, 400, 401, 404, 418, 429, 500, 503, 599, 600, 999]
)
TYPES = st.sampled_from(["application/json", "application/json; charset=utf-7", "text/html", "text/event-stream", ""])
WAITS = st.sampled_from(["", "0", "nan", "-1", "1e999", "Wed, 21 Oct 99999999 07:28:00 GMT", "x"])


@pytest.fixture(scope="module")
def ask():
    """Sends one request, which is answered by the next of `answers`."""
    answers: list[httpx.Response] = []
    transport = httpx.MockTransport(lambda asked: answers.pop(0) if answers else httpx.Response(200, text="late"))
    opened: list[OpenAIModel] = []

    def one(answer, **options):
        answers[:] = [answer]
        if not opened:
            spec = OpenAI(backend="openai", model="m", base_url="http://127.0.0.1:9/v1", retries=0, concurrency=1)
            opened.append(OpenAIModel(spec))
        opened[0].submit(request("k", **options))
        while True:
            try:
                if replies := opened[0].poll():
                    return replies[0]
            except (BadInput, RunFailed) as error:
                opened.pop().close()
                return str(error)

    with pytest.MonkeyPatch.context() as patch:
        patch.setenv("OPENAI_API_KEY", KEY)
        made = openai.AsyncOpenAI
        patch.setattr(
            openai, "AsyncOpenAI", lambda **named: made(**named, http_client=httpx.AsyncClient(transport=transport))
        )
        yield one
        [model.close() for model in opened]


@FUZZ
@given(STATUSES, BODIES, TYPES, WAITS, st.sampled_from(["judge", "words", "schema"]))
def test_no_answer_breaks_the_client(ask, status, body, kind, wait, what):
    options = {
        "judge": {"choices": DIGITS, "logprobs": True, "seat": "judge"},
        "schema": {"schema": '{"type": "object"}'},
    }
    answer = httpx.Response(status, content=body, headers={"content-type": kind, "retry-after": wait})
    with in_time():
        reply = ask(answer, **options.get(what, {}))
    if isinstance(reply, str):
        assert reply and "\n" not in reply and KEY not in reply
        return
    usage = Usage()
    usage.add(reply)
    counts = (reply.prompt_tokens, reply.cached_tokens, reply.generated_tokens)
    assert all(type(count) is int and count >= 0 for count in counts) and reply.usd >= 0
    assert bool(reply.error) <= (reply.text == "") and "\n" not in reply.error
    reply.text.encode(), reply.error.encode()
    assert KEY not in reply.text and KEY not in reply.error
    assert all(isinstance(token, str) and 0 <= p <= 1 for token, p in reply.alternatives)
    score = parse_score(reply.text)
    assert score != score or 1 <= expected_score(score, reply.alternatives) <= 10 + 1e-9


@FUZZ
@given(st.text(CHARACTERS, max_size=30) | st.from_regex(r"[A-Z][a-z]{2}, \d+ [A-Z][a-z]{2} \d+ \d+:\d+:\d+ [-+]?\w+"))
def test_no_retry_after_waits_longer_than_the_cap(header):
    with in_time():
        assert 0 <= retry_after_s(header) <= 120
