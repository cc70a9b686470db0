"""The HTTP backend against an endpoint that fails in every way an endpoint can."""

import json
import threading
import time
from datetime import UTC, datetime, timedelta
from email.utils import format_datetime

import pytest

from emodistill.errors import BadInput, RunFailed
from emodistill.llm.openai import full_jitter, retry_after_s

from asking import answers, request
from fault_server import FAULTS, KEY, Endpoint, seeded

SHAPES = ("[]", "null", '"words"', '{"choices": "no"}', '{"choices": [{}]}', '{"choices": [{"message": null}]}',
          '{"choices": [{"message": {"content": 5}}]}', '{"error": {"message": "overloaded"}}')  # fmt: skip


def raised(model, requests):
    """What ends the task, after how many replies."""
    for one in requests:
        model.submit(one)
    replies, deadline = [], time.monotonic() + 60
    while time.monotonic() < deadline:
        try:
            replies += model.poll()
        except (BadInput, RunFailed) as error:
            return error, replies
    raise AssertionError("nothing was raised")


@pytest.fixture(scope="module")
def untroubled():
    with Endpoint() as endpoint:
        yield endpoint


@pytest.mark.parametrize("trouble", [*FAULTS, "408", "409", "502", *(f"raw {shape}" for shape in SHAPES)])
def test_passing_trouble_is_retried_until_the_reply_comes(http_model, untroubled, trouble):
    wanted = answers(http_model(untroubled.url), [request("k")])["k"]
    with Endpoint(lambda body, attempt: trouble if attempt < 2 else "") as endpoint:
        model = http_model(endpoint.url, timeout_s=0.3 if trouble == "slow" else 30)
        assert answers(model, [request("k")])["k"] == wanted
        assert len(endpoint.bodies) == 3


@pytest.mark.parametrize(
    "trouble, reason",
    [("429", "HTTP 429"), ("500", "HTTP 500"), ("cut", "RemoteProtocolError"), ("half", "RemoteProtocolError"),
     ("slow", "no complete reply within 0.2 s"), ("garbage", "unusable reply"), ("empty", "unusable reply")],
)  # fmt: skip
def test_trouble_that_outlasts_the_retries_is_a_reply_with_its_reason(http_model, trouble, reason):
    with Endpoint(lambda body, attempt: trouble) as endpoint:
        model = http_model(endpoint.url, timeout_s=0.2 if trouble == "slow" else 30, retries=2)
        reply = answers(model, [request("k")])["k"]
        assert reply.text == "" and reason in reply.error and "attempt 3" in reply.error
        assert len(endpoint.bodies) == 3


@pytest.mark.parametrize("trouble", ["400", "413", "422"])
def test_a_prompt_that_is_refused_is_not_sent_again_and_the_others_go_on(http_model, trouble):
    with Endpoint(lambda body, attempt: trouble if body["seed"] == 3 else "") as endpoint:
        found = answers(http_model(endpoint.url), [request(f"k{i}", seed=i) for i in range(6)])
        assert [key for key, reply in found.items() if reply.error] == ["k3"]
        assert f"HTTP {trouble}" in found["k3"].error and len(endpoint.bodies) == 6


@pytest.mark.parametrize(
    "trouble, mend",
    [("401", "TEST_KEY"), ("403", "TEST_KEY"), ("402", "Top up"), ("404", "base_url"), ("405", "base_url"),
     ("429 insufficient_quota", "Top up"), ("400 unsupported_parameter", "Choose a model"),
     ("400 response_format", "Choose a model"), ("422 top_logprobs", "Choose a model")],
)  # fmt: skip
def test_what_no_request_can_escape_ends_the_task(http_model, trouble, mend):
    with Endpoint(lambda body, attempt: trouble) as endpoint:
        model = http_model(endpoint.url, concurrency=2)
        error, replies = raised(model, [request(f"k{i}", seed=i) for i in range(50)])
        assert isinstance(error, BadInput) and replies == [] and len(endpoint.bodies) <= 4
        for words in (endpoint.url, f"HTTP {trouble[:3]}", mend, "'m'"):
            assert words in str(error)
        model.submit(request("late"))
        with pytest.raises(BadInput):
            model.poll()


def test_nobody_at_the_address_ends_the_task(http_model):
    with Endpoint() as endpoint:
        url = endpoint.url
    error, _ = raised(http_model(url, retries=2), [request("k")])
    assert isinstance(error, RunFailed) and f"Nobody answers at {url}" in str(error) and "ConnectError" in str(error)


def test_retry_after_is_seconds_or_a_date_and_capped():
    assert [retry_after_s(text) for text in ("1.5", "0", "-3", "", "soon", "nan", "9999", "inf")] == [
        1.5, 0, 0, 0, 0, 0, 120, 120,
    ]  # fmt: skip
    date = format_datetime(datetime.now(UTC) + timedelta(seconds=30), usegmt=True)
    assert 28 < retry_after_s(date) <= 30
    assert retry_after_s("Wed, 21 Oct 2015 07:28:00 GMT") == 0


def test_retry_after_is_waited_for(http_model):
    with Endpoint(lambda body, attempt: "" if attempt else "429", retry_after="1") as endpoint:
        answers(http_model(endpoint.url), [request("k")])
        first, second = endpoint.times
        assert 1 <= second - first < 3


def test_a_rate_limit_that_does_not_say_when_is_waited_for_too(http_model, monkeypatch):
    monkeypatch.setattr("emodistill.llm.openai._RATE_LIMIT_S", 1.0)
    with Endpoint(lambda body, attempt: "" if attempt else "429", retry_after="") as endpoint:
        answers(http_model(endpoint.url), [request("k")])
        first, second = endpoint.times
        assert 1 <= second - first < 3


def test_backoff_doubles_with_full_jitter_up_to_a_minute():
    for tried, longest in ((0, 0.5), (3, 4.0), (20, 60.0)):
        waits = [full_jitter(tried) for _ in range(500)]
        assert 0 <= min(waits) < 0.1 * longest and 0.9 * longest < max(waits) <= longest


def test_no_more_requests_are_open_than_allowed(http_model):
    with Endpoint(s_per_token=0.002) as endpoint:
        answers(http_model(endpoint.url, concurrency=3), [request(f"k{i}", seed=i) for i in range(30)])
        assert endpoint.most_open == 3


def test_close_is_prompt_whatever_is_open_and_leaves_no_thread(http_model):
    before = set(threading.enumerate())
    with Endpoint(lambda body, attempt: "slow" if body["seed"] % 2 else "429", retry_after="60") as endpoint:
        model = http_model(endpoint.url, concurrency=4)
        for i in range(20):
            model.submit(request(f"k{i}", seed=i))
        while len(endpoint.bodies) < 4:
            time.sleep(0.01)
        started = time.monotonic()
        model.close()
        assert time.monotonic() - started < 1
        assert not [thread for thread in threading.enumerate() if thread.name.startswith(("openai", "asyncio"))]
        model.close()
    deadline = time.monotonic() + 5  # the endpoint's own threads end with their slow replies
    while set(threading.enumerate()) - before:
        assert time.monotonic() < deadline
        time.sleep(0.05)


def test_waiting_for_a_late_reply_takes_no_processor_time(http_model):
    with Endpoint(s_per_token=0.1) as endpoint:
        model = http_model(endpoint.url)
        used, started = time.process_time(), time.monotonic()
        answers(model, [request("k")])
        assert time.process_time() - used < 0.4 * (time.monotonic() - started)


@pytest.mark.parametrize("cap", [{"max_tokens_spent": 3000}, {"max_usd": 0.01}])
@pytest.mark.parametrize("rate", [0.0, 0.3])
def test_the_budget_is_never_exceeded_and_used_to_the_last_request(http_model, cap, rate):
    prices = {"usd_per_million_prompt": 2.0, "usd_per_million_generated": 20.0}
    with Endpoint(seeded(5, rate)) as endpoint:
        model = http_model(endpoint.url, concurrency=8, timeout_s=1 if rate else 30, **prices, **cap)
        error, replies = raised(model, [request(f"k{i}", seed=i) for i in range(1000)])
        prompt, generated = endpoint.billed
        spent = prompt + generated if "max_tokens_spent" in cap else (2 * prompt + 20 * generated) / 1e6
        [most] = cap.values()
        one = 120 if "max_tokens_spent" in cap else (2 * 120 + 20 * 12) / 1e6  # what is set aside for a request, about
        assert spent <= most and replies
        if not rate:  # otherwise a lost reply counts as all it may have cost
            assert spent > most - one and len(replies) == sum(endpoint.answered.values())
        assert isinstance(error, BadInput) and next(iter(cap)) in str(error)


def test_a_money_cap_without_prices_is_refused(http_model):
    with pytest.raises(BadInput, match="usd_per_million_prompt"):
        http_model("http://127.0.0.1:9/v1", max_usd=1.0)


def test_usage_and_cost_come_back(http_model, untroubled):
    prices = {"usd_per_million_prompt": 2.0, "usd_per_million_generated": 20.0}
    reply = answers(http_model(untroubled.url, **prices), [request("k")])["k"]
    assert (reply.prompt_tokens, reply.cached_tokens) == (3 + 4 + 5 + 4, 1)  # a quarter of the characters, and marks
    assert reply.generated_tokens == len(reply.text.split()) > 0
    assert reply.usd == pytest.approx((2 * 16 + 20 * reply.generated_tokens) / 1e6)


def test_a_choice_is_taken_out_of_its_json_with_its_own_probabilities(http_model, untroubled):
    scores = tuple(str(k) for k in range(1, 11))
    found = answers(
        http_model(untroubled.url),
        [request(f"k{i}", seed=i, choices=scores, logprobs=True, max_tokens=4) for i in range(20)],
    )
    assert {reply.text for reply in found.values()} <= set(scores) and len({r.text for r in found.values()}) > 3
    for reply in found.values():
        assert [token for token, _ in reply.alternatives] == list(scores)
        assert sum(p for _, p in reply.alternatives) == pytest.approx(1)
    body = untroubled.bodies[-1]
    assert body["response_format"]["json_schema"]["strict"] is True and body["max_tokens"] > 4 + 16


@pytest.mark.parametrize("plain", ["7", "Score: 7", '{"choice": ', '{"score": 7}', "[7]"])
def test_a_choice_in_plain_text_stays_as_it_is(http_model, plain):
    reply = json.dumps({"choices": [{"message": {"content": plain}}]})
    with Endpoint(lambda body, attempt: f"raw {reply}") as endpoint:
        assert answers(http_model(endpoint.url), [request("k", choices=("7", "8"))])["k"].text == plain


@pytest.mark.parametrize(
    "content, finish, words, error",
    [("<think>\nMy target is 20.\n</think>\n\n40 days.", "stop", "40 days.", ""),
     ("My target is 20.\n</think>40 days.", "stop", "40 days.", ""), ("40 d, I <think>", "stop", "40 d, I <think>", ""),
     ("<think>My target is 20, so", "length", "", "token limit"), (None, "length", "", "token limit"),
     (None, "content_filter", "", "")],
)  # fmt: skip
def test_nobody_hears_what_a_model_thinks_before_it_speaks(http_model, content, finish, words, error):
    reply = json.dumps({"choices": [{"finish_reason": finish, "message": {"content": content}}]})
    with Endpoint(lambda body, attempt: f"raw {reply}") as endpoint:
        found = answers(http_model(endpoint.url), [request("k")])["k"]
    assert found.text.strip() == words and error in found.error and bool(error) == bool(found.error)


def test_a_choice_after_thoughts_keeps_its_probabilities(http_model):
    tokens = [{"token": t, "logprob": -0.5, "top_logprobs": [{"token": t, "logprob": -0.5}]}
              for t in ("<think>", "8? ", "</think>", '{"choice": "', "7", '"}')]  # fmt: skip
    message = {"content": "".join(token["token"] for token in tokens)}
    reply = json.dumps({"choices": [{"message": message, "logprobs": {"content": tokens}}]})
    with Endpoint(lambda body, attempt: f"raw {reply}") as endpoint:
        found = answers(http_model(endpoint.url), [request("k", choices=("7", "8"), logprobs=True)])["k"]
    assert found.text == "7" and [token for token, _ in found.alternatives] == ["7"]


def test_a_missing_key_is_named(monkeypatch, http_model):
    monkeypatch.delenv("TEST_KEY")
    with pytest.raises(BadInput, match="TEST_KEY holds no key"):
        http_model("http://127.0.0.1:9/v1")


def test_the_key_is_sent_and_shown_nowhere(monkeypatch, http_model):
    monkeypatch.setenv("TEST_KEY", f" {KEY}\n")
    with Endpoint(lambda body, attempt: {0: "500", 1: "400"}.get(body["seed"], "")) as endpoint:
        model = http_model(endpoint.url, retries=1)
        found = answers(model, [request(f"k{i}", seed=i) for i in range(3)])
        assert endpoint.keys == {f"Bearer {KEY}"}
        assert all("trouble for Bearer (key)" in found[key].error for key in ("k0", "k1"))
        assert KEY not in repr(model) + repr(found)
