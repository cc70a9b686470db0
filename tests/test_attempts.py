"""What tells a poison task from bad luck."""

from hypothesis import given
from hypothesis import strategies as st

from emodistill.attempts import Attempts


@given(st.lists(st.floats(0, 100)))
def test_beginnings_are_counted_while_nothing_new_is_done(progress):
    now, best, count = Attempts("7"), 0.0, 0
    for done in progress:
        now = now.begun("7", done)
        best, count = (done, 1) if done > best else (best, count + 1)
        assert (now.tries, now.progress) == (count, best)
    assert now.begun("8", 0.0).tries == 1
