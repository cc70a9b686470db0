"""The simulator behind the `ChatModel` interface: replies at once, from the view, without rendering a prompt."""

import math
import random

from emodistill.domains import domain_named
from emodistill.llm.base import ChatReply, ChatRequest, View
from emodistill.rollout.agreement import standing_offer
from emodistill.rollout.structured import dress
from emodistill.simulator.critic import critique
from emodistill.simulator.negotiators import counterparty_says, teacher_says


class ScriptedModel:
    """Both seats of the simulator, and its judge."""

    def __init__(self) -> None:
        self._ready: list[ChatReply] = []

    def submit(self, request: ChatRequest) -> None:
        """Answer from the view; the reply waits for the next `poll`."""
        view = request.view
        if view.seat == "judge":
            self._ready.append(_score(request, critique(view.scenario, view.turns, view.max_messages)))
        else:
            says = teacher_says if view.seat == "focal" else counterparty_says
            said = says(view, request.seed)
            self._ready.append(ChatReply(request.key, _as_json(view, said) if request.schema else said))

    def poll(self) -> list[ChatReply]:
        """All replies since the last call."""
        ready, self._ready = self._ready, []
        return ready

    def close(self) -> None:
        """Nothing to free."""


def _as_json(view: View, said: str) -> str:
    scenario = view.scenario
    standing = standing_offer(view.turns, "focal" if view.seat == "focal" else "counterparty")
    if standing is None:
        standing = scenario.focal_target if view.seat == "focal" else scenario.counterparty_target
    return dress(said, domain_named(scenario.domain).quantity, standing)


def _score(request: ChatRequest, score: float) -> ChatReply:
    """A digit, the score less one: of the two neighbours the nearest, or drawn if sampling is asked for.

    Their probabilities carry the exact score as their mean.
    """
    low = min(9, math.floor(score))
    share = score - low
    drawn = low + (random.Random(request.seed).random() < share)
    said = drawn if request.temperature > 0 else round(score)
    alternatives = ((str(low - 1), 1 - share), (str(low), share))
    return ChatReply(request.key, str(said - 1), alternatives=alternatives)
