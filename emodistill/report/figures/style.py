"""What all figures have in common: colours that colour-blind readers can tell apart, legible in print, one way to save.

Ink, grid and paper are three fixed colours and nothing else uses them, so that the HTML report can give a drawing its
own (`report/svg.py`). SVG text stays text, which can be searched, edited and read aloud.
"""

from collections.abc import Iterator, Sequence
from contextlib import contextmanager
from pathlib import Path
from typing import Any

from emodistill.files import replace_atomically

# Okabe and Ito (2008), without black and yellow, which vanish on dark and on white paper.
BLUE, ORANGE, GREEN, VERMILION, PURPLE, SKY = "#0072B2", "#E69F00", "#009E73", "#D55E00", "#CC79A7", "#56B4E9"
CYCLE = (BLUE, VERMILION, GREEN, PURPLE, ORANGE, SKY)
DASHES = ("-", "--", ":", "-.")  # with CYCLE: 24 lines that print in grey can still be told apart by
INK, GRID, PAPER = "#333333", "#e5e5e5", "#ffffff"
DARK_TEXT, LIGHT_TEXT = "#111111", "#fefefe"  # on a coloured ground: the same on every paper

_RC: Any = {  # matplotlib's own type lists 300 names
    "svg.hashsalt": "emodistill", "svg.fonttype": "none", "font.size": 10, "font.sans-serif": ["DejaVu Sans", "Arial"],
    "text.color": INK, "axes.labelcolor": INK, "axes.edgecolor": INK, "xtick.color": INK, "ytick.color": INK,
    "axes.titlelocation": "left", "axes.titlesize": 11, "axes.spines.top": False, "axes.spines.right": False,
    "grid.color": GRID, "axes.axisbelow": True, "figure.facecolor": PAPER, "axes.facecolor": PAPER,
    "savefig.facecolor": PAPER, "legend.frameon": False,
}  # fmt: skip


@contextmanager
def drawing(paths: Sequence[Path], width: float, height: float, rows: int = 1, columns: int = 1) -> Iterator[Any]:
    """Axes [rows][columns] of a figure in inches, written to each path by its suffix at the end."""
    import matplotlib

    matplotlib.use("Agg")
    from matplotlib import pyplot

    with pyplot.rc_context(_RC):
        figure, axes = pyplot.subplots(rows, columns, figsize=(width, height), layout="constrained", squeeze=False)
        try:
            yield axes
            figure.draw_without_rendering()
            figure.set_layout_engine("none")  # it would lay out again for each file
            for path in paths:
                _save(figure, path)
        finally:
            pyplot.close(figure)


def _save(figure: Any, path: Path) -> None:
    """The same figure gives the same bytes."""
    kind = path.suffix[1:]
    undated = {"Date": None} if kind == "svg" else None
    replace_atomically(path, lambda temporary: figure.savefig(temporary, format=kind, dpi=160, metadata=undated))
