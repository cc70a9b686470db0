import csv
import io

import pytest

from emodistill.evaluate.metrics import METRICS, EvalRecord
from emodistill.report.statistics import Estimate
from emodistill.report.tables import differences, differences_csv, main_csv, main_markdown, main_rows

WHO = "simulated counterparty"


def deal(scenario, rollout, savings, messages=4):
    return EvalRecord(scenario, rollout, True, True, savings, messages)


def failure(scenario, rollout, messages=8):
    return EvalRecord(scenario, rollout, True, False, 0.0, messages)


def error(scenario, rollout):
    return EvalRecord(scenario, rollout, False, False, 0.0, 3)


RECORDS = {
    "vanilla-slm": [deal("a", 0, 0.5), failure("a", 1), failure("b", 0), error("b", 1)],
    "full": [deal("a", 0, 0.75), deal("a", 1, 0.25), deal("b", 0, 0.5), deal("b", 1, 1.0)],
    "sft": [error("a", 0), error("b", 0)],
}
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
    text = main_csv(ROWS, WHO)
    assert text.startswith("variant,success,outcomes,utility,rounds,n,errors,success_low,success_high,outcomes_low,")
    slm, full, sft = lines(text)
    assert (slm["success"], slm["n"], slm["errors"], slm["counterparty"]) == ("33.3333", "3", "1", WHO)
    assert [full[f"utility{end}"] for end in ("_low", "", "_high")] == ["50.0000", "62.5000", "75.0000"]
    assert {sft[key] for key in (*METRICS, "utility_low", "rounds_high")} == {""} and sft["errors"] == "2"


def test_differences_are_paired_over_valid_episodes_of_both():
    found = differences(RECORDS, 500, 1)
    assert set(found) == {("full", "vanilla-slm"), ("full", "sft"), ("sft", "vanilla-slm")}
    assert found["full", "vanilla-slm"] == Estimate(pytest.approx((25 + 25 + 50) / 3), 25.0, 50.0, 3)
    assert found["full", "sft"].n == 0
    first, second, _ = lines(differences_csv(found, WHO))
    assert first == {
        "variant": "full", "minus": "vanilla-slm", "utility_difference": "33.3333", "low": "25.0000", "high": "50.0000",
        "n": "3", "counterparty": WHO,
    }  # fmt: skip
    assert (second["minus"], second["utility_difference"], second["n"]) == ("sft", "", "0")


def test_a_comparison_needs_both_variants():
    assert differences({"full": RECORDS["full"]}, 500, 1) == {}


def test_the_markdown_shows_intervals_gaps_and_what_was_not_run():
    text = main_markdown(ROWS, differences(RECORDS, 500, 1), "demo", ["iql-only"], ["2 held-out scenarios"])
    table = text.splitlines()
    assert table[0] == "**demo**"
    assert table[2] == "| variant | success % | outcomes | utility | rounds | n | errors |"
    assert table[5] == (
        "| full | 100.0 [100.0, 100.0] | 62.5 [50.0, 75.0] | 62.5 [50.0, 75.0] | 4.0 [4.0, 4.0] | 4 | 0 |"
    )
    assert table[6] == "| sft | – | – | – | – | 0 | 2 |"
    assert table[7] == "| iql-only | not run | not run | not run | not run | not run | not run |"
    assert "2 held-out scenarios" in text
    assert "| full − vanilla-slm | 33.3 [25.0, 50.0] | 3 | yes |" in table
    assert "| full − sft | – | 0 | no |" in table


def test_without_differences_their_table_is_left_out():
    assert "paired difference" not in main_markdown(ROWS, {}, "demo", [], [])
