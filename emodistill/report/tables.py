"""The main table and the paired differences."""

from collections.abc import Sequence
from dataclasses import dataclass, replace

import numpy as np

from emodistill.evaluate.metrics import METRICS, EvalRecords, paired, ratio_parts
from emodistill.report.sheet import Cell, Column, Sheet, markdown_of
from emodistill.report.statistics import Estimate, benjamini_hochberg, cluster_ratio, paired_difference, swap_p

COMPARED = (("full", "vanilla-slm"), ("full", "sft"), ("full", "iql-only"), ("full", "emotion-free"),
            ("iql-only", "random-emotion"), ("sft", "vanilla-slm"))  # fmt: skip
HIGHER_IS_BETTER = ("success", "outcomes", "utility")  # rounds are no merit either way
_BEST = "Bold: better than every other variant, each paired 95 % interval of the difference excludes 0."


@dataclass(frozen=True, slots=True)
class Row:
    """One variant's line of the main table."""

    variant: str
    estimates: dict[str, Estimate]
    n: int  # valid episodes
    errors: int
    agreed: int  # of the valid ones, what outcomes are over
    scenarios: int  # of the valid ones, what intervals resample


@dataclass(frozen=True, slots=True)
class Difference:
    """Utility of one variant minus another's; p two-sided, and adjusted over all comparisons of the table."""

    estimate: Estimate
    p: float
    adjusted: float


Found = dict[tuple[str, str], Difference]


def main_rows(records: dict[str, EvalRecords], resamples: int, seed: int) -> list[Row]:
    """One row a variant, in the given order."""
    rows = []
    for variant, episodes in records.items():
        clusters = episodes.scenario[episodes.valid]
        estimates = {m: cluster_ratio(*ratio_parts(episodes, m), clusters, resamples, seed) for m in METRICS}
        agreed = int((episodes.agreed & episodes.valid).sum())
        count = len(np.unique(clusters))
        rows.append(Row(variant, estimates, len(clusters), len(episodes) - len(clusters), agreed, count))
    return rows


def differences(records: dict[str, EvalRecords], resamples: int, seed: int) -> Found:
    """Paired differences in utility for the comparisons whose two variants were run."""
    found = {}
    for pair in COMPARED:
        if set(pair) <= set(records):
            ours, theirs = paired(records[pair[0]], records[pair[1]])
            sides = ratio_parts(ours, "utility"), ratio_parts(theirs, "utility"), ours.scenario, resamples, seed
            found[pair] = paired_difference(*sides), swap_p(*sides)
    adjusted = benjamini_hochberg(np.array([p for _, p in found.values()]))
    return {pair: Difference(*of, float(a)) for (pair, of), a in zip(found.items(), adjusted, strict=True)}


def best(records: dict[str, EvalRecords], rows: Sequence[Row], resamples: int, seed: int) -> dict[str, str]:
    """Metric to the variant that beats every other one there; a metric without such a variant is left out.

    All its paired intervals have to exclude 0. That needs no correction for their number (Berger, Technometrics 24,
    1982: an intersection-union test). Who shares no valid negotiation with the others cannot be beaten.
    """
    found = {}
    for metric in HIGHER_IS_BETTER:
        values = {row.variant: row.estimates[metric].value for row in rows}
        known = [variant for variant, value in values.items() if not np.isnan(value)]
        if not known:
            continue
        leader = max(known, key=values.__getitem__)
        others = [variant for variant in values if variant != leader]
        pairs = (paired(records[leader], records[other]) for other in others)
        if others and all(
            paired_difference(ratio_parts(a, metric), ratio_parts(b, metric), a.scenario, resamples, seed).low > 0
            for a, b in pairs
        ):
            found[metric] = leader
    return found


def main_sheet(
    rows: Sequence[Row],
    title: str,
    counterparty: str,
    not_run: Sequence[str] = (),
    notes: Sequence[str] = (),
    leaders: dict[str, str] | None = None,
) -> Sheet:
    """The main table. In CSV the interval ends follow, then who the counterparty was, and what the figures are over."""
    headings = ("success %", "outcomes", "utility", "rounds")
    ends = [Column(f"{metric}_{end}", "") for metric in METRICS for end in ("low", "high")]
    columns = (
        Column("variant", "variant"),
        *(Column(metric, heading) for metric, heading in zip(METRICS, headings, strict=True)),
        Column("n", "n"), Column("errors", "errors"),
        *ends,
        Column("counterparty", ""), Column("agreed", ""), Column("scenarios", ""),
    )  # fmt: skip
    cells: list[tuple[Cell, ...]] = [_main_cells(row, counterparty) for row in rows]
    gone = [None] * (len(METRICS) + 2 + len(ends))
    cells += [(variant, *gone, counterparty, None, None) for variant in not_run]
    names = [row.variant for row in rows]
    marked = frozenset((names.index(v), 1 + METRICS.index(m)) for m, v in (leaders or {}).items())
    return Sheet(title, columns, tuple(cells), (*notes, *([_BEST] if marked else [])), marked)


def _main_cells(row: Row, counterparty: str) -> tuple[Cell, ...]:
    values = [row.estimates[metric] for metric in METRICS]
    ends = [end for e in values for end in (e.low, e.high)]
    return (row.variant, *values, row.n, row.errors, *ends, counterparty, row.agreed, row.scenarios)


def differences_sheet(found: Found, title: str, counterparty: str) -> Sheet:
    """Paired utility differences."""
    columns = (
        Column("variant", ""), Column("minus", ""), Column("", "paired difference in utility"),
        Column("utility_difference", "value"), Column("low", ""), Column("high", ""), Column("n", "n"),
        Column("", "interval excludes 0"), Column("counterparty", ""), Column("p", ""),
        Column("p_adjusted", "p, adjusted", 4),
    )  # fmt: skip
    rows = []
    for (a, b), of in found.items():
        e, clear = of.estimate, "yes" if of.estimate.excludes_zero() else "no"
        rows.append((a, b, f"{a} − {b}", e, e.low, e.high, e.n, clear, counterparty, of.p, of.adjusted))
    return Sheet(title, columns, tuple(rows), (_P_NOTE,) if rows else ())


_P_NOTE = "p: two-sided, by swapping whole scenarios; adjusted over the comparisons here (Benjamini-Hochberg)."


def main_markdown(main: Sheet, found: Sheet) -> str:
    """The page people read: the main table and, if there are any, the paired differences below."""
    return markdown_of(main) + ("\n" + markdown_of(replace(found, title="")) if found.rows else "")
