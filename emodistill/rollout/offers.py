"""Read an utterance: the figure it puts forward, an acceptance, a walk-away. Deterministic, no model call (ours).

One border: everything that bargains reads text through `read`. The work is done sentence by sentence, and a sentence's
reading is cached, since negotiators repeat themselves. Of a sentence's own
figures the last counts, of the sentences the last of the firmest.
"""

from dataclasses import dataclass
from functools import lru_cache
from typing import NamedTuple

from emodistill.domains.quantities import Quantity
from emodistill.records import Reading
from emodistill.rollout.reading import offered
from emodistill.rollout.reading.acceptance import accepts, retracts
from emodistill.rollout.reading.figures import figures, in_unit_of
from emodistill.rollout.reading.others import is_echo, refuses_echo
from emodistill.rollout.reading.skeleton import Figure, skeleton
from emodistill.rollout.reading.text import plain, said
from emodistill.rollout.reading.walking import is_farewell, walks


@dataclass(frozen=True, slots=True)
class _Sentence:
    """What one sentence does by itself."""

    offer: Figure | None
    strength: int
    theirs: float | None  # the other side's figure, the last if there are several
    amount: Figure | None  # the last figure with a unit
    echo: bool  # nothing but a figure with a question mark
    wording: "_Wording"


class _Wording(NamedTuple):
    """A sentence but for its figures, shared by all that say the same around theirs, and what it does."""

    marked: str  # its skeleton
    accepts: bool
    walks: bool
    farewell: bool  # nothing but a goodbye
    retracts: bool  # an acceptance before it


def read(utterance: str, quantity: Quantity, speaker: str = "") -> Reading:
    """What the words do: offer in the quantity's unit, acceptance, walk-away. Reads the first 2,000 characters.

    `speaker` is the domain's name of the role that speaks. A text that begins with its tag ("Debtor: agreed.") is its
    own; after another's tag nothing is accepted, nor does anybody walk away.
    """
    words = said(utterance, speaker)
    offer: float | None = None
    theirs: float | None = None
    amount: Figure | None = None
    strength, accepting, walking = offered.NONE, False, False
    parts = [_sentence(sentence, quantity) for sentence in words.sentences]
    for place, part in enumerate(parts, 1):
        echoed = place < len(parts) and _echoed(part, parts[place])
        if offered.THEIRS <= part.strength >= strength and not echoed:
            former = None if part.amount else amount
            offer = None if part.offer is None else in_unit_of(former, part.offer).value
            strength = part.strength
        theirs = part.theirs if part.theirs is not None and not echoed else theirs
        amount = part.amount or amount
        accepting = (accepting and not part.wording.retracts) or part.wording.accepts
        walking = walking or part.wording.walks
    if strength <= offered.THEIRS and len(parts) > 1:
        walking = walking or any(part.wording.farewell for part in parts)
    accepting = accepting and not words.tagged
    walking = walking and not accepting and not words.tagged
    if walking or (strength == offered.THEIRS and not accepting):
        offer = None
    if accepting and strength == offered.FORMER and theirs is not None:
        offer = theirs  # I asked for 15, but I accept your 25
    return _reading(offer, accepting, walking)


def _echoed(part: _Sentence, after: _Sentence) -> bool:
    """Whether a figure is only repeated: `90 days? Impossible.`, `90 days. You want me to wait 90 days.`"""
    if part.echo:
        return refuses_echo(after.wording.marked)
    if part.wording.marked.strip(" .!") != "#" or part.offer is None or after.offer is None:
        return False
    return after.strength == offered.THEIRS and after.offer.value == part.offer.value


_reading = lru_cache(maxsize=1 << 12)(Reading)  # there are few, and they are frozen


@lru_cache(maxsize=1 << 13)  # a simulated sweep of one domain says some ten thousand, again and again
def _sentence(sentence: str, quantity: Quantity) -> _Sentence:
    text = plain(sentence)
    found = figures(text, quantity)
    marked, places = skeleton(text, found)
    best, best_strength, theirs = None, offered.NONE, None
    for figure, place in zip(found, places, strict=True):
        strength = offered.strength(marked, place, figure, quantity) if figure.value is not None else offered.NONE
        theirs = figure.value if strength == offered.THEIRS else theirs
        if strength >= max(min(best_strength, offered.PLAIN), offered.THEIRS):
            best, best_strength = figure, max(strength, best_strength)
    return _Sentence(
        offer=best,
        strength=best_strength,
        theirs=theirs,
        amount=next((figure for figure in reversed(found) if figure.unit is not None), None),
        echo=best_strength > offered.THEIRS and is_echo(marked),
        wording=_wording(marked),
    )


@lru_cache(maxsize=1 << 12)  # of skeletons there are few
def _wording(marked: str) -> _Wording:
    return _Wording(marked, accepts(marked), walks(marked), is_farewell(marked), retracts(marked))
