from dataclasses import replace

import numpy as np
import pytest
from hypothesis import given

from emodistill.evaluate.metrics import METRICS, eval_records, paired, ratio_parts
from emodistill.shards import EPISODES

from builders import PROPERTY, dialogue, episode, mirrored, scenario, scenarios, whole

BARGAINS = {"a": scenario(20, 120), "b": scenario(120, 20)}
PLAYED = [
    episode("agreement", 45.0, dialogue(45, 45), "1", "a"),  # savings 0.75
    episode("agreement", 45.0, dialogue(45, 45, 45), "2", "b"),  # 0.25
    episode("agreement", 10.0, dialogue(10, 10), "3", "a"),  # 1.1, clipped to 1
    episode("agreement", 130.0, dialogue(*[130] * 5), "4", "a"),  # -0.1, clipped to 0
    episode("breakdown", None, dialogue(20, 120, 20), "5", "a"),
    episode("timeout", None, dialogue(*[20, 120] * 3), "6", "b"),
    episode("error", None, dialogue(20, 120, 20, 120), "7", "a"),
]


def records_of(episodes, bargains):
    return eval_records(dict(EPISODES.encode(episodes)), bargains)


def row(records, k):
    return [getattr(records, name)[k] for name in records.__slots__]


def value(records, metric):
    top, bottom = ratio_parts(records, metric)
    assert top.shape == bottom.shape and top.dtype == bottom.dtype == np.float64
    return top.sum() / bottom.sum()


def test_metrics_by_hand():
    records = records_of(PLAYED, BARGAINS)
    assert {metric: value(records, metric) for metric in METRICS} == pytest.approx(
        {
            "success": 100 * 4 / 6,
            "outcomes": 100 * (0.75 + 0.25 + 1 + 0) / 4,
            "utility": 100 * (0.75 + 0.25 + 1 + 0) / 6,
            "rounds": (2 + 3 + 2 + 5 + 3 + 6) / 6,
        }
    )


def test_an_error_is_a_record_but_no_part_of_any_ratio():
    records = records_of(PLAYED, BARGAINS)
    assert len(records) == 7 and row(records, -1) == [0, 0, False, False, 0.0, 4]
    for metric in METRICS:
        assert len(ratio_parts(records, metric)[0]) == 6
        assert value(records, metric) == value(records.take(np.arange(6)), metric)


def test_a_deal_at_the_counterpartys_target_counts_as_agreed():
    records = records_of([episode("agreement", 120.0, dialogue(120), of="a")], BARGAINS)
    assert [value(records, metric) for metric in METRICS] == [100.0, 0.0, 0.0, 1.0]


def test_without_a_deal_outcomes_have_nothing_to_divide_by():
    top, bottom = ratio_parts(records_of(PLAYED[4:], BARGAINS), "outcomes")
    assert (top.tolist(), bottom.tolist()) == ([0.0, 0.0], [0.0, 0.0])


@PROPERTY
@given(scenarios, whole, whole)
def test_mirrored_numbers_give_the_same_record(bargain, agreed, shift):
    here = records_of([episode("agreement", agreed, (), of="x")], {"x": bargain})
    there = records_of([episode("agreement", shift - agreed, (), of="x")], {"x": mirrored(bargain, shift)})
    assert row(here, 0) == row(there, 0) and 0 <= here.savings[0] <= 1


def test_pairs_are_the_same_negotiations_that_are_valid_in_both():
    ours = [episode("timeout", None, dialogue(*[1] * k), of=of) for k, of in ((1, "b"), (2, "a"))]
    theirs = [episode("timeout", None, dialogue(*[1] * k), of=of) for k, of in ((3, "a"), (4, "b"))]
    theirs.append(replace(theirs[0], rollout=7))
    a, b = paired(records_of(ours, BARGAINS), records_of(theirs, BARGAINS))
    assert (a.scenario.tolist(), b.scenario.tolist()) == ([0, 1], [0, 1])
    assert (a.messages.tolist(), b.messages.tolist()) == ([2, 1], [3, 4])
    a, b = paired(records_of(ours, BARGAINS), records_of([replace(theirs[1], status="error"), theirs[0]], BARGAINS))
    assert (a.messages.tolist(), b.messages.tolist()) == ([2], [3])
