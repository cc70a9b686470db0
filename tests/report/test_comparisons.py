from dataclasses import replace

import numpy as np
import pytest

from emodistill.evaluate.metrics import EvalRecords
from emodistill.report.comparisons import mean_utility, shifts, standings, tournament, transfer

PLACE = {"a-0": 0, "a-1": 1, "b-0": 2}
DOMAINS = ("a", "a", "b")


def utility(**values):
    """Episodes with `a0=[1, 2]`: utilities of scenario a-0, rollouts 0 and 1."""
    rows = [(PLACE[f"{name[0]}-{name[1]}"], k, v / 100) for name, of in values.items() for k, v in enumerate(of)]
    scenario, rollout, savings = map(np.array, zip(*rows, strict=True))
    yes = np.ones(len(rows), bool)
    return EvalRecords(scenario, rollout, yes, yes, savings, np.full(len(rows), 5))


def test_a_shift_is_over_the_negotiations_that_both_have_played():
    ours = utility(a0=[10, 20], a1=[40, 40], b0=[90])
    theirs = utility(a0=[0, 10], a1=[30])
    [row] = shifts([("joy", ours, theirs)], 500, 1)
    assert (row.name, row.utility.n, row.utility.value) == ("joy", 5, pytest.approx(40))
    assert (row.difference.n, row.difference.value) == (3, pytest.approx(10))
    assert (row.difference.low, row.difference.high) == (pytest.approx(10), pytest.approx(10))
    assert row.p == row.adjusted == 0.5  # of the four ways in which two scenarios may be swapped two are as far from 0


def test_p_is_adjusted_over_all_rows_of_a_table():
    rng = np.random.default_rng(0)
    yes, places = np.ones(36, bool), np.repeat(np.arange(12), 3)
    base = EvalRecords(places, np.tile(np.arange(3), 12), yes, yes, rng.normal(0.5, 0.05, 36), places)
    moved = {
        name: replace(base, savings=base.savings + by + rng.normal(0, 0.01, 36))
        for name, by in (("much", 0.08), ("none", 0.0), ("little", -0.001))
    }
    found = {row.name: row for row in shifts([(name, of, base) for name, of in moved.items()], 4000, 1)}
    assert found["much"].adjusted == pytest.approx(3 * found["much"].p) and found["much"].adjusted < 0.01
    assert found["none"].adjusted > 0.05 and not found["none"].difference.excludes_zero()


def test_a_base_beside_itself_is_no_comparison_and_makes_no_other_p_larger():
    base = utility(a0=[0, 10], a1=[30], b0=[5])
    others = [(name, utility(a0=[10, 20], a1=[40], b0=[by]), base) for name, by in (("x", 50), ("y", 4))]
    alone, beside = shifts(others, 500, 1), shifts([("full", base, base), *others], 500, 1)
    assert [(row.p, row.adjusted) for row in beside[1:]] == [(row.p, row.adjusted) for row in alone]
    assert np.isnan([beside[0].p, beside[0].adjusted]).all() and beside[0].difference.value == 0


def test_transfer_is_a_policy_in_each_domain_and_what_did_not_run_is_none():
    cells = {"full@a": utility(a0=[10, 30], a1=[20], b0=[5])}
    found = transfer(cells, ("full@a", "full@b"), DOMAINS, 200, 1)
    assert (found.rows, found.columns) == (("full@a", "full@b"), ("a", "b"))
    assert found.cells["full@a", "a"].value == pytest.approx(20) and found.cells["full@a", "a"].n == 3
    assert found.cells["full@a", "b"].value == pytest.approx(5) and np.isnan(found.cells["full@a", "b"].low)
    assert found.cells["full@b", "a"] is found.cells["full@b", "b"] is None


def test_a_tournament_is_won_by_who_gets_more_on_the_same_seat_of_the_same_negotiation():
    strong, weak = utility(a0=[60, 70], a1=[50, 50], b0=[80]), utility(a0=[10, 70], a1=[20, 30], b0=[10])
    cells = {("x", "y"): strong, ("y", "x"): weak}
    matrix, found = tournament(cells, ("x", "y"), 200, 1), standings(cells, ("x", "y"), 200, 1)
    assert matrix.cells["x", "y"] == mean_utility(strong, 200, 1) and ("x", "x") not in matrix.cells
    assert found["x"].n == 5  # 4 won and 1 drawn: 4.5 points of 5, and half a game against an imagined player
    assert found["x"].value == pytest.approx(-found["y"].value) and found["x"].value > 0.7
    shared = standings({("x", "y"): strong, ("y", "x"): strong}, ("x", "y"), 200, 1)
    assert shared["x"].value == pytest.approx(0)


def test_points_are_counted_once_from_each_side():
    cells = {("x", "y"): utility(a0=[1]), ("y", "x"): utility(a0=[0]), ("x", "z"): utility(a0=[1])}
    found = standings(cells, ("x", "y", "z"), 100, 1)
    assert [found[name].n for name in "xyz"] == [1, 1, 0]  # x and z never met on exchanged seats
    assert found["x"].value > found["z"].value > found["y"].value
