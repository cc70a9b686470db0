"""One description of a table, rendered as CSV for machines and Markdown for people (`latex.py`: for papers).

CSV has a column for each figure, with four digits. Markdown and LaTeX show a value and its interval in one cell. So a
column can belong to CSV alone, to the others alone, or to all. Texts may come from anywhere (scenario and model names,
logs) and are made harmless in each format.
"""

import csv
import io
import math
from dataclasses import dataclass

from emodistill.report.statistics import Estimate

Cell = str | int | float | Estimate | None  # None: what it is about did not run
MISSING = "not run"
_NOTHING = "–"
_FORMULA = ("=", "+", "-", "@", "＝", "＋", "－", "＠")  # what a spreadsheet may take for one


@dataclass(frozen=True, slots=True)
class Column:
    """A column: its name in CSV, its heading for people (either empty: not there), and the digits people see."""

    key: str
    heading: str
    digits: int = 1


@dataclass(frozen=True, slots=True)
class Sheet:
    """A table: `rows` [rows][columns]; `best`: (row, column) of the values that beat all others of their column."""

    title: str
    columns: tuple[Column, ...]
    rows: tuple[tuple[Cell, ...], ...]
    notes: tuple[str, ...] = ()
    best: frozenset[tuple[int, int]] = frozenset()

    def shown(self) -> list[int]:
        """Which columns people see."""
        return [k for k, column in enumerate(self.columns) if column.heading]


def csv_of(sheet: Sheet) -> str:
    """Header and rows; an estimate is its value, a figure that does not exist an empty cell."""
    kept = [k for k, column in enumerate(sheet.columns) if column.key]
    buffer = io.StringIO()
    writer = csv.writer(buffer, lineterminator="\n")
    writer.writerow([sheet.columns[k].key for k in kept])
    writer.writerows([_csv_cell(row[k]) for k in kept] for row in sheet.rows)
    return buffer.getvalue()


def markdown_of(sheet: Sheet) -> str:
    """Title, table and notes; the best values in bold."""
    shown = sheet.shown()
    lines = [f"**{markdown_text(sheet.title)}**", ""] if sheet.title else []
    lines += [f"| {' | '.join(sheet.columns[k].heading for k in shown)} |", "|---" * len(shown) + "|"]
    for r, row in enumerate(sheet.rows):
        cells = [_markdown_cell(row[k], sheet.columns[k].digits, (r, k) in sheet.best) for k in shown]
        lines.append(f"| {' | '.join(cells)} |")
    lines += [line for note in sheet.notes for line in ("", markdown_text(note))]
    return "\n".join(lines) + "\n"


def words(cell: Cell, digits: int) -> str:
    """A cell as people read it, not yet escaped."""
    if cell is None:
        return MISSING
    if isinstance(cell, Estimate):
        bounds = "" if math.isnan(cell.low) else f" [{cell.low:.{digits}f}, {cell.high:.{digits}f}]"
        return words(cell.value, digits) + bounds
    if isinstance(cell, float):
        return _NOTHING if math.isnan(cell) else f"{cell:.{digits}f}"
    return str(cell)


def markdown_text(text: str) -> str:
    """One line that is no markup of tables or HTML."""
    return " ".join(text.split()).replace("|", "\\|").replace("<", "&lt;")


def _markdown_cell(cell: Cell, digits: int, best: bool) -> str:
    text = markdown_text(words(cell, digits))
    return f"**{text}**" if best else text


def _csv_cell(cell: Cell) -> str | int:
    if cell is None:
        return MISSING
    if isinstance(cell, str):
        text = " ".join(cell.split())  # a lone carriage return would begin a new row
        return f"'{text}" if text.startswith(_FORMULA) else text
    value = cell.value if isinstance(cell, Estimate) else cell
    return value if isinstance(value, int) else "" if math.isnan(value) else f"{value:.4f}"
