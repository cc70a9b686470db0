import re
from dataclasses import replace

import pytest

from emodistill.config import Scenarios
from emodistill.domains import build_scenarios, domain_named, sources
from emodistill.domains.base import Drawn, generate
from emodistill.domains.crad import DOMAIN
from emodistill.domains.importer import import_file
from emodistill.errors import BadInput

HEADER = (
    "Creditor Name,Debtor Name,Credit Type,Original Amount (USD),Outstanding Balance (USD),Creditor Target Days,"
    "Debtor Target Days,Days Overdue,Purchase Purpose,Reason for Overdue,Business Sector,Last Payment Date,Collateral,"
    "Recovery Stage,Cash Flow Situation,Business Impact Description,Proposed Solution,Recovery Probability (%),"
    "Interest Accrued (USD)"
)
ROW = (
    'Acme Bank,"Brown, Sons & Co",Trade Credit,9000.5,4500,{creditor},{debtor},60,Flour,"Flood, then ""fire""",Bakery,'
    "2025-03-29 07:48:10.6,Car,Legal,Weak,Shop shut.,Plan,55.6,88.7"
)


def table(*rows: str) -> str:
    return "\n".join((HEADER, *rows)) + "\n"


def bargain(creditor: object = 20, debtor: object = 120) -> str:
    return ROW.format(creditor=creditor, debtor=debtor)


@pytest.fixture
def csv_file(tmp_path):
    def write(text):
        (tmp_path / "crad.csv").write_text(text, encoding="utf-8")
        return tmp_path / "crad.csv"

    return write


def test_generated_scenarios_are_deterministic_distinct_and_in_range():
    made = generate(DOMAIN, 100, seed=3)
    assert made == generate(DOMAIN, 100, seed=3) != generate(DOMAIN, 100, seed=4)
    assert len({one.facts for one in made}) == len(made) == 100
    assert {5 <= one.focal_target <= 30 < 32 <= one.counterparty_target <= 176 for one in made} == {True}


def test_a_scenario_that_was_drawn_before_is_drawn_again():
    few = replace(DOMAIN, generate=lambda rng: Drawn(1.0, 2.0, (("case", str(rng.randrange(5))),)))
    assert {one.facts[0][1] for one in generate(few, 5, seed=1)} == set("01234")


def test_a_shorter_draw_is_the_start_of_a_longer_one():
    assert generate(DOMAIN, 100, seed=3)[:10] == generate(DOMAIN, 10, seed=3)


def test_the_first_80_train_and_the_next_20_are_held_out():
    made = build_scenarios(Scenarios(), seed=1)
    assert [s.split for s in made] == ["train"] * 80 + ["held_out"] * 20
    assert [s.id for s in made] == [f"crad-{k:04d}" for k in range(100)]
    assert {(s.domain, s.unit, s.imputed) for s in made} == {("crad", "days", False)}
    assert made == build_scenarios(Scenarios(), seed=1) != build_scenarios(Scenarios(), seed=2)


def read(path):
    return list(import_file(path, (DOMAIN,), "crad").drawn)


def test_a_published_row_is_read_whole(csv_file):
    facts = (
        ("creditor", "Acme Bank"), ("debtor", "Brown, Sons & Co"), ("credit type", "Trade Credit"),
        ("original amount", "9000.5"), ("balance", "4500"), ("days overdue", "60"), ("purpose", "Flour"),
        ("reason", 'Flood, then "fire"'), ("sector", "Bakery"), ("last payment", "2025-03-29 07:48:10.6"),
        ("collateral", "Car"), ("stage", "Legal"), ("cash flow", "Weak"), ("impact", "Shop shut."),
        ("proposal", "Plan"), ("recovery probability", "55.6"), ("interest", "88.7"),
    )  # fmt: skip
    assert read(csv_file(table(bargain(20, 120)))) == [Drawn(20.0, 120.0, facts)]


def test_column_order_extra_columns_and_spaces_around_cells_do_not_matter(csv_file):
    plain = read(csv_file(table(bargain(20, 120), bargain(25, 90))))
    rows = [["ID", *HEADER.split(",")]] + [
        [str(k), "Acme Bank", '"Brown, Sons & Co"', "Trade Credit", "9000.5", "4500", f" {days[0]} ", days[1], "60",
         "Flour", '"Flood, then ""fire"""', "Bakery", "2025-03-29 07:48:10.6", "Car", " Legal ", "Weak", "Shop shut.",
         "Plan", "55.6", "88.7"]
        for k, days in enumerate((("20", "120"), ("25.0", "9e1")))
    ]  # fmt: skip
    shuffled = "\n".join(",".join(reversed(row)) for row in rows)
    assert read(csv_file(shuffled)) == plain


@pytest.mark.parametrize(
    ("text", "fragments"),
    [
        (table().replace("Debtor Target Days,", ""), ["lacks the column(s) Debtor Target Days of crad"]),
        (table(bargain(), bargain() + ",9"), ["line 3: 9 equally plausible ways", "Mend that row"]),
        (table("Acme,Brown"), ["line 2: 2 cells where the header has 19"]),
        (table(bargain(), bargain(), bargain("soon")), ["line 4: Creditor Target Days is 'soon'", "Mend that row"]),
        (table(bargain(20, "")), ["line 2: Debtor Target Days is ''"]),
        (table(bargain("nan")), ["'nan', not a number"]),
        (table(bargain("-5")), ["'-5', not a number of days"]),
        (table(bargain("0")), ["'0', not a number of days"]),
        (table(bargain("1e300")), ["not a number of days"]),
        (table(bargain(30, "30.0")), ["line 2: both sides have the same target"]),
    ],
)  # fmt: skip
def test_a_bad_row_is_refused_by_line_and_cell(csv_file, text, fragments):
    path = csv_file(text)
    with pytest.raises(BadInput) as caught:
        read(path)
    message = str(caught.value)
    assert [fragment for fragment in (str(path), *fragments) if fragment not in message] == [], message


def test_the_line_number_is_that_of_the_text_file(csv_file):
    with pytest.raises(BadInput, match="line 4: Creditor Target Days is 'x'"):
        read(csv_file(table(bargain().replace("Flood", "Fl\nood"), bargain("x"))))


def test_a_missing_file_is_named_when_read_and_when_fingerprinted(tmp_path):
    path = tmp_path / "none.csv"
    for look in (lambda: read(path), lambda: sources(Scenarios(csv={"crad": str(path)}))):
        with pytest.raises(BadInput, match=rf"no scenario file {re.escape(str(path))}\. Name an existing CSV"):
            look()


def test_too_few_rows_are_refused_and_surplus_rows_are_left_out(csv_file):
    path = str(csv_file(table(*(bargain(20 + k) for k in range(4)))))
    made = build_scenarios(Scenarios(csv={"crad": path}, train=2, held_out=1), seed=1)
    assert [(s.focal_target, s.split) for s in made] == [(20, "train"), (21, "train"), (22, "held_out")]
    with pytest.raises(BadInput, match=r"4 scenarios where scenarios\.train \+ scenarios\.held_out ask for 5"):
        build_scenarios(Scenarios(csv={"crad": path}, train=3, held_out=2), seed=1)


def test_the_fingerprint_of_a_csv_is_its_content(csv_file):
    first = sources(Scenarios(csv={"crad": str(csv_file(table(bargain())))}))
    assert first == sources(Scenarios(csv={"crad": str(csv_file(table(bargain())))}))
    assert first != sources(Scenarios(csv={"crad": str(csv_file(table(bargain(21))))})) != sources(Scenarios())
    assert sources(Scenarios(domains=("crad",)))["crad"].startswith("builtin sha256 ")


def test_an_unknown_domain_is_refused_with_those_that_exist():
    with pytest.raises(BadInput, match=r"no domain 'crud'\. Known: crad"):
        domain_named("crud")
