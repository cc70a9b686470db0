"""Read an utterance: the offered number of days, an acceptance, a walk-away. Deterministic, no model call (ours).

One border: everything that bargains reads text through `read`. Figures that are not offers are left out: the other
side's quoted figure ("your 90 days"), days overdue, negated ones ("not 60 days"). Of several offers the last counts.
"""

import re

from emodistill.records import Reading

_UNITS = {"one": 1, "two": 2, "three": 3, "four": 4, "five": 5, "six": 6, "seven": 7, "eight": 8, "nine": 9, "ten": 10,
          "eleven": 11, "twelve": 12, "thirteen": 13, "fourteen": 14, "fifteen": 15, "sixteen": 16, "seventeen": 17,
          "eighteen": 18, "nineteen": 19}  # fmt: skip
_TENS = {"twenty": 20, "thirty": 30, "forty": 40, "fifty": 50, "sixty": 60, "seventy": 70, "eighty": 80, "ninety": 90}
_SMALL = (
    rf"(?:(?:{'|'.join(_TENS)})(?:[- ](?:{'|'.join(list(_UNITS)[:9])})\b)?"
    rf"|{'|'.join(sorted(_UNITS, key=len, reverse=True))})"
)
_NUMBER = (
    rf"(?:\d{{1,4}}(?:\.\d+)?|\b(?:a|{'|'.join(list(_UNITS)[:9])}) hundred(?: and)?(?: {_SMALL})?|\b{_SMALL}|\ban?\b)"
)
_DAYS_IN = {"day": 1.0, "week": 7.0, "fortnight": 14.0, "month": 30.0}
_SPAN = re.compile(
    rf"(?P<low>{_NUMBER})(?:\s*(?:-|–|to|or|and)\s*(?P<high>{_NUMBER}))?[\s-]*"
    r"(?:full |more |business |calendar )?(?P<unit>day|week|fortnight|month)s?\b"
)
_NOT_OFFERED = re.compile(
    r"(?:\byour(?: offer| proposal| request)?(?: of)?"
    r"|\byou (?:want|ask|asked|offer|offered|said|propose|proposed|need)(?: for)?"
    r"|\bnot|\bnever|\bno way|\binstead of|\brather than"
    r"|\bcannot (?:do|wait|accept)|\bcan't (?:do|wait|accept)|\bwon't (?:do|wait|accept)"
    r"|\bno longer than your|\bpast|\bmore than just|\bafter already)\s*(?:for |the |those |these |about |another )*$"
)
_NOT_OFFERED_AFTER = re.compile(
    r"^\s*(?:overdue|late|past due|ago|behind|is (?:too|far)|are (?:too|far)|will not|won't|cannot|can't|is not|isn't)"
)
_ACCEPT = re.compile(
    r"\b(?:i|we) (?:gladly |can |will |do |happily |hereby )*"
    r"(?:accept|agree to (?:that|your|those|this|it)|agree[.!]|take (?:that|it|your offer))"
    r"|\bit'?s a deal\b|\bthat'?s a deal\b|^\s*deal\b|\bwe have a deal\b|\b(?:i|we) can live with (?:your|that|those)"
    r"|\byou have a deal\b|\baccepted[.!]|^\s*agreed\b"
)
_NOT_ACCEPT = re.compile(
    r"\b(?:cannot|can't|can not|won't|will not|do not|don't|never|unable to|refuse to"
    r"|if (?:i|we)|before (?:i|we)|could) (?:\w+ ){0,2}(?:accept|agree|take|live)"
    r"|\b(?:i|we) (?:can|will|could) (?:accept|agree)[^.!]*\bif\b"
)
_WALK = re.compile(
    r"\b(?:i am|i'm|we are|we're) (?:walking away|done (?:here|talking|negotiating)|ending (?:this|these talks))"
    r"|\b(?:i|we) (?:will |must |have to |am going to )?"
    r"(?:walk away|break off|end (?:this|these|the) (?:talks?|negotiations?|conversation))"
    r"|\b(?:the|this|these|our) (?:talks?|negotiations?) (?:is|are) over\b"
    r"|\bthere is nothing (?:more|left) to discuss\b"
)
_NOT_WALK = re.compile(
    r"\b(?:not|don't|never|won't|will not|before (?:i|we)|if (?:you|i|we)[^.]*|or (?:i|we)(?: will)?|rather than)"
    r" (?:\w+ ){0,2}(?:walk|end|break)"
)


def read(utterance: str) -> Reading:
    """What the words do: offer in days (the last one made), acceptance, walk-away. Linear in the text's length."""
    text = utterance[:2000].lower().replace("’", "'")
    offers = [value for value in (_offer(text, match) for match in _SPAN.finditer(text)) if value is not None]
    accepts = bool(_ACCEPT.search(text)) and not _NOT_ACCEPT.search(text)
    walks = not accepts and bool(_WALK.search(text)) and not _NOT_WALK.search(text)
    return Reading(offer=offers[-1] if offers else None, accepts=accepts, walks=walks)


def _offer(text: str, match: re.Match[str]) -> float | None:
    if _NOT_OFFERED.search(text[max(0, match.start() - 40) : match.start()]) or _NOT_OFFERED_AFTER.search(
        text[match.end() : match.end() + 20]
    ):
        return None
    low, high = _number(match["low"]), _number(match["high"] or match["low"])
    return (low + high) / 2 * _DAYS_IN[match["unit"]]


def _number(text: str) -> float:
    if text[0].isdigit():
        return float(text)
    total = 0.0
    for word in re.split(r"[\s-]+", text):
        if word == "hundred":
            total = max(total, 1.0) * 100
        elif word != "and":
            total += _TENS.get(word, _UNITS.get(word, 1))
    return total
