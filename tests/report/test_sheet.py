import csv
import io
import math
import re

import pytest
from hypothesis import given
from hypothesis import strategies as st

from emodistill.report.latex import latex_of, latex_text
from emodistill.report.sheet import Column, Sheet, csv_of, markdown_of
from emodistill.report.statistics import Estimate

from builders import PROPERTY

COLUMNS = (Column("name", "who"), Column("x", "value", 2), Column("low", ""), Column("", "n"))
NASTY = r"\input{/etc/passwd} 5% & a_b $x$ #1 ~^{}"


def sheet(*rows, **more):
    return Sheet("a_title", COLUMNS, rows, **more)


def test_each_format_shows_its_columns():
    found = sheet(
        ("a", Estimate(-1.5, -2.0, 0.25, 7), -2.0, 7),
        ("b", math.nan, math.nan, 0),
        ("c", None, None, None),
        notes=("5 % more",),
        best=frozenset({(0, 1)}),
    )
    assert csv_of(found) == "name,x,low\na,-1.5000,-2.0000\nb,,\nc,not run,not run\n"
    assert markdown_of(found).splitlines() == [
        "**a_title**", "", "| who | value | n |", "|---|---|---|", "| a | **-1.50 [-2.00, 0.25]** | 7 |",
        "| b | – | 0 |", "| c | not run | not run |", "", "5 % more",
    ]  # fmt: skip
    assert latex_of(found).splitlines() == [
        r"% \usepackage{booktabs}", r"\begin{table}", r"\centering", r"\caption{a\_title}", r"\begin{tabular}{lrr}",
        r"\toprule", r"who & value & n \\", r"\midrule", r"a & \textbf{$-$1.50 {[}-2.00, 0.25]} & 7 \\",
        r"b & -- & 0 \\", r"c & not run & not run \\", r"\bottomrule", r"\end{tabular}", "", r"\smallskip",
        r"\parbox{\linewidth}{\footnotesize 5 \% more}", r"\end{table}",
    ]  # fmt: skip


@pytest.mark.parametrize("text", ["=1+1", "+1", "-1", "@SUM(A1)", " =1+1", "\t=1", "\r=1", "＝1"])
def test_a_text_is_no_formula_for_a_spreadsheet_and_a_number_stays_one(text):
    _, row = csv.reader(io.StringIO(csv_of(sheet((text, -3.0, -4, 0)))))
    assert row == ["'" + text.strip(), "-3.0000", "-4"]


def test_names_are_harmless_in_latex():
    assert latex_text(NASTY) == (
        r"\textbackslash{}input\{/etc/passwd\} 5\% \& a\_b \$x\$ \#1 \textasciitilde{}\textasciicircum{}\{\}"
    )
    assert latex_text("[x]* é α 中\n\x07") == r"{[}x]{*} é $\alpha$ U+4E2D "
    row = next(line for line in latex_of(sheet((NASTY, 1.0, 1.0, 2))).splitlines() if "input" in line)
    assert len(re.findall(r"(?<!\\)&", row)) == 2


@PROPERTY
@given(st.text() | st.text(alphabet="\\{}$&#%_^~[]*<>|\"'`-\n\x00"))
def test_no_text_leaves_a_special_character_of_latex(text):
    known = r"\\(textbackslash|textasciitilde|textasciicircum|textless|textgreater|textbar|ldots)\{\}|\\[{}$&#%_]"
    left = re.sub(known + r"|\{[\[*]\}|\$(-|\\alpha|\\kappa|\\times|\\pm)\$", "", latex_text(text))
    assert not set(left) & set("\\{}$&#%_^~[*\n\x00"), left


@PROPERTY
@given(st.text())
def test_no_text_breaks_a_row_of_markdown_or_csv(text):
    found = sheet((text, 1.0, 2.0, 3))
    lines = markdown_of(found).splitlines()
    assert len(lines) == 5 and len(re.findall(r"(?<!\\)\|", lines[-1])) >= 4 and "<" not in lines[-1]
    _, row = csv.reader(io.StringIO(csv_of(found), newline=""))
    assert row[0].removeprefix("'") == " ".join(text.split()).removeprefix("'") and row[1:] == ["1.0000", "2.0000"]
