"""How an adapter or a selector is trained, as its task's name says it: `emotion`, `emotion@crad`, `emotion.sft-judge`.

A name is prompts, then `@` and a domain if only that domain's dialogues are learnt from, then `.sft-` or `.jpo-` and a
signal where it is not the configured one. Selectors: `selector` or a domain, then `.` and a signal. Pure.
"""

import re
from dataclasses import dataclass
from typing import cast

from emodistill.config import ALOL, EMOTIONLESS, Signal

POOLED = "selector"
_RECIPE = re.compile(r"([\w-]+?)(?:@([\w-]+))?(?:\.sft-(judge|outcome|hybrid))?(?:\.jpo-(judge|outcome|hybrid))?")


@dataclass(frozen=True, slots=True)
class Recipe:
    """One policy. `alol`: its JPO learns from positive advantages only, on the emotion prompts' SFT adapter."""

    prompts: str = "emotion"  # or emotion-free
    domain: str | None = None
    sft_signal: Signal | None = None
    jpo_signal: Signal | None = None
    alol: bool = False

    @classmethod
    def of(cls, task: str) -> "Recipe":
        """The recipe of an sft or jpo task."""
        if task == ALOL:
            return cls(alol=True)
        found = _RECIPE.fullmatch(task)
        if found is None or found[1] not in ("emotion", EMOTIONLESS):
            raise ValueError(f"{task!r} names no recipe")
        return cls(found[1], found[2], cast(Signal | None, found[3]), cast(Signal | None, found[4]))

    @property
    def sft_task(self) -> str:
        """The task that trains its SFT adapter, which JPO recipes share."""
        domain = f"@{self.domain}" if self.domain else ""
        return f"{self.prompts}{domain}" + (f".sft-{self.sft_signal}" if self.sft_signal else "")

    @property
    def jpo_task(self) -> str:
        """The task that trains its JPO adapter."""
        if self.alol:
            return ALOL
        return self.sft_task + (f".jpo-{self.jpo_signal}" if self.jpo_signal else "")


WITH_EMOTION = Recipe()


@dataclass(frozen=True, slots=True)
class SelectorRecipe:
    """One selector; `domain` None: trained on all of them."""

    domain: str | None = None
    signal: Signal | None = None

    @classmethod
    def of(cls, task: str) -> "SelectorRecipe":
        """The recipe of an iql task."""
        name, _, signal = task.partition(".")
        return cls(None if name == POOLED else name, cast(Signal | None, signal or None))

    @property
    def task(self) -> str:
        """The iql task that trains it."""
        return (self.domain or POOLED) + (f".{self.signal}" if self.signal else "")
