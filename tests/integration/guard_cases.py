"""Every shipped guard over random books, with limits that bind, and where each of them turns."""

from __future__ import annotations

import hashlib
from collections import Counter
from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass, field, replace
from functools import cache
from importlib import import_module
from pathlib import Path
from typing import Any

import msgspec
from tape_cases import START, STRATEGY, tape_data

from polyframe.api.protection import Protection
from polyframe.domain.events import Command, CommandKind, CommandReceived, Event, StatsReported
from polyframe.domain.market import Market
from polyframe.domain.units import HOUR, MILLISECOND, MINUTE, SECOND
from polyframe.kernels import barcolumns_nb as c
from polyframe.lab.collect import Collector
from polyframe.runtime import build
from polyframe.runtime.logged import LateReview
from polyframe.runtime.plugins import Registry
from polyframe.runtime.settings import ALWAYS, Config
from polyframe.runtime.shipped import BUILTINS
from polyframe.runtime.tape_logged import O_TOKEN
from polyframe.store.journal import JournalWriter

MONEY = 1_000_000
PART = 1_000_000
"""one whole in millionths"""


def shipped() -> dict[str, type[Protection]]:
    """Every protection that comes with the product, by name."""
    found = {}
    for name in BUILTINS:
        if name.startswith("polyframe.protections."):
            module = import_module(name)
            for value in vars(module).values():
                own = isinstance(value, type) and value.__module__ == name
                if own and issubclass(value, Protection):
                    found[value.__name__] = value
    return found


def kernels() -> dict[str, type[Protection]]:
    """Those of them that are compiled guards."""
    return {name: cls for name, cls in shipped().items() if cls.kernel}


WIDENED = """
class Quote{name}({name}):
    applies_to = {name}.applies_to | {{Kind.QUOTE}}

    class Config({name}.Config):
        raw: dict[str, int] = {{}}
        single: dict[str, dict[str, int]] = {{}}

    def limits(self):
        return {{**super().limits(), **self.config.raw}}

    def limits_by_category(self):
        return {{**super().limits_by_category(), **self.config.single}}
"""
"""A shipped guard that rules on quotes too, with limits in the guard's own units."""


def registry(folder: Path) -> Registry:
    """The random quotes and the widened guards as a person's own files."""
    text = "from polyframe import Kind\n"
    for name, cls in kernels().items():
        if name not in ALWAYS:
            text += f"from {cls.__module__} import {name}\n"
    for name in kernels():
        if name not in ALWAYS:
            text += WIDENED.format(name=name)
    for kind, file, source in (
        ("strategies", "random_quotes.py", STRATEGY), ("protections", "widened.py", text),
    ):  # fmt: skip
        (folder / kind).mkdir()
        (folder / kind / file).write_text(source)
    return Registry.load(folder)


Change = Callable[[Market], Market]


@dataclass(frozen=True)
class Case:
    """One guard with limits that bind on a stream of its own."""

    guard: str
    limits: Mapping[str, int] = field(default_factory=dict)
    """in force, in the guard's own units"""
    edges: Mapping[str, tuple[int, int]] = field(default_factory=dict)
    """between which two values of a limit the run changes"""
    single: Mapping[str, Mapping[str, int]] = field(default_factory=dict)
    """limits of single categories"""
    singles: Mapping[tuple[str, str], tuple[int, int]] = field(default_factory=dict)
    beside: Mapping[str, Mapping[str, int]] = field(default_factory=dict)
    """other guards that this one needs"""
    config: Mapping[str, Any] = field(default_factory=dict)
    """of the strategy"""
    cash: int = 2_000
    seed: int = 1
    markets: int = 2
    turns: int = 600
    gap: int = 120
    start: int = START
    change: Change | None = None
    """what its markets are"""
    inputs: tuple[str, ...] = ("closes",)
    events: Sequence[Event] = ()
    sim: Mapping[str, Any] = field(default_factory=dict)
    """of the venue"""
    exits: Mapping[str, Any] = field(default_factory=dict)
    account: bool = True
    """False: its limits are for the strategy alone, the account has the shipped ones"""


Moved = Mapping[str, int | Mapping[str, int]]


def settings(case: Case, path: str, moved: Moved | None = None) -> dict[str, Any]:
    """The configuration of one run; ``moved`` replaces limits of the guard."""
    moved = dict(moved or {})
    single = {key: {**values} for key, values in case.single.items()}
    for key in [key for key in moved if isinstance(moved[key], Mapping)]:
        single[key] = {**single.get(key, {}), **moved.pop(key)}  # type: ignore[dict-item]
    uses: list[dict[str, Any]] = [{"use": "*", "enabled": False}]
    for name, limits in {**case.beside, case.guard: {**case.limits, **moved}}.items():
        if name in ALWAYS:
            continue
        own = single if name == case.guard else {}
        uses.append({"use": f"Quote{name}", "config": {"raw": dict(limits), "single": own}})
        if not case.account and name == case.guard:
            uses[-1]["for"] = ["RandomQuotes"]
            uses.append({"use": f"Quote{name}"})
    config = {"refresh": 500, "seed": case.seed, "post_only": False, **case.config}
    return {
        "account": {"cash": str(case.cash)},
        "strategies": [{"use": "RandomQuotes", "config": config, "exits": {**case.exits}}],
        "venue": {"sim": {**case.sim}},
        "protections": uses,
        "backtest": {"path": path},
    }


class Streams:
    """The recorded books of each case, written once."""

    def __init__(self, folder: Path) -> None:
        self.folder = folder
        self.of = cache(self._made)

    def _made(self, *key: Any) -> Any:
        seed, markets, turns, gap, start = key
        path = self.folder / "-".join(map(str, key))
        return tape_data(path, seed, markets, turns, 1, gap, start)

    def data(self, case: Case) -> build.Recorded:
        """A case's books, with its markets."""
        found = self.of(case.seed, case.markets, case.turns, case.gap, case.start)
        markets = found.markets if case.change is None else list(map(case.change, found.markets))
        named = {market.group for market in markets}
        groups = [group for group in found.groups if group.id in named]
        return replace(found, markets=markets, groups=groups, inputs=frozenset(case.inputs))


DECIDED = [c.O_TS, c.O_MARKET, c.O_SIDE, c.O_PRICE, c.O_ASKED, c.O_PERMITTED, O_TOKEN]


@dataclass(frozen=True)
class Run:
    """What one run did, as far as it can be compared."""

    session: build.Session
    told: Collector

    @property
    def reviews(self) -> list[Any]:
        """Every review with all verdicts and their words."""
        log = self.told.review_log()
        return [r.whole() if isinstance(r, LateReview) else r for r in log]

    @property
    def traded(self) -> tuple[list[Any], list[Any], list[Any]]:
        """Orders asked and permitted, fills with fees, equity: no words."""
        reviews = [
            (r.ts, r.intent.token, int(r.intent.side), r.intent.price, r.asked, r.permitted)
            for r in self.told.review_log()
        ]
        log = self.told.fill_log({})
        late = [] if log.late is None else [log.late.booked(k).fill for k in range(len(log.late))]
        fills = [
            (f.trade, f.ts, f.price, f.size, f.fee)
            for f in (*(one.fill for one in self.told.fills), *late)
        ]
        equity = [column.tolist() for column in self.session.replay.feed.equity()]
        return reviews, sorted(fills), equity

    @property
    def digest(self) -> bytes:
        """The same for a compiled run in short, without telling a single order."""
        feed = self.session.replay.feed
        fills, reviews = feed.unstepped()
        stepped = [(r.ts, r.permitted) for r in self.told.reviews]
        parts = [reviews.rows[:, DECIDED], fills.rows, *feed.own_orders()]
        return hashlib.sha256(
            b"".join([*(part.tobytes() for part in parts), repr(stepped).encode()])
        ).digest()


def run(
    streams: Streams, found: Registry, case: Case, path: str, moved: Moved | None = None
) -> Run:
    """One run of a case."""
    told = Collector()
    session = build.replay(
        Config.model_validate(settings(case, path, moved)), found, streams.data(case),
        session="s", journal=JournalWriter.null(), watch=told.watch, tables=True,
    )  # fmt: skip
    for event in case.events:
        session.replay._push(event)
    told.engine = session.engine
    session.replay.run()
    told.take(session.replay.feed)
    return Run(session, told)


def ruled(told: Collector, guard: str) -> Counter[str]:
    """How often a guard denied, shrank or let an order be."""
    found: Counter[str] = Counter()
    for review in told.review_log():
        for verdict in review.verdicts:
            if verdict.protection.removeprefix("Quote") == guard:
                found[verdict.ruling.name] += 1
    return found


def turning(low: int, high: int, alike: Callable[[int, int], bool]) -> int:
    """The value of a limit at which one unit more changes a run.

    ``alike`` says whether two values give the same run.
    """
    assert not alike(low, high), f"from {low} to {high} nothing changes"
    while high - low > 1:
        middle = (low + high) // 2
        if alike(low, middle):
            low = middle
        else:
            high = middle
    return low


# ---- the cases -----------------------------------------------------------------------------------


def _of_categories(market: Market) -> Market:
    """Every other market is about sports."""
    return msgspec.structs.replace(
        market, category="sports" if market.id[-1] in "13" else "politics"
    )


def _closing(market: Market) -> Market:
    """Markets that close soon after the end of the tape, one later than the other."""
    return msgspec.structs.replace(market, closes=START + (1 + int(market.id[1:])) * 10 * MINUTE)


def _alone(market: Market) -> Market:
    """Every market is an event of its own."""
    return msgspec.structs.replace(market, group="")


def _commands(*kinds: CommandKind) -> tuple[Event, ...]:
    return tuple(
        CommandReceived(START + (k + 1) * 10 * SECOND + MILLISECOND, Command(kind, "me"))
        for k, kind in enumerate(kinds)
    )


LIVELY = {"times": 4.0}
SMALL = {"times": 1.0}
CASES = (
    Case("KillSwitch", events=_commands(CommandKind.PAUSE, CommandKind.RESUME, CommandKind.KILL)),
    Case("DrawdownKill", {"drawdown_kill": 20_000}, cash=300,
         edges={"drawdown_kill": (1, 400_000)}, config=LIVELY),
    Case("DrawdownHeat",
         {"heat_from_1": 10_000, "heat_from_2": 30_000, "heat_from_3": 80_000,
          "heat_keep_1": 500_000, "heat_keep_2": 250_000, "heat_keep_3": 50_000},
         {"heat_from_1": (1, 29_000), "heat_from_2": (11_000, 79_000),
          "heat_from_3": (31_000, 300_000), "heat_keep_1": (260_000, 990_000),
          "heat_keep_2": (60_000, 490_000), "heat_keep_3": (1, 240_000)},
         beside={"MaxStake": {"max_stake": 100 * MONEY}}, cash=300, config=LIVELY),
    Case("MaxStake", {"max_stake": 60 * MONEY}, {"max_stake": (MONEY, 200 * MONEY)}, turns=1_200),
    Case("DailyLoss", {"daily_loss": 2 * MONEY}, {"daily_loss": (MONEY, 100 * MONEY)},
         config=LIVELY),
    Case("WeeklyLoss", {"weekly_loss": 5 * MONEY}, {"weekly_loss": (MONEY, 100 * MONEY)},
         config=LIVELY),
    Case("OpenPositions", {"open_positions": 2}, {"open_positions": (1, 4)}, markets=4),
    Case("MinEdge", {"min_edge": 1}),
    Case("Liquidity", {"liquidity": 2_000 * MONEY},
         {"liquidity": (1_000 * MONEY, 3_000 * MONEY)}, inputs=("closes", "liquidity"),
         events=tuple(
             StatsReported(START + k * 5 * SECOND, f"m{k % 2}", (1_600 + 97 * k) * MONEY)
             for k in range(1, 9)
         )),
    Case("Spread", {"spread": 20_000}, {"spread": (1_000, 200_000)}),
    Case("EvidenceQuality", {"evidence": 10**6}, inputs=("closes", "evidence")),
    Case("Confidence", {"confidence": 2}, inputs=("closes", "confidence")),
    Case("ImpliedProbability", {"implied_probability": 450_000},
         {"implied_probability": (100_000, 900_000)}),
    Case("EdgeDirection"),
    Case("MarketType", single={"blocked": {"sports": 1}},
         singles={("blocked", "politics"): (0, 1)}, change=_of_categories),
    Case("PortfolioExposure", {"portfolio": 40_000}, {"portfolio": (1_000, 300_000)}),
    Case("Timeline", {"timeline_last": 9 * MINUTE, "timeline_first": 19 * MINUTE},
         {"timeline_last": (8 * MINUTE, 10 * MINUTE), "timeline_first": (18 * MINUTE, 20 * MINUTE)},
         change=_closing),
    Case("CategoryExposure", {"category": 30_000}, {"category": (1_000, 300_000)},
         single={"category": {"sports": 20_000}},
         singles={("category", "sports"): (1_000, 300_000)}, change=_of_categories),
    Case("EventExposure", {"event": 20_000}, {"event": (1_000, 200_000)}),
    Case("CorrelatedPositions",
         {"correlated": 1, "correlated_above": 200_000, "correlated_samples": 5,
          "correlated_window": 12 * HOUR},
         {"correlated": (1, 3), "correlated_above": (10_000, 990_000),
          "correlated_samples": (3, 200), "correlated_window": (4 * HOUR, 90 * HOUR)},
         markets=4, turns=250, gap=600_000, change=_alone,
         config={"refresh": 600_000, "idle": 6, "away": 4}),
    Case("SymbolExposure",
         {"symbol_net": 15_000, "symbol_gross": 30_000, "symbol_total_net": 25_000},
         {"symbol_net": (1_000, 200_000), "symbol_gross": (16_000, 200_000),
          "symbol_total_net": (16_000, 200_000)}),
    Case("OrderSize", {"order_size": 50_000, "quote_size": 5_000},
         {"quote_size": (1_000, 20_000)}),
    Case("OrderRate", {"orders_second": 3, "orders_minute": 60},
         {"orders_second": (1, 9), "orders_minute": (20, 200)}),
    Case("DailyVolume", {"daily_volume": 100_000}, {"daily_volume": (1_000, 3_000_000)}),
    Case("CancelRatio", {"cancel_ratio": 3, "cancels_from": 20},
         {"cancel_ratio": (1, 40), "cancels_from": (1, 400)}),
    Case("StoplossGuard",
         {"stoploss_trades": 1, "stoploss_lookback": HOUR, "stoploss_stop": HOUR},
         config={"flat": True}, turns=1_200),
    Case("Cooldown", {"cooldown_stop": 10 * SECOND}, {"cooldown_stop": (SECOND, 60 * SECOND)},
         config={"flat": True}),
    Case("LowProfit",
         {"low_profit_trades": 2, "low_profit_lookback": 20 * SECOND,
          "low_profit_required": 100_000, "low_profit_stop": 5 * SECOND},
         {"low_profit_trades": (1, 9), "low_profit_lookback": (SECOND, 60 * SECOND),
          "low_profit_required": (-5 * MONEY, 5 * MONEY),
          "low_profit_stop": (SECOND, 60 * SECOND)}, config={"flat": True}),
    Case("MaxDrawdown",
         {"max_drawdown_trades": 3, "max_drawdown_lookback": 40 * SECOND,
          "max_drawdown_allowed": 100, "max_drawdown_stop": 20 * SECOND},
         {"max_drawdown_trades": (1, 20), "max_drawdown_lookback": (1, 60 * SECOND),
          "max_drawdown_allowed": (1, 20_000), "max_drawdown_stop": (SECOND, 60 * SECOND)},
         config={"flat": True, "away": -1}),
    Case("PriceBand", {"price_low": 470_000, "price_high": 530_000, "price_away": 20_000},
         {"price_low": (10_000, 590_000), "price_high": (410_000, 990_000),
          "price_away": (1, 200_000)}, config={"away": -4, "times": 0.5}),
    Case("VenueRules"),
    Case("Balance", cash=40, config=LIVELY),
    Case("TrustedBook", config={"blind": True}),
)  # fmt: skip
