from dataclasses import replace

import numpy as np
import pytest

from emodistill.dataset.states import NO_EMOTION
from emodistill.evaluate.offpolicy import EMOTIONS, Fitted, Logged, evaluate, features_of, fitted_q, step_weights
from emodistill.report.statistics import cluster_ratio

UNIFORM = np.full(EMOTIONS, 1 / EMOTIONS)


def logged(episodes: list[list[tuple[int, float]]], target: np.ndarray, progress: float = 0.3) -> Logged:
    """Episodes of (emotion, reward); the n-th turn stands at n times `progress`; each is a scenario of its own."""
    rows = [(e, t, a, r, t == len(turns) - 1) for e, turns in enumerate(episodes) for t, (a, r) in enumerate(turns)]
    state = np.zeros((len(rows), 9))
    state[:, 2] = [t * progress for _, t, *_ in rows]
    return Logged(
        state, np.full(len(rows), NO_EMOTION), np.array([a for *_, a, _, _ in rows]),
        np.array([float(r) for *_, r, _ in rows]), np.array([done for *_, done in rows]),
        np.broadcast_to(target, (len(rows), EMOTIONS)), np.array([e for e, *_ in rows]),
    )  # fmt: skip


def favouring(emotion: int, share: float) -> np.ndarray:
    target = np.full(EMOTIONS, (1 - share) / (EMOTIONS - 1))
    target[emotion] = share
    return target


def test_weights_are_products_of_the_ratios_along_an_episode():
    found, steps = step_weights(logged([[(0, 0), (1, 0)], [(0, 0)]], favouring(0, 0.5)))
    other = 0.5 / 27 * 28
    assert found == pytest.approx([14, 14 * other, 14])
    assert steps.tolist() == [0, 1, 0]


def test_wis_is_the_weighted_mean_of_each_turn_and_an_ended_episode_keeps_its_weight():
    target = favouring(0, 0.5)
    found = evaluate(logged([[(0, 1.0), (1, 2.0)], [(1, 3.0)]], target), 50, 0)["wis"].estimate.value
    a, b = 14.0, 0.5 / 27 * 28
    assert found == pytest.approx((a * 1 + b * 3) / (a + b) + (a * b * 2) / (a * b + b))


def test_the_behaviour_s_own_value_is_the_mean_return_by_every_estimator():
    rng = np.random.default_rng(0)
    turns = [[(int(rng.integers(28)), float(rng.normal())) for _ in range(rng.integers(1, 4))] for _ in range(4000)]
    found = evaluate(logged(turns, UNIFORM), 200, 0)
    mean = np.mean([sum(r for _, r in turn) for turn in turns])
    assert found["wis"].estimate.value == pytest.approx(mean)
    assert found["wis"].effective == pytest.approx(4000)
    for name in ("fqe", "dr"):
        assert found[name].estimate.value == pytest.approx(mean, abs=0.02)


def test_all_find_the_value_of_a_policy_that_the_sweep_seldom_followed():
    """Emotion 0 brings 1 now and 2 if shown again; any other ends with nothing."""
    rng, target = np.random.default_rng(2), favouring(0, 0.6)
    turns = []
    for _ in range(15_000):
        first, second = rng.integers(28, size=2)
        luck = rng.normal(0, 0.3)
        turns.append([(0, 1 + luck), (int(second), 2.0 * (second == 0))] if first == 0 else [(int(first), luck)])
    found = evaluate(logged(turns, target), 200, 0)
    truth = 0.6 * (1 + 0.6 * 2)
    for name, one in found.items():
        assert one.estimate.low <= truth <= one.estimate.high, name
        assert one.estimate.value == pytest.approx(truth, abs=0.25), name
    assert found["dr"].estimate.high - found["dr"].estimate.low < 1


def test_leaving_a_scenario_out_is_fitting_without_it_and_tells_the_uncertainty():
    rng, target = np.random.default_rng(2), favouring(0, 0.3)

    def draw():
        turns = [[(int(a), float((a == 0) + rng.normal())) for a in rng.integers(28, size=2)] for _ in range(800)]
        return logged(turns, target)

    data = draw()
    features = features_of(data)
    found, (_, matrix) = fitted_q(data, features), features.fit(data, np.ones(1600, bool))
    for scenario in (0, 799):
        rows, others = data.cluster == scenario, data.cluster != scenario
        z = features.taken - features.following(data.done)
        refitted = np.linalg.solve(
            matrix - features.taken[rows].T @ z[rows], features.taken[others].T @ data.reward[others]
        )
        starts = data.starts()[others[data.starts()]]
        assert found.without[scenario] == pytest.approx((features.expected[starts] @ refitted).mean(), rel=1e-9)
    fits = [fitted_q(one, features_of(one)).estimate(800) for one in (draw() for _ in range(60))]
    values = np.array([one.value for one in fits])
    assert values.mean() == pytest.approx(0.6, abs=0.06)
    assert np.mean([one.high - one.low for one in fits]) / 2 / 1.96 == pytest.approx(values.std(), rel=0.3)


def test_two_scenarios_have_the_t_of_one_degree_of_freedom_and_one_has_no_interval():
    assert Fitted(1.0, np.array([0.0, 2.0]), 2.0).estimate(2).high == pytest.approx(1 + 12.706, abs=1e-3)
    alone = logged([[(0, 1.0), (1, 2.0)], [(0, 3.0)]], favouring(0, 0.5))
    alone = replace(alone, cluster=np.zeros_like(alone.cluster))
    for name, one in evaluate(alone, 50, 0).items():
        assert np.isnan([one.estimate.low, one.estimate.high]).all() and np.isfinite(one.estimate.value), name


def test_weighted_intervals_are_those_of_every_other_table():
    """Under the sweep's own selector and with one turn an episode, `wis` is the mean."""
    shown = [[(0, reward)] for reward in np.random.default_rng(4).normal(size=6)]
    found = evaluate(logged(shown, UNIFORM), 500, 7)["wis"].estimate
    rewards = np.array([reward for [(_, reward)] in shown])
    theirs = cluster_ratio(rewards, np.ones(6), np.arange(6), 500, 7)
    assert (found.low, found.high) == pytest.approx((theirs.low, theirs.high))


@pytest.mark.slow
def test_nineteen_of_twenty_intervals_hold_the_truth():
    """Scenarios differ in what a turn brings; a turn's emotion 0 brings 1 more; a second turn comes half the time."""
    rng, target, held = np.random.default_rng(3), favouring(0, 0.15), {"fqe": 0, "wis": 0, "dr": 0}
    truth, draws = 0.15 * 1.5, 100
    for draw in range(draws):
        episodes, clusters = [], []
        for scenario, level in enumerate(rng.normal(0, 0.3, 60)):
            for _ in range(15):
                shown = rng.integers(28, size=1 + rng.integers(2))
                episodes.append([(int(a), float((a == 0) + level + rng.normal(0, 0.5))) for a in shown])
                clusters += [scenario] * len(shown)
        data = logged(episodes, target)
        data = Logged(*(getattr(data, name) for name in Logged.__slots__[:-1]), np.array(clusters))
        for name, one in evaluate(data, 300, draw).items():
            held[name] += one.estimate.low <= truth <= one.estimate.high
    assert all(count >= 0.9 * draws for count in held.values()), held
