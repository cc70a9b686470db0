"""What a seat reads before it speaks: the prefix-stable chat layout (METHOD.md §3, ours).

System message with role and facts, then alternating turns. The emotion instruction ends the user turn it belongs to and
stays there in later turns, so every prompt of an episode extends the one before, token for token. Rollout,
training and evaluation all render through `messages`.
"""

from emodistill.domains import domain_named
from emodistill.emotions import instruction
from emodistill.llm.base import Messages
from emodistill.records import DEFAULT_STYLE, Scenario, Seat, Style, Turn

OPENING = "Open the negotiation."


def messages(
    scenario: Scenario, turns: tuple[Turn, ...], seat: Seat, emotion: str | None, style: Style = DEFAULT_STYLE
) -> Messages:
    """The chat up to the seat's next utterance. `emotion` is what it is told to show now; None gives no emotion block.

    Only the focal side is ever told an emotion, and the other side never sees the instruction.
    """
    chat = [("system", domain_named(scenario.domain).brief(scenario, seat))]
    heard = OPENING
    for turn in turns:
        if turn.seat == seat:
            chat += [("user", _with_emotion(heard, turn.emotion)), ("assistant", turn.utterance)]
        else:
            heard = turn.utterance
    chat.append(("user", _with_emotion(heard, emotion)))
    return tuple(chat)


def without_emotion(turns: tuple[Turn, ...]) -> tuple[Turn, ...]:
    """The same words as if no emotion had been asked for: what an emotion-free policy is trained on."""
    return tuple(Turn(t.index, t.seat, t.utterance, t.reading, None, t.raw) for t in turns)


def _with_emotion(heard: str, emotion: str | None) -> str:
    return heard if emotion is None else f"{heard}\n{instruction(emotion)}"
