"""A finished run that costs seconds: sweep, judge and dataset as ever, evaluation cells played by the simulator.

Nothing is trained: its curves are made up, and where a trained selector would choose, a rule by turn does.
"""

import json
import math
from dataclasses import replace
from pathlib import Path

from emodistill.config import Config
from emodistill.emotions import GOEMOTIONS
from emodistill.evaluate.cells import cells
from emodistill.ledger import Ledger
from emodistill.llm.scripted import ScriptedModel
from emodistill.policy.selectors import fixed, no_emotion, random_emotion
from emodistill.records import Episode, Rules, Scenario
from emodistill.rollout.engine import Usage, Voice, play
from emodistill.rollout.sweep import episode_tasks
from emodistill.runs import Marker, RunDir
from emodistill.seeds import Dice
from emodistill.shards import EPISODES, write_records
from emodistill.stages import STAGES
from emodistill.tasks import Result, StopFlag, TaskContext

from helpers import begun

_LOGGED = {"iql": ("v_loss", "q_loss"), "sft": ("loss",), "jpo": ("loss", "kl")}


def scripted_run(root: Path, *overrides: str) -> RunDir:
    """Like `begun`, and all stages but tables are done."""
    run = begun(root, *overrides)
    config = run.config()
    for stage in STAGES:
        for task in STAGES[stage].tasks(config) if stage != "tables" else ():
            _do(run, config, stage, task)
    return run


def _do(run: RunDir, config: Config, stage: str, task: str) -> None:
    ledger = Ledger(run, config)
    claim = ledger.claim(STAGES[stage], task)
    run.begin(stage, task, claim)
    if stage == "evaluate":
        path = run.path(stage, task, "shard-00000.h5")
        played = list(_played(run, config, task))
        write_records(path, played, EPISODES)
        made = Result(len(played), [path], sum(e.status == "error" for e in played))
    elif stage in _LOGGED:
        made = Result(1, [_logged(run, stage, task)])
    else:
        upstream = ledger.inputs(STAGES[stage], task)
        context = TaskContext(stage, task, upstream, StopFlag(), lambda spec: ScriptedModel(), lambda *_: None,
                              claim.fingerprint)  # fmt: skip
        made = STAGES[stage].run(run, config, context)
    run.mark(Marker(stage, task, claim.fingerprint, claim.inputs, made.rows, made.errors, 1.0,
                    run.checksums(made.files), made.usage))  # fmt: skip


def _played(run: RunDir, config: Config, name: str) -> list[Episode]:
    """One in forty ends in an error, as a real engine's may."""
    cell, voice = cells(config)[name], Voice(ScriptedModel(), 0.7, 100)
    selector = cell.variant.selector
    select = {"none": no_emotion, "random": random_emotion, "iql": _by_turn}.get(selector) or fixed(selector)
    held_out = [s for s in run.scenarios().values() if s.split == "held_out"]
    todo = episode_tasks(held_out, config.evaluate.seeds, config.seed, "evaluate")
    rules = Rules(config.negotiation.max_messages, config.negotiation.tolerance_pct)
    found = sorted(play(todo, voice, voice, select, rules, 64, Usage()), key=lambda e: e.id)
    return [
        replace(e, status="error", agreed=None, error="the engine ended") if Dice(e.seed).roll(40) == 0 else e
        for e in found
    ]


def _by_turn(scenario: Scenario, turns: tuple, seed: int) -> str:
    dice, t = Dice(seed), len(turns) // 2
    if dice.share() < 0.2:
        return dice.pick(GOEMOTIONS)
    return "caring" if t < 2 else "disappointment" if t < 4 else "gratitude"


def _logged(run: RunDir, stage: str, task: str) -> Path:
    path = run.path(stage, task, "metrics.jsonl")
    path.parent.mkdir(parents=True, exist_ok=True)
    start = 1 + sum(map(ord, task)) % 5 / 10
    rows = [
        {"step": step, **{key: start * math.exp(-step / 40) for key in _LOGGED[stage]}} for step in range(1, 100, 3)
    ]
    path.write_text("".join(json.dumps(row) + "\n" for row in rows), encoding="utf-8")
    return path
