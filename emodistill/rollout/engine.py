"""The streaming rollout engine: each episode goes on the moment its reply arrives; no turn barrier (ours).

At most `in_flight` episodes are open. Every request's seed comes from the episode's own seed and turn, so results of
the simulator do not depend on order, shard or worker count.
"""

from collections.abc import Callable, Iterable, Iterator
from dataclasses import dataclass, field
from itertools import islice
from pathlib import Path

from emodistill.domains import domain_named
from emodistill.domains.base import Domain
from emodistill.llm.base import ChatModel, ChatReply, ChatRequest, View
from emodistill.records import DEFAULT_STYLE, Episode, Reading, Rules, Scenario, Seat, Select, Style, Turn
from emodistill.rollout import structured
from emodistill.rollout.agreement import Outcome, outcome
from emodistill.rollout.offers import read
from emodistill.rollout.prompts import exchanged, messages, plain_turn
from emodistill.seeds import seed_of

ATTEMPTS = 3  # an empty or failed reply is asked again; then the episode ends in an error


@dataclass(frozen=True, slots=True)
class Voice:
    """A seat's model and how it samples."""

    model: ChatModel
    temperature: float
    max_tokens: int
    top_p: float = 1.0
    adapter: Path | None = None


@dataclass(frozen=True, slots=True)
class Task:
    """One episode to be played."""

    id: str
    scenario: Scenario
    rollout: int
    seed: int


@dataclass(slots=True)
class Usage:
    """What a batch of episodes cost, in tokens and money."""

    prompt_tokens: int = 0
    cached_tokens: int = 0
    generated_tokens: int = 0
    usd: float = 0.0

    def add(self, reply: ChatReply) -> None:
        """Count one reply."""
        self.prompt_tokens += reply.prompt_tokens
        self.cached_tokens += reply.cached_tokens
        self.generated_tokens += reply.generated_tokens
        self.usd += reply.usd


@dataclass(slots=True)
class _Open:
    task: Task
    domain: Domain
    turns: tuple[Turn, ...] = ()
    plain: tuple[Turn, ...] = ()  # the same without emotions, for the counterparty
    attempt: int = 0
    emotion: str | None = None
    problems: list[str] = field(default_factory=list)

    @property
    def seat(self) -> Seat:
        return "counterparty" if len(self.turns) % 2 else "focal"

    def heard(self, seat: Seat, both: bool) -> tuple[Turn, ...]:
        """The dialogue as that seat knows it: with its own emotions only. `both`: the counterparty has some too."""
        if both:
            return tuple(turn if turn.seat == seat else plain_turn(turn) for turn in self.turns)
        return self.turns if seat == "focal" else self.plain


def play(
    tasks: Iterable[Task],
    focal: Voice,
    counterparty: Voice,
    select: Select,
    rules: Rules,
    in_flight: int,
    usage: Usage,
    stop: Callable[[], bool] = lambda: False,
    style: Style = DEFAULT_STYLE,
    answer: Select | None = None,
) -> Iterator[Episode]:
    """Play all tasks; yields each episode as it ends, in order of ending.

    `select` chooses the focal side's emotions. With `answer` the counterparty is told emotions too, and sees the
    negotiation as the focal side would in its place. When `stop()` turns true, open episodes are dropped.
    """
    selects: dict[Seat, Select | None] = {"focal": select, "counterparty": answer}
    waiting = iter(tasks)
    voices: dict[Seat, Voice] = {"focal": focal, "counterparty": counterparty}
    models = list({id(voice.model): voice.model for voice in voices.values()}.values())
    opened: dict[str, _Open] = {}
    while not stop():
        for task in islice(waiting, in_flight - len(opened)):
            opened[task.id] = _Open(task, domain_named(task.scenario.domain))
            _ask(opened[task.id], voices, selects, rules, style)
        if not opened:
            return
        for reply in [reply for model in models for reply in model.poll()]:
            usage.add(reply)
            episode = opened.get(reply.key)
            if episode is None:
                continue  # a late reply to an episode that an earlier, stopped call had open
            end = _advance(episode, reply, rules, style)
            if end is None:
                _ask(episode, voices, selects, rules, style)
            else:
                del opened[reply.key]
                yield _closed(episode, end)


def _ask(
    episode: _Open, voices: dict[Seat, Voice], selects: dict[Seat, Select | None], rules: Rules, style: Style
) -> None:
    task, seat, voice = episode.task, episode.seat, voices[episode.seat]
    turns = episode.heard(seat, selects["counterparty"] is not None)
    if episode.attempt == 0:
        episode.emotion = _chosen(task, turns, seat, selects[seat])
    emotion = episode.emotion
    voice.model.submit(
        ChatRequest(
            key=task.id,
            view=View(task.scenario, turns, seat, emotion, rules.max_messages, task.seed, style.persona),
            render=lambda: messages(task.scenario, turns, seat, emotion, style),
            seed=seed_of(task.seed, len(turns), episode.attempt),
            temperature=voice.temperature,
            top_p=voice.top_p,
            max_tokens=voice.max_tokens,
            adapter=voice.adapter,
            schema=structured.schema(episode.domain.quantity) if style.replies == "structured" else "",
        )
    )


def _chosen(task: Task, turns: tuple[Turn, ...], seat: Seat, select: Select | None) -> str | None:
    """The emotion to show now; the counterparty's selector is asked as if it sat on the focal seat."""
    if select is None:
        return None
    seed = seed_of(task.seed, "emotion", len(turns))
    return select(task.scenario, turns, seed) if seat == "focal" else select(*exchanged(task.scenario, turns), seed)


def _advance(episode: _Open, reply: ChatReply, rules: Rules, style: Style) -> Outcome | None:
    seat = episode.seat
    if style.replies == "structured":
        heard = structured.parse(reply.text, episode.domain.quantity)
    else:
        heard = _words(reply.text, episode.domain, seat)
    if heard is None:
        unusable = f"unusable reply {reply.text[:80]!r}" if reply.text.strip() else "empty reply"
        episode.problems.append(reply.error or unusable)
        episode.attempt += 1
        return Outcome("error") if episode.attempt == ATTEMPTS else None
    turn = Turn(len(episode.turns), seat, *heard, episode.emotion, reply.text)
    episode.turns, episode.attempt = (*episode.turns, turn), 0
    episode.plain = (*episode.plain, plain_turn(turn))
    return outcome(episode.task.scenario, episode.turns, rules)


def _words(text: str, domain: Domain, seat: Seat) -> tuple[str, Reading] | None:
    utterance = text.strip()
    return (utterance, read(utterance, domain.quantity, domain.role(seat))) if utterance else None


def _closed(episode: _Open, end: Outcome) -> Episode:
    task = episode.task
    error = "; ".join(episode.problems[-ATTEMPTS:]) if end.status == "error" else ""
    return Episode(task.id, task.scenario.id, task.rollout, task.seed, end.status, end.agreed, episode.turns, error)
