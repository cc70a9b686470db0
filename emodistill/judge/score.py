"""The judge's requests, the strict parse of a reply, and the streaming scoring of episodes (METHOD.md §4)."""

import math
import re
from collections.abc import Callable, Iterable, Iterator
from dataclasses import dataclass, field

from emodistill.config import Judge
from emodistill.judge.prompts import judge_messages
from emodistill.llm.base import ChatModel, ChatReply, ChatRequest, View
from emodistill.records import Episode, Scenario, Verdict
from emodistill.rollout.engine import Usage
from emodistill.rollout.prompts import without_emotion
from emodistill.seeds import seed_of

# The judge writes the score less one. Many tokenizers split "10" (Qwen's and SmolLM2's do), so that the probability of
# a first "1" belongs to two scores; a digit is one token in all of them, and the expectation is exact (ours).
DIGITS = tuple("0123456789")
_REPLY = re.compile(r"\s*(?:score\s*[:=]?\s*)?([0-9])\s*\.?\s*", re.IGNORECASE | re.ASCII)
_LONGEST_REPLY = 80  # characters
_ONCE, _AGAIN, _REPEATED = 0.0, 0.3, 0.7  # temperatures: METHOD.md §4; of a second try, and of repeats (ours)


def parse_score(text: str) -> float:
    """The score 1..10 whose digit is the whole reply, else NaN; never a middle value."""
    match = _REPLY.fullmatch(text) if len(text) <= _LONGEST_REPLY else None
    return float(match[1]) + 1 if match else math.nan


def expected_score(score: float, alternatives: tuple[tuple[str, float], ...]) -> float:
    """Σ p(k)·k over the digits, p renormalised, k the score; in [1, 10].

    It is the score itself where the backend gives no probabilities, or digits have less than half of the first token's:
    then the reply did not begin with one. NaN if the score is missing.
    """
    digits = [(int(token.strip()) + 1, p) for token, p in alternatives if token.strip() in DIGITS]
    mass = sum(p for _, p in digits)
    return sum(k * p for k, p in digits) / mass if mass >= 0.5 and not math.isnan(score) else score


def judge_episodes(
    episodes: Iterable[Episode],
    scenarios: dict[str, Scenario],
    model: ChatModel,
    max_messages: int,
    settings: Judge,
    in_flight: int,
    usage: Usage,
    stop: Callable[[], bool] = lambda: False,
) -> Iterator[Verdict]:
    """Score every focal turn of each episode, `settings.repeats` times; yields a verdict once its episode is scored.

    An episode that ended in an error is not asked about, as the dataset leaves it out: its verdict is empty. A reply
    that cannot be parsed is asked again, then the score is NaN; if the judge could not be asked at all, the verdict
    also carries the error. One scoring is at temperature 0; repeats of that would agree by construction, so several
    are sampled, each from its own seed (ours).
    """
    waiting = iter(episodes)
    opened: dict[str, _Open] = {}
    while not stop():
        while len(opened) < in_flight and (episode := next(waiting, None)) is not None:
            if episode.status == "error" or not episode.turns:
                yield Verdict(episode.id, (), ())
                continue
            judged = opened[episode.id] = _Open(episode, scenarios[episode.scenario_id], max_messages, settings)
            for place in judged.places():
                model.submit(judged.request(place))
        if not opened:
            return
        for reply in model.poll():
            usage.add(reply)
            judged = opened[reply.key.rpartition("#")[0]]
            again = judged.take(reply)
            if again is not None:
                model.submit(again)
            elif judged.complete():
                del opened[judged.episode.id]
                yield judged.verdict()


_Place = tuple[int, int]  # message index, repeat


@dataclass(slots=True)
class _Open:
    """An episode some of whose scorings are on their way."""

    episode: Episode
    scenario: Scenario
    max_messages: int
    settings: Judge
    found: dict[_Place, tuple[float, float]] = field(default_factory=dict)  # score, expected score
    tries: dict[_Place, int] = field(default_factory=dict)
    error: str = ""

    def places(self) -> list[_Place]:
        """All that is to be scored, in order of the dialogue."""
        return [(turn.index, k) for turn in self.episode.focal_turns() for k in range(self.settings.repeats)]

    def request(self, place: _Place) -> ChatRequest:
        """The question about one place, with as many tries as were made so far."""
        (index, repeat), tries = place, self.tries.get(place, 0)
        turns = without_emotion(self.episode.turns[: index + 1])
        return ChatRequest(
            key=f"{self.episode.id}#{index}.{repeat}",
            view=View(self.scenario, turns, "judge", None, self.max_messages, self.episode.seed),
            render=lambda: judge_messages(self.scenario, turns),
            seed=seed_of(self.episode.seed, "judge", index, repeat, tries),
            temperature=_REPEATED if self.settings.repeats > 1 else _AGAIN if tries else _ONCE,
            max_tokens=4,  # a reply that goes on is seen to, and is no score
            choices=DIGITS,
            logprobs=True,
        )

    def take(self, reply: ChatReply) -> ChatRequest | None:
        """Record a reply, or give the request to ask again."""
        index, _, repeat = reply.key.rpartition("#")[2].partition(".")
        place, score = (int(index), int(repeat)), parse_score(reply.text)
        self.tries[place] = self.tries.get(place, 0) + 1
        if math.isnan(score) and self.tries[place] < self.settings.attempts:
            return self.request(place)
        self.found[place] = score, expected_score(score, reply.alternatives)
        self.error = self.error or reply.error
        return None

    def complete(self) -> bool:
        return len(self.found) == len(self.places())

    def verdict(self) -> Verdict:
        indices = [turn.index for turn in self.episode.focal_turns()]
        scores, expected = (
            tuple(tuple(self.found[index, k][part] for k in range(self.settings.repeats)) for index in indices)
            for part in (0, 1)
        )
        return Verdict(self.episode.id, scores, expected, self.error)
