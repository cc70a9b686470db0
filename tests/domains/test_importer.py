"""The importer: files as they come, remarks, refusals, and the command that shows them."""

import json
from pathlib import Path

import pytest

from emodistill.cli import main
from emodistill.config import Scenarios
from emodistill.domains import DOMAINS, build_scenarios
from emodistill.domains.importer import Remark, import_file
from emodistill.errors import BadInput

DISASTER = (
    "Case_ID,Disaster_Type,Survivor_Condition,Estimated_Survivor_Endurance(minutes),Rescue_Team_ETA(minutes),"
    "Critical_Needs,Key_Negotiation_Argument_By_RoboDog"
)
ICE = "1,Ice_Storm,Cold_hands,40,90,Gloves, Tea,“Sit tight, the plough is near.”"
MUD = "2,Mud_Flow, Stuck_to_the_waist,Variable,120,Rope, Planks, Winch,“Do not struggle. You have 2 hours.”"
BAD = "3,Fog,60,90,Lamp"


@pytest.fixture
def file(tmp_path):
    def write(*rows: str, header: str = DISASTER, end: str = "\r\n", encoding: str = "utf-8") -> Path:
        (tmp_path / "rows.csv").write_bytes(end.join((header, *rows, "")).encode(encoding))
        return tmp_path / "rows.csv"

    return write


def read(path, key=None, skip_bad=False):
    return import_file(path, DOMAINS.values(), key, skip_bad)


def test_rows_remarks_and_scenarios(file):
    found = read(file(ICE, MUD))
    assert (found.domain.key, found.rows, found.skipped) == ("disaster", 2, ())
    assert found.repaired == (Remark(3, "the comma before Survivor_Condition looks like text"),)
    ice, mud = found.drawn
    assert (ice.focal_target, ice.counterparty_target, ice.imputed) == (90, 40, False)
    assert (mud.focal_target, mud.counterparty_target, mud.imputed) == (120, 60, True)
    assert dict(mud.facts) == {
        "disaster": "Mud_Flow", "condition": "Stuck_to_the_waist", "needs": "Rope, Planks, Winch",
        "argument": "“Do not struggle. You have 2 hours.”",
    }  # fmt: skip


@pytest.mark.parametrize(
    "options", [{"end": "\n"}, {"end": "\r"}, {"encoding": "utf-8-sig"}, {"end": "\n\n,,,\n \n"}, {"end": "\n\xa0\n"}]
)
def test_line_ends_a_bom_and_blank_lines_do_not_matter(file, options):
    assert read(file(ICE, MUD, **options)).drawn == read(file(ICE, MUD)).drawn


def test_commas_that_fill_up_a_row_are_no_text(file):
    argument = dict(read(file(ICE + ",,")).drawn[0].facts)["argument"]
    assert argument == "“Sit tight, the plough is near.”"
    assert read(file(ICE + ",,", header=DISASTER + ",,")).drawn == read(file(ICE)).drawn


def test_two_cells_in_words_do_not_lose_their_row(file):
    (one,) = read(file(ICE.replace("40,90", "Indefinite,Immediate"))).drawn
    assert (one.focal_target, one.counterparty_target, one.imputed) == (90, 60, True)


def test_a_row_that_cannot_be_recovered_is_named_or_left_out(file):
    path = file(ICE, BAD, MUD)
    with pytest.raises(BadInput, match=r"rows\.csv, line 3: 5 cells where the header has 7\. Mend .* \(--skip-bad\)"):
        read(path)
    found = read(path, skip_bad=True)
    assert (found.rows, len(found.drawn)) == (3, 2)
    assert found.skipped == (Remark(3, "5 cells where the header has 7"),)
    settings = Scenarios(domains=("disaster",), csv={"disaster": str(path)}, train=1, held_out=1)
    with pytest.raises(BadInput, match="line 3"):
        build_scenarios(settings, 1)
    made = build_scenarios(settings.model_copy(update={"skip_bad": True}), 1)
    assert [(s.id, s.focal_target, s.imputed) for s in made] == [
        ("disaster-0000", 90, False),
        ("disaster-0001", 120, True),
    ]


def test_a_quoted_cell_may_hold_line_breaks_and_an_open_one_ends_at_its_line(file):
    broken = '4,Fog,"Lost,\nand cold",60,90,Lamp,“Stay.”'
    found = read(file(broken, BAD.replace("Lamp", '"Lamp'), ICE, end="\n"), skip_bad=True)
    assert [dict(one.facts)["condition"] for one in found.drawn] == ["Lost,\nand cold", "Cold_hands"]
    assert [remark.line for remark in found.skipped] == [4]


@pytest.mark.parametrize(
    ("content", "words"),
    [
        (b"", ["is empty"]),
        (b"\r\n \r\n", ["is empty"]),
        (b"\x89PNG\r\n\x1a\n\0\0", ["not UTF-8 text (byte 0", "Save it as CSV in UTF-8"]),
        (b"Case_ID\0,b\n", ["a binary file"]),
        (f"{DISASTER}\n{ICE}".encode("cp1252"), ["not UTF-8 text", "another encoding"]),
        (f"{DISASTER}\n{ICE}".encode("utf-16"), ["not UTF-8 text"]),
        (b"a,b\n1,2\n", ["not a crad, disaster, hospital or student scenario file", "lacks", "and 16 more"]),
        (DISASTER.replace(",Critical_Needs", "").encode(), ["lacks the column(s) Critical_Needs of disaster"]),
    ],
)  # fmt: skip
def test_a_file_of_another_kind_is_refused_in_words(tmp_path, content, words):
    (tmp_path / "rows.csv").write_bytes(content)
    with pytest.raises(BadInput) as caught:
        read(tmp_path / "rows.csv")
    assert [word for word in ("rows.csv", *words) if word not in str(caught.value)] == [], caught.value


def test_a_missing_file_and_a_folder_are_refused(tmp_path):
    with pytest.raises(BadInput, match=r"no scenario file .*nowhere\.csv"):
        read(tmp_path / "nowhere.csv")
    with pytest.raises(BadInput, match="is a folder"):
        read(tmp_path)


def test_a_domain_that_contradicts_the_header_is_refused(file):
    with pytest.raises(BadInput, match="not a crad scenario file: its header is that of disaster"):
        read(file(ICE), "crad")
    assert read(file(ICE), "disaster").domain.key == "disaster"


def test_the_command_prints_a_table_and_the_count(file, capsys):
    path = file(ICE, MUD, BAD)
    assert main(["scenarios", "import", str(path), "--skip-bad"]) == 0
    assert capsys.readouterr().out.splitlines() == [
        "id             rescue coordinator  survivor              fact",
        "disaster-0000  90 minutes          40 minutes            Ice Storm",
        "disaster-0001  120 minutes         60 minutes (imputed)  Mud Flow",
        "line 3, repaired: the comma before Survivor_Condition looks like text",
        "line 4, left out: 5 cells where the header has 7",
        "2 of 3 rows recovered, 1 imputed",
    ]


def test_the_command_prints_json(file, capsys):
    assert main(["scenarios", "import", str(file(ICE, BAD)), "--json", "--skip-bad", "--domain", "disaster"]) == 0
    found = json.loads(capsys.readouterr().out)
    assert {k: found[k] for k in ("domain", "rows", "recovered", "imputed")} == {
        "domain": "disaster", "rows": 2, "recovered": 1, "imputed": 0,
    }  # fmt: skip
    assert found["skipped"] == [{"line": 3, "reason": "5 cells where the header has 7"}] and found["repaired"] == []
    assert found["scenarios"] == [
        {
            "id": "disaster-0000", "focal_target": 90.0, "counterparty_target": 40.0, "unit": "minutes",
            "facts": {"disaster": "Ice_Storm", "condition": "Cold_hands", "needs": "Gloves, Tea",
                      "argument": "“Sit tight, the plough is near.”"},
            "imputed": False,
        }
    ]  # fmt: skip


def test_the_command_refuses_bad_input_in_one_paragraph(file, capsys):
    for arguments in ([], ["--domain", "crad"], ["--domain", "crat"]):
        assert main(["scenarios", "import", str(file(BAD)), *arguments]) == 2
        said = capsys.readouterr()
        assert said.out == "" and len(said.err.strip().splitlines()) == 1
