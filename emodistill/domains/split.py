"""Cut a line into its columns although text cells hold unquoted commas (ours).

Every comma either parts two cells or belongs to a cell's text. The cut with the least cost wins: the published files
put no space after a comma that parts cells and a space after one inside text, and typed columns (numbers, clock times,
urgency, yes or no) must hold what they are for. A line whose best cut is too dear, or not the only best one, is
refused: a wrong cut is worse than none.
"""

import re
from collections.abc import Sequence
from dataclasses import dataclass
from functools import cache

from emodistill.domains.columns import MISFIT, Column, Kind, misfit

MOST_PIECES, LONGEST = 100, 20_000  # between commas, and characters, of a line that is looked at
LIMIT = 30  # what the repairs of one line may cost in all
# Cost of taking a comma against its form. Parting:
_SPACED, _SPACED_LOWER, _SPACED_BESIDE_TYPED, _IN_BRACKETS, _IN_QUOTES = 10, 20, 3, 4, LIMIT + 1
_SPACED_IN_BRACKETS = 12  # on top of the rest
# Keeping it inside a cell although no space follows:
_BARE, _BARE_LOWER, _BARE_THOUSANDS, _BARE_IN_BRACKETS = 10, 6, 5, 2
_MISSING = 15  # an optional column that the line does not have: dearer than a stray space before a capital letter

_QUOTED = re.compile(r'(?:^|,)\s*("(?:[^"]|"")*")\s*(?=,|$)|(“[^”]*(?:”|$))')
_THOUSANDS = re.compile(r"(?<=\d),(?=\d{3}(?!\d))")
_BRACKETS = re.compile(r"\([^()]*\)")


@dataclass(frozen=True, slots=True)
class Split:
    """The cells as they stand in the line, None for a missing one; joined by commas, they are the line."""

    cells: tuple[str | None, ...]
    repairs: tuple[str, ...]  # what was taken against the form, in words


@dataclass(frozen=True, slots=True)
class _Comma:
    position: int
    part: int  # cost of parting two cells here
    part_typed: int  # the same beside a typed column
    keep: int  # cost of keeping it as text


@dataclass(frozen=True, slots=True)
class _Path:
    cost: int
    ways: int  # how many cuts have this cost
    begin: int  # the piece its last cell begins at


def split(line: str, columns: Sequence[Column]) -> Split:
    """The cells of a line in the order of `columns`; ValueError with the reason if there is no plausible cut."""
    if (pieces := line.count(",") + 1) > MOST_PIECES or len(line) > LONGEST:
        raise ValueError(f"{pieces} pieces between commas and {len(line)} characters, too many for a row")
    commas = _commas(line)
    starts = [0, *(comma.position + 1 for comma in commas)]
    ends = [*(comma.position for comma in commas), len(line)]
    best: list[dict[int, _Path]] = [{0: _Path(0, 1, 0)}]

    @cache  # columns of one kind look at the same pieces
    def fit(kind: Kind, first: int, last: int) -> int:
        return misfit(kind, line[starts[first] : ends[last]])

    for k, column in enumerate(columns):
        reached: dict[int, _Path] = {}
        for first, path in best[k].items():
            if column.optional:
                _offer(reached, first, _Path(path.cost + _MISSING, path.ways, first))
            cost = path.cost + _parting(commas, columns, first, k)
            for last in range(first, len(starts)):
                cost += commas[last - 1].keep if last > first else 0
                total = cost + fit(column.kind, first, last)
                _offer(reached, last + 1, _Path(total, path.ways, first))
        best.append(reached)
    if len(starts) not in best[-1]:
        raise ValueError(f"{len(starts)} cells where the header has {len(columns)}")
    end = best[-1][len(starts)]
    spans = _spans(best, len(starts))
    cells = tuple(line[starts[a] : ends[b - 1]] if b > a else None for a, b in spans)
    _check(end, cells, columns, len(starts))
    return Split(cells, _repairs(spans, commas, columns))


def _commas(line: str) -> list[_Comma]:
    quoted = [match.span(1 if match[1] else 2) for match in _QUOTED.finditer(line)]
    brackets = [match.span() for match in _BRACKETS.finditer(line)]
    thousands = {match.start() for match in _THOUSANDS.finditer(line)}
    found = []
    for match in re.finditer(",", line):
        at = match.start()
        after = line[at + 1 : at + 2]
        following = line[at + 1 :].lstrip()[:1]
        bracketed = any(a < at < b for a, b in brackets)
        if any(a < at < b for a, b in quoted):
            found.append(_Comma(at, _IN_QUOTES, _IN_QUOTES, 0))
        elif after.isspace():
            part = _SPACED_LOWER if following.islower() else _SPACED
            typed = part if following.islower() else _SPACED_BESIDE_TYPED
            extra = _SPACED_IN_BRACKETS if bracketed else 0
            found.append(_Comma(at, part + extra, typed + extra, 0))
        else:
            part = _IN_BRACKETS if bracketed else 0
            keep = _BARE_LOWER if following.islower() else _BARE
            keep = _BARE_IN_BRACKETS if bracketed else _BARE_THOUSANDS if at in thousands else keep
            found.append(_Comma(at, part, part, keep))
    return found


def _offer(reached: dict[int, _Path], piece: int, path: _Path) -> None:
    held = reached.get(piece)
    if held is None or path.cost < held.cost:
        reached[piece] = path
    elif path.cost == held.cost:
        reached[piece] = _Path(held.cost, held.ways + path.ways, held.begin)


def _parting(commas: list[_Comma], columns: Sequence[Column], first: int, k: int) -> int:
    """Cost of a cut before piece `first`, which begins column `k`; none before the first piece, or past the last."""
    if not 0 < first <= len(commas):
        return 0
    beside = columns[k].typed or (k > 0 and columns[k - 1].typed)
    return commas[first - 1].part_typed if beside else commas[first - 1].part


def _spans(best: list[dict[int, _Path]], piece: int) -> list[tuple[int, int]]:
    """(first piece, piece after the last) of each column, from the end of the table back; equal if missing."""
    spans = []
    for k in range(len(best) - 1, 0, -1):
        begin = best[k][piece].begin
        spans.append((begin, piece))
        piece = begin
    return spans[::-1]


def _check(end: _Path, cells: tuple[str | None, ...], columns: Sequence[Column], pieces: int) -> None:
    for cell, column in zip(cells, columns, strict=True):
        if cell is not None and misfit(column.kind, cell) >= MISFIT:
            raise ValueError(f"{column.name} is {cell.strip()[:80]!r}, not a number ({pieces} pieces between commas)")
    if end.cost > LIMIT:
        raise ValueError(f"no plausible way to make {len(columns)} columns of its {pieces} pieces between commas")
    if end.ways > 1:
        raise ValueError(f"{end.ways} equally plausible ways to make {len(columns)} columns of its {pieces} pieces")


def _repairs(spans: list[tuple[int, int]], commas: list[_Comma], columns: Sequence[Column]) -> tuple[str, ...]:
    said = []
    for (begin, after), column in zip(spans, columns, strict=True):
        if begin == after:
            said.append(f"{column.name} is missing")
            continue
        if begin > 0 and commas[begin - 1].part:
            said.append(f"the comma before {column.name} looks like text")
        if any(comma.keep for comma in commas[begin : after - 1]):
            said.append(f"a comma inside {column.name} looks like a border")
    return tuple(said)
