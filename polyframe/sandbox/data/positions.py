"""Positions and holders, second version."""

from __future__ import annotations

from collections.abc import Callable
from typing import Any, Final

from polyframe.sandbox.data import asking
from polyframe.sandbox.data.office import Office, Row, Worth, dollars, share
from polyframe.sandbox.data.pages import Page, whole_of
from polyframe.sandbox.door import Asked, Room
from polyframe.sandbox.venue.positions import Position
from polyframe.sandbox.venue.records import SHARE_ONE
from polyframe.sandbox.wire import iso, price_number, seconds, size_number

STATUSES: Final = ("OPEN", "REDEEMABLE", "REDEEMABLE_LOST", "MERGEABLE", "CLOSED")
MOST_TITLE: Final = 200
MOST_HOLDERS: Final = 100

Held = tuple[Position, Worth]
SORTS: Final[dict[str, Callable[[Held], Any]]] = {
    "CURRENT_VALUE": lambda held: held[1].value,
    "PRICE": lambda held: held[1].now,
    "TOKENS": lambda held: held[0].size,
    "UNREALIZED_PNL": lambda held: held[1].open_gain,
    "REALIZED_PNL": lambda held: held[0].realized,
    "TOTAL_PNL": lambda held: held[1].gain,
    "TIMESTAMP": lambda held: held[0].changed,
}
STATES: Final[dict[str, Callable[[Held], bool]]] = {
    # Without a status: what is held, be it resolved or not.
    "": lambda held: held[0].size > 0,
    "OPEN": lambda held: held[1].status == "OPEN",
    "REDEEMABLE": lambda held: held[1].status == "REDEEMABLE",
    "REDEEMABLE_LOST": lambda held: held[1].lost,
    "MERGEABLE": lambda held: held[1].mergeable,
    "CLOSED": lambda held: held[1].status == "CLOSED",
}


class Positions:
    """Who has what."""

    def __init__(self, office: Office) -> None:
        self._office = office

    def enter(self, room: Room) -> None:
        """Adds the routes."""
        room.add("GET", "/v2/positions", self._positions)
        room.add("GET", "/v2/positions/combos", self._combos)
        room.add("GET", "/v2/holders", self._holders)
        room.add("GET", "/v2/value", self._value)

    def _positions(self, asked: Asked) -> Row:
        office = self._office
        page = Page(asked, office.known)
        wallet = asking.user(asked, needed=False)
        markets = asking.conditions(asked, office.world)
        status = asking.word(asked, "status", allowed=STATUSES)
        sort = asking.word(asked, "sort_by", "sortBy", allowed=tuple(SORTS)) or "CURRENT_VALUE"
        up = asking.word(asked, "sort_direction", "sortDirection", allowed=("ASC", "DESC")) == "ASC"
        title = asking.text(asked, "title").lower()
        if len(title) > MOST_TITLE:
            raise asking.bad(f"title must be at most {MOST_TITLE} characters")
        if wallet is None and (markets is None or len(markets) != 1):
            raise asking.bad("provide user, or exactly one condition_id")
        if wallet is None and status in {"REDEEMABLE_LOST", "MERGEABLE"}:
            raise asking.bad(f"status {status} requires user")
        within = asking.span(asked, page.known)
        money, size = asking.least(asked)
        found = [
            (position, worth)
            for position, worth in held(office, wallet, markets)
            if STATES[status]((position, worth))
            and worth.value >= money
            and position.size >= size
            and within.start <= position.changed <= within.until
            and title in office.about(position.condition_id)["title"].lower()
        ]
        found.sort(key=lambda each: (SORTS[sort](each), each[0].token_id), reverse=not up)
        return page.of(found, lambda each: position_row(office, *each))

    def _combos(self, asked: Asked) -> Row:
        """Nobody holds combinations here."""
        asking.user(asked)
        return Page(asked, self._office.known).of([], str)

    def _holders(self, asked: Asked) -> Row:
        """Who holds most of each outcome of some markets."""
        office = self._office
        markets = asking.conditions(asked, office.world)
        if not markets:
            raise asking.bad("required query param 'condition_id' not provided")
        gains = asking.flag(asked, "include_pnl", "includePnl")
        if gains and len(markets) != 1:
            raise asking.bad("include_pnl requires exactly one condition_id")
        page = Page(asked, office.known, most=MOST_HOLDERS if gains else 1_000)
        lowest = int(
            min(asking.number(asked, "min_balance", "minBalance") or 0.0, 1e12) * SHARE_ONE
        )
        lists: list[Row] = []
        more = False
        for condition in markets:
            market = office.market(condition)
            for token in market.listing.tokens if market is not None else ():
                all_ = [
                    p
                    for p in office.venue.history.holders(token, limit=1 << 40)
                    if p.size >= lowest
                ]
                rows = all_[page.first :][: page.limit]
                more = more or len(all_) > page.first + page.limit
                shown = [holder_row(office, position, gains=gains) for position in rows]
                lists.append({"token_id": token, "holders": shown})
        return page.around(lists, more=more)

    def _value(self, asked: Asked) -> Row:
        office = self._office
        wallet = asking.user(asked) or ""
        markets = asking.conditions(asked, office.world)
        total = sum(worth.value for _, worth in held(office, wallet, markets))
        return whole_of({"proxy_wallet": wallet.lower(), "value": dollars(total)})


def held(office: Office, wallet: str | None, markets: list[str] | None) -> list[Held]:
    """Positions of a wallet, in some markets, or of both, with what they are worth."""
    history = office.venue.history
    if wallet is not None:
        found = [
            position
            for position in history.positions(wallet=wallet)
            if markets is None or position.condition_id in markets
        ]
    else:
        found = [p for condition in markets or () for p in history.positions(market=condition)]
    priced: list[Held] = []
    for position in found:
        market = office.market(position.condition_id)
        if market is not None:
            priced.append((position, Worth(office, position, market)))
    return priced


def position_row(office: Office, position: Position, worth: Worth) -> Row:
    """A position."""
    market, subject = worth.market, office.subject(position.condition_id)
    own = office.who(position.wallet)
    return {
        "proxy_wallet": position.wallet.lower(),
        "token_id": position.token_id,
        "condition_id": position.condition_id,
        "current_size": position.size / SHARE_ONE,
        "avg_price": round(worth.average, 6),
        "entry_cost_usdc": dollars(position.cost),
        "entry_fees_usdc": dollars(position.fees),
        "total_cost_usdc": dollars(position.cost),
        "current_price": price_number(worth.now),
        "current_value": dollars(worth.value),
        "total_size": position.bought / SHARE_ONE,
        "realized_pnl": dollars(position.realized),
        "unrealized_pnl": dollars(worth.open_gain),
        "total_pnl": dollars(worth.gain),
        "percent_pnl": share(worth.open_gain, position.cost),
        "percent_realized_pnl": share(position.realized, position.spent),
        "status": worth.status,
        "redeemable": worth.status == "REDEEMABLE",
        "mergeable": worth.mergeable,
        "negative_risk": market.listing.neg_risk,
        "archived": False,
        **office.about(position.condition_id),
        "event_id": str(subject.occasion.id) if subject else "",
        "outcome": market.listing.outcomes[position.outcome],
        "outcome_index": position.outcome,
        "opposite_outcome": market.listing.outcomes[1 - position.outcome],
        "opposite_token_id": worth.other,
        "end_date": iso(market.listing.ends)[:10] if market.listing.ends else "",
        "last_event_at": seconds(position.changed),
        "first_entry_at": seconds(position.opened),
        "name": own["name"],
        "profile_image": own["profile_image"],
        "verified": office.verified(position.wallet),
    }


def holder_row(office: Office, position: Position, *, gains: bool) -> Row:
    """A holder of an outcome; with what the position gained where that is asked for."""
    own = office.who(position.wallet)
    row: Row = {
        "proxy_wallet": position.wallet.lower(),
        "token_id": position.token_id,
        "amount": size_number(position.size),
        "outcome_index": position.outcome,
        "display_username_public": bool(own["name"]),
        "verified": office.verified(position.wallet),
        **own,
    }
    market = office.market(position.condition_id)
    if gains and market is not None:
        worth = Worth(office, position, market)
        row |= {
            "avg_price": round(worth.average, 6),
            "entry_cost_usdc": dollars(position.cost),
            "current_price": price_number(worth.now),
            "current_value": dollars(worth.value),
            "realized_pnl": dollars(position.realized),
            "unrealized_pnl": dollars(worth.open_gain),
            "total_pnl": dollars(worth.gain),
        }
    return row
