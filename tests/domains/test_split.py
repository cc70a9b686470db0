"""The cut of a line into columns: made-up rows with the habits of the published files."""

import csv
import io

import pytest
from hypothesis import given
from hypothesis import strategies as st

from emodistill.domains.columns import Column, clean
from emodistill.domains.hospital import DOMAIN as HOSPITAL
from emodistill.domains.split import split
from emodistill.domains.student import DOMAIN as STUDENT

from builders import PROPERTY

CASE = (Column("id", "number"), Column("what"), Column("how"), Column("minutes", "amount"), Column("needs"))
QUOTE = (*CASE, Column("said", "quoted", optional=True))

word = st.from_regex(r"[A-Za-z0-9.;'/-]{1,8}", fullmatch=True)
phrase = st.lists(word, min_size=1, max_size=4).map(" ".join)
loose = st.lists(phrase, min_size=1, max_size=4).map(", ".join)  # text with commas, each followed by a space
cell = {
    "number": st.integers(0, 999).map(str),
    "amount": st.integers(0, 999).map(str) | st.sampled_from(("90+", "~60", "Variable", "N/A (listed)", "1.5 hours")),
    "clock": st.builds("{}:{:02d} {}M".format, st.integers(1, 12), st.integers(0, 59), st.sampled_from("AP")),
    "urgency": st.sampled_from(("High", "Medium", "low")),
    "yes-no": st.sampled_from(("Yes", "No", "No (retired)")),
    "text": loose,
    "quoted": loose.map("“{}”".format) | loose.map('"{}"'.format),
}
columns = st.lists(st.sampled_from(sorted(cell)), min_size=1, max_size=8).map(
    lambda kinds: tuple(Column(f"c{k}", kind) for k, kind in enumerate(kinds))
)
rows = columns.flatmap(lambda made: st.tuples(st.just(made), st.tuples(*(cell[column.kind] for column in made))))


@PROPERTY
@given(rows)
def test_commas_with_a_space_inside_fields_never_part_them(row):
    made, cells = row
    assert split(",".join(cells), made).cells == cells


@PROPERTY
@given(rows, st.randoms(use_true_random=False))
def test_whatever_is_cut_is_the_whole_line(row, rng):
    made, cells = row
    line = "".join("" if rng.random() < 0.03 else letter for letter in ",".join(cells))
    try:
        found = split(line, made).cells
    except ValueError:
        return
    assert len(found) == len(made) and ",".join(part for part in found if part is not None) == line


@PROPERTY
@given(st.lists(st.text("ab ,\"“”()'", max_size=12).map(str.strip), min_size=1, max_size=6))
def test_a_clean_csv_is_read_as_the_csv_module_writes_it(texts):
    written = io.StringIO()
    csv.writer(written, quoting=csv.QUOTE_ALL, lineterminator="").writerow(texts)
    found = split(written.getvalue(), tuple(Column(f"c{k}") for k in range(len(texts)))).cells
    assert [clean(cell) for cell in found] == texts


@pytest.mark.parametrize(
    ("line", "cells", "repairs"),
    [
        ("7,Ice,Cold,30,Heat, Food, Rope", ("7", "Ice", "Cold", "30", "Heat, Food, Rope"), ()),
        ('7,Ice,"Cold, wet",30,Heat', ("7", "Ice", '"Cold, wet"', "30", "Heat"), ()),
        ('7,"Ice,Snow",Cold,30,Heat', ("7", '"Ice,Snow"', "Cold", "30", "Heat"), ()),
        ("7,Ice (thin, old),Cold,30,Heat", ("7", "Ice (thin, old)", "Cold", "30", "Heat"), ()),
        (" 7, Ice,Cold, 30 ,Heat", (" 7", " Ice", "Cold", " 30 ", "Heat"), ("before what", "before minutes")),
        ("7,Ice, Cold,30,Heat", ("7", "Ice", " Cold", "30", "Heat"), ("before how",)),
        ("7,Ice, Cold, but dry,30,Heat", ("7", "Ice", " Cold, but dry", "30", "Heat"), ("before how",)),
        ("7,Ice,Cold,and wet,30,Heat", ("7", "Ice", "Cold,and wet", "30", "Heat"), ("inside how",)),
        ("7,Ice (a,B),Cold,30,Heat", ("7", "Ice (a,B)", "Cold", "30", "Heat"), ("inside what",)),
        ("7,Ice,Cold,1,200,Heat", ("7", "Ice", "Cold", "1,200", "Heat"), ("inside minutes",)),
        ("7,Ice,Cold,N/A, unclear,Heat", ("7", "Ice", "Cold", "N/A, unclear", "Heat"), ()),
        ("7,Ice,Cold,depends on wind,Heat", ("7", "Ice", "Cold", "depends on wind", "Heat"), ()),
        ("7,Ice,Cold,,Heat", ("7", "Ice", "Cold", "", "Heat"), ()),
        ("7,Ice,Cold,30,", ("7", "Ice", "Cold", "30", ""), ()),
    ],
)  # fmt: skip
def test_rows_by_hand(line, cells, repairs):
    found = split(line, CASE)
    assert found.cells == cells
    assert [repair for repair, want in zip(found.repairs, repairs, strict=True) if want not in repair] == []


@pytest.mark.parametrize(
    ("line", "said"),
    [
        ("7,Ice,Cold,30,Heat, Food,“Hold on, we come. Soon,very soon.”", "“Hold on, we come. Soon,very soon.”"),
        ("7,Ice,Cold,30,Heat, Food, “Hold on, we come.”", " “Hold on, we come.”"),
        ('7,Ice,Cold,30,Heat,"Hold on", she said, "now"', '"Hold on", she said, "now"'),
        ("7,Ice,Cold,30,Heat,“Never closed, but long", "“Never closed, but long"),
        ("7,Ice,Cold,30,Heat,Hold on without marks", "Hold on without marks"),
        ("7,Ice,Cold,30,Heat, Food", None),
    ],
)
def test_an_argument_in_any_kind_of_quotes_or_none_or_missing(line, said):
    assert split(line, QUOTE).cells[-1] == said


@pytest.mark.parametrize(
    ("line", "reason"),
    [
        ("7,Ice", "2 cells where the header has 5"),
        ("x,Ice,Cold,30,Heat", "id is 'x', not a number"),
        ("7,Ice,30,Heat", "4 cells where the header has 5"),
        ("7,Ice,30,Heat, Food", "no plausible way to make 5 columns of its 5 pieces"),
        ("7,Ice,Snow,Cold,30,Heat", "2 equally plausible ways to make 5 columns of its 6 pieces"),
        ("7,Ice, Snow, Cold,30,Heat", "2 equally plausible ways"),
        ("7,Ice, thin, cold, wet, old", "no plausible way"),
    ],
)
def test_a_line_without_one_best_cut_is_refused(line, reason):
    with pytest.raises(ValueError, match=reason):
        split(line, CASE)


def test_an_argument_is_not_taken_for_the_missing_needs_nor_a_quotation_torn():
    with pytest.raises(ValueError, match="no plausible way"):
        split("7,Ice,Cold,30,“Hold on, we come.”", QUOTE)
    with pytest.raises(ValueError, match="no plausible way"):
        split('7,"Ice, Snow",30,Heat', CASE)


def test_a_surgery_row_whose_fields_overflow_with_commas():
    cells = (
        "7", "41", "Torn Tendon (left, old)", "Tendon Repair", "Low", "90", "No", "Senior (Hand, Wrist)",
        "On leave, back in spring", "Weak grip, stiffness", "Pianist, has a concert", "Take a colleague, supervised",
        "~40", "Declined, will wait",
    )  # fmt: skip
    assert split(",".join(cells), HOSPITAL.columns).cells == cells
    shorter = split(",".join((*cells[:8], *cells[9:])), HOSPITAL.columns)
    assert shorter.cells == (*cells[:8], None, *cells[9:])
    assert shorter.repairs == ("Surgeon_Availability_Reason is missing",)
    assert split(",".join(cells[:-1]), HOSPITAL.columns).cells == (*cells[:-1], None)


def test_a_student_row_with_stray_quotes_and_a_bedtime_in_words():
    cells = (
        "7", "12", "Night_Owl (since birth, she says)", "Moon is out, sky is clear", '"Why "sleep", of all things?"',
        "9:00 PM", " N/A (never, if possible)", 'Thinks "early" is for birds, not for "owls".',
    )  # fmt: skip
    assert split(",".join(cells), STUDENT.columns).cells == cells
    assert clean(cells[4]) == 'Why "sleep", of all things?'


@pytest.mark.parametrize(
    ("cell", "text"),
    [(' "a, b" ', "a, b"), ('"say ""no"""', 'say "no"'), ('"a" and "b"', '"a" and "b"'), ("“a”", "“a”"), ('"', '"'),
     ('""', ""), ("the \"c\" (d)", "the \"c\" (d)")],
)  # fmt: skip
def test_only_a_straight_quotation_around_the_whole_cell_is_form(cell, text):
    assert clean(cell) == text
