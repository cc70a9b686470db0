"""Structured replies: a JSON object of decision, offer and message, so that a weak model always states an offer (ours).

The object's figure decides what the reply does; the words are what the other side hears, and they are made to say
it. The message comes last, so that a reply cut at the token limit still decides.
"""

import json
import re
from functools import cache

from emodistill.chat import whole
from emodistill.domains.quantities import Clock, Quantity
from emodistill.records import Reading

_LONGEST_MESSAGE, _LONGEST_REPLY = 600, 8000  # characters; a longer reply is none
_CUT = re.compile(r'[^{]*(\{.*"message"\s*:\s*"(?:[^"\\]|\\.)*)\\?$', re.DOTALL)


@cache
def schema(quantity: Quantity) -> str:
    """The JSON schema of a reply, for guided decoding; its order of keys is the order of writing."""
    properties = {
        "decision": {"type": "string", "enum": ["offer", "accept", "walk"]},
        "offer": quantity.schema,
        "message": {"type": "string", "minLength": 1, "maxLength": _LONGEST_MESSAGE},
    }
    return json.dumps(
        {"type": "object", "properties": properties, "required": list(properties), "additionalProperties": False}
    )


def request(quantity: Quantity) -> str:
    """The sentence that asks for it."""
    decisions = '"offer", "accept" or "walk"'
    return f'Reply as JSON: {{"decision": {decisions}, "offer": {quantity.example}, "message": your words}}.'


def parse(text: str, quantity: Quantity) -> tuple[str, Reading] | None:
    """What the other side hears and what the reply does; None if it is no such object."""
    found = _object(text)
    if found is None:
        return None
    decision, message = found.get("decision"), found.get("message")
    offer = _offer(found.get("offer"), quantity)
    if not isinstance(message, str) or decision not in ("offer", "accept", "walk"):
        return None
    if decision == "offer" and offer is None:
        return None
    reading = Reading(offer if decision == "offer" else None, decision == "accept", decision == "walk")
    return _spoken(whole(message).strip(), reading, quantity), reading


def dress(utterance: str, quantity: Quantity, standing: float) -> str:
    """An utterance as such an object; without a figure of its own it repeats the speaker's `standing` one.

    This is how the simulator answers a request with a schema.
    """
    reading = _read(utterance, quantity)
    offer = standing if reading.offer is None else reading.offer
    decision = "walk" if reading.walks else "accept" if reading.accepts else "offer"
    return json.dumps({"decision": decision, "offer": quantity.write(offer), "message": utterance})


def _read(words: str, quantity: Quantity) -> Reading:
    from emodistill.rollout.offers import read  # its patterns take a quarter of a second to compile

    return read(words, quantity)


def _object(text: str) -> dict[str, object] | None:
    if len(text) > _LONGEST_REPLY:
        return None
    cut = _CUT.match(text)
    for candidate in (text, *((f'{cut[1]}"}}',) if cut else ())):
        try:
            found = json.loads(candidate, strict=False)  # a weak model writes raw control characters
        except (ValueError, RecursionError):
            continue
        return found if isinstance(found, dict) else None
    return None


def _offer(value: object, quantity: Quantity) -> float | None:
    if isinstance(quantity, Clock):
        return _read(f"Let us say {value}.", quantity).offer if isinstance(value, str) else None
    if isinstance(value, int | float) and not isinstance(value, bool) and 0 <= value < 10_000:
        return float(value)
    return None


def _spoken(message: str, reading: Reading, quantity: Quantity) -> str:
    if message and _read(message, quantity) == reading:
        return message
    said = "I accept your offer." if reading.accepts else "I am walking away."
    if reading.offer is not None:
        said = f"My offer is {quantity.say(reading.offer)}."
    return f"{message} {said}".strip()
