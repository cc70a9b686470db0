from collections import Counter
from dataclasses import replace

import pytest

from emodistill.cluster.begin import say_retries
from emodistill.cluster.status import summary
from emodistill.ledger import Ledger
from emodistill.runs import Marker, RunDir
from emodistill.stages import STAGES

from helpers import begun

ROLLOUT, JUDGE, DATASET = (STAGES[name] for name in ("rollout", "judge", "dataset"))


def finish(run, stage, task, **changed):
    claim = Ledger(run, run.config()).claim(stage, task)
    path = run.shard(stage.name, task)
    path.parent.mkdir(exist_ok=True)
    path.write_text(f"{stage.name} {task} {changed}")
    marker = Marker(stage.name, task, claim.fingerprint, claim.inputs, 1, 0, 1.0, run.checksums([path]))
    run.mark(replace(marker, **changed))


def to_do(run):
    ledger = Ledger(run, run.config())
    return {stage.name: ledger.to_do(stage) for stage in (ROLLOUT, JUDGE, DATASET)}


@pytest.fixture
def run(tmp_path):
    """Two rollout shards, two judge shards and the dataset, all done."""
    run = begun(tmp_path / "run")
    for stage in (ROLLOUT, JUDGE, DATASET):
        for task in stage.tasks(run.config()):
            finish(run, stage, task)
    return run


def test_a_finished_run_has_nothing_to_do(run):
    assert to_do(run) == {"rollout": [], "judge": [], "dataset": []}


def test_another_content_upstream_makes_just_its_readers_run_again(run):
    finish(run, ROLLOUT, "shard-00001", usage={"x": 1.0}, files={"config.yaml": "0"})
    assert to_do(run) == {"rollout": [], "judge": ["shard-00001"], "dataset": ["pairs"]}


def test_a_missing_file_or_marker_makes_the_task_run_again(run):
    run.shard("judge", "shard-00000").unlink()
    assert to_do(run) == {"rollout": [], "judge": ["shard-00000"], "dataset": []}
    run.marker_path("rollout", "shard-00000").unlink()
    assert to_do(run) == {"rollout": ["shard-00000"], "judge": ["shard-00000"], "dataset": ["pairs"]}
    assert Ledger(run, run.config()).claim(JUDGE, "shard-00000") is None


@pytest.mark.parametrize("tries, again", [(1, True), (2, True), (3, False)])
def test_a_task_with_errors_is_tried_three_times(run, tries, again):
    finish(run, JUDGE, "shard-00001", errors=2, tries=tries)
    assert (to_do(run)["judge"] == ["shard-00001"]) is again
    ledger, said = Ledger(run, run.config()), []
    assert ledger.errors_to_retry(JUDGE) == 2 * again and ledger.is_done(JUDGE, "shard-00001")
    say_retries(ledger, STAGES.values(), said.append)
    assert [line.partition(";")[0] for line in said] == [
        "2 technical error(s) of finished tasks are tried again (judge 2)"
    ] * again
    assert summary(run)["stages"]["judge"]["errors_to_retry"] == 2 * again


def test_every_marker_is_read_once(run, monkeypatch):
    read, marker = Counter(), RunDir.marker

    def counted(self, stage, task):
        read[stage, task] += 1
        return marker(self, stage, task)

    monkeypatch.setattr(RunDir, "marker", counted)
    ledger = Ledger(run, run.config())
    for stage in (ROLLOUT, JUDGE, DATASET):
        assert ledger.to_do(stage) == []
    assert len(read) == 5 and set(read.values()) == {1}
