"""Requests to a backend, and its replies by key."""

import time

from emodistill.llm.base import ChatRequest, View
from emodistill.records import Reading

from builders import dialogue, scenario

CHAT = (("system", "You bargain."), ("user", "Open the negotiation."))


def request(key: str, seed: int = 1, chat=CHAT, seat="focal", **options) -> ChatRequest:
    turns = dialogue(Reading(40.0)) if seat == "judge" else ()
    view = View(scenario(), turns, seat, "anger" if seat == "focal" else None, 12, seed)
    settings = {"temperature": 0.9, "max_tokens": 12, **options}
    return ChatRequest(key, view, lambda: chat, seed, **settings)


def answers(model, requests, within_s: float = 60.0):
    """Each key's only reply."""
    for one in requests:
        model.submit(one)
    found, deadline = {}, time.monotonic() + within_s
    while len(found) < len(requests):
        assert time.monotonic() < deadline, f"{len(requests) - len(found)} requests have no reply"
        for reply in model.poll():
            assert reply.key not in found
            found[reply.key] = reply
    assert list(model.poll()) == []
    return found
