"""The fields of a foreign sweep under the names they plausibly have, and what a value of theirs means."""

import difflib
import math
import re
from collections.abc import Iterable
from typing import Any

from emodistill.domains.base import Domain
from emodistill.domains.quantities import Clock, Quantity
from emodistill.emotions import GOEMOTIONS
from emodistill.records import Reading, Seat, Status

# Names without case, spaces and underscores; the first that holds a value counts.
EPISODES = ("episoderesults", "episodes", "results", "rollouts", "trajectories")
DIALOG = ("dialog", "dialogue", "conversation", "messages", "turns", "transcript")
SPEAKER = ("speaker", "role", "seat", "agent", "from", "name")
WORDS = ("message", "utterance", "text", "content")
OFFER = ("requesteddays", "requestedvalue", "requestedminutes", "requestedtime", "requested", "offer", "days", "value")
STATE = ("state", "action", "decision")
EMOTIONS = ("emotionsequence", "emotions", "focalemotions", "selleremotions", "creditoremotions")
EMOTION = ("emotion", "emotionlabel", "label")
SCENARIO = ("scenario", "scenarioid", "scenarioname", "scenarioindex")
ITERATION = ("iteration", "rollout", "repeat", "run")
FINAL_STATE = ("finalstate", "outcome", "status", "result")
FINAL_VALUE = ("finaldays", "finalvalue", "agreed", "agreeddays", "agreedvalue", "finalminutes", "finaltime")
SUCCESS = ("success", "agreementreached")
FAILED = ("error", "exception")
_TARGET = ("target", "targetdays", "targetvalue", "targetminutes", "targettime", "targetprice", "initialdays")

_FOCAL = frozenset("seller creditor focal collector rescuer coordinator scheduler hospital coach".split())
_OTHER = frozenset("buyer debtor counterparty survivor victim patient student opponent".split())
_ACCEPTS = frozenset("accept accepted accepts agree agreed agreement deal success".split())
_WALKS = frozenset("breakdown broken walk walkaway walkedaway walks".split())
_TIMEOUT = frozenset("timeout maxturns maxrounds maxlen maxdialoglen maxmessages nodeal noagreement".split())
# Labels of other taxonomies, and the one of ours that is nearest in meaning.
_KIN = {
    "happiness": "joy", "happy": "joy", "enjoyment": "joy", "contempt": "disapproval", "shame": "embarrassment",
    "guilt": "remorse", "interest": "curiosity", "distress": "sadness", "shyness": "nervousness", "trust": "approval",
    "anticipation": "optimism", "hope": "optimism", "worry": "nervousness", "calm": "neutral",
}  # fmt: skip
_LARGEST = 1e6  # of a number of days or minutes


class Unusable(ValueError):
    """Why an episode cannot be used, in words that go on after its place."""


def plain(name: str) -> str:
    """A name without what spellings differ in."""
    return re.sub(r"[^a-z0-9]", "", name.lower())


def fields(row: Any) -> dict[str, Any]:
    """A JSON object by plain names, without what is null; empty for anything else."""
    return {plain(key): value for key, value in row.items() if value is not None} if isinstance(row, dict) else {}


def first(row: dict[str, Any], names: Iterable[str]) -> Any:
    """The value of the first of these names that the row has; None if it has none."""
    return next((row[name] for name in names if name in row), None)


def target_names(domain: Domain, seat: Seat) -> tuple[str, ...]:
    """What a seat's target may be called: by its role here, and by those of the authors' files."""
    roles = ("focal", "seller", "creditor") if seat == "focal" else ("counterparty", "buyer", "debtor")
    role = domain.role(seat)
    return tuple(f"{who}{what}" for who in dict.fromkeys((plain(role), *roles)) for what in _TARGET)


def target_within(seat_row: Any) -> Any:
    """The target in an object that describes one seat alone."""
    return first(fields(seat_row), _TARGET)


def seat_of(name: Any, domain: Domain) -> Seat:
    """Whose message it is, by the speaker's name."""
    said = plain(name) if isinstance(name, str) else ""
    if said in _FOCAL | {plain(domain.focal_role)}:
        return "focal"
    if said in _OTHER | {plain(domain.counterparty_role)}:
        return "counterparty"
    raise Unusable(
        f"its speaker is {shown(name)}; known are seller, {domain.focal_role} or focal, and buyer, "
        f"{domain.counterparty_role} or counterparty"
    )


def number(value: Any, quantity: Quantity, what: str) -> float:
    """A value in the domain's unit, from a number or from words such as "3 weeks" or "10:30 PM"."""
    found = math.nan
    if isinstance(value, int | float) and not isinstance(value, bool):
        found = float(value) if abs(value) <= _LARGEST else math.nan  # NaN compares false
    elif isinstance(value, str):
        try:
            found = float(value)
        except ValueError:
            from emodistill.rollout.offers import read  # its patterns take a quarter of a second to compile

            said = read(f"Let us say {value}.", quantity).offer
            found = math.nan if said is None else said
    if not abs(found) <= _LARGEST or (found < 0 and not isinstance(quantity, Clock)):
        raise Unusable(f"{what} is {shown(value)}, not a value in {quantity.unit}")
    return found


def emotion(label: Any) -> str:
    """A label of our vocabulary; `Unusable` names the nearest one for any other."""
    inner = first(fields(label), EMOTION) if isinstance(label, dict) else label
    if not isinstance(inner, str):
        raise Unusable(f"{shown(label)} stands where the label of an emotion should")
    said = inner.strip().lower()
    if said not in GOEMOTIONS:
        near = _KIN.get(said) or difflib.get_close_matches(said, GOEMOTIONS, n=1, cutoff=0.0)[0]
        raise Unusable(f"the emotion {shown(inner)} is not one of the {len(GOEMOTIONS)} GoEmotions; nearest: {near!r}")
    return said


def ending(state: Any) -> Status | None:
    """How an episode ended, by its final state; None if the state says nothing about it."""
    said = plain(state) if isinstance(state, str) else ""
    if said in _ACCEPTS:
        return "agreement"
    return "breakdown" if said in _WALKS else "timeout" if said in _TIMEOUT else None


def decided(state: Any, words: Reading) -> tuple[bool, bool]:
    """Whether a message accepts and whether it walks away: as its state says, or else its words."""
    if isinstance(state, str) and state.strip():
        return plain(state) in _ACCEPTS, plain(state) in _WALKS
    return words.accepts, words.walks


def shown(value: Any) -> str:
    """A value in a message: short, and on one line."""
    return repr(value if isinstance(value, str | int | float | None) else type(value).__name__)[:60]
