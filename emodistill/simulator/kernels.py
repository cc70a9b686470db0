"""How the counterparty answers: a finite Markov chain on the whole units of the scenario's axis (ours).

It may walk away, stand still, or take a step of pace × effect × chance. The step is rounded to whole units up or down
at random, without bias, so short axes work like long ones. `negotiators` samples these numbers and `oracle` sums them.
"""

import math
from array import array
from collections.abc import Iterable, Iterator, Mapping
from dataclasses import dataclass
from functools import lru_cache
from itertools import chain, product
from typing import Any, NamedTuple

from emodistill.emotions import GOEMOTIONS
from emodistill.records import Scenario
from emodistill.simulator.character import character
from emodistill.simulator.effects import FAMILY, PHASE_RISK, PHASES, STILL, effect

NOISE = (0.6, 1.0, 1.4)  # factors on a step, equally likely
STANDSTILL, MOST_STANDSTILL = 0.25, 0.9  # probability to stand still at factor 1, divided by the factor; its bound
MOST_REPLIES = 9  # a character's pace and risk are spread over the replies there are, but over no more than these
LEAST_FACTOR, MOST_RISK = 0.1, 0.5


@dataclass(frozen=True, slots=True)
class Axis:
    """A scenario's axis in units from the counterparty's target (0) towards the focal's (`length`)."""

    origin: float
    sign: int
    length: float

    def value(self, units: float) -> float:
        """In the domain's unit."""
        return self.origin + self.sign * units

    def units(self, value: float) -> float:
        """Inverse of `value`."""
        return (value - self.origin) * self.sign


class Kernel(NamedTuple):
    """The reaction to one emotion in one phase."""

    concession: float  # the factor, after persona
    risk: float  # of walking away; what follows is given that it stays
    mean: float  # units of a step, before chance

    @property
    def steps(self) -> tuple[tuple[int, float], ...]:
        """Whole units, ascending, with their probabilities, which sum to 1."""
        return _steps(self.mean, self.concession)


Key = tuple[str, str, bool]  # (phase, emotion, worn)
_PLACE: dict[Key, int] = {key: place for place, key in enumerate(product(PHASES, GOEMOTIONS, (False, True)))}
_WIDTH = len(Kernel._fields)


class Kernels(Mapping[Key, Kernel]):
    """One scenario's reactions. They are kept as bare numbers, a sixth of what as many records take."""

    __slots__ = ("_numbers",)

    def __init__(self, made: Iterable[Kernel]) -> None:
        self._numbers = array("d", chain.from_iterable(made))

    def __getitem__(self, key: Key) -> Kernel:
        at = _PLACE[key] * _WIDTH
        return Kernel(*self._numbers[at : at + _WIDTH])

    def __iter__(self) -> Iterator[Key]:
        return iter(_PLACE)

    def __len__(self) -> int:
        return len(_PLACE)


def axis_of(scenario: Scenario) -> Axis:
    """The scenario's axis."""
    span = scenario.focal_target - scenario.counterparty_target
    return Axis(scenario.counterparty_target, 1 if span > 0 else -1, abs(span))


def limit_units(scenario: Scenario, persona: str) -> int:
    """How many whole units the counterparty gives up at most."""
    return int(character(scenario, persona).limit * axis_of(scenario).length)


def concedes(units: Any, length: float) -> Any:
    """Whether a movement (a number or an array) counts as a concession on an axis of that length."""
    return (units > 0) & (units >= STILL * length)


@lru_cache(maxsize=256)  # as many as a task has scenarios in flight
def kernels(scenario: Scenario, persona: str, max_messages: int) -> Kernels:
    """Every reaction of this scenario's counterparty."""
    who, length = character(scenario, persona), axis_of(scenario).length
    replies = max(1, min(max_messages // 2, MOST_REPLIES))
    favour, made = dict(who.families), []
    for phase, emotion, worn in _PLACE:
        planted = effect(scenario.domain, emotion, worn, phase)
        factor = max(LEAST_FACTOR, planted.concession * favour.get(FAMILY[emotion], 1.0))
        risk = min(MOST_RISK, who.risk / replies * PHASE_RISK[phase] * planted.risk)
        made.append(Kernel(factor, risk, who.pace / replies * factor * length))
    return Kernels(made)


@lru_cache(maxsize=2048)  # of the few scenarios that are being played: all of a run's would be a quarter MB each
def _steps(mean: float, factor: float) -> tuple[tuple[int, float], ...]:
    """Distribution of whole units for a step of `mean` units before chance."""
    still = min(MOST_STANDSTILL, STANDSTILL / factor)
    chance: dict[int, float] = {0: still}
    for noise in NOISE:
        low = math.floor(mean * noise)
        up = mean * noise - low
        for units, share in ((low, 1 - up), (low + 1, up)):
            chance[units] = chance.get(units, 0.0) + (1 - still) / len(NOISE) * share
    return tuple(sorted((units, p) for units, p in chance.items() if p > 0))
