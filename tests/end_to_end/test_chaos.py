import json
import shutil
import subprocess
import sys

import pytest

from emodistill.shards import EPISODES, read_records, write_records
from emodistill.stages import STAGES
from jobs.chaos.compare import Difference, difference

from helpers import ROOT

pytestmark = [pytest.mark.slow, pytest.mark.vllm, pytest.mark.deepspeed]


def test_what_is_lost_doubled_or_changed_is_seen(smoke_run, tmp_path):
    copy = tmp_path / "run"
    shutil.copytree(smoke_run, copy)
    assert difference(smoke_run, copy).none()
    shard = copy / "rollout" / "shard-00000.h5"
    episodes = read_records([shard], EPISODES)
    shard.unlink()
    write_records(shard, [*episodes[:-2], episodes[0]], EPISODES)
    curve = copy / "iql" / "selector" / "metrics.jsonl"
    curve.write_text(curve.read_text().replace('"step": 10', '"step": 11'))
    (copy / "tables" / "main.md").write_text("")
    assert difference(smoke_run, copy) == Difference(2, 1, 0, False, False)


def test_a_run_whose_processes_are_killed_at_random_in_every_stage_ends_as_if_in_peace(smoke_run):
    command = [sys.executable, "-m", "jobs.chaos", "--kills", "8", "--pause", "4", "--seed", "1", "--json"]
    done = subprocess.run([*command, "--peace", smoke_run], cwd=ROOT, capture_output=True, text=True, check=False)
    found = json.loads(done.stdout)
    assert found["kills"] >= 8 and found["runs"] == 1 and found["stage"].keys() >= STAGES.keys(), found
    assert (found["lost"], found["duplicated"], found["changed"]) == (0, 0, 0)
    assert (found["curves_equal"], found["tables_equal"], found["tracebacks"], found["stuck"]) == (True, True, 0, "")
