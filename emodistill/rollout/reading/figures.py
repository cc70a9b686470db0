"""The figures of a sentence, in place, and the sentence as a skeleton in which each figure is one mark.

Marks: `#` an amount or a time of the domain's kind, `~` a bare number, `¤` a figure that cannot be an offer (money,
percentages, dates, another kind of time). The rules about wording then read `your #`, `not # but #`, `# is too long`.
"""

import re
from dataclasses import dataclass, replace

from emodistill.domains.quantities import Clock, Duration, Quantity
from emodistill.rollout.reading import clock
from emodistill.rollout.reading.numbers import NUMBER, any_of, number

MOST = 24  # figures of one sentence that are looked at; more is no bargaining

_MINUTES = {
    **dict.fromkeys(("second", "sec"), 1 / 60),
    **dict.fromkeys(("minute", "min"), 1.0),
    **dict.fromkeys(("hour", "hr", "h"), 60.0),
    **dict.fromkeys(("day", "d"), 1440.0),
    **dict.fromkeys(("week", "wk"), 7 * 1440.0),
    **dict.fromkeys(("fortnight",), 14 * 1440.0),
    **dict.fromkeys(("month",), 30 * 1440.0),
}
_BETWEEN = (
    r"(?:(?:full|more|business|calendar|working|banking|additional|extra|further|short|long|whole|solid|consecutive|other"
    r"|entire|straight|mere|lousy|measly|good|precious)[ -])*"
)
_UNIT = r"(?:seconds?|secs?|minutes?|mins?|hours?|hrs?|h(?=\d|\b)|days?|(?<=\d)d\b|weeks?|wks?|fortnights?|months?)(?![a-z])"
_HALVES = r"\b(?:half[ -]an?|an? half|half|(?:(?:an?|one|three|3)[ -])?quarters?(?: of an?)?)\b"
_COUNT = (
    rf"(?:{NUMBER}(?: ?\( ?{NUMBER} ?\))?(?:(?: and)? a (?:half|quarter)| and an half)?"
    rf"|\b(?:an?|one) and a half|{_HALVES}|\b(?:a )?couple(?: of)?\b|\ban?(?: single)?\b)"
)
AMOUNT = rf"(?:(?<![\w.,])\d{{1,2}} ?h ?[0-5]\d\b(?: ?min(?:ute)?s?\b)?|{_COUNT}[ -]?{_BETWEEN}{_UNIT}(?: and a (?:half|quarter)\b)?|\b(?:day|minute|week|hour) \d{{1,3}}\b)"
_PARTS = re.compile(rf"({_COUNT})[ -]?{_BETWEEN}({_UNIT})( and a half| and a quarter)?|(\w+) (\d+)")

_MONEY_UNIT = (
    r"(?:usd|dollars?|euros?|eur|gbp|pounds?|bucks?|cents?|grand|k\b|%|percent|per ?cent|percentage|million|thousand"
    r"|billion|m\b)"
)
_MONEY = rf"[$€£¥₹][ ]?\d[\d,.]*(?: ?(?:k|m|million|billion|thousand|grand)\b)?|\b(?:usd|eur|gbp) ?\d[\d,.]*"
_OTHER = (
    rf"(?:{NUMBER}|\d[\d,.]*)(?: and a half)?[ -]?{_MONEY_UNIT}"
    rf"|(?:{NUMBER}|\b(?:half )?an?)[ -](?:years?|decades?|centur|semesters?|nights?|year-olds?)\b"
    r"|\d+(?:[/:-]\d+){2,}|\d+ (?:over|out of) \d+|\d+[/:]\d+(?: ?[ap]m)?|\d+ ?[ap]m\b|№ ?\d+|\d+(?:st|nd|rd|th)\b|\b[a-z]+-?\d[\w-]*|\d[\d,.]*[a-z]+\w*"
    r"|\d[\d.,]{4,}"
)
_SCAN = {
    kind: re.compile(
        "|".join(f"(?P<{name}>{form})" for name, form in forms)
    )
    for kind, forms in (
        (Duration, (("money", _MONEY), ("amount", AMOUNT), ("other", _OTHER), ("bare", NUMBER))),
        (Clock, (("money", _MONEY), ("time", clock.time_form(AMOUNT)), ("amount", AMOUNT), ("other", _OTHER), ("bare", NUMBER))),
    )
}
_ANY_FIGURE = re.compile(
    rf"[\d$€£¥₹]|\b(?:{any_of('half', 'couple', 'midnight', 'noon', 'midday', 'quarter')}|{NUMBER}|an? (?:single )?{_BETWEEN}{_UNIT})"
)


@dataclass(frozen=True, slots=True)
class Figure:
    """One figure at text[start:end]. `value` is in the domain's unit, None if it cannot be an offer."""

    start: int
    end: int
    value: float | None
    unit: float | None  # what its unit is worth in the domain's unit; None for a bare number
    former: bool = False  # the first of two in `from 60 down to 45`
    word: bool = False  # a bare number in words

    @property
    def mark(self) -> str:
        """Its place holder in the skeleton."""
        return "¤" if self.value is None else "~" if self.unit is None else "#"


def figures(text: str, quantity: Quantity) -> list[Figure]:
    """The figures of a sentence from left to right, with ranges and compounds joined."""
    if not _ANY_FIGURE.search(text):
        return []
    found: list[Figure] = []
    for match in _SCAN[type(quantity)].finditer(text):
        figure = _figure(text, match, quantity)
        joined = _joined(text, found[-1], figure) if found else None
        if joined:
            found[-1:] = joined
        else:
            found.append(figure)
        if len(found) > MOST:
            break
    return found


def skeleton(text: str, found: list[Figure]) -> tuple[str, list[int]]:
    """The sentence with one mark for each figure, and where the marks are."""
    pieces, places, last, length = [], [], 0, 0
    for figure in found:
        pieces += (text[last : figure.start], figure.mark)
        length += figure.start - last
        places.append(length)
        length, last = length + 1, figure.end
    return "".join((*pieces, text[last:])), places


def _figure(text: str, match: re.Match[str], quantity: Quantity) -> Figure:
    kind, said = match.lastgroup, match[0]
    value, unit = None, None
    if kind == "bare":
        value = clock.bare_hour(said, quantity) if isinstance(quantity, Clock) else number(said) or None
    elif kind == "time" and isinstance(quantity, Clock):
        value, unit = clock.value(said, quantity), 1.0
    elif kind == "amount" and isinstance(quantity, Duration) and not _idiom(text, match):
        value, unit = _amount(said, quantity)
    return Figure(*match.span(), value, unit, word=not said[0].isdigit())


def _amount(said: str, quantity: Duration) -> tuple[float | None, float]:
    hours, _, minutes = said.partition("h") if said[0].isdigit() else ("", "", "")
    if minutes[:3].strip()[:2].isdigit():  # 1h30
        return (float(hours) + float(minutes.strip()[:2]) / 60) * 60 / _MINUTES[quantity.unit.removesuffix("s")], 1.0
    parts = _PARTS.match(said)
    assert parts is not None
    count, name, more, ordinal_unit, ordinal = parts.groups()
    name = (name or ordinal_unit).removesuffix("s") if (name or ordinal_unit) != "s" else "s"
    unit = _MINUTES[name] / _MINUTES[quantity.unit.removesuffix("s")]
    count = re.sub(r" ?\(.*\)", "", count) if count else ordinal
    many = number(count.strip()) + {" and a half": 0.5, " and a quarter": 0.25}.get(more or "", 0.0)
    fits = 1 / 60 - 1e-9 <= unit <= 60 and (unit >= 1 or many * unit >= 1 - 1e-9 or quantity.unit == "minutes")
    return (many * unit if fits else None), unit


_RATE = re.compile(r"(?:[¤$€£\d]|\b(?:times?|once|twice|hours?|minutes?|days?|dollars?|euros?|bucks|payments?|nights?|shifts?|salary|wages?|installments?|percent|usd)|(?:\d|\b(?:two|three|four|five|six|ten|many|few|several))(?: [a-z]+){1,3}) ?$")
_IDIOM_UNIT = re.compile(r"^(?:an?|one)(?: \w+)? (?:day|minute|second|sec|min|moment)$")
_REAL_USE = re.compile(r"\b(?:in|within|for|than|least|most) $")


def _idiom(text: str, match: re.Match[str]) -> bool:
    """`$200 a month`, `a week's pay`, `give me a minute`, `one day we will`."""
    said = match[0]
    if text.startswith((" or two", " or three"), match.end()):
        return False
    if not said.startswith(("a ", "an ", "one ")) or " and " in said or "hundred" in said or "dozen" in said:
        return False
    before = text[max(0, match.start() - 40) : match.start()]
    if said.startswith(("a ", "an ")) and "couple" not in said and _RATE.search(before):
        return True
    if text.startswith(("'s ", "s' "), match.end()) and not text.startswith(("'s time", "s' time"), match.end()):
        return True
    return _IDIOM_UNIT.match(said) is not None and not _REAL_USE.search(before)


_TO = re.compile(r"^ ?(?:-|to|or|through|and|or maybe|or perhaps|or even|,? possibly) ?(?:about |maybe )?$")
_MOVED = re.compile(r"^,? ?(?:(?:all the way )?(?:down|up|back|over)(?: again)? to|all the way to|and now|to now|now to) $")
_FROM = re.compile(r"\bfrom (?:about |around |the |my |our )*$")
_BETWEEN_AND = re.compile(r"\bbetween (?:about |around )?$")
_MOVEMENT = re.compile(
    r"\b(?:c[ao]me|coming|go|going|went|gone|mov\w+|cut\w*|reduc\w+|drop\w*|lower\w*|rais\w+|exten\w+|shift\w*|slid\w*"
    r"|bring|brought|improv\w+|trim\w*|short\w+|adjust\w*|revis\w+|chang\w+|conced\w+|step\w*|climb\w*|push\w*|pull\w*"
    r"|shav\w+|squeez\w+|stretch\w*|down|up)\b"
)


def _joined(text: str, left: Figure, right: Figure) -> list[Figure] | None:
    """The two as one compound, one range, or a move from the one to the other; None if they have nothing to do."""
    gap, before = text[left.end : right.start], text[max(0, left.start - 60) : left.start]
    if left.value is None or len(gap) > 24:
        return None
    if right.value is None:  # 8 to 10 hours of sleep
        return [replace(right, start=left.start)] if left.unit is None and _TO.match(gap) else None
    compound = _compound(text, left, right, gap)
    if compound is not None:
        return [compound]
    low, unit = left.value, right.unit
    if left.unit is None and right.unit is not None:
        low *= right.unit
    high = right.value
    if right.unit is None and left.unit is not None and gap.strip() in ("or", "-", "to"):
        high, unit = right.value * left.unit, left.unit
    leaving = _FROM.search(before) is not None
    if _MOVED.match(gap) or (leaving and gap.strip() == "to" and _MOVEMENT.search(before)):
        return [replace(left, value=low, unit=unit, former=True), replace(right, value=high, unit=unit)]
    if not _TO.match(gap) or (gap.strip() == "and" and not _BETWEEN_AND.search(before)):
        return None
    if gap.strip().startswith("or") and left.unit is not None and right.unit is not None:
        return None
    if left.unit is None and right.unit is None and gap == "-" and low >= high:
        return None  # 555-0123
    return [Figure(left.start, right.end, (low + high) / 2, unit, word=left.word)]


def _compound(text: str, left: Figure, right: Figure, gap: str) -> Figure | None:
    """`two weeks and three days`, `1 hour 30`, `1h30`."""
    if left.unit is None or gap.strip(", ") not in ("", "and", "plus"):
        return None
    unit = right.unit
    if unit is None and left.unit in (1.0, 60.0) and right.value < 60 and re.search(r"(?:h|hours?|hrs?)$", text[left.start : left.end]):
        minute = left.unit / 60
        if re.match(r" ?(?:[.,!?;)]|$|min|and |if |but |or )", text[right.end : right.end + 5]):
            return Figure(left.start, right.end, left.value + right.value * minute, left.unit)
    if unit is None or unit >= left.unit or right.value >= left.unit:
        return None
    return Figure(left.start, right.end, left.value + right.value, left.unit)
