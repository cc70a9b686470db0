r"""A table as LaTeX, for `\input` in a paper that loads booktabs. Any engine reads it, pdflatex too."""

import math
import unicodedata

from emodistill.report.sheet import Cell, Sheet, words
from emodistill.report.statistics import Estimate

# `[` and `*` at the start of a row would be arguments of the `\\` before it.
_ESCAPED = {
    "\\": r"\textbackslash{}", "{": r"\{", "}": r"\}", "$": r"\$", "&": r"\&", "#": r"\#", "%": r"\%", "_": r"\_",
    "^": r"\textasciicircum{}", "~": r"\textasciitilde{}", "<": r"\textless{}", ">": r"\textgreater{}",
    "|": r"\textbar{}", '"': "''", "[": "{[}", "*": "{*}", "−": r"$-$", "–": "--", "—": "---",
    "“": "``", "”": "''", "‘": "`", "’": "'", "…": r"\ldots{}", "α": r"$\alpha$", "κ": r"$\kappa$", "×": r"$\times$",
    "±": r"$\pm$",
}  # fmt: skip
_LETTERS = range(0xC0, 0x180)  # accented Latin, which every engine has


def latex_of(sheet: Sheet) -> str:
    """A floating table with the title as caption and the notes below; the best values in bold."""
    shown = sheet.shown()
    aligned = "".join("l" if any(isinstance(row[k], str) for row in sheet.rows) else "r" for k in shown)
    lines = [
        r"% \usepackage{booktabs}",
        r"\begin{table}",
        r"\centering",
        rf"\caption{{{latex_text(sheet.title)}}}",
        rf"\begin{{tabular}}{{{aligned}}}",
        r"\toprule",
        " & ".join(latex_text(sheet.columns[k].heading) for k in shown) + r" \\",
        r"\midrule",
    ]
    for r, row in enumerate(sheet.rows):
        cells = (_cell(row[k], sheet.columns[k].digits, (r, k) in sheet.best) for k in shown)
        lines.append(" & ".join(cells) + r" \\")
    lines += [r"\bottomrule", r"\end{tabular}"]
    if sheet.notes:
        lines += [
            "",
            r"\smallskip",
            rf"\parbox{{\linewidth}}{{\footnotesize {' '.join(map(latex_text, sheet.notes))}}}",
        ]
    return "\n".join([*lines, r"\end{table}", ""])


def latex_text(text: str) -> str:
    """One line that LaTeX prints as it is: no command, no special character; what few fonts have is U+ and its code."""
    return "".join(map(_character, " ".join(text.split())))


def _character(one: str) -> str:
    if one in _ESCAPED:
        return _ESCAPED[one]
    if one.isascii():
        return one if one.isprintable() else ""
    return one if ord(one) in _LETTERS and unicodedata.category(one)[0] == "L" else f"U+{ord(one):04X}"


def _cell(cell: Cell, digits: int, best: bool) -> str:
    text = latex_text(words(cell, digits))
    if isinstance(cell, float | Estimate) and text.startswith("-") and text != latex_text(words(math.nan, 0)):
        text = f"$-${text[1:]}"
    return rf"\textbf{{{text}}}" if best else text
