"""What a seat reads before it speaks. Rollout, training and evaluation all render through `messages`.

Layout `chat` (ours, the default; METHOD.md §3): a system message with role and facts, then alternating turns. The
emotion instruction ends the user turn it belongs to and stays there in later turns, so every prompt of an episode
extends the one before, token for token: the engine's prefix cache serves it, and training needs one pass a dialogue.
Layout `paper`: one user message with facts, full transcript and, last, the current emotion block.
In both, nothing in a message or a fact can spell a chat token.
"""

from dataclasses import replace

from emodistill.chat import Messages, inert
from emodistill.domains import domain_named
from emodistill.domains.base import Domain
from emodistill.emotions import instruction
from emodistill.records import DEFAULT_STYLE, Scenario, Seat, Style, Turn
from emodistill.rollout import structured

OPENING = "Open the negotiation."


def messages(
    scenario: Scenario, turns: tuple[Turn, ...], seat: Seat, emotion: str | None, style: Style = DEFAULT_STYLE
) -> Messages:
    """The chat up to the seat's next utterance. `emotion` is what it is told to show now; None gives no emotion block.

    Only the focal side is ever told an emotion, and the other side never sees the instruction.
    """
    domain = domain_named(scenario.domain)
    brief = inert(_brief(domain, scenario, seat, style))
    if style.layout == "paper":
        return (("user", f"{brief}\n\n{_transcript(domain, turns)}\n\n{_with_emotion('It is your turn.', emotion)}"),)
    chat = [("system", brief)]
    heard = OPENING
    for turn in turns:
        if turn.seat == seat:
            chat += [("user", _with_emotion(heard, turn.emotion)), ("assistant", reply_of(turn, style))]
        else:
            heard = inert(turn.utterance)
    chat.append(("user", _with_emotion(heard, emotion)))
    return tuple(chat)


def reply_of(turn: Turn, style: Style) -> str:
    """What the speaker itself wrote: the words, or the whole JSON of a structured reply."""
    return inert(turn.raw.strip() if style.replies == "structured" else turn.utterance)


def without_emotion(turns: tuple[Turn, ...]) -> tuple[Turn, ...]:
    """The same words as if no emotion had been asked for: what an emotion-free policy is trained on."""
    return tuple(map(plain_turn, turns))


def plain_turn(turn: Turn) -> Turn:
    """The same for one turn."""
    return turn if turn.emotion is None else Turn(turn.index, turn.seat, turn.utterance, turn.reading, None, turn.raw)


def exchanged(scenario: Scenario, turns: tuple[Turn, ...]) -> tuple[Scenario, tuple[Turn, ...]]:
    """The same negotiation with the seats exchanged: what a focal policy is to see on the counterparty's seat."""
    other: dict[Seat, Seat] = {"focal": "counterparty", "counterparty": "focal"}
    focal, counterparty = scenario.counterparty_target, scenario.focal_target
    exchanged = replace(scenario, focal_target=focal, counterparty_target=counterparty)
    return exchanged, tuple(turn._replace(seat=other[turn.seat]) for turn in turns)


def _brief(domain: Domain, scenario: Scenario, seat: Seat, style: Style) -> str:
    parts = [domain.brief(scenario, seat)]
    if seat == "counterparty":
        parts.append(dict(domain.personas)[style.persona])
    if style.replies == "structured":
        parts.append(structured.request(domain.quantity))
    return " ".join(filter(None, parts))


def _transcript(domain: Domain, turns: tuple[Turn, ...]) -> str:
    """A line a message: one that holds line ends cannot write the other side's next line."""
    said = "\n".join(f"{domain.role(turn.seat)}: {inert(' '.join(turn.utterance.split()))}" for turn in turns)
    return f"The negotiation so far:\n{said}" if said else OPENING


def _with_emotion(heard: str, emotion: str | None) -> str:
    return heard if emotion is None else f"{heard}\n{instruction(emotion)}"
