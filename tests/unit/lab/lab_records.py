"""A plain trading loop over the shipped sample: real fills, fees and settlements for reports."""

from __future__ import annotations

import numpy as np

from polyframe.domain.effects import OrderReviewed, PositionSettled
from polyframe.domain.market import FeeSchedule, Market
from polyframe.domain.orders import Side
from polyframe.domain.portfolio import Fill, Portfolio
from polyframe.domain.quality import UNQUOTED
from polyframe.domain.units import proceeds_of
from polyframe.domain.verdict import Verdict
from polyframe.domain.wishes import Intent
from polyframe.lab.record import (
    Code,
    ConfigUsed,
    DataSlice,
    FillRecord,
    ForecastCounts,
    ForecastsUsed,
    Judgement,
    LeftOpen,
    Manifest,
    PluginsUsed,
    RunRecord,
    UnquotedCounts,
)
from polyframe.lab.synth import sample_dir
from polyframe.store.catalogue import Catalogue

FEE = FeeSchedule(rate=40_000)
LEDGER = "LLMForecast"
HALF_SPREAD = 50
CASH = 1_000_000_000


def manifest(**changes) -> Manifest:
    fields = {
        "code": Code("0.1.0", "a" * 64),
        "plugins": PluginsUsed("b" * 64, ("strategy:LLMForecast",)),
        "config": ConfigUsed("c" * 64, {"version": 1}),
        "data": DataSlice("d" * 64, "sample", 120, 0, 10, synthetic=True),
        "forecasts": ForecastsUsed("e" * 64, ("synthetic",)),
        "seed": 7,
    }
    return Manifest(**{**fields, **changes})


def bare_record(markets: list[Market] = (), **changes) -> RunRecord:
    fields = {
        "manifest": manifest(),
        "start_cash": CASH,
        "markets": markets,
        "groups": [],
        "resolutions": {},
        "fills": [],
        "settlements": [],
        "reviews": [],
        "left_open": [],
        "equity_ts": np.empty(0, dtype=np.int64),
        "equity": np.empty(0, dtype=np.int64),
    }
    return RunRecord(**{**fields, **changes})


class Loop:
    """Buys what a forecast says is cheap, sells when it no longer does, else holds to the end."""

    def __init__(self, end: int | None = None) -> None:
        catalogue = Catalogue.open(sample_dir())
        self.markets = [replaced(m) for m in catalogue.markets()]
        self.groups = catalogue.groups()
        self.resolutions = catalogue.resolutions()
        self.prices = catalogue.prices(self.markets, None, end)
        self.frame = catalogue.frame("forecasts")
        self.books = Portfolio({LEDGER: CASH})
        self.last: dict[int, int] = {}
        self.fills: list[FillRecord] = []
        self.settled: list[PositionSettled] = []
        self.reviews: list[OrderReviewed] = []
        self.judged: list[Judgement] = []
        self.refused = 0

    def value(self) -> int:
        total = self.books.cash[LEDGER]
        for n, market in enumerate(self.markets):
            for token in market.tokens:
                held = self.books.holding(LEDGER, token.id).shares
                if held:
                    total += proceeds_of(self.bid(n, token.id), held, market.divisor)
        return total

    def bid(self, n: int, token: str) -> int:
        market = self.markets[n]
        mid = self.last[n] if token == market.yes.id else 10_000 - self.last[n]
        return max(mid - HALF_SPREAD, market.tick)

    def trade(self, ts: int, n: int, p: float, flag: int) -> None:
        market = self.markets[n]
        mid = self.last[n]
        self.judged.append(Judgement(market.id, ts, p, mid / 10_000, "synthetic"))
        for token, belief, fair in (
            (market.yes.id, p, mid), (market.no.id, 1 - p, 10_000 - mid)
        ):  # fmt: skip
            held = self.books.holding(LEDGER, token).shares
            ask, bid = min(fair + HALF_SPREAD, 9_990), self.bid(n, token)
            edge = belief - ask / 10_000 - 0.04 * ask * (10_000 - ask) / 1e8
            if not held and edge > 0.04:
                side, price, size, why = Side.BUY, ask, 20_000_000, "edge after fees"
            elif held and belief < bid / 10_000 - 0.02:
                side, price, size, why = Side.SELL, bid, held, "forecast fell below the bid"
            else:
                continue
            if flag & UNQUOTED:
                self.refused += 1
                continue
            self.fill(ts, market, token, side, price, size, why, flag, mid, belief, edge)

    def fill(self, ts, market, token, side, price, size, why, flag, mid, belief, edge) -> None:
        order = f"s-{len(self.reviews) + 1}"
        asked = 2 * size if len(self.reviews) % 7 == 0 else size
        intent = Intent(token=token, side=side, probability=belief, edge=edge, reason=why)
        verdict = Verdict.from_size("MaxStake", size, asked, "stake above 2 % of equity")
        review = OrderReviewed(ts, LEDGER, order, intent, asked, size, (verdict,))
        self.reviews.append(review)
        fee = market.taker_fee(price, size)
        fill = Fill(order + "-t", order, LEDGER, market.id, token, side, price, size, fee, ts)
        self.books.fill(fill, market.divisor)
        self.fills.append(FillRecord(fill, flag, mid, review))

    def settle(self, ts: int, market: Market) -> None:
        ended = self.resolutions[market.id]
        for token, payout in zip(market.tokens, ended.payouts, strict=True):
            held = self.books.holding(LEDGER, token.id)
            if not held.shares:
                continue
            before = self.books.cash[LEDGER]
            self.books.redeem(LEDGER, token.id, payout, held.shares, market.size_decimals)
            received = self.books.cash[LEDGER] - before
            self.settled.append(
                PositionSettled(
                    ts, LEDGER, market.id, token.id, held.shares, payout, received,
                    received - held.cost,
                )
            )  # fmt: skip

    def run(self, end: int | None = None) -> RunRecord:
        index = {market.id: n for n, market in enumerate(self.markets)}
        told = self.frame
        events: list[tuple[int, int, int, float]] = [
            (int(known_at), 1, index[market], float(p))
            for known_at, market, p in zip(
                told["known_at"], told["market_id"], told["probability"], strict=True
            )
        ]
        events += [(r.known_at, 2, index[m], 0.0) for m, r in self.resolutions.items()]
        p = self.prices
        events += [(int(p.ts[i]), 0, int(p.market[i]), float(i)) for i in range(len(p))]
        events = [event for event in events if end is None or event[0] <= end]
        flags: dict[int, int] = {}
        times, equity = [], []
        for ts, kind, n, x in sorted(events):
            if times and ts // 3_600_000_000_000 != times[-1] // 3_600_000_000_000:
                times.append(ts)
                equity.append(self.value())
            elif not times:
                times.append(ts)
                equity.append(CASH)
            if kind == 0:
                self.last[n], flags[n] = int(p.price[int(x)]), int(p.flag[int(x)])
            elif kind == 1:
                self.trade(ts, n, x, flags[n])
            else:
                self.settle(ts, self.markets[n])
        times.append(max(ts for ts, *_ in events))
        equity.append(self.value())
        return self.record(np.array(times), np.array(equity))

    def record(self, times: np.ndarray, equity: np.ndarray) -> RunRecord:
        left = []
        for n, market in enumerate(self.markets):
            for token in market.tokens:
                held = self.books.holding(LEDGER, token.id)
                if held.shares:
                    value = proceeds_of(self.bid(n, token.id), held.shares, market.divisor)
                    left.append(LeftOpen(LEDGER, token.id, held.shares, held.cost, value))
        return RunRecord(
            manifest=manifest(
                data=DataSlice("d" * 64, "sample", 120, int(times[0]), int(times[-1]), True)
            ),
            start_cash=CASH,
            markets=self.markets,
            groups=self.groups,
            resolutions=self.resolutions,
            fills=self.fills,
            settlements=self.settled,
            reviews=self.reviews,
            left_open=left,
            equity_ts=times,
            equity=equity,
            forecasts=ForecastCounts(len(self.judged), 3, 1, 0, {"synthetic": len(self.judged)}),
            denials={"MaxStake": 4, "MinimumEdge": 31},
            refusals={"market closed": 2},
            unquoted=UnquotedCounts(
                len(self.prices), int(np.sum((self.prices.flag & UNQUOTED) > 0)), self.refused
            ),
            timings={"data": 0.2, "engine": 1.4},
            judgements=self.judged,
        )


def replaced(market: Market) -> Market:
    import msgspec

    return msgspec.structs.replace(market, fee=FEE)


def sample_record(end: int | None = None) -> RunRecord:
    return Loop(end).run(end)
