"""The main table and the paired differences, as CSV and Markdown."""

import csv
import io
import math
from collections.abc import Sequence
from dataclasses import dataclass

import numpy as np

from emodistill.evaluate.metrics import METRICS, EvalRecord, ratio_parts
from emodistill.report.statistics import Estimate, cluster_ratio, paired_difference

COMPARED = (("full", "vanilla-slm"), ("full", "sft"), ("full", "iql-only"), ("full", "emotion-free"),
            ("iql-only", "random-emotion"), ("sft", "vanilla-slm"))  # fmt: skip
MISSING = "not run"


@dataclass(frozen=True, slots=True)
class Row:
    """One variant's line of the main table."""

    variant: str
    estimates: dict[str, Estimate]
    n: int  # valid episodes
    errors: int


def main_rows(records: dict[str, list[EvalRecord]], resamples: int, seed: int) -> list[Row]:
    """One row a variant, in the given order."""
    rows = []
    for variant, episodes in records.items():
        clusters = np.array([record.scenario_id for record in episodes if record.valid])
        estimates = {m: cluster_ratio(*ratio_parts(episodes, m), clusters, resamples, seed) for m in METRICS}
        rows.append(Row(variant, estimates, len(clusters), len(episodes) - len(clusters)))
    return rows


def differences(records: dict[str, list[EvalRecord]], resamples: int, seed: int) -> dict[tuple[str, str], Estimate]:
    """Paired differences in utility for the comparisons whose two variants were run."""
    utility = {
        variant: {(r.scenario_id, r.rollout): 100 * r.savings for r in episodes if r.valid}
        for variant, episodes in records.items()
    }
    return {
        pair: paired_difference(utility[pair[0]], utility[pair[1]], resamples, seed)
        for pair in COMPARED
        if set(pair) <= set(utility)
    }


def main_csv(rows: Sequence[Row], counterparty: str) -> str:
    """The main table as CSV.

    `variant, success, outcomes, utility, rounds, n, errors`, then the interval ends, then who the counterparty was.
    """
    ends = [f"{metric}_{end}" for metric in METRICS for end in ("low", "high")]
    lines: list[list[object]] = [["variant", *METRICS, "n", "errors", *ends, "counterparty"]]
    for row in rows:
        values = [plain(row.estimates[metric].value) for metric in METRICS]
        bounds = [plain(bound) for m in METRICS for bound in (row.estimates[m].low, row.estimates[m].high)]
        lines.append([row.variant, *values, row.n, row.errors, *bounds, counterparty])
    return csv_text(lines)


def differences_csv(found: dict[tuple[str, str], Estimate], counterparty: str) -> str:
    """Paired utility differences."""
    lines: list[list[object]] = [["variant", "minus", "utility_difference", "low", "high", "n", "counterparty"]]
    lines += [[a, b, plain(e.value), plain(e.low), plain(e.high), e.n, counterparty] for (a, b), e in found.items()]
    return csv_text(lines)


def main_markdown(
    rows: Sequence[Row],
    found: dict[tuple[str, str], Estimate],
    title: str,
    not_run: Sequence[str],
    notes: Sequence[str],
) -> str:
    """The table people read: value and 95 % interval in one cell, and the paired differences below."""
    lines = [
        f"**{title}**",
        "",
        "| variant | success % | outcomes | utility | rounds | n | errors |",
        "|---|---|---|---|---|---|---|",
    ]
    for row in rows:
        cells = " | ".join(_cell(row.estimates[metric]) for metric in METRICS)
        lines.append(f"| {row.variant} | {cells} | {row.n} | {row.errors} |")
    lines += [f"| {variant} | {' | '.join([MISSING] * 6)} |" for variant in not_run]
    lines += [line for note in notes for line in ("", note)]
    if found:
        lines += ["", "| paired difference in utility | value | n | interval excludes 0 |", "|---|---|---|---|"]
        lines += [
            f"| {a} − {b} | {_cell(e)} | {e.n} | {'yes' if e.excludes_zero() else 'no'} |"
            for (a, b), e in found.items()
        ]
    return "\n".join(lines) + "\n"


def _cell(estimate: Estimate) -> str:
    if math.isnan(estimate.value):
        return "–"
    interval = "" if math.isnan(estimate.low) else f" [{estimate.low:.1f}, {estimate.high:.1f}]"
    return f"{estimate.value:.1f}{interval}"


def plain(value: float) -> str:
    """A figure in a CSV; empty if there is none."""
    return "" if math.isnan(value) else f"{value:.4f}"


def csv_text(lines: list[list[object]]) -> str:
    """Rows as CSV."""
    buffer = io.StringIO()
    csv.writer(buffer, lineterminator="\n").writerows(lines)
    return buffer.getvalue()
