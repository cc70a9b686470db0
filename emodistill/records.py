"""Stage records: what one stage hands to the next. Frozen, slotted, and importing nothing of ours.

Positions are polarity-free (METHOD.md §1): `pos` is 0 at the counterparty's target and 1 at the focal's,
whichever of the two is the larger number. Values are in the domain's unit.
"""

import math
from collections.abc import Callable
from dataclasses import dataclass
from typing import Literal, NamedTuple

SCHEMA = 3  # of how these are stored; part of every fingerprint
Seat = Literal["focal", "counterparty"]
Split = Literal["train", "held_out"]
Status = Literal["agreement", "breakdown", "timeout", "error"]
Layout = Literal["chat", "paper"]  # of prompts
Replies = Literal["text", "structured"]
STATUSES: tuple[Status, ...] = ("agreement", "breakdown", "timeout", "error")


@dataclass(frozen=True, slots=True)
class Scenario:
    """One negotiation to be had: two targets on a time axis and the facts both sides may use."""

    id: str
    domain: str
    split: Split
    unit: str
    focal_target: float
    counterparty_target: float
    facts: tuple[tuple[str, str], ...]
    imputed: bool = False  # a target cell held no number and took the domain's default

    def __hash__(self) -> int:
        return hash(self.id)  # a table is asked about it at every message

    def pos(self, value: float) -> float:
        """Where a value lies between the counterparty's target (0) and the focal's (1); unclipped."""
        return (value - self.counterparty_target) / (self.focal_target - self.counterparty_target)

    def value(self, pos: float) -> float:
        """Inverse of `pos`, in the domain's unit."""
        return self.counterparty_target + pos * (self.focal_target - self.counterparty_target)

    def fact(self, name: str) -> str:
        """One fact as people say it; empty if the scenario does not have it."""
        return self.spoken_facts().get(name, "")

    def spoken_facts(self) -> dict[str, str]:
        """Name to text as people say it: the files' `Life_Raft` is Life Raft."""
        return {name: text.replace("_", " ") for name, text in self.facts}


@dataclass(frozen=True, slots=True)
class Reading:
    """What an utterance does to the bargain, read from its words alone."""

    offer: float | None = None  # in the domain's unit
    accepts: bool = False  # takes the other side's standing offer
    walks: bool = False  # ends the negotiation


class Turn(NamedTuple):  # one is made at every message, in a third of a dataclass's time
    """One message. `index` counts messages from 0; the focal side speaks at even indices."""

    index: int  # type: ignore[assignment]  # hides tuple.index, which nobody asks a turn for
    seat: Seat
    utterance: str
    reading: Reading
    emotion: str | None = None  # the emotion the focal side was told to show; None: no emotion block
    raw: str = ""  # the model's reply before stripping


@dataclass(frozen=True, slots=True)
class Rules:
    """How a negotiation ends (METHOD.md §1)."""

    max_messages: int = 30
    tolerance_pct: float = 5.0  # of |focal target - counterparty target|
    tolerance_units: float | None = None  # absolute, instead of the percentage (paper: 5)


@dataclass(frozen=True, slots=True)
class Style:
    """How both seats are prompted and answer; `persona` colours the counterparty (METHOD.md §3, §8)."""

    layout: Layout = "chat"
    replies: Replies = "text"
    persona: str = "vanilla"


DEFAULT_STYLE = Style()


@dataclass(frozen=True, slots=True)
class Episode:
    """One finished negotiation, or one that ended in a technical error."""

    id: str
    scenario_id: str
    rollout: int
    seed: int
    status: Status
    agreed: float | None  # agreed value in the domain's unit; None unless status is agreement
    turns: tuple[Turn, ...]
    error: str = ""

    def focal_turns(self) -> tuple[Turn, ...]:
        """The focal side's messages in order."""
        return tuple(turn for turn in self.turns if turn.seat == "focal")


@dataclass(frozen=True, slots=True)
class Verdict:
    """The judge's scores of one episode, [focal turns][repeats]; NaN where no reply could be parsed."""

    episode_id: str
    scores: tuple[tuple[float, ...], ...]  # integers 1..10
    expected: tuple[tuple[float, ...], ...]  # sum of p(k) k where the backend gives log-probabilities, else the integer
    error: str = ""  # the judge could not be asked about some turn; asked again on the next run

    def turn_scores(self) -> tuple[float, ...]:
        """r_t of each focal turn: the mean over the repeats that could be parsed, NaN if there is none."""
        parsed = ([score for score in turn if not math.isnan(score)] for turn in self.scores)
        return tuple(sum(turn) / len(turn) if turn else math.nan for turn in parsed)


@dataclass(frozen=True, slots=True)
class ScoredTurn:
    """The signals of one focal turn (METHOD.md §4)."""

    message: int  # index into Dialogue.messages of the response
    emotion: str
    judge: float  # r_t, NaN if missing
    advantage: float  # A_t, NaN if missing
    ret: float  # R(τ) of the whole episode
    quality: float  # q_t = r_t + R/2, NaN if missing


@dataclass(frozen=True, slots=True)
class Dialogue:
    """One training episode as the student's chat: `messages` are (role, content), prefix-stable."""

    episode_id: str
    scenario_id: str
    messages: tuple[tuple[str, str], ...]
    turns: tuple[ScoredTurn, ...]


# Which emotion to show now, given the dialogue so far and the turn's own seed; None for no emotion block.
Select = Callable[[Scenario, tuple[Turn, ...], int], str | None]
