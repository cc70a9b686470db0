"""How both sides' standing offers move over a negotiation."""

import warnings
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from pathlib import Path

import numpy as np

from emodistill.report.figures.style import BLUE, VERMILION, drawing

_SEATS = (("focal", BLUE, "o"), ("counterparty", VERMILION, "s"))


@dataclass(frozen=True, slots=True)
class Standing:
    """Positions (pos) of the standing offers after each message: float [episodes, messages].

    NaN before the first offer and after the end.
    """

    focal: np.ndarray
    counterparty: np.ndarray

    def __len__(self) -> int:
        return len(self.focal)


def offers_figure(cells: Mapping[str, Standing], title: str, note: str, paths: Sequence[Path]) -> None:
    """One panel a cell: medians of both seats with their quartiles."""
    columns = min(3, len(cells))
    rows = -(-len(cells) // columns)
    with drawing(paths, 2.7 * columns + 0.6, 2.2 * rows + 0.9, rows, columns) as grid:
        flat = [axes for row in grid for axes in row]
        for axes, (name, standing) in zip(flat, cells.items(), strict=False):
            for seat, colour, mark in _SEATS:
                low, middle, high = _quartiles(getattr(standing, seat))
                at = np.arange(1, len(middle) + 1)
                axes.fill_between(at, low, high, color=colour, alpha=0.2, linewidth=0)
                axes.plot(at, middle, mark, color=colour, linestyle="-", markersize=3, linewidth=1.4, label=seat)
            axes.set_ylim(-0.1, 1.1)
            axes.xaxis.get_major_locator().set_params(integer=True)
            axes.set_title(f"{name} (n = {len(standing)})", fontsize=9)
            axes.tick_params(labelsize=8)
            axes.grid()
        for axes in flat[len(cells) :]:
            axes.set_visible(False)
        figure = flat[0].figure
        figure.suptitle(title, x=0.01, ha="left", fontsize=11)
        figure.supxlabel(f"message; {note}", fontsize=9)
        figure.supylabel("position: 0 counterparty's target, 1 focal's", fontsize=9)
        figure.legend(*flat[0].get_legend_handles_labels(), loc="outside upper right", ncols=2, fontsize=8)


def _quartiles(values: np.ndarray) -> np.ndarray:
    """Of each column's known values: [3, columns]; NaN where there is none."""
    with warnings.catch_warnings():
        warnings.simplefilter("ignore", RuntimeWarning)  # columns without a value
        quartiles: np.ndarray = np.nanpercentile(values, [25, 50, 75], axis=0)
    return quartiles
