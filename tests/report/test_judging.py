import csv
import io
import math

from emodistill.records import Verdict
from emodistill.report.judging import judge_rows, judge_sheet
from emodistill.report.sheet import csv_of, markdown_of

from builders import scenario

NAN = math.nan
SCENARIOS = {f"crad-{k:04d}": scenario(key=f"crad-{k:04d}") for k in range(2)}


def rows(*scores, repeats, error=""):
    made = [Verdict(f"crad-000{k % 2}-r{k:04d}", turns, turns, error) for k, turns in enumerate(scores)]
    return judge_rows(made, SCENARIOS, repeats)


def test_a_row_by_hand():
    [row] = rows(((2.0, 4.0), (NAN, NAN)), ((9.0, NAN), (6.0, 6.0)), (), repeats=2)
    assert (row.domain, row.turns, row.missing, row.errors, row.repeats) == ("crad", 4, 1, 0, 2)
    assert (row.mean, row.sd, row.expected) == (6.0, math.sqrt(6), 5.4)  # 3 9 6; 2 4 9 6 6
    assert (row.agreement.difference, row.agreement.within_one) == (1.0, 0.5)


def test_one_repeat_has_no_agreement_and_the_tables_say_so():
    found = rows(((2.0,), (NAN,)), ((4.0,),), repeats=1, error="401")
    sheet = judge_sheet(found, "demo", "simulated")
    [cells] = csv.DictReader(io.StringIO(csv_of(sheet)))
    assert cells == {
        "domain": "crad", "turns": "3", "missing": "1", "errors": "2", "mean": "3.0000", "sd": "1.0000",
        "expected": "3.0000", "repeats": "1", "alpha": "", "mean_absolute_difference": "", "within_one": "",
        "judge": "simulated",
    }  # fmt: skip
    assert "| crad | 3 | 1 | 2 | 3.00 | 1.00 | 3.00 | 1 | – | – | – |" in markdown_of(sheet).splitlines()


def test_nothing_scored_has_no_mean():
    [row] = rows(((NAN,),), repeats=1)
    assert row.missing == 1 and math.isnan(row.mean) and math.isnan(row.expected)
    assert judge_rows([], SCENARIOS, 1) == []
