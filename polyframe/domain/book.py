"""What can be seen of a book at one moment."""

from __future__ import annotations

import msgspec

from polyframe.domain.units import Ns, Price, Size


class Quote(msgspec.Struct, frozen=True, gc=False):
    """Best bid and ask of one token. A side without an order has price 0 and size 0.

    ``trusted`` is False when the book is stale, crossed, incomplete or known to be a placeholder:
    no order may rest on it. ``estimated`` says that bid and ask were derived from a mid by a
    stated spread model rather than observed.
    """

    token: str
    bid: Price
    bid_size: Size
    ask: Price
    ask_size: Size
    ts: Ns
    trusted: bool = True
    estimated: bool = False

    @property
    def two_sided(self) -> bool:
        """True when both sides have an order."""
        return self.bid > 0 and self.ask > 0

    @property
    def mid(self) -> float | None:
        """Half way between bid and ask in price units, None unless both stand."""
        return (self.bid + self.ask) / 2 if self.two_sided else None

    @property
    def spread(self) -> Price | None:
        """Ask minus bid in price units, None unless both stand."""
        return self.ask - self.bid if self.two_sided else None


class Level(msgspec.Struct, frozen=True, gc=False):
    """One price level."""

    price: Price
    size: Size


class Book(msgspec.Struct, frozen=True):
    """A token's levels, best first on both sides."""

    token: str
    bids: tuple[Level, ...]
    asks: tuple[Level, ...]
    ts: Ns
    trusted: bool = True


class BookShape(msgspec.Struct, frozen=True, gc=False):
    """A uniform book: on each side ``levels`` of ``level`` shares, ``step`` apart from the best on.

    What an exchange that executes on prices alone puts behind each of them.
    """

    level: Size
    step: Price
    levels: int
