"""Which arrays are submitted, and what each waits for."""

from fractions import Fraction

import pytest

from emodistill.cluster.graph import Place, Queued, Wait, arrays, wanted
from emodistill.cluster.slurm import Element
from emodistill.configfile import load_config
from emodistill.stages import STAGES

from helpers import ROOT

SMOKE = load_config(ROOT / "yaml" / "smoke.yaml", ("sweep.shard_episodes=8",))  # six shards
ALL = {name: stage.tasks(SMOKE) for name, stage in STAGES.items()}
SHARDS = ALL["rollout"]


def submitted(missing=ALL, queued=None, places=None, bundle=1, limit=1000):
    chosen = wanted(SMOKE, missing, queued or {})
    return arrays(SMOKE, chosen, places or {}, lambda stage: bundle, limit)


def of(stage, made):
    return [array for array in made if array.stage == stage]


def test_every_task_is_submitted_once_after_all_that_it_reads():
    made = submitted()
    where = {(a.stage, task): (k, i) for k, a in enumerate(made) for i, b in enumerate(a.bundles) for task in b}
    assert len(where) == sum(len(b) for a in made for b in a.bundles) == sum(map(len, ALL.values()))
    for (name, task), (k, i) in where.items():
        for source, others in STAGES[name].reads(SMOKE, task).items():
            for other in others:
                array, index = where[source, other]
                [wait] = [w for w in made[k].waits if w.array == array]
                if wait.how == "aftercorr":
                    assert index == i
                else:
                    assert not wait.indices or index in wait.indices
                    assert wait.how == ("afterany" if name in ("dataset", "tables") else "afterok")
        assert made[k].lacking == (name in ("dataset", "tables"))


def test_shards_are_judged_one_by_one_as_they_come():
    made = submitted()
    assert [a.waits for a in of("judge", made)] == [(Wait("aftercorr", 0),)]
    assert of("judge", made)[0].bundles == of("rollout", made)[0].bundles == tuple((shard,) for shard in SHARDS)


def test_arrays_keep_to_the_limit_and_share_the_parallel_jobs():
    made = submitted(limit=4)
    assert [len(a.bundles) for a in of("rollout", made)] == [4, 2]
    assert [(len(a.bundles), a.waits[0].array, a.share) for a in of("judge", made)] == [
        (4, 0, Fraction(2, 3)), (2, 1, Fraction(1, 3)),
    ]  # fmt: skip
    assert {wait.array for wait in of("dataset", made)[0].waits} == {0, 1, 2, 3}


def test_a_bundle_of_everything_is_one_job_that_waits_for_all():
    made = submitted(bundle=64)
    assert [len(a.bundles) for a in made] == [1] * len(STAGES)
    [evaluate] = of("evaluate", made)
    assert evaluate.bundles == (SMOKE.evaluate.variants,)
    # What one variant needs may fail for good, and the others are evaluated all the same.
    assert {wait.how for wait in evaluate.waits} == {"afterany"} and evaluate.lacking


def test_only_what_is_missing_is_submitted_and_what_reads_it():
    missing = {"rollout": [SHARDS[3]]}
    made = submitted(missing)
    assert of("rollout", made)[0].bundles == ((SHARDS[3],),)
    assert of("judge", made)[0].bundles == ((SHARDS[3],),)
    assert of("judge", made)[0].waits == (Wait("afterok", 0),)
    assert {a.stage for a in made} == set(STAGES)
    assert submitted({}) == []


@pytest.mark.parametrize("state, again", [("PENDING", True), ("RUNNING", False)])
def test_what_waits_for_the_wrong_job_is_submitted_again_and_what_runs_is_not(state, again):
    missing = {"rollout": [SHARDS[0]], "dataset": ["pairs"]}
    chosen = wanted(SMOKE, missing, {("dataset", "pairs"): Queued(Element("9"), state)})
    assert ("dataset" in chosen) == again


def test_the_mates_of_what_is_taken_out_of_the_queue_are_submitted_again_too():
    mates = ("iql-only", "vanilla-slm")
    queued = {("evaluate", mate): Queued(Element("9"), "PENDING") for mate in mates}
    chosen = wanted(SMOKE, {"iql": ["selector"], "evaluate": mates, "tables": ["main"]}, queued)
    assert set(mates) <= set(chosen["evaluate"]) and chosen["tables"] == ["main"]
    assert "evaluate" not in wanted(SMOKE, {"evaluate": mates}, queued)


def test_tasks_that_an_earlier_launch_has_in_the_queue_are_waited_for_there():
    missing = {"rollout": [SHARDS[1]], "judge": SHARDS}
    queued = {("rollout", SHARDS[k]): Queued(Element("77", i), "RUNNING", 2) for k, i in ((0, 0), (2, 1))}
    places = {task: Place("77", job.element.index, job.of) for task, job in queued.items()}
    made = submitted(missing, queued, places)
    judged = {a.bundles: a.waits for a in of("judge", made)}
    assert judged[(SHARDS[0],), (SHARDS[2],)] == (Wait("aftercorr", "77"),)
    assert judged[((SHARDS[1],),)] == (Wait("afterok", 0),)
    assert judged[tuple((shard,) for shard in SHARDS[3:])] == ()
    assert Wait("afterany", "77") in of("dataset", made)[0].waits
    assert Wait("afterok", "77", (0, 4)).text([]) == "afterok:77_0:77_4"
    assert Wait("aftercorr", 1).text(["5", "9"]) == "aftercorr:9"


def test_an_earlier_array_of_which_a_part_has_ended_is_named_by_its_living_elements():
    """All of it can never succeed any more if the other part has failed."""
    queued = {("rollout", SHARDS[0]): Queued(Element("5", 0), "RUNNING", 2)}
    made = submitted({"judge": SHARDS[:1], "dataset": ["pairs"]}, queued, {("rollout", SHARDS[0]): Place("5", 0, 2)})
    assert of("judge", made)[0].waits == (Wait("afterok", "5", (0,)),)
    assert Wait("afterany", "5", (0,)) in of("dataset", made)[0].waits
