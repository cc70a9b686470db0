"""Text into Markdown and YAML so that it stays text: nothing a model or a scenario says can end a cell or a card."""

import re
from collections.abc import Iterable, Mapping, Sequence
from html import escape
from typing import Any

import yaml

_LONGEST = 400  # characters of a cell
_MARKUP = re.compile(r"([\\`*_\[\]|~#$!])")
# Controls, lone surrogates, and the marks that turn the direction of what follows.
_UNSEEN = re.compile(r"[\x00-\x1f\x7f-\x9f\u2028\u2029\u200e\u200f\u202a-\u202e\u2066-\u2069\ud800-\udfff]")


def cell(value: object) -> str:
    """One line of plain text for a Markdown table or sentence."""
    text = " ".join(_UNSEEN.sub(" ", str(value)).split())
    text = text if len(text) <= _LONGEST else f"{text[: _LONGEST - 1]}…"
    return _MARKUP.sub(r"\\\1", escape(text, quote=False))


def table(header: Sequence[str], rows: Iterable[Sequence[object]]) -> list[str]:
    """The lines of a Markdown table, each cell escaped."""
    lines = [f"| {' | '.join(map(cell, header))} |", f"|{'---|' * len(header)}"]
    return lines + [f"| {' | '.join(map(cell, row))} |" for row in rows]


def front_matter(data: Mapping[str, Any]) -> str:
    """The YAML block at the head of a card; what is None is left out."""
    given = {key: value for key, value in data.items() if value is not None}
    return f"---\n{yaml.safe_dump(given, sort_keys=False, width=1_000_000)}---\n"
