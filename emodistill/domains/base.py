"""What a domain is. Adding one is one module that makes a `Domain`, and one line in `domains/__init__.py`."""

import csv
import random
from collections.abc import Callable
from dataclasses import dataclass
from pathlib import Path

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


PERSONAS = ("vanilla", "pressure", "victim", "threat")  # how the counterparty behaves (METHOD.md §8)


@dataclass(frozen=True, slots=True)
class Domain:
    """One bargaining domain: roles, unit, prompts, the scenario generator and the CSV row reader.

    `generate(rng)` and `from_row(cells)` return (focal target, counterparty target, facts, imputed), targets in `unit`.
    `brief(scenario, seat)` is the role part of that seat's system message.
    """

    key: str
    quantity: Quantity
    focal_role: str
    counterparty_role: str
    columns: tuple[str, ...]  # header of the published CSV
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


@dataclass(frozen=True, slots=True)
class Drawn:
    """Targets and facts before they become a `Scenario`."""

    focal_target: float
    counterparty_target: float
    facts: tuple[tuple[str, str], ...]
    imputed: bool = False


def as_scenarios(domain: Domain, drawn: list[Drawn], train: int, held_out: int) -> tuple[Scenario, ...]:
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
    """`count` different scenarios; the same seed gives the same ones."""
    rng = random.Random(seed)
    drawn: dict[tuple[tuple[str, str], ...], Drawn] = {}
    while len(drawn) < count:
        one = domain.generate(rng)
        drawn.setdefault(one.facts, one)
    return list(drawn.values())


def read_csv(domain: Domain, path: Path) -> list[Drawn]:
    """Read a published CSV; `BadInput` names the file and the row or column at fault."""
    try:
        with path.open(encoding="utf-8-sig", newline="") as file:
            reader = csv.reader(file)
            rows, lines = [], [1]  # lines: where each row starts in the file; a quoted cell may hold line breaks
            for row in reader:
                rows.append(row)
                lines.append(reader.line_num + 1)
    except FileNotFoundError:
        raise BadInput(
            f"There is no scenario file {path}. Name an existing CSV under scenarios.csv.{domain.key}."
        ) from None
    except (OSError, UnicodeDecodeError, csv.Error) as error:
        raise BadInput(f"The scenario file {path} cannot be read: {error}.") from None
    header = tuple(cell.strip() for cell in rows[0]) if rows else ()
    missing = [column for column in domain.columns if column not in header]
    if missing:
        raise BadInput(
            f"{path}: this is not a {domain.key} scenario file: its header lacks the column(s) {', '.join(missing)}. "
            f"Give a CSV with the published header, or another domain."
        )
    numbered = zip(lines[1:], rows[1:], strict=False)
    return [_row(domain, path, number, header, cells) for number, cells in numbered if any(cells)]


def _row(domain: Domain, path: Path, number: int, header: tuple[str, ...], cells: list[str]) -> Drawn:
    if len(cells) != len(header):
        raise BadInput(
            f"{path}, line {number}: {len(cells)} cells where the header has {len(header)}. "
            "Quote the cells that contain commas."
        )
    row = {name: cell.strip() for name, cell in zip(header, cells, strict=True)}
    try:
        drawn = domain.from_row(row)
    except (ValueError, OverflowError) as error:
        raise BadInput(f"{path}, line {number}: {error}. Mend that cell.") from None
    if drawn.focal_target == drawn.counterparty_target:
        raise BadInput(f"{path}, line {number}: both sides have the same target, so there is nothing to bargain over.")
    return drawn
