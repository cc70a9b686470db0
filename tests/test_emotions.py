import re
from statistics import median

import pytest

from emodistill.emotions import GOEMOTIONS, instruction

OFFICIAL = """
    admiration amusement anger annoyance approval caring confusion curiosity desire disappointment disapproval disgust
    embarrassment excitement fear gratitude grief joy love nervousness optimism pride realization relief remorse sadness
    surprise neutral
""".split()


def test_labels_are_goemotions_in_official_order():
    assert list(GOEMOTIONS) == OFFICIAL and len(OFFICIAL) == 28


def test_every_instruction_is_within_a_quarter_of_the_median_length():
    lengths = {emotion: len(instruction(emotion)) for emotion in GOEMOTIONS}
    middle = median(lengths.values())
    assert {emotion: n for emotion, n in lengths.items() if abs(n / middle - 1) > 0.25} == {}


def test_all_instructions_have_one_template_and_differ():
    template = re.compile(r"\[Show (\w+): ([\w ]+); convey ([\w ]+); ([\w ]+)\.\]")
    parts = [template.fullmatch(instruction(emotion)).groups() for emotion in GOEMOTIONS]
    assert [part[0] for part in parts] == list(GOEMOTIONS)
    assert all(len(set(column)) == 28 for column in zip(*parts, strict=True))


def test_a_label_outside_the_vocabulary_has_no_instruction():
    with pytest.raises(KeyError):
        instruction("schadenfreude")
