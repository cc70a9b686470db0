import random
import subprocess
import sys
from collections import Counter

import pytest

from emodistill.emotions import GOEMOTIONS
from emodistill.policy.selectors import fixed, no_emotion, random_emotion

from builders import dialogue, scenario

TURNS = dialogue(30, 110)


def test_nobody_shows_nothing():
    assert no_emotion(scenario(), TURNS, random.Random(1)) is None


def test_fixed_is_the_same_at_every_turn():
    assert {fixed("joy")(scenario(), TURNS[:k], random.Random(k)) for k in (0, 2)} == {"joy"}


@pytest.mark.parametrize("select", [random_emotion])
def test_chance_is_uniform_over_the_vocabulary_and_draws_on_the_given_generator_only(select):
    rng = random.Random(1)
    before = random.getstate()
    counts = Counter(select(scenario(), TURNS, rng) for _ in range(28 * 100))
    assert random.getstate() == before
    assert set(counts) == set(GOEMOTIONS)
    assert sum((n - 100) ** 2 / 100 for n in counts.values()) < 55.5  # χ² with 27 degrees of freedom, p = 0.001
    assert select(scenario(), (), random.Random(7)) == select(scenario(), TURNS, random.Random(7))


def test_selectors_need_no_torch_until_a_trained_one_is_opened():
    code = "import sys, emodistill.policy.selectors; print('torch' in sys.modules)"
    assert subprocess.check_output([sys.executable, "-c", code], env={"PYTHONPATH": ":".join(sys.path)}) == b"False\n"
