"""The audit's figure: what each emotion does to utility, as bars with intervals."""

from collections.abc import Sequence
from pathlib import Path
from typing import Any

import numpy as np

from emodistill.audit.findings import Findings
from emodistill.audit.shifts import BASE
from emodistill.report.figures.style import BLUE, INK, VERMILION, drawing

# Okabe-Ito, told apart by colour-blind readers; side and star say the same without colour.
_COSTS, _SAVES, _UNSURE, _INK = VERMILION, BLUE, "#d0d0d0", INK


def shift_figure(found: Findings, paths: Sequence[Path]) -> None:
    """One panel a domain, two abreast, what costs the model most on top; written to each path by its suffix."""
    down, across = -(-len(found.scenarios) // 2), min(2, len(found.scenarios))
    with drawing(paths, 6.4 * across, 7.6 * down, down, across) as grid:
        flat = [axes for row in grid for axes in row]
        for axes, domain in zip(flat, found.scenarios, strict=False):
            _panel(axes, domain, found)
        for axes in flat[len(found.scenarios) :]:
            axes.set_visible(False)
        flat[0].figure.suptitle(
            f"{found.name}: {found.who}\n* and colour: adjusted p < 0.05; orange costs the model, blue spares it",
            x=0.01, ha="left", fontsize=10,
        )  # fmt: skip


def _panel(axes: Any, domain: str, found: Findings) -> None:
    rows = [row for row in found.of(domain) if row.emotion != BASE]
    for y, row in enumerate(rows):
        shift = row.utility
        colour = (_COSTS if shift.value > 0 else _SAVES) if row.significant else _UNSURE
        axes.barh(y, shift.value, color=colour, edgecolor=_INK, linewidth=0.4, height=0.75, zorder=2)
        if not np.isnan(shift.low):
            axes.plot([shift.low, shift.high], [y, y], color=_INK, linewidth=1.1, zorder=3)
    axes.set_yticks(range(len(rows)), [row.emotion + (" *" if row.significant else "") for row in rows])
    axes.set_ylim(len(rows) - 0.4, -0.6)
    axes.axvline(0, color=_INK, linewidth=0.8, zorder=1)
    counts = sorted({row.utility.n for row in rows})
    n = " to ".join(map(str, counts[:: max(1, len(counts) - 1)]))
    axes.set_xlabel(f"utility the other side gains over {BASE}, points\n95 % interval; n = {n} pairs a bar")
    axes.set_title(domain, fontsize=10)
    axes.spines["left"].set_visible(False)
    axes.tick_params(left=False)
    axes.grid(axis="x")
