"""What each evaluated variant is made of (METHOD.md §8): which adapter speaks, and who chooses the emotion.

The ladder isolates one thing at a time: `sft` and `sft+jpo` show random emotions like the sweep; `full` is `sft+jpo`
with the trained selector; `alol` is `full` whose JPO learns from positive advantages only (κ = 0); `emotion-free` is
SFT and JPO trained and run without any emotion block; `vanilla-llm` is the teacher without any.
"""

from dataclasses import dataclass, replace
from pathlib import Path
from typing import Literal

from emodistill.config import ALOL, EMOTIONLESS, Config, Signal, Spec
from emodistill.policy.selectors import fixed, no_emotion, random_emotion, trained
from emodistill.recipes import WITH_EMOTION, Recipe, SelectorRecipe
from emodistill.records import Select
from emodistill.runs import RunDir


@dataclass(frozen=True, slots=True)
class Variant:
    """`trained`: with which stages' adapter of the recipe it speaks; None: the base model.

    `selector`: none, random, iql or an emotion label. `iql_signal`: the selector's, if not the configured one.
    """

    name: str
    trained: Literal["sft", "jpo"] | None
    selector: str
    recipe: Recipe = WITH_EMOTION
    role: Literal["student", "teacher"] = "student"  # whose model speaks
    iql_signal: Signal | None = None

    @property
    def adapter(self) -> tuple[str, str] | None:
        """Stage and task of its adapter."""
        if self.trained is None:
            return None
        return self.trained, self.recipe.sft_task if self.trained == "sft" else self.recipe.jpo_task

    def selectors(self, config: Config) -> dict[str, str]:
        """Domain → iql task of its selector there; nothing if it has none."""
        if self.selector != "iql":
            return {}
        domains = config.scenarios.domains
        own = {domain: self.recipe.domain or (domain if config.iql.per_domain else None) for domain in domains}
        return {domain: SelectorRecipe(name, self.iql_signal).task for domain, name in own.items()}


_NAMED = {
    v.name: v
    for v in (
        Variant("vanilla-slm", None, "none"),
        Variant("vanilla-llm", None, "none", role="teacher"),
        Variant("random-emotion", None, "random"),
        Variant("iql-only", None, "iql"),
        Variant("sft", "sft", "random"),
        Variant("sft+jpo", "jpo", "random"),
        Variant("full", "jpo", "iql"),
        Variant(EMOTIONLESS, "jpo", "none", Recipe(EMOTIONLESS)),
        Variant(ALOL, "jpo", "iql", Recipe(alol=True)),
    )
}


def variant_named(name: str) -> Variant:
    """The variant of that name; `fixed:<emotion>` is the base model with one emotion."""
    return _NAMED.get(name) or Variant(name, None, name.removeprefix("fixed:"))


def with_signal(stage: Literal["iql", "sft", "jpo"], signal: Signal) -> Variant:
    """`full`, one of whose stages learns from another signal (METHOD.md §8)."""
    full, name = variant_named("full"), f"full.{stage}-{signal}"
    if stage == "iql":
        return replace(full, name=name, iql_signal=signal)
    base = full.recipe
    recipe = replace(base, sft_signal=signal) if stage == "sft" else replace(base, jpo_signal=signal)
    return replace(full, name=name, recipe=recipe)


def trained_on(domain: str) -> Variant:
    """`full`, all of whose stages learn from one domain only."""
    full = variant_named("full")
    return replace(full, name=f"full@{domain}", recipe=replace(full.recipe, domain=domain))


def speaker(config: Config, variant: Variant) -> Spec:
    """The model that plays the variant."""
    return config.models.teacher if variant.role == "teacher" else config.models.student


def adapter_folder(run: RunDir, variant: Variant) -> Path | None:
    """Where the variant's adapter lies."""
    return None if variant.adapter is None else run.path(*variant.adapter, "adapter")


def selector_of(run: RunDir, variant: Variant) -> Select:
    """The variant's emotion selector."""
    if variant.selector == "iql":
        return trained({domain: run.path("iql", task) for domain, task in variant.selectors(run.config()).items()})
    return {"none": no_emotion, "random": random_emotion}.get(variant.selector) or fixed(variant.selector)
