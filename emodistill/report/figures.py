"""The main figure: utility of each variant with its interval."""

from collections.abc import Sequence
from pathlib import Path

import numpy as np

from emodistill.files import replace_atomically
from emodistill.report.tables import Row

_DOT, _BAND, _INK = (
    "#0072B2",
    "#9ecae1",
    "#333333",
)  # Okabe-Ito blue: safe for colour-blind readers, dark enough in print


def utility_figure(rows: Sequence[Row], title: str, note: str, paths: Sequence[Path]) -> None:
    """Dots with 95 % bars, one line a variant in table order, written to each path by its suffix."""
    import matplotlib

    matplotlib.use("Agg")
    from matplotlib import pyplot

    with pyplot.rc_context({"svg.hashsalt": "emodistill", "font.size": 10}):
        figure, axes = pyplot.subplots(figsize=(7.2, 0.9 + 0.42 * len(rows)), layout="constrained")
        for y, row in enumerate(rows):
            e = row.estimates["utility"]
            if np.isnan(e.value):
                axes.text(1, y, "no valid episode", va="center", color=_INK)
                continue
            axes.plot([e.low, e.high], [y, y], color=_BAND, linewidth=6, solid_capstyle="round", zorder=1)
            axes.plot(e.value, y, "o", color=_DOT, zorder=2)
            axes.annotate(
                f"{e.value:.1f}", (e.value, y), (0, 7), textcoords="offset points", ha="center", fontsize=9, color=_INK
            )
        axes.set_yticks(range(len(rows)), [row.variant for row in rows])
        axes.set_ylim(len(rows) - 0.5, -0.7)
        axes.set_xlim(-2, 102)
        axes.set_xlabel(f"utility (0-100), 95 % interval clustered by scenario; {note}")
        axes.set_title(title, loc="left", fontsize=11)
        axes.spines[["top", "right", "left"]].set_visible(False)
        axes.tick_params(left=False)
        axes.grid(axis="x", color="#e5e5e5", zorder=0)
        for path in paths:
            replace_atomically(
                path,
                lambda temporary, kind=path.suffix[1:]: figure.savefig(
                    temporary, format=kind, dpi=160, metadata=_undated(kind)
                ),
            )
        pyplot.close(figure)


def _undated(kind: str) -> dict[str, None] | None:
    return {"Date": None} if kind == "svg" else None
