"""What each evaluated variant is made of (METHOD.md §8): which adapter speaks, and who chooses the emotion.

The ladder isolates one thing at a time: `sft` and `sft+jpo` show random emotions like the sweep; `full` is `sft+jpo`
with the trained selector; `emotion-free` is SFT and JPO trained and run without any emotion block.
"""

from dataclasses import dataclass
from pathlib import Path

from emodistill.config import EMOTIONLESS
from emodistill.policy.selectors import Select, fixed, no_emotion, random_emotion, trained
from emodistill.runs import RunDir


@dataclass(frozen=True, slots=True)
class Variant:
    """`adapter` is (stage, recipe) or None for the base model; `selector` is none, random, iql or an emotion label."""

    name: str
    adapter: tuple[str, str] | None
    selector: str


_NAMED = {
    v.name: v
    for v in (
        Variant("vanilla-slm", None, "none"),
        Variant("random-emotion", None, "random"),
        Variant("iql-only", None, "iql"),
        Variant("sft", ("sft", "emotion"), "random"),
        Variant("sft+jpo", ("jpo", "emotion"), "random"),
        Variant("full", ("jpo", "emotion"), "iql"),
        Variant(EMOTIONLESS, ("jpo", EMOTIONLESS), "none"),
    )
}


def variant_named(name: str) -> Variant:
    """The variant of that name; `fixed:<emotion>` is the base model with one emotion."""
    return _NAMED.get(name) or Variant(name, None, name.removeprefix("fixed:"))


def adapter_folder(run: RunDir, variant: Variant) -> Path | None:
    """Where the variant's adapter lies."""
    return None if variant.adapter is None else run.path(*variant.adapter, "adapter")


def selector_of(run: RunDir, variant: Variant) -> Select:
    """The variant's emotion selector."""
    if variant.selector == "iql":
        return trained(run.path("iql", "selector"))
    return {"none": no_emotion, "random": random_emotion}.get(variant.selector) or fixed(variant.selector)
