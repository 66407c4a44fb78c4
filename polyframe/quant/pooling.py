"""Combining probabilities."""

from __future__ import annotations

import math
from collections.abc import Sequence

from polyframe.errors import DataError


def logit(p: float) -> float:
    """ln(p / (1 - p)).

    Shapes: scalar. Units: probability in (0, 1) to log-odds.

    Raises:
        DataError: p is not strictly between 0 and 1.
    """
    if not 0.0 < p < 1.0:
        raise DataError(f"probability {p!r} has no log-odds", expected="strictly between 0 and 1")
    return math.log(p / (1.0 - p))


def sigmoid(x: float) -> float:
    """The inverse of :func:`logit`, without overflow.

    Shapes: scalar. Units: log-odds to probability.
    """
    if x >= 0:
        return 1.0 / (1.0 + math.exp(-x))
    e = math.exp(x)
    return e / (1.0 + e)


def log_odds_pool(
    probabilities: Sequence[float], weights: Sequence[float], bias: float = 0.0
) -> float:
    """sigmoid(bias + sum of weight x log-odds). The weights need not sum to 1.

    Shapes: two sequences of one length. Units: probabilities in (0, 1).

    Source: the logarithmic opinion pool, Genest and Zidek 1986.
    """
    if len(probabilities) != len(weights):
        raise DataError(f"{len(probabilities)} probabilities but {len(weights)} weights")
    return sigmoid(bias + sum(w * logit(p) for p, w in zip(probabilities, weights, strict=True)))
