"""The 160 published rows, compared by eye, then frozen. The files are not ours to ship: see SAMPLES."""

import csv
import os
import re
from pathlib import Path

import pytest

from emodistill.domains import DOMAINS
from emodistill.domains.base import as_scenarios
from emodistill.domains.importer import import_file
from emodistill.domains.split import split
from emodistill.rollout.offers import read

from helpers import ROOT

SAMPLES = Path(os.environ.get("EMODISTILL_SAMPLES", ROOT.parent / "shared" / "data" / "emomas"))
FILES = {
    "crad": "credit_recovery_scenarios.csv",
    "disaster": "disaster_survivor_scenarios.csv",
    "hospital": "hospital_surgery_scenarios.csv",
    "student": "education_sleep_scenarios.csv",
}
pytestmark = pytest.mark.skipif(not SAMPLES.is_dir(), reason=f"no published sample files in {SAMPLES}")
each = pytest.mark.parametrize("key", FILES)

# (focal, counterparty) of every row, worked out by METHOD.md §1 from the file's figures
TARGETS = {
    "crad": [
        (12, 159), (14, 71), (20, 133), (14, 94), (5, 107), (18, 145), (17, 77), (19, 34),
        (8, 165), (12, 32), (7, 176), (11, 151), (12, 166), (12, 143), (7, 106), (19, 46),
        (15, 98), (20, 151), (5, 152), (7, 146), (7, 161), (18, 79), (5, 88), (8, 167),
        (18, 156), (20, 155), (8, 148), (20, 77), (15, 118), (6, 161), (20, 158), (5, 142),
        (16, 33), (9, 88), (16, 169), (6, 68), (7, 118), (16, 79), (15, 131), (14, 46),
    ],
    "disaster": [
        (120, 90), (90, 45), (60, 30), (180, 120), (240, 180), (200, 60), (150, 40), (75, 20),
        (300, 90), (180, 120), (240, 180), (45, 15), (90, 30), (300, 180), (150, 120), (60, 25),
        (130, 90), (120, 60), (100, 45), (110, 50), (80, 30), (100, 40), (140, 70), (180, 60),
        (100, 35), (200, 90), (360, 180), (120, 50), (180, 120), (480, 300), (150, 120), (240, 90),
        (220, 150), (120, 45), (130, 80), (90, 60), (300, 200), (300, 180), (75, 30), (50, 20),
    ],
    "hospital": [
        (45, 15), (35, 28), (150, 30), (180, 60), (21, 14), (60, 15), (120, 75), (200, 120),
        (30, 6), (82, 75), (150, 50), (27, 20), (270, 90), (12, 5), (90, 15), (97, 90),
        (120, 35), (37, 30), (75, 15), (40, 15), (100, 30), (57, 50), (35, 15), (14, 7),
        (85, 35), (17, 10), (25, 10), (160, 50), (95, 30), (29, 22), (210, 40), (22, 15),
        (330, 100), (110, 35), (40, 10), (67, 60), (65, 10), (107, 100), (55, 20), (35, 28),
    ],
    "student": [
        (90, 300), (45, 270), (120, 360), (0, 180), (60, 240), (75, 255), (30, 210), (105, 300),
        (60, 240), (-15, 165), (120, 330), (15, 225), (60, 240), (90, 270), (0, 180), (90, 270),
        (45, 240), (120, 390), (30, 210), (60, 240), (75, 285), (-30, 150), (105, 315), (45, 225),
        (120, 300), (0, 180), (90, 270), (15, 195), (120, 360), (60, 240), (75, 255), (90, 270),
        (0, 180), (120, 300), (45, 225), (105, 285), (-15, 165), (90, 285), (60, 240), (15, 195),
    ],
}  # fmt: skip
# Rows that are more than "a comma without a space parts two cells": Case_ID -> (column, begins, ends)
HARD = {
    "disaster": {
        37: [(1, "Forest", "Forest"), (2, " Lost", "wound"), (5, "Anti", "Antibiotics")],
    },
    "hospital": {
        35: [(7, "Senior (", "Knee)"), (8, None, None), (9, "Locked", "extend"), (10, "Active", "childcare"),
             (11, "Junior", "1 week"), (12, "30", "30")],
        37: [(7, "Senior (", "Surgeon)"), (8, None, None), (9, "Recurrent", "painful"), (10, "Sitting", "office job"),
             (11, "General", "perform"), (12, "25", "25")],
        39: [(7, "Senior (", "Surgeon)"), (8, None, None), (9, "Non-healing", "infection"), (10, "Unable", "pressure"),
             (11, "Vascular", "handle"), (12, "35", "35")],
    },
    "student": {
        32: [(2, "Chronic", "Insomniac"), (4, '"Anxiety', 'sleeping."'), (5, "10:30 PM", "10:30 PM"),
             (6, " N/A (", "can't)"), (7, "Psycho", "it.")],
    },
}  # fmt: skip


def lines(key):
    text = (SAMPLES / FILES[key]).read_text(encoding="utf-8-sig")
    return [line for line in text.splitlines()[1:] if line.strip()]


@pytest.fixture(scope="module")
def imported():
    return {key: import_file(SAMPLES / name, DOMAINS.values()) for key, name in FILES.items()}


@each
def test_every_row_is_recovered_with_its_targets(imported, key):
    found = imported[key]
    assert (found.domain.key, found.rows, len(found.drawn), found.skipped) == (key, 40, 40, ())
    assert [(one.focal_target, one.counterparty_target) for one in found.drawn] == TARGETS[key]
    imputed = [k for k, one in enumerate(found.drawn, 1) if one.imputed]
    assert imputed == {"student": [32]}.get(key, [])
    assert [remark.line - 1 for remark in found.repaired] == list(HARD.get(key, {}))


@each
def test_every_cell_is_whole(key):
    columns = DOMAINS[key].columns if key != "crad" else ()
    for number, line in enumerate(lines(key), 1):
        if key == "crad":
            continue
        found = split(line, columns)
        assert ",".join(cell for cell in found.cells if cell is not None) == line
        if number in HARD[key]:
            for at, begins, ends in HARD[key][number]:
                cell = found.cells[at]
                assert cell is None if begins is None else cell.startswith(begins) and cell.endswith(ends), (number, at)
        else:
            assert list(found.cells) == re.split(r",(?! )", line), number


def test_clean_rows_are_read_as_the_csv_module_reads_them(imported):
    with (SAMPLES / FILES["crad"]).open(encoding="utf-8-sig", newline="") as file:
        rows = list(csv.DictReader(file))
    for row, one in zip(rows, imported["crad"].drawn, strict=True):
        expected = [value for name, value in row.items() if "Target Days" not in name]
        assert sorted(text for _, text in one.facts) == sorted(expected)


@each
def test_no_brief_tells_the_other_sides_target(imported, key):
    domain, drawn = imported[key].domain, imported[key].drawn
    for scenario in as_scenarios(domain, drawn, 40, 0):
        for seat, theirs in (("focal", scenario.counterparty_target), ("counterparty", scenario.focal_target)):
            brief = domain.brief(scenario, seat)
            assert not re.search(rf"\b{re.escape(domain.quantity.say(theirs))}\b", brief), brief
            assert not re.search(rf"(?<![\d.:]){theirs:g}\W*(?:min|day|hour)", brief), brief


@each
def test_no_lever_passes_for_an_offer(imported, key):
    domain = imported[key].domain
    for one in imported[key].drawn:
        for _, sentence in domain.levers:
            said = sentence.format(**dict(one.facts))
            assert read(said, domain.quantity).offer is None, said
