"""The scenarios of a foreign sweep: what its files say of them, and which scenario of a run each one is."""

import re
from collections.abc import Iterable, Iterator
from dataclasses import replace
from functools import cache
from typing import Any

from emodistill.chat import whole
from emodistill.domains import DOMAINS
from emodistill.domains.base import Domain, generate
from emodistill.errors import BadInput
from emodistill.records import Scenario, Seat
from emodistill.sweeps.spelling import (
    SCENARIO,
    Unusable,
    fields,
    first,
    number,
    plain,
    shown,
    target_names,
    target_within,
)  # fmt: skip

_LONGEST_ID = 80
_EXAMPLE = {"urgency": "High", "yes-no": "Yes", "quoted": '"{name}"', "text": "{name}", "clock": "{k}:10 PM"}


class Described:
    """Scenarios by id, as lists beside or in a sweep's file describe them: `[{id, seller, buyer, metadata}]`.

    What several lists say of one adds up; the last counts where they differ.
    """

    def __init__(self, *lists: Any) -> None:
        rows = [row for found in lists if isinstance(found, list) for row in map(fields, found) if "id" in row]
        self._rows: dict[str, dict[str, Any]] = {}
        for row in rows:
            self._rows.setdefault(str(row["id"]), {}).update(row)

    def of(self, episode: dict[str, Any]) -> tuple[str, dict[str, Any]]:
        """Id and description of an episode's scenario; `Unusable` if the episode names none."""
        said = first(episode, SCENARIO)
        row = fields(said)
        key = first(row, ("id", *SCENARIO, "name")) if row else said
        if isinstance(key, bool) or not isinstance(key, int | str) or not str(key).strip():
            raise Unusable("it names no scenario")
        key = str(key).strip()
        return key, {**self._rows.get(key, {}), **row}


def scenario(key: str, row: dict[str, Any], episode: dict[str, Any], domain: Domain, known: dict[str, Scenario]
             ) -> Scenario:  # fmt: skip
    """The scenario an episode was played on: by id one of the run's, else made from what is said of it.

    Where the file states targets, they must be those of the run's scenario: an id alone may be another list's.
    """
    targets = {seat: _target(row, episode, domain, seat) for seat in ("focal", "counterparty")}
    mine = known.get(key)
    if mine is not None and mine.domain == domain.key:
        for seat, stated, own in (
            ("focal", targets["focal"], mine.focal_target),
            ("counterparty", targets["counterparty"], mine.counterparty_target),
        ):
            if stated is not None and stated != own:
                raise Unusable(f"it says that the {seat} target of {key} is {stated:g}; in this run it is {own:g}")
        return mine
    focal, counterparty = targets["focal"], targets["counterparty"]
    if focal is None or counterparty is None:
        raise Unusable(f"neither it nor a scenarios.json beside it states both sides' targets of scenario {shown(key)}")
    example = generate(domain, 1, seed=0)[0]
    if (focal - counterparty) * (example.focal_target - example.counterparty_target) <= 0:
        raise Unusable(
            f"its targets are {focal:g} for the {domain.focal_role} and {counterparty:g} for the "
            f"{domain.counterparty_role}, and in {domain.key} the first is the "
            f"{'larger' if example.focal_target > example.counterparty_target else 'smaller'} one"
        )
    names = [name for name, _ in example.facts]
    return Scenario(_id(key, domain), domain.key, "train", domain.unit, focal, counterparty, _facts(row, domain, names))


def _id(key: str, domain: Domain) -> str:
    """Ids of the file are told apart from those that a run gives to its own scenarios."""
    safe = re.sub(r"[^A-Za-z0-9._-]+", "-", key)[:_LONGEST_ID]
    return safe if safe.startswith(f"{domain.key}-") else f"{domain.key}-sweep-{safe}"


def _target(row: dict[str, Any], episode: dict[str, Any], domain: Domain, seat: Seat) -> float | None:
    names = target_names(domain, seat)
    side = first(row, ("focal", "seller", "creditor") if seat == "focal" else ("counterparty", "buyer", "debtor"))
    stated = (first(episode, names), target_within(side), first(row, names), first(fields(row.get("metadata")), names))
    value = next((found for found in stated if found is not None), None)
    return None if value is None else number(value, domain.quantity, f"the {seat} target")


def _facts(row: dict[str, Any], domain: Domain, names: list[str]) -> tuple[tuple[str, str], ...]:
    """The facts of the domain, in its order; one that is not stated is empty, and the briefs leave it out."""
    stated = {**row, **dict(_pairs(row.get("facts"))), **dict(_pairs(row.get("metadata")))}
    texts = {plain(key): whole(str(value)).strip() for key, value in stated.items() if _is_text(value)}
    spelt = _columns(domain.key)
    found = ((name, (texts.get(plain(spelling)) for spelling in (name, *spelt.get(name, ())))) for name in names)
    return tuple((name, next((text for text in options if text), "")) for name, options in found)


def _is_text(value: Any) -> bool:
    return isinstance(value, str | int | float) and not isinstance(value, bool)


def _pairs(facts: Any) -> Iterator[tuple[str, Any]]:
    if isinstance(facts, dict):
        yield from fields(facts).items()
    elif isinstance(facts, list):
        yield from ((plain(pair[0]), pair[1]) for pair in facts
                    if isinstance(pair, list) and len(pair) == 2 and isinstance(pair[0], str))  # fmt: skip


@cache
def _columns(key: str) -> dict[str, tuple[str, ...]]:
    """Fact to the published column it comes from, with and without its unit: seen by reading a row of known cells."""
    domain = DOMAINS[key]
    cells = {
        column.name: _EXAMPLE.get(column.kind, str(k)).format(name=column.name, k=k)
        for k, column in enumerate(domain.columns, 1)
    }
    by_cell = {cell: name for name, cell in cells.items()}
    try:
        facts = domain.from_row(cells).facts
    except ValueError:
        return {}
    spelt = ((name, by_cell[cell]) for name, cell in facts if cell in by_cell)
    return {name: (column, re.sub(r"\(.*?\)", "", column)) for name, column in spelt}


def joined(own: Iterable[Scenario], imported: Iterable[Scenario]) -> tuple[Scenario, ...]:
    """A run's scenarios with a sweep taken up: those the sweep was played on train, the run's own are held out.

    `BadInput` if an id stands for two scenarios, or one that is held out comes again under another name.
    """
    mine = {scenario.id: scenario for scenario in own}
    held_out = [scenario for scenario in mine.values() if scenario.split == "held_out"]
    train = []
    for one in imported:
        same = mine.get(one.id)
        if same is None:
            double = next((other for other in held_out if _are_one(one, other)), None)
            if double is not None:
                raise BadInput(
                    f"The imported scenario {one.id} is {double.id}, which this configuration holds out: nothing may "
                    "be trained on it. Raise scenarios.train until it trains, or import a sweep without it."
                )
            train.append(replace(one, split="train"))
        elif (same.focal_target, same.counterparty_target) != (one.focal_target, one.counterparty_target):
            raise BadInput(
                f"The imported sweep has a scenario {one.id} with the targets {one.focal_target:g} and "
                f"{one.counterparty_target:g}; this configuration's {one.id} has {same.focal_target:g} and "
                f"{same.counterparty_target:g}. Name the file that the sweep was played on under "
                f"scenarios.csv.{one.domain}, or give the sweep's scenarios other ids."
            )
        elif same.split == "train":
            train.append(same)
    if not train:
        raise BadInput("Every scenario of the imported sweep is held out by this configuration, so there is nothing to "
                       "train on. Raise scenarios.train, or import another sweep.")  # fmt: skip
    return (*train, *held_out)


def _are_one(a: Scenario, b: Scenario) -> bool:
    """Whether both have the same targets, and no fact that both state differs."""
    targets = (a.focal_target, a.counterparty_target) == (b.focal_target, b.counterparty_target)
    stated, facts = dict(a.facts), dict(b.facts)
    both = [name for name, text in facts.items() if text and stated.get(name)]
    return a.domain == b.domain and targets and bool(both) and all(stated[name] == facts[name] for name in both)
