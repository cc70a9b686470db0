"""Read an utterance: the offered number of days, an acceptance, a walk-away. Deterministic, no model call (ours).

One border: everything that bargains reads text through `read`. Figures that are not offers are left out: the other
side's quoted figure ("your 90 days"), days overdue, rejected ones ("not 60 days", "60 days is too long"). Of several
offers the last counts. A sentence with a condition or a question neither accepts nor walks away.
"""

import re

from emodistill.domains.quantities import Quantity
from emodistill.records import Reading

_UNITS = (
    "zero one two three four five six seven eight nine ten eleven twelve thirteen fourteen fifteen sixteen seventeen "
    "eighteen nineteen"
).split()
_TENS = "twenty thirty forty fifty sixty seventy eighty ninety".split()
_WORDS = {**{w: i for i, w in enumerate(_UNITS)}, **{w: 10 * i for i, w in enumerate(_TENS, 2)}, "a": 1, "an": 1}
_DAYS_IN = {"day": 1.0, "week": 7.0, "fortnight": 14.0, "month": 30.0}


def _any(*words: str) -> str:
    """Alternatives, longest first so that none hides a longer one."""
    return "|".join(sorted(words, key=len, reverse=True))


_DIGITS = r"(?<![\d.,])\d{1,4}(?:\.\d+)?(?![\d,])|(?<![\d.,])\d,\d{3}(?![\d,])"
_SMALL = rf"(?:(?:{_any(*_TENS)})(?:[- ](?:{_any(*_UNITS[1:10])})\b)?|{_any(*_UNITS)})"
_HUNDRED = rf"(?:a|{_any(*_UNITS[1:10])}) hundred(?: and)?(?: {_SMALL})?"
_NUMBER = rf"(?:{_DIGITS}|\b{_HUNDRED}|\b{_SMALL}|\bhalf an?\b|\ban?\b)"
_SPAN = re.compile(
    rf"(?P<how>\bbetween |\bfrom )?(?P<low>{_NUMBER})(?:\s*(?P<join>-|–|to|or|and)\s*(?P<high>{_NUMBER}))?"
    r"[\s-]*(?:full |more |business |calendar )?(?P<unit>day|week|fortnight|month)s?\b"
)

_REJECTS_BEFORE = re.compile(
    r"(?:\byour(?: offer| proposal| proposed| request)?(?: of)?"
    r"|\byou (?:want|ask|asked|offer|offered|said|propose|proposed|need)(?: for)?"
    r"|\bnot|\bnever|\bno way|\binstead of|\brather than|\bunable to (?:do|wait|accept)"
    r"|\b(?:cannot|can't|can not|won't|will not) (?:do|wait|accept)"
    r"|\bpast|\boverdue(?: for| by)?|\blate by|\bafter already)\s*(?:for |the |those |these |about |another )*$"
)
_REJECTS_AFTER = re.compile(
    r"^\s*(?:overdue|late|past due|ago|behind"
    r"|(?:is|are) (?:too|far|unacceptable|impossible|out of the question|not)|(?:isn't|aren't)"
    r"|will not|won't|cannot|can't)\b"
)
_ONE_DAY = re.compile(r"^ (?:i|we|you|they|it|this)\b")  # "one day we will …" is no offer

_ACCEPT = re.compile(
    r"\b(?:i|we)(?:'ll| will)? (?:gladly |can |do |happily |hereby )*"
    r"(?:accept\b|agree to (?:that|your|those|this|it)|agree\s*(?:[.!,]|$)|take (?:that|it|your offer))"
    r"|\b(?:it'?s|that'?s|it is|that is) a deal\b|\b(?:we|you) have a deal\b|^\s*(?:ok(?:ay)?,? )?deal\s*(?:[.!,]|$)"
    r"|\b(?:i|we) can live with (?:your|that|those)\b|(?<!not )\baccepted\s*(?:[.!,]|$)|^\s*agreed\b"
)
_WALK = re.compile(
    r"\b(?:i am|i'm|we are|we're) (?:walking away|done (?:here|talking|negotiating)|ending (?:this|these talks))"
    r"|\b(?:i|we)(?:'ll| will)? (?:must |have to )?"
    r"(?:walk away|break off|end (?:this|these|the) (?:talks?|negotiations?|conversation))"
    r"|\b(?:the|this|these|our) (?:talks?|negotiations?|conversation) (?:is|are) over\b"
    r"|\bthere is nothing (?:more|left) to discuss\b"
)
_NEGATED = re.compile(
    r"\b(?:cannot|can't|can not|won't|will not|do not|don't|never|unable to|refuse to|not|before (?:i|we)|could"
    r"|or (?:i|we)(?: will)?|rather than) (?:\w+ ){0,2}(?:accept|agree|take|live|walk|end|break)"
)
_CONDITION = re.compile(r"\b(?:if|unless|provided|as long as|on condition|only when)\b|\?")
_SENTENCE = re.compile(r"[^.!?]*(?:[.!?](?!\s|$)[^.!?]*)*[.!?]*")


def read(utterance: str, quantity: Quantity) -> Reading:
    """What the words do: offer in days (the last one made), acceptance, walk-away. Reads the first 2,000 characters."""
    text = utterance[:2000].lower().replace("’", "'")
    offers = [value for value in (_offer(text, match) for match in _SPAN.finditer(text)) if value is not None]
    plain = [s for s in _SENTENCE.findall(text) if s and not _CONDITION.search(s) and not _NEGATED.search(s)]
    accepts = any(_ACCEPT.search(sentence) for sentence in plain)
    walks = not accepts and any(_WALK.search(sentence) for sentence in plain)
    return Reading(offer=offers[-1] if offers else None, accepts=accepts, walks=walks)


def _offer(text: str, match: re.Match[str]) -> float | None:
    before, after = text[max(0, match.start() - 40) : match.start()], text[match.end() : match.end() + 25]
    if _REJECTS_BEFORE.search(before) or _REJECTS_AFTER.search(after):
        return None
    if match["low"] == "one" and match["unit"] == "day" and _ONE_DAY.search(after):
        return None
    last = _number(match["high"] or match["low"])
    joined = match["high"] is not None and match["how"] != "from " and (match["join"] != "and" or match["how"])
    return (last + _number(match["low"])) / 2 * _DAYS_IN[match["unit"]] if joined else last * _DAYS_IN[match["unit"]]


def _number(text: str) -> float:
    if text[0].isdigit():
        return float(text.replace(",", ""))
    if text.startswith("half"):
        return 0.5
    total = 0.0
    for word in re.split(r"[\s-]+", text):
        if word == "hundred":
            total = max(total, 1.0) * 100
        elif word != "and":
            total += _WORDS[word]
    return total
