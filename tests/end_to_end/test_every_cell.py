"""Every kind of evaluation cell, trained and played for real in little, and the tables made of them."""

import csv
import json

import numpy as np
import pytest

from emodistill.runs import RunDir
from emodistill.shards import EPISODES, read_records

from helpers import emodistill

pytestmark = [pytest.mark.slow, pytest.mark.vllm, pytest.mark.deepspeed]
ASKED = ("scenarios.domains=[crad, hospital]", "scenarios.train=4", "evaluate.variants=[full, vanilla-slm]",
         "evaluate.ablation=true", "evaluate.transfer=true", "evaluate.personas=[threat]", "evaluate.unseen=[full]",
         "evaluate.tournament=[vanilla-slm, full]", "evaluate.counterparties={t: {backend: vllm, model: tiny-random}}",
         "evaluate.emotions=true")  # fmt: skip


@pytest.fixture(scope="module")
def run(tmp_path_factory, tiny_model):
    out = tmp_path_factory.mktemp("cells") / "run"
    emodistill("run", "yaml/smoke.yaml", "--out", out, *(word for one in ASKED for word in ("--set", one)))
    return out


def played(run, cell):
    return read_records([run / "evaluate" / cell / "shard-00000.h5"], EPISODES)


def rows(run, table):
    with (run / "tables" / f"{table}.csv").open() as file:
        return list(csv.DictReader(file))


def test_all_cells_play_the_same_negotiations(run):
    assert json.loads(emodistill("status", run, "--json").stdout)["complete"]
    cells = sorted(path.name for path in run.glob("evaluate/*/"))
    assert len(cells) == 2 + 6 + 2 + 2 + 2 + 28
    wanted = {(e.scenario_id, e.rollout, e.seed) for e in played(run, "full")}
    assert len(wanted) == 12
    for cell in cells:
        assert {(e.scenario_id, e.rollout, e.seed) for e in played(run, cell)} == wanted, cell


def test_adapters_of_other_data_and_signals_are_others(run):
    adapters = {path.parents[1].name: path.read_bytes() for path in run.glob("jpo/*/adapter/*.safetensors")}
    assert set(adapters) == {"emotion", "emotion@crad", "emotion@hospital", "emotion.sft-judge", "emotion.sft-outcome",
                             "emotion.jpo-outcome", "emotion.jpo-hybrid"}  # fmt: skip
    assert len(set(adapters.values())) == len(adapters)


def test_both_sides_of_a_tournament_show_their_own_emotions(run):
    for cell, shows in (("vanilla-slm.against.full", "counterparty"), ("full.against.vanilla-slm", "focal")):
        shown = {turn.seat for e in played(run, cell) for turn in e.turns if turn.emotion}
        assert shown == {shows}


def test_the_tables_can_be_recomputed_from_the_shards(run):
    scenarios = RunDir(run).scenarios()

    def utility(episodes):
        return [0.0 if e.agreed is None else 100 * min(1, max(0, scenarios[e.scenario_id].pos(e.agreed)))
                for e in episodes]  # fmt: skip

    for row in rows(run, "tournament"):
        other = ({"vanilla-slm", "full"} - {row["focal_seat"]}).pop()
        episodes = played(run, f"{row['focal_seat']}.against.{other}")
        assert float(row[other]) == pytest.approx(np.mean(utility(episodes)), abs=1e-3) and row[f"{other}_n"] == "12"
        assert row[row["focal_seat"]] == ""
    for row in rows(run, "transfer"):
        episodes = [e for e in played(run, row["trained_on"]) if scenarios[e.scenario_id].domain == "hospital"]
        assert float(row["hospital"]) == pytest.approx(np.mean(utility(episodes)), abs=1e-3)
    sets = {name: rows(run, name) for name in ("ablation", "unseen", "emotions")}
    assert [len(found) for found in sets.values()] == [9, 2, 27]
    for row in sets["unseen"]:
        ours, theirs = utility(played(run, row["cell"])), utility(played(run, row["base"]))
        assert float(row["difference"]) == pytest.approx(np.mean(ours) - np.mean(theirs), abs=1e-3)
    assert {row["focal_seat"] for row in rows(run, "tournament")} == {row["policy"] for row in rows(run, "ratings")}
