"""Trades and activity, second version."""

from __future__ import annotations

from collections.abc import Iterable, Sequence
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
        page = Page(asked, self._office.known)
        rows = deals(self._office, asked, page.known, takers=False)
        some = list(islice(rows, page.first, page.first + page.limit + 1))
        return page.read(some, self._office.trade)

    def _activity(self, asked: Asked) -> Row:
        page = Page(asked, self._office.known)
        hidden = asking.flag(
            asked, "exclude_deposits_withdrawals", "excludeDepositsWithdrawals", default=True
        )
        rows = acts(self._office, asked, page.known, hidden=OUTSIDE if hidden else ())
        return page.of(rows, self._office.act)

    def _combos(self, asked: Asked) -> Row:
        """Nobody trades combinations here."""
        asking.user(asked)
        return Page(asked, self._office.known).of([], str)


def deals(office: Office, asked: Asked, known: Ns, *, takers: bool) -> Iterable[Deal]:
    """The trades that are asked for, newest first; ``takers`` alone where nothing is said of that.

    Raises:
        Turned: 400, something that is asked for is none.
    """
    history = office.venue.history
    wallet = asking.user(asked, needed=False)
    markets = asking.conditions(asked, office.world)
    side = asking.word(asked, "side", allowed=SIDES)
    taker_only = asking.flag(asked, "taker_only", "takerOnly", default=takers)
    money, size = asking.least(asked)
    within = asking.span(asked, known)
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


def acts(office: Office, asked: Asked, known: Ns, *, hidden: Sequence[str] = ()) -> list[Act]:
    """The activity that is asked for; kinds that are ``hidden`` only where they are named.

    Raises:
        Turned: 400, something that is asked for is none.
    """
    wallet = asking.user(asked) or ""
    kinds = [kind.upper() for kind in asking.texts(asked, "type")]
    if any(kind not in KINDS for kind in kinds):
        raise asking.bad(f"invalid type: must be of {', '.join(KINDS)}")
    within = asking.span(asked, known)
    markets = asking.conditions(asked, office.world)
    side = asking.word(asked, "side", allowed=SIDES)
    order = asking.word(asked, "sort_direction", "sortDirection", allowed=("ASC", "DESC"))
    if markets is not None and not markets:
        return []
    rows = office.venue.history.acts(
        wallet,
        kinds=kinds or [kind for kind in KINDS if kind not in hidden],
        markets=markets or (),
        side=side or None,
        start=within.start,
        until=within.until,
        limit=1 << 40,
    )
    if order == "ASC":
        rows.reverse()
    return rows
