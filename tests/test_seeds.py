import subprocess
import sys

from hypothesis import given
from hypothesis import strategies as st

from emodistill.seeds import seed_of

from builders import PROPERTY

PARTS = (7, "sweep", "crad", "crad-0003", 41)


def test_the_seed_of_a_name_never_changes():
    assert seed_of(*PARTS) == 724273485777953040


def test_another_process_with_another_hash_seed_agrees():
    code = f"from emodistill.seeds import seed_of; print(seed_of(*{PARTS!r}))"
    path = ":".join(sys.path)
    printed = {
        subprocess.check_output([sys.executable, "-c", code], env={"PYTHONHASHSEED": salt, "PYTHONPATH": path})
        for salt in ("1", "2")
    }
    assert printed == {f"{seed_of(*PARTS)}\n".encode()}


@PROPERTY
@given(st.lists(st.integers() | st.text(st.characters(codec="utf-8"))))
def test_seeds_fit_an_int64_and_are_not_negative(parts):
    assert 0 <= seed_of(*parts) < 2**63


def test_parts_do_not_run_together():
    named = [seed_of(*parts) for parts in (("ab",), ("a", "b"), ("b", "a"), ("a", "b", ""), ("", "ab"), ())]
    assert len(set(named)) == len(named)
