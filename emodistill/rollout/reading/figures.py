"""The figures of a sentence, in place: amounts and times of the domain's kind, bare numbers, and all others."""

import re
from dataclasses import replace

from emodistill.domains.quantities import Clock, Duration, Quantity
from emodistill.rollout.reading import clock
from emodistill.rollout.reading.amounts import AMOUNT, ONE, amount, is_idiom
from emodistill.rollout.reading.numbers import NUMBER, number
from emodistill.rollout.reading.ranges import joined
from emodistill.rollout.reading.skeleton import Figure
from emodistill.rollout.reading.wording import group, wording

MOST = 24  # figures of one sentence that are looked at; more is no bargaining

_MONEY = group(r"""
    [$€£¥₹] ?\d+(?:[,.]\d+)*(?: ?(?:k|m|million|billion|thousand|grand)\b)?|\b(?:usd|eur|gbp) ?\d+(?:[,.]\d+)*
""")
_MONEY_UNIT = group(r"""
    usd|dollars?|euros?|eur|gbp|pounds?|bucks?|cents?|grand|k\b|%|percent|per ?cent|percentage
    million|thousand|billion|m\b
""")
_MONTH = (
    "january|february|march|april|may|june|july|august|september|october|november|december"
    "|jan|feb|mar|apr|jun|jul|aug|sept?|oct|nov|dec"
)
_OTHER = group(rf"""
    (?:{NUMBER}|\d[\d,.]*)(?: and a half)?[ -]?{_MONEY_UNIT}
    (?:{NUMBER}|\b(?:half )?an?)[ -](?:years?|decades?|centur|semesters?|nights?|year-olds?)\b
    \b(?:{_MONTH})\.? \d{{1,2}}\b|\b\d{{1,2}} (?:of )?(?:{_MONTH})\b
    \b\d{{3}}-\d{{4}}\b|\d+(?:[/:-]\d+){{2,}}|\d+ (?:over|out of) \d+
    \d+[/:]\d+(?: ?[ap]m)?|\d+ ?[ap]m\b|№ ?\d+|\d+(?:st|nd|rd|th)\b
    \b[a-z]+-?\d[\w-]*|\d[\d,.]*[a-z]+\w*|\d[\d.,]{{3,}}\d
""")


def _scan(**kinds: str) -> re.Pattern[str]:
    return re.compile("|".join(f"(?P<{kind}>{form})" for kind, form in kinds.items()))


_SCAN = {
    Duration: _scan(money=_MONEY, amount=AMOUNT, other=_OTHER, bare=NUMBER),
    Clock: _scan(money=_MONEY, time=clock.TIME, amount=AMOUNT, other=_OTHER, bare=NUMBER),
}
_ANY = wording(rf"[\d$€£¥₹]|\b(?:half|couple|midnight|noon|midday|quarters?|{NUMBER}|{ONE})")


def figures(text: str, quantity: Quantity) -> list[Figure]:
    """The figures of a plain sentence from left to right, with ranges and compounds joined."""
    if not _ANY.search(text):
        return []
    found: list[Figure] = []
    for match in _SCAN[type(quantity)].finditer(text):
        figure = _figure(text, match, quantity)
        found[-1:] = (joined(text, found[-1], figure) if found else None) or [*found[-1:], figure]
        if len(found) > MOST:
            break
    said = None
    for place, figure in enumerate(found):
        found[place] = in_unit_of(said, figure)
        said = said if figure.unit is None else figure
    return found


def in_unit_of(said: Figure | None, figure: Figure) -> Figure:
    """A bare number in the unit said before it, `2 weeks, or 3`, unless that more than doubles what was said."""
    if said is None or said.unit is None or said.unit <= 1 or figure.unit is not None or figure.value is None:
        return figure
    value = figure.value * said.unit
    return replace(figure, value=value) if value <= 2 * (said.value or 0.0) else figure


def _figure(text: str, match: re.Match[str], quantity: Quantity) -> Figure:
    kind, said = match.lastgroup, match[0]
    value, unit = None, None
    if kind == "bare":
        value = clock.bare_hour(said, quantity) if isinstance(quantity, Clock) else number(said) or None
    elif kind == "time" and isinstance(quantity, Clock):
        value, unit = clock.value(said, quantity), 1.0
    elif kind == "amount" and isinstance(quantity, Duration) and not is_idiom(text, *match.span()):
        value, unit = amount(said, quantity)
    return Figure(*match.span(), value, unit)
