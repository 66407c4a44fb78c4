"""The simulated venue over a tape: its tables, and the words for what it answers."""

from __future__ import annotations

from collections.abc import Iterator, Mapping, Sequence
from typing import Any

import numpy as np
from numpy.typing import NDArray

from polyframe.domain.market import Market, Resolution
from polyframe.domain.units import DAY, MONEY_ONE, Ns
from polyframe.errors import DataError
from polyframe.exchanges.sim.earnings import Earnings, Payment, write_terms
from polyframe.exchanges.sim.market_rows import write_market
from polyframe.exchanges.sim.probes import probes_of
from polyframe.exchanges.sim.settings import PPM, SimSettings
from polyframe.exchanges.sim.terms import RewardTerms, terms_of
from polyframe.kernels import acts_nb, queue_nb, rewards_nb
from polyframe.kernels import barmatch_nb as bm
from polyframe.kernels import book_nb as b
from polyframe.kernels import booking_nb as bk
from polyframe.kernels import l2columns_nb as c

Ints = NDArray[np.int64]

SLOTS = 64
ROOM = 4_096
MOST_LEVELS = 1 << 20


class TapeVenue:
    """The tables that ``kernels.l2run_nb`` works on; ``kernels.l2columns_nb`` names their columns.

    Attributes:
        rules: a row a market, columns in ``kernels.barmatch_nb``.
        ticks: the finest tick of each market on the tape: its book has room for it.
    """

    def __init__(
        self,
        markets: Sequence[Market],
        resolutions: Mapping[str, Resolution],
        settings: SimSettings,
        ticks: Mapping[str, int],
        centres: Mapping[str, int],
    ) -> None:
        self.markets = list(markets)
        self.settings = settings
        self.at: Ints = np.zeros(c.C_SIZE_OF, np.int64)
        self.at[c.C_FOLLOWS] = bm.NEVER
        self.rules: Ints = np.zeros((len(self.markets), c.U_SIZE_OF), np.int64)
        terms = terms_of(settings.rewards, self.markets)
        for rule, market, wanted in zip(self.rules, self.markets, terms, strict=True):
            _fill(rule, market, ends_of(market, resolutions.get(market.id)))
            write_terms(rule, wanted, market, rebates=settings.maker_rebates)
        least = int(settings.least_paid * MONEY_ONE)
        self.earnings = Earnings(self.markets, terms, settings.settle, least)
        self.desk, self.levels = _books(self.markets, ticks, centres, settings.book_steps)
        self.terms: NDArray[np.float64] = np.array(
            [_seen(*pair, settings) for pair in zip(self.markets, terms, strict=True)]
        )
        self.conf = _conf(settings)
        self.probes, self.conf[c.F_PROBES : c.F_PROBES + c.LEGS] = probes_of(settings)
        if self.probes[2 * c.FEED + 1].any():
            # Books that are seen and then those of the venue, with rules of their own.
            self.conf[c.F_LATE] = len(self.markets)
            self.desk, self.levels, self.rules = (
                np.concatenate([table, table]) for table in (self.desk, self.levels, self.rules)
            )
        self.orders: Ints = np.zeros((0, c.V_SIZE_OF), np.int64)
        self.front: NDArray[np.float64] = np.zeros(0)
        self.acts: Ints = np.zeros((0, acts_nb.A_SIZE_OF), np.int64)
        room = _power_of_two(max(ROOM, 2 * self.levels.shape[1]))
        self.answers: Ints = np.zeros((room, c.X_SIZE_OF), np.int64)
        self.make_room(SLOTS)

    @property
    def books(self) -> tuple[Ints, Ints]:
        """As the kernels take them."""
        return self.desk, self.levels

    @property
    def venue(self) -> tuple[Any, ...]:
        """As the kernels take it."""
        return (
            self.orders, self.front, self.acts, self.answers, self.rules, self.conf, self.probes,
        )  # fmt: skip

    @property
    def feed_probes(self) -> tuple[Ints, Ints] | None:
        """When the feed's latency was measured and what it was; None: rows are seen at once."""
        if not self.conf[c.F_LATE]:
            return None
        n = int(self.conf[c.F_PROBES + c.FEED])
        return self.probes[2 * c.FEED, :n], self.probes[2 * c.FEED + 1, :n]

    def make_room(self, slots: int) -> None:
        """Room for so many own orders at once; those there are stay where they are."""
        have = len(self.orders)
        if slots <= have:
            return
        self.orders = _longer(self.orders, slots)
        self.front = _longer(self.front, slots)
        self.acts = _longer(self.acts, max(4 * slots + len(self.markets) + 16, len(self.acts)))
        self.orders[have:, c.V_NEXT] = np.arange(have + 2, slots + 2)
        self.orders[-1, c.V_NEXT] = self.at[c.C_FREE]
        self.at[c.C_FREE] = have + 1
        if len(self.answers) < 16 * slots:
            self.widen(16 * slots)

    def begin(self, start: Ns, end: Ns) -> None:
        """Opens the venue from one moment to another: it samples and pays between them."""
        self.at[c.C_END] = end
        self.earnings.begin(start, end)
        first = rewards_nb.next_sample(start)
        if first <= end and (self.rules[:, c.U_SPREAD] > 0).any():
            self.push(first, c.SAMPLE, int(self.conf[c.F_LATE]), 0)

    def ledger(self, name: str) -> int:
        """The number of a ledger; its first order makes room for what it earns."""
        k = self.earnings.place(name)
        missing = c.D_SIZE_OF + c.EARNED_OF * (k + 1) - self.desk.shape[1]
        if missing > 0:
            self.desk = np.pad(self.desk, ((0, 0), (0, missing)))
        return k

    def credit(self, answer: Sequence[int], price: int, ledger: str) -> None:
        """Counts a maker's fill towards its rebate where the fee passes 64 bits.

        The kernels do it where it does not.
        """
        m = answer[c.X_MARKET]
        if self.rules[m, bm.R_RATE] >= 0 or not self.rules[m, c.U_REBATE]:
            return
        day = answer[c.X_TS] // DAY % 2
        place = c.D_SIZE_OF + c.EARNED_OF * self.earnings.place(ledger) + 2 * day + 1
        fee = self.markets[m].taker_fee(price, answer[c.X_SIZE])
        self.desk[m + self.conf[c.F_LATE], place] += fee

    def pay(self) -> Iterator[Payment]:
        """Pays the day that is due."""
        earned = self.desk[self.conf[c.F_LATE] :, c.D_SIZE_OF :]
        return self.earnings.pay(earned, self.settings.fee_stress)

    def push(self, ts: Ns, what: int, slot: int, number: int) -> None:
        """Sends something to the venue.

        Ends of markets come by themselves, and the expiry of an order stays when the order goes.
        """
        self.make_way(int(self.at[c.C_ACTS]) + len(self.markets) + 2)
        acts_nb.push(self.acts, self.at, ts, what, slot, number)

    def make_way(self, acts: int) -> None:
        """Room for so many things at once that are on their way to the venue."""
        if acts > len(self.acts):
            self.acts = _longer(self.acts, max(acts, 2 * len(self.acts)))

    def widen(self, room: int) -> None:
        """Room for so many answers, at least, that nobody has taken yet."""
        room = _power_of_two(room)
        kept, old = np.zeros((room, c.X_SIZE_OF), np.int64), self.answers
        for n in range(int(self.at[c.C_TAKEN]), int(self.at[c.C_HEAD])):
            kept[n % room] = old[n % len(old)]
        self.answers = kept

    def ends(self, m: int) -> Ns | None:
        """When trading in a market ends, None when that is not known."""
        found = int(self.rules[m, bm.R_ENDS])
        return None if found >= bm.NEVER else found


def _power_of_two(room: int) -> int:
    """The first power of two that is no less: a ring of such a size needs no division."""
    return 1 << (room - 1).bit_length()


def ends_of(market: Market, resolution: Resolution | None) -> Ns | None:
    """When trading ends: its closing time, or the moment the outcome was known if that is first."""
    bounds = [market.closes] if market.closes else []
    if resolution is not None:
        bounds.append(resolution.known_at)
    return min(bounds) if bounds else None


def _fill(rule: Ints, market: Market, ends: Ns | None) -> None:
    fee = market.fee
    if fee is None:
        raise DataError(
            f"market {market.id} has no fee schedule",
            expected="markets passed through SimExchange.rules() first",
        )
    fits = bk.fits(
        market.max_size, market.price_one, market.divisor, fee.rate, fee.exponent, market.max_price
    )
    write_market(rule, market)
    if not fits:
        rule[bm.R_RATE] = -1
    rule[c.U_MAKER] = (fee.maker if fits else -1) if fee.maker and not fee.exponent else 0
    rule[bm.R_ENDS] = bm.NEVER if ends is None else ends


def _seen(market: Market, terms: RewardTerms | None, settings: SimSettings) -> list[float]:
    """What a strategy sees of a market's rewards and rebates: see ``kernels.seen_nb``."""
    paid = market.fee is not None and settings.maker_rebates
    rebate = market.fee.rebate / PPM if market.fee is not None and paid else 0.0
    if terms is None or not terms.day:
        return [0.0, 0.0, 0.0, rebate]
    return [terms.max_spread, terms.min_size, terms.day, rebate]


def _books(
    markets: Sequence[Market], ticks: Mapping[str, int], centres: Mapping[str, int], steps: int
) -> tuple[Ints, Ints]:
    """The desk, and empty levels with room for the finest tick of each market.

    A market whose prices have no bounds has a window of so many steps around its first price.
    """
    desk = np.zeros((len(markets), c.D_SIZE_OF + c.EARNED_OF), np.int64)
    for own, market in zip(desk, markets, strict=True):
        own[b.K_TICK] = market.tick
        if market.binary:
            own[b.K_ONE] = market.price_one
        else:
            finest = ticks.get(market.id, market.tick)
            own[b.K_ONE] = steps * finest
            own[b.K_MOVES] = 1
            middle = centres.get(market.id, 0) // market.tick * market.tick
            own[b.K_BASE] = max(middle - steps // 2 * finest, 0) // market.tick * market.tick
        own[[c.D_BUY_LOW, c.D_SELL_LOW]] = c.NO_STEP
        own[[c.D_BUY_HIGH, c.D_SELL_HIGH]] = -1
    most = max(
        int(own[b.K_ONE]) // ticks.get(market.id, market.tick) + 1
        for own, market in zip(desk, markets, strict=True)
    )
    if most > MOST_LEVELS:
        raise DataError(
            f"a book of {most:,} price steps", expected=f"at most {MOST_LEVELS:,}: a coarser tick"
        )
    desk[:, b.K_ASK] = most
    return desk, np.zeros((2 * len(markets), most), np.int64)


def _conf(settings: SimSettings) -> Ints:
    conf = np.zeros(c.F_SIZE_OF, np.int64)
    conf[c.F_QUEUE] = queue_nb.MODES.index(settings.queue)
    conf[c.F_PARTIAL] = 1 if settings.partial_fills else 0
    conf[c.F_LEAST_BUY] = MONEY_ONE
    conf[c.F_POWER] = round(settings.queue_power * PPM)
    return conf


def _longer(table: Any, rows: int) -> Any:
    longer = np.zeros((rows, *table.shape[1:]), table.dtype)
    longer[: len(table)] = table
    return longer
