"""What a strategy may want. Wishes are values: the engine decides what becomes of them."""

from __future__ import annotations

from typing import TypeAlias

import msgspec

from polyframe.domain.orders import Kind, Side, TimeInForce
from polyframe.domain.units import Ns, Price, Size


class Intent(msgspec.Struct, frozen=True, kw_only=True, tag=True):
    """Buy or sell a token.

    Without a ``size`` the strategy's sizer decides, from ``probability`` (of this token's outcome).
    Without a ``price`` the order takes what the book shows. ``edge`` is the expected gain a share
    after all costs, as a fraction of 1; protections that need it deny an entry without it.

    Units: price and size in the market's integers; ttl ns (0 = until cancelled).
    """

    token: str
    side: Side
    price: Price | None = None
    size: Size | None = None
    probability: float | None = None
    edge: float | None = None
    kind: Kind = Kind.DIRECTIONAL
    tif: TimeInForce = TimeInForce.FAK
    ttl: Ns = 0
    post_only: bool = False
    style: str = ""
    reason: str = ""


class QuoteLevel(msgspec.Struct, frozen=True):
    """One resting order a market maker wants."""

    price: Price
    size: Size


class Quotes(msgspec.Struct, frozen=True, kw_only=True, tag=True):
    """All the orders that should rest on a token, replacing what rests there now.

    Unchanged orders keep their place in the queue; empty sides are pulled.
    """

    token: str
    bids: tuple[QuoteLevel, ...] = ()
    asks: tuple[QuoteLevel, ...] = ()
    ttl: Ns = 0
    post_only: bool = True
    reason: str = ""


class CancelOrder(msgspec.Struct, frozen=True, tag=True):
    """Pull one own order."""

    order: str
    reason: str = ""


class AskForecast(msgspec.Struct, frozen=True, tag=True):
    """Ask a forecaster about a market. A question already under way is not asked again.

    An answer younger than ``fresh`` ns is kept and not asked for again.
    """

    market: str
    forecaster: str = ""
    fresh: Ns = 0


class WakeAt(msgspec.Struct, frozen=True, tag=True):
    """Call ``on_wake`` at a time. A second wish under the same key replaces the first."""

    ts: Ns
    key: str = ""


class MergePairs(msgspec.Struct, frozen=True, tag=True):
    """Turn pairs of a market's two outcomes, which together always pay 1, into money.

    Without a ``size`` all that no order holds; more than that is never merged, and nothing while
    pairs of that market are being merged already.
    """

    market: str
    size: Size | None = None


Wish: TypeAlias = Intent | Quotes | CancelOrder | AskForecast | WakeAt | MergePairs
WISHES = (Intent, Quotes, CancelOrder, AskForecast, WakeAt, MergePairs)
