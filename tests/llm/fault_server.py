"""A stand-in for an OpenAI-compatible endpoint: its replies are a function of the request, its faults of a seed."""

import hashlib
import json
import math
import random
import threading
import time
from collections import Counter
from collections.abc import Callable
from contextlib import suppress
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from typing import Any

KEY = "canary-key-5f1c"
FAULTS = ("429", "500", "cut", "half", "slow", "garbage", "empty")
LONGEST_PROMPT = 20_000  # characters
# (body, attempt at this content) → "", a fault, "STATUS CODE" or "raw JSON"
Trouble = Callable[[dict[str, Any], int], str]


def nothing(body: dict[str, Any], attempt: int) -> str:
    return ""


def seeded(seed: int, rate: float = 0.3) -> Trouble:
    """A share `rate` of all attempts fails, each in one of seven ways; whatever the order they come in."""

    def trouble(body: dict[str, Any], attempt: int) -> str:
        rng = random.Random(f"{seed} {attempt} {digest(body)}")
        return rng.choice(FAULTS) if rng.random() < rate else ""

    return trouble


def digest(body: dict[str, Any]) -> str:
    return hashlib.sha256(json.dumps(body, sort_keys=True).encode()).hexdigest()


class Endpoint:
    """The server, and what it has seen. `s_per_token` makes long replies late."""

    def __init__(self, trouble: Trouble = nothing, retry_after: str = "0.02", s_per_token: float = 0.0) -> None:
        self.trouble, self.retry_after, self.s_per_token = trouble, retry_after, s_per_token
        self.bodies: list[dict[str, Any]] = []
        self.times: list[float] = []
        self.keys: set[str] = set()
        self.attempts: Counter[str] = Counter()  # by content
        self.answered: Counter[str] = Counter()  # by content, with a whole reply
        self.faults: Counter[str] = Counter()
        self.billed = (0, 0)  # prompt and generated tokens, also of replies that did not arrive
        self.open = self.most_open = 0
        self.lock, self.closing = threading.Lock(), threading.Event()
        self._server = ThreadingHTTPServer(("127.0.0.1", 0), type("Handler", (_Handler,), {"endpoint": self}))
        self._server.daemon_threads = True
        self.url = f"http://127.0.0.1:{self._server.server_port}/v1"

    def __enter__(self) -> "Endpoint":
        threading.Thread(target=self._server.serve_forever, args=(0.05,), daemon=True).start()
        return self

    def __exit__(self, *_: object) -> None:
        self.closing.set()
        self._server.shutdown()
        self._server.server_close()

    def begin(self, body: dict[str, Any], key: str) -> str:
        """Note the request; the trouble it is in for."""
        with self.lock:
            self.bodies.append(body)
            self.times.append(time.monotonic())
            self.keys.add(key)
            self.open += 1
            self.most_open = max(self.most_open, self.open)
            attempt = self.attempts[digest(body)]
            self.attempts[digest(body)] += 1
            trouble = self.trouble(body, attempt)
            self.faults[trouble] += 1
        return trouble

    def end(self, body: dict[str, Any], trouble: str, usage: dict[str, int]) -> None:
        with self.lock:
            self.open -= 1
            if not trouble[:3].isdigit():
                self.billed = (self.billed[0] + usage["prompt_tokens"], self.billed[1] + usage["completion_tokens"])
            self.answered[digest(body)] += not trouble


class _Handler(BaseHTTPRequestHandler):
    endpoint: Endpoint
    protocol_version = "HTTP/1.1"

    def handle(self) -> None:
        with suppress(ConnectionError):  # the client may give up at any moment
            super().handle()

    def do_POST(self) -> None:
        sent = self.rfile.read(int(self.headers["Content-Length"]))
        if not sent:  # given up before it was sent
            return
        body = json.loads(sent)
        key = self.headers["Authorization"]
        trouble = self.endpoint.begin(body, key)
        if sum(len(message["content"]) for message in body["messages"]) > LONGEST_PROMPT:
            trouble = "400"
        if self.endpoint.s_per_token:
            time.sleep(self.endpoint.s_per_token * body["max_tokens"])
        answer = completion(body)
        self.endpoint.end(body, trouble, answer["usage"])
        self.reply(trouble, answer, key)

    def reply(self, trouble: str, answer: dict[str, Any], key: str) -> None:
        kind, _, detail = trouble.partition(" ")
        status = int(kind) if kind.isdigit() else 200
        if kind == "empty":
            answer["choices"] = []
        data = detail.encode() if kind == "raw" else json.dumps(answer).encode()
        if status != 200:  # it repeats the key, as a careless gateway may
            error = {"message": f"trouble for {key}", "code": detail or None, "param": detail}
            data = json.dumps({"error": error}).encode()
        if kind == "garbage":
            data = data[: len(data) // 2]
        if kind != "cut":
            self.send_response(status)
            self.send_header("Content-Type", "application/json")
            self.send_header("Content-Length", str(len(data)))
            if status == 429 and self.endpoint.retry_after:
                self.send_header("Retry-After", self.endpoint.retry_after)
            self.end_headers()
            self.wfile.write(data[: len(data) // 2] if kind in ("half", "slow") else data)
        if kind == "slow":
            self.endpoint.closing.wait(30)
        self.close_connection = kind in ("cut", "half", "slow")

    def log_message(self, *_: object) -> None:
        pass


def completion(body: dict[str, Any]) -> dict[str, Any]:
    """What the stand-in's model says: a figure, an acceptance, or what the schema asks for."""
    rng = random.Random(digest(body))
    shape = body.get("response_format")
    content = json.dumps(_instance(shape["json_schema"]["schema"], rng)) if shape else _words(rng)
    choice: dict[str, Any] = {"index": 0, "finish_reason": "stop", "message": {"role": "assistant", "content": content}}
    if body.get("logprobs"):
        choice["logprobs"] = {"content": _logprobs(content, body, rng)}
    prompt = sum(len(message["content"]) // 4 + 4 for message in body["messages"])
    generated = len(content.split())
    usage = {"prompt_tokens": prompt, "completion_tokens": generated, "total_tokens": prompt + generated}
    usage["prompt_tokens_details"] = {"cached_tokens": 1}
    return {"id": "x", "object": "chat.completion", "created": 0, "model": "m", "choices": [choice], "usage": usage}


def _words(rng: random.Random) -> str:
    said = rng.random()
    if said < 0.05:
        return "I accept."
    if said < 0.1:
        return "No deal. I am walking away."
    if said < 0.6:
        return f"That is no easy matter – let me think of {rng.choice(['my family', 'the rent', 'last year'])} first."
    return f"I’d settle for {rng.randint(10, 150)} days — does that suit you?"


def _instance(schema: dict[str, Any], rng: random.Random) -> Any:
    if "enum" in schema:
        return rng.choice(schema["enum"])
    if schema["type"] == "object":
        return {name: _instance(inner, rng) for name, inner in schema["properties"].items()}
    return {"string": _words(rng), "number": 40.0, "integer": 40, "boolean": True}[schema["type"]]


def _logprobs(content: str, body: dict[str, Any], rng: random.Random) -> list[dict[str, Any]]:
    """Tokens as a model's: a wrapped choice is one token after several; its alternatives are all choices."""
    tokens, alternatives = [content], {content: 1.0}
    if body.get("response_format"):
        [value] = json.loads(content).values()
        tokens = ['{"', "choice", '":', ' "', value, '"}']
        weights = {
            k: rng.random() for k in body["response_format"]["json_schema"]["schema"]["properties"]["choice"]["enum"]
        }
        alternatives = {k: w / sum(weights.values()) for k, w in weights.items()}
    found = []
    for token in tokens:
        top = alternatives if token in alternatives else {token: 1.0}
        listed = [{"token": k, "logprob": math.log(p), "bytes": None} for k, p in top.items()]
        found.append({"token": token, "logprob": math.log(top[token]), "bytes": None, "top_logprobs": listed})
    return found
