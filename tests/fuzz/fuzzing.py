"""Many bad inputs: how many cases, how long one may take, and what a refusal looks like.

`EMODISTILL_FUZZ=10000 pytest tests/fuzz` tries that many cases of each property; docs/security.md.
"""

import os
import signal
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from typing import Any, TypeVar

from hypothesis import HealthCheck, Phase, settings
from hypothesis import strategies as st

from emodistill.errors import BadInput, RunFailed

CASES = int(os.environ.get("EMODISTILL_FUZZ", "120"))
_PHASES = (Phase.explicit, Phase.reuse, Phase.generate)  # shrinking a case that hangs takes hours
FUZZ = settings(max_examples=CASES, deadline=None, suppress_health_check=list(HealthCheck), phases=_PHASES)
CASE_S = 2.0  # processor time
T = TypeVar("T")

CHARACTERS = st.characters() | st.sampled_from(
    "\ud800\udfff\0\x1b\u202e\u2028\ufeff\uff1c٣½①⁹\r\n\t \"'\\{}[]<>|&*#=,:;-"
)
TEXTS = st.text(CHARACTERS, max_size=60)
SCALARS = (
    st.none() | st.booleans() | st.integers() | st.floats() | TEXTS
    | st.sampled_from([10**30, -(10**400), 1e308, 5e-324, -0.0, "nan", "1_0", "٣", "../x", "/etc/passwd", "a\0b", ""])
)  # fmt: skip
JSON = st.recursive(
    SCALARS, lambda inner: st.lists(inner, max_size=4) | st.dictionaries(TEXTS, inner, max_size=4), max_leaves=12
)


@contextmanager
def in_time(limit_s: float = CASE_S) -> Iterator[None]:
    """The block ends within so much processor time, or fails where it is."""

    def late(*_: object) -> None:
        raise AssertionError(f"more than {limit_s:g} s for one case")

    before = signal.signal(signal.SIGPROF, late)
    signal.setitimer(signal.ITIMER_PROF, limit_s)
    try:
        yield
    finally:
        signal.setitimer(signal.ITIMER_PROF, 0)
        signal.signal(signal.SIGPROF, before)


def taken(call: Callable[[], T]) -> T | str:
    """What the call gives, or the one paragraph it is refused with; any other end is a failure."""
    with in_time():
        try:
            return call()
        except (BadInput, RunFailed) as error:
            said = str(error)
    assert said.strip() and "\n" not in said and "\r" not in said and len(said) < 3000, said
    return said


def changed(value: Any) -> "st.SearchStrategy[Any]":
    """The JSON value with one of its parts exchanged for anything, dropped, or doubled."""
    anything = JSON | st.just(value)
    if isinstance(value, dict) and value:
        keys = st.sampled_from(sorted(value))
        return st.one_of(
            keys.flatmap(lambda key: changed(value[key]).map(lambda new: {**value, key: new})),
            keys.map(lambda key: {name: inner for name, inner in value.items() if name != key}),
            st.tuples(TEXTS, JSON).map(lambda pair: {**value, pair[0]: pair[1]}),
            anything,
        )
    if isinstance(value, list) and value:
        places = st.integers(0, len(value) - 1)
        return st.one_of(
            places.flatmap(lambda k: changed(value[k]).map(lambda new: [*value[:k], new, *value[k + 1 :]])),
            places.map(lambda k: [*value[:k], *value[k + 1 :]]),
            places.map(lambda k: [*value, value[k]]),
            anything,
        )
    return anything
