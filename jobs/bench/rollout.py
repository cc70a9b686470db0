"""The rollout engine against what bounds it and what it replaces, on SmolLM2-135M with both seats on one engine.

48 dialogues of 4 to 12 turns (a focal message and its reply); how many turns and how many tokens each message has is
drawn once and enforced by a wrapper, so every arm generates the same dialogues. Messages vary as the demo's trained
policy varied them, by a third of their mean; if all had one length, lockstep would lose nothing at its barriers. Arms,
in turn, best of three: `stream` is ours; `replay` gives the engine all its recorded prompts at once (the practical
ceiling: no dialogue waits, and no tail is left when the short dialogues have ended); `lockstep` waits for every
dialogue before the next message; `one at a time` plays three of the dialogues after each other; `unmerged adapter`
plays the first turn of twelve dialogues with the LoRA adapter beside the weights, in a process of its own, instead of
merged into them. The cache can serve what the engine has seen of an episode, which is less than the whole prompt:
`servable` is that share if blocks were one token long.
"""

import json
import math
import random
import subprocess
import sys
import time
from collections.abc import Callable
from dataclasses import dataclass, field
from pathlib import Path
from tempfile import TemporaryDirectory

from emodistill.config import VLLM, Scenarios
from emodistill.domains import build_scenarios
from emodistill.llm.base import ChatReply, ChatRequest
from emodistill.llm.vllm import VLLMModel
from emodistill.models import SMOLLM2, resolve
from emodistill.policy.selectors import random_emotion
from emodistill.records import Rules
from emodistill.rollout.engine import Task, Usage, Voice, play
from emodistill.rollout.sweep import episode_tasks
from jobs.bench import Measured

DIALOGUES, ALONE, UNMERGED, ROUNDS = 48, 3, 12, 3
_MEDIAN, _SPREAD = 30.2, 0.34  # of a message's tokens: log-normal, 32 on average, a third of that up or down
_RANK = 16  # of the adapter
_SPEC = VLLM(backend="vllm", model=SMOLLM2, max_num_seqs=DIALOGUES)


@dataclass(slots=True)
class _Cut:
    """The engine behind a door that ends each dialogue after its turns, and notes what was asked and served."""

    model: VLLMModel
    turns: dict[str, int]  # messages a dialogue may have
    barrier: bool = False  # hand requests on only when no other is running, and replies only all together
    asked: list[ChatRequest] = field(default_factory=list)
    served: list[tuple[int, ChatReply]] = field(default_factory=list)  # (message index, reply)
    _local: list[ChatReply] = field(default_factory=list)
    _held: list[ChatRequest] = field(default_factory=list)
    _open: dict[str, int] = field(default_factory=dict)

    def submit(self, request: ChatRequest) -> None:
        if len(request.view.turns) >= self.turns[request.key]:
            self._local.append(ChatReply(request.key, "I am walking away."))
            return
        request = request._replace(max_tokens=_length(request))
        self.asked.append(request)
        self._held.append(request)
        if not self.barrier:
            self._release()

    def poll(self) -> list[ChatReply]:
        local, self._local = self._local, []
        if local:
            return local
        self._release()
        replies = self._step()
        while self.barrier and self._open:
            replies += self._step()
        return replies

    def close(self) -> None:
        pass

    def _release(self) -> None:
        for request in self._held:
            self._open[request.key] = len(request.view.turns)
            self.model.submit(request)
        self._held = []

    def _step(self) -> list[ChatReply]:
        replies = list(self.model.poll())
        self.served += [(self._open.pop(reply.key), reply) for reply in replies]
        return replies


def _length(request: ChatRequest) -> int:
    """Tokens of a message, drawn once for its place: an untrained model talks up to the limit."""
    draw = random.Random(f"tokens {request.key} {len(request.view.turns)}")
    return round(draw.lognormvariate(math.log(_MEDIAN), _SPREAD))


def _dialogues(count: int, longest: int) -> tuple[list[Task], dict[str, int]]:
    scenarios = build_scenarios(Scenarios(train=12, held_out=1), seed=3)[:12]
    tasks = episode_tasks(scenarios, DIALOGUES // 12, 3, "bench")
    turns = {task.id: min(longest, random.Random(f"length {task.id}").randint(4, 12)) for task in tasks}
    return tasks[:count], {key: 2 * length for key, length in turns.items()}


def _play(
    model: VLLMModel, count: int, in_flight: int, adapter: Path, barrier: bool = False, longest: int = 12
) -> _Cut:
    tasks, turns = _dialogues(count, longest)
    cut = _Cut(model, turns, barrier)
    voice = Voice(cut, 0.7, max_tokens=1, adapter=adapter)  # the wrapper sets the tokens
    ended = sum(1 for _ in play(tasks, voice, voice, random_emotion, Rules(30, 0.0), in_flight, Usage()))
    assert ended == count
    return cut


def _replay(model: VLLMModel, requests: list[ChatRequest]) -> list[ChatReply]:
    for number, request in enumerate(requests):
        model.submit(request._replace(key=f"{request.key}#{number}"))
    replies: list[ChatReply] = []
    while len(replies) < len(requests):
        replies += model.poll()
    return replies


def _timed(model: VLLMModel, arm: Callable[[], list[ChatReply]]) -> float:
    """Generated tokens a second, from an empty prefix cache."""
    model.reset_cache()
    started = time.perf_counter()
    replies = arm()
    return sum(reply.generated_tokens for reply in replies) / (time.perf_counter() - started)


def run() -> Measured:
    """All arms in turn, `ROUNDS` times; the best of each."""
    with TemporaryDirectory() as folder:
        adapter = Path(folder) / "adapter"
        _untrained_adapter(adapter)
        beside = subprocess.Popen(
            [sys.executable, "-m", "jobs.bench.rollout", str(adapter)],
            stdin=subprocess.PIPE, stdout=subprocess.PIPE, text=True,
        )  # fmt: skip
        model = VLLMModel(_SPEC)
        recorded = _play(model, DIALOGUES, DIALOGUES, adapter)  # also warms up, and merges the adapter
        rates: dict[str, list[float]] = {name: [] for name in ("stream", "replay", "lockstep", "one at a time")}
        arms: dict[str, Callable[[], list[ChatReply]]] = {
            "stream": lambda: _replies(_play(model, DIALOGUES, DIALOGUES, adapter)),
            "replay": lambda: _replay(model, recorded.asked),
            "lockstep": lambda: _replies(_play(model, DIALOGUES, DIALOGUES, adapter, barrier=True)),
            "one at a time": lambda: _replies(_play(model, ALONE, 1, adapter)),
        }
        rates["unmerged adapter"] = []
        for _ in range(ROUNDS):
            for name, arm in arms.items():
                _note(rates, name, _timed(model, arm))
            _note(rates, "unmerged adapter", _ask(beside))
        beside.communicate()
    return _measured(rates, recorded)


def _note(rates: dict[str, list[float]], arm: str, rate: float) -> None:
    rates[arm].append(rate)
    print(f"{arm}: {rate:.1f} tokens/s", file=sys.stderr, flush=True)


def _measured(rates: dict[str, list[float]], recorded: _Cut) -> Measured:
    best = {name: max(values) for name, values in rates.items()}
    later = [reply for index, reply in recorded.served if index > 1]  # after the episode's first turn
    prompts = sum(reply.prompt_tokens for reply in later)
    cached = sum(reply.cached_tokens for reply in later) / prompts
    shares = {
        "stream / replay": (best["stream"] / best["replay"], 0.95),
        "stream / lockstep": (best["stream"] / best["lockstep"], 1.15),
        "stream / one at a time": (best["stream"] / best["one at a time"], 4.0),
        "stream / unmerged adapter": (best["stream"] / best["unmerged adapter"], 7.0),
        "prompt tokens from the cache": (cached, 0.90),
    }
    figures = {
        "generated tokens/s": {name: [round(value, 1) for value in values] for name, values in rates.items()},
        "dialogues": DIALOGUES, "replies": len(recorded.served),
        "generated tokens": sum(reply.generated_tokens for _, reply in recorded.served),
        "prompt tokens": sum(reply.prompt_tokens for _, reply in recorded.served),
        "servable": round(_seen_before(recorded) / prompts, 4),
        **{name: round(value, 4) for name, (value, _) in shares.items()},
    }  # fmt: skip
    target = {name: f"at least {least}" for name, (_, least) in shares.items()}
    return Measured(figures, target, {name: value >= least for name, (value, least) in shares.items()})


def _seen_before(recorded: _Cut) -> int:
    """Prompt tokens that the same seat's prompt before, or its reply, already held."""
    before: dict[tuple[str, int], int] = {}
    seen = 0
    for index, reply in recorded.served:
        seat = (reply.key, index % 2)
        seen += before.get(seat, 0)
        before[seat] = reply.prompt_tokens + reply.generated_tokens
    return seen


def _replies(cut: _Cut) -> list[ChatReply]:
    return [reply for _, reply in cut.served]


def _untrained_adapter(folder: Path) -> None:
    """A LoRA adapter as PEFT makes it: it changes no word, but costs what any adapter costs."""
    import torch
    from peft import LoraConfig, get_peft_model
    from transformers import AutoModelForCausalLM

    base = AutoModelForCausalLM.from_pretrained(resolve(SMOLLM2), dtype=torch.bfloat16, trust_remote_code=False)
    shape = LoraConfig(r=_RANK, lora_alpha=32, target_modules=["q_proj", "k_proj", "v_proj", "o_proj"])
    get_peft_model(base, shape).save_pretrained(folder)


def _ask(beside: "subprocess.Popen[str]") -> float:
    assert beside.stdin is not None
    assert beside.stdout is not None
    beside.stdin.write("go\n")
    beside.stdin.flush()
    return next(float(json.loads(line)["rate"]) for line in beside.stdout if line.startswith('{"rate"'))


def _serve_unmerged(adapter: Path) -> None:
    """The child: one measurement for each line on stdin."""
    model = VLLMModel(_SPEC, merge=False, rank=_RANK)
    _play(model, 2, 2, adapter, longest=1)
    for _ in sys.stdin:
        rate = _timed(model, lambda: _replies(_play(model, UNMERGED, UNMERGED, adapter, longest=1)))
        print(json.dumps({"rate": rate}), flush=True)


if __name__ == "__main__":
    _serve_unmerged(Path(sys.argv[1]))
