"""report.html without a browser: what is in it, and that no text becomes markup."""

import base64
import gzip
import json
import re
from dataclasses import replace
from html.parser import HTMLParser

import numpy as np
import pytest

from emodistill.dataset.rewards import turn_rewards
from emodistill.records import Verdict
from emodistill.report.dialogues import CHUNK, Source, gather
from emodistill.report.figures import matrix_figure
from emodistill.report.html import Drawing, Page, json_text, render, table
from emodistill.report.sheet import Column, Sheet
from emodistill.report.statistics import Estimate
from emodistill.report.svg import inlined

from builders import ACCEPTS, WALKS, dialogue, episode, scenario

HOSTILE = "</script><script>alert(1)</script><!-- <img src=x onerror=alert(1)> {{CONFIG}} & \"'\ud800"
ONE = scenario(20, 120)
AGREED = episode("agreement", 60.0, dialogue(30, 100, 60, ACCEPTS, emotions=["joy", "anger"]), "crad-0000-r0000")
BROKEN = episode("breakdown", None, dialogue(30, WALKS, emotions=["joy"]), "crad-0000-r0001")
VERDICTS = {AGREED.id: Verdict(AGREED.id, ((6.0,), (float("nan"),)), ((6.0,), (float("nan"),)))}


def unpacked(chunk):
    return json.loads(gzip.decompress(base64.b64decode(chunk.text)))


def page(**changes) -> Page:
    scenarios = {ONE.id: ONE}
    made = Page(
        "a run", ("judge",), ("found",), ("caution",), None, (), (), (), (("Run", "a run"),), (), "name: a run\n",
        (ONE,), {"crad": ("creditor", "debtor")},
        tuple(gather([Source("full", lambda: ([AGREED, BROKEN], VERDICTS))], scenarios, 12)), 12,
    )  # fmt: skip
    return replace(made, **changes)


class Elements(HTMLParser):
    """Every start tag with its attributes, as a browser's tokeniser sees them."""

    def __init__(self, text):
        super().__init__()
        self.found = []
        self.feed(text)

    def handle_starttag(self, tag, attributes):
        self.found.append((tag, dict(attributes)))


def test_dialogues_carry_words_offers_scores_and_rewards_by_hand():
    [found] = page().dialogues
    chunk = unpacked(found.chunks[0])
    agreement, breakdown = chunk["figures"]
    assert chunk["texts"] == [["f0", "c1", "f2", "c3"], ["f0", "c1"]]
    assert agreement["m"] == [[17, 30.0, 0], [-1, 100.0, 0], [2, 60.0, 0], [-1, None, 1]]
    assert agreement["j"] == [6.0, None] and "j" not in breakdown
    # Focal gives up 0.1 and gains 0.2, weighed 11/12; then 0.3 against 0.4 (accepting 60 days), 10/12.
    assert agreement["r"] == pytest.approx([11 / 12 * 0.1, 10 / 12 * 0.1], abs=1e-3)
    ret = turn_rewards(ONE, AGREED, 12).sum()
    assert found.rows[0] == (0, 0, 0, 60.0, 0.6, pytest.approx(ret, abs=1e-3), 4)
    assert found.rows[1][2:5] == (1, None, None) and breakdown["m"][1][2] == 2
    lost = gather([Source("x", lambda: ([replace(AGREED, status="error", error="gone")], {}))], {ONE.id: ONE}, 12)[0]
    assert lost.rows[0][5] is None and unpacked(lost.chunks[0])["figures"][0]["error"] == "gone"


def test_a_limit_leaves_out_late_rollouts_of_every_source_alike_and_says_how_many_there_were():
    scenarios = {key: scenario(20, 120, key) for key in ("crad-0000", "crad-0001")}

    def source(cell):
        made = [replace(AGREED, id=f"{s}-r{k:04d}", scenario_id=s, rollout=k) for s in scenarios for k in range(300)]
        return Source(cell, lambda: (made, {}))

    whole = gather([source("a"), source("b")], scenarios, 12)
    assert [len(cell.rows) for cell in whole] == [600, 600] and [c.first for c in whole[0].chunks] == [0, 200, 400]
    assert sum(len(unpacked(chunk)["texts"]) for chunk in whole[0].chunks) == 600
    size = len(whole[0].chunks[0].text)
    cut = gather([source("a"), source("b")], scenarios, 12, most_bytes=3 * size + 10)
    assert [(len(cell.rows), cell.played) for cell in cut] == [(CHUNK, 600), (2 * CHUNK, 600)]  # b takes what a left
    assert {row[0] for row in cut[0].rows} == {0, 1} and max(row[1] for row in cut[0].rows) == CHUNK // 2 - 1


def test_hostile_text_of_every_kind_is_inert():
    bad = replace(ONE, facts=(("Reason", HOSTILE), (HOSTILE, "x")))
    spoken = replace(AGREED, turns=tuple(t._replace(utterance=HOSTILE) for t in AGREED.turns))
    sheet = Sheet(HOSTILE, (Column("a", HOSTILE), Column("b", "b")), ((HOSTILE, 1.0),), (HOSTILE,))
    text = render(page(
        title=HOSTILE, simulated=(HOSTILE,), findings=(HOSTILE,), caveats=(HOSTILE,), tables=((HOSTILE, sheet),),
        facts=((HOSTILE, HOSTILE),), config=HOSTILE, scenarios=(bad,), provenance=(sheet,), costs=(sheet,), paper=sheet,
        dialogues=tuple(gather([Source(HOSTILE, lambda: ([spoken], {}))], {ONE.id: bad}, 12)),
    ))  # fmt: skip
    tags = {tag for tag, _ in Elements(text).found}
    scripts = [attributes for tag, attributes in Elements(text).found if tag == "script"]
    assert [s.get("type") for s in scripts] == ["application/json", "application/octet-stream", None]
    assert "img" not in tags and "table" in tags
    assert not any(name.startswith("on") for _, attributes in Elements(text).found for name in attributes)
    assert "<!--" not in text and text.count("name: a run") == 0
    assert json.loads(re.search(r'id="index">(.*?)</script>', text, re.DOTALL)[1])["scenarios"][0]["facts"][0][1]


def test_the_policy_allows_this_script_and_no_address():
    text = render(page())
    policy = Elements(text).found[3][1]["content"]
    assert policy.startswith("default-src 'none'; script-src 'sha256-") and "http" not in policy
    assert not re.search(r'(?:src|href)="(?!#|data:,)', text) and "@import" not in text and "url(" not in text


def test_json_in_a_script_can_neither_end_it_nor_open_a_comment():
    assert not set("<>&") & set(json_text({"a": HOSTILE}))
    assert json.loads(json_text({"a": "</script><!--"})) == {"a": "</script><!--"}


def test_a_table_sorts_by_values_and_shows_the_best():
    sheet = Sheet("t", (Column("v", "variant"), Column("u", "utility")),
                  (("full", Estimate(60.0, 50.0, 70.0, 9)), ("sft", None)), (), frozenset({(0, 1)}))  # fmt: skip
    text = table(sheet, "tables/main.csv")
    assert (
        '<td class="number" data-value="60.0"><strong>60.0 <span class="interval">[50.0, 70.0]</span></strong>' in text
    )
    assert "<td>not run</td>" in text and "tables/main.csv" in text


def test_figures_stand_beside_each_other_with_names_and_colours_of_the_page(tmp_path):
    paths = [tmp_path / "m.svg", tmp_path / "m.png"]
    values = np.array([[1.0, np.nan], [22.5, 3.0]])
    matrix_figure(["<b>", "sft"], ["x", "y"], values, "a & b", "note", paths)
    assert paths[1].read_bytes().startswith(b"\x89PNG")
    first, second = (inlined(paths[0].read_text(), name, '"told"') for name in ("one", "two"))
    assert 'aria-label="&quot;told&quot;"' in first and "<style" not in first and "&lt;b&gt;" in first
    ids = [set(re.findall(r'\bid="([^"]+)"', text)) for text in (first, second)]
    assert ids[0] and not ids[0] & ids[1]
    assert set(re.findall(r"url\(#([^)]+)\)", first)) <= ids[0] and "var(--ink)" in first and "#333333" not in first
    assert re.findall(r">(1\.0|22\.5|3\.0)<", first) == ["1.0", "22.5", "3.0"]
    assert render(page(figures=(Drawing("one", paths[0].read_text(), "told"),))).count("<svg") == 1
