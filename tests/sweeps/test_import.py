"""A published sweep becomes the rollouts of a run: everything it states, and a reason for what cannot be used."""

import json
import re
from copy import deepcopy
from dataclasses import replace

import pytest
from hypothesis import given
from hypothesis import strategies as st

from emodistill.cli import main
from emodistill.configfile import load_config
from emodistill.domains import DOMAINS
from emodistill.domains.base import as_scenarios, generate
from emodistill.emotions import GOEMOTIONS
from emodistill.errors import BadInput
from emodistill.execute import run_tasks
from emodistill.judge.prompts import judge_messages
from emodistill.llm.scripted import ScriptedModel
from emodistill.policy.selectors import random_emotion
from emodistill.records import Reading, Rules, Scenario, Turn
from emodistill.report.build import report
from emodistill.rollout.prompts import messages as prompt
from emodistill.rollout.sweep import episode_tasks
from emodistill.runs import RunDir
from emodistill.shards import EPISODES, read_records
from emodistill.simulator.critic import critique
from emodistill.sweeps.read import read_sweep
from emodistill.sweeps.scenarios import joined
from emodistill.sweeps.store import store

from builders import PROPERTY, played
from helpers import ROOT, emodistill
from published import episode_result, write

SMOKE = ROOT / "yaml" / "smoke.yaml"


def scenarios_of(domain: str, count: int = 3) -> tuple[Scenario, ...]:
    return as_scenarios(DOMAINS[domain], generate(DOMAINS[domain], count, seed=4), count, 0)


def sweep_of(domain: str, rollouts: int = 4):
    """Episodes of the simulator, with their scenarios."""
    scenarios = scenarios_of(domain)
    tasks = episode_tasks(scenarios, rollouts, 3, "sweep")
    episodes = played(tasks, ScriptedModel(), random_emotion, Rules(max_messages=10))
    return scenarios, sorted(episodes, key=lambda episode: episode.id)


CRAD, EPISODES_OF_CRAD = sweep_of("crad")
ROW = episode_result(EPISODES_OF_CRAD[0], CRAD[0])


def changed(**values) -> dict:
    return {**deepcopy(ROW), **values}


def with_message(k: int, **values) -> dict:
    row = deepcopy(ROW)
    row["dialog"][k] |= values
    return row


@pytest.mark.parametrize("domain", list(DOMAINS))
def test_our_own_sweep_comes_back_as_it_was(tmp_path, domain):
    scenarios, episodes = sweep_of(domain)
    assert {e.status for e in episodes} >= {"agreement"}
    by_id = {s.id: s for s in scenarios}
    rows = [episode_result(e, by_id[e.scenario_id]) for e in episodes]
    (tmp_path / "scenarios.json").write_text(json.dumps([{"id": s.id, "metadata": dict(s.facts)} for s in scenarios]))
    found = read_sweep([write(tmp_path / "sweep.json", rows)], None, {}, skip_bad=False)
    assert {s.id: s for s in found.scenarios} == by_id
    assert [replace(one.episode, seed=0) for one in found.played] == [replace(e, seed=0) for e in episodes]


def test_what_the_file_does_not_state_is_read_from_the_words(tmp_path):
    bare = [
        {key: value for key, value in episode_result(e, CRAD[int(e.scenario_id[-1])]).items()
         if key not in ("final_state", "final_days", "success")}
        for e in EPISODES_OF_CRAD
    ]  # fmt: skip
    for row in bare:
        row["dialog"] = [{"role": m["speaker"], "content": m["message"]} for m in row["dialog"]]
    found = read_sweep([write(tmp_path / "sweep.json", bare)], "crad", {}, skip_bad=False)
    assert [one.episode.turns for one in found.played] == [e.turns for e in EPISODES_OF_CRAD]
    assert not any(one.outcome_stated or any(one.offers_stated) for one in found.played)


def test_targets_may_stand_in_the_list_of_scenarios_alone(tmp_path):
    stated = {
        "seller": {"target_price": 15},
        "buyer": {"target_price": 60},
        "metadata": {"Outstanding Balance (USD)": 9},
    }
    (tmp_path / "scenarios.json").write_text(json.dumps([{"id": 3, **stated}]))
    row = changed(scenario=3, creditor_target_days=None, debtor_initial_days=None, success=None, final_state=None)
    (one,) = read_sweep([write(tmp_path / "sweep.json", [row])], "crad", {}, skip_bad=False).scenarios
    assert (one.id, one.focal_target, one.counterparty_target) == ("crad-sweep-3", 15, 60)
    assert one.fact("balance") == "9" and one.fact("creditor") == ""


def test_a_list_in_the_file_takes_nothing_from_the_one_beside_it(tmp_path):
    beside = {"id": ROW["scenario"], "metadata": {"stage": "Collection"}}
    (tmp_path / "scenarios.json").write_text(json.dumps([beside]))
    path = write(tmp_path / "sweep.json", [ROW], scenarios=[{"id": ROW["scenario"], "balance": 900}])
    (one,) = read_sweep([path], "crad", {}, skip_bad=False).scenarios
    assert (one.fact("stage"), one.fact("balance")) == ("Collection", "900")


def test_scenarios_without_facts_are_told_and_a_broken_list_of_them_is_refused(tmp_path, capsys):
    command = ["import-sweep", str(write(tmp_path / "sweep.json", [ROW])), "--out", str(tmp_path / "run")]
    beside = tmp_path / "scenarios.json"
    beside.write_text("[{")
    assert main(command) == 2
    assert f"{beside}, which tells the sweep's scenarios, cannot be read" in capsys.readouterr().err
    beside.unlink()
    assert main(command) == 0
    assert "1 scenarios (1 without facts: neither the file nor a scenarios.json" in capsys.readouterr().out
    beside.write_text(json.dumps([{"id": ROW["scenario"], "metadata": {"stage": "Collection"}}]))
    assert main(command) == 0
    assert "1 scenarios, from sweep.json" in capsys.readouterr().out


@pytest.mark.parametrize("domain", list(DOMAINS))
def test_a_scenario_without_facts_can_be_told_and_judged(domain):
    known = scenarios_of(domain)[0]
    bare = replace(known, facts=tuple((name, "") for name, _ in known.facts))
    turns = (Turn(0, "focal", "I see.", Reading(), "joy", "I see."),)
    assert 1 <= critique(bare, turns, 10) <= 10
    for messages in (
        judge_messages(bare, turns),
        *(prompt(bare, (), seat, None) for seat in ("focal", "counterparty")),
    ):
        assert not re.search(r"^- .*(: | %|USD)$", messages[0][1] + messages[-1][1], re.MULTILINE)


def test_what_the_file_states_counts_more_than_the_words(tmp_path):
    row = with_message(0, message="I ask for 12 days.", requested_days="3 weeks", state="offer")
    (one,) = read_sweep([write(tmp_path / "sweep.json", [row])], "crad", {}, skip_bad=False).played
    assert one.episode.turns[0].reading.offer == 21 and one.offers_stated[0]


@pytest.mark.parametrize(
    "row, words",
    [
        (17, "it is no JSON object"),
        (changed(scenario=None), "names no scenario"),
        (changed(dialog=[]), "has no dialog"),
        (changed(emotion_sequence=["joy"]), "1 emotion(s) for"),
        (changed(emotion_sequence="joy"), "not a list"),
        (changed(emotion_sequence=["Happiness"] * 9), "'Happiness' is not one of the 28 GoEmotions; nearest: 'joy'"),
        (changed(emotion_sequence=["angr"] * 9), "nearest: 'anger'"),
        (with_message(0, speaker="umpire"), "its speaker is 'umpire'; known are seller, creditor"),
        (with_message(1, speaker="seller"), "message 1 is not the counterparty side's"),
        (with_message(0, message=" "), "message 0 has no words"),
        (with_message(0, requested_days="soon"), "the offer of message 0 is 'soon', not a value in days"),
        (with_message(0, requested_days=-3), "is -3"),
        (with_message(0, requested_days=float("nan")), "is nan"),
        (changed(creditor_target_days=None), "states both sides' targets"),
        (changed(debtor_initial_days=1), "the first is the smaller one"),
        (changed(success=not ROW["success"]), "says that success is"),
        (changed(final_state="accept", success=True, final_days=None), "does not say at what value"),
    ],
)  # fmt: skip
def test_an_episode_that_cannot_be_used_is_named_with_its_reason(tmp_path, capsys, row, words):
    write(tmp_path / "sweep.json", [deepcopy(ROW), row])
    arguments = ["import-sweep", str(tmp_path / "sweep.json"), "--out", str(tmp_path / "run"), "--domain", "crad"]
    assert main(arguments) == 2
    said = capsys.readouterr().err.strip()
    assert said.startswith("emodistill: sweep.json, episode 1: ") and words in said and "\n" not in said
    assert not (tmp_path / "run").exists()
    assert main([*arguments, "--skip-bad"]) == 0
    said = capsys.readouterr()
    assert "sweep.json, episode 1, left out: " in said.err and "1 of 2 episodes imported" in said.out


def test_an_episode_that_had_failed_is_left_out_without_being_asked(tmp_path):
    path = write(tmp_path / "sweep.json", [ROW, {"scenario": "x", "error": "HTTP 500"}])
    found = read_sweep([path], "crad", {}, skip_bad=False)
    assert [(one.index, one.failed) for one in found.left_out] == [(1, True)]


@pytest.mark.parametrize(
    "text, words",
    [("{", "is not JSON"), ("[" * 100_000, "is not JSON"), ('{"a": 1}', "no list `episode_results`"),
     ("[]", "does not say of which domain"), ("\xff", "is not JSON"), ('{"episode_results": [{"error": "x"}], '
      '"domain": "crad"}', "None of the 1 episodes")],
)  # fmt: skip
def test_a_file_that_is_no_sweep_is_refused(tmp_path, text, words):
    (tmp_path / "sweep.json").write_bytes(text.encode("latin-1"))
    with pytest.raises(BadInput, match=words):
        read_sweep([tmp_path / "sweep.json"], None, {}, skip_bad=True)


def test_the_domain_is_told_by_the_file_or_asked_for(tmp_path):
    def of(row, **whole):
        return read_sweep([write(tmp_path / "sweep.json", [row], **whole)], None, {}, skip_bad=True).domain

    assert of(changed(scenario=7)) == "crad"  # by its creditor_target_days
    turned = {"creditor_target_days": 90, "debtor_initial_days": 60}
    assert of(changed(scenario=7, **turned), experiment_type="disaster_sweep") == "disaster"
    assert of(changed(scenario={"id": "hospital_surgery_3"}, **turned)) == "hospital"
    with pytest.raises(BadInput, match=r"\(crad or student\?\). Name it with --domain: crad"):
        of(ROW, config={"dataset": "education_sleep"})
    with pytest.raises(BadInput, match="Name it with --domain: crad"):
        of({**changed(scenario=7, seller_target=20), "creditor_target_days": None})


json_values = st.recursive(
    st.none()
    | st.booleans()
    | st.integers()
    | st.floats()
    | st.text(st.characters(exclude_categories=()), max_size=9)
    | st.sampled_from(GOEMOTIONS),
    lambda inner: st.lists(inner, max_size=3) | st.dictionaries(st.sampled_from([*ROW, *ROW["dialog"][0]]), inner),
    max_leaves=8,
)


@PROPERTY
@given(st.data())
def test_no_file_ends_in_a_traceback(tmp_path_factory, data):
    row = deepcopy(ROW)
    for _ in range(data.draw(st.integers(1, 3))):
        place = data.draw(st.sampled_from([row, *(m for m in row["dialog"] if isinstance(m, dict))]))
        place[data.draw(st.sampled_from(sorted(place)))] = data.draw(json_values)
        if not isinstance(row["dialog"], list):
            break
    rows = [ROW, row, *data.draw(st.lists(json_values, max_size=2))]
    folder = tmp_path_factory.mktemp("fuzz")
    path = write(folder / "sweep.json", rows, scenarios=data.draw(json_values))
    found = read_sweep([path], "crad", {}, skip_bad=True)
    assert len(found.played) + len(found.left_out) == len(rows)
    assert all(turn.emotion in GOEMOTIONS for one in found.played for turn in one.episode.focal_turns())
    store(RunDir(folder / "run"), found)
    kept = read_records([folder / "run" / "imported" / "shard-00000.h5"], EPISODES)
    assert [one.episode for one in found.played] == kept


def test_nothing_held_out_is_trained_on_and_no_id_stands_for_two_scenarios():
    own = (*CRAD[:2], replace(CRAD[2], split="held_out"))
    assert joined(own, CRAD) == own
    renamed = replace(CRAD[2], id="crad-sweep-9")
    with pytest.raises(BadInput, match="crad-sweep-9 is crad-0002, which this configuration holds out"):
        joined(own, [CRAD[0], renamed])
    with pytest.raises(BadInput, match="scenario crad-0000 with the targets"):
        joined(own, [replace(CRAD[0], focal_target=1.5)])
    with pytest.raises(BadInput, match="held out by this configuration"):
        joined(own, [CRAD[2]])


def test_an_imported_sweep_is_judged_trained_on_and_labelled(tmp_path, capsys):
    """As a user does it: import, then the run's own command; a run under other rules is refused by name."""
    run, path = RunDir(tmp_path / "run"), tmp_path / "random_sweep_1.json"
    rows = [episode_result(e, CRAD[int(e.scenario_id[-1])]) for e in EPISODES_OF_CRAD]
    for row in rows:
        row["scenario"] = {"id": f"debt {row['scenario'][-1]}", "metadata": {"outstanding_balance": 1200}}
    write(path, [*rows, {"scenario": "debt 1", "error": "HTTP 500"}])
    emodistill("import-sweep", path, "--out", run.root)
    command = ("run", SMOKE, "--out", run.root, "--until", "dataset")
    refused = emodistill(*command, check=False)
    assert refused.returncode == 2 and "Set negotiation.max_messages to that or more" in refused.stderr
    command = (*command, "--set", "negotiation.max_messages=10")
    emodistill(*command)
    assert "to do" not in emodistill(*command).stderr
    episodes = read_records([run.shard("rollout", "shard-00000")], EPISODES)
    assert [(e.status, e.agreed, e.turns) for e in episodes] == [
        (e.status, e.agreed, e.turns) for e in EPISODES_OF_CRAD
    ]
    scenarios = run.scenarios()
    assert {scenarios[e.scenario_id].fact("balance") for e in episodes} == {"1200"}
    assert sorted(s.split for s in scenarios.values()) == ["held_out"] * 3 + ["train"] * 3
    config = run.config()
    recorded = run.manifest()["stages"]["rollout"]["ingredients"]
    assert recorded["sweep.imported.files.random_sweep_1.json"].startswith("sha256 ")
    report(run, config)
    assert "imported from random_sweep_1.json (sha256 " in run.path("tables", "main.md").read_text()
    assert run_tasks(str(run.root), "iql", ["selector"]).kind == "done"
    assert main(["ope", str(run.root)]) == 2
    assert "was imported" in capsys.readouterr().err
    # what is lost is mended by the same two commands, and nothing else can be put in its place
    run.path("imported", "shard-00000.h5").unlink()
    run.clear("rollout", "shard-00000")
    assert "import-sweep command again" in emodistill(*command, check=False).stderr
    emodistill("import-sweep", path, "--out", run.root)
    emodistill(*command)
    assert "whole" in emodistill("verify", run.root).stdout
    assert main(["import-sweep", str(write(tmp_path / "b.json", rows)), "--out", str(run.root)]) == 2
    assert "holds another import already" in capsys.readouterr().err
    assert load_config(run.path("config.yaml")).sweep.imported == config.sweep.imported
