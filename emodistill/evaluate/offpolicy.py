"""What a selector would return, estimated from the sweep alone (ours): three estimators with 95 % intervals. Pure.

The sweep's emotions are Uniform(28), so importance ratios are known exactly. Returns are METHOD.md §4's, undiscounted.
- `fqe`: fitted-Q evaluation (Le et al., 2019), Q linear in features of (state, emotion), by least squares to its fixed
  point. It needs no luck in the sweep, but its features must carry what matters.
- `wis`: per-decision weighted importance sampling (Precup et al., 2000). It assumes nothing; its weights are products
  of ratios, so a sharp selector leaves few effective episodes.
- `dr`: weighted doubly robust (Thomas and Brunskill, 2016): `wis` of what a Q fitted on the other half of the scenarios
  does not explain.

Intervals are by scenario, none for a single one: the expanded percentile ones of report/statistics.py for the weighted
estimates, the jackknife by Student's t for FQE, where leaving a scenario out has a closed form.
"""

from dataclasses import dataclass

import numpy as np

from emodistill.dataset.transitions import Transitions
from emodistill.report.statistics import Estimate, interval, resampled
from emodistill.report.student_t import critical

EMOTIONS = 28
_PROGRESS_EDGES = (0.1, 0.25, 0.4, 0.65)  # of the turn's progress
_STILL_EDGES = (0.05, 0.15)  # of stalemate / 10: none, one, more
_CELLS = (len(_PROGRESS_EDGES) + 1) * (len(_STILL_EDGES) + 1)
_RIDGE = 1e-3  # of a feature's mean square; keeps cells without data at 0


@dataclass(frozen=True, slots=True)
class Logged:
    """n focal turns, those of an episode one after another, and the selector's probabilities there."""

    state: np.ndarray  # float64 [n, 9]
    last_shown: np.ndarray  # int64 [n], 28: none yet
    action: np.ndarray  # int64 [n]
    reward: np.ndarray  # float64 [n]
    done: np.ndarray  # bool [n], the last turn of an episode
    target: np.ndarray  # float64 [n, 28]
    cluster: np.ndarray  # int64 [n], the scenario

    @classmethod
    def of(cls, data: Transitions, target: np.ndarray) -> "Logged":
        """From the sweep's transitions, with the outcome as reward."""
        return cls(data.s_tm1.astype(np.float64), data.last_tm1, data.a_tm1, data.outcome_t, data.done_t, target,
                   data.scenario)  # fmt: skip

    def episodes(self) -> np.ndarray:
        """Which episode a row belongs to: int64 [n], from 0."""
        return np.concatenate([[0], np.cumsum(self.done)[:-1]])

    def starts(self) -> np.ndarray:
        """The first row of each episode."""
        return np.flatnonzero(np.concatenate([[True], self.done[:-1]]))


@dataclass(frozen=True, slots=True)
class Evaluated:
    """One estimate of a selector's expected return; `effective`: how many episodes' worth of weights it rests on."""

    estimate: Estimate
    effective: float


@dataclass(frozen=True, slots=True)
class Features:
    """φ of the emotion shown, and averaged over the selector's emotions: float64 [n, 436] each."""

    taken: np.ndarray
    expected: np.ndarray

    def following(self, done: np.ndarray) -> np.ndarray:
        """`expected` of the next turn, 0 after the last."""
        later: np.ndarray = np.vstack([self.expected[1:], np.zeros((1, self.expected.shape[1]))])
        later[done] = 0.0
        return later

    def fit(self, logged: Logged, rows: np.ndarray) -> tuple[np.ndarray, np.ndarray]:
        """Q's weights by the rows (a mask that keeps episodes whole), and the matrix M they solve with."""
        taken = self.taken[rows]
        ridge = np.diag(_RIDGE * len(taken) * np.maximum((taken**2).mean(0), 1e-6))
        matrix = taken.T @ (taken - self.following(logged.done)[rows]) + ridge
        return np.linalg.solve(matrix, taken.T @ logged.reward[rows]), matrix


@dataclass(frozen=True, slots=True)
class Fitted:
    """The fitted value, and what it would be without each scenario: float64 [scenarios]."""

    value: float
    without: np.ndarray
    effective: float

    def estimate(self, episodes: int) -> Estimate:
        """With its delete-one-scenario jackknife interval, by Student's t; none for a single scenario."""
        count = len(self.without)
        if count < 2:
            return Estimate(self.value, np.nan, np.nan, episodes)
        error = np.sqrt((count - 1) / count * ((self.without - self.without.mean()) ** 2).sum())
        half = float(critical(0.05, count - 1) * error)
        return Estimate(self.value, self.value - half, self.value + half, episodes)


def evaluate(logged: Logged, resamples: int, seed: int) -> dict[str, Evaluated]:
    """All three estimates."""
    features = features_of(logged)
    fit = fitted_q(logged, features)
    clusters = logged.cluster[logged.starts()]
    weights, steps = step_weights(logged)
    return {
        "fqe": Evaluated(fit.estimate(len(clusters)), fit.effective),
        "wis": _weighted(weights, steps, logged.reward, None, clusters, resamples, seed),
        "dr": _weighted(weights, steps, logged.reward, _of_others(logged, features), clusters, resamples, seed),
    }


def fitted_q(logged: Logged, features: Features) -> Fitted:
    """Least squares to Q(s, e) = E[r + Σ π(e'|s') Q(s', e')]: M w = Σ φ r, M = Σ φ zᵀ + ridge with z = φ − φ'_π.

    Without the rows C of a scenario the weights are w − A (1 − Z A)⁻¹ (r − Z w), A = M⁻¹ Φᵀ, Φ and Z of these rows:
    exact, with the ridge as it is, so no fit is repeated. Effective episodes are those of ζ = φᵀ M⁻ᵀ E[φ_π(s_0)], which
    estimates the ratio of visits under the selector and in the sweep.
    """
    n, starts = len(logged.reward), logged.starts()
    weights, matrix = features.fit(logged, np.ones(n, bool))
    taken, first = features.taken, features.expected[starts]
    moved = taken - features.following(logged.done)
    error, push = logged.reward - moved @ weights, np.linalg.solve(matrix, taken.T)
    names, scenario = np.unique(logged.cluster, return_inverse=True)
    without = np.full(len(names), np.nan)
    left = len(starts) - np.bincount(scenario[starts], minlength=len(names))  # episodes without the scenario's
    others = np.zeros((len(names), first.shape[1]))
    np.add.at(others, scenario[starts], -first)
    others += first.sum(0)
    for number, rows in enumerate(np.split(np.argsort(scenario, kind="stable"), np.cumsum(np.bincount(scenario))[:-1])):
        if left[number]:
            own = push[:, rows]
            lost = own @ np.linalg.solve(np.eye(len(rows)) - moved[rows] @ own, error[rows])
            without[number] = others[number] @ (weights - lost) / left[number]
    ratio = push.T @ first.mean(0)
    effective = float(ratio.sum() ** 2 / (ratio**2).sum() / n * len(starts))
    return Fitted(float(first.mean(0) @ weights), without, effective)


def _of_others(logged: Logged, features: Features) -> tuple[np.ndarray, np.ndarray]:
    """Q of the emotion shown and V of each row [n], fitted on the other half of the scenarios."""
    _, place = np.unique(logged.cluster, return_inverse=True)
    q, v = np.zeros(len(place)), np.zeros(len(place))
    if place.max(initial=0) == 0:
        return q, v
    for half in (0, 1):
        rows = place % 2 == half
        weights, _ = features.fit(logged, ~rows)
        q[rows], v[rows] = features.taken[rows] @ weights, features.expected[rows] @ weights
    return q, v


def features_of(logged: Logged) -> Features:
    """Cells × emotion, repetition, and what all emotions share."""
    shared, cell = state_features(logged)
    return Features(
        _joined(shared, cell, np.eye(EMOTIONS)[logged.action], logged), _joined(shared, cell, logged.target, logged)
    )


def state_features(logged: Logged) -> tuple[np.ndarray, np.ndarray]:
    """Of a state: values for all emotions alike [n, 15], and which cell of (progress, stalemate) it is in [n]."""
    concession, gap, progress, position, given, recent, still = logged.state[:, :7].T
    cell = np.digitize(progress, _PROGRESS_EDGES) * (len(_STILL_EDGES) + 1) + np.digitize(still, _STILL_EDGES)
    left = 1 - progress
    columns = [concession, gap, progress, position, given, recent, still, gap**2, progress**2, position**2,
               gap * left, position * left, given * left, concession * left, gap * position]  # fmt: skip
    return np.stack(columns, axis=1), cell


def _joined(shared: np.ndarray, cell: np.ndarray, share: np.ndarray, logged: Logged) -> np.ndarray:
    """φ averaged over emotions with the weights `share` [n, 28]: cell × emotion, repetition, shared: [n, 436]."""
    n = len(cell)
    crossed = np.zeros((n, _CELLS, EMOTIONS))
    crossed[np.arange(n), cell] = share
    padded = np.concatenate([share, np.zeros((n, 1))], axis=1)
    repeated = padded[np.arange(n), logged.last_shown]
    return np.concatenate([crossed.reshape(n, -1), repeated[:, None], shared], axis=1)


def step_weights(logged: Logged) -> tuple[np.ndarray, np.ndarray]:
    """Cumulative ratios Π π(e|s)·28 after each turn [n], and the turn's place in its episode [n], from 0."""
    starts, episodes = logged.starts(), logged.episodes()
    steps = np.arange(len(episodes)) - starts[episodes]
    ratios = logged.target[np.arange(len(episodes)), logged.action] * EMOTIONS
    weights = ratios.copy()
    for step in range(1, steps.max(initial=0) + 1):
        rows = np.flatnonzero(steps == step)
        weights[rows] *= weights[rows - 1]
    return weights, steps


def _weighted(
    weights: np.ndarray,
    steps: np.ndarray,
    reward: np.ndarray,
    model: tuple[np.ndarray, np.ndarray] | None,
    clusters: np.ndarray,
    resamples: int,
    seed: int,
) -> Evaluated:
    """Σ_t Σ_i w_it r_it / Σ_i w_it; with a model, r − q and, of the weight before, + v.

    An ended episode keeps its weight. Resampling clusters needs only their sums at each step.
    """
    starts = np.flatnonzero(steps == 0)
    names, index = np.unique(clusters, return_inverse=True)
    episodes, horizon = np.cumsum(steps == 0) - 1, int(steps.max()) + 1
    table = np.full((len(starts), horizon), np.nan)
    table[episodes, steps] = weights
    for step in range(1, horizon):
        ended = np.isnan(table[:, step])
        table[ended, step] = table[ended, step - 1]
    earlier = np.concatenate([np.ones((len(starts), 1)), table[:, :-1]], axis=1)
    gains = [(table, weights * (reward - (0 if model is None else model[0])))]
    if model is not None:
        gains.append((earlier, earlier[episodes, steps] * model[1]))
    sums = [(_by_cluster(of, index, len(names)), _spread(top, index[episodes], steps, (len(names), horizon)))
            for of, top in gains]  # fmt: skip

    def value(draws: np.ndarray) -> np.ndarray:
        with np.errstate(invalid="ignore", divide="ignore"):
            total = np.zeros(draws.shape[:-1])
            for bottom, top in sums:
                total += np.nan_to_num((draws @ top) / (draws @ bottom)).sum(-1)
            return total

    low = high = np.nan
    if len(names) > 1:
        low, high = interval(value(resampled(len(names), resamples, seed)), len(names))
    final = table[:, -1]
    effective = float(final.sum() ** 2 / max((final**2).sum(), 1e-300))
    return Evaluated(Estimate(float(value(np.ones(len(names)))), low, high, len(starts)), effective)


def _by_cluster(table: np.ndarray, index: np.ndarray, names: int) -> np.ndarray:
    out = np.zeros((names, table.shape[1]))
    np.add.at(out, index, table)
    return out


def _spread(values: np.ndarray, rows: np.ndarray, columns: np.ndarray, shape: tuple[int, int]) -> np.ndarray:
    out = np.zeros(shape)
    np.add.at(out, (rows, columns), values)
    return out
