"""What happens to markets, positions and money without an order of ours."""

from __future__ import annotations

from typing import Any

import msgspec.structs

from polyframe.domain.effects import MergePositions, PositionSettled, RedeemPosition
from polyframe.domain.events import (
    CashMoved,
    FeedLost,
    FeedRestored,
    FeesChanged,
    GroupListed,
    MarketClosed,
    MarketDisputed,
    MarketListed,
    MarketResolved,
    OperationFailed,
    PositionConverted,
    PositionMerged,
    PositionRedeemed,
    PositionSplit,
    RewardPaid,
    StatsReported,
    TickSizeChanged,
)
from polyframe.domain.market import Market, Resolution
from polyframe.domain.orders import Side
from polyframe.domain.portfolio import Booked, Fill, book_merge, book_redemption, book_split
from polyframe.domain.units import Size, payout_of
from polyframe.engine.context import Context
from polyframe.errors import InvariantError
from polyframe.kernels import bars_nb as nb
from polyframe.kernels import tables_nb as t
from polyframe.kernels import worst_nb


class Lifecycle:
    """Applies listings, changes, resolutions and position operations."""

    def __init__(self, context: Context) -> None:
        self.context = context
        self.resolutions: dict[str, Resolution] = {}
        self.merging: dict[tuple[int, int], Size] = {}
        """pairs on their way into money, by ledger and market: nothing else may use them"""

    def listed(self, event: MarketListed) -> None:
        """A market exists from now on."""
        c = self.context
        m = c.universe.market_index.get(event.market.id)
        if m is None:
            m = c.universe.add(event.market)
            c.books.grow()
            c.state.grow()
            c.door.guards.apply_categories()
        c.state.listed.add(m)
        c.state.set_tradable(m, True)

    def grouped(self, event: GroupListed) -> None:
        """Takes an event's new shape."""
        self.context.universe.add_group(event.group)
        self.context.state.tables.regroup()

    def tick_changed(self, event: TickSizeChanged) -> None:
        """A new price step: the book starts anew and is not trusted until it does."""
        c = self.context
        market = c.universe.market(event.market)
        c.universe.replace(_changed(market, tick=event.tick))
        c.books.distrust(c.universe.market_index[market.id])

    def fees_changed(self, event: FeesChanged) -> None:
        """New fees; open orders reserve by them from now on."""
        c = self.context
        market = c.universe.market(event.market)
        c.universe.replace(_changed(market, fee=event.fee))
        c.state.exits.retell(c.universe.market_index[market.id])
        for o in list(c.state.by_market.get(c.universe.market_index[market.id], {}).values()):
            c.state.reserve(o)

    def reported(self, event: StatsReported) -> None:
        """What the venue says a market can take."""
        c = self.context
        m = c.universe.market_index[c.universe.market(event.market).id]
        c.state.tables.traits[m, t.K_LIQUIDITY] = event.liquidity

    def feed_lost(self, event: FeedLost) -> None:
        """Books that are not fed are not trusted."""
        c = self.context
        for token in event.tokens:
            c.books.distrust(c.universe.token_market[c.universe.token(token)])

    def feed_restored(self, event: FeedRestored) -> None:
        """Nothing yet: trust returns with the first fresh quote."""

    def closed(self, event: MarketClosed | MarketDisputed) -> None:
        """No more trading."""
        c = self.context
        c.state.set_tradable(c.universe.market_index[c.universe.market(event.market).id], False)

    def resolved(self, event: MarketResolved) -> None:
        """Shares are worth their payout from now on."""
        c, r = self.context, event.resolution
        m = c.universe.market_index[c.universe.market(r.market).id]
        market = c.universe.markets[m]
        self.resolutions[r.market] = r
        c.state.set_tradable(m, False)
        c.state.tables.traits[m, t.K_RESOLVED] = 1
        yes = r.payouts[0] * market.price_one // 1_000_000
        c.books.view[m, nb.B_MARK_BID] = yes
        if market.binary:
            no = r.payouts[1] * market.price_one // 1_000_000
            c.books.view[m, nb.B_MARK_ASK] = market.price_one - no
        c.books.distrust(m)
        c.state.revalue(m)

    def redemptions(self, market: str) -> list[RedeemPosition]:
        """What must be collected after a resolution."""
        c = self.context
        m = c.universe.market_index[market]
        first = c.universe.offset[m]
        wanted = []
        for ledger, name in enumerate(c.state.ledgers):
            for k, token in enumerate(c.universe.markets[m].tokens):
                shares = c.state.shares[ledger, first + k] - self.merging.get((ledger, m), 0)
                if shares > 0:
                    wanted.append(RedeemPosition(name, market, token.id, shares))
        return wanted

    def filled_late(self, fill: Fill) -> None:
        """Collects shares that were bought before a resolution and told of after it."""
        if fill.market in self.resolutions and fill.side == Side.BUY:
            self.context.emit(RedeemPosition(fill.ledger, fill.market, fill.token, fill.size))

    def redeemed(self, event: PositionRedeemed) -> PositionSettled:
        """Shares became their payout."""
        c = self.context
        token, ledger = c.universe.token(event.token), c.state.ledger_index[event.ledger]
        market = c.universe.market(event.market)
        before = c.state.holding(ledger, token)
        booked = book_redemption(before, event.payout, event.size, market.size_decimals)
        self._book(ledger, token, booked, "resolved")
        note = PositionSettled(
            c.now, event.ledger, market.id, event.token, event.size, event.payout, booked.cash,
            booked.holding.realised - before.realised,
        )  # fmt: skip
        c.emit(note)
        return note

    def split(self, event: PositionSplit) -> None:
        """Money became pairs."""
        self._pair(event.ledger, event.market, event.size, merge=False)

    def mergeable(self, ledger: int, m: int) -> Size:
        """Pairs of a market that no order holds, 0 while some are being merged."""
        c = self.context
        if (ledger, m) in self.merging or not c.universe.markets[m].binary:
            return 0
        yes, state = c.universe.offset[m], c.state
        free = (state.shares[ledger, k] - state.reserved_shares[ledger, k] for k in (yes, yes + 1))
        return int(max(min(free), 0))

    def merge(self, effect: MergePositions) -> None:
        """Holds pairs back from everything else until the venue has merged them."""
        ledger = self.context.state.ledger_index[effect.ledger]
        m = self.context.universe.market_index[effect.market]
        self.merging[(ledger, m)] = effect.size
        self._hold(ledger, m, effect.size)

    def failed(self, event: OperationFailed) -> None:
        """What was held back for a merge that failed is free again, or due if the market ended."""
        c = self.context
        if event.operation != "merge":
            return
        size = self._let_go(event.ledger, event.market)
        if size and event.market in self.resolutions:
            for token in c.universe.market(event.market).tokens:
                c.emit(RedeemPosition(event.ledger, event.market, token.id, size))

    def _let_go(self, ledger_name: str, market: str) -> Size:
        c = self.context
        ledger, m = c.state.ledger_index[ledger_name], c.universe.market_index[market]
        size = self.merging.pop((ledger, m), 0)
        self._hold(ledger, m, -size)
        return size

    def _hold(self, ledger: int, m: int, size: Size) -> None:
        c = self.context
        yes, tokens = c.universe.offset[m], c.state.tables.tokens
        for row in (ledger, tokens.shape[1] - 1):  # the account has the sums of its ledgers
            tokens[t.T_RESERVED, row, yes : yes + 2] += size

    def merged(self, event: PositionMerged) -> None:
        """Pairs became money."""
        self._let_go(event.ledger, event.market)
        self._pair(event.ledger, event.market, event.size, merge=True)

    def converted(self, event: PositionConverted) -> None:
        """K NO shares of an exclusive event: money for k-1 and a YES share of all other markets.

        Booked as what it is worth: for each converted market the NO share and a YES share of the
        same market make a pair that is merged; the YES shares come from splitting one set.
        """
        c = self.context
        ledger = c.state.ledger_index[event.ledger]
        members, kind = c.universe.members(event.group)
        if kind != worst_nb.EXCLUSIVE:
            raise InvariantError(f"conversion in {event.group}, whose markets do not exclude")
        chosen = {c.universe.market_index[id] for id in event.markets}
        decimals = c.universe.markets[min(chosen)].size_decimals
        received = payout_of((len(chosen) - 1) * 1_000_000, event.size, decimals)
        taken = 0
        for m in sorted(chosen):
            no = c.universe.offset[m] + 1
            held = c.state.holding(ledger, no)
            part = held.cost * event.size // held.shares if held.shares else 0
            taken += part
            c.state.book(
                ledger,
                no,
                Booked(held._replace(shares=held.shares - event.size, cost=held.cost - part), 0),
            )
        rest = [int(m) for m in members if int(m) not in chosen]
        # The cost that is not paid back moves to the YES shares received, the first takes the odd.
        moving = max(taken - received, 0)
        for i, m in enumerate(rest):
            yes = c.universe.offset[m]
            held = c.state.holding(ledger, yes)
            part = moving // len(rest) + (moving % len(rest) if i == 0 else 0)
            c.state.book(
                ledger,
                yes,
                Booked(held._replace(shares=held.shares + event.size, cost=held.cost + part), 0),
            )
        self._gain(ledger, c.universe.offset[min(chosen)] + 1, received, taken, moving)

    def _gain(self, ledger: int, token: int, received: int, taken: int, moved: int) -> None:
        state = self.context.state
        held = state.holding(ledger, token)
        gain = received - (taken - moved)
        state.book(ledger, token, Booked(held._replace(realised=held.realised + gain), received))

    def cash_moved(self, event: CashMoved | RewardPaid) -> None:
        """Money came or went."""
        state = self.context.state
        ledger = state.ledger_index[event.ledger]
        state.move_cash(ledger, event.amount)

    def _pair(self, ledger_name: str, market_id: str, size: int, *, merge: bool) -> None:
        c = self.context
        ledger = c.state.ledger_index[ledger_name]
        m = c.universe.market_index[market_id]
        yes = c.universe.offset[m]
        decimals = c.universe.markets[m].size_decimals
        booking = book_merge if merge else book_split
        a, b, cash = booking(
            c.state.holding(ledger, yes), c.state.holding(ledger, yes + 1), size, decimals
        )
        self._book(ledger, yes, Booked(a, cash), "merged")
        self._book(ledger, yes + 1, Booked(b, 0), "merged")

    def _book(self, ledger: int, token: int, booked: Booked, reason: str) -> None:
        c = self.context
        earned = c.state.book(ledger, token, booked)
        if earned is not None:
            c.locks.closed(ledger, c.universe.token_market[token], c.now, earned, reason)


def _changed(market: Market, **changes: Any) -> Market:
    return msgspec.structs.replace(market, **changes)
