"""A labelled matrix of numbers: transfer, the tournament, emotions by turn."""

import textwrap
from collections.abc import Sequence
from pathlib import Path
from typing import Any

import numpy as np

from emodistill.report.figures.style import DARK_TEXT, GRID, LIGHT_TEXT, drawing

_SHADES = ("#f2f7fb", "#9ecae1", "#3787c0", "#08306b")  # one hue, darker is more: prints in grey
_DARK = 0.55  # from this share of the scale on, light text is legible


def matrix_figure(
    names_rows: Sequence[str], names_columns: Sequence[str], values: np.ndarray, title: str, note: str,
    paths: Sequence[Path], digits: int = 1, scale: tuple[float, float] | None = None,
) -> None:  # fmt: skip
    """`values` float [rows, columns], each written in its cell; NaN is an empty one. `note` stands below.

    `scale`: what the lightest and the darkest shade stand for; by default the least and the greatest value.
    """
    known = values[~np.isnan(values)]
    low, high = scale or ((known.min(), known.max()) if len(known) else (0.0, 1.0))
    labels = max(map(len, names_rows), default=0)
    longest = max((len(line) for name in names_columns for line in name.split("\n")), default=0)
    width = min(11.0, max(4.6, 1.2 + 0.075 * labels + 0.62 * len(names_columns)))
    inside = width - 0.3 - 0.075 * labels  # inches beside the row names, which title and note have to go into
    title, note = (textwrap.fill(text, int(inside * share)) for text, share in ((title, 11.5), (note, 14)))
    with drawing(paths, width, 1.5 + 0.29 * len(names_rows) + 0.15 * note.count("\n")) as [[axes]]:
        axes.pcolormesh(values, cmap=_shades(), vmin=low, vmax=max(high, low + 1e-9), edgecolors=GRID, linewidth=0.8)
        for (r, c), value in np.ndenumerate(values):
            if not np.isnan(value):
                share = (value - low) / max(high - low, 1e-9)
                colour = LIGHT_TEXT if share >= _DARK else DARK_TEXT
                axes.text(c + 0.5, r + 0.5, f"{value:.{digits}f}", ha="center", va="center", fontsize=8, color=colour)
        slanted = longest > 6 and len(names_columns) > 4
        axes.set_xticks(np.arange(len(names_columns)) + 0.5, names_columns, fontsize=9, rotation=35 * slanted,
                        ha="right" if slanted else "center")  # fmt: skip
        axes.set_yticks(np.arange(len(names_rows)) + 0.5, names_rows, fontsize=9)
        axes.invert_yaxis()
        axes.tick_params(length=0)
        axes.spines[:].set_visible(False)
        axes.set_title(title)
        axes.set_xlabel(note, fontsize=9, loc="left")


def _shades() -> Any:
    from matplotlib.colors import LinearSegmentedColormap

    return LinearSegmentedColormap.from_list("shades", _SHADES)  # NaN stays clear
