"""A sweep of strangers is refused in one paragraph, or becomes episodes that can be stored, prompted and judged."""

import json
import sys
from pathlib import Path

import pytest
from fuzzing import FUZZ, JSON, changed, taken
from hypothesis import given
from hypothesis import strategies as st

from emodistill.emotions import GOEMOTIONS
from emodistill.judge.prompts import judge_messages
from emodistill.llm.scripted import ScriptedModel
from emodistill.policy.selectors import random_emotion
from emodistill.rollout.prompts import messages
from emodistill.sweeps.read import read_sweep
from emodistill.sweeps.records import Sweep

from builders import played, tasks

sys.path.insert(0, str(Path(__file__).parents[1] / "sweeps"))
from published import episode_result

BARGAINS = {task.id: task.scenario for task in tasks(2)}
ROWS = [episode_result(one, BARGAINS[one.id]) for one in played(tasks(2), ScriptedModel(), random_emotion)]
WHOLE = {"experiment_type": "random_sweep", "domain": "crad", "config": {}, "episode_results": ROWS}
CONTENT = st.one_of(
    changed(WHOLE).map(json.dumps),
    st.lists(changed(ROWS[0]), min_size=1, max_size=3).map(lambda rows: json.dumps({**WHOLE, "episode_results": rows})),
    st.tuples(JSON, changed(ROWS[0])).map(lambda pair: json.dumps([pair[1], pair[0]])),
    JSON.map(json.dumps),
    st.sampled_from(["[" * 100_000, '{"episode_results":' * 9999, f'{{"episode_results": [{"1" * 5000}]}}',
                     json.dumps({**WHOLE, "episode_results": [ROWS[0] | {"emotion_sequence": ["x" * 10**6] * 30}]})]),
).map(str.encode) | st.binary(max_size=60)  # fmt: skip


@pytest.fixture(scope="module")
def path(tmp_path_factory) -> Path:
    return tmp_path_factory.mktemp("fuzz") / "sweep.json"


@FUZZ
@given(CONTENT, CONTENT | st.none(), st.sampled_from([None, "crad", "student"]), st.booleans())
def test_no_file_breaks_the_import(path, content, beside, key, skip_bad):
    path.write_bytes(content)
    path.with_name("scenarios.json").write_bytes(beside or b"[]")
    found = taken(lambda: read_sweep([path], key, {}, skip_bad))
    if isinstance(found, Sweep):
        bargains = {scenario.id: scenario for scenario in found.scenarios}
        assert len({one.episode.id for one in found.played}) == len(found.played) > 0
        for one in found.played:
            of, turns = bargains[one.episode.scenario_id], one.episode.turns
            assert of.focal_target != of.counterparty_target and "/" not in one.episode.id
            assert all(turn.emotion in GOEMOTIONS for turn in one.episode.focal_turns())
            for chat in (messages(of, turns, "focal", None), judge_messages(of, turns)):
                "".join(text for _, text in chat).encode()
