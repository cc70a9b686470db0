"""Student's t by quadrature, so that tests and power need no more than NumPy. Pure functions.

T = (Z + shift) / √(V/ν), Z standard normal, V chi-square with ν degrees of freedom; shift = 0 is the central t. Given
V, its tails are the normal ones, so P(|T| > c) is an integral over V alone (Johnson, Kotz, Balakrishnan: *Continuous
Univariate Distributions* 2, 1995, chapter 31).
"""

import math
from functools import lru_cache

import numpy as np

_POINTS = 401  # of the grid over √V; the error of a probability stays below 1e-5
_WIDE = 8.0  # √V has a standard deviation of about 0.7: the grid ends where nothing is left


def tail(beyond: float, freedom: int, shift: float = 0.0) -> float:
    """P(|T| > beyond) of a t with `freedom` degrees of freedom and that noncentrality."""
    scale, weight = _scales(freedom)
    upper, lower = beyond * scale - shift, beyond * scale + shift
    return float(weight @ (_normal_tail(upper) + _normal_tail(lower)))


@lru_cache(maxsize=4096)
def critical(level: float, freedom: int) -> float:
    """The value that |T| exceeds with probability `level`, by bisection."""
    low, high = 0.0, 1.0
    while tail(high, freedom) > level:
        low, high = high, 2 * high
    while high - low > 1e-9 * high:
        middle = (low + high) / 2
        low, high = (middle, high) if tail(middle, freedom) > level else (low, middle)
    return high


@lru_cache(maxsize=4096)
def _scales(freedom: int) -> tuple[np.ndarray, np.ndarray]:
    """Values of √(V/ν) and their probabilities: float64 [points] each."""
    root = math.sqrt(freedom)
    chi = np.linspace(max(1e-300, root - _WIDE), root + _WIDE, _POINTS)
    log = (freedom - 1) * np.log(chi) - chi**2 / 2
    weight = np.exp(log - log.max())
    weight[1:-1:2] *= 4  # Simpson's rule
    weight[2:-1:2] *= 2
    return chi / root, weight / weight.sum()


def _normal_tail(beyond: np.ndarray) -> np.ndarray:
    """P(Z > beyond): float64, as `beyond`."""
    return np.array([math.erfc(value / math.sqrt(2)) / 2 for value in beyond])
