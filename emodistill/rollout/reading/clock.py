"""Times of day: `10:45 pm`, `22:45`, `quarter past eleven`, `ten to midnight`, `half an hour after nine`.

A negotiable time lies between 3 hours before the clock's origin and 8 hours after it (6 PM to 5 AM for 9 PM). A time
without AM or PM is the one of its two readings that lies there.
"""

import re

from emodistill.domains.quantities import Clock, Duration
from emodistill.rollout.reading.amounts import AMOUNT, amount
from emodistill.rollout.reading.numbers import SMALL, TENS, any_of, number
from emodistill.rollout.reading.wording import group

BEFORE, AFTER = 3 * 60, 8 * 60  # minutes around the origin that can be bargained over
_DAY, _NOON = 24 * 60, 12 * 60

_HOUR = any_of(*SMALL[1:13])
_TENS = any_of(*TENS[:4])
_MINUTE = rf"(?:(?:oh|o)[ -]{any_of(*SMALL[1:10])}|{_TENS}(?:[- ]{any_of(*SMALL[1:10])})?|{any_of(*SMALL[10:])})"
_PART = group("""
    in the (?:early )?(?:morning|evening|afternoon)|at night|tonight|tomorrow (?:morning|night|evening)|this evening
""")
_MERIDIEM = r"(?: ?[ap]m\b)"
_TAIL = rf"(?: ?o'?clock)?{_MERIDIEM}?(?:,? {_PART})?"
_HH = r"(?<![\w.,:])(?:2[0-4]|1\d|0?\d)"
_MM = r"(?:[:.]|h(?=\d))[0-5]\d(?![\d.]*\d)(?! ?%)"
_MILITARY = (  # 2245, 2030 hrs; but no year, and no `1200 words`
    r"(?<![\w.,:#])(?=[012]\d{3})(?:(?:2[0-3]|[01]\d)[0-5]\d(?= ?h(?:ou)?rs?\b)"
    r"|(?:2[1-3]|1[0-2]|0[0-4])[0-5]\d(?= ?(?:$|[.,!?;)]|- |(?:and|or|then|tonight|works|is|for|at) )))"
)
_WORDS = rf"\b{_HOUR}(?:[ -]{_MINUTE})?\b"
_TIME = rf"(?:midnight|noon|midday|(?:{_HH}(?:{_MM})?|{_WORDS})(?:-?ish)?{_TAIL})"
_CLEAR = (
    group(rf"""
    \b(?:midnight|noon|midday)\b|{_HH}{_MM}|{_MILITARY}
    {_HH} [0-5]\d ?[ap]m\b|\b{_HOUR}[ -]{_MINUTE}\b|(?:{_HH}|\b{_HOUR})-?ish\b
    (?:{_HH}(?:{_MM})?|{_WORDS})(?:-?ish)?(?: ?o'?clock|{_MERIDIEM}|,? {_PART})
""")
    + _TAIL
)
_LATER = r"(?:past|after|later than|beyond)"
_EARLIER = r"(?:to|till|until|before|earlier than|of)"
_OFFSETS = r"(?:an? quarter|quarter|half|\b(?:five|ten|twenty(?:[- ]five)?)|\b(?:1[3-9]|[2-5]\d)(?! ?[ap]m))"
TIME = group(rf"""
    (?<!not )(?<!even )(?:an? quarter|quarter|half|\b{_MINUTE}|\b\d{{1,2}}|\bfive|{AMOUNT}) \
        {_LATER} (?:about )?{_TIME}
    (?<!from )(?<!between )(?:{_OFFSETS}|{AMOUNT}) {_EARLIER} {_TIME}
    \bhalf (?:{_HOUR}|(?:1[0-2]|[1-9]))\b(?! ?(?:hours?|minutes?|of|an?)\b){_TAIL}
    {_CLEAR}
""")
"""Everything that is clearly a time of day."""
_RELATIVE = re.compile(rf"^(?P<by>.+?) (?P<way>{_LATER}|{_EARLIER}) (?:about )?(?P<time>{_TIME})$")
_READ = re.compile(
    rf"^(?:(?P<name>midnight|noon|midday)|(?P<hour>\d{{1,2}}|{_HOUR})"
    rf"(?:(?:[:.h ]|(?<=\d\d))(?P<digits>[0-5]\d)|[ -](?P<minute>{_MINUTE}))?)"
    rf"(?:-?ish)?(?: ?o'?clock)?(?: ?(?P<meridiem>[ap])m)?(?:,? (?P<part>{_PART}))?"
)
_AMOUNT = re.compile(AMOUNT)


def value(said: str, clock: Clock) -> float | None:
    """Minutes past the origin of a text that `TIME` matches; None outside the negotiable hours."""
    if said.startswith("half ") and not _RELATIVE.match(said):
        start = _minute_of_day(said[5:], clock)
        return None if start is None else _past(start + 30, clock)
    relative = _RELATIVE.match(said)
    if relative is None:
        start = _minute_of_day(said, clock)
        return None if start is None else _past(start, clock)
    start, offset = _minute_of_day(relative["time"], clock), _offset(relative["by"])
    if start is None or offset is None:
        return None
    return _past(start + (offset if re.match(_LATER, relative["way"]) else -offset), clock)


def bare_hour(said: str, clock: Clock) -> float | None:
    """Minutes past the origin of a number alone, if it can be an hour: 1 to 12."""
    hour = number(said)
    return _negotiable(hour * 60, clock) if hour in range(1, 13) else None


def _past(minute: float, clock: Clock) -> float | None:
    """Minutes past the origin of a minute of the day, in the negotiable hours."""
    past = (minute - clock.origin * 60 + BEFORE) % _DAY
    return past - BEFORE if past <= BEFORE + AFTER else None


def _negotiable(minute: float, clock: Clock) -> float | None:
    """Minutes past the origin of a time on a twelve-hour dial."""
    reading = _past(minute, clock)
    return reading if reading is not None else _past(minute + _NOON, clock)


def _minute_of_day(said: str, clock: Clock) -> float | None:
    found = _READ.match(said)
    if found is None:
        return None
    if found["name"]:
        return 0.0 if found["name"] == "midnight" else float(_NOON)
    hour = int(found["hour"]) if found["hour"].isdigit() else int(number(found["hour"]))
    words = (found["minute"] or "zero").removeprefix("oh").removeprefix("o ").removeprefix("o-").strip(" -")
    minute = hour * 60 + (float(found["digits"]) if found["digits"] else number(words))
    half = found["meridiem"] or _half_of_day(found["part"], hour)
    if half:
        return minute % _NOON + (_NOON if half == "p" else 0) if hour <= 12 else minute
    if hour > 12 or hour == 0 or found["hour"].startswith("0"):
        return minute
    past = _negotiable(minute, clock)
    return None if past is None else past + clock.origin * 60


def _half_of_day(part: str | None, hour: int) -> str | None:
    if part is None:
        return None
    if "morning" in part:
        return "a"
    return "a" if "night" in part and (hour == 12 or hour < 6) else "p"


def _offset(by: str) -> float | None:
    """Minutes in `half`, `a quarter`, `ten`, `45 minutes`, `an hour and a half`."""
    if by in ("half", "quarter", "a quarter"):
        return 30.0 if by == "half" else 15.0
    return amount(by, Duration("minutes"))[0] if _AMOUNT.fullmatch(by) else number(by)
