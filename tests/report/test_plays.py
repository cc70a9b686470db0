"""What the figures show, from the shards' columns, by hand."""

from dataclasses import replace

import numpy as np
import pytest

from emodistill.report.draw import turn_worth
from emodistill.report.plays import emotions_by_turn, standing_offers, summed_turns
from emodistill.shards import EPISODES, open_table, write_records

from builders import ACCEPTS, VAGUE, WALKS, dialogue, episode, scenario

ONE = scenario(20, 120)
PLAYED = [
    episode("agreement", 60.0, dialogue(20, VAGUE, 70, 95, ACCEPTS, emotions=["joy", "anger", "joy"]), "a"),
    episode("breakdown", None, dialogue(45, WALKS, emotions=["anger"]), "b"),
    replace(episode("breakdown", None, dialogue(45, 100, emotions=["grief"]), "c"), status="error"),
]


@pytest.fixture
def columns(tmp_path):
    write_records(tmp_path / "shard.h5", PLAYED, EPISODES)
    with open_table(tmp_path / "shard.h5") as table:
        yield table


def test_offers_stand_until_a_new_one_and_errors_are_left_out(columns):
    found = standing_offers(columns, {ONE.id: ONE})
    gone = np.nan
    np.testing.assert_allclose(found.focal, [[1.0, 1.0, 0.5, 0.5, 0.5], [0.75, 0.75, gone, gone, gone]])
    np.testing.assert_allclose(found.counterparty, [[gone, gone, gone, 0.25, 0.25], [gone] * 5])


def test_cells_of_other_lengths_are_summed_over_the_longest_dialogue_of_all():
    short, long = {"joy": np.array([1]), "grief": np.array([2])}, {"joy": np.array([1, 1, 3])}
    found = {name: counts.tolist() for name, counts in summed_turns([short, long]).items()}
    assert found == {"joy": [2, 1, 3], "grief": [2, 0, 0]}
    assert summed_turns([{}]) == {}


def test_emotions_are_counted_at_each_focal_turn(columns):
    found = emotions_by_turn(columns)
    assert {name: counts.tolist() for name, counts in found.items()} == {"joy": [1, 0, 1], "anger": [1, 1, 0]}


def test_a_turn_is_worth_its_reward_less_its_scenarios_mean():
    found = turn_worth(np.array([0, 0, 1, 1]), np.array([1.0, 4.0, 3.0, 8.0]), np.array([5, 9, 5, 9]), 200, 1)
    assert list(found) == ["admiration", "amusement"]
    assert found["admiration"].value == pytest.approx(-1.5) and found["amusement"].value == pytest.approx(1.5)
    assert found["admiration"].n == 2
