"""Views with money in them and, where wanted, shares, books, forecasts and open orders."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from functools import cache
from typing import Any

from polyframe import (
    Book,
    Fill,
    Forecast,
    ForecastMade,
    Group,
    GroupKind,
    Level,
    Market,
    Side,
    Sized,
    View,
)
from polyframe.domain.events import BookReset, OrderFilled
from polyframe.domain.market import FeeSchedule, Token
from polyframe.domain.units import to_units
from polyframe.runtime.plugins import Registry
from polyframe.testing import START, Session, build_book, build_market

SHARE = 1_000_000

PLAIN: Mapping[str, Any] = {
    "fraction": 1.0, "confidence": False, "heat": "off", "timeline": False, "volatility": False,
    "regime": False, "category": False, "uncertainty": False, "void_risk": 0.0, "annual_rate": 0.0,
    "cap": None, "cluster_cap": None, "depth_cap": None, "liquidity_cap": None,
}  # fmt: skip
"""A sizer whose every factor and cap is off."""


@cache
def registry() -> Registry:
    """Loaded once: hundreds of scenes are made."""
    return Registry.load(safe=True)


def shares_in(answer: int | Sized) -> float:
    """What a sizer answered, in shares."""
    units = answer.size if isinstance(answer, Sized) else answer
    assert type(units) is int
    assert units >= 0
    return units / SHARE


def note_of(answer: int | Sized) -> dict[str, Any]:
    """What a sizer said of its answer."""
    assert isinstance(answer, Sized)
    assert len(dict(answer.note)) == len(answer.note)
    return dict(answer.note)


def listed(id: str = "A", **changes: Any) -> Market:
    """A market with tokens A.yes and A.no and no fee."""
    tokens = (Token(f"{id}.yes", "Yes"), Token(f"{id}.no", "No"))
    return build_market(id, **{"tokens": tokens, "fee": FeeSchedule(), **changes})


def level(price: float, shares: float) -> Level:
    """A level from decimals."""
    return Level(round(price * 10_000), round(shares * SHARE))


def scene(
    markets: Sequence[Market],
    *,
    kind: GroupKind = GroupKind.INDEPENDENT,
    books: Mapping[str, tuple[Sequence[Level], Sequence[Level]]] | None = None,
    bought: Sequence[tuple[str, str, str]] = (),
    forecasts: Sequence[Forecast] = (),
    cash: str = "1000",
) -> View:
    """A view of markets whose books, holdings (token, price, shares) and forecasts are given."""
    groups = [Group(g, tuple(m.id for m in markets if m.group == g), kind)
              for g in dict.fromkeys(m.group for m in markets) if g]  # fmt: skip
    session = Session(markets=markets, groups=groups, cash=cash, answers="silent")
    for id, (bids, asks) in (books or {}).items():
        session.send(BookReset(START, Book(f"{id}.yes", tuple(bids), tuple(asks), START)))
    for n, (token, price, shares) in enumerate(bought):
        fill = Fill(
            f"t{n}", f"o{n}", "tested", token.split(".")[0], token, Side.BUY, to_units(price, 4),
            to_units(shares, 6), 0, START,
        )  # fmt: skip
        session.send(OrderFilled(START, fill))
    for n, forecast in enumerate(forecasts):
        session.send(ForecastMade(START, f"r{n}", "default", forecast))
    return session.view


def desk_view(*, fee: int = 0, cash: str = "1000", bought: Sequence[tuple[str, str]] = ()) -> View:
    """What a strategy sees that bought (price, shares) and whose market stands at 0.40 / 0.42."""
    session = Session(markets=[listed(fee=FeeSchedule(rate=fee))], cash=cash)
    session.send(build_book("A.yes", 4_000, 4_200))
    for n, (price, shares) in enumerate(bought):
        fill = Fill(
            f"t{n}", f"o{n}", "tested", "A", "A.yes", Side.BUY, to_units(price, 4),
            to_units(shares, 6), 0, START,
        )  # fmt: skip
        session.send(OrderFilled(START, fill))
    return session.view
