"""Fitting arrivals that excite each other, and testing whether a process explains them."""

from __future__ import annotations

import math
from typing import TYPE_CHECKING, NamedTuple

import numpy as np

from polyframe.errors import DataError
from polyframe.quant.intensity import Hawkes, hawkes_intensities, hawkes_likelihood

if TYPE_CHECKING:
    from numpy.typing import ArrayLike, NDArray

    Floats = NDArray[np.float64]

_STEPS = 100
_GOLDEN = 0.5 * (math.sqrt(5.0) - 1.0)
_FEWEST = 10


class HawkesFit(NamedTuple):
    """The likeliest process and the logarithm of its likelihood."""

    process: Hawkes
    likelihood: float


def fit_hawkes(
    times: ArrayLike, seconds: float, fades: tuple[float, float] = (0.01, 100.0)
) -> HawkesFit:
    """The exponential Hawkes process that explains arrivals within (0, ``seconds``] best.

    Given how fast excitement fades, the intensity is linear in the base and the jump, so their
    likelihood has one maximum; the fade is searched between ``fades``.

    Shapes: times (n,) ascending. Units: seconds, per second.

    Source: Ozaki 1979, "Maximum likelihood estimation of Hawkes' self-exciting point processes".

    Raises:
        DataError: fewer than ten arrivals, times that do not ascend or pass the end, or fades that
            are no range above 0.
    """
    t = np.asarray(times, dtype=np.float64)
    low, high = fades
    if not 0.0 < low < high or not math.isfinite(high):
        raise DataError(f"fades from {low} to {high}", expected="a range above 0")
    if t.size < _FEWEST:
        raise DataError(f"{t.size} arrivals", expected=f"{_FEWEST} or more to fit a process")
    hawkes_likelihood(Hawkes(1.0, 0.0, 1.0), t, seconds)  # refuses what are no times

    def best(log_fade: float) -> HawkesFit:
        return _given_fade(t, seconds, math.exp(log_fade))

    a, b = math.log(low), math.log(high)
    # The likelihood may have a second, lower hill: a coarse grid finds the right one.
    grid = np.linspace(a, b, 13)
    top = int(np.argmax([best(x).likelihood for x in grid]))
    a, b = float(grid[max(top - 1, 0)]), float(grid[min(top + 1, 12)])
    while b - a > 1e-4:
        left, right = b - _GOLDEN * (b - a), a + _GOLDEN * (b - a)
        if best(left).likelihood > best(right).likelihood:
            b = right
        else:
            a = left
    return best(0.5 * (a + b))


def _given_fade(t: Floats, seconds: float, fade: float) -> HawkesFit:
    """The likeliest base and jump by Newton's method, kept within what a process may have."""
    excited = hawkes_intensities(Hawkes(1.0, 1.0, fade), t) - 1.0
    spent = float(np.sum(-np.expm1(-fade * (seconds - t)))) / fade
    x = np.array([0.5 * t.size / seconds, 0.5 * t.size / max(spent, 1e-12)])
    held = np.array([1e-9 * t.size / seconds, 0.0])
    rows = np.stack([np.ones_like(excited), excited])
    end = np.array([seconds, spent])

    def value(x: Floats) -> float:
        return float(np.log(x @ rows).sum() - x @ end)

    now = value(x)
    for _ in range(_STEPS):
        part = rows / (x @ rows)
        slope = part.sum(axis=1) - end
        free = (x > held) | (slope > 0.0)
        bend = part @ part.T
        move = np.zeros(2)
        move[free] = np.linalg.solve(bend[np.ix_(free, free)], slope[free])
        step = 1.0
        while step > 1e-10:
            there = np.maximum(x + step * move, held)
            found = value(there)
            if found >= now:
                break
            step *= 0.5
        done = step <= 1e-10 or found - now < 1e-12 * (1.0 + abs(now))
        if step > 1e-10:
            x, now = there, found
        if done:
            break
    return HawkesFit(Hawkes(float(x[0]), float(x[1]), fade), now)


def rescaled_gaps(process: Hawkes, times: ArrayLike) -> Floats:
    """The arrivals that were to be expected between neighbours: of mean 1 and exponential.

    Where they are not, the process does not explain the arrivals.

    Shapes: times (n,) ascending from 0, to (n,), the first from 0 on. Units: seconds; none.

    Source: Papangelou's time rescaling; Ogata 1988, residual analysis of point processes.

    Raises:
        DataError: times that do not ascend, or a parameter out of range.
    """
    t = np.asarray(times, dtype=np.float64)
    excited = hawkes_intensities(process, t) - process.base
    gaps = np.diff(t, prepend=0.0)
    after = np.concatenate([[0.0], (excited + process.jump)[:-1]])[: t.size]
    faded: Floats = -np.expm1(-process.fade * gaps) / process.fade
    expected: Floats = process.base * gaps + after * faded
    return expected


def exponential_distance(gaps: ArrayLike) -> tuple[float, float]:
    """How far gaps are from exponential ones of mean 1, and how likely so far by chance alone.

    Shapes: (n,). Units: the largest difference of the distribution functions; a probability.

    Source: Kolmogorov and Smirnov's test, with Stephens' 1970 correction of its limit.

    Raises:
        DataError: no gap, or one below 0.
    """
    g = np.sort(np.asarray(gaps, dtype=np.float64))
    if g.ndim != 1 or g.size == 0 or not np.isfinite(g).all() or g[0] < 0.0:
        raise DataError("gaps that are no gaps", expected="(n,), n of 1 or more, 0 or above")
    below = -np.expm1(-g)
    n = np.arange(g.size)
    distance = float(np.maximum(below - n / g.size, (n + 1) / g.size - below).max())
    root = math.sqrt(g.size)
    z = (root + 0.12 + 0.11 / root) * distance
    if z < 0.2:
        return distance, 1.0
    chance = 2.0 * sum((-1.0) ** (k - 1) * math.exp(-2.0 * (k * z) ** 2) for k in range(1, 101))
    return distance, min(max(chance, 0.0), 1.0)
