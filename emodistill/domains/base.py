"""What a domain is. Adding one is one module that makes a `Domain`, and one line in `domains/__init__.py`."""

import random
from collections.abc import Callable, Sequence
from dataclasses import dataclass
from typing import get_args

from emodistill.config import Persona
from emodistill.domains.columns import Column
from emodistill.domains.quantities import Quantity
from emodistill.errors import BadInput
from emodistill.records import Scenario, Seat


@dataclass(frozen=True, slots=True)
class Speech:
    """How the simulated sides state a figure here: sentences with `{offer}`, which `rollout.offers` reads back."""

    open: tuple[str, ...]  # focal: first figure, a new one, the same again
    offer: tuple[str, ...]
    hold: tuple[str, ...]
    counter_open: tuple[str, ...]  # the same three of the counterparty
    counter_offer: tuple[str, ...]
    counter_hold: tuple[str, ...]


_PATIENCE = 20_000  # draws in a row that bring nothing new; then there is nothing new to be drawn
PERSONAS: tuple[str, ...] = get_args(Persona)  # how the counterparty behaves (METHOD.md §8)


@dataclass(frozen=True, slots=True)
class Domain:
    """One bargaining domain: roles, unit, prompts, the scenario generator and the CSV row reader.

    `generate(rng)` draws a scenario, `from_row(cells by column)` makes one of a CSV row, whose missing cells are empty;
    ValueError says why it cannot. `brief(scenario, seat)` is that seat's system message: what is common to all
    scenarios first, then the facts and its own target. A lever names no amount of `unit`: it would pass for an offer.
    """

    key: str  # without a dash: every scenario's id is this, a dash, and more
    quantity: Quantity
    focal_role: str
    counterparty_role: str
    columns: tuple[Column, ...]  # of the published CSV
    generate: Callable[[random.Random], "Drawn"]
    from_row: Callable[[dict[str, str]], "Drawn"]
    brief: Callable[[Scenario, Seat], str]
    levers: tuple[tuple[str, str], ...]  # (fact, sentence that presses it): what the simulated teacher argues with
    speech: Speech
    rubric: str  # what the judge is told to reward and penalise, in this domain's roles
    personas: tuple[tuple[str, str], ...]  # (persona, how the counterparty's brief is coloured); see PERSONAS

    @property
    def unit(self) -> str:
        """The unit of every value in this domain."""
        return self.quantity.unit

    def role(self, seat: Seat) -> str:
        """What that seat's side is called."""
        return self.focal_role if seat == "focal" else self.counterparty_role


@dataclass(frozen=True, slots=True)
class Drawn:
    """Targets (in the domain's unit) and facts before they become a `Scenario`."""

    focal_target: float
    counterparty_target: float
    facts: tuple[tuple[str, str], ...]
    imputed: bool = False


def as_scenarios(domain: Domain, drawn: Sequence[Drawn], train: int, held_out: int) -> tuple[Scenario, ...]:
    """The first `train` are the training split, the next `held_out` are held out; surplus is left out."""
    return tuple(
        Scenario(
            id=f"{domain.key}-{index:04d}",
            domain=domain.key,
            split="train" if index < train else "held_out",
            unit=domain.unit,
            focal_target=d.focal_target,
            counterparty_target=d.counterparty_target,
            facts=d.facts,
            imputed=d.imputed,
        )
        for index, d in enumerate(drawn[: train + held_out])
    )


def generate(domain: Domain, count: int, seed: int) -> list[Drawn]:
    """`count` different scenarios; the same seed gives the same ones. `BadInput` if there are not so many."""
    rng, known = random.Random(seed), 0
    drawn: dict[tuple[tuple[str, str], ...], Drawn] = {}
    while len(drawn) < count:
        one = domain.generate(rng)
        known = known + 1 if one.facts in drawn else 0
        if known == _PATIENCE:
            raise BadInput(
                f"The built-in generator of {domain.key} finds {len(drawn)} different scenarios where "
                f"scenarios.train + scenarios.held_out ask for {count}. Lower those two, or name a file under "
                f"scenarios.csv.{domain.key}."
            )
        drawn.setdefault(one.facts, one)
    return list(drawn.values())
