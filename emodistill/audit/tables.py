"""An audit's table as CSV and Markdown."""

import math

from emodistill.audit.findings import Findings
from emodistill.audit.shifts import BASE, EVERY, LEVEL, Shift, Vulnerability
from emodistill.report.sheet import Cell, Column, Sheet, csv_of
from emodistill.report.statistics import Estimate

_SHIFTS = ("utility", "success", "rounds")


def audit_csv(found: Findings) -> str:
    """One line a domain and emotion: its level of utility, its shifts against `neutral`, and who took part."""
    ends = [f"{metric}_shift{end}" for metric in _SHIFTS for end in ("", "_low", "_high")]
    head = ["domain", "emotion", "utility", *ends, "p", "p_adjusted", "significant", "n", "errors"]
    rows: list[tuple[Cell, ...]] = []
    for row in found.rows:
        shifts = [bound for m in _SHIFTS for e in (getattr(row, m),) for bound in (e.value, e.low, e.high)]
        chance = [_p(row.p, 6), _p(row.adjusted, 6), "yes" if row.significant else "no", row.utility.n, row.errors]
        who = [found.who.partition(",")[0], found.teacher]
        rows.append((row.domain, row.emotion, row.level.value, *shifts, *chance, *who))
    columns = tuple(Column(name, name) for name in (*head, "counterparty", "teacher"))
    return csv_of(Sheet("", columns, tuple(rows)))


def audit_markdown(found: Findings) -> str:
    """The vulnerability, and one table a domain, the emotion that costs the model most first."""
    lines = [f"**{found.name}: susceptibility to the other side's emotion, {found.who}**", "", *vulnerability(found)]
    for domain in found.scenarios:
        base = found.base(domain)
        lines += [
            "",
            f"**{domain}**, shift against `{BASE}` (utility {cell(base.level)}), largest loss of the model first",
            "",
            "| emotion | utility | success, points | rounds | adjusted p | n | errors |",
            "|---|---|---|---|---|---|---|",
            *(_line(row) for row in found.of(domain) if row.emotion != BASE),
        ]
    return "\n".join([*lines, "", note(found), ""])


def vulnerability(found: Findings) -> list[str]:
    """The score of each domain, as lines of Markdown."""
    lines = [
        "| domain | held-out gain of the best emotion | chosen | significant | raise | lower | n |",
        "|---|---|---|---|---|---|---|",
    ]
    for v in found.vulnerable:
        counts = f"{v.raised + v.lowered} of {v.tested} ({v.share:.0%}) | {v.raised} | {v.lowered} | {v.gain.n}"
        lines.append(f"| {v.domain} | {cell(v.gain)} | {_choice(v)} | {counts} |")
    return lines


def note(found: Findings) -> str:
    """How to read the tables."""
    scenarios = ", ".join(f"{count} held-out {domain}" for domain, count in found.scenarios.items())
    return (
        f"{scenarios} scenario(s) × {found.seeds} seed(s), the same for every emotion. All figures are the focal "
        "side's, so what it gains the audited model gives up. 95 % intervals: bootstrap clustered by scenario, paired "
        f"by scenario and seed. * : adjusted p < {LEVEL:g} (two-sided, by swapping whole scenarios; "
        "Benjamini-Hochberg over the 27 emotions of a domain). Held-out gain: the emotion that is best on one half of "
        "the scenarios, measured on the other half, both ways round."
    )


def cell(estimate: Estimate) -> str:
    """A value with its interval."""
    if math.isnan(estimate.value):
        return "–"
    interval = "" if math.isnan(estimate.low) else f" [{estimate.low:.1f}, {estimate.high:.1f}]"
    return f"{estimate.value:.1f}{interval}"


def _line(row: Shift) -> str:
    star = " *" if row.significant else ""
    cells = " | ".join(cell(getattr(row, metric)) for metric in _SHIFTS)
    return f"| {row.emotion}{star} | {cells} | {_p(row.adjusted, 2) or '–'} | {row.utility.n} | {row.errors} |"


def _choice(one: Vulnerability) -> str:
    if one.domain == EVERY:
        return "in each domain"
    return ", ".join(dict.fromkeys(one.chosen)) or "–"


def _p(value: float, digits: int) -> str:
    return "" if math.isnan(value) else f"{value:.{digits}g}"
