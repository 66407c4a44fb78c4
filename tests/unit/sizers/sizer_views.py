"""A view with money and, where wanted, shares of A.yes in it."""

from __future__ import annotations

from collections.abc import Sequence

from polyframe import Fill, Side, View
from polyframe.domain.events import OrderFilled
from polyframe.domain.market import FeeSchedule, Token
from polyframe.domain.units import to_units
from polyframe.testing import START, Session, build_book, build_market


def desk_view(*, fee: int = 0, cash: str = "1000", bought: Sequence[tuple[str, str]] = ()) -> View:
    """What a strategy sees that bought (price, shares) and whose market stands at 0.40 / 0.42."""
    tokens = (Token("A.yes", "Yes"), Token("A.no", "No"))
    market = build_market("A", tokens=tokens, fee=FeeSchedule(rate=fee))
    session = Session(markets=[market], cash=cash)
    session.send(build_book("A.yes", 4_000, 4_200))
    for n, (price, shares) in enumerate(bought):
        fill = Fill(
            f"t{n}", f"o{n}", "tested", "A", "A.yes", Side.BUY, to_units(price, 4),
            to_units(shares, 6), 0, START,
        )  # fmt: skip
        session.send(OrderFilled(START, fill))
    return session.view
