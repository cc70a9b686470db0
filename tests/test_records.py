import json
import math
from dataclasses import asdict

import pytest
from hypothesis import given
from hypothesis import strategies as st

from emodistill.runs import scenarios_of

from builders import PROPERTY, mirrored, scenario, scenarios, whole


@PROPERTY
@given(scenarios, st.floats(-1e4, 1e4))
def test_value_and_pos_are_inverse(bargain, number):
    assert math.isclose(bargain.pos(bargain.value(number)), number, rel_tol=1e-9, abs_tol=1e-9)
    assert math.isclose(bargain.value(bargain.pos(number)), number, rel_tol=1e-9, abs_tol=1e-9)


@PROPERTY
@given(scenarios)
def test_pos_is_0_at_the_counterpartys_target_and_1_at_the_focals(bargain):
    assert bargain.pos(bargain.counterparty_target) == 0.0
    assert bargain.pos(bargain.focal_target) == 1.0


@PROPERTY
@given(scenarios, whole, whole)
def test_pos_has_no_polarity(bargain, value, shift):
    assert mirrored(bargain, shift).pos(shift - value) == bargain.pos(value)


def test_pos_is_not_clipped():
    assert [scenario(20, 120).pos(value) for value in (10, 45, 70, 220)] == [1.1, 0.75, 0.5, -1.0]
    assert [scenario(120, 20).pos(value) for value in (130, 95, 70, -80)] == [1.1, 0.75, 0.5, -1.0]


def test_a_fact_that_is_not_there_is_empty():
    assert scenario().fact("balance") and scenario().fact("no such fact") == ""


@pytest.mark.parametrize(
    "harm, said",
    [
        ({"id": {}}, "0.id: Input should be a valid string"),
        ({"focal_target": "x"}, "0.focal_target"),
        ({"facts": 3}, "0.facts"),
    ],
)
def test_scenarios_come_back_from_json_or_what_is_wrong_is_named(harm, said):
    one = scenario(20, 120)
    stored = json.loads(json.dumps(asdict(one)))
    assert scenarios_of([stored]) == [one]
    with pytest.raises(ValueError, match=f"holds no scenarios: {said}"):
        scenarios_of([stored | harm])
