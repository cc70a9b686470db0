"""Which figure of a sentence its speaker puts forward, from the wording around it.

A figure of the domain's kind is put forward unless the words around it say otherwise: it is turned down, a fact, a
stray number, or the other side's. Its strength: THEIRS (an offer only where an acceptance goes with it), FORMER
("I started at 60"), PLAIN, or FIRM (in the speaker's own words, or in a sentence that says little else).
"""

import re
from functools import lru_cache

from emodistill.domains.quantities import Clock, Quantity
from emodistill.rollout.reading.bare import is_offered
from emodistill.rollout.reading.bedtime import is_before_bed, is_other_time
from emodistill.rollout.reading.facts import is_fact
from emodistill.rollout.reading.others import theirs
from emodistill.rollout.reading.refused import is_refused
from emodistill.rollout.reading.skeleton import Figure
from emodistill.rollout.reading.wording import wording

NONE, THEIRS, FORMER, PLAIN, FIRM = range(5)
_FEW = 3  # a bare `one` or `two` is no length of time
_YEARS = range(1900, 2100)

_CLAUSE = wording(r"""
    (?<=[,;()])(?=\s)|\s-\s
    \s(?=(?:but|so|because|since|while|although|though|whereas|however|yet|then|unless|if|when|plus|which|where)\b)
    \s(?=(?:before|until) (?:i|we|you|the|my)\b)|\s(?=or (?:i|we|else)\b)
    \s(?=and (?:i|we|you|it|that|this|he|she|they|there|let|my|our|your|please|then|now|so|the|in return|for that)\b)
    \s(?=and (?:can|could|will|would|am|have|be|need|want|meet|settle|call|make|don't|not|go)\b)
""")
_FORMER = wording(
    r"""
    was|were|had|wanted|hoped|thought|started|began|used to|first|initially|originally|opened
    (?:could|would|might) have (?:\w+ly |been )?(?:\w+ed|gone|done|taken|said|given|been)
    said|told you
    looked at|considered|previously|at first|earlier|proposed|offered|asked|mentioned|came|went|tried
    preferred|planned|(?:have|'ve) (?:already |now |just )?(?:come|gone|moved|dropped|risen)
    (?:up|down) from
""",
    r"(?:\b",
    r"\b)(?!.*\b(?:now|instead|to be)\b)[^;]{0,60}$",
)
_LEFT = re.compile(
    r"\b(?:initially|originally|at (?:the (?:start|beginning|outset)|first)|when we (?:began|started|first))\b"
)
_BACK_FROM = re.compile(r"[#~][^;#~]*\bfrom (?:my |our )?$")  # 60 days, down from …
_OWN = wording(
    r"""
    i|i'm|i'll|i'd|i've|we|we're|we'll|we'd|we've|let's|let|how about|what about|what if|make|say|could|can|would|will
    offer\w*
    propos\w+|suggest\w*|need|want|ask\w*|within|at most|up to|max\w*|at least|my|our|us|giv\w+|please|pay|settle
    schedule|operate
    hold|hang|wait|deal|accept|agree\w*|fine|okay|ok|call|meet|final\w*|estimate|eta|request|commit\w*|push|aim|asleep
    bed|stay|keep
    stick|extend|bring|set|has to be|going to be|must|count on|expect|figure on
    then|instead|perhaps|maybe|than|you'll|you'd|yes|sure
""",
    r"\b",
    r"\b",
)
_ALONE = wording(
    r"""
    so|then|and|but|ok|okay|fine|well|yes|no|alright|right|sure|maybe|perhaps|please|look|listen|now|just|only|about
    around|still
    again|actually|to|agreed|deal|final|offer|or|not more than
""",
    r"^\W*(?:",
    r"[ ,:.-]*)*$",
)

_CLAIMED = wording(  # my paycheck lands in …, so that's when you'd see the money
    r"""
    that(?:'s| is) (?:my|our|(?:when|what|where|how long) (?:i|we|you)(?:'d|'ll|'m|'re| can| could| will| would))
    (?:let's|i want to|i'd like to|i'm going to) (?:keep|stick|stay|go with|do|settle)
""",
    "^,? (?:so|and) ",
    r"\b",
)


def strength(text: str, at: int, figure: Figure, quantity: Quantity) -> int:
    """How firmly the speaker puts forward the figure whose mark is text[at]; `NONE` if not at all."""
    bare, clocked, value = figure.unit is None, isinstance(quantity, Clock), figure.value
    if bare and value is not None and (value in _YEARS or (value < _FEW and not clocked)):
        return NONE
    return _wording_strength(text, at, bare, figure.former, clocked)


@lru_cache(maxsize=1 << 12)  # of skeletons there are few: a negotiator says the same around every figure
def _wording_strength(text: str, at: int, bare: bool, former: bool, clocked: bool) -> int:
    before, after = text[max(0, at - 110) : at], text[at + 1 : at + 91]
    head = _CLAUSE.split(before)[-1]  # of this clause
    clause = head.rsplit(":", 1)[-1]
    alone = _ALONE.match(head) is not None
    if bare and not is_offered(before, after, alone):
        return NONE
    if is_refused(before, clause, after, text.endswith("?")):
        return NONE
    fact = is_other_time(head, after) if clocked else is_fact(before, head, after)
    if _CLAIMED.match(after):
        return FIRM
    if fact:
        return NONE
    if theirs(before, head, after):
        return THEIRS
    if former or _FORMER.search(clause) or _BACK_FROM.search(before) or (clocked and is_before_bed(head)):
        return NONE if _LEFT.search(head + after) and "#" not in after else FORMER
    return FIRM if alone or _OWN.search(clause if clause.strip() else head) else PLAIN
