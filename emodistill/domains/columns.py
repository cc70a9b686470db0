"""What the columns of a published scenario file hold, and how a cell gives a number (METHOD.md §1, the rest ours)."""

import math
import re
from dataclasses import dataclass
from typing import Literal

Kind = Literal["number", "amount", "clock", "urgency", "yes-no", "text", "quoted"]
_MOST = 100_000  # days or minutes
_SHOWN = 80  # characters of a cell in a message
MISFIT = 100  # more than any repair may cost: such a cell makes the row unreadable


@dataclass(frozen=True, slots=True)
class Column:
    """One column of the header; `optional` if published rows leave it out now and then."""

    name: str
    kind: Kind = "text"
    optional: bool = False

    @property
    def typed(self) -> bool:
        """Its cells are known by their form, so they anchor the text around them."""
        return self.kind not in ("text", "quoted")


_ABSENT = (
    r"n/?a\b.*|not\b.*|none\b.*|var(?:iable|ies)\b.*|unknown\b.*|unspecified\b.*|tbd\b.*|asap\b.*|immediate(?:ly)?\b.*"
    r"|(?:in|un)(?:definite|limited)\w*\b.*|[-–—?]*"
)
# kind -> (cells of the plain form, cells that are meant so, what any other cell costs: beside a repair it is too much)
_FORMS: dict[Kind, tuple[str, str, int]] = {
    "number": (r"[+-]?\d+(?:\.\d+)?(?:e[+-]?\d+)?", r"[+-]?\d{1,3}(?:,\d{3})+(?:\.\d+)?", MISFIT),
    "amount": (r"\d+(?:\.\d+)?", rf"[~≈<>+-]?\s*\d.{{0,30}}|{_ABSENT}", 28),
    "clock": (
        r"\d{1,2}:\d{2}\s*[ap]m",
        rf"[~≈<>]?\s*\d{{1,2}}(?:\b|h|\d\d\b).{{0,30}}|midnight\b.{{0,30}}|{_ABSENT}",
        28,
    ),
    "urgency": (r"high|medium|low", r"(?:very |extremely )?(?:high|medium|low|critical|urgent|emergency)\b.{0,30}", 28),
    "yes-no": (r"yes|no", rf"(?:yes|no|limited|partial\w*)\b.{{0,40}}|{_ABSENT}", 28),
    "text": (r"(?s:[^“].*)", r"", 16),  # what opens a curly quotation belongs to a quoted column
    "quoted": (r"(?s:[\"“].*)", r"", 10),
}
_LONGEST_TYPED = 1000  # characters; longer is no number, time or yes
_MATCH = {
    kind: (re.compile(plain, re.IGNORECASE), re.compile(meant, re.IGNORECASE), other)
    for kind, (plain, meant, other) in _FORMS.items()
}


def misfit(kind: Kind, cell: str) -> int:
    """How little a cell looks like its column: 0 plain, 1 decorated or without a value, else the kind's cost."""
    plain, meant, other = _MATCH[kind]
    words = kind in ("text", "quoted")
    if not words and len(cell) > _LONGEST_TYPED:
        return other
    cell = cell.strip() if words else clean(cell)
    return 0 if plain.fullmatch(cell) else 1 if meant.fullmatch(cell) else other


def clean(cell: str) -> str:
    """The cell's text: outer spaces and a straight quotation around the whole are form, everything else is content."""
    cell = cell.strip()
    inner = cell[1:-1]
    whole = len(cell) > 1 and cell[0] == cell[-1] == '"'
    lone = re.search(r'.?"', inner.replace('""', ""), re.DOTALL)
    if whole and (lone is None or lone[0][0] in " ("):  # else `"a" and "b"`: two quotations, not one
        return inner.replace('""', '"').strip()
    return cell


_MINUTES = {
    **dict.fromkeys(("s", "sec", "secs", "second", "seconds"), 1 / 60),
    **dict.fromkeys(("m", "min", "mins", "minute", "minutes"), 1.0),
    **dict.fromkeys(("h", "hr", "hrs", "hour", "hours"), 60.0),
    **dict.fromkeys(("d", "day", "days"), 1440.0),
    **dict.fromkeys(("w", "wk", "wks", "week", "weeks"), 7 * 1440.0),
    **dict.fromkeys(("mo", "mos", "month", "months"), 30 * 1440.0),
    **dict.fromkeys(("y", "yr", "yrs", "year", "years"), 365 * 1440.0),
}
_NO_VALUE = re.compile(r"\s*(?:n/?a|none)\b", re.IGNORECASE)  # whatever figures its reason holds
_AMOUNT = re.compile(
    r"(?P<figure>\d{1,3}(?:[,\s]\d{3})+(?!\d)(?:\.\d+)?|\d+(?:\.\d+)?)(?:\s*(?:[-–—/]|to|or)\s*\d+(?:\.\d+)?)?"
    r"[\s+-]*(?P<word>[a-z]*)\.?(?:,?\s*(?:and\s*)?(?P<more>\d+)\s*(?P<less>[a-z]*))?"
)


def amount(cell: str, unit: Literal["minutes", "days"], default: float) -> tuple[float, bool]:
    """The cell's first amount in `unit` ("90+", "~60", "1 to 2 hours", "1h 30m"), and whether the default stands in.

    ValueError for a number that is no length of time which people bargain over.
    """
    found = _AMOUNT.search(cell.lower())
    if found is None or _NO_VALUE.match(cell):
        return default, True
    first = _MINUTES.get(found["word"], _MINUTES[unit])
    minutes = float(re.sub(r"[,\s]", "", found["figure"])) * first
    second = _MINUTES.get(found["less"] or ("m" if first == _MINUTES["h"] else ""), first) if found["more"] else first
    if found["word"] in _MINUTES and second < first:
        minutes += float(found["more"]) * second
    value = minutes / _MINUTES[unit]
    if value >= _MOST:
        raise ValueError(f"{cell[:_SHOWN]!r} is no number of {unit}")
    return value, False


_CLOCK = re.compile(
    r"\b(?P<midnight>midnight)\b|(?<!\d)(?P<hour>\d{1,2})(?:[:.h]?(?P<minute>\d{2}))?(?!\d)"
    r"(?:\s*(?P<half>[ap])\.?\s?m\b|(?!\s*(?:h|hours?|hrs?|minutes?|mins?)\b))",
    re.IGNORECASE,
)


def past_nine(cell: str, default: float | None = None) -> tuple[float, bool]:
    """A bedtime in minutes past 9 PM, negative before it, and whether the default stands in for it.

    A time in the morning is of the next day. Without AM or PM, 6 to 11 is in the evening and 1 to 5 after midnight.
    Raises ValueError for a cell without a time if there is no default.
    """
    found = None if _NO_VALUE.match(cell) else _CLOCK.search(cell)
    if found is None:
        if default is None:
            raise ValueError(f"{cell[:_SHOWN]!r} holds no clock time")
        return default, True
    hour, minute = int(found["hour"] or 24), int(found["minute"] or 0)
    if found["half"]:
        possible, hour = 1 <= hour <= 12, hour % 12 + 12 * (found["half"] in "pP")
    else:
        possible, hour = hour <= 24, hour % 12 + 12 * (6 <= hour < 12) if hour <= 12 else hour
    if not possible or minute > 59:
        raise ValueError(f"{cell[:_SHOWN]!r} is no clock time")
    return float(60 * (hour + 24 * (hour < 12) - 21) + minute), False


def days(cell: str, column: str) -> float:
    """A target in days; ValueError unless it is a number above 0."""
    try:
        value = float(cell.replace(",", ""))
    except ValueError:
        value = math.nan
    if not 0 < value < _MOST:
        raise ValueError(f"{column} is {cell[:_SHOWN]!r}, not a number of days")
    return value
