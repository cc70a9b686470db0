import pytest

from emodistill.config import Scenarios
from emodistill.domains import DOMAINS, build_scenarios
from emodistill.llm.scripted import ScriptedModel
from emodistill.policy.selectors import random_emotion
from emodistill.records import Turn
from emodistill.rollout.offers import read
from emodistill.rollout.sweep import episode_tasks
from emodistill.simulator.critic import critique

from builders import mirrored, mirrored_turns, played, scenario


def score(*said):
    quantity = DOMAINS["crad"].quantity
    turns = tuple(Turn(k, "counterparty" if k % 2 else "focal", s, read(s, quantity)) for k, s in enumerate(said))
    return critique(scenario(20, 120), turns, 12)


def test_the_critic_keeps_to_its_scale_and_has_no_polarity():
    bargains = {s.id: s for s in build_scenarios(Scenarios(train=40, held_out=1), seed=1)}
    for episode in played(episode_tasks(bargains.values(), 2, 3, "test"), ScriptedModel(), random_emotion):
        bargain = bargains[episode.scenario_id]
        for turn in episode.focal_turns():
            heard = episode.turns[: turn.index + 1]
            found = critique(bargain, heard, 12)
            assert 1 <= found <= 10
            there = critique(mirrored(bargain, 200), mirrored_turns(heard, 200), 12)
            assert there == pytest.approx(found, abs=1e-9)


def test_the_critic_prefers_a_figure_an_anchor_and_news():
    assert score("Let us say 22 days.") > score("Let us say 90 days.") > score("Let us talk.")
    opened = ("Let us say 22 days.", "We would need 110 days.")
    assert score(*opened, "I can go to 22 days.") > score(*opened, opened[0])
    assert score(*opened, "I can go to 30 days.") > score(*opened, "I can go to 60 days.")


def test_the_critic_prefers_the_emotion_that_moves_this_counterparty_now():
    assert score("Thank you for your effort. Let us say 22 days.") > score("Let us say 22 days.")
    assert score("Let us say 22 days.") > score("I object to this. Let us say 22 days.")
    stuck = ("Let us say 22 days.", "We would need 110 days.", "I keep to 22 days.", "It has to be 110 days.")
    stuck = (*stuck, "My offer is 23 days.", "I still need 110 days.")
    assert score(*stuck, "I object to this. I can go to 24 days.") > score(
        *stuck, "Thank you for your effort. I can go to 24 days."
    )
