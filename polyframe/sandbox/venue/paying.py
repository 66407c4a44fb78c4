"""What the venue pays: makers' rebates, liquidity rewards by the minute, interest on positions.

Rebates come out of the fees that were taken; rewards and interest are the venue's own money, which
comes in from outside when it is paid.
"""

from __future__ import annotations

from msgspec import Struct, field

from polyframe.domain.units import DAY, HOUR, MINUTE, taker_fee
from polyframe.kernels import rewards_nb
from polyframe.quant.rewards import maker_rebate, reward_share
from polyframe.sandbox.venue.floor import Floor
from polyframe.sandbox.venue.market import Market
from polyframe.sandbox.venue.matching import DIVISOR, Match
from polyframe.sandbox.venue.records import PRICE_ONE, RATE

MINUTES_A_DAY = 1_440
HOURS_A_YEAR = 8_760
SECOND = 1_000_000_000


class Earning(Struct, frozen=True):
    """What a wallet earned in a market on a day: REWARD, MAKER_REBATE or YIELD.

    ``paid`` says whether it was paid: small amounts are not, and today's are not yet.
    """

    day: int
    address: str
    condition_id: str
    kind: str
    money: int
    paid: bool = False


class Pool(Struct):
    """A market's day of rebates: what takers' fees give, and who made how much of its volume."""

    money: int = 0
    makers: dict[str, int] = field(default_factory=dict)
    """what takers would have paid for what each maker filled"""


class Paying:
    """Samples, days and what they come to."""

    __slots__ = (
        "_held",
        "_hourly",
        "_minutely",
        "_past",
        "_pools",
        "_rewarded",
        "_shares",
        "floor",
    )

    def __init__(self, floor: Floor) -> None:
        self.floor = floor
        self._shares: dict[str, dict[str, float]] = {}
        """today's minutes by market and wallet: 1 is a whole minute's pool"""
        self._pools: dict[str, Pool] = {}
        self._held: dict[str, dict[str, int]] = {}
        """today's value x rate of hours by market and wallet"""
        self._past: dict[int, list[Earning]] = {}
        self._rewarded: list[Market] = []
        """markets that pay for resting orders and are not resolved"""
        self._minutely = False
        self._hourly = False
        now = floor.clock.now
        floor.clock.at((now // DAY + 1) * DAY, self._day)

    def listed(self, market: Market) -> None:
        """Begins to sample, with the first market that has something to pay."""
        clock = self.floor.clock
        if market.listing.rewards.daily:
            self._rewarded.append(market)
        if market.listing.rewards.daily and not self._minutely:
            self._minutely = True
            clock.at(rewards_nb.next_sample(clock.now), self._minute)
        if market.listing.holding_rate and not self._hourly:
            self._hourly = True
            clock.at((clock.now // HOUR + 1) * HOUR, self._hour)

    def mined(self, match: Match) -> None:
        """Counts a match for its makers' rebates."""
        fees = match.market.listing.fees
        if not match.fee or not fees.rebate_rate:
            return
        pool = self._pools.setdefault(match.market.condition_id, Pool())
        pool.money += match.fee * fees.rebate_rate // RATE
        for leg in match.legs:
            fill = leg.fill
            worth = taker_fee(fill.price, fill.size, fees.rate, fees.exponent, PRICE_ONE, DIVISOR)
            pool.makers[fill.address] = pool.makers.get(fill.address, 0) + worth

    # ---- liquidity rewards -----------------------------------------------------------------------

    def points(self, market: Market) -> dict[str, float]:
        """What every wallet would score in a market if it were sampled now.

        Source: docs.polymarket.com/market-makers/liquidity-rewards.
        """
        terms = market.listing.rewards
        if not terms.max_spread or not market.booked:
            return {}
        before = self.floor.clock.now - terms.min_age * SECOND
        sides: dict[str, list[float]] = {}
        for slot, points, side in market.book.scores(terms.max_spread, terms.min_size, before):
            both = sides.setdefault(market.resting[slot].maker, [0.0, 0.0])
            both[0 if side > 0 else 1] += points
        if not sides:
            return {}
        middle = market.book.middle(terms.min_size)
        central = int(PRICE_ONE <= 5 * middle <= 9 * PRICE_ONE)
        return {
            address: counted
            for address, (one, two) in sides.items()
            if (counted := rewards_nb.counted(one, two, central)) > 0.0
        }

    def scoring(self, order_id: str) -> bool:
        """Whether an order would score if it were sampled now."""
        order = self.floor.orders.get(order_id)
        if order is None or not order.slot:
            return False
        market = self.floor.markets[order.condition_id]
        terms = market.listing.rewards
        if not terms.max_spread or order.maker not in self.points(market):
            return False
        before = self.floor.clock.now - terms.min_age * SECOND
        scores = market.book.scores(terms.max_spread, terms.min_size, before)
        return any(slot == order.slot and points > 0.0 for slot, points, _ in scores)

    def _minute(self) -> None:
        self._rewarded = [market for market in self._rewarded if not market.closed]
        for market in self._rewarded:
            if not market.accepting:
                continue
            points = self.points(market)
            total = sum(points.values())
            shares = self._shares.setdefault(market.condition_id, {})
            for address, own in points.items():
                got = reward_share(own, max(total - own, 0.0)) * self.floor.every
                shares[address] = shares.get(address, 0.0) + got
        clock, more = self.floor.clock, (self.floor.every - 1) * MINUTE
        clock.at(rewards_nb.next_sample(clock.now + more), self._minute)

    # ---- interest --------------------------------------------------------------------------------

    def _hour(self) -> None:
        history = self.floor.history
        for market in self.floor.markets.values():
            rate = market.listing.holding_rate
            if not rate or market.closed:
                continue
            held = self._held.setdefault(market.condition_id, {})
            for position in history.positions(market=market.condition_id):
                worth = history.worth(position)
                if worth:
                    held[position.wallet] = held.get(position.wallet, 0) + worth * rate
        self.floor.clock.at(self.floor.clock.now + HOUR, self._hour)

    # ---- days ------------------------------------------------------------------------------------

    def today(self) -> list[Earning]:
        """What today has come to so far."""
        return self._earned(self.floor.clock.now // DAY)

    def earned(self, day: int) -> list[Earning]:
        """What a day came to, counted from 1970; today's so far."""
        return self.today() if day == self.floor.clock.now // DAY else self._past.get(day, [])

    def _earned(self, day: int) -> list[Earning]:
        found: list[Earning] = []
        for cid, shares in self._shares.items():
            daily = self.floor.markets[cid].listing.rewards.daily
            for address, share in shares.items():
                money = int(daily * (share / MINUTES_A_DAY))
                found.append(Earning(day, address, cid, "REWARD", money))
        for cid, pool in self._pools.items():
            total, left = sum(pool.makers.values()), pool.money
            for address, own in pool.makers.items():
                # Rounding of the quotient must never pay more than there is.
                money = min(left, int(maker_rebate(float(own), float(total), float(pool.money))))
                left -= money
                found.append(Earning(day, address, cid, "MAKER_REBATE", money))
        for cid, held in self._held.items():
            for address, worth in held.items():
                money = worth // (RATE * HOURS_A_YEAR)
                found.append(Earning(day, address, cid, "YIELD", money))
        return [row for row in found if row.money > 0]

    def _day(self) -> None:
        """Pays what yesterday came to, kind by kind, and begins a new day."""
        floor, now = self.floor, self.floor.clock.now
        day = now // DAY - 1
        rows = self._earned(day)
        totals: dict[tuple[str, str], int] = {}
        for row in rows:
            key = (row.address, row.kind)
            totals[key] = totals.get(key, 0) + row.money
        least = floor.settings.least_paid
        self._past[day] = [
            Earning(
                row.day,
                row.address,
                row.condition_id,
                row.kind,
                row.money,
                paid=self._pay(now, row) if totals[row.address, row.kind] >= least else False,
            )
            for row in rows
        ]
        self._shares, self._pools, self._held = {}, {}, {}
        floor.history.day_began(now)
        floor.clock.at(now + DAY, self._day)

    def _pay(self, now: int, row: Earning) -> bool:
        accounts = self.floor.accounts
        wallet = accounts.wallet(row.address)
        if row.kind == "MAKER_REBATE":
            accounts.fees -= row.money
            accounts.pay(wallet, row.money)
        else:
            accounts.deposit(wallet, row.money)
        self.floor.history.paid(now, row.address, row.kind, row.money, row.condition_id)
        return True
