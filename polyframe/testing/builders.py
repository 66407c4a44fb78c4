"""Markets, quotes and forecasts with sensible values, for tests that care about one of them."""

from __future__ import annotations

from typing import Any

from polyframe.domain.book import Quote
from polyframe.domain.events import BookUpdated
from polyframe.domain.forecast import Forecast
from polyframe.domain.market import FeeSchedule, Group, GroupKind, Market, Token
from polyframe.domain.units import DAY, Ns, Price, Size

START: Ns = 1_780_000_000_000_000_000
"""When the built sessions begin: 28 May 2026."""
YES = "m1-yes"
"""The first token of the default market."""
SHARE: Size = 1_000_000
"""One share in size units."""


def build_market(id: str = "m1", **changes: Any) -> Market:
    """A binary market with tokens ``<id>-yes`` and ``<id>-no``, open for thirty days."""
    values: dict[str, Any] = {
        "question": f"Will {id} happen?",
        "tokens": (Token(f"{id}-yes", "Yes"), Token(f"{id}-no", "No")),
        "category": "economics",
        "fee": FeeSchedule(rate=50_000),
        "opened": START - DAY,
        "closes": START + 30 * DAY,
    }
    return Market(id=id, **{**values, **changes})


def build_group(
    id: str = "g1", count: int = 3, kind: GroupKind = GroupKind.EXCLUSIVE, **changes: Any
) -> tuple[Group, list[Market]]:
    """An event and its markets ``<id>.1``, ``<id>.2`` ... (a ladder gets rising strikes)."""
    ladder = kind is GroupKind.LADDER
    markets = [
        build_market(
            f"{id}.{i}", **{"group": id, "strike": float(100 * i) if ladder else None, **changes}
        )
        for i in range(1, count + 1)
    ]
    return Group(id, tuple(market.id for market in markets), kind), markets


def build_quote(
    token: str = YES,
    bid: Price = 4_900,
    ask: Price = 5_100,
    *,
    ts: Ns = START,
    size: Size = 1_000 * SHARE,
    trusted: bool = True,
) -> Quote:
    """A quote with equal size on both sides; a side at price 0 is empty."""
    return Quote(token, bid, size if bid else 0, ask, size if ask else 0, ts, trusted)


def build_book(token: str = YES, bid: Price = 4_900, ask: Price = 5_100, *, ts: Ns = START,
               trusted: bool = True) -> BookUpdated:  # fmt: skip
    """The event that a quote changed to this."""
    return BookUpdated(ts, build_quote(token, bid, ask, ts=ts, trusted=trusted))


def build_forecast(
    market: str = "m1", probability: float = 0.6, *, as_of: Ns = START, **changes: Any
) -> Forecast:
    """A forecast labelled as made for a test."""
    return Forecast(market, probability, as_of, **{"source": "test", **changes})
