"""Seeds from names: the same parts give the same seed in any process, shard, order or resumption (METHOD.md §3)."""

import hashlib
from bisect import bisect_right
from collections.abc import Iterable, Sequence
from itertools import accumulate
from typing import TypeVar

T = TypeVar("T")
_FINE = 1 << 20


def seed_of(*parts: object) -> int:
    """Hash the parts (by their text) to a seed in [0, 2^63)."""
    text = ("%s\x1f" * len(parts) % parts)[:-1]
    return int.from_bytes(hashlib.blake2b(text.encode(), digest_size=8).digest(), "big") >> 1


class Dice:
    """Independent draws from one seed, uniform in [0, 2^63): its digits in changing bases."""

    __slots__ = ("_left",)

    def __init__(self, seed: int) -> None:
        self._left = seed

    def roll(self, sides: int) -> int:
        """One of 0 … sides − 1."""
        self._left, face = divmod(self._left, sides)
        return face

    def share(self) -> float:
        """A number in [0, 1), in steps of 2^-20."""
        return self.roll(_FINE) / _FINE

    def pick(self, bank: Sequence[T]) -> T:
        """One of `bank`."""
        return bank[self.roll(len(bank))]

    def weighted(self, weights: Iterable[float]) -> int:
        """The index of one of `weights`, which add up to 1, by chance."""
        below = list(accumulate(weights))
        return min(bisect_right(below, self.share()), len(below) - 1)
