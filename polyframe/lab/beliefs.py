"""Belief processes: what a market that knows a noisy signal says about an outcome, hour by hour.

Each process draws the outcome first and then signals about it; the price is the exact posterior
probability given the signals so far. A posterior is a martingale, whatever the signals are, and
it ends at the outcome. Two kinds of signals arrive: a Brownian information process whose rate grows
towards the end, and jumps at Poisson times.

Units: times in fractions of the market's life, probabilities in [0, 1].
"""

from __future__ import annotations

from functools import cache
from typing import NamedTuple

import numpy as np
from numpy.typing import NDArray

Floats = NDArray[np.float64]
Rng = np.random.Generator

_TERMS = 60
_NOTHING = 1e-17
"""The sum over the jumps still to come ends where a weight would not change a double."""


class Signals(NamedTuple):
    """How fast an outcome becomes known.

    ``volatility`` is the rate of the continuous information, ``jumps`` the mean number of jumps
    over the whole life, ``jump_size`` the mean log-likelihood ratio of one.
    """

    volatility: float
    jumps: float
    jump_size: float


def sigmoid(x: Floats) -> Floats:
    """1 / (1 + exp(-x)) without overflow.

    Shapes: any, kept. Units: log-odds to probability.
    """
    e = np.exp(-np.abs(x))
    share: Floats = np.where(x >= 0, 1.0, e) / (1.0 + e)
    return share


def log_odds(p: Floats) -> Floats:
    """ln(p / (1 - p)).

    Shapes: any, kept. Units: probability in (0, 1) to log-odds.
    """
    return np.log(p) - np.log1p(-p)


def normal_cdf(x: Floats) -> Floats:
    """The standard normal distribution function, to 1e-15 of its tails' absolute size.

    Shapes: any, kept.
    """
    from math import erfc  # noqa: PLC0415 - numpy has none

    scaled = -x.ravel() / np.sqrt(2.0)
    flat = 0.5 * np.array([erfc(v) for v in scaled.tolist()])
    return flat.reshape(x.shape)


def _information(times: Floats, volatility: float) -> Floats:
    """The Brownian information gathered between neighbouring times, from 0 to each.

    It is that of a Brownian bridge pinned at the outcome: v^2 t / (1 - t) up to t.

    Source: Brody, Hughston and Macrina 2008, "Information-based asset pricing".
    """
    total = volatility**2 * times / (1.0 - times)
    return np.diff(total, prepend=0.0)


def _scores(channels: int, truth: int, times: Floats, signals: Signals, rng: Rng) -> Floats:
    """Cumulative log-likelihoods, one column a class, of signals seen by each time.

    Every step shows one Gaussian observation a class, centred at its information where the class is
    true and at 0 elsewhere; a jump is one more such observation, far more informative.

    Shapes: times (n,) ascending in [0, 1) to (n, channels).
    """
    gathered = _information(times, signals.volatility)
    spans = np.diff(times, prepend=0.0)
    hits = rng.poisson(signals.jumps * spans)
    sizes = rng.gamma(2.0, signals.jump_size / 2.0, size=hits.size) * hits
    a = gathered + 2.0 * sizes
    noise = rng.standard_normal((times.size, channels)) * np.sqrt(a)[:, None]
    steps = noise - 0.5 * a[:, None]
    steps[:, truth] += a
    return np.cumsum(steps, axis=0)


def two_outcomes(p0: float, times: Floats, signals: Signals, rng: Rng) -> tuple[bool, Floats]:
    """A lone question: what happened, and the posterior of YES at each time.

    The log-odds move by a jump-diffusion: Brownian information plus likelihood ratios at jumps.

    Shapes: times (n,) ascending in [0, 1) to (n,).
    """
    happened = bool(rng.random() < p0)
    gathered = _information(times, signals.volatility)
    hits = rng.poisson(signals.jumps * np.diff(times, prepend=0.0))
    sign = 1.0 if happened else -1.0
    noise = rng.standard_normal(times.size)
    moves = sign * 0.5 * gathered + np.sqrt(gathered) * noise
    # A jump is a yes-or-no observation that is right with probability q: log-odds move by its
    # log-likelihood ratio in the direction it points.
    ratio = rng.gamma(2.0, signals.jump_size / 2.0, size=times.size)
    right = rng.binomial(hits, 1.0 / (1.0 + np.exp(-ratio)))
    moves += sign * (2 * right - hits) * ratio
    start = float(np.log(p0 / (1.0 - p0)))
    return happened, sigmoid(start + np.cumsum(moves))


def many_outcomes(prior: Floats, times: Floats, signals: Signals, rng: Rng) -> tuple[int, Floats]:
    """Classes of which exactly one happens: which, and the posterior of each at each time.

    Shapes: prior (k,) summing to 1, times (n,) to (n, k); rows sum to 1.
    """
    truth = int(rng.choice(prior.size, p=prior))
    weight = np.log(prior) + _scores(prior.size, truth, times, signals, rng)
    weight -= weight.max(axis=1, keepdims=True)
    likely = np.exp(weight)
    return truth, likely / likely.sum(axis=1, keepdims=True)


class Level(NamedTuple):
    """A value seen at each time, its end, and the variance that remained at each time."""

    path: Floats
    end: float
    remaining: Floats


def one_level(times: Floats, signals: Signals, rng: Rng) -> Level:
    """A value that diffuses and jumps, with unit total variance, starting at 0.

    ``jump_size`` is the share of the variance that comes from jumps.

    Shapes: times (n,) ascending in [0, 1).
    """
    jumped = signals.jump_size if signals.jumps > 0 else 0.0
    grid = np.append(times, 1.0)
    spans = np.diff(grid, prepend=0.0)
    hits = rng.poisson(signals.jumps * spans)
    each = jumped / signals.jumps if signals.jumps > 0 else 0.0
    spread = np.sqrt((1.0 - jumped) * spans + each * hits)
    path = np.cumsum(spread * rng.standard_normal(grid.size))
    return Level(path[:-1], float(path[-1]), 1.0 - times)


def above(level: Floats, times: Floats, strikes: Floats, signals: Signals) -> Floats:
    """The probability that the end of :func:`one_level` is above each strike, at each time.

    The number of jumps to come is Poisson; given it the end is normal. The sum over that number is
    exact, so the result is a martingale.

    Shapes: level (n,), times (n,), strikes (k,) to (n, k).

    Source: Merton 1976, "Option pricing when underlying stock returns are discontinuous".
    """
    left = 1.0 - times
    jumped = signals.jump_size if signals.jumps > 0 else 0.0
    each = jumped / signals.jumps if signals.jumps > 0 else 0.0
    total = np.zeros((times.size, strikes.size))
    weight = np.exp(-signals.jumps * left)
    gap = level[:, None] - strikes[None, :]
    for n in range(_TERMS if signals.jumps > 0 else 1):
        variance = (1.0 - jumped) * left + each * n
        total += weight[:, None] * normal_cdf(gap / np.sqrt(variance)[:, None])
        if weight.max() < _NOTHING:
            break
        weight = weight * signals.jumps * left / (n + 1)
    return np.clip(total, 0.0, 1.0)


# ---- forecasters with a private signal ---------------------------------------------------------


@cache
def _nodes(count: int) -> tuple[Floats, Floats]:
    """Where a mean over a standard normal variable is taken, and the weight of each place."""
    nodes, weights = np.polynomial.hermite_e.hermegauss(count)
    return nodes, weights / weights.sum()


def private_information(skill: float, p: Floats) -> Floats:
    """How informative a private Gaussian signal must be to explain ``skill`` of p(1 - p).

    The signal's log-likelihood ratio is normal with mean +-I/2 and variance I. A forecaster that
    knows p and the signal has a Brier score of (1 - skill) p(1 - p); this solves for I.

    Shapes: (n,) to (n,). Units: skill in [0, 1), probabilities in (0, 1).
    """
    nodes, weights = _nodes(41)
    start = log_odds(p)

    def explained(information: Floats) -> Floats:
        moved: Floats = np.zeros_like(p)
        for sign, chance in ((1.0, p), (-1.0, 1.0 - p)):
            shift = sign * 0.5 * information[:, None] + np.sqrt(information)[:, None] * nodes
            moved += chance * (((sigmoid(start[:, None] + shift) - p[:, None]) ** 2) @ weights)
        share: Floats = moved / (p * (1.0 - p))
        return share

    low, high = np.zeros_like(p), np.full_like(p, 200.0)
    if skill == 0.0:
        return low
    for _ in range(60):
        middle = 0.5 * (low + high)
        short = explained(middle) < skill
        low, high = np.where(short, middle, low), np.where(short, high, middle)
    return 0.5 * (low + high)


def persistent_noise(n: int, persistence: float, rng: Rng, columns: int = 1) -> Floats:
    """Standard normal rows that share a part: a forecaster's errors about one event go together.

    Asking it again does not average them away. Shapes: to (n, columns).
    """
    common = rng.standard_normal((1, columns))
    fresh = rng.standard_normal((n, columns))
    mixed: Floats = np.sqrt(persistence) * common + np.sqrt(1.0 - persistence) * fresh
    return mixed


class Opinions(NamedTuple):
    """What a forecaster that knows its own making can honestly say of its forecasts.

    ``low`` and ``high`` hold what it would have said without its own error in 95 of 100 cases,
    ``wide`` is half their distance; ``quality`` is the part of its message that is information.
    """

    low: Floats
    high: Floats
    wide: Floats
    quality: Floats


def opinions(p: Floats, skill: float, noise: float) -> Opinions:
    """Interval and quality of evidence of stated probabilities.

    The message is a private signal of known information plus an error of known size, both in
    log-odds; the quality is the signal's share of the sum of their variances.

    Shapes: (n,) to (n,). Units: probabilities, skill and quality in [0, 1], noise in log-odds.
    """
    stated = log_odds(p)
    low, high = sigmoid(stated - 1.96 * noise), sigmoid(stated + 1.96 * noise)
    signal = private_information(skill, p)
    total = signal + noise**2
    quality = np.divide(signal, total, out=np.zeros_like(p), where=total > 0.0)
    return Opinions(low, high, 0.5 * (high - low), quality)
