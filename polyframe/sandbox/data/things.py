"""What markets have come to: open interest, volumes, prices, tokens, answers; and who builds."""

from __future__ import annotations

from datetime import UTC, datetime
from typing import Final

from polyframe.domain.units import DAY, HOUR, SECOND, Ns
from polyframe.sandbox.data import asking
from polyframe.sandbox.data.office import Office, Row, dollars
from polyframe.sandbox.data.pages import Page, whole_of
from polyframe.sandbox.door import Asked, Room, Turned
from polyframe.sandbox.venue.market import BOTH, Market
from polyframe.sandbox.venue.records import SHARE_ONE, State, Trade
from polyframe.sandbox.wire import price_number, seconds

GLOBAL: Final = "GLOBAL"
LONGEST: Final = 15 * DAY
MOST_POINTS: Final = 10_000
INTERVALS: Final = {"1m": 30 * DAY, "1w": 7 * DAY, "1d": DAY, "6h": 6 * HOUR, "1h": HOUR}
WHOLE: Final = ("max", "all")
LEAST_BUCKET: Final = {"max": 600, "all": 600, "1m": 600, "1w": 300}
USUAL_BUCKET: Final = {"max": DAY // SECOND, "all": DAY // SECOND, "1m": 10_800, "1w": 3_600}
MOST_TOKENS: Final = 50
MOST_EVENTS: Final = 20
STATES: Final = {
    State.LISTED: "initialized",
    State.OPEN: "posed",
    State.PAUSED: "posed",
    State.PROPOSED: "proposed",
    State.DISPUTED: "disputed",
    State.RESOLVED: "resolved",
}
UNSET: Final = 69
"""the oracle's price that says that there is none"""
BUILDERS: Final = {"day": DAY, "week": 7 * DAY, "month": 30 * DAY, "all": 365 * DAY}


class Things:
    """The routes about markets."""

    def __init__(self, office: Office) -> None:
        self._office = office

    def enter(self, room: Room) -> None:
        """Adds the routes."""
        room.add("GET", "/v2/oi", self._interest)
        room.add("GET", "/v2/live-volume", self._volume)
        room.add("GET", "/v2/tokens", self._tokens)
        room.add("GET", "/v2/resolutions", self._resolutions)
        room.add("GET", "/v2/prices-history", self._prices)
        room.add("GET", "/v2/builders/leaderboard", self._builders)
        room.add("GET", "/v2/builders/volume", self._built)

    def _markets(self, asked: Asked) -> list[Market]:
        """The markets that a request names, those that there are."""
        named = asking.conditions(asked, self._office.world) or []
        return [m for name in named if (m := self._office.market(name)) is not None]

    def _interest(self, asked: Asked) -> Row:
        if asking.conditions(asked, self._office.world) is None:
            total = self._office.venue.accounts.collateral
            return whole_of([{"condition_id": GLOBAL, "value": dollars(total)}])
        return whole_of(
            [
                {"condition_id": market.condition_id, "value": dollars(market.collateral)}
                for market in self._markets(asked)
            ]
        )

    def _volume(self, asked: Asked) -> Row:
        occasions = asking.occasions(asked, self._office.world)
        if not asking.texts(asked, "event_id", "eventId", "id"):
            raise asking.bad("required query param 'event_id' not provided")
        markets = [s.market for occasion in occasions for s in occasion.subjects]
        rows = [
            {"condition_id": market.condition_id, "taker_volume": market.traded / SHARE_ONE}
            for market in markets
            if market is not None
        ]
        total = sum(market.traded for market in markets if market is not None)
        return whole_of({"taker_volume_total": total / SHARE_ONE, "conditions": rows})

    # ---- tokens and answers ----------------------------------------------------------------------

    def _tokens(self, asked: Asked) -> Row:
        named = asking.texts(asked, "token_id", "tokenId", "token", "asset")
        if bool(named) == bool(asking.texts(asked, "condition_id", "condition", "conditionId")):
            raise asking.bad("provide exactly one of token_id or condition")
        if any(not (t.isascii() and t.isdigit()) for t in named) or len(named) > MOST_TOKENS:
            raise asking.bad("invalid token_id")
        if named:
            known = self._office.venue.tokens
            found = [known[token] for token in dict.fromkeys(named) if token in known]
        else:
            found = [(market, index) for market in self._markets(asked) for index in (0, 1)]
        return whole_of([self._token(market, index) for market, index in found])

    def _token(self, market: Market, index: int) -> Row:
        listing, subject = market.listing, self._office.subject(market.condition_id)
        neg = listing.neg_risk
        return {
            "token_id": listing.tokens[index],
            "condition_id": listing.condition_id,
            "structural_condition_id": None,
            "module": "v1_ctf",
            "outcome_index": index,
            "clob_index": index,
            "outcome": listing.outcomes[index],
            "opposite_token_id": listing.tokens[1 - index],
            "resolved": market.closed,
            "final_price": market.payout(index) / 2 if market.closed else None,
            "title": listing.question,
            "market_slug": listing.slug,
            "closed": market.closed,
            "neg_risk": neg,
            "neg_risk_market_id": listing.neg_risk_market_id if neg else None,
            "question_index": subject.occasion.subjects.index(subject) if subject and neg else None,
            "event_id": subject.occasion.id if subject else None,
            "event_slug": subject.occasion.plot.slug if subject else None,
        }

    def _resolutions(self, asked: Asked) -> Row:
        question = asking.text(asked, "question_id", "questionId").lower()
        if question:
            markets = [
                market
                for market in self._office.venue.markets.values()
                if market.listing.question_id == question
            ]
        else:
            if asking.conditions(asked, self._office.world) is None:
                raise asking.bad("provide exactly one of question_id, condition_id or event_id")
            if len(asking.texts(asked, "event_id", "eventId")) > MOST_EVENTS:
                raise asking.bad(f"event_id accepts at most {MOST_EVENTS} values")
            markets = self._markets(asked)
        return whole_of([self._resolution(market) for market in markets])

    def _resolution(self, market: Market) -> Row:
        """How far a market is on the way to its answer.

        UNSURE at the venue: which of the two times a market that waits for its answer shows.
        """
        proposed = _price(market.proposed)
        due = market.closed_at + self._office.venue.settings.liveness
        waits = market.state is State.PROPOSED
        at = market.resolved_at or market.closed_at or market.listed_at
        row: Row = {
            "question_id": market.listing.question_id,
            "condition_id": market.condition_id,
            "status": STATES[market.state],
            "extended_review": market.state is State.DISPUTED,
            "expected_settlement_time": seconds(due) if waits else None,
            "settlement_time_basis": "liveness" if waits else None,
            "was_disputed": market.disputes > 0,
            "new_version_q": False,
            "proposed_price": proposed,
            "reproposed_price": proposed if market.proposals > 1 else UNSET,
            "price": _price(market.winner),
            "transaction_hash": "",
            "log_index": None,
            "last_update_timestamp": seconds(at),
            "market_type": "INCREMENTAL_NEGRISK" if market.listing.neg_risk else "BINARY",
        }
        if market.closed:
            row |= {
                "payouts": [market.payout(index) * SHARE_ONE // 2 for index in (0, 1)],
                "resolution_source": "reported",
                "reporter": "UMA_OO" if market.proposals else "CHAINLINK",
                "was_arbitrated": market.disputes > 0,
                "resolved_block": market.resolved_at // (2 * SECOND),
                "resolved_at": seconds(market.resolved_at),
            }
        return row

    # ---- prices ----------------------------------------------------------------------------------

    def _prices(self, asked: Asked) -> Row:
        token = asking.text(asked, "token_id", "tokenId", "market", "asset")
        found = self._office.venue.tokens.get(token)
        if not token or not (token.isascii() and token.isdigit()):
            raise asking.bad("invalid token_id")
        if found is None:
            raise Turned(404, "token not found")
        page = Page(asked, self._office.known, limit=MOST_POINTS, most=MOST_POINTS)
        at = asking.moment(asked, "as_of")
        if at is not None:
            return page.of(self._price_at(found[0], found[1], min(at, page.known)), _shown)
        start, end, bucket = self._window(asked, page.known, found[0].listed_at)
        length = bucket * SECOND
        start = max(start, found[0].listed_at - length)
        points = self._office.venue.history.prices(token, start, end, length)
        return page.of([(p.at, p.price, bucket) for p in points], _shown)

    def _price_at(self, market: Market, outcome: int, at: Ns) -> list[tuple[Ns, int, int]]:
        price = self._office.venue.history.trend.since(market.condition_id, at)
        if price is None:
            return []
        return [(at, 10_000 - price if outcome else price, 0)]

    def _window(self, asked: Asked, known: Ns, listed: Ns) -> tuple[Ns, Ns, int]:
        """First and last moment and the seconds between points."""
        interval = asking.word(asked, "interval", allowed=(*WHOLE, *INTERVALS))
        start, end = asking.moment(asked, "start"), asking.moment(asked, "end")
        if bool(interval) == (start is not None) or (end is not None and start is None):
            raise asking.bad("provide exactly one of interval, start or as_of")
        least = LEAST_BUCKET.get(interval, 60)
        usual = max(least, USUAL_BUCKET.get(interval, 60))
        bucket = asking.whole(
            asked, "bucket_seconds", "bucketSeconds", default=usual, least=least, most=86_400
        )
        if start is None:
            begins = listed if interval in WHOLE else known - INTERVALS[interval]
            return max(begins, known - LONGEST * 100), known, bucket
        until = known if end is None else min(end, known)
        if (end or known) < start or (end or known) - start > LONGEST:
            raise asking.bad("the window must not end before its start or exceed 15 days")
        return start, until, bucket

    # ---- builders --------------------------------------------------------------------------------

    def _builders(self, asked: Asked) -> Row:
        window = asking.word(
            asked, "time_period", "timePeriod", allowed=tuple(BUILDERS), default="day"
        )
        since = self._office.known - BUILDERS[window] if window != "all" else 0
        page = Page(asked, self._office.known)
        return page.of(self._standings(since, self._office.known), lambda row: row)

    def _standings(self, since: Ns, until: Ns) -> list[Row]:
        notices = self._office.notices
        totals: list[tuple[int, str, list[Trade]]] = []
        for code in notices.builders():
            trades = [t for t in notices.brought(code) if since <= t.matched_at < until]
            if trades:
                totals.append((sum(trade.size for trade in trades), code, trades))
        totals.sort(key=lambda each: (-each[0], each[1]))
        return [
            {
                "rank": rank,
                "builder_name": code[:10],
                "builder_code": code,
                "profile_image": "",
                "verified": False,
                "volume": size / SHARE_ONE,
                "active_users": len({trade.address for trade in trades}),
            }
            for rank, (size, code, trades) in enumerate(totals, 1)
        ]

    def _built(self, asked: Asked) -> Row:
        interval = asking.word(asked, "interval", allowed=tuple(BUILDERS), default="day")
        count = asking.whole(asked, "limit", default=30, least=1, most=90)
        length, known = BUILDERS[interval], self._office.known
        rows: list[Row] = []
        for number in range(count):
            start = (known // length - number) * length
            day = f"{datetime.fromtimestamp(max(start, 0) // SECOND, UTC):%Y-%m-%d}"
            rows += [row | {"date": day} for row in self._standings(start, start + length)]
            if start <= 0:
                break
        return whole_of(rows)


def _shown(point: tuple[Ns, int, int]) -> Row:
    at, price, bucket = point
    return {"timestamp": seconds(at), "price": price_number(price), "resolution_seconds": bucket}


def _price(answer: int | None) -> float | int:
    """An answer as the oracle writes it: the first outcome's price."""
    if answer is None:
        return UNSET
    return 0.5 if answer == BOTH else 1 - answer
