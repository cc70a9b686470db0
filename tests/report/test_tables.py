import csv
import io

import numpy as np
import pytest

from emodistill.evaluate.metrics import METRICS, EvalRecords
from emodistill.report.sheet import csv_of
from emodistill.report.statistics import Estimate
from emodistill.report.tables import best, differences, differences_sheet, main_markdown, main_rows, main_sheet

WHO = "simulated counterparty"


def deal(scenario, rollout, savings, messages=4):
    return "ab".index(scenario), rollout, True, True, savings, messages


def failure(scenario, rollout, messages=8):
    return "ab".index(scenario), rollout, True, False, 0.0, messages


def error(scenario, rollout):
    return "ab".index(scenario), rollout, False, False, 0.0, 3


PLAYED = {
    "vanilla-slm": [deal("a", 0, 0.5), failure("a", 1), failure("b", 0), error("b", 1)],
    "full": [deal("a", 0, 0.75), deal("a", 1, 0.25), deal("b", 0, 0.5), deal("b", 1, 1.0)],
    "sft": [error("a", 0), error("b", 0)],
}
RECORDS = {v: EvalRecords(*map(np.array, zip(*rows, strict=True))) for v, rows in PLAYED.items()}
ROWS = main_rows(RECORDS, 500, 1)


def lines(text):
    return list(csv.DictReader(io.StringIO(text)))


def test_rows_keep_their_order_and_count_errors_beside_valid_episodes():
    assert [(row.variant, row.n, row.errors) for row in ROWS] == [("vanilla-slm", 3, 1), ("full", 4, 0), ("sft", 0, 2)]


def test_values_by_hand():
    slm, full, _ = ({metric: row.estimates[metric].value for metric in METRICS} for row in ROWS)
    assert slm == pytest.approx({"success": 100 / 3, "outcomes": 50.0, "utility": 50 / 3, "rounds": 20 / 3})
    assert full == {"success": 100.0, "outcomes": 62.5, "utility": 62.5, "rounds": 4.0}
    assert (ROWS[1].estimates["utility"].low, ROWS[1].estimates["utility"].high) == (50.0, 75.0)


def test_the_csv_says_all_of_it():
    text = csv_of(main_sheet(ROWS, "demo", WHO, ["iql-only"]))
    assert text.startswith("variant,success,outcomes,utility,rounds,n,errors,success_low,success_high,outcomes_low,")
    slm, full, sft, gone = lines(text)
    assert (slm["success"], slm["n"], slm["errors"], slm["counterparty"]) == ("33.3333", "3", "1", WHO)
    assert [full[f"utility{end}"] for end in ("_low", "", "_high")] == ["50.0000", "62.5000", "75.0000"]
    assert {sft[key] for key in (*METRICS, "utility_low", "rounds_high")} == {""} and sft["errors"] == "2"
    assert [full[key] for key in ("agreed", "scenarios")] == ["4", "2"] and slm["agreed"] == "1"
    said = {key: cell for key, cell in gone.items() if key not in ("variant", "counterparty")}
    assert gone["variant"] == "iql-only" and set(said.values()) == {"not run"}


def test_differences_are_paired_over_valid_episodes_of_both():
    found = differences(RECORDS, 500, 1)
    assert set(found) == {("full", "vanilla-slm"), ("full", "sft"), ("sft", "vanilla-slm")}
    first = found["full", "vanilla-slm"]
    assert first.estimate == Estimate(pytest.approx((25 + 25 + 50) / 3), 25.0, 50.0, 3)
    assert (first.p, first.adjusted) == (0.5, 0.5)  # both scenarios agree: 2 of the 4 swaps are as large
    assert found["full", "sft"].estimate.n == 0
    first, second, _ = lines(csv_of(differences_sheet(found, "", WHO)))
    assert first == {
        "variant": "full", "minus": "vanilla-slm", "utility_difference": "33.3333", "low": "25.0000", "high": "50.0000",
        "n": "3", "counterparty": WHO, "p": "0.5000", "p_adjusted": "0.5000",
    }  # fmt: skip
    assert [second[key] for key in ("minus", "utility_difference", "n", "p")] == ["sft", "", "0", ""]


def test_a_comparison_needs_both_variants():
    assert differences({"full": RECORDS["full"]}, 500, 1) == {}


def test_the_markdown_shows_intervals_gaps_and_what_was_not_run():
    main = main_sheet(ROWS, "demo", WHO, ["iql-only"], ["2 held-out scenarios"])
    text = main_markdown(main, differences_sheet(differences(RECORDS, 500, 1), "differences", WHO))
    table = text.splitlines()
    assert table[0] == "**demo**"
    assert table[2] == "| variant | success % | outcomes | utility | rounds | n | errors |"
    assert table[5] == (
        "| full | 100.0 [100.0, 100.0] | 62.5 [50.0, 75.0] | 62.5 [50.0, 75.0] | 4.0 [4.0, 4.0] | 4 | 0 |"
    )
    assert table[6] == "| sft | – | – | – | – | 0 | 2 |"
    assert table[7] == "| iql-only | not run | not run | not run | not run | not run | not run |"
    assert "2 held-out scenarios" in text
    assert "| full − vanilla-slm | 33.3 [25.0, 50.0] | 3 | yes | 0.5000 |" in table
    assert "| full − sft | – | 0 | no | – |" in table


def test_without_differences_their_table_is_left_out():
    assert "paired difference" not in main_markdown(main_sheet(ROWS, "demo", WHO), differences_sheet({}, "", WHO))


def test_bold_is_who_beats_every_other_variant_and_nobody_where_one_cannot_be_compared():
    two = {name: RECORDS[name] for name in ("vanilla-slm", "full")}
    assert best(two, main_rows(two, 500, 1), 500, 1)["utility"] == "full"
    assert best(RECORDS, ROWS, 500, 1) == {}  # sft has no valid episode
    same = {"full": RECORDS["full"], "again": RECORDS["full"]}
    assert best(same, main_rows(same, 500, 1), 500, 1) == {}
    sheet = main_sheet(main_rows(two, 500, 1), "demo", WHO, leaders={"utility": "full"})
    row = main_markdown(sheet, differences_sheet({}, "", WHO)).splitlines()[5]
    assert row.split(" | ")[2:4] == ["62.5 [50.0, 75.0]", "**62.5 [50.0, 75.0]**"]


def test_where_no_variant_has_a_value_none_is_best():
    nobody = {v: EvalRecords(np.arange(3), np.zeros(3, int), *[np.array(k) for k in ([True] * 3, [False] * 3)],
                             np.zeros(3), np.full(3, 5)) for v in ("full", "sft")}  # fmt: skip
    assert "outcomes" not in best(nobody, main_rows(nobody, 100, 1), 100, 1)
