"""How the markets of one event can end together, as scenarios."""

from __future__ import annotations

import math
from collections.abc import Sequence
from itertools import pairwise

import numpy as np

from polyframe.domain.market import GroupKind
from polyframe.errors import DataError
from polyframe.quant.correlation import Scenarios, cluster_scenarios
from polyframe.quant.roots import checked_probability

_ROUNDING = 1e-9

_SURE = 1e-4
"""A belief nearer to 0 or 1 has no place in a copula; nobody is that sure."""


def exclusive_scenarios(probabilities: Sequence[float]) -> Scenarios:
    """Each market alone resolves YES, or none of them does.

    Shapes: (markets,) to (markets + 1,) and (markets + 1, markets); the last row is "none". Units:
    probabilities.

    Source: definition of exclusive outcomes.

    Raises:
        DataError: there is no market, a value is no probability, their sum passes 1.
    """
    q = _checked(probabilities)
    left = 1.0 - math.fsum(q)
    if left < -_ROUNDING:
        raise DataError(
            f"the probabilities of exclusive outcomes sum to {1.0 - left:.6f}", expected="at most 1"
        )
    weights = np.array([*q, max(0.0, left)])
    payouts = np.vstack([np.eye(len(q)), np.zeros(len(q))])
    return Scenarios(weights / weights.sum(), payouts)


def ladder_scenarios(probabilities: Sequence[float]) -> Scenarios:
    """Markets of rising strikes: one is YES whenever a higher one is.

    Shapes: (markets,), lowest strike first, to (markets + 1,) and (markets + 1, markets); in row k
    the k lowest are YES. Units: probabilities, never rising.

    Source: the chance of ending between two strikes is the difference of theirs.

    Raises:
        DataError: there is no market, a value is no probability, or a higher strike is likelier.
    """
    q = [1.0, *_checked(probabilities), 0.0]
    weights = np.array([before - after for before, after in pairwise(q)])
    if weights.min() < -_ROUNDING:
        k = int(weights.argmin())
        raise DataError(
            f"strike {k + 1} of a ladder is likelier ({q[k + 1]:.6f}) than the one below "
            f"({q[k]:.6f})",
            expected="probabilities that never rise with the strike",
        )
    weights = np.maximum(weights, 0.0)
    count = len(q) - 2
    payouts = np.tri(count + 1, count, -1)
    return Scenarios(weights / weights.sum(), payouts)


def exclusive_beliefs(own: int, probabilities: Sequence[float]) -> list[float]:
    """Probabilities whose sum is at most 1: those beside ``own`` give way in proportion.

    Shapes: (markets,) to (markets,). Units: probabilities.

    Source: renormalisation with one of them kept.

    Raises:
        DataError: a value is no probability.
    """
    q = _checked(probabilities)
    others = math.fsum(q) - q[own]
    room = 1.0 - q[own]
    scale = room / others if others > room else 1.0
    return [p if k == own else p * scale for k, p in enumerate(q)]


def ladder_beliefs(own: int, probabilities: Sequence[float]) -> list[float]:
    """Probabilities that never rise with the strike: those beside ``own`` give way.

    Shapes: (markets,), lowest strike first, to (markets,). Units: probabilities.

    Source: running bounds from the one that is kept outwards.

    Raises:
        DataError: a value is no probability.
    """
    q = _checked(probabilities)
    for k in range(own - 1, -1, -1):
        q[k] = max(q[k], q[k + 1])
    for k in range(own + 1, len(q)):
        q[k] = min(q[k], q[k - 1])
    return q


def event_beliefs(kind: GroupKind, own: int, probabilities: Sequence[float]) -> list[float]:
    """Probabilities that an event's markets can have together; that of ``own`` is kept.

    Shapes: (markets,) to (markets,). Units: probabilities.

    Source: by the event's kind, the functions above; independent markets may have any.

    Raises:
        DataError: a value is no probability.
    """
    if kind is GroupKind.EXCLUSIVE:
        return exclusive_beliefs(own, probabilities)
    if kind is GroupKind.LADDER:
        return ladder_beliefs(own, probabilities)
    return _checked(probabilities)


def event_scenarios(
    kind: GroupKind, probabilities: Sequence[float], correlation: float
) -> Scenarios:
    """The joint outcomes of an event's markets; independent ones share a hidden cause.

    Shapes: (markets,) to (n,) and (n, markets). Units: probabilities; latent correlation.

    Source: by the event's kind, the functions above and the one-factor copula.

    Raises:
        DataError: an argument is out of range, or too many independent markets.
    """
    if len(probabilities) == 1 or kind is GroupKind.EXCLUSIVE:
        return exclusive_scenarios(probabilities)
    if kind is GroupKind.LADDER:
        return ladder_scenarios(probabilities)
    inside = [min(max(p, _SURE), 1.0 - _SURE) for p in _checked(probabilities)]
    return cluster_scenarios(inside, correlation)


def _checked(probabilities: Sequence[float]) -> list[float]:
    if not probabilities:
        raise DataError("an event without markets has no outcomes", expected="one market or more")
    return [checked_probability("probability", p) for p in probabilities]
