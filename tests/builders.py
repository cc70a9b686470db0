"""Scenarios, dialogues and fake models for the tests."""

import random
from collections.abc import Callable, Iterable
from dataclasses import replace

from hypothesis import settings
from hypothesis import strategies as st

from emodistill.domains.crad import DOMAIN
from emodistill.llm.base import ChatReply, ChatRequest
from emodistill.records import Episode, Reading, Rules, Scenario, Select, Status, Turn
from emodistill.rollout.engine import Task, Usage, Voice, play
from emodistill.seeds import seed_of

PROPERTY = settings(max_examples=100, deadline=None)
FACTS = DOMAIN.generate(random.Random(0)).facts
RULES = Rules(max_messages=12)
ACCEPTS, WALKS, VAGUE = Reading(accepts=True), Reading(walks=True), Reading()


def scenario(focal: float = 20.0, counterparty: float = 120.0, key: str = "crad-0000") -> Scenario:
    return Scenario(key, "crad", "train", "days", focal, counterparty, FACTS)


def dialogue(*said: float | Reading, emotions: Iterable[str] = ()) -> tuple[Turn, ...]:
    """Alternating messages, focal first; a number is an offer, `emotions` are those of the focal turns."""
    shown = iter(emotions)
    readings = [what if isinstance(what, Reading) else Reading(float(what)) for what in said]
    return tuple(
        Turn(k, "counterparty", f"c{k}", reading) if k % 2 else Turn(k, "focal", f"f{k}", reading, next(shown, None))
        for k, reading in enumerate(readings)
    )


def episode(
    status: Status, agreed: float | None, turns: tuple[Turn, ...], key: str = "e", of: str = "crad-0000"
) -> Episode:
    return Episode(key, of, 0, 1, status, agreed, turns)


def mirrored(of: Scenario, shift: float) -> Scenario:
    return replace(of, focal_target=shift - of.focal_target, counterparty_target=shift - of.counterparty_target)


def mirrored_turns(turns: tuple[Turn, ...], shift: float) -> tuple[Turn, ...]:
    def flip(reading: Reading) -> Reading:
        return replace(reading, offer=None if reading.offer is None else shift - reading.offer)

    return tuple(turn._replace(reading=flip(turn.reading)) for turn in turns)


whole = st.integers(-300, 300).map(float)  # whole numbers, so that mirroring is exact
scenarios = st.tuples(whole, whole).filter(lambda pair: pair[0] != pair[1]).map(lambda pair: scenario(*pair))
readings = st.builds(Reading, st.none() | whole, st.booleans(), st.booleans())


class FakeModel:
    """Answers each request by a function; `last_first` hands replies out one by one, newest first."""

    def __init__(self, answer: Callable[[ChatRequest], ChatReply], last_first: bool = False) -> None:
        self.answer, self.last_first = answer, last_first
        self.asked: list[ChatRequest] = []
        self.ready: list[ChatReply] = []
        self.most_open = 0

    def submit(self, request: ChatRequest) -> None:
        self.asked.append(request)
        self.ready.append(self.answer(request))
        self.most_open = max(self.most_open, len(self.ready))

    def poll(self) -> list[ChatReply]:
        if self.last_first:
            return [self.ready.pop()]
        ready, self.ready = self.ready, []
        return ready

    def close(self) -> None:
        pass


def says(text: str) -> Callable[[ChatRequest], ChatReply]:
    return lambda request: ChatReply(request.key, text)


def tasks(count: int, rollouts: int = 1) -> list[Task]:
    """Episodes of `count` different scenarios."""
    bargains = [scenario(10 + k, 60 + 2 * k, f"crad-{k:04d}") for k in range(count)]
    return [Task(f"{s.id}-r{k}", s, k, seed_of("test", s.id, k)) for s in bargains for k in range(rollouts)]


def played(
    todo: Iterable[Task], model, select: Select, rules: Rules = RULES, in_flight: int = 64, **options
) -> list[Episode]:
    voice = Voice(model, temperature=0.7, max_tokens=60)
    return list(play(todo, voice, voice, select, rules, in_flight, Usage(), **options))


def by_id(episodes: Iterable[Episode]) -> dict[str, Episode]:
    """By id, each played once."""
    listed = list(episodes)
    found = {episode.id: episode for episode in listed}
    assert len(found) == len(listed)
    return found
