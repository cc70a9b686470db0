"""Who the counterparty is: a character drawn for the scenario, coloured by its persona (ours).

Nobody is told these numbers. They scale what an emotion does; in `vanilla` they never change which one is best.
"""

import random
from dataclasses import dataclass
from functools import lru_cache

from emodistill.records import Scenario
from emodistill.seeds import seed_of


@dataclass(frozen=True, slots=True)
class Persona:
    """How a persona (METHOD.md §8) differs from `vanilla`; `families` are factors on the concession to a family."""

    pace: float
    risk: float
    limit: float
    families: tuple[tuple[str, float], ...] = ()


PERSONA = {
    "vanilla": Persona(1.0, 1.0, 1.0),
    # Insists: concedes less, and takes firmness as a fight; a question makes it explain itself.
    "pressure": Persona(0.9, 1.2, 0.97, (("firm", 0.7), ("open", 1.15))),
    # Suffers aloud: rarely leaves, is moved by warmth and less by another's sorrow.
    "victim": Persona(0.9, 0.7, 0.95, (("sorrow", 0.8), ("warm", 1.15))),
    # Warns of the consequences: leaves easily; firmness provokes it, calm regret takes the wind out of it.
    "threat": Persona(0.85, 1.6, 0.97, (("firm", 0.6), ("sorrow", 1.15))),
}


@dataclass(frozen=True, slots=True)
class Character:
    """Drawn once a scenario."""

    limit: float  # pos beyond which it never goes
    pace: float  # share of the axis it gives up in a whole negotiation if nothing moves it
    risk: float  # of walking away in a whole negotiation if nothing moves it
    families: tuple[tuple[str, float], ...]


def character(scenario: Scenario, persona: str) -> Character:
    """The counterparty of that scenario; the same in a mirrored one."""
    length = abs(scenario.focal_target - scenario.counterparty_target)
    return _character(scenario.domain, scenario.id, length, persona)


@lru_cache(maxsize=4096)
def _character(domain: str, scenario_id: str, length: float, persona: str) -> Character:
    rng, colour = random.Random(seed_of("character", domain, scenario_id, length)), PERSONA[persona]
    return Character(
        limit=rng.uniform(0.75, 0.95) * colour.limit,
        pace=rng.uniform(0.7, 1.0) * colour.pace,
        risk=rng.uniform(0.1, 0.2) * colour.risk,
        families=colour.families,
    )
