"""The tables of the evaluation's further cells, from whatever of them has run: what did not says so."""

from collections.abc import Mapping, Sequence

import numpy as np

from emodistill.config import Config
from emodistill.emotions import GOEMOTIONS
from emodistill.evaluate.cells import Cell as Played
from emodistill.evaluate.cells import ablated, cells
from emodistill.evaluate.metrics import EvalRecords
from emodistill.report.comparisons import Matrix, Shift, shifts, standings, tournament, transfer
from emodistill.report.sheet import Cell, Column, Sheet

Records = Mapping[str, EvalRecords]  # cell → its episodes
_NEUTRAL = "fixed:neutral"
_P = "p: two-sided, by swapping whole scenarios; adjusted over the rows here (Benjamini-Hochberg)."
_PAIRED = f"Difference in utility over the same scenarios and seeds, 95 % interval clustered by scenario. {_P}"


def further_sheets(records: Records, config: Config, domains: Sequence[str], who: str) -> dict[str, Sheet]:
    """Name → table, for each group of cells that the configuration asks for. `domains`: of each scenario, in order."""
    asked, settings = config.evaluate, (config.report.resamples, config.seed)
    groups: dict[str, list[Played]] = {}
    for cell in cells(config).values():
        groups.setdefault(cell.group, []).append(cell)
    title = f"{config.name}: {{}}, {who}"
    found: dict[str, Sheet] = {}
    if asked.emotions:
        rows = [(name, f"fixed:{name}", _NEUTRAL) for name in GOEMOTIONS if name != "neutral"]
        found["emotions"] = _shift_sheet(rows, records, title.format("each emotion against neutral"), settings)
    if asked.ablation:
        rows = [(f"{stage} from {signal}", name, "full") for stage, signal, name in ablated(config)]
        found["ablation"] = _shift_sheet(rows, records, title.format("training signals, against full"), settings)
    if asked.transfer:
        trained = [*(["full"] if "full" in asked.variants else []), *(cell.name for cell in groups["transfer"])]
        matrix = transfer(records, trained, domains, *settings)
        found["transfer"] = _matrix_sheet(matrix, "trained on", title.format("utility by domain played"))
    if "unseen" in groups:
        name = f"{config.name}: unseen counterparties, against {who}"
        met = [cell for cell in groups["unseen"] if cell.persona or cell.model]
        rows = [(cell.name, cell.name, cell.variant.name) for cell in met]
        found["unseen"] = _shift_sheet(rows, records, name, settings)
    if asked.tournament:
        pairs = {(cell.variant.name, cell.opponent.name): records[cell.name]
                 for cell in groups["tournament"] if cell.opponent and cell.name in records}  # fmt: skip
        matrix, name = tournament(pairs, asked.tournament, *settings), f"{config.name}: tournament"
        found["tournament"] = _matrix_sheet(matrix, "focal seat", f"{name}, utility of the focal side")
        found["ratings"] = _ratings_sheet(pairs, asked.tournament, f"{name}, ratings", settings)
    return found


def _shift_sheet(
    rows: Sequence[tuple[str, str, str]], records: Records, title: str, settings: tuple[int, int]
) -> Sheet:
    """One line for each (label, cell, base cell)."""
    columns = (
        Column("cell", "cell"), Column("base", "against"), Column("utility", "utility"), Column("utility_low", ""),
        Column("utility_high", ""), Column("difference", "difference"), Column("low", ""), Column("high", ""),
        Column("p", "", 4), Column("p_adjusted", "p, adjusted", 4), Column("n", "n"), Column("errors", "errors"),
    )  # fmt: skip
    there = [row for row in rows if row[1] in records and row[2] in records]
    found = shifts([(label, records[cell], records[base]) for label, cell, base in there], *settings)
    made = {label: _shift_cells(of, errors_of(records[cell]))
            for of, (label, cell, _) in zip(found, there, strict=True)}  # fmt: skip
    return Sheet(
        title,
        columns,
        tuple((label, base, *made.get(label, (None,) * (len(columns) - 2))) for label, _, base in rows),
        (_PAIRED,),
    )


def errors_of(records: EvalRecords) -> int:
    """Episodes that ended in a technical error."""
    return int((~records.valid).sum())


def _shift_cells(of: Shift, errors: int) -> tuple[Cell, ...]:
    u, d = of.utility, of.difference
    return u, u.low, u.high, d, d.low, d.high, of.p, of.adjusted, d.n, errors


def _matrix_sheet(matrix: Matrix, corner: str, title: str) -> Sheet:
    columns = [Column(corner.replace(" ", "_"), corner)]
    for name in matrix.columns:
        columns += [Column(name, name), *(Column(f"{name}_{part}", "") for part in ("low", "high", "n"))]
    rows: list[tuple[Cell, ...]] = []
    for row in matrix.rows:
        parts: list[Cell] = [row]
        for column in matrix.columns:
            e = matrix.cells.get((row, column))
            same = (row, column) not in matrix.cells  # nobody plays against itself
            parts += ["", "", "", ""] if same else [None] * 4 if e is None else [e, e.low, e.high, e.n]
        rows.append(tuple(parts))
    counts = sorted({e.n for e in matrix.cells.values() if e is not None})
    told = f"n = {' to '.join(map(str, counts[:: max(1, len(counts) - 1)]))} episodes a cell." if counts else ""
    return Sheet(title, tuple(columns), tuple(rows), (f"Utility, 95 % interval clustered by scenario. {told}".strip(),))


def _ratings_sheet(
    pairs: Mapping[tuple[str, str], EvalRecords], players: Sequence[str], title: str, settings: tuple[int, int]
) -> Sheet:
    columns = (Column("policy", "policy"), Column("rating", "rating", 2), Column("low", ""), Column("high", ""),
               Column("n", "n"))  # fmt: skip
    found = standings(pairs, players, *settings)
    ranked = sorted(players, key=lambda name: -found[name].value if name in found else np.inf)
    rows: list[tuple[Cell, ...]] = []
    for name in ranked:
        e = found.get(name)
        rows.append((name, None, None, None, None) if e is None else (name, e, e.low, e.high, e.n))
    note = (
        "Bradley-Terry ratings in logits, mean 0: a difference of 1 is 73 % of the points. Of two policies that one "
        "wins a negotiation who gets more as the focal side against the other; alike is half a win. n: negotiations."
    )
    return Sheet(title, columns, tuple(rows), (note,))
