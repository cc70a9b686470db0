"""Training curves: what each stage logged, one panel a quantity and one line a task."""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from itertools import product
from pathlib import Path

from emodistill.report.figures.style import CYCLE, DASHES, drawing

_LOOKS = [(dash, colour) for dash, colour in product(DASHES, CYCLE)]


@dataclass(frozen=True, slots=True)
class Curve:
    """One task's values by optimiser step."""

    task: str
    steps: tuple[int, ...]
    values: tuple[float, ...]


def training_figure(panels: Mapping[str, Sequence[Curve]], title: str, paths: Sequence[Path]) -> None:
    """One panel for each quantity that was logged, side by side; its name is the panel's title."""
    most = max(len(curves) for curves in panels.values())
    legend = 0.19 * -(-most // 2) if most > 1 else 0.0
    rows = -(-len(panels) // 2)
    with drawing(paths, 7.2, rows * (2.3 + legend) + 0.3, rows, 2) as grid:
        flat = [axes for row in grid for axes in row]
        for axes, (name, curves) in zip(flat, panels.items(), strict=False):
            for (dash, colour), curve in zip(_LOOKS * (1 + len(curves) // len(_LOOKS)), curves, strict=False):
                alone = len(curve.steps) == 1  # a line of one point shows nothing
                axes.plot(curve.steps, curve.values, dash, color=colour, linewidth=1.4, label=curve.task,
                          marker="o" if alone else "")  # fmt: skip
            axes.set_title(name, fontsize=10)
            axes.set_xlabel("optimiser step", fontsize=9)
            axes.tick_params(labelsize=8)
            axes.grid()
            if len(curves) > 1:
                axes.legend(fontsize=8, loc="upper center", bbox_to_anchor=(0.5, -0.28), ncols=2)
        for axes in flat[len(panels) :]:
            axes.set_visible(False)
        flat[0].figure.suptitle(title, x=0.01, ha="left", fontsize=11)
