"""`report.html`: one file that needs nothing else, from one frozen record. Pure.

Every text is escaped where it becomes HTML; what the script reads is JSON in which no `<` occurs, and the script writes
it as text only. A Content-Security-Policy allows this page's own script, by its hash, and no address at all.
"""

import base64
import hashlib
import json
import math
from collections.abc import Iterable, Sequence
from dataclasses import dataclass
from html import escape
from importlib.resources import files
from typing import Any

from emodistill.emotions import GOEMOTIONS
from emodistill.records import STATUSES, Scenario
from emodistill.report.dialogues import Dialogues
from emodistill.report.sheet import Cell, Sheet, words
from emodistill.report.statistics import Estimate
from emodistill.report.svg import inlined


@dataclass(frozen=True, slots=True)
class Drawing:
    """A figure as the page shows it: its name in `figures/`, its SVG text, and what it shows in words."""

    name: str
    svg: str
    caption: str


@dataclass(frozen=True, slots=True)
class Page:
    """All that the report says. Sheets of `tables` carry the name of their files in `tables/`."""

    title: str
    simulated: tuple[str, ...]  # roles that no language model played
    findings: tuple[str, ...]
    caveats: tuple[str, ...]
    paper: Sheet | None
    tables: tuple[tuple[str, Sheet], ...]
    figures: tuple[Drawing, ...]
    costs: tuple[Sheet, ...]
    facts: tuple[tuple[str, str], ...]
    provenance: tuple[Sheet, ...]
    config: str  # YAML
    scenarios: tuple[Scenario, ...]
    roles: dict[str, tuple[str, str]]  # domain → focal role, counterparty role
    dialogues: tuple[Dialogues, ...]
    max_messages: int


def render(page: Page) -> str:
    """The whole file."""
    script = _part("tables.js") + _part("dialogues.js")
    digest = base64.b64encode(hashlib.sha256(script.encode()).digest()).decode()
    slots = {
        "TITLE": escape(page.title),
        "POLICY": f"default-src 'none'; script-src 'sha256-{digest}'; style-src 'unsafe-inline'; img-src data:; "
                  "base-uri 'none'; form-action 'none'",
        "STYLE": _part("style.css"),
        "BADGE": _badge(page.simulated),
        "FINDINGS": _list(page.findings),
        "PAPER": table(page.paper) if page.paper else "",
        "CAVEATS": _list(page.caveats),
        "TABLES": "\n".join(table(sheet, f"tables/{name}.csv") for name, sheet in page.tables if sheet.rows),
        "FIGURES": "\n".join(map(_figure, page.figures)) or "<p>No figure yet.</p>",
        "COSTS": "\n".join(map(table, page.costs)),
        "FACTS": "".join(f"<dt>{escape(name)}</dt><dd>{escape(value)}</dd>" for name, value in page.facts),
        "PROVENANCE": "\n".join(map(table, page.provenance)),
        "CONFIG": escape(page.config),
        "INDEX": json_text(_index(page)),
        "CHUNKS": "\n".join(_chunks(page.dialogues)),
        "SCRIPT": script,
    }  # fmt: skip
    pieces = _part("template.html").split("{{")  # one pass: what is put in is never looked at again
    filled = [pieces[0]]
    for piece in pieces[1:]:
        name, rest = piece.split("}}", 1)
        filled += [slots[name], rest]
    return "".join(filled).encode("utf-8", "replace").decode()


def json_text(value: Any) -> str:
    """JSON that may stand in a script element: it can neither end it nor open a comment."""
    text = json.dumps(value, separators=(",", ":"), allow_nan=False)
    return text.replace("<", "\\u003c").replace(">", "\\u003e").replace("&", "\\u0026")


def table(sheet: Sheet, source: str = "") -> str:
    """A sheet as a table whose headings sort it; the best values stand out."""
    shown = sheet.shown()
    head = "".join(_heading(sheet.columns[k].heading, [row[k] for row in sheet.rows]) for k in shown)
    body = []
    for r, row in enumerate(sheet.rows):
        cells = [_cell(row[k], sheet.columns[k].digits, (r, k) in sheet.best, k == shown[0]) for k in shown]
        body.append(f"<tr>{''.join(cells)}</tr>")
    notes = "".join(f'<p class="note">{escape(note)}</p>' for note in sheet.notes)
    file = f'<p class="note">File: <code>{escape(source)}</code></p>' if source else ""
    title = escape(sheet.title)
    return (
        f'<div class="sheet"><h3>{title}</h3>'
        f'<div class="scroll" role="region" tabindex="0" aria-label="Table: {title}">'
        f'<table class="sorted" aria-label="{title}">'
        f"<thead><tr>{head}</tr></thead><tbody>{''.join(body)}</tbody></table></div>{notes}{file}</div>"
    )


def _heading(text: str, cells: Sequence[Cell]) -> str:
    numbers = ' class="number"' if any(isinstance(cell, int | float | Estimate) for cell in cells) else ""
    arrow = '<span class="arrow" aria-hidden="true"></span>'
    return f'<th scope="col"{numbers}><button type="button">{escape(text)}{arrow}</button></th>'


def _cell(cell: Cell, digits: int, best: bool, heads: bool) -> str:
    value = cell.value if isinstance(cell, Estimate) else cell
    text = escape(words(cell, digits))
    if isinstance(cell, Estimate) and "[" in text:
        figure, bounds = text.split(" ", 1)
        text = f'{figure} <span class="interval">{bounds}</span>'
    text = f"<strong>{text}</strong>" if best else text
    attributes = ""
    if isinstance(value, int | float) and not math.isnan(value):
        attributes = f' class="number" data-value="{float(value)}"'
    return f'<th scope="row"{attributes}>{text}</th>' if heads else f"<td{attributes}>{text}</td>"


def _badge(roles: Sequence[str]) -> str:
    if not roles:
        return ""
    return f'<p class="badge"><strong>Simulated</strong> {escape(", ".join(roles))}: a program, no language model</p>'


def _list(lines: Iterable[str]) -> str:
    return "<ul>" + "".join(f"<li>{escape(line)}</li>" for line in lines) + "</ul>"


def _figure(figure: Drawing) -> str:
    svg, caption = inlined(figure.svg, figure.name, figure.caption), escape(figure.caption)
    return (
        f'<figure><div class="scroll drawing" role="region" tabindex="0" aria-label="Figure: {escape(figure.name)}">'
        f"{svg}</div><figcaption>{caption} File: <code>figures/{escape(figure.name)}.svg</code></figcaption></figure>"
    )


def _index(page: Page) -> dict[str, Any]:
    """What the script knows of all dialogues before one is opened."""
    return {
        "scenarios": [
            {
                "id": s.id, "domain": s.domain, "unit": s.unit, "targets": [s.focal_target, s.counterparty_target],
                "held": s.split == "held_out", "imputed": s.imputed, "facts": list(s.spoken_facts().items()),
            }
            for s in page.scenarios
        ],
        "roles": page.roles,
        "emotions": GOEMOTIONS,
        "statuses": STATUSES,
        "simulated": page.simulated,
        "most": page.max_messages,
        "cells": [
            {"name": d.cell, "played": d.played, "rows": d.rows, "chunks": [chunk.first for chunk in d.chunks]}
            for d in page.dialogues
        ],
    }  # fmt: skip


def _chunks(dialogues: Sequence[Dialogues]) -> Iterable[str]:
    """Each chunk in a script element of a type that no browser runs; base64 needs no escaping."""
    for c, cell in enumerate(dialogues):
        for k, chunk in enumerate(cell.chunks):
            yield f'<script type="application/octet-stream" id="chunk-{c}-{k}">{chunk.text}</script>'


def _part(name: str) -> str:
    return (files("emodistill.report") / "page" / name).read_text(encoding="utf-8")
