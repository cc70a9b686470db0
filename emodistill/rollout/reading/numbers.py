"""Numbers as people write them: digits with thousands separators, decimals, words to 999, dozens, couples, halves."""

import re

SMALL = (
    "zero one two three four five six seven eight nine ten eleven twelve thirteen fourteen fifteen sixteen seventeen "
    "eighteen nineteen"
).split()
TENS = "twenty thirty forty fifty sixty seventy eighty ninety".split()
_VALUES = {
    **{word: float(value) for value, word in enumerate(SMALL)},
    **{word: 10.0 * value for value, word in enumerate(TENS, 2)},
    **{"a": 1.0, "an": 1.0, "another": 1.0, "single": 1.0, "couple": 2.0, "dozen": 12.0},
    **{"half": 0.5, "quarter": 0.25, "quarters": 0.25},
}


def any_of(*words: str) -> str:
    """A group of alternatives, longest first so that none hides a longer one."""
    return "(?:" + "|".join(sorted(words, key=len, reverse=True)) + ")"


_DIGIT = any_of(*SMALL[1:10])
TO_99 = rf"(?:{any_of(*TENS)}(?:[- ]?{_DIGIT})?|{any_of(*SMALL)})"
_WORDS = rf"(?:(?:an?|{_DIGIT})[- ]hundred(?:[- ]and)?(?:[- ]{TO_99})?|(?:(?:an?|half a|{TO_99}) )?dozen|{TO_99})\b"
DIGITS = r"\d{1,3}(?:,\d{3})+(?:\.\d+)?(?![\d,]*\d)|\d{1,4}(?:\.\d+)?(?!\d|[.,]\d)"
NUMBER = rf"(?<![\w.,])(?:(?:{DIGITS})|\b{_WORDS})"
"""A number on its own; `a` and `half` count only before a unit."""


def number(text: str) -> float:
    """The value of a text that `NUMBER` matches, also with `a`, `half a`, `couple of`, `… and a half` around it."""
    if text[0].isdigit():
        digits, _, rest = text.partition(" ")
        return float(digits.replace(",", "")) + (number(rest.removeprefix("and ")) if rest else 0.0)
    whole, half, _ = text.partition(" and a half")
    whole, quarter, _ = whole.partition(" and a quarter")
    return _words(whole) + (0.5 if half else 0.25 if quarter else 0.0)


def _words(text: str) -> float:
    total = 0.0
    for word in re.split(r"[\s-]+", text):
        if word == "hundred":
            total = max(total, 1.0) * 100
        elif word in ("dozen", "couple", "quarter", "quarters"):
            total = max(total, 1.0) * _VALUES[word]
        elif total and word in ("a", "an"):
            continue  # half a …, three quarters of an …
        elif word == "half":
            total = 0.5
        else:
            total += _VALUES.get(word) or _run_together(word)
    return total


def _run_together(word: str) -> float:
    """`fortyfive`, and 0 for `and`, `of`."""
    return next((_VALUES[ten] + _VALUES.get(word[len(ten) :], 0.0) for ten in TENS if word.startswith(ten)), 0.0)
