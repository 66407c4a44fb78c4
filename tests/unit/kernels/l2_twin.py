"""A simulated venue over a tape the slow way: dictionaries for books, lists for own orders.

It follows the stated rules, not the compiled code. What it says of everything that happens:

- A book is trusted from the end of a snapshot (or from a quote of a best price) on, until a
  clearing, a coarser tick or the next snapshot begins. While it is not, or while its best prices
  cross, nothing fills and nobody comes forward in a queue.
- At one moment the rows of the tape come first, then what reaches the venue (market ends,
  expiries, orders, cancels, each in the order of their sending), then what the venue says.
- A trade fills own orders of better price whole, those at its price by what is left once all
  before them are served; whatever own orders got did not go to strangers behind them.
- Where a quote of the other side stands at or through own orders in a trusted book, they meet, the
  best price first, then the one that came first.
"""

from __future__ import annotations

import heapq
import math
from fractions import Fraction

from l2_twin_book import (
    BUY,
    FOK,
    GTC,
    GTD,
    MONEY,
    NOBODY_KNOWS,
    SELL,
    Answer,
    Book,
    Heard,
    Own,
    Rules,
    Venue,
    Wishes,
    came_forward,
)

Row = tuple[int, str, int, int, int, int, bool, int]
"""time, kind, market (-1: one that nobody trades), side, price, size, if more of its update
follows, and who traded, counted from 1"""

CLOSES, EXPIRES, ARRIVES, PULLED = range(4)


class Twin:
    """All markets and the venue; :meth:`play` rows in the order of their time."""

    def __init__(self, markets: list[Rules], venue: Venue, wishes: Wishes, end: int = 0) -> None:
        self.books = [Book(rules) for rules in markets]
        self.venue = venue
        self.orders: dict[int, Own] = {}
        self.answers: list[Answer] = []
        self.tops: list[tuple[int, int, int, int]] = []
        """(market, time, bid, ask) as told, 0 for none; both 0 while not to be trusted"""
        self.heard: list[Heard] = []
        self._hears = Heard(0)
        self._end_of_tape = end
        self.off_grid = 0
        self._acts: list[tuple[int, int, int, int]] = []
        self._pushed = 0
        self._closing: set[int] = set()
        self._dirty: int | None = None
        self._wishes = wishes
        self._marks = [[(0, 0)] * len(markets) for _ in wishes.moves]

    # ---- what a driver does ----------------------------------------------------------------------

    def submit(self, own: Own, now: int) -> None:
        own.open = own.size
        self.orders[own.number] = own
        own.before = now + self.venue.took("entry", now)  # until it stands: when it arrives
        self._push(own.before, ARRIVES, own.number)

    def cancel(self, number: int, now: int) -> None:
        arrives = now + self.venue.took("cancel", now)
        own = self.orders[number]
        if own.state == "sent":
            assert own.before is not None
            arrives = max(arrives, own.before)
        self._push(arrives, PULLED, number)

    def settle(self, until: int, *, inclusive: bool = True) -> None:
        """Does what reaches the venue up to a moment."""
        while self._acts and (self._acts[0][0], not inclusive) <= (until, False):
            ts, what, _, about = heapq.heappop(self._acts)
            if what == CLOSES:
                for own in list(self.books[about].own):
                    self._end(own, "cancelled", "market_closed", ts)
                continue
            own = self.orders[about]
            if what == ARRIVES:
                self._arrive(own, ts)
            elif own.state == "rests":
                kind, why = ("expired", "") if what == EXPIRES else ("cancelled", "by_request")
                self._end(own, kind, why, ts)
            elif what == PULLED:
                self._say(own, "not_cancelled", ts, "unknown_order")
                self.answers[-1].open = self.answers[-1].mid = 0  # it says nothing else

    def play(self, row: Row) -> None:
        """One row of the tape."""
        ts, kind, m, side, price, size, more, wallet = row
        self.settle(ts, inclusive=False)
        if m >= 0:
            if self._dirty is not None and self._dirty != m:
                self._show(self._dirty, ts)
                self._dirty = None
            book = self.books[m]
            top = (book.best(BUY), book.best(SELL))
            changed = kind != "wallet" and getattr(self, f"_{kind}")(m, book, side, price, size, ts)
            if kind in ("trade", "wallet"):
                self._listen(m, price * size // book.rules.divisor, wallet)
            if changed or (kind == "level" and (book.best(BUY), book.best(SELL)) != top):
                self._dirty = m
            if self._meet(book, ts):
                self._dirty = m
        if not more and self._dirty is not None:
            self._show(self._dirty, ts)
            self._dirty = None
        if not more:
            self._tell(ts)

    # ---- rows ------------------------------------------------------------------------------------

    def _begin(self, m: int, book: Book, side: int, price: int, size: int, ts: int) -> bool:
        for own in book.own:
            own.before = book.sides[own.side].get(own.price, 0) if book.whole else None
        book.wipe()
        book.inside = True
        return True

    def _finish(self, m: int, book: Book, side: int, price: int, size: int, ts: int) -> bool:
        if not book.inside:
            return True  # the end of a snapshot whose begin nobody saw makes no book whole
        book.inside, book.whole, book.shallow = False, True, False
        for own in book.own:
            after = book.sides[own.side].get(own.price, 0)
            if own.before is not None and own.front != NOBODY_KNOWS:
                own.front = came_forward(self.venue, own, own.before, after)
            else:
                own.front = min(own.front, float(after))
            own.traded = 0
        return True

    def _level(self, m: int, book: Book, side: int, price: int, size: int, ts: int) -> bool:
        if not book.on_grid(price):
            self.off_grid += 1
            return False
        before = book.sides[side].get(price, 0)
        book.put(side, price, size)
        if book.known:
            self._came_forward(book, side, price, before, size)
        return False

    def _came_forward(self, book: Book, side: int, price: int, before: int, after: int) -> None:
        for own in book.own:
            if (own.side, own.price) == (side, price):
                own.front = came_forward(self.venue, own, before, after)
                own.traded = 0

    def _trade(self, m: int, book: Book, side: int, price: int, size: int, ts: int) -> bool:
        bid, ask = book.best(BUY), book.best(SELL)
        if side == 0 and bid is not None and price <= bid:
            side = SELL
        elif side == 0 and ask is not None and price >= ask:
            side = BUY
        book.trades += 1
        book.bought += size if side == BUY else 0
        book.sold += size if side == SELL else 0
        if not book.trusted or side == 0:
            return False
        ours = 0
        for own in [own for own in book.own if own.side == -side]:
            better = (own.price - price) * own.side
            if better > 0:
                self._fill(own, own.price, own.open, 0, ts)
            elif better == 0:
                left = size - ours
                turn = min(max(left - own.front, 0.0), float(own.open))
                own.front = max(own.front - left, 0.0)
                own.traded += left
                got = math.floor(turn) if self.venue.partial else own.open if turn > 0 else 0
                if got:
                    ours = min(ours + got, size)
                    self._fill(own, price, got, 0, ts)
        return False

    def _tick(self, m: int, book: Book, side: int, price: int, size: int, ts: int) -> bool:
        if price > 0 and price != book.tick:
            self._hears.tick = m
            if book.tick % price:
                book.wipe()
                book.inside = False
            book.tick = price
            for own in list(book.own):
                if (own.price - book.rules.base) % price:
                    self._end(own, "cancelled", "tick_changed", ts)
        return True

    def _clear(self, m: int, book: Book, side: int, price: int, size: int, ts: int) -> bool:
        book.wipe()
        book.inside = False
        return True

    def _quote(self, m: int, book: Book, side: int, price: int, size: int, ts: int) -> bool:
        there = price > 0 and size > 0
        if price > 0 and not book.on_grid(price):
            self.off_grid += 1
            return False
        if book.inside:
            return True  # the snapshot under way says it all
        before = book.sides[side].get(price, 0)
        if book.whole and not book.shallow:
            behind = {p: s for p, s in book.sides[side].items() if (p - price) * side < 0}
        else:
            behind, book.whole, book.shallow = {}, True, True
        book.sides[side] = {price: size, **behind} if there else {}
        for own in [own for own in book.own if own.side == side]:
            if there and own.price == price:
                own.front = came_forward(self.venue, own, before, size)
                own.traded = 0
            elif not there or (own.price - price) * side > 0:
                own.front, own.traded = 0.0, 0  # it stands alone before all that is known
        return True

    def _meet(self, book: Book, ts: int) -> bool:
        """Own orders at or through the other side's best; True when they took from the book."""
        took = False
        while book.trusted:
            crossing = [own for own in book.own if book.within(own.side, own.price)]
            if not crossing:
                break
            own = min(crossing, key=lambda own: (-own.price * own.side, book.own.index(own)))
            if not self.venue.partial:
                self._fill(own, own.price, own.open, 0, ts)
                continue
            price = book.within(own.side, own.price)[0]
            rests = book.sides[-own.side][price]
            got = min(rests, own.open)
            self._fill(own, own.price, got, 0, ts)
            book.put(-own.side, price, rests - got)
            took = True
        return took

    # ---- the venue -------------------------------------------------------------------------------

    def _unsound(self, own: Own, book: Book, ts: int) -> str:
        rules, patient = book.rules, own.tif in (GTC, GTD)
        buys = own.side == (BUY if own.yes else SELL)  # of its own token
        if rules.ends is not None and ts >= rules.ends:
            return "market_closed"
        if own.tif == GTD and own.expires <= ts:
            return "bad_expiry"
        if own.post and not patient:
            return "bad_post_only"
        if not book.on_grid(own.price):
            return "bad_price"
        if own.size <= 0 or (own.size < rules.least and (patient or buys)):
            return "bad_size"
        paid = own.price if own.yes else rules.one - own.price
        if (
            buys
            and not patient
            and math.ceil(Fraction(paid * own.size, rules.divisor)) < (self.venue.least_buy)
        ):
            return "too_cheap"
        if book.known and own.post and book.within(own.side, own.price):
            return "crosses"
        met = any(o.side != own.side and (own.price - o.price) * own.side >= 0 for o in book.own)
        return "self_trade" if met else ""

    def _arrive(self, own: Own, ts: int) -> None:
        book = self.books[own.market]
        own.before = None
        if why := self._unsound(own, book, ts):
            self._end(own, "rejected", why, ts)
            return
        self._say(own, "accepted", ts)
        ends = book.rules.ends
        if ends is not None and own.market not in self._closing and not self._never(ends):
            self._closing.add(own.market)
            self._push(book.rules.ends, CLOSES, own.market)
        patient = own.tif in (GTC, GTD)
        if not book.trusted and not patient:
            self._end(own, "cancelled", "untrusted", ts)
            return
        if own.tif == FOK:
            there = sum(book.sides[-own.side][p] for p in book.within(own.side, own.price))
            if there < own.open:
                self._end(own, "cancelled", "not_filled_whole", ts)
                return
        if book.trusted and not own.post and self._take(own, book, ts):
            self._show(own.market, ts)
            if self._hears:
                self._tell(ts)
        if own.state == "ended":
            return
        if not patient:
            empty = book.best(-own.side) is None
            self._end(own, "cancelled", "empty_book" if empty else "out_of_limit", ts)
            return
        stands = book.sides[own.side].get(own.price, 0)
        best = book.best(own.side)
        behind = best is not None and (own.price - best) * own.side <= 0
        known = book.known and not (book.shallow and stands == 0 and behind)
        own.front = float(stands) if known else NOBODY_KNOWS
        own.before = stands if known else None
        own.state = "rests"
        book.own.append(own)
        if own.tif == GTD and not self._never(own.expires):
            self._push(own.expires, EXPIRES, own.number)

    def _never(self, ts: int) -> bool:
        """Nothing happens by itself after the tape's end."""
        return 0 < self._end_of_tape < ts

    def _take(self, own: Own, book: Book, ts: int) -> bool:
        took = False
        for price in book.within(own.side, own.price):
            if own.open == 0:
                break
            rests = book.sides[-own.side][price]
            got = min(rests, own.open)
            self._fill(own, price, got, self.fee(book.rules, price, got), ts)
            book.put(-own.side, price, rests - got)
            took = True
        return took

    @staticmethod
    def fee(rules: Rules, price: int, size: int) -> int:
        """shares x rate x (p x (1 - p))**exponent, half up to 0.00001."""
        p = Fraction(price, rules.one)
        money = Fraction(size * rules.one, rules.divisor) * Fraction(rules.rate, MONEY)
        return math.floor(money * (p * (1 - p)) ** rules.exponent / 10 + Fraction(1, 2)) * 10

    # ---- small parts -----------------------------------------------------------------------------

    def _push(self, ts: int, what: int, about: int) -> None:
        self._pushed += 1
        heapq.heappush(self._acts, (ts, what, self._pushed, about))

    def _say(self, own: Own, kind: str, ts: int, why: str = "", **more: int) -> None:
        known = ts + self.venue.took("response", ts)
        if self.answers:
            known = max(known, self.answers[-1].known)
        self.answers.append(
            Answer(
                kind,
                own.number,
                known,
                ts,
                why,
                maker=own.state == "rests",
                open=own.open,
                mid=self.books[own.market].twice_mid(),
                **more,
            )
        )

    def _fill(self, own: Own, price: int, size: int, fee: int, ts: int) -> None:
        own.open -= size
        self._say(own, "filled", ts, price=price, size=size, fee=fee)
        if own.open == 0:
            self._remove(own)

    def _end(self, own: Own, kind: str, why: str, ts: int) -> None:
        self._say(own, kind, ts, why)
        self._remove(own)

    def _remove(self, own: Own) -> None:
        own.told = self.answers[-1].known
        if own.state == "rests":
            self.books[own.market].own.remove(own)
        own.state = "ended"

    def _show(self, m: int, ts: int) -> None:
        """Tells a market's best prices, and who wanted to hear of their move."""
        book = self.books[m]
        bid, ask = book.best(BUY) or 0, book.best(SELL) or 0
        if not book.trusted or bid + ask == 0:
            self.tops.append((m, ts, 0, 0))
            return
        self.tops.append((m, ts, bid, ask))
        for k, moves in enumerate(self._wishes.moves):
            was = self._marks[k][m]
            if moves[m] and max(abs(bid - was[0]), abs(ask - was[1])) >= moves[m]:
                self._marks[k][m] = (bid, ask)
                self._hears.moved[m] = self._hears.moved.get(m, 0) | 1 << k

    def _listen(self, m: int, worth: int, wallet: int) -> None:
        """Who wants to hear of a trade: for what it is worth, or for who traded."""
        for k, prints in enumerate(self._wishes.prints):
            if 0 < prints[m] <= worth:
                self._hears.trades |= 1 << k
        if 0 < wallet <= len(self._wishes.wallets):
            self._hears.trades |= self._wishes.wallets[wallet - 1]

    def _tell(self, ts: int) -> None:
        if self._hears:
            self._hears.ts = ts
            self.heard.append(self._hears)
        self._hears = Heard(0)
