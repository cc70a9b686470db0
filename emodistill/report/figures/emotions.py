"""Which emotion is shown when, and what each is worth."""

from collections.abc import Mapping, Sequence
from pathlib import Path

import numpy as np

from emodistill.report.figures.matrix import matrix_figure
from emodistill.report.figures.style import BLUE, SKY, VERMILION, drawing
from emodistill.report.statistics import Estimate

_RARE = 0.005  # of all turns: emotions shown less often share a line


def emotion_turns_figure(counts: Mapping[str, np.ndarray], title: str, note: str, paths: Sequence[Path]) -> None:
    """Shares of the focal turns of each place in the dialogue, %. `counts`: emotion → int [focal turns]."""
    names = sorted(counts, key=lambda name: -counts[name].sum())
    table = np.array([counts[name] for name in names], np.float64)
    at = table.sum(0)
    rare = table.sum(1) < _RARE * table.sum()
    rows = [name for name, one in zip(names, rare, strict=True) if not one]
    values = table[~rare]
    if rare.any() and table[rare].sum():
        rows, values = [*rows, f"{int((table[rare].sum(1) > 0).sum())} others"], np.vstack([values, table[rare].sum(0)])
    with np.errstate(invalid="ignore"):
        shares = np.where(values > 0, 100 * values / at, np.nan)
    columns = [f"{t}\nn={int(n)}" for t, n in enumerate(at, 1)]
    matrix_figure(rows, columns, shares, title, f"focal turn; % of the turns at that place. {note}", paths,
                  digits=0, scale=(0, 100))  # fmt: skip


def emotion_figure(
    estimates: Mapping[str, Estimate], title: str, label: str, paths: Sequence[Path], digits: int = 1
) -> None:
    """Bars from 0 with 95 % intervals and n, the greatest first. `label` names the quantity and what it is against."""
    known = {name: e for name, e in estimates.items() if not np.isnan(e.value)}
    names = sorted(known, key=lambda name: -known[name].value)
    with drawing(paths, 7.2, 1.2 + 0.24 * len(names)) as [[axes]]:
        for y, name in enumerate(names):
            e = known[name]
            axes.barh(y, e.value, 0.72, color=SKY if e.value >= 0 else VERMILION, alpha=0.55, linewidth=0)
            if not np.isnan(e.low):
                axes.plot([e.low, e.high], [y, y], color=BLUE, linewidth=1.6)
            axes.plot(e.value, y, "o", color=BLUE, markersize=3.5)
        axes.set_yticks(range(len(names)), names, fontsize=9)
        axes.set_ylim(len(names) - 0.4, -0.6)
        axes.axvline(0, linewidth=0.8, color=BLUE)
        figures = axes.secondary_yaxis("right")
        figures.set_yticks(range(len(names)), [f"{known[name].value:+.{digits}f}  n={known[name].n}" for name in names],
                           fontsize=8)  # fmt: skip
        for side in (axes, figures):
            side.tick_params(axis="y", length=0)
            side.spines[["left", "right"]].set_visible(False)
        axes.set_title(title)
        axes.set_xlabel(f"{label}; 95 % interval clustered by scenario", fontsize=9)
        axes.grid(axis="x")
