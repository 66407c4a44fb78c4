"""Making probabilities mean what they say, learnt from resolved questions.

Every fit learns from the rows it is given and from nothing else: pass only those that were
resolved before the moment the fit is used at.
"""

from __future__ import annotations

import math
from collections.abc import Mapping, Sequence
from typing import TYPE_CHECKING, NamedTuple

import numpy as np

from polyframe.errors import DataError
from polyframe.quant.logistic import LogisticFit, ridge_logistic
from polyframe.quant.pooling import logit, sigmoid
from polyframe.quant.rows import (
    column,
    from_log_odds,
    log_odds,
    outcomes,
    probabilities,
    row_weights,
)

if TYPE_CHECKING:
    from numpy.typing import ArrayLike, NDArray

    Floats = NDArray[np.float64]

PENALTY = 10.0
"""Ridge towards changing nothing; without it a small separable sample has no fit."""

ISOTONIC_ROWS = 1_000
BETA_ROWS = 200
GROUP_ROWS = 30
"""With fewer observations a fit follows noise: it is refused, or a group keeps the pooled one."""

GROUP_PENALTIES = (5.0, 10.0, 20.0, 50.0, 100.0, 200.0, 500.0, 2_000.0)


def platt_apply(p: float, slope: float, intercept: float = 0.0) -> float:
    """sigmoid(slope x log-odds + intercept).

    Shapes: scalar. Units: probability in (0, 1).

    Source: Platt 1999, on log-odds.

    Raises:
        DataError: the probability has no log-odds.
    """
    return sigmoid(slope * logit(p) + intercept)


class Platt(NamedTuple):
    """A straight line on log-odds: slope 1 and intercept 0 change nothing."""

    slope: float = 1.0
    intercept: float = 0.0
    rows: int = 0

    def apply(self, values: ArrayLike) -> Floats:
        """Calibrated probabilities of a column of raw ones."""
        raw = probabilities("forecast", values)
        return from_log_odds(self.slope * log_odds(raw) + self.intercept)


def platt_fit(
    forecast: ArrayLike,
    happened: ArrayLike,
    *,
    penalty: float = PENALTY,
    towards: Platt | None = None,
    smoothed: bool = False,
    weights: ArrayLike | None = None,
) -> Platt:
    """The line on log-odds that makes resolved forecasts likeliest, shrunk towards another.

    ``towards`` is the line that changes nothing when none is given. ``smoothed`` takes Platt's
    targets (N + 1) / (N + 2) in place of 0 and 1.

    Shapes: columns (n,). Units: probabilities in (0, 1), outcomes 0 or 1; the penalty is that of
    ridge_logistic; weights 1 / k for each of k rows of one event.

    Source: Platt 1999; ridge towards the identity.

    Raises:
        DataError: lengths differ, one class, a NaN, a probability of 0 or 1; without a penalty,
            rows that a line parts.
    """
    p = probabilities("forecast", forecast)
    y = outcomes(happened, p.size, both=True)
    if smoothed:
        yes = float(y.sum())
        y = np.where(y > 0.5, (yes + 1.0) / (yes + 2.0), 1.0 / (p.size - yes + 2.0))
    fit = _line(p, y, row_weights(weights, p.size), penalty, towards or Platt())
    return Platt(float(fit.coefficients[0]), float(fit.coefficients[1]), p.size)


def _line(p: Floats, y: Floats, w: Floats, penalty: float, towards: Platt) -> LogisticFit:
    features = np.column_stack((log_odds(p), np.ones(p.size)))
    return ridge_logistic(features, y, w, penalty=penalty, centre=towards[:2])


class GroupedPlatt(NamedTuple):
    """A line for every group that has enough rows, and the pooled one for all others."""

    pooled: Platt
    groups: dict[str, Platt]
    penalty: float

    def line(self, group: str) -> Platt:
        """The line that holds for a group."""
        return self.groups.get(group, self.pooled)

    def apply(self, values: ArrayLike, groups: Sequence[str]) -> Floats:
        """Calibrated probabilities of a column of raw ones, each by its group."""
        raw = probabilities("forecast", values)
        if len(groups) != raw.size:
            raise DataError(f"{len(groups)} groups for {raw.size} forecasts")
        lines = np.array([self.line(group)[:2] for group in groups])
        return from_log_odds(lines[:, 0] * log_odds(raw) + lines[:, 1])


def platt_by_group(
    forecast: ArrayLike,
    happened: ArrayLike,
    groups: Sequence[str],
    *,
    penalty: float = PENALTY,
    group_penalty: float | None = None,
    minimum: int = GROUP_ROWS,
    weights: ArrayLike | None = None,
) -> GroupedPlatt:
    """Lines by group (category and horizon, say), each shrunk towards the pooled one.

    A group with fewer than ``minimum`` observations keeps the pooled line; one with a single class
    is still fitted, for the shrinkage bounds it. Without a ``group_penalty`` the one under which
    the groups are likeliest is taken from GROUP_PENALTIES.

    Shapes: columns (n,). Units: probabilities in (0, 1), outcomes 0 or 1.

    Source: normal group effects by empirical Bayes (Laplace's approximation of the evidence).

    Raises:
        DataError: as :func:`platt_fit`.
    """
    pooled = platt_fit(forecast, happened, penalty=penalty, weights=weights)
    p = probabilities("forecast", forecast)
    y, w = outcomes(happened, p.size), row_weights(weights, p.size)
    names = np.asarray(groups, dtype=np.str_)
    if names.shape != p.shape:
        raise DataError(f"{names.size} groups for {p.size} forecasts")
    parts = {str(name): names == name for name in np.unique(names)}
    lines, found = group_lines(
        p, y, w, parts, dict.fromkeys(parts, pooled), group_penalty=group_penalty, minimum=minimum
    )
    return GroupedPlatt(pooled, lines, found)


def group_lines(
    p: Floats,
    y: Floats,
    w: Floats,
    parts: Mapping[str, NDArray[np.bool_]],
    centres: Mapping[str, Platt],
    *,
    group_penalty: float | None = None,
    minimum: int = GROUP_ROWS,
) -> tuple[dict[str, Platt], float]:
    """A line for each part that has enough observations, shrunk towards its centre; the penalty.

    Without a ``group_penalty`` the one under which the parts are likeliest is taken from
    GROUP_PENALTIES.

    Shapes: columns and parts (n,). Units: probabilities in (0, 1), outcomes 0 or 1, weights as in
    platt_fit.
    """
    parts = {name: rows for name, rows in parts.items() if _observations(w[rows]) >= minimum}

    def fitted(strength: float) -> dict[str, LogisticFit]:
        return {
            name: _line(p[rows], y[rows], w[rows], strength, centres[name])
            for name, rows in parts.items()
        }

    if group_penalty is None:
        group_penalty = max(
            GROUP_PENALTIES, key=lambda strength: _evidence(fitted(strength), strength, centres)
        )
    lines = {
        name: Platt(float(fit.coefficients[0]), float(fit.coefficients[1]), int(parts[name].sum()))
        for name, fit in fitted(group_penalty).items()
    }
    return lines, group_penalty


def _evidence(
    fits: Mapping[str, LogisticFit], penalty: float, centres: Mapping[str, Platt]
) -> float:
    """The log likelihood of a penalty with every group's line integrated out."""
    total = 0.0
    for name, fit in fits.items():
        centre = np.array(centres[name][:2])
        off = float(np.sum((fit.coefficients - centre) ** 2))
        bend = fit.curvature + penalty * np.eye(centre.size)
        total += fit.log_likelihood - 0.5 * penalty * off
        total += 0.5 * centre.size * math.log(penalty) - 0.5 * float(np.linalg.slogdet(bend)[1])
    return total


class Beta(NamedTuple):
    """sigmoid(a ln p - b ln(1 - p) + c): bends each end of the scale by itself."""

    a: float = 1.0
    b: float = 1.0
    c: float = 0.0
    rows: int = 0

    def apply(self, values: ArrayLike) -> Floats:
        """Calibrated probabilities of a column of raw ones."""
        raw = probabilities("forecast", values)
        return from_log_odds(self.a * np.log(raw) - self.b * np.log1p(-raw) + self.c)


def beta_fit(
    forecast: ArrayLike,
    happened: ArrayLike,
    *,
    minimum: int = BETA_ROWS,
    weights: ArrayLike | None = None,
) -> Beta:
    """The likeliest beta calibration whose a and b are not negative, so that order is kept.

    Shapes: columns (n,). Units: probabilities in (0, 1), outcomes 0 or 1.

    Source: Kull, Silva Filho and Flach 2017.

    Raises:
        DataError: fewer observations than ``minimum``, lengths differ, one class, a NaN, a
            probability of 0 or 1, or rows that do not determine the fit.
    """
    p = probabilities("forecast", forecast)
    w = row_weights(weights, p.size)
    _enough("beta calibration", w, minimum)
    y = outcomes(happened, p.size, both=True)
    full = np.column_stack((np.log(p), -np.log1p(-p), np.ones(p.size)))
    # The likelihood is concave: with a sign wrong inside, the best lies on one of the faces.
    best: tuple[float, Floats] | None = None
    for kept in ([0, 1, 2], [0, 2], [1, 2], [2]):
        fit = ridge_logistic(full[:, kept], y, w)
        found = np.zeros(3)
        found[kept] = fit.coefficients
        if found[0] >= 0.0 and found[1] >= 0.0 and (best is None or fit.log_likelihood > best[0]):
            best = (fit.log_likelihood, found)
        if best is not None and len(kept) == 3:
            break
    assert best is not None  # the last face, a = b = 0, is always allowed
    a, b, c = (float(x) for x in best[1])
    return Beta(a, b, c, p.size)


def isotonic_pava(values: ArrayLike, weights: ArrayLike | None = None) -> Floats:
    """The closest values, in weighted squares, that never fall.

    Shapes: (n,) to (n,). Units: those of the values.

    Source: pool adjacent violators, Barlow et al. 1972.

    Raises:
        DataError: no values, lengths differ, or a NaN.
    """
    y = column("value", values)
    w = row_weights(weights, y.size)
    means: list[float] = []
    masses: list[float] = []
    counts: list[int] = []
    for value, weight in zip(y.tolist(), w.tolist(), strict=True):
        mean, mass, count = value, weight, 1
        while means and means[-1] >= mean:
            below, under = means.pop(), masses.pop()
            mean = (below * under + mean * mass) / (under + mass)
            mass, count = under + mass, count + counts.pop()
        means.append(mean)
        masses.append(mass)
        counts.append(count)
    return np.repeat(np.array(means), counts)


class Isotonic(NamedTuple):
    """A rising curve through points; flat outside them."""

    raw: tuple[float, ...]
    calibrated: tuple[float, ...]
    rows: int

    def apply(self, values: ArrayLike) -> Floats:
        """Calibrated probabilities of a column of raw ones."""
        found: Floats = np.interp(probabilities("forecast", values), self.raw, self.calibrated)
        return found


def isotonic_fit(
    forecast: ArrayLike,
    happened: ArrayLike,
    *,
    minimum: int = ISOTONIC_ROWS,
    weights: ArrayLike | None = None,
) -> Isotonic:
    """The rising curve closest to the outcomes, linear between its steps.

    Equal forecasts are one point. No calibrated value comes nearer to 0 or 1 than 1 / (n + 2):
    a certainty learnt from a sample would be punished without limit.

    Shapes: columns (n,). Units: probabilities in (0, 1), outcomes 0 or 1.

    Source: Zadrozny and Elkan 2002.

    Raises:
        DataError: fewer observations than ``minimum``, lengths differ, one class, a NaN, or a
            probability of 0 or 1.
    """
    p = probabilities("forecast", forecast)
    w = row_weights(weights, p.size)
    _enough("isotonic calibration", w, minimum)
    y = outcomes(happened, p.size, both=True)
    raw, which = np.unique(p, return_inverse=True)
    mass = np.bincount(which, weights=w)
    rate = np.bincount(which, weights=w * y) / mass
    edge = 1.0 / (p.size + 2.0)
    fitted = np.clip(isotonic_pava(rate, mass), edge, 1.0 - edge)
    # Only the ends of each step carry information.
    ends = np.ones(raw.size, dtype=np.bool_)
    ends[1:-1] = (fitted[1:-1] != fitted[:-2]) | (fitted[1:-1] != fitted[2:])
    return Isotonic(tuple(raw[ends].tolist()), tuple(fitted[ends].tolist()), p.size)


def _enough(name: str, weights: Floats, minimum: int) -> None:
    rows = _observations(weights)
    if rows < minimum:
        raise DataError(
            f"{name} from {rows} observations",
            expected=f"at least {minimum}",
            hint="use platt_fit, which is shrunk towards changing nothing",
        )


def _observations(weights: Floats) -> int:
    """What the rows count together: several of one event with weights of 1 / k are one."""
    return math.floor(float(weights.sum()) + 1e-6)
