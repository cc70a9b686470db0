"""The one interface to a language model: submit chat requests, collect replies as they come.

Requests and replies are named tuples: one of each is made a message, and they are made three times as fast.
"""

from collections.abc import Callable, Sequence
from pathlib import Path
from typing import Literal, NamedTuple, Protocol

from emodistill.chat import Messages
from emodistill.records import Scenario, Seat, Turn

CUT = "cut at its token limit before any words: a model that reasons first needs more max_tokens, or its reasoning off"


class View(NamedTuple):
    """What the speaker knows, for the simulator: it reads words, and only its own emotion instruction."""

    scenario: Scenario
    turns: tuple[Turn, ...]  # up to now; a counterparty's view holds no emotions
    seat: Seat | Literal["judge"]
    emotion: str | None
    max_messages: int
    episode_seed: int
    persona: str = "vanilla"  # of the counterparty


class ChatRequest(NamedTuple):
    """One reply to be generated. `render` gives the chat; the simulator never calls it and reads `view` instead."""

    key: str  # comes back with the reply
    view: View
    render: Callable[[], Messages]
    seed: int
    temperature: float
    top_p: float = 1.0
    max_tokens: int = 120
    adapter: Path | None = None  # folder of a PEFT adapter on the model's own weights
    choices: tuple[str, ...] = ()  # the reply must be one of these (guided decoding)
    logprobs: bool = False  # ask for the first token's alternatives
    schema: str = ""  # JSON schema that the reply must follow (guided decoding); empty: free text


class ChatReply(NamedTuple):
    """The model's words, or why there are none. Token counts are 0 for the simulator."""

    key: str
    text: str = ""
    error: str = ""
    prompt_tokens: int = 0
    cached_tokens: int = 0
    generated_tokens: int = 0
    alternatives: tuple[tuple[str, float], ...] = ()  # (token, probability) where the reply, or the choice, begins
    usd: float = 0.0  # by the spec's prices


class ChatModel(Protocol):
    """A model that works on many requests at once, each going on as soon as its reply is there."""

    def submit(self, request: ChatRequest) -> None:
        """Queue one request; its reply comes from a later `poll`."""

    def poll(self) -> Sequence[ChatReply]:
        """Replies that have finished since the last call; may block a moment, empty if none is ready.

        Trouble with one request is a reply with an error; trouble with all of them is raised.
        """

    def close(self) -> None:
        """Free the engine or the connections."""
