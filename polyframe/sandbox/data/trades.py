"""Trades and activity, second version."""

from __future__ import annotations

from collections.abc import Iterable
from itertools import islice
from typing import Final

from polyframe.domain.units import Ns
from polyframe.sandbox.data import asking
from polyframe.sandbox.data.office import Office, Row
from polyframe.sandbox.data.pages import Page
from polyframe.sandbox.door import Asked, Room
from polyframe.sandbox.venue.history import Act, Deal

SIDES: Final = ("BUY", "SELL")
KINDS: Final = (
    "TRADE", "SPLIT", "MERGE", "REDEEM", "REWARD", "CONVERSION", "MIGRATION", "DEPOSIT",
    "WITHDRAWAL", "YIELD", "MAKER_REBATE", "TAKER_REBATE", "REFERRAL_REWARD", "TIP",
)  # fmt: skip
OUTSIDE: Final = ("DEPOSIT", "WITHDRAWAL")


class Trades:
    """What happened."""

    def __init__(self, office: Office) -> None:
        self._office = office

    def enter(self, room: Room) -> None:
        """Adds the routes."""
        room.add("GET", "/v2/trades", self._trades)
        room.add("GET", "/v2/activity", self._activity)
        room.add("GET", "/v2/activity/combos", self._combos)

    def _trades(self, asked: Asked) -> Row:
        """Trades; both sides of each, unless takers alone are asked for."""
        office = self._office
        page = Page(asked, office.known)
        within = asking.span(asked, page.known)
        money, size = asking.least(asked)
        rows = deals(
            office,
            wallet=asking.user(asked, needed=False),
            markets=asking.conditions(asked, office.world),
            side=asking.word(asked, "side", allowed=SIDES),
            taker_only=asking.flag(asked, "taker_only", "takerOnly"),
            money=money,
            size=size,
            within=within,
        )
        return page.read(list(islice(rows, page.first, page.first + page.limit + 1)), office.trade)

    def _activity(self, asked: Asked) -> Row:
        office = self._office
        wallet = asking.user(asked) or ""
        page = Page(asked, office.known)
        kinds = [kind.upper() for kind in asking.texts(asked, "type")]
        if any(kind not in KINDS for kind in kinds):
            raise asking.bad(f"invalid type: must be of {', '.join(KINDS)}")
        if not kinds and asking.flag(
            asked, "exclude_deposits_withdrawals", "excludeDepositsWithdrawals", default=True
        ):
            kinds = [kind for kind in KINDS if kind not in OUTSIDE]
        within = asking.span(asked, page.known)
        rows = acts(
            office,
            wallet,
            kinds=kinds,
            markets=asking.conditions(asked, office.world),
            side=asking.word(asked, "side", allowed=SIDES),
            start=within.start,
            until=within.until,
        )
        if asking.word(asked, "sort_direction", "sortDirection", allowed=("ASC", "DESC")) == "ASC":
            rows.reverse()
        return page.of(rows, office.act)

    def _combos(self, asked: Asked) -> Row:
        """Nobody trades combinations here."""
        asking.user(asked)
        return Page(asked, self._office.known).of([], str)


def deals(
    office: Office,
    *,
    wallet: str | None,
    markets: list[str] | None,
    side: str,
    taker_only: bool,
    money: int,
    size: int,
    within: asking.Span,
) -> Iterable[Deal]:
    """Trades, newest first."""
    history = office.venue.history
    if wallet is not None:
        rows: Iterable[Deal] = (
            row for row in reversed(history.rows(wallet)) if isinstance(row, Deal)
        )
    else:
        only = markets if markets is not None and len(markets) == 1 else ()
        rows = history.newest(only[0] if only else None)
    return (
        deal
        for deal in rows
        if (markets is None or deal.condition_id in markets)
        and side in {"", deal.side}
        and (deal.taker or not taker_only)
        and deal.money >= money
        and deal.size >= size
        and within.start <= deal.at <= within.until
    )


def acts(
    office: Office,
    wallet: str,
    *,
    kinds: list[str],
    markets: list[str] | None,
    side: str,
    start: Ns,
    until: Ns,
) -> list[Act]:
    """A wallet's activity, newest first."""
    if markets is not None and not markets:
        return []
    return office.venue.history.acts(
        wallet,
        kinds=kinds,
        markets=markets or (),
        side=side or None,
        start=start,
        until=until,
        limit=1 << 40,
    )
