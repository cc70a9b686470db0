"""Two figures that belong together: compounds (`1 hour 30`), ranges (their midpoint), and moves from one to another."""

import re
from dataclasses import replace

from emodistill.rollout.reading.skeleton import Figure
from emodistill.rollout.reading.wording import wording

_TO = re.compile(r"^ ?(?:-|to|or|through|and|or maybe|or perhaps|or even|,? possibly) ?(?:about |maybe )?$")
_FROM = re.compile(r"\bfrom (?:about |around |the |my |our )*(?:[^,;]{1,20} to )?$")
_BETWEEN = re.compile(r"\bbetween (?:about |around )?$")
_SPREAD = wording(
    r"any(?:thing|where|time)|some(?:thing|where|time)|rang\w+|vary|varies|is|be|tak\w+|runs?|last\w*|scale",
    r"\b",
    r" (?:\w+ )?from (?:about |around )?$",
)  # all other `from … to …` are moves
_IN_HOURS = re.compile(r"(?:h|hours?|hrs?)$")
_NO_NOUN = re.compile(r" ?(?:[.,!?;)]|$|min|(?:and|if|but|or) )")


def joined(text: str, left: Figure, right: Figure) -> list[Figure] | None:
    """The two as one compound, one range, or a move from one to the other; None if they have nothing to do."""
    gap, before = text[left.end : right.start], text[max(0, left.start - 60) : left.start]
    if left.value is None or len(gap) > 24:
        return None
    if right.value is None:  # 8 to 10 hours of sleep
        return [replace(right, start=left.start)] if left.unit is None and _TO.match(gap) else None
    compound = _compound(text, left, right, gap)
    return [compound] if compound else _range(left, right, gap, before)


def _range(left: Figure, right: Figure, gap: str, before: str) -> list[Figure] | None:
    link = gap.strip()
    low, high, unit = left.value or 0.0, right.value or 0.0, right.unit
    if left.unit is None and right.unit is not None:
        low *= right.unit
    if right.unit is None and left.unit is not None and link in ("or", "-", "to"):
        high, unit = high * left.unit, left.unit
    if link == "to" and _FROM.search(before) and not _SPREAD.search(before):
        return [replace(left, value=low, unit=unit, former=True), replace(right, value=high, unit=unit)]
    if not _TO.match(gap) or (link == "and" and not _BETWEEN.search(before)):
        return None
    if link.startswith("or") and left.unit is not None and right.unit is not None:
        return None
    if unit is None and gap == "-" and low >= high:
        return None  # 555-0123
    return [Figure(left.start, right.end, (low + high) / 2, unit)]


def _compound(text: str, left: Figure, right: Figure, gap: str) -> Figure | None:
    """`two weeks and three days`, `1 hour 30`."""
    if (
        left.value is None
        or right.value is None
        or left.unit is None
        or gap.strip(", ") not in ("", "and", "plus", "+", "&")
    ):
        return None
    if _BETWEEN.search(text[max(0, left.start - 20) : left.start]):
        return None
    more = right.value
    if right.unit is None:
        if not (_IN_HOURS.search(text[left.start : left.end]) and more < 60 and _NO_NOUN.match(text[right.end :][:5])):
            return None
        more *= left.unit / 60
    elif right.unit >= left.unit or more >= left.unit:
        return None
    return Figure(left.start, right.end, left.value + more, left.unit)
