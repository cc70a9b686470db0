"""Amounts of time: `45 days`, `an hour and a half`, `1h30`, `a couple of weeks`, `thirty (30) days`, `day 40`."""

import re

from emodistill.domains.quantities import Duration
from emodistill.rollout.reading.numbers import NUMBER, number
from emodistill.rollout.reading.wording import group, wording

_MINUTES = {
    **dict.fromkeys(("second", "sec"), 1 / 60),
    **dict.fromkeys(("minute", "min"), 1.0),
    **dict.fromkeys(("hour", "hr", "h"), 60.0),
    **dict.fromkeys(("day", "d"), 1440.0),
    **dict.fromkeys(("week", "wk"), 7 * 1440.0),
    "fortnight": 14 * 1440.0,
    "month": 30 * 1440.0,
}
_NEXT_UNIT = 60.0  # units further apart than this are another kind of time: minutes where days are bargained over
_KIND = group("""
    full|more|business|calendar|working|banking|additional|extra|further|short|long|whole|solid|consecutive|other
    entire|straight
    mere|lousy|measly|good|precious
""")
_UNIT = (
    group(r"""
    seconds?|secs?|minutes?|mins?|hours?|hrs?|h(?=\d|\b)|days?|(?<=\d)d\b|(?<=\d )d\b|weeks?|wks?|fortnights?|months?
""")
    + "(?![a-z])"
)
_HALVES = r"\b(?:half[ -]an?|an? half|half|(?:(?:an?|one|three|3)[ -])?quarters?(?: of an?)?)\b"
_COUNT = group(rf"""
    {NUMBER}(?: ?\( ?{NUMBER} ?\))?(?:(?: and)? a (?:half|quarter))?
    \b(?:an?|one) and a half|{_HALVES}|\b(?:a )?couple(?: of)?\b|\b(?:an?|another)(?: single)?\b
""")
_SPAN = rf"[ -]?(?:{_KIND}[ -])*{_UNIT}"
AMOUNT = group(rf"""
    (?<![\w.,])\d{{1,2}} ?h ?[0-5]\d(?: ?m(?:in(?:ute)?s?)?)?\b
    (?=[hwm])(?:^|(?<=[,:;.] ))(?:hours?|weeks?|months?) and a (?:half|quarter)\b
    {_COUNT}{_SPAN}(?: and a (?:half|quarter)\b)?
    \b(?:day|minute|week|hour) \d{{1,3}}\b
""")
ONE = rf"(?:an?|another) (?:single )?{_SPAN}"
_HOURS_MINUTES = re.compile(r"(\d+) ?h ?(\d\d)")
_DAY_COUNT = re.compile(r"([a-z]+) (\d+)$")
_COUNTED = re.compile(rf"({_COUNT})[ -]?(?:{_KIND}[ -])*({_UNIT})( and a half| and a quarter)?")
_RATE = wording(
    r"""
    [¤$€£\d]|\b(?:times?|once|twice|hours?|minutes?|days?|dollars?|euros?|bucks|payments?|nights?|shifts?|salary|wages?)
    \b(?:installments?|percent|usd)|(?:\d|\b(?:two|three|four|five|six|ten|many|few|several))(?: [a-z]+){1,3}
""",
    tail=" ?$",
)
_FARTHER = re.compile(r" (?:more|less|fewer|longer|extra|earlier|later|sooner|faster) ")
_COMPARED = re.compile(r"(?: \w+)? than (?:you|that|this|what|your|my|i|we|it|usual|planned|last|before)\b")
_IDIOM = re.compile(r"^(?:an?|one|another)(?: \w+)? (?:day|minute|second|sec|min)$")
_REAL = re.compile(r"\b(?:in|within|for|than|least|most) $")


def amount(said: str, quantity: Duration) -> tuple[float | None, float]:
    """Value in the quantity's unit and what the unit is worth in it; no value for a kind of time not bargained over."""
    one = _MINUTES[quantity.unit.removesuffix("s")]
    clock = _HOURS_MINUTES.match(said)
    if clock:
        return (int(clock[1]) * 60 + int(clock[2])) / one, 1.0
    counted = _COUNTED.match(said if not said.startswith(("hour", "week", "month")) else "one " + said)
    if counted:
        count, name, more = counted.groups()
        many = number(count.partition("(")[0].strip()) + (0.5 if more == " and a half" else 0.25 if more else 0.0)
    else:
        name, count = _DAY_COUNT.findall(said)[0]
        many = float(count)
    unit = _MINUTES[name.removesuffix("s")] / one
    fits = unit * (1 + 1e-9) >= 1 / _NEXT_UNIT and unit <= _NEXT_UNIT
    whole = unit >= 1 or many * unit >= 1 - 1e-9
    return (many * unit if fits and whole else None), unit


def is_idiom(text: str, start: int, end: int) -> bool:
    """Whether text[start:end] is no amount: `$200 a month`, `a week's pay`, `give me a minute`, `one day we will`.

    Nor is what tells two amounts apart: `10 more days than you said`, `a week earlier than that`.
    """
    compared = _COMPARED.match(text, end)
    if compared is not None and _FARTHER.search(text, start, compared.end()):
        return True
    said, before = text[start:end], text[max(0, start - 40) : start]
    if not said.startswith(("a ", "an ", "one ", "another ")) or text.startswith((" or two", " or three"), end):
        return False
    if any(word in said for word in (" and ", "hundred", "dozen", "couple", "half", "quarter")):
        return False
    if not said.startswith("one ") and _RATE.search(before):
        return True
    if text.startswith(("'s ", "s' "), end) and not text.startswith(("'s time", "s' time"), end):
        return True
    if said.endswith(("second", "sec")):
        return True  # a second crew, in a second
    return _IDIOM.match(said) is not None and not _REAL.search(before)
