"""Where an own order stands in the queue of its price level.

The venue shows how much rests at a level, not who came first: what was cancelled may have stood
before the own order or behind it. Each mode is one answer to that.

Shapes: scalars.
Units: sizes in any one unit.
Source: hftbacktest 2.4 documents the models and their formulas.
"""

from __future__ import annotations

import math
from typing import Final

from numba import float64, int64, types

from polyframe.kernels.compile_nb import kernel

RISK_AVERSE: Final = 0
"""only trades bring an order forward"""
POWER: Final = 1
"""f(x) = x^n, the part behind is f(back) / (f(back) + f(front))"""
LOG: Final = 2
"""the same with f(x) = ln(1 + x)"""
POWER_TOTAL: Final = 3
"""f(back) / f(back + front) with f(x) = x^n"""
LOG_TOTAL: Final = 4
POWER_FRONT: Final = 5
"""1 - (front / (front + back))^n"""
MODES: Final = ("risk_averse", "power", "log", "power_total", "log_total", "power_front")


@kernel(float64(int64, float64, float64, float64))
def behind(mode, n, front, back):  # type: ignore[no-untyped-def]
    """Which part of what was cancelled at a level stood behind an order.

    Shapes: scalars. Units: sizes; a fraction of 1.
    """
    if front + back <= 0.0:
        return 1.0
    front = max(front, 0.0)
    back = max(back, 0.0)
    if mode == POWER:
        return back**n / (back**n + front**n)
    if mode == LOG:
        return math.log1p(back) / (math.log1p(back) + math.log1p(front))
    if mode == POWER_TOTAL:
        return back**n / (back + front) ** n
    if mode == LOG_TOTAL:
        return math.log1p(back) / math.log1p(back + front)
    return 1.0 - (front / (front + back)) ** n


@kernel(float64(int64, float64, float64, float64, float64, float64))
def _estimated(mode, n, front, gone, before, after):  # type: ignore[no-untyped-def]
    """What stands before an order after a part of what was cancelled stood there."""
    back = before - front
    part = behind(mode, n, front, back)
    estimate = front - (1.0 - part) * gone + min(back - part * gone, 0.0)
    return min(estimate, after)


@kernel(float64(int64, float64, float64, float64, float64, float64), inline=True)
def changed(mode, n, front, traded, before, after):  # type: ignore[no-untyped-def]
    """What stands before an order after its level changed from one size to another.

    ``traded`` is what was executed at the level since the last change, and is in ``front`` already.

    Shapes: scalars. Units: sizes.
    """
    gone = before - after - traded
    if mode == RISK_AVERSE or gone < 0.0:
        return min(front, after)
    return _estimated(mode, n, front, gone, before, after)


@kernel(types.Tuple((float64, float64))(float64, float64, float64), inline=True)
def executed(front, size, remaining):  # type: ignore[no-untyped-def]
    """A trade at the order's price: what stands before it afterwards, and what of it was filled.

    Shapes: scalars. Units: sizes.
    """
    left = front - size
    if left >= 0.0:
        return left, 0.0
    return 0.0, min(-left, remaining)
