"""Sequences that begin alike, laid out as a tree: what they share is computed once.

All dialogues of a domain begin with the same words, and those of one scenario with the same message. A token's state in
a causal model depends only on what stands before it, so a shared beginning has the same states, and its gradient is the
sum over the sequences that go on from it.
"""

from collections.abc import Sequence
from dataclasses import dataclass

import torch
from torch import Tensor


@dataclass(frozen=True, slots=True)
class Branch:
    """One sequence: its own tokens lie at [start, stop) of the tree, and `shared` tokens stand before them."""

    start: int
    stop: int
    shared: int
    path: Tensor  # int64 [shared + stop - start], where each token of the sequence lies in the tree


@dataclass(frozen=True, slots=True)
class Tree:
    """Tokens of all sequences, each shared beginning once."""

    ids: Tensor  # int64 [tokens]
    position: Tensor  # int64 [tokens], place in its sequence
    branches: tuple[Branch, ...]  # in the order of the sequences they were made from


def tree_of(sequences: Sequence[Sequence[int]]) -> Tree:
    """Lay out the sequences. In sorted order, a sequence shares most with the one before it."""
    ids: list[int] = []
    position: list[int] = []
    branches: dict[int, Branch] = {}
    path: list[int] = []
    before: Sequence[int] = ()
    for number in sorted(range(len(sequences)), key=lambda i: tuple(sequences[i])):
        sequence = sequences[number]
        shared = _common(before, sequence)
        start, stop = len(ids), len(ids) + len(sequence) - shared
        path = [*path[:shared], *range(start, stop)]
        ids += sequence[shared:]
        position += range(shared, len(sequence))
        branches[number] = Branch(start, stop, shared, torch.tensor(path))
        before = sequence
    return Tree(torch.tensor(ids), torch.tensor(position), tuple(branches[i] for i in range(len(sequences))))


def _common(one: Sequence[int], other: Sequence[int]) -> int:
    """Length of the common beginning."""
    return next((i for i, (a, b) in enumerate(zip(one, other, strict=False)) if a != b), min(len(one), len(other)))
