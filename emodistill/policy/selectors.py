"""Who chooses the emotion: nobody, a fixed label, chance, or the trained selector."""

from pathlib import Path

from emodistill.emotions import GOEMOTIONS
from emodistill.records import Scenario, Select, Turn
from emodistill.seeds import Dice


def no_emotion(scenario: Scenario, turns: tuple[Turn, ...], seed: int) -> str | None:
    """No emotion block at all."""
    return None


def random_emotion(scenario: Scenario, turns: tuple[Turn, ...], seed: int) -> str | None:
    """e ~ Uniform(vocabulary): the sweep's behaviour policy (METHOD.md §3)."""
    return Dice(seed).pick(GOEMOTIONS)


def fixed(emotion: str) -> Select:
    """The same emotion at every turn."""
    return lambda scenario, turns, seed: emotion


def trained(folders: dict[str, Path]) -> Select:
    """Sample from the selector that is stored for the scenario's domain: domain -> folder."""
    import numpy as np

    from emodistill.dataset.states import state_before
    from emodistill.policy.artefact import load, probabilities

    loaded = {folder: load(folder) for folder in set(folders.values())}

    def select(scenario: Scenario, turns: tuple[Turn, ...], seed: int) -> str | None:
        networks, meta = loaded[folders[scenario.domain]]
        state, last = state_before(scenario, turns, meta.max_messages)
        weights = probabilities(networks, meta, state[None], np.array([last]))[0]
        return GOEMOTIONS[Dice(seed).weighted(weights)]

    return select
