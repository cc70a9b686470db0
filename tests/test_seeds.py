import subprocess
import sys
from collections import Counter

from hypothesis import given
from hypothesis import strategies as st

from emodistill.seeds import Dice, seed_of

from builders import PROPERTY

PARTS = (7, "sweep", "crad", "crad-0003", 41)


def test_the_seed_of_a_name_never_changes():
    assert seed_of(*PARTS) == 724273485777953040


def test_another_process_with_another_hash_seed_agrees():
    code = f"from emodistill.seeds import Dice, seed_of; print(seed_of(*{PARTS!r}))"
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


def test_dice_are_uniform_and_independent():
    rolled = Counter()
    for k in range(6000):
        dice = Dice(seed_of("dice", k))
        rolled[dice.share() < 0.5, dice.roll(3), dice.share() < 0.5] += 1
    assert len(rolled) == 12 and max(rolled.values()) < 1.3 * min(rolled.values())


def test_weighted_dice_fall_by_weight_and_never_on_a_weight_of_nothing():
    fallen = Counter(Dice(seed_of("weighted", k)).weighted([0.0, 0.5, 0.0, 0.2, 0.3, 0.0]) for k in range(10_000))
    assert set(fallen) == {1, 3, 4}
    assert sum((fallen[k] - 10_000 * p) ** 2 / (10_000 * p) for k, p in ((1, 0.5), (3, 0.2), (4, 0.3))) < 13.8  # χ²(2)
