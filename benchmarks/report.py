"""The report of a large run: building it, storing it, showing it, the page."""

from __future__ import annotations

import tempfile
from collections.abc import Iterator
from datetime import UTC, datetime
from io import StringIO
from pathlib import Path

import numpy as np
from rich.console import Console

from benchmarks.figures import Figure, figure, timed
from polyframe.domain.effects import OrderReviewed, PositionSettled
from polyframe.domain.market import FeeSchedule, Group, GroupKind, Market, Resolution, Token
from polyframe.domain.orders import Side
from polyframe.domain.portfolio import Fill, Portfolio
from polyframe.domain.units import HOUR
from polyframe.domain.verdict import Verdict
from polyframe.domain.wishes import Intent
from polyframe.lab.html import save_html
from polyframe.lab.record import (
    Code,
    ConfigUsed,
    DataSlice,
    FillRecord,
    ForecastsUsed,
    Judgement,
    Manifest,
    PluginsUsed,
    RunRecord,
)
from polyframe.lab.report import render
from polyframe.lab.results import load_report, write_run
from polyframe.lab.summary import build

CASH = 10**12
SHARES = 10_000_000
GUARDS = 20
START = 1_788_000_000 * 10**9
FILLS, MARKETS = 45_000, 500
TARGET_S = 5.0
"""Reading a stored run and showing it, as tables or as a page."""

MANIFEST = Manifest(
    Code("benchmark", ""), PluginsUsed(""), ConfigUsed(""),
    DataSlice("", "generated", MARKETS, 0, 1, True), ForecastsUsed(""), 7,
)  # fmt: skip


class Loop:
    """Buys and sells every market in turn at a wandering mid, every order past twenty guards."""

    def __init__(self, count: int) -> None:
        fee = FeeSchedule(rate=40_000)
        self.markets = [
            Market(
                id=f"m{n}", question=f"Will thing {n} happen?", group=f"e{n // 2}", fee=fee,
                tokens=(Token(f"m{n}y", "Yes"), Token(f"m{n}n", "No")),
                category=("politics", "sports", "tech")[n % 3],
            )
            for n in range(count)
        ]  # fmt: skip
        kinds = list(GroupKind)
        self.groups = [
            Group(f"e{n}", (f"m{2 * n}", f"m{2 * n + 1}"), kinds[n % 3]) for n in range(count // 2)
        ]
        self.rng = np.random.default_rng(3)
        self.mids = self.rng.uniform(0.1, 0.9, count)
        self.books = Portfolio({"A": CASH})
        self.fills: list[FillRecord] = []
        self.judged: list[Judgement] = []
        allow = [Verdict.from_size(f"Guard{k}", SHARES, SHARES) for k in range(GUARDS)]
        shrink = Verdict.from_size("Guard0", SHARES, 2 * SHARES, "too much")
        self.panels = (tuple(allow), (shrink, *allow[1:]))

    def trade(self, ts: int, n: int, turn: int) -> None:
        market, p = self.markets[n], float(self.mids[n])
        mid, buy = int(p * 10_000), turn % 2 == 0
        self.judged.append(
            Judgement(market.id, ts, p, mid / 1e4, "ab"[n % 2], ("high", "low")[n % 2])
        )
        side, price = (Side.BUY, mid + 50) if buy else (Side.SELL, mid - 50)
        order = f"s-{len(self.fills) + 1}"
        intent = Intent(
            token=market.yes.id, side=side, probability=min(0.99, p + 0.03),
            reason="edge" if buy else "thesis",
        )  # fmt: skip
        panel = self.panels[turn % 5 == 0]
        review = OrderReviewed(ts, "A", order, intent, SHARES, SHARES, panel)
        fee = market.taker_fee(price, SHARES)
        fill = Fill(
            f"{order}-t", order, "A", market.id, market.yes.id, side, price, SHARES, fee, ts
        )
        self.books.fill(fill, market.divisor)
        self.fills.append(FillRecord(fill, 0, mid, review))

    def run(self, fills: int) -> RunRecord:
        ts, count = START, len(self.markets)
        times, equity = [ts], [CASH]
        for turn in range(fills // count):
            self.mids = np.clip(self.mids + self.rng.normal(0, 0.02, count), 0.05, 0.95)
            for n in range(count):
                ts += HOUR // 400
                self.trade(ts, n, turn)
            times.append(ts)
            equity.append(self.books.cash["A"])
        settled, ended = self.settle(ts + HOUR)
        return RunRecord(
            manifest=MANIFEST, start_cash=CASH, markets=self.markets, groups=self.groups,
            resolutions=ended, fills=self.fills, settlements=settled,
            reviews=[row.decision for row in self.fills if row.decision], left_open=[],
            equity_ts=np.array([*times, ts + HOUR]),
            equity=np.array([*equity, self.books.cash["A"]]), judgements=self.judged,
        )  # fmt: skip

    def settle(self, ts: int) -> tuple[list[PositionSettled], dict[str, Resolution]]:
        settled, ended = [], {}
        for n, market in enumerate(self.markets):
            end = Resolution.winner(market, int(self.rng.random() > self.mids[n]), ts)
            ended[market.id] = end
            held = self.books.holding("A", market.yes.id)
            if held.shares:
                before = self.books.cash["A"]
                self.books.redeem("A", market.yes.id, end.payouts[0], held.shares, 6)
                got = self.books.cash["A"] - before
                settled.append(
                    PositionSettled(
                        ts, "A", market.id, market.yes.id, held.shares, end.payouts[0], got,
                        got - held.cost,
                    )
                )  # fmt: skip
        return settled, ended


def measure(quick: bool) -> Iterator[Figure]:
    """45,000 fills in 500 markets of 250 events, with 20 verdicts each."""
    fills = FILLS // 10 if quick else FILLS
    runs = 1 if quick else 3
    record = Loop(MARKETS // 10 if quick else MARKETS).run(fills)
    now = datetime.now(UTC)

    def row(name: str, seconds: float) -> Figure:
        return figure(name, fills, seconds, unit="trades", target_s=TARGET_S)

    made = timed(lambda: build(record, run="r", created=now), runs, warm=0)
    yield row("build the report", made.median)
    with tempfile.TemporaryDirectory() as folder:
        stored = timed(lambda: write_run(record, Path(folder) / "runs"), 1, warm=0)
        yield row("build and store it", stored.median)
        run = stored.result.directory

        def tables() -> None:
            render(load_report(run), Console(file=StringIO(), width=100))

        def page() -> None:
            save_html(load_report(run), Path(folder) / "report.html")

        yield row("read it and show tables", timed(tables, runs, warm=0).median)
        yield row("read it and write the page", timed(page, runs, warm=0).median)
