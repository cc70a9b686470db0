"""An SVG file of `figures/` made fit to stand inside an HTML page, next to others."""

import re
from html import escape

from emodistill.report.figures.style import BLUE, GRID, INK, PAPER, VERMILION

_OURS = {
    INK: "var(--ink)", GRID: "var(--grid)", PAPER: "var(--paper)", BLUE: "var(--blue)", VERMILION: "var(--vermilion)",
}  # fmt: skip
_WIDTH = re.compile(r'viewBox="0 0 ([0-9.]+)')
_NAMED = re.compile(r'(\bid="|\bhref="#|url\(#)')
_SIZE = re.compile(r'\s(?:width|height|xmlns:xlink|version)="[^"]*"')


def inlined(text: str, name: str, label: str) -> str:
    """The `<svg>` element alone, no larger than drawn, in the page's colours, with names that no other figure has."""
    body = text[text.index("<svg") :]
    body = re.sub(r"<metadata>.*?</metadata>|<style.*?</style>|<!--.*?-->", "", body, flags=re.DOTALL)
    head, rest = body.split(">", 1)
    width = _WIDTH.search(head)
    size = f"max-width:{width[1]}pt;min-width:min({width[1]}pt,30rem)" if width else ""
    body = _SIZE.sub("", head) + f' style="{size}" role="img" aria-label="{escape(label)}">' + rest
    body = body.replace("xlink:href", "href")
    body = _NAMED.sub(lambda match: f"{match[1]}{name}-", body)
    for colour, ours in _OURS.items():
        body = re.sub(re.escape(colour), ours, body, flags=re.IGNORECASE)
    return re.sub(r"\n\s*", "\n", body)
