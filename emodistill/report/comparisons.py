"""What the evaluation's further cells say (METHOD.md §8): shifts against a base, transfer, the tournament. Pure.

Everything is about utility, 0 to 100, and paired by (scenario, seed): all cells play the same negotiations.
"""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from itertools import permutations, product

import numpy as np

from emodistill.evaluate.metrics import EvalRecords, paired, ratio_parts
from emodistill.report.ratings import ratings
from emodistill.report.statistics import Estimate, benjamini_hochberg, cluster_ratio, paired_difference, swap_p


@dataclass(frozen=True, slots=True)
class Shift:
    """One cell against its base. `adjusted`: p over all comparisons of its table (Benjamini-Hochberg)."""

    name: str
    utility: Estimate
    difference: Estimate
    p: float
    adjusted: float


@dataclass(frozen=True, slots=True)
class Matrix:
    """Estimates by row and column; None where a cell did not run."""

    rows: tuple[str, ...]
    columns: tuple[str, ...]
    cells: Mapping[tuple[str, str], Estimate | None]


def mean_utility(records: EvalRecords, resamples: int, seed: int) -> Estimate:
    """Mean over the valid episodes, clustered by scenario."""
    return cluster_ratio(*ratio_parts(records, "utility"), records.scenario[records.valid], resamples, seed)


def shifts(pairs: Sequence[tuple[str, EvalRecords, EvalRecords]], resamples: int, seed: int) -> list[Shift]:
    """One row for each (name, its cell, its base). A base beside itself is no comparison: NaN for p, not counted."""
    found, p = [], []
    for _, cell, base in pairs:
        ours, theirs = paired(cell, base)
        sides = ratio_parts(ours, "utility"), ratio_parts(theirs, "utility"), ours.scenario, resamples, seed
        found.append(paired_difference(*sides))
        p.append(np.nan if cell is base else swap_p(*sides))
    adjusted = benjamini_hochberg(np.array(p))
    return [
        Shift(name, mean_utility(cell, resamples, seed), difference, one, float(after))
        for (name, cell, _), difference, one, after in zip(pairs, found, p, adjusted, strict=True)
    ]


def transfer(
    cells: Mapping[str, EvalRecords], rows: Sequence[str], domains: Sequence[str], resamples: int, seed: int
) -> Matrix:
    """Rows: what was learnt from, columns: where it plays. `domains`: of each scenario of the run, in order."""
    columns, of = tuple(dict.fromkeys(domains)), np.array(domains)
    found: dict[tuple[str, str], Estimate | None] = {}
    for row, column in product(rows, columns):
        here = cells[row].take(of[cells[row].scenario] == column) if row in cells else None
        found[row, column] = None if here is None else mean_utility(here, resamples, seed)
    return Matrix(tuple(rows), columns, found)


def tournament(
    cells: Mapping[tuple[str, str], EvalRecords], players: Sequence[str], resamples: int, seed: int
) -> Matrix:
    """Rows: on the focal seat, columns: on the other; the focal side's utility."""
    found = {
        pair: mean_utility(cells[pair], resamples, seed) if pair in cells else None for pair in permutations(players, 2)
    }
    return Matrix(tuple(players), tuple(players), found)


def standings(
    cells: Mapping[tuple[str, str], EvalRecords], players: Sequence[str], resamples: int, seed: int
) -> dict[str, Estimate]:
    """Bradley-Terry ratings (ours): of two policies that one wins a negotiation who gets more as the focal side.

    Of the same scenario and seed, against the other; alike is half a win for each. So both had the same seat.
    """
    scenarios = np.unique(np.concatenate([cell.scenario for cell in cells.values()])) if cells else np.array([])
    points = np.zeros((len(scenarios), len(players), len(players)))
    for (i, a), (j, b) in permutations(enumerate(players), 2):
        if (a, b) in cells and (b, a) in cells:
            ours, theirs = paired(cells[a, b], cells[b, a])
            won = (np.sign(ours.savings - theirs.savings) + 1) / 2
            np.add.at(points[:, i, j], np.searchsorted(scenarios, ours.scenario), won)
    return dict(zip(players, ratings(points, resamples, seed), strict=True)) if len(scenarios) else {}
