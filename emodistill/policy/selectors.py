"""Who chooses the emotion: nobody, a fixed label, chance, or the trained selector."""

import random
from pathlib import Path

from emodistill.dataset.states import state_before
from emodistill.emotions import GOEMOTIONS
from emodistill.records import Scenario, Select, Turn


def no_emotion(scenario: Scenario, turns: tuple[Turn, ...], rng: random.Random) -> str | None:
    """No emotion block at all."""
    return None


def random_emotion(scenario: Scenario, turns: tuple[Turn, ...], rng: random.Random) -> str | None:
    """e ~ Uniform(vocabulary): the sweep's behaviour policy (METHOD.md §3)."""
    return rng.choice(GOEMOTIONS)


def fixed(emotion: str) -> Select:
    """The same emotion at every turn."""
    return lambda scenario, turns, rng: emotion


def trained(folder: Path) -> Select:
    """Sample from the selector stored in `folder`."""
    from emodistill.policy.artefact import load, probabilities

    networks, meta = load(folder)

    def select(scenario: Scenario, turns: tuple[Turn, ...], rng: random.Random) -> str | None:
        weights = probabilities(networks, meta, *state_before(scenario, turns, meta.max_messages))
        return rng.choices(GOEMOTIONS, weights)[0]

    return select
