"""The play of an array against what can be worked out by hand, and the volume of a run against its plan."""

from dataclasses import replace
from itertools import chain

import pytest

from emodistill.configfile import load_config
from emodistill.rollout.sweep import episode_tasks
from jobs.scale.arrays import REQUEUE_S, TRIES, Load, play
from jobs.scale.volume import Rates, Volume, hours, volumes

from builders import scenario
from helpers import ROOT

EVEN = Load(tasks=100, slots=10, work_s=1000, spread=0.0, start_s=50, segment_s=100, limit_s=1e9)


def test_without_trouble_the_slots_are_full_to_the_end():
    found = play(EVEN, 1)
    assert (found.makespan_s, found.held_s) == (10 * 1050, 100 * 1050)
    assert (found.done, found.stays, found.lost_s, found.given_up) == (100, 100, 0, 0)


def test_a_time_limit_costs_starts_and_waits_but_no_work():
    # 350 s of work a stay: three stays, the third with 300
    found = play(replace(EVEN, tasks=1, slots=1, limit_s=400), 1)
    assert (found.stays, found.lost_s, found.held_s) == (3, 0, 2 * 400 + 350)
    assert found.makespan_s == found.held_s + 2 * REQUEUE_S


def test_a_poisoned_task_is_given_up_after_its_tries_and_the_rest_is_done():
    found = play(replace(EVEN, poisoned=0.1), 1)
    assert (found.done, found.given_up) == (90, 10)
    assert 90 + 10 * TRIES <= found.stays <= 90 + 10 * (TRIES + 1)  # one more if it got to a save at first


@pytest.mark.parametrize("segment_s", [10.0, 200.0])
def test_crashes_lose_half_a_segment_each_and_preemption_none(segment_s):
    load = replace(EVEN, tasks=2000, start_s=0, segment_s=segment_s, crashes_per_h=0.5)
    found = play(load, 2)
    crashes = found.stays - load.tasks
    assert found.done == load.tasks and found.lost_s / crashes == pytest.approx(segment_s / 2, rel=0.1)
    told = play(replace(load, crashes_per_h=0.0, preemptions_per_h=0.5), 2)
    assert told.lost_s == 0 and told.stays > load.tasks and play(load, 2) == found


def test_the_volume_of_the_paper_is_32000_trajectories_and_its_plan():
    config = load_config(ROOT / "yaml" / "paper" / "all.yaml")
    found = volumes(config, Rates())
    assert found["rollout"].generated == 2 * 32_000 * 15 * 120
    assert found["rollout"].tasks == found["judge"].tasks == 64
    of = found["rollout"]
    assert of.gpu_hours == pytest.approx((of.generated / 2000 + of.prompt / 20_000) / 3600)


def test_more_gpus_help_until_every_task_has_its_own():
    rollout = Volume(tasks=64, gpu_hours=64.0)
    assert [hours(rollout, gpus, ranks=1) for gpus in (1, 8, 64, 640)] == [64, 8, 1, 1]
    assert [hours(rollout, gpus, ranks=1) for gpus in (63, 33)] == [2, 2]  # the last wave is short of tasks
    training = Volume(tasks=8, gpu_hours=32.0)
    assert [hours(training, gpus, ranks=4) for gpus in (1, 8, 64)] == [32, 4, 1]


def test_a_shard_makes_only_its_own_tasks_and_they_are_those_of_the_whole():
    known = [scenario(key=f"crad-{n:04d}") for n in range(3)]
    whole = episode_tasks(known, 4, 1, "sweep")
    assert [task.id for task in whole] == [f"crad-{n:04d}-r{k:04d}" for n in range(3) for k in range(4)]
    parts = [episode_tasks(known, 4, 1, "sweep", slice(at, at + 5)) for at in (0, 5, 10)]
    assert [len(part) for part in parts] == [5, 5, 2] and [*chain(*parts)] == whole
