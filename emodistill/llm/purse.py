"""What a run may spend at one endpoint, drawn in slices by all of its processes (ours).

A slice counts as spent from the moment it is drawn, so that all processes together never exceed the cap; what is left
of it goes back when its process closes. A killed process keeps its slice, which is at most what a few requests cost.
"""

import hashlib
from collections.abc import Callable
from pathlib import Path
from typing import NamedTuple

from emodistill import files
from emodistill.config import OpenAI
from emodistill.errors import RunFailed
from emodistill.locks import Held, hold

_WAIT_S = 60.0  # another process holds the purse for milliseconds


class Tokens(NamedTuple):
    """Prompt and generated tokens."""

    prompt: int = 0
    generated: int = 0

    def plus(self, other: "Tokens") -> "Tokens":
        """Both together."""
        return Tokens(self.prompt + other.prompt, self.generated + other.generated)

    def minus(self, other: "Tokens") -> "Tokens":
        """What is left without the other."""
        return Tokens(self.prompt - other.prompt, self.generated - other.generated)

    def times(self, number: int) -> "Tokens":
        """So many of it."""
        return Tokens(self.prompt * number, self.generated * number)

    def covers(self, other: "Tokens") -> bool:
        """Whether the other can be taken from it."""
        return self.prompt >= other.prompt and self.generated >= other.generated


class Purse:
    """Tokens drawn so far; in `folder`, which all processes of the run see, or in this process alone."""

    def __init__(self, spec: OpenAI, folder: Path | None) -> None:
        endpoint = hashlib.sha256(f"{spec.base_url} {spec.model}".encode()).hexdigest()[:12]
        self._path = None if folder is None else folder / f"{endpoint}.json"
        self._about = {"base_url": spec.base_url, "model": spec.model}
        self.drawn = Tokens()  # as of the last look

    def draw(self, slices: list[Tokens], allowed: Callable[[Tokens], bool]) -> Tokens:
        """Take the first of the slices after which the total is `allowed`, and give it; nothing if none is."""
        if self._path is None:
            return self._take(slices, allowed)
        self._path.parent.mkdir(parents=True, exist_ok=True)
        try:
            with hold(self._path.with_suffix(".lock"), _WAIT_S):
                return self._take_recorded(self._path, slices, allowed)
        except Held as held:
            raise RunFailed(f"{self._path} is held by {held}. Stop that process, and run again.") from None

    def give_back(self, left: Tokens) -> None:
        """Return what was drawn and not used."""
        self.draw([Tokens().minus(left)], lambda _: True)

    def _take_recorded(self, path: Path, slices: list[Tokens], allowed: Callable[[Tokens], bool]) -> Tokens:
        if path.exists():
            try:
                said = files.read_sealed(path)
            except ValueError as error:
                raise RunFailed(
                    f"{path} is damaged ({error}): what was spent at {self._about['base_url']} cannot be told. "
                    "Look it up there, lower the cap by it, remove the file (`verify --repair` does), and run again."
                ) from None
            self.drawn = Tokens(said["prompt_tokens"], said["generated_tokens"])
        taken = self._take(slices, allowed)
        if taken != Tokens():
            prompt, generated = self.drawn
            files.write_sealed(path, {**self._about, "prompt_tokens": prompt, "generated_tokens": generated})
        return taken

    def _take(self, slices: list[Tokens], allowed: Callable[[Tokens], bool]) -> Tokens:
        for wanted in slices:
            if allowed(self.drawn.plus(wanted)):
                self.drawn = self.drawn.plus(wanted)
                return wanted
        return Tokens()
