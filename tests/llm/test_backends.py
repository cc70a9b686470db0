"""One contract for every backend: each request is answered once, a seed fixes the words, trouble is a reply."""

import json
import threading
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer

import pytest

from emodistill.config import VLLM, OpenAI, Scripted
from emodistill.errors import BadInput
from emodistill.llm import ModelPool, make_model
from emodistill.llm.base import ChatRequest, View

from builders import scenario

CHAT = (("system", "You bargain."), ("user", "Open the negotiation."))


def request(key: str, seed: int = 1, **options) -> ChatRequest:
    view = View(scenario(), (), "focal", "anger", 12, seed)
    return ChatRequest(key, view, lambda: CHAT, seed, temperature=0.9, max_tokens=12, **options)


def answers(model, requests):
    for one in requests:
        model.submit(one)
    found = []
    while len(found) < len(requests):
        found += model.poll()
    return {reply.key: reply for reply in found}


class Endpoint(BaseHTTPRequestHandler):
    """Answers after a fixed list of troubles: a seeded echo in the shape of chat completions."""

    troubles: list[str] = []
    headers_seen: list[str] = []

    def do_POST(self):
        body = json.loads(self.rfile.read(int(self.headers["Content-Length"])))
        Endpoint.headers_seen.append(self.headers["Authorization"])
        trouble = Endpoint.troubles.pop() if Endpoint.troubles else ""
        if trouble == "cut":
            return self.connection.close()
        choices = [
            {"index": 0, "finish_reason": "stop", "message": {"role": "assistant", "content": f"words {body['seed']}"}}
        ]
        if body.get("logprobs"):
            top = [{"token": "7", "logprob": -0.5, "bytes": None}]
            choices[0]["logprobs"] = {"content": [{"token": "7", "logprob": -0.5, "bytes": None, "top_logprobs": top}]}
        payload = {
            "id": "x", "object": "chat.completion", "created": 0, "model": "m",
            "choices": [] if trouble == "empty" else choices,
            "usage": {"prompt_tokens": 5, "completion_tokens": 2, "total_tokens": 7},
        }  # fmt: skip
        data = b"<html>" if trouble == "garbage" else json.dumps(payload).encode()
        self.send_response(int(trouble) if trouble.isdigit() else 200)
        self.send_header("Content-Type", "application/json")
        self.send_header("Retry-After", "0")
        self.send_header("Content-Length", str(len(data)))
        self.end_headers()
        self.wfile.write(data)

    def log_message(self, *_):
        pass


@pytest.fixture
def endpoint(monkeypatch):
    server = ThreadingHTTPServer(("127.0.0.1", 0), Endpoint)
    threading.Thread(target=server.serve_forever, daemon=True).start()
    monkeypatch.setenv("TEST_KEY", "canary-key")
    Endpoint.troubles, Endpoint.headers_seen = [], []
    yield OpenAI(
        backend="openai", model="m", base_url=f"http://127.0.0.1:{server.server_port}/v1", api_key_env="TEST_KEY"
    )
    server.shutdown()


@pytest.fixture(scope="module")
def engine(tiny_model):
    model = make_model(VLLM(backend="vllm", model="tiny-random", max_model_len=512))
    yield model
    model.close()


@pytest.fixture(params=["scripted", "openai", pytest.param("vllm", marks=[pytest.mark.vllm, pytest.mark.slow])])
def model(request):
    if request.param == "vllm":
        return request.getfixturevalue("engine")
    spec = Scripted(backend="scripted") if request.param == "scripted" else request.getfixturevalue("endpoint")
    return make_model(spec)


def test_every_request_is_answered_once_and_its_seed_fixes_the_words(model):
    requests = [request(f"k{i}", seed=i % 3) for i in range(12)]
    found = answers(model, requests)
    assert sorted(found) == sorted(r.key for r in requests)
    assert all(reply.text and not reply.error for reply in found.values())
    assert {found[f"k{i}"].text for i in range(0, 12, 3)} == {found["k0"].text}
    assert len({reply.text for reply in found.values()}) == 3
    again = answers(model, requests[:2])
    assert again["k1"].text == found["k1"].text


@pytest.mark.parametrize("trouble", ["429", "500", "cut"])
def test_passing_trouble_is_retried(endpoint, trouble):
    Endpoint.troubles = [trouble, trouble]
    assert answers(make_model(endpoint), [request("k", seed=4)])["k"].text == "words 4"


@pytest.mark.parametrize("trouble", ["400", "empty", "garbage"])
def test_lasting_trouble_is_a_reply_with_an_error(endpoint, trouble):
    Endpoint.troubles = [trouble]
    reply = answers(make_model(endpoint), [request("k")])["k"]
    assert reply.text == ""
    assert reply.error


def test_first_token_probabilities_and_usage_come_back(endpoint):
    reply = answers(make_model(endpoint), [request("k", logprobs=True)])["k"]
    assert reply.alternatives == (("7", pytest.approx(0.6065, abs=1e-4)),)
    assert (reply.prompt_tokens, reply.generated_tokens) == (5, 2)


def test_a_missing_key_is_named_and_a_present_one_is_sent_but_not_kept(endpoint, monkeypatch):
    model = make_model(endpoint)
    answers(model, [request("k")])
    assert Endpoint.headers_seen == ["Bearer canary-key"]
    assert "canary-key" not in endpoint.model_dump_json()
    monkeypatch.delenv("TEST_KEY")
    with pytest.raises(BadInput, match="TEST_KEY"):
        make_model(endpoint)


def test_equal_specs_share_one_model():
    pool = ModelPool()
    assert pool(Scripted(backend="scripted")) is pool(Scripted(backend="scripted"))


@pytest.mark.vllm
@pytest.mark.slow
def test_guided_replies_are_one_of_the_choices_and_long_prompts_are_errors(engine):
    found = answers(engine, [request(f"k{i}", seed=i, choices=("3", "10"), logprobs=True) for i in range(4)])
    assert {reply.text for reply in found.values()} <= {"3", "10"}
    for reply in found.values():  # the guide leaves nothing but the first tokens of the choices
        likely = {token: p for token, p in reply.alternatives if p > 0}
        assert set(likely) == {"3", "1"} and sum(likely.values()) == pytest.approx(1, abs=1e-3)
    long = ChatRequest("long", request("x").view, lambda: (("user", "a" * 600),), 1, 0.9, max_tokens=12)
    assert "exceed max_model_len 512" in answers(engine, [long])["long"].error


@pytest.mark.vllm
@pytest.mark.slow
def test_an_adapter_is_merged_for_its_own_requests_only(engine, tmp_path):
    """Adapter requests differ from the base model's, equal a second pass, and leave the base model as it was."""
    import torch

    from emodistill.config import LoRA
    from emodistill.train.policy_model import new_adapter

    spec = VLLM(backend="vllm", model="tiny-random")
    changed = new_adapter(spec, LoRA(), seed=3)
    for name, parameter in changed.named_parameters():
        if "lora_B" in name:
            torch.nn.init.normal_(parameter, std=0.5)
    changed.peft.save_pretrained(tmp_path / "changed")
    new_adapter(spec, LoRA(), seed=3).peft.save_pretrained(tmp_path / "unchanged")
    batch = [request(f"base{i}", seed=i) for i in range(4)]
    batch += [request(f"changed{i}", seed=i, adapter=tmp_path / "changed") for i in range(4)]
    batch += [request(f"unchanged{i}", seed=i, adapter=tmp_path / "unchanged") for i in range(4)]
    found = answers(engine, batch)
    assert [found[f"base{i}"].text for i in range(4)] == [found[f"unchanged{i}"].text for i in range(4)]
    assert [found[f"base{i}"].text for i in range(4)] != [found[f"changed{i}"].text for i in range(4)]
    again = answers(engine, batch)
    assert {key: reply.text for key, reply in again.items()} == {key: reply.text for key, reply in found.items()}
