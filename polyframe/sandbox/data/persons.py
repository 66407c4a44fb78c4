"""What wallets have come to: statistics, profits through time, leaderboards, biggest wins."""

from __future__ import annotations

from typing import Final, NamedTuple

from polyframe.domain.units import DAY, HOUR, SECOND, Ns
from polyframe.sandbox.data import asking
from polyframe.sandbox.data.gains import point, price_at, tallies
from polyframe.sandbox.data.office import Office, Row, Worth, dollars
from polyframe.sandbox.data.pages import Page, whole_of
from polyframe.sandbox.data.positions import held
from polyframe.sandbox.door import Asked, Room
from polyframe.sandbox.venue.history import Deal
from polyframe.sandbox.venue.records import BUY, PRICE_ONE
from polyframe.sandbox.wire import iso, seconds

WINDOWS: Final = {"day": DAY, "week": 7 * DAY, "month": 30 * DAY, "all": 0}
SORTS: Final = ("PNL", "VOLUME")
# From an interval to its length and to the step between points where none is asked for.
INTERVALS: Final = {
    "max": (0, "1d"), "all": (0, "1d"), "1m": (30 * DAY, "18h"), "1w": (7 * DAY, "3h"),
    "1d": (DAY, "1h"), "12h": (12 * HOUR, "1h"), "6h": (6 * HOUR, "1h"),
}  # fmt: skip
STEPS: Final = {"1d": DAY, "18h": 18 * HOUR, "12h": 12 * HOUR, "3h": 3 * HOUR, "1h": HOUR}
MOST_POINTS: Final = 1_000
BLOCK: Final = 2 * SECOND
"""time of a block of the sandbox's chain"""


class Win(NamedTuple):
    """A position in a market that was resolved, and what came of it."""

    gain: int
    wallet: str
    condition_id: str
    token_id: str
    spent: int


class Persons:
    """The routes about wallets and their places."""

    def __init__(self, office: Office) -> None:
        self._office = office

    def enter(self, room: Room) -> None:
        """Adds the routes."""
        room.add("GET", "/v2/user-stats", self._stats)
        room.add("GET", "/v2/user-pnl", self._gains)
        room.add("GET", "/v2/user-volume", self._volume)
        room.add("GET", "/v2/leaderboard", self._leaderboard)
        room.add("GET", "/v2/biggest-winners", self._winners)

    # ---- one wallet ------------------------------------------------------------------------------

    def _stats(self, asked: Asked) -> Row:
        """Statistics of a wallet; null for one that nobody has used."""
        office = self._office
        address = asking.user(asked) or ""
        wallet = office.venue.accounts.wallets.get(address)
        if wallet is None:
            return whole_of(None)
        positions = office.venue.history.positions(wallet=address)
        ((at, tally, open),) = tallies(office, address, [office.known])
        return whole_of(
            {
                "proxy_wallet": address,
                "trades": len({position.condition_id for position in positions}),
                "biggest_win": dollars(max([p.realized for p in positions], default=0)),
                "views": 0,
                "join_date": seconds(wallet.opened),
                "all_time_pnl": point(at, at // BLOCK, tally, open),
            }
        )

    def _gains(self, asked: Asked) -> Row:
        office = self._office
        address = asking.user(asked) or ""
        interval = asking.word(asked, "interval", allowed=tuple(INTERVALS), default="all")
        length, usual = INTERVALS[interval]
        fidelity = asking.word(asked, "fidelity", allowed=tuple(STEPS), default=usual)
        rows = office.venue.history.rows(address)
        known, step = office.known, STEPS[fidelity]
        first = known - length if length else (rows[0].at if rows else known)
        first = max(first, known - MOST_POINTS * step)
        moments = [*range(first, known, step), known] if rows else []
        return whole_of(
            {
                "proxy_wallet": address,
                "interval": interval,
                "fidelity": fidelity,
                "source_fidelity": fidelity,
                "points": [
                    point(at, at // BLOCK, tally, open)
                    for at, tally, open in tallies(office, address, moments)
                ],
            }
        )

    def _volume(self, asked: Asked) -> Row:
        office = self._office
        address = asking.user(asked) or ""
        within = asking.span(asked, office.known)
        rows = [
            row
            for row in office.venue.history.rows(address)
            if isinstance(row, Deal) and within.start <= row.at <= within.until
        ]
        return whole_of(
            {
                "volume": dollars(sum(row.size for row in rows)),
                "volume_usdc": dollars(sum(row.money for row in rows)),
                "trade_count": len(rows),
            }
        )

    # ---- all of them -----------------------------------------------------------------------------

    def _leaderboard(self, asked: Asked) -> Row:
        """Wallets by profit or volume; with ``user`` that wallet's places."""
        office = self._office
        window = asking.word(
            asked, "time_period", "timePeriod", allowed=tuple(WINDOWS), default="day"
        )
        sort = asking.word(asked, "sort_by", "sortBy", "orderBy", allowed=SORTS, default="PNL")
        table = standings(office, WINDOWS[window], asking.text(asked, "category"))
        gains = sorted(table, key=lambda row: (-row[1], row[0]))
        sizes = sorted(table, key=lambda row: (-row[2], row[0]))
        user = asking.user(asked, needed=False)
        if user is not None:
            return whole_of(self._standing(user, gains, sizes))
        page = Page(asked, office.known)
        ranked = list(enumerate(gains if sort == "PNL" else sizes, 1))
        return page.of(ranked, lambda each: {"rank": each[0], **self._place(*each[1])})

    def _standing(self, user: str, gains: list[Place], sizes: list[Place]) -> Row | None:
        by_gain = next((n for n, row in enumerate(gains, 1) if row[0].lower() == user), 0)
        by_size = next((n for n, row in enumerate(sizes, 1) if row[0].lower() == user), 0)
        if not by_gain:
            return None
        own = self._place(*gains[by_gain - 1])
        return own | {"rank_pnl": by_gain, "rank_volume": by_size}

    def _place(self, wallet: str, gain: int, shares: int) -> Row:
        own = self._office.who(wallet)
        return {
            "user_id": wallet,
            "pnl": dollars(gain),
            "volume": dollars(shares),
            "user_name": own["name"],
            "profile_image": "",
            "x_username": "",
            "verified": self._office.verified(wallet),
        }

    def _winners(self, asked: Asked) -> Row:
        office = self._office
        window = asking.word(
            asked, "time_period", "timePeriod", allowed=tuple(WINDOWS), default="day"
        )
        wins = _wins(office, WINDOWS[window], asking.text(asked, "category").lower())
        page = Page(asked, office.known)
        return page.of(list(enumerate(wins, 1)), lambda each: self._win(*each))

    def _win(self, rank: int, win: Win) -> Row:
        office = self._office
        subject, market = office.subject(win.condition_id), office.market(win.condition_id)
        occasion = subject.occasion if subject is not None else None
        return {
            "win_rank": rank,
            "user_id": win.wallet,
            "pnl": dollars(win.gain),
            "initial_value": dollars(win.spent),
            "final_value": dollars(win.spent + win.gain),
            "resolved_at": iso(market.resolved_at if market is not None else 0),
            "user_name": office.who(win.wallet)["name"],
            "profile_image": "",
            "event_title": occasion.plot.title if occasion else "",
            "kind": "market",
            "condition_id": win.condition_id,
            "position_id": win.token_id,
            "event_id": occasion.id if occasion else 1,
            "event_slug": occasion.plot.slug if occasion else "",
        }


Place = tuple[str, int, int]
"""a wallet, its profit and the shares it traded"""


def standings(office: Office, window: Ns, category: str) -> list[Place]:
    """Every wallet that has traded, with its profit and volume in the last stretch of time."""
    history = office.venue.history
    since = office.known - window if window else 0
    if category.lower() in {"", "overall"}:
        return [(w, history.profit(w, since), history.shares(w, since)) for w in history.wallets()]
    markets = {
        condition
        for condition, subject in office.world.catalogue.by_condition.items()
        if subject.occasion.plot.category.lower() == category.lower()
    }
    return [
        (wallet, *_since(office, wallet, since, markets))
        for wallet in history.wallets()
        if any(position.condition_id in markets for position in history.positions(wallet=wallet))
    ]


def _since(office: Office, wallet: str, since: Ns, markets: set[str]) -> tuple[int, int]:
    """What a wallet gained in some markets since a moment, and the shares it traded in them.

    What it has now is worth so much more than what it had then, and so much money came out of it.
    Rows that are no longer kept count as if they had never been. Which shares a conversion moved
    its row does not say: of a stretch of time its money counts, as if it came from nowhere.
    """
    history = office.venue.history
    gain, shares = 0, 0
    moved: dict[str, int] = {}
    for row in reversed(history.rows(wallet)):
        if row.at < since:
            break
        if row.condition_id not in markets:
            continue
        if isinstance(row, Deal):
            shares += row.size
            sign = 1 if row.side == BUY else -1
            gain -= sign * row.money + row.fee
            moved[row.token_id] = moved.get(row.token_id, 0) + sign * row.size
        elif row.kind == "CONVERSION":
            gain += row.money
        elif row.kind == "REDEEM":
            gain += row.money
            moved[row.token_id] = moved.get(row.token_id, 0) - row.size
        elif row.kind in {"SPLIT", "MERGE"}:
            sign = 1 if row.kind == "SPLIT" else -1
            gain -= sign * row.money
            market = office.market(row.condition_id)
            for token in market.listing.tokens if market is not None else ():
                moved[token] = moved.get(token, 0) + sign * row.size
    for position in history.positions(wallet=wallet):
        if position.condition_id in markets:
            gain += history.worth(position)
            before = position.size - moved.get(position.token_id, 0)
            if before > 0 and since:
                gain -= before * price_at(office, position.token_id, since) // PRICE_ONE
    return gain, shares


def _wins(office: Office, window: Ns, category: str) -> list[Win]:
    """Positions that gained in markets resolved in the last stretch of time, most first."""
    since = office.known - window if window else 0
    found: list[Win] = []
    for condition, market in office.venue.markets.items():
        subject = office.subject(condition)
        if not market.closed or not since <= market.resolved_at <= office.known:
            continue
        if category and (subject is None or subject.occasion.plot.category.lower() != category):
            continue
        for position, worth in held(office, None, [condition]):
            gain = _came_of(worth)
            if gain > 0:
                found.append(
                    Win(gain, position.wallet, condition, position.token_id, position.spent)
                )
    return sorted(found, key=lambda win: (-win.gain, win.wallet, win.token_id))


def _came_of(worth: Worth) -> int:
    return worth.gain
