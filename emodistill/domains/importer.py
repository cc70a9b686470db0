"""Read the published scenario files as they are (METHOD.md §1): the header tells the domain, `split` cuts the rows."""

import csv
import re
from collections.abc import Iterable, Iterator
from dataclasses import dataclass
from pathlib import Path

from emodistill.domains.base import Domain, Drawn
from emodistill.domains.columns import Column, clean
from emodistill.domains.split import MOST_PIECES, Split, split
from emodistill.errors import BadInput

_LONGEST_CELL = 8  # lines; a quoted cell that goes on beyond them was never closed


@dataclass(frozen=True, slots=True)
class Remark:
    """Something about one row; `line` is where it begins in the file, the header being line 1."""

    line: int
    reason: str


@dataclass(frozen=True, slots=True)
class Imported:
    """The scenarios of a file in its order, the rows that needed a repair, and those left out."""

    domain: Domain
    drawn: tuple[Drawn, ...]
    repaired: tuple[Remark, ...]
    skipped: tuple[Remark, ...]

    @property
    def rows(self) -> int:
        """How many rows the file has, blank lines not counted."""
        return len(self.drawn) + len(self.skipped)


def import_file(path: Path, known: Iterable[Domain], key: str | None = None, skip_bad: bool = False) -> Imported:
    """All scenarios of a published CSV of one of the `known` domains; with a `key`, of that one only.

    `BadInput` names the file, the line and the reason; with `skip_bad` a row that cannot be recovered is left out.
    """
    lines = _lines(path)
    domain, columns = _recognised(path, lines[0], tuple(known), key)
    drawn, repaired, skipped = [], [], []
    for number, row in _rows(lines, columns):
        try:
            if isinstance(row, ValueError):
                raise row
            drawn.append(_scenario(domain, columns, row))
        except (ValueError, OverflowError) as error:
            if not skip_bad:
                raise BadInput(
                    f"{path}, line {number}: {error}. Mend that row (quote the cells that contain commas), "
                    "or leave such rows out with scenarios.skip_bad (--skip-bad)."
                ) from None
            skipped.append(Remark(number, str(error)))
            continue
        repaired += [Remark(number, "; ".join(row.repairs))] if row.repairs else []
    return Imported(domain, tuple(drawn), tuple(repaired), tuple(skipped))


def _lines(path: Path) -> list[str]:
    try:
        text = path.read_bytes().decode("utf-8-sig")
    except FileNotFoundError:
        raise BadInput(f"There is no scenario file {path}. Name an existing CSV.") from None
    except IsADirectoryError:
        raise BadInput(f"{path} is a folder. Name the scenario CSV in it.") from None
    except UnicodeDecodeError as error:
        raise BadInput(
            f"{path} is not UTF-8 text (byte {error.start}: {error.reason}), so it is a binary file or saved in "
            "another encoding. Save it as CSV in UTF-8."
        ) from None
    except OSError as error:
        raise BadInput(f"The scenario file {path} cannot be read: {error.strerror}.") from None
    if "\0" in text:
        raise BadInput(f"{path} is a binary file. Give a scenario CSV in UTF-8.")
    if not text.strip():
        raise BadInput(f"{path} is empty. Give a CSV with the published header and its rows.")
    return re.split(r"\r\n|\n|\r", text)


def _recognised(
    path: Path, header: str, known: tuple[Domain, ...], key: str | None
) -> tuple[Domain, tuple[Column, ...]]:
    """The domain whose columns the header has, and the columns in the file's order; further ones are read as text."""
    names = _names(path, header)
    missing = {domain: [c.name for c in domain.columns if c.name not in names] for domain in known}
    whole = [domain for domain in known if not missing[domain]]
    for domain in whole:
        if key in (None, domain.key):
            kinds = {column.name: column for column in domain.columns}
            return domain, tuple(kinds.get(name, Column(name)) for name in names)
    keys = [domain.key for domain in known]
    which = key or f"{', '.join(keys[:-1])} or {keys[-1]}"
    if whole:
        reason = f"its header is that of {whole[0].key}. Name that domain, or another file"
    else:
        nearest = min(known, key=lambda d: (key not in (None, d.key), len(missing[d]) / len(d.columns)))
        absent = missing[nearest]
        more = f" and {len(absent) - 3} more" if len(absent) > 3 else ""
        reason = (
            f"its header lacks the column(s) {', '.join(absent[:3])}{more} of {nearest.key}. "
            "Give a CSV with the published header"
        )
    raise BadInput(f"{path}: this is not a {which} scenario file: {reason}.")


def _names(path: Path, header: str) -> list[str]:
    """The columns' names, each only once."""
    try:
        names = [name.strip() for name in next(csv.reader([header]), [])]
    except csv.Error as error:
        raise BadInput(
            f"{path}: its first line is no header ({error}). Give a CSV with the published header."
        ) from None
    if len(names) > MOST_PIECES:
        raise BadInput(f"{path}: its header has {len(names)} columns. Give a CSV with the published header.")
    double = next((name for name in names if name and names.count(name) > 1), None)
    if double is not None:
        raise BadInput(f"{path}: its header has the column {double[:80]!r} twice. Take one out.")
    return names


def _rows(lines: list[str], columns: tuple[Column, ...]) -> Iterator[tuple[int, Split | ValueError]]:
    """(line number, cells) of each row that is not blank, or the reason why it cannot be cut.

    A line that cannot be cut and has an open quotation goes on in the next ones.
    """
    at = 1
    while at < len(lines):
        used = 1
        if lines[at].replace(",", "").strip():
            row, used = _row(lines, at, columns)
            yield at + 1, row
        at += used


def _row(lines: list[str], at: int, columns: tuple[Column, ...]) -> tuple[Split | ValueError, int]:
    text, failure = lines[at], None
    for used in range(1, _LONGEST_CELL + 1):
        try:
            return split(text, columns), used
        except ValueError as error:
            failure = failure or error
        if text.count('"') % 2 == 0 or at + used >= len(lines):
            break
        text += "\n" + lines[at + used]
    return failure or ValueError("it cannot be cut"), 1


def _scenario(domain: Domain, columns: tuple[Column, ...], row: Split) -> Drawn:
    *others, last = (cell or "" for cell in row.cells)
    whole = (*others, last.rstrip(", "))  # a table program fills every row up to its longest
    cells = {column.name: clean(cell) for column, cell in zip(columns, whole, strict=True)}
    drawn = domain.from_row(cells)
    if drawn.focal_target == drawn.counterparty_target:
        raise ValueError("both sides have the same target, so there is nothing to bargain over")
    return drawn
