"""Turns wanted quotes into the fewest cancels and orders."""

from __future__ import annotations

from collections.abc import Callable, Sequence
from typing import NamedTuple

import numpy as np

from polyframe.domain.market import Market
from polyframe.domain.orders import Side
from polyframe.domain.units import ceil_to, floor_to
from polyframe.domain.wishes import QuoteLevel, Quotes
from polyframe.engine.state import OpenOrder
from polyframe.kernels import quotes_nb


class Change(NamedTuple):
    """What must happen for the wanted quotes to rest."""

    cancel: list[OpenOrder]
    place: list[tuple[Side, QuoteLevel]]
    kept: int


def changes(resting: Sequence[OpenOrder], wanted: Quotes, market: Market) -> Change:
    """Compares own resting orders of one token with the quotes wanted on it, in whole steps.

    Orders whose cancel is under way are neither kept nor cancelled again.
    """
    standing = [o for o in resting if not o.cancelling]
    sides = [(Side.BUY, _in_steps(level, floor_to, market)) for level in wanted.bids]
    sides += [(Side.SELL, _in_steps(level, ceil_to, market)) for level in wanted.asks]
    keep = np.zeros(len(standing), dtype=np.int64)
    new = np.zeros(len(sides), dtype=np.int64)
    kept = quotes_nb.diff(
        np.array([o.order.side for o in standing], dtype=np.int64),
        np.array([o.order.price for o in standing], dtype=np.int64),
        np.array([_asked(o) for o in standing], dtype=np.int64),
        np.array([side for side, _ in sides], dtype=np.int64),
        np.array([level.price for _, level in sides], dtype=np.int64),
        np.array([level.size for _, level in sides], dtype=np.int64),
        keep,
        new,
    )
    return Change(
        [o for o, k in zip(standing, keep, strict=True) if not k],
        [want for want, n in zip(sides, new, strict=True) if n],
        int(kept),
    )


def _in_steps(level: QuoteLevel, rounding: Callable[[int, int], int], market: Market) -> QuoteLevel:
    """A wanted quote as it can rest: whole ticks, not better than it was wanted, and whole lots.

    What rests is compared with this, or it would be replaced by itself on every refresh.
    """
    return QuoteLevel(rounding(level.price, market.tick), floor_to(level.size, market.lot))


def _asked(order: OpenOrder) -> int:
    """The size a resting quote stands for: what was wanted while nothing of it has filled.

    A quote that the door shrank would otherwise be replaced by itself on every refresh.
    """
    return order.wanted if order.filled == 0 else order.remaining
