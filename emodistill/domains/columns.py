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


_ABSENT = r"n/?a\b.*|not\b.*|none\b.*|var(?:iable|ies)\b.*|unknown\b.*|unspecified\b.*|tbd\b.*|[-–—?]*"
# kind -> (cells of the plain form, cells that are meant so, what any other cell costs: beside a repair it is too much)
_FORMS: dict[Kind, tuple[str, str, int]] = {
    "number": (r"[+-]?\d+(?:\.\d+)?(?:e[+-]?\d+)?", r"[+-]?\d{1,3}(?:,\d{3})+(?:\.\d+)?", MISFIT),
    "amount": (r"\d+(?:\.\d+)?", rf"[~≈<>+-]?\s*\d.{{0,30}}|{_ABSENT}", 28),
    "clock": (r"\d{1,2}:\d{2}\s*[ap]m", rf"[~≈<>]?\s*\d{{1,2}}\b.{{0,30}}|{_ABSENT}", 28),
    "urgency": (r"high|medium|low", r"(?:very |extremely )?(?:high|medium|low|critical|urgent|emergency)\b.{0,30}", 28),
    "yes-no": (r"yes|no", rf"(?:yes|no|limited|partial\w*)\b.{{0,40}}|{_ABSENT}", 28),
    "text": (r"(?s:[^“].*)", r"", 16),  # what opens a curly quotation belongs to a quoted column
    "quoted": (r"(?s:[\"“].*)", r"", 10),
}
_MATCH = {
    kind: (re.compile(plain, re.IGNORECASE), re.compile(meant, re.IGNORECASE), other)
    for kind, (plain, meant, other) in _FORMS.items()
}


def misfit(kind: Kind, cell: str) -> int:
    """How little a cell looks like its column: 0 plain, 1 decorated or without a value, else the kind's cost."""
    plain, meant, other = _MATCH[kind]
    cell = cell.strip() if kind in ("text", "quoted") else clean(cell)
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


_IN_MINUTES = {"h": 60.0, "hr": 60.0, "hrs": 60.0, "hour": 60.0, "hours": 60.0, "day": 1440.0, "days": 1440.0}
_IN_DAYS = {"hour": 1 / 24, "hours": 1 / 24, "week": 7.0, "weeks": 7.0, "month": 30.0, "months": 30.0}
_AMOUNT = re.compile(
    r"(?P<figure>\d{1,3}(?:,\d{3})+(?:\.\d+)?|\d+(?:\.\d+)?)\s*(?:[-–]\s*\d+(?:\.\d+)?)?[\s+-]*(?P<word>[a-z]*)"
)


def amount(cell: str, unit: Literal["minutes", "days"], default: float) -> tuple[float, bool]:
    """The first number of the cell in `unit` ("90+", "~60", "1.5 hours"), and whether the default stands in for it.

    ValueError for a number that is no length of time which people bargain over.
    """
    found = _AMOUNT.search(cell.lower())
    if found is None:
        return default, True
    scale = (_IN_MINUTES if unit == "minutes" else _IN_DAYS).get(found["word"], 1.0)
    value = float(found["figure"].replace(",", "")) * scale
    if value >= _MOST:
        raise ValueError(f"{cell[:_SHOWN]!r} is no number of {unit}")
    return value, False


_CLOCK = re.compile(r"(?P<hour>\d{1,2})(?::(?P<minute>\d{2}))?(?:\s*(?P<half>[ap])\.?m\b)?", re.IGNORECASE)


def past_nine(cell: str, default: float | None = None) -> tuple[float, bool]:
    """A bedtime in minutes past 9 PM, negative before it, and whether the default stands in for it.

    A time in the morning is of the next day. Without AM or PM, 6 to 11 is in the evening and 1 to 5 after midnight.
    Raises ValueError for a cell without a time if there is no default.
    """
    found = _CLOCK.search(cell)
    if found is None:
        if default is None:
            raise ValueError(f"{cell[:_SHOWN]!r} holds no clock time")
        return default, True
    hour, minute = int(found["hour"]), int(found["minute"] or 0)
    if found["half"]:
        possible, hour = 1 <= hour <= 12, hour % 12 + 12 * (found["half"] in "pP")
    else:
        possible, hour = hour <= 23, hour % 12 + 12 * (6 <= hour < 12) if hour <= 12 else hour
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
