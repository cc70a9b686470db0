"""The evaluation's cells (METHOD.md §8): who speaks, against whom. Each is a task with a shard of its own.

Every cell plays the same scenarios with the same seeds, so any two can be paired episode by episode.
"""

from collections.abc import Iterator
from dataclasses import dataclass
from itertools import permutations
from typing import Any, Literal, get_args

from emodistill.config import Config, Signal, Spec
from emodistill.emotions import GOEMOTIONS
from emodistill.evaluate.variants import Variant, trained_on, variant_named, with_signal
from emodistill.recipes import WITH_EMOTION, Recipe

Stage = Literal["iql", "sft", "jpo"]
Group = Literal["main", "emotions", "ablation", "transfer", "unseen", "tournament"]


@dataclass(frozen=True, slots=True)
class Cell:
    """`variant` on the focal seat; on the other the configured counterparty, or what is named here."""

    name: str
    group: Group
    variant: Variant
    persona: str | None = None
    model: str | None = None  # a key of evaluate.counterparties
    opponent: Variant | None = None  # a trained policy that shows emotions of its own

    def counterparty(self, config: Config) -> Spec:
        """The other side's model, if it is no trained policy."""
        return config.evaluate.counterparties[self.model] if self.model else config.models.counterparty

    def policies(self) -> tuple[Variant, ...]:
        """Everything trained that it needs."""
        return (self.variant,) if self.opponent is None else (self.variant, self.opponent)

    def settings(self, config: Config) -> dict[str, Any]:
        """What only this cell depends on: nothing for the plain ones."""
        own = {"persona": self.persona, "opponent": self.opponent and self.opponent.name}
        spec = self.model and config.evaluate.counterparties[self.model].model_dump(mode="json")
        taught = any(variant.role == "teacher" for variant in self.policies())
        teacher = taught and config.models.teacher.model_dump(mode="json")
        return {key: value for key, value in {**own, "counterparty": spec, "teacher": teacher}.items() if value}


def cells(config: Config) -> dict[str, Cell]:
    """All cells of a run by name, each once, in the order of the tables."""
    found: dict[str, Cell] = {}
    for cell in _cells(config):
        found.setdefault(cell.name, cell)
    return found


def _cells(config: Config) -> Iterator[Cell]:
    asked = config.evaluate
    for name in asked.variants:
        yield Cell(name, "main", variant_named(name))
    if asked.ablation:
        yield Cell("full", "ablation", variant_named("full"))
        for stage, signal, name in ablated(config):
            if name != "full":
                yield Cell(name, "ablation", with_signal(stage, signal))
    if asked.transfer:
        for domain in config.scenarios.domains:
            yield Cell(f"full@{domain}", "transfer", trained_on(domain))
    for name in asked.unseen if asked.personas or asked.counterparties else ():
        yield Cell(name, "unseen", variant_named(name))  # against the usual one, to be compared with
        for persona in asked.personas:
            yield Cell(f"{name}.vs-{persona}", "unseen", variant_named(name), persona=persona)
        for model in asked.counterparties:
            yield Cell(f"{name}.vs-{model}", "unseen", variant_named(name), model=model)
    if asked.emotions:
        for emotion in GOEMOTIONS:
            yield Cell(f"fixed:{emotion}", "emotions", variant_named(f"fixed:{emotion}"))
    for one, other in permutations(asked.tournament, 2):
        yield Cell(f"{one}.against.{other}", "tournament", variant_named(one), opponent=variant_named(other))


def ablated(config: Config) -> list[tuple[Stage, Signal, str]]:
    """Stage, signal and cell of each line of the signal ablation; the configured signals are those of `full`."""
    configured: dict[Stage, Signal] = {"iql": config.iql.signal, "sft": config.sft.signal, "jpo": config.jpo.signal}
    return [
        (stage, signal, "full" if signal == usual else with_signal(stage, signal).name)
        for stage, usual in configured.items()
        for signal in get_args(Signal)
    ]


def recipes(config: Config) -> tuple[Recipe, ...]:
    """The policies to train: the one with emotion, and all that a cell needs."""
    needed = [v.recipe for cell in cells(config).values() for v in cell.policies() if v.trained]
    return tuple(dict.fromkeys([WITH_EMOTION, *needed]))


def sft_tasks(config: Config) -> tuple[str, ...]:
    """The SFT adapters of all recipes."""
    return tuple(dict.fromkeys(recipe.sft_task for recipe in recipes(config)))


def jpo_tasks(config: Config) -> tuple[str, ...]:
    """The JPO adapters of all recipes."""
    return tuple(dict.fromkeys(recipe.jpo_task for recipe in recipes(config)))


def iql_tasks(config: Config) -> tuple[str, ...]:
    """The selectors: the configured one or ones, and all that a cell needs."""
    needed = [task for cell in cells(config).values() for v in cell.policies() for task in v.selectors(config).values()]
    return tuple(dict.fromkeys([*variant_named("full").selectors(config).values(), *needed]))
