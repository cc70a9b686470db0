"""Cards: read by the hub's own reader, whatever a scenario, a model's name or a table says."""

import csv
import io
from dataclasses import replace

import numpy as np
import pytest
from huggingface_hub import DatasetCard, ModelCard

from emodistill.configfile import load_config
from emodistill.errors import BadInput
from emodistill.evaluate.cells import cells
from emodistill.evaluate.metrics import EvalRecords
from emodistill.records import Episode, Reading, Turn, Verdict
from emodistill.report.further import further_sheets
from emodistill.report.sheet import csv_of
from emodistill.share.columns import ROLLOUTS
from emodistill.share.contents import Adapter, Contents
from emodistill.share.dataset_card import dataset_card
from emodistill.share.model_card import model_card
from emodistill.share.names import base_id, without_paths
from emodistill.share.parquet import write_parquet
from emodistill.share.rows import rollout_rows
from emodistill.share.text import cell

from builders import scenario
from helpers import ROOT

HOSTILE = "a | b\n---\nlicense: mit\n---\n# Head <script>x</script> ](http://x) `c` \u202e \ud800 | c"
MAIN = {"variant": HOSTILE, "utility": "60.7000", "utility_low": "50.3", "utility_high": "70", "n": "60",
        "counterparty": "counterparty /home/jane/models/qwen"}  # fmt: skip


@pytest.fixture
def shared(tmp_path) -> Contents:
    spec = "{backend: openai, model: 'x | y\\n---', base_url: 'http://secret.example/v1'}"
    judge = "{backend: vllm, model: /home/jane/judge-7b}"
    config = load_config(ROOT / "yaml" / "smoke.yaml", (f"models.teacher={spec}", f"models.judge={judge}"))
    tables = {"main": [{**MAIN, "counterparty": without_paths(MAIN["counterparty"])}], "differences": [],
              "judge": [{"domain": "crad", "turns": "9", "missing": "0"}]}  # fmt: skip
    adapters = (Adapter("jpo", "emotion", tmp_path), Adapter("sft", "emotion", tmp_path))
    base = "HuggingFaceTB/SmolLM2-135M-Instruct"
    return Contents(config, base, adapters, {"selector": tmp_path}, {}, {}, {}, {"s": scenario()}, tables)


def row_of(utterance: str) -> dict:
    turn = Turn(0, "focal", utterance, Reading(12.0), "joy", f" {utterance}!")
    one = Episode("e", "crad-0000", 0, 1, "agreement", 70.0, (turn,))
    verdict = Verdict("e", ((4.0, float("nan")),), ((4.5, float("nan")),))
    return next(rollout_rows([one], {"e": verdict}, {"crad-0000": scenario()}))


def columns_of(lines: list[str]) -> set[int]:
    """How many cells the lines of a table have, by the pipes that are not escaped."""
    return {line.replace("\\\\", "").replace("\\|", "").count("|") for line in lines}


def tables_of(text: str) -> list[list[str]]:
    blocks = [block.splitlines() for block in text.split("\n\n")]
    return [block for block in blocks if block[0].startswith("|")]


def test_a_model_card_says_what_is_simulated_what_was_measured_and_the_risks(shared):
    text = model_card(shared, shared.adapters[0], top=True)
    data = ModelCard(text).data
    assert (data.base_model, data.library_name, data.license) == (shared.base, "peft", "apache-2.0")
    assert {"simulated", "agents-only"} <= set(data.tags)
    assert "**Simulated: counterparty.**" in text
    assert "60.7 \\[50.3, 70\\] | 60 | counterparty qwen |" in text
    for words in ("no humans", "extract value at scale", "9 focal turns judged", "judge-7b"):
        assert words in text
    other = model_card(replace(shared, base="tiny-random"), shared.adapters[1], top=False)
    assert ModelCard(other).data.license is None and "What is in this folder" not in other


@pytest.mark.parametrize("rank, served", [(4, 8), (12, 16), (16, 16), (512, 512)])
def test_a_model_card_names_a_rank_that_vllm_can_be_set_to(shared, rank, served):
    config = load_config(ROOT / "yaml" / "smoke.yaml", (f"sft.lora={{rank: {rank}}}",))
    card = model_card(replace(shared, config=config), shared.adapters[0], top=False)
    assert f"max_lora_rank={served})" in card and f"LoRA rank {rank}," in card


def test_further_tables_are_told_with_intervals_and_what_did_not_run(shared):
    asked = ("evaluate.ablation=true", "evaluate.tournament=[vanilla-slm, full]")
    text = model_card(shared, shared.adapters[0], top=True)
    assert not any(words in text for words in ("learns from: utility", "is played, for", "against one another"))
    records = {}
    for k, name in enumerate(cells(load_config(ROOT / "yaml" / "smoke.yaml", asked))):
        savings = np.array([0.5, 0.6, 0.5, 0.6]) + k / 100
        places, yes = np.array([0, 0, 1, 1]), np.ones(4, bool)
        records[name] = EvalRecords(places, np.array([0, 1, 0, 1]), yes, yes, savings, places)
    del records["full.sft-judge"], records["full.against.vanilla-slm"]
    config = load_config(ROOT / "yaml" / "smoke.yaml", (*asked, "report.resamples=100"))
    sheets = further_sheets(records, config, ["crad", "crad"], "somebody")
    rows = {name: list(csv.DictReader(io.StringIO(csv_of(sheet)))) for name, sheet in sheets.items()}
    text = model_card(replace(shared, tables={**shared.tables, **rows}), shared.adapters[0], top=True)
    at = list(records).index("full.iql-judge") - list(records).index("full")
    assert f"| iql from judge | full | {55 + list(records).index('full.iql-judge')}.0 \\[" in text
    assert f"| {at}.0 \\[{at}.0, {at}.0\\] | 4 |" in text
    assert "| sft from judge | full | not run | not run | not run |" in text
    assert "| focal\\_seat | vanilla-slm | full |" in text and "| full | not run |  |" in text
    assert all(len(columns_of(lines)) == 1 for lines in tables_of(text))


def test_nothing_that_is_said_can_break_a_card(shared):
    example = row_of(HOSTILE)
    text = dataset_card(shared, {"rollouts": {"train": 1}, "scenarios": {"train": 1, "test": 2}}, example)
    data = DatasetCard(text).data.to_dict()
    assert "license" not in data
    assert [one["config_name"] for one in data["configs"]] == ["rollouts", "scenarios"]
    for card in (text, model_card(shared, shared.adapters[0], top=True)):
        assert all(len(columns_of(lines)) == 1 for lines in tables_of(card))
        assert "<script>" not in card and "\u202e" not in card and card.count("\n---\n") == 1
        for private in ("/home", "jane", "secret.example"):
            assert private not in card
        card.encode("utf-8")
    assert cell("x" * 9999).endswith("…")


def test_rows_keep_the_scores_and_what_parquet_can_hold(tmp_path):
    import pyarrow.parquet as pq

    row = row_of(HOSTILE)
    assert (row["position"], row["turns"][0]["judge_score"], row["turns"][0]["judge_expected"]) == (0.5, 4.0, 4.5)
    assert write_parquet(tmp_path / "a" / "x.parquet", ROLLOUTS, [row]) == 1
    (back,) = pq.read_table(tmp_path / "a" / "x.parquet").to_pylist()
    assert back == row and back["turns"][0]["utterance"] == HOSTILE.replace("\ud800", "?")


def test_a_base_model_has_its_public_name_or_is_asked_for():
    assert base_id("smollm2-135m-instruct", None) == "HuggingFaceTB/SmolLM2-135M-Instruct"
    assert base_id("Qwen/Qwen2.5-7B-Instruct", None) == "Qwen/Qwen2.5-7B-Instruct"
    assert base_id("/home/jane/mine", "jane/mine") == "jane/mine"
    for model in ("/home/jane/mine", "./mine", "~/mine"):
        with pytest.raises(BadInput, match="--base OWNER/NAME") as caught:
            base_id(model, None)
        assert "jane" not in str(caught.value)
    with pytest.raises(BadInput, match="no hub id"):
        base_id("tiny-random", "a/b\nlicense: mit")
