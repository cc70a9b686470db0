"""Bradley-Terry ratings of a tournament, with intervals by scenario. Pure functions.

P(i beats j) = 1 / (1 + exp(θ_j − θ_i)); a draw is half a win for each (Bradley and Terry, Biometrika 39, 1952). Every
player also has one drawn game against an imagined player at 0: without it who always wins would have no finite rating
and groups that never met could not be compared. Beside a hundred real games it moves a rating by about a hundredth; who
always wins is rated by how many games that was, and the upper end of that interval means little. Ratings are centred:
0 is the mean of the players, a difference of 1 is 73 % of the points, 400 / ln 10 times a rating is Elo's scale.
"""

import numpy as np

from emodistill.errors import RunFailed
from emodistill.report.statistics import Estimate, interval, resampled

_PRIOR = 1.0  # games, drawn, against an imagined player at 0
_STEPS, _LONGEST, _CLOSE = 200, 1.0, 1e-9


def bradley_terry(points: np.ndarray) -> np.ndarray:
    """Ratings θ [..., players] in logits from points [..., players, players]: `[i, j]` is what i scored against j.

    A win is 1 point, a draw ½ for each, and j's points stand at [j, i]. Newton's method with bounded steps on the
    log-likelihood, which is concave; many tables are solved at once.
    """
    games = points + np.swapaxes(points, -1, -2)
    theta = np.zeros(points.shape[:-1])
    own = np.arange(points.shape[-1])
    for _ in range(_STEPS):
        chance = _logistic(theta[..., :, None] - theta[..., None, :])
        alone = _logistic(theta)
        gradient = (points - games * chance).sum(-1) + _PRIOR * (0.5 - alone)
        curvature = -games * chance * (1 - chance)
        curvature[..., own, own] = 0.0
        curvature[..., own, own] = -curvature.sum(-1) + _PRIOR * alone * (1 - alone)
        step = np.linalg.solve(curvature, gradient[..., None])[..., 0]
        largest = np.abs(step).max(-1, keepdims=True, initial=0.0)
        theta = theta + step * np.minimum(1.0, _LONGEST / np.maximum(largest, 1e-300))
        if largest.max(initial=0.0) < _CLOSE:
            centred: np.ndarray = theta - theta.mean(-1, keepdims=True)
            return centred
    raise RunFailed(f"Bradley-Terry ratings did not settle in {_STEPS} steps.")


def ratings(points: np.ndarray, resamples: int, seed: int) -> list[Estimate]:
    """Each player's rating, its interval from resampling scenarios, and n, its games.

    points: float64 [scenarios, players, players], `[s, i, j]` what i scored against j in scenario s. With one scenario
    there is no interval.
    """
    k, players, _ = points.shape
    total = points.sum(0)
    theta, games = bradley_terry(total), np.rint((total + total.T).sum(1)).astype(int)
    if k < 2:
        return [Estimate(float(theta[i]), np.nan, np.nan, int(games[i])) for i in range(players)]
    drawn = (resampled(k, resamples, seed) @ points.reshape(k, -1)).reshape(-1, players, players)
    found = bradley_terry(drawn)
    return [Estimate(float(theta[i]), *interval(found[:, i], k), int(games[i])) for i in range(players)]


def _logistic(x: np.ndarray) -> np.ndarray:
    return (1 + np.tanh(x / 2)) / 2
