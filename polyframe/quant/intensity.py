"""How often quotes are met: intensities by depth, and arrivals that excite each other."""

from __future__ import annotations

import math
from typing import TYPE_CHECKING, NamedTuple

import numpy as np

from polyframe.errors import DataError
from polyframe.quant.roots import checked_amount

if TYPE_CHECKING:
    from numpy.typing import ArrayLike, NDArray

    Floats = NDArray[np.float64]

_STEPS = 100


class Intensity(NamedTuple):
    """Fills a second at depth 0, their decay with depth, and the decay's standard error."""

    level: float
    decay: float
    decay_error: float

    def at(self, depth: float) -> float:
        """Fills a second at a depth. Shapes: scalar. Units: those of the fit."""
        return self.level * math.exp(-self.decay * depth)


def fit_intensity(depths: ArrayLike, counts: ArrayLike, seconds: ArrayLike) -> Intensity:
    """Fits A exp(-k d) to the number of fills seen at each depth.

    A regression of Poisson counts with exposure: depths at which nothing was filled count, as
    they must, which a line through logarithms would leave out.

    Shapes: (depths,) each. Units: any depth; counts; seconds.

    Source: Poisson regression by Newton's method.

    Raises:
        DataError: the shapes differ, a value is out of range, or nothing can be fitted.
    """
    d, n, s = (np.asarray(column, dtype=np.float64) for column in (depths, counts, seconds))
    if not (d.ndim == 1 and d.shape == n.shape == s.shape):
        raise DataError(
            f"{d.shape} depths, {n.shape} counts and {s.shape} exposures", expected="one each"
        )
    fine = np.isfinite(d) & np.isfinite(n) & np.isfinite(s) & (d >= 0.0) & (n >= 0.0) & (s > 0.0)
    if not fine.all():
        row = int(np.argmin(fine))
        raise DataError(
            f"depth {d[row]}, {n[row]} fills in {s[row]} s", expected="finite numbers of 0 or more"
        )
    if np.unique(d).size < 2 or np.count_nonzero(n) == 0:
        raise DataError(
            "fills at fewer than two depths", expected="counts at two depths, one of them above 0"
        )
    return _newton(d, n, s)


def _newton(d: Floats, n: Floats, s: Floats) -> Intensity:
    a, k = math.log(n.sum() / s.sum()), 0.0
    for _ in range(_STEPS):
        expected = s * np.exp(a - k * d)
        rest = n - expected
        slope = np.array([rest.sum(), -(d * rest).sum()])
        cross = -(d * expected).sum()
        bend = np.array([[expected.sum(), cross], [cross, (d * d * expected).sum()]])
        move = np.linalg.solve(bend, slope)
        # Far from the maximum a whole step may overshoot.
        move *= min(1.0, 2.0 / max(abs(float(move[0])), 1e-300))
        a, k = a + float(move[0]), k + float(move[1])
        if not (math.isfinite(a) and math.isfinite(k)):
            break
        if float(np.abs(move).max()) < 1e-12 * (1.0 + abs(a) + abs(k)):
            return Intensity(math.exp(a), k, math.sqrt(float(np.linalg.inv(bend)[1, 1])))
    raise DataError(
        "no intensity can be fitted", expected="counts that do not jump from many to none"
    )


class Hawkes(NamedTuple):
    """Arrivals each of which makes others likelier for a while.

    Units: ``base`` and ``jump`` a second, ``fade`` per second.
    """

    base: float
    jump: float
    fade: float

    @property
    def branching(self) -> float:
        """How many arrivals each one causes. Below 1 the process is stationary."""
        return self.jump / self.fade

    @property
    def rate(self) -> float:
        """Arrivals a second in the long run, infinite when each causes one or more."""
        return self.base / (1.0 - self.branching) if self.branching < 1.0 else math.inf


def hawkes_intensities(process: Hawkes, times: ArrayLike) -> Floats:
    """The intensity just before each arrival.

    Shapes: times (n,) ascending, to (n,). Units: seconds; a second.

    Source: l(t) = base + sum of jump exp(-fade (t - t_i)), by its recursion.

    Raises:
        DataError: times that do not ascend, or a parameter out of range.
    """
    t = _checked(process, times)
    found = np.empty(t.size)
    excited = 0.0
    for i in range(t.size):
        if i:
            excited = (excited + process.jump) * math.exp(-process.fade * (t[i] - t[i - 1]))
        found[i] = process.base + excited
    return found


def hawkes_likelihood(process: Hawkes, times: ArrayLike, seconds: float) -> float:
    """The log likelihood of arrivals within (0, ``seconds``].

    Shapes: times (n,) ascending. Units: seconds.

    Source: sum of ln l(t_i) - base T - (jump / fade) sum of (1 - exp(-fade (T - t_i))).

    Raises:
        DataError: times that do not ascend or pass the end, or a parameter out of range.
    """
    t = _checked(process, times)
    end = checked_amount("seconds", seconds, above=0.0)
    if t.size and t[-1] > end:
        raise DataError(f"an arrival at {t[-1]:g} s of {end:g}")
    fallen = float(np.sum(-np.expm1(-process.fade * (end - t))))
    seen = float(np.log(hawkes_intensities(process, t)).sum())
    return seen - process.base * end - process.branching * fallen


def _checked(process: Hawkes, times: ArrayLike) -> Floats:
    checked_amount("base", process.base, above=0.0)
    checked_amount("jump", process.jump)
    checked_amount("fade", process.fade, above=0.0)
    t = np.asarray(times, dtype=np.float64)
    if t.ndim != 1 or not np.isfinite(t).all() or (t.size and t[0] < 0) or (np.diff(t) < 0).any():
        raise DataError("times of arrivals do not ascend from 0", expected="(n,), ascending")
    return t
