"""The audit as a user runs it: it finds the planted truth, survives a kill, and refuses to become another audit."""

import csv
import io
import json
import re
import signal
import subprocess
import sys
import time
from dataclasses import replace
from pathlib import Path

import numpy as np
import pytest

from emodistill.audit.dialogues import render
from emodistill.audit.findings import Findings, findings
from emodistill.audit.shifts import BASE, TESTED
from emodistill.audit.stage import STAGES
from emodistill.audit.work import shard_of
from emodistill.audit.write import write
from emodistill.cli import main
from emodistill.cluster.begin import begin
from emodistill.configfile import load_config
from emodistill.emotions import GOEMOTIONS
from emodistill.execute import run_tasks
from emodistill.runs import RunDir
from emodistill.shards import EPISODES, content_hash, read_records
from emodistill.simulator.oracle import fixed_utility
from emodistill.simulator.plans import PLANS
from emodistill.work import rules_of

from builders import mirrored
from helpers import ROOT, emodistill

SMOKE = ROOT / "yaml" / "smoke.yaml"
SMALL = ("report.resamples=300",)


def audited(root: Path, *overrides: str, change=lambda scenario: scenario) -> tuple[RunDir, Findings]:
    """An audit of the simulator in this process; `change` is applied to every scenario before."""
    run, config = RunDir(root), load_config(SMOKE, (*SMALL, *overrides))
    root.mkdir(parents=True)
    begin(run, config, False, STAGES)
    run.write_scenarios(tuple(map(change, run.scenarios().values())))
    outcome = run_tasks(str(root), "audit", GOEMOTIONS)
    assert outcome.kind == "done", outcome.message
    return run, findings(run, config)


def hashed(run: RunDir) -> str:
    return content_hash([shard_of(run, emotion) for emotion in GOEMOTIONS])


def ranks(values) -> np.ndarray:
    return np.argsort(np.argsort(values))


@pytest.fixture(scope="module")
def small(tmp_path_factory) -> tuple[RunDir, Findings]:
    run, found = audited(tmp_path_factory.mktemp("small") / "audit", "negotiation.max_messages=12")
    write(run, found)
    return run, found


@pytest.mark.slow
@pytest.mark.parametrize("domain", ["crad", "disaster", "hospital", "student"])
def test_the_planted_effects_are_ranked_right(tmp_path, domain):
    """Spearman >= 0.9 with the dynamic programme's exact utility, at 20 scenarios × 10 seeds (docs/audit.md)."""
    sizes = ("scenarios.train=80", "scenarios.held_out=20", "evaluate.seeds=10", "negotiation.max_messages=30")
    run, found = audited(tmp_path / "audit", f"scenarios.domains=[{domain}]", "seed=7", *sizes)
    held_out = [s for s in run.scenarios().values() if s.split == "held_out"]
    rules = rules_of(run.config())
    truth = np.mean([fixed_utility(s, plan, "vanilla", rules) for s in held_out for plan in range(len(PLANS))], axis=0)
    planted = [truth[GOEMOTIONS.index(emotion)] - truth[GOEMOTIONS.index(BASE)] for emotion in TESTED]
    rows = {row.emotion: row for row in found.rows}
    measured = [rows[emotion].utility.value for emotion in TESTED]
    assert np.corrcoef(ranks(measured), ranks(planted))[0, 1] >= 0.9
    covered = [rows[e].utility.low <= p <= rows[e].utility.high for e, p in zip(TESTED, planted, strict=True)]
    assert np.mean(covered) >= 0.8  # of 27 intervals that share one neutral cell
    wrong = [e for e, p in zip(TESTED, planted, strict=True) if rows[e].significant and rows[e].utility.value * p < 0]
    assert wrong == []
    assert found.vulnerable[0].gain.value <= max(planted) + 3


def test_mirrored_scenarios_give_the_same_audit(small, tmp_path):
    def mirror(scenario):
        return mirrored(scenario, scenario.focal_target + scenario.counterparty_target)

    _, found = audited(tmp_path / "audit", "negotiation.max_messages=12", change=mirror)
    for ours, theirs in zip(small[1].rows, found.rows, strict=True):
        for metric in ("level", "utility", "success", "rounds"):
            assert getattr(ours, metric).value == pytest.approx(getattr(theirs, metric).value)
    assert found.vulnerable[0].chosen == small[1].vulnerable[0].chosen


def test_every_number_of_the_table_can_be_recomputed_from_the_shards(small):
    run, found = small
    scenarios, rows = run.scenarios(), {}
    for row in csv.DictReader(io.StringIO(run.path("tables", "audit.csv").read_text())):
        rows[row["emotion"]] = row
    played = {e: {x.id: x for x in read_records([shard_of(run, e)], EPISODES)} for e in GOEMOTIONS}

    def success(one):
        return 100 * (one.agreed is not None)

    def savings(one):
        s = scenarios[one.scenario_id]
        span = s.focal_target - s.counterparty_target
        return 0 if one.agreed is None else min(1, max(0, (one.agreed - s.counterparty_target) / span))

    for emotion, row in rows.items():
        pairs = [(played[emotion][key], other) for key, other in played[BASE].items()]
        assert all(turn.emotion == emotion for one, _ in pairs for turn in one.focal_turns())
        expected = {
            "utility": np.mean([100 * savings(ours) for ours, _ in pairs]),
            "utility_shift": np.mean([100 * (savings(ours) - savings(base)) for ours, base in pairs]),
            "success_shift": np.mean([success(ours) - success(base) for ours, base in pairs]),
            "rounds_shift": np.mean([len(ours.turns) - len(base.turns) for ours, base in pairs]),
        }
        for name, value in expected.items():
            assert float(row[name]) == pytest.approx(value, abs=1e-3), (emotion, name)
        assert (int(row["n"]), row["errors"]) == (len(pairs), "0")
        assert (row["counterparty"], row["teacher"]) == ("simulated counterparty", "simulated")
    assert len(rows) == 28 and found.episodes == 28 * len(played[BASE])


def test_card_table_and_figure_say_what_was_done(small):
    run, found = small
    card = run.path("audit.md").read_text()
    for words in ("Agents only", "One teacher", "**Simulated**", "at scale", "n = 6", "Intended use"):
        assert words in card
    assert run.path("tables", "audit.md").read_text().count("| 6 | 0 |") == 27
    assert "simulated counterparty" in run.path("figures", "audit.svg").read_text()
    assert run.path("figures", "audit.png").read_bytes().startswith(b"\x89PNG")
    assert 1 <= len(found.worst) <= 3
    for one in found.worst:
        gained = [one.scenario.pos(e.agreed) if e.agreed is not None else 0 for e in (one.episode, one.neutral)]
        assert one.loss == pytest.approx(100 * (gained[0] - gained[1])) and one.loss > 0
        assert all(" ".join(turn.utterance.split()) in card for turn in one.episode.turns)
        assert card.count(f"({one.emotion})") >= len(one.episode.focal_turns())


def test_a_model_s_words_cannot_break_out_of_the_card(small):
    [one, *_] = small[1].worst
    turns = tuple(turn._replace(utterance="```\n# Safe!\n<b>ok</b>") for turn in one.episode.turns)
    text = render([replace(one, episode=replace(one.episode, turns=turns))])
    assert text.count("```") == 2 and not re.search(r"^# Safe", text, re.MULTILINE)


@pytest.mark.slow
def test_stopped_and_killed_it_ends_with_the_content_of_an_audit_in_peace(tmp_path):
    sizes = ("negotiation.max_messages=16", "scenarios.held_out=20")
    arguments = ["audit", SMOKE, "--out", tmp_path / "audit", "--seeds", "18"]
    arguments += [part for override in (*SMALL, *sizes) for part in ("--set", override)]
    run = RunDir(tmp_path / "audit")
    ended = []
    for sent in (signal.SIGTERM, signal.SIGKILL, signal.SIGINT):
        before = len(list(run.root.glob("audit/*.done")))
        command = [sys.executable, "-m", "emodistill", *map(str, arguments)]
        with (tmp_path / "said").open("w+") as said:  # no pipe: the jobs would keep it open
            process = subprocess.Popen(command, cwd=ROOT, stdout=said, stderr=said)
            deadline = time.monotonic() + 60
            while len(list(run.root.glob("audit/*.done"))) < before + 2:
                assert process.poll() is None and time.monotonic() < deadline
                time.sleep(0.02)
            process.send_signal(sent)
            code = process.wait(60)
            said.seek(0)
            ended.append((code, "give the same command again" in said.read()))
    assert ended == [(130, True), (-signal.SIGKILL, False), (130, True)]
    time.sleep(1.5)  # jobs of a killed driver notice within a second
    done = emodistill(*arguments, "--json")
    found = json.loads(done.stdout)
    assert re.search(r"audit: \d+ of 28", done.stderr) and found["simulated"] and len(found["emotions"]) == 28
    peaceful, _ = audited(tmp_path / "peace", *sizes, "evaluate.seeds=18")
    assert hashed(run) == hashed(peaceful)
    again = emodistill(*arguments, "--json")
    assert "to do" not in again.stderr and again.stdout == done.stdout


def test_another_configuration_is_refused_by_name_and_runs_and_audits_keep_apart(tmp_path, capsys):
    out = tmp_path / "audit"
    audited(out)
    audit = ["audit", str(SMOKE), "--out", str(out)]
    assert main([*audit, "--seeds", "9"]) == 2
    assert "evaluate.seeds: 2 → 9" in capsys.readouterr().err
    assert main([*audit, "--set", "models.counterparty={backend: vllm, model: ./nowhere}"]) == 2
    assert "no model in nowhere" in capsys.readouterr().err
    with pytest.raises(Exception, match="holds audit, findings and is no place for rollout"):
        begin(RunDir(out), load_config(SMOKE), False)
    assert main(["status", str(out)]) == 0 and "28/28" in capsys.readouterr().out
    assert main(["verify", str(out)]) == 0
    run, config = RunDir(tmp_path / "run"), load_config(SMOKE)
    run.root.mkdir()
    begin(run, config, False)
    assert main(["audit", str(SMOKE), "--out", str(run.root)]) == 2
    assert "is no place for audit" in capsys.readouterr().err


@pytest.mark.slow
@pytest.mark.vllm
def test_a_real_engine_is_audited(tmp_path, tiny_model):
    model = "models.counterparty={backend: vllm, model: tiny-random, max_model_len: 4096}"
    sizes = ("scenarios.held_out=2", "negotiation.max_messages=4", "sweep.sampling.max_tokens=12")
    options = [part for override in (model, *sizes, *SMALL) for part in ("--set", override)]
    done = emodistill("audit", SMOKE, "--out", tmp_path / "audit", "--seeds", "1", "--json", *options)
    found = json.loads(done.stdout)
    assert (found["model"], found["teacher"], found["errors"]) == ("tiny-random", "simulated", 0)
    assert {row["utility_shift"]["n"] for row in found["emotions"]} == {2}
    marker = RunDir(tmp_path / "audit").marker("audit", "joy")
    assert marker is not None and marker.usage["generated_tokens"] > 0


def test_findings_are_written_again_from_the_shards_and_checked(small, capsys):
    run, _ = small
    assert run_tasks(str(run.root), "findings", ["main"]).kind == "done" and main(["verify", str(run.root)]) == 0
    said = capsys.readouterr().out
    table = run.path("tables", "audit.md")
    whole = table.read_text()
    table.write_text(whole[:-1])
    assert main(["verify", str(run.root)]) == 1
    assert "tables/audit.md: its checksum differs from the one in main.done" in capsys.readouterr().err
    assert main(["report", str(run.root)]) == main(["verify", str(run.root)]) == 0 and "not checked" not in said
    assert capsys.readouterr().out.startswith(whole)
    shard, aside = shard_of(run, "joy"), run.path("aside")
    shard.rename(aside)
    assert main(["report", str(run.root)]) == 2
    aside.rename(shard)
    assert "1 of 28 emotions have not been played" in capsys.readouterr().err
