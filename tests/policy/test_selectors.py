import subprocess
import sys
from collections import Counter

from emodistill.emotions import GOEMOTIONS
from emodistill.policy.selectors import fixed, no_emotion, random_emotion
from emodistill.seeds import seed_of

from builders import dialogue, scenario

TURNS = dialogue(30, 110)


def test_nobody_shows_nothing():
    assert no_emotion(scenario(), TURNS, 1) is None


def test_fixed_is_the_same_at_every_turn():
    assert {fixed("joy")(scenario(), TURNS[:k], k) for k in (0, 2)} == {"joy"}


def test_chance_is_uniform_over_the_vocabulary_and_a_function_of_the_seed():
    counts = Counter(random_emotion(scenario(), TURNS, seed_of(k)) for k in range(28 * 100))
    assert set(counts) == set(GOEMOTIONS)
    assert sum((n - 100) ** 2 / 100 for n in counts.values()) < 55.5  # χ² with 27 degrees of freedom, p = 0.001
    assert random_emotion(scenario(), (), 7) == random_emotion(scenario(), TURNS, 7)


def test_selectors_need_no_torch_until_a_trained_one_is_opened():
    code = "import sys, emodistill.policy.selectors; print('torch' in sys.modules)"
    assert subprocess.check_output([sys.executable, "-c", code], env={"PYTHONPATH": ":".join(sys.path)}) == b"False\n"
