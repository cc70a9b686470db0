"""The main figure: utility of each variant with its interval."""

from collections.abc import Sequence
from pathlib import Path

import numpy as np

from emodistill.report.figures.style import BLUE, SKY, drawing
from emodistill.report.tables import Row


def utility_figure(rows: Sequence[Row], title: str, note: str, paths: Sequence[Path]) -> None:
    """Dots with 95 % bars, one line a variant in table order, written to each path by its suffix."""
    with drawing(paths, 7.2, 0.9 + 0.42 * len(rows)) as [[axes]]:
        for y, row in enumerate(rows):
            e = row.estimates["utility"]
            if np.isnan(e.value):
                axes.text(1, y, "no valid episode", va="center")
                continue
            axes.plot([e.low, e.high], [y, y], color=SKY, alpha=0.6, linewidth=6, solid_capstyle="round", zorder=1)
            axes.plot(e.value, y, "o", color=BLUE, zorder=2)
            axes.annotate(f"{e.value:.1f}", (e.value, y), (0, 7), textcoords="offset points", ha="center", fontsize=9)
        axes.set_yticks(range(len(rows)), [row.variant for row in rows])
        axes.set_ylim(len(rows) - 0.5, -0.7)
        axes.set_xlim(-2, 102)
        axes.set_xlabel(f"utility (0-100), 95 % interval clustered by scenario; {note}")
        axes.set_title(title)
        axes.spines["left"].set_visible(False)
        axes.tick_params(left=False)
        axes.grid(axis="x")
