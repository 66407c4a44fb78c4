"""The first version's routes, which older clients still call: bare lists, camelCase, offsets.

UNSURE at the venue: whether these were shut off, and whether a greater limit than the greatest is
cut, as here, or refused.
"""

from __future__ import annotations

import csv
import io
import zipfile
from collections.abc import Sequence
from itertools import islice
from typing import Any, Final, TypeVar

from polyframe.sandbox.data import asking
from polyframe.sandbox.data.office import Office, Row, Worth, dollars, share
from polyframe.sandbox.data.persons import WINDOWS, standings
from polyframe.sandbox.data.positions import SORTS, held, position_row
from polyframe.sandbox.data.trades import acts, deals
from polyframe.sandbox.door import Asked, Reply, Room
from polyframe.sandbox.venue.positions import Position
from polyframe.sandbox.venue.records import SHARE_ONE
from polyframe.sandbox.wire import iso, price_number, seconds, size_number

T = TypeVar("T")

MOST: Final = 500
MOST_OFFSET: Final = 3_000
TOO_FAR: Final = "max historical activity offset of 3000 exceeded"
# The second version's names in the first's.
NAMES: Final = {
    "proxy_wallet": "proxyWallet",
    "token_id": "asset",
    "condition_id": "conditionId",
    "usdc_size": "usdcSize",
    "transaction_hash": "transactionHash",
    "outcome_index": "outcomeIndex",
    "event_slug": "eventSlug",
    "profile_image": "profileImage",
    "profile_image_optimized": "profileImageOptimized",
    "display_username_public": "displayUsernamePublic",
}
ORDERS: Final = {
    "CURRENT": "CURRENT_VALUE",
    "INITIAL": "TOKENS",
    "TOKENS": "TOKENS",
    "CASHPNL": "UNREALIZED_PNL",
    "PERCENTPNL": "UNREALIZED_PNL",
    "PRICE": "PRICE",
    "AVGPRICE": "PRICE",
    "REALIZEDPNL": "REALIZED_PNL",
    "TIMESTAMP": "TIMESTAMP",
    "TITLE": "TIMESTAMP",
    "RESOLVING": "TIMESTAMP",
}

CLOSED: Final = (
    "proxyWallet", "asset", "conditionId", "avgPrice", "totalBought", "realizedPnl", "curPrice",
    "title", "slug", "icon", "eventSlug", "outcome", "outcomeIndex", "oppositeOutcome",
    "oppositeAsset",
)  # fmt: skip
"""what is shown of a position that is closed"""


class First:
    """The routes of the first version."""

    def __init__(self, office: Office) -> None:
        self._office = office

    def enter(self, room: Room) -> None:
        """Adds the routes."""
        room.add("GET", "/trades", self._trades)
        room.add("GET", "/activity", self._activity)
        room.add("GET", "/positions", self._positions)
        for path in ("/closed-positions", "/v1/closed-positions"):
            room.add("GET", path, self._closed)
        room.add("GET", "/holders", self._holders)
        room.add("GET", "/value", self._value)
        room.add("GET", "/traded", self._traded)
        room.add("GET", "/oi", self._interest)
        room.add("GET", "/live-volume", self._volume)
        room.add("GET", "/v1/leaderboard", self._leaderboard)
        room.add("GET", "/v1/accounting/snapshot", self._snapshot)
        room.add("GET", "/", lambda _: {"data": "OK"})

    # ---- what happened ---------------------------------------------------------------------------

    def _trades(self, asked: Asked) -> list[Row]:
        first, count = _part(asked, usual=100)
        rows = deals(self._office, asked, self._office.known, takers=True)
        some = islice(rows, first, first + count)
        return [_renamed(self._office.trade(deal)) for deal in some]

    def _activity(self, asked: Asked) -> list[Row]:
        first, count = _part(asked, usual=100)
        if first > MOST_OFFSET:
            raise asking.bad(TOO_FAR)
        rows = acts(self._office, asked, self._office.known)
        shown = [_renamed(self._office.act(act)) for act in rows[first : first + count]]
        for row in shown:
            row.pop("is_combo")
        return shown

    # ---- who has what ----------------------------------------------------------------------------

    def _positions(self, asked: Asked) -> list[Row]:
        office = self._office
        wallet = asking.user(asked)
        first, count = _part(asked, usual=100)
        least = asking.number(asked, "sizeThreshold", "size_threshold")
        least = 1.0 if least is None else least
        title = asking.text(asked, "title").lower()
        order = asking.word(asked, "sortBy", allowed=tuple(ORDERS), default="TOKENS")
        redeemable = asked.flag("redeemable")
        mergeable = asked.flag("mergeable")
        found = [
            each
            for each in held(office, wallet, asking.conditions(asked, office.world))
            if each[0].size >= least * SHARE_ONE
            and each[0].size
            and redeemable in {None, each[1].status == "REDEEMABLE"}
            and mergeable in {None, each[1].mergeable}
            and title in office.about(each[0].condition_id)["title"].lower()
        ]
        up = asking.word(asked, "sortDirection", allowed=("ASC", "DESC")) == "ASC"
        found.sort(key=lambda each: (SORTS[ORDERS[order]](each), each[0].token_id), reverse=not up)
        return [self._position(*each) for each in found[first : first + count]]

    def _position(self, position: Position, worth: Worth) -> Row:
        row = position_row(self._office, position, worth)
        return {
            "proxyWallet": position.wallet.lower(),
            "asset": position.token_id,
            "conditionId": position.condition_id,
            "size": size_number(position.size),
            "avgPrice": round(worth.average, 6),
            "initialValue": dollars(position.cost),
            "currentValue": dollars(worth.value),
            "cashPnl": dollars(worth.open_gain),
            "percentPnl": share(worth.open_gain, position.cost),
            "totalBought": position.bought / SHARE_ONE,
            "realizedPnl": dollars(position.realized),
            "percentRealizedPnl": share(position.realized, position.spent),
            "curPrice": price_number(worth.now),
            "redeemable": row["redeemable"],
            "mergeable": row["mergeable"],
            "title": row["title"],
            "slug": row["slug"],
            "icon": row["icon"],
            "eventId": row["event_id"],
            "eventSlug": row["event_slug"],
            "outcome": row["outcome"],
            "outcomeIndex": row["outcome_index"],
            "oppositeOutcome": row["opposite_outcome"],
            "oppositeAsset": worth.other,
            "endDate": row["end_date"],
            "negativeRisk": row["negative_risk"],
        }

    def _closed(self, asked: Asked) -> list[Row]:
        office = self._office
        wallet = asking.user(asked)
        first, count = _part(asked, usual=10)
        order = asking.word(asked, "sortBy", allowed=tuple(ORDERS), default="REALIZEDPNL")
        up = asking.word(asked, "sortDirection", allowed=("ASC", "DESC")) == "ASC"
        found = [
            each
            for each in held(office, wallet, asking.conditions(asked, office.world))
            if not each[0].size
        ]
        found.sort(key=lambda each: (SORTS[ORDERS[order]](each), each[0].token_id), reverse=not up)
        rows: list[Row] = []
        for position, worth in found[first : first + count]:
            row = self._position(position, worth)
            ends = worth.market.listing.ends
            rows.append(
                {name: row[name] for name in CLOSED}
                | {"endDate": iso(ends) if ends else "", "timestamp": seconds(position.changed)}
            )
        return rows

    def _holders(self, asked: Asked) -> list[Row]:
        office = self._office
        count = min(asking.whole(asked, "limit", default=20), MOST)
        least = int(min(asking.number(asked, "minBalance") or 1.0, 1e12) * SHARE_ONE)
        found: list[Row] = []
        for condition in asking.conditions(asked, office.world) or []:
            market = office.market(condition)
            for token in market.listing.tokens if market is not None else ():
                rows = office.venue.history.holders(token, limit=count)
                shown = [self._holder(position) for position in rows if position.size >= least]
                found.append({"token": token, "holders": shown})
        return found

    def _holder(self, position: Position) -> Row:
        own = _renamed(self._office.who(position.wallet))
        return {
            "proxyWallet": position.wallet.lower(),
            "asset": position.token_id,
            "amount": size_number(position.size),
            "outcomeIndex": position.outcome,
            "displayUsernamePublic": bool(own["name"]),
            "verified": self._office.verified(position.wallet),
            **own,
        }

    def _value(self, asked: Asked) -> list[Row]:
        wallet = asking.user(asked) or ""
        markets = asking.conditions(asked, self._office.world)
        total = sum(worth.value for _, worth in held(self._office, wallet, markets))
        return [{"user": wallet, "value": dollars(total)}]

    def _traded(self, asked: Asked) -> Row:
        wallet = asking.user(asked) or ""
        held_ = self._office.venue.history.positions(wallet=wallet)
        return {"user": wallet, "traded": len({position.condition_id for position in held_})}

    # ---- all of them -----------------------------------------------------------------------------

    def _interest(self, asked: Asked) -> list[Row]:
        office = self._office
        named = asking.conditions(asked, office.world)
        if named is None:
            total = office.venue.accounts.collateral
            return [{"market": "GLOBAL", "value": dollars(total)}]
        markets = [m for name in named if (m := office.market(name)) is not None]
        return [{"market": m.condition_id, "value": dollars(m.collateral)} for m in markets]

    def _volume(self, asked: Asked) -> list[Row]:
        if not asking.texts(asked, "id", "event_id", "eventId"):
            raise asking.bad("required query param 'id' not provided")
        found: list[Row] = []
        for occasion in asking.occasions(asked, self._office.world):
            rows = [
                {"market": s.condition_id, "value": dollars(s.market.volume)}
                for s in occasion.subjects
                if s.market is not None
            ]
            total = sum(s.market.volume for s in occasion.subjects if s.market is not None)
            found.append({"total": dollars(total), "markets": rows})
        return found

    def _leaderboard(self, asked: Asked) -> list[Row]:
        office = self._office
        first, count = _part(asked, usual=25)
        window = asking.word(asked, "timePeriod", allowed=tuple(WINDOWS), default="day")
        order = asking.word(asked, "orderBy", allowed=("PNL", "VOL"), default="PNL")
        table = standings(office, WINDOWS[window], asking.text(asked, "category"))
        column = 1 if order == "PNL" else 2
        table.sort(key=lambda row: (-int(str(row[column])), row[0]))
        user = asking.user(asked, needed=False)
        ranked = [
            (rank, row)
            for rank, row in enumerate(table, 1)
            if user is None or row[0].lower() == user
        ]
        since = office.known - WINDOWS[window] if WINDOWS[window] else 0
        return [
            {
                "rank": str(rank),
                "proxyWallet": wallet.lower(),
                "userName": office.who(wallet)["name"] or wallet,
                "vol": dollars(office.venue.history.volume(wallet, since)),
                "pnl": dollars(gain),
                "profileImage": "",
                "xUsername": "",
                "verifiedBadge": office.verified(wallet),
            }
            for rank, (wallet, gain, _) in ranked[first : first + count]
        ]

    def _snapshot(self, asked: Asked) -> Reply:
        """A wallet's positions and what it is worth, as CSV files in one archive."""
        office = self._office
        wallet = asking.user(asked) or ""
        rows = [position_row(office, *each) for each in held(office, wallet, None)]
        known = office.venue.accounts.wallets.get(wallet)
        cash = known.money if known is not None else 0
        value = office.venue.history.value(wallet)
        equity = [
            {
                "cashBalance": dollars(cash),
                "positionsValue": dollars(value),
                "equity": dollars(cash + value),
                "valuationTime": iso(office.known),
            }
        ]
        archive = io.BytesIO()
        with zipfile.ZipFile(archive, "w", zipfile.ZIP_DEFLATED) as made:
            made.writestr("positions.csv", _csv(rows))
            made.writestr("equity.csv", _csv(equity))
        return Reply(archive.getvalue(), media=b"application/zip")


def _part(asked: Asked, *, usual: int) -> tuple[int, int]:
    """First row and number of rows."""
    count = min(asking.whole(asked, "limit", default=usual), MOST)
    return asking.whole(asked, "offset", default=0), count


def _renamed(row: Row) -> Row:
    return {NAMES.get(name, name): value for name, value in row.items()}


def _csv(rows: Sequence[Row]) -> str:
    text = io.StringIO()
    if rows:
        writer: csv.DictWriter[Any] = csv.DictWriter(text, list(rows[0]), lineterminator="\n")
        writer.writeheader()
        writer.writerows(rows)
    return text.getvalue()
