"""The conformance suite of strategies."""

from __future__ import annotations

import copy
import random
from typing import Any, ClassVar

import msgspec
import numpy as np

from polyframe.api.exits import declared
from polyframe.api.strategy import Strategy
from polyframe.domain import effects as fx
from polyframe.domain import events as ev
from polyframe.domain.effects import Effect, storable
from polyframe.domain.events import Event
from polyframe.domain.market import Group, Market
from polyframe.domain.orders import Kind
from polyframe.domain.units import SECOND, Money
from polyframe.domain.wishes import WISHES
from polyframe.quant.bars import timeframe_ns
from polyframe.runtime.calls import PluginCalls
from polyframe.runtime.signals import signals_of
from polyframe.store.bar_columns import BarColumns, from_prices
from polyframe.store.timeline import PriceColumns
from polyframe.testing.builders import SHARE, START, build_book, build_group, build_market
from polyframe.testing.contract import PluginSuite
from polyframe.testing.session import Answers, Session, built_in
from polyframe.testing.transcript import transcript

STAKE: Money = 50_000_000
"""The cap of the built-in MaxStake guard at its defaults."""


def encoded(effects: list[Effect]) -> bytes:
    """Effects as bytes, to be compared."""
    return msgspec.msgpack.encode(effects, enc_hook=storable)


class StrategySuite(PluginSuite):
    """Runs a strategy in the real engine, on events drawn from seeds.

    ``seeds`` and ``steps`` say how much; override :meth:`universe` for other markets.
    """

    seeds: ClassVar[tuple[int, ...]] = (0, 1, 2)
    steps: ClassVar[int] = 120

    def universe(self) -> tuple[list[Market], list[Group]]:
        """The markets of the test: three of their own and an event of three."""
        group, members = build_group()
        return [*(build_market(f"m{i}") for i in range(1, 4)), *members], [group]

    def session(self, answers: Answers = "random", seed: int = 0, **options: Any) -> Session:
        """A session of a new instance."""
        markets, groups = self.universe()
        return Session(
            self.make(), markets=markets, groups=groups, answers=answers, seed=seed, **options
        )

    def events(self, seed: int = 0) -> list[Event]:
        """The events of one seed."""
        return transcript(self.universe()[0], seed=seed, steps=self.steps)

    def test_the_same_events_give_the_same_effects(self) -> None:
        """Two instances given the same want the same: no clock, no hidden randomness."""
        for seed in self.seeds:
            first = self.session(seed=seed).run(self.events(seed))
            second = self.session(seed=seed).run(self.events(seed))
            assert encoded(first) == encoded(second), f"two runs of seed {seed} differ"

    def test_it_survives_missing_data(self) -> None:
        """No market, no book, no forecast, untrusted and one-sided books raise nothing."""
        empty = self.session()
        empty.start()
        assert not empty.of(fx.SubmitOrder)
        lone = self.session("silent")
        lone.start()
        for market in self.universe()[0]:
            for bid, ask, trusted in ((0, 0, True), (0, 5_000, True), (5_000, 0, True),
                                      (4_000, 6_000, False)):  # fmt: skip
                lone.send(build_book(market.yes.id, bid, ask, ts=START + 1, trusted=trusted))
            lone.send(ev.Woken(START + 1, ev.WakeReason.MOVED, market.yes.id, 0, 0))
            failed = ev.ForecastFailed(START + 2, "none", market.id, "default", "none", True)
            self.tell(lone, "on_forecast", failed)

    def test_it_yields_wishes_and_nothing_else(self) -> None:
        """Every method's answer is a list of wishes whose fields hold what they say."""
        session = self.session("fill")
        for event in self.events():
            session.send(event)
            for method in _heard(event):
                for wish in self.tell(session, method, event):
                    assert type(wish) in WISHES

    def test_it_keeps_nothing_outside_its_state(self) -> None:
        """Calls change ``self.state`` alone: nothing else survives a restart."""
        session = self.session("fill")
        strategy = session.engine.parts.bound[0].strategy
        before = copy.deepcopy({k: v for k, v in vars(strategy).items() if k != "state"})
        session.run(self.events())
        after = {k: v for k, v in vars(strategy).items() if k != "state"}
        assert after == before, "attributes changed: " + ", ".join(
            sorted(k for k in {*before, *after} if before.get(k) != after.get(k))
        )
        shared = [
            name
            for owner in type(strategy).__mro__[: type(strategy).__mro__.index(Strategy)]
            for name, value in vars(owner).items()
            if isinstance(value, (list, dict, set)) and not name.startswith("__")
        ]
        assert not shared, "shared between instances: " + ", ".join(shared)

    def test_its_state_can_be_saved(self) -> None:
        """State to bytes and back is the same after a session."""
        session = self.session("fill")
        session.run(self.events())
        strategy = session.engine.parts.bound[0].strategy
        data = msgspec.msgpack.encode(strategy.state)
        back = msgspec.msgpack.decode(data, type=type(strategy).State)
        assert back == strategy.state, "it comes back as something else"

    def test_a_restart_at_any_event_changes_nothing(self) -> None:
        """A session restored from a checkpoint goes on as the one that never stopped."""
        for seed in self.seeds:
            events = self.events(seed)
            cut = random.Random(f"cut {seed}").randrange(1, len(events))  # noqa: S311
            whole = self.session(seed=seed)
            whole.run(events[:cut])
            saved = whole.engine.checkpoint()
            done = len(whole.effects)
            restored = self.session(seed=seed)
            restored.engine.restore(saved)
            restored.take_over(whole)
            # A restarted session hears of it; so does the other, or they would differ by that.
            rest = [ev.SessionStarted(whole.now, "test", resumed=True), *events[cut:]]
            expected = encoded(whole.run(rest)[done:])
            assert encoded(restored.run(rest)) == expected, f"seed {seed}, event {cut}"

    def test_its_features_know_no_later_bars(self) -> None:
        """What a bar asks for is the same when all bars after it are taken away."""
        strategy = self.make()
        if type(strategy).features is Strategy.features:
            return
        market = self.universe()[0][0]
        for seed in self.seeds:
            bars = build_bars(strategy, 300 + 2 * (strategy.startup_bars or 0), seed)
            rng = random.Random(f"bars {seed}")  # noqa: S311 - test data, no secret
            calls, name = PluginCalls(), type(strategy).__name__
            whole = signals_of(calls, name, strategy, bars, [market]).bits
            for _ in range(5):
                cut = rng.randrange(1, len(bars))
                part = signals_of(calls, name, strategy, bars.take(slice(0, cut)), [market]).bits
                assert whole[:cut].tolist() == part.tolist(), (
                    f"seed {seed}, bar {cut}: it looked ahead"
                )

    def test_no_burst_of_wishes_passes_a_cap(self) -> None:
        """While the venue answers nothing, no wish takes more than the guards allow."""
        guards = [built_in("protection", name)() for name in ("MaxStake", "OpenPositions")]
        for seed in self.seeds:
            session = self.session("silent", seed, cash="200", protections=guards)
            for event in self.events(seed):
                session.send(event)
                assert session.view.portfolio().free >= 0, "more is reserved than there is"
                for market in self.universe()[0]:
                    if not market.group:
                        assert session.view.worst(market.id) >= -STAKE, f"{market.id} over its cap"

    def test_its_declared_exits_are_carried_out(self) -> None:
        """A position that is far down, far up or old is sold as declared; custom_exit answers."""
        exits = declared(self.make())
        held = max((int(ns) for ns, _ in exits.holds), default=0)
        cases = {
            "loss": (exits.stop_loss is not None, 1, 2, 1),
            "gain": (bool(exits.takes) and exits.takes[0][0] < 0.5, 9_980, 9_990, 1),
            "age": (held > 0, 4_900, 5_100, held),
        }
        for name, (applies, bid, ask, later) in cases.items():
            session = self.session("fill")
            session.start()
            market = self.universe()[0][0]
            session.send(build_book(market.yes.id))
            buy = ev.Command(
                ev.CommandKind.BUY, "test", session.name, token=market.yes.id, size=100 * SHARE
            )
            session.send(ev.CommandReceived(START + 1, buy))
            session.settle(START + SECOND)
            if not session.view.position(market.yes.id).shares:
                continue  # refused by its own rules, or it has sold the shares already
            low = max(bid // market.tick, 1) * market.tick
            high = max(ask // market.tick * market.tick, low + market.tick)
            session.send(build_book(market.yes.id, low, high, ts=START + SECOND + later))
            sold = [e.order for e in session.of(fx.SubmitOrder) if e.order.kind is Kind.EXIT]
            assert not applies or sold, f"no exit was carried out at a {name}"

    def tell(self, session: Session, method: str, event: Event) -> list[Any]:
        """Calls one method of the tested strategy as the engine would."""
        bound = session.engine.parts.bound[0]
        return session.calls.invoke(
            bound.name, getattr(bound.strategy, method), event, session.view
        )


def build_bars(strategy: Strategy, count: int, seed: int) -> BarColumns:
    """Bars of a random walk in a strategy's timeframe, four prices in each."""
    interval = timeframe_ns(strategy.timeframe)
    rng = random.Random(f"walk {seed}")  # noqa: S311 - test data, no secret
    price = [rng.randrange(2_000, 8_000)]
    for _ in range(4 * count - 1):
        price.append(min(max(price[-1] + round(rng.gauss(0, 60)), 100), 9_900))
    ts = START // interval * interval + interval // 4 * np.arange(len(price), dtype=np.int64)
    none, same = np.zeros(len(price), np.uint8), np.zeros(len(price), np.int32)
    return from_prices(PriceColumns(ts, same, np.array(price, np.int64), none), interval)


def _heard(event: Event) -> tuple[str, ...]:
    table: dict[type, str] = {
        ev.BookUpdated: "on_book",
        ev.BarClosed: "on_bar",
        ev.TradePrinted: "on_trade",
        ev.WalletTraded: "on_wallet",
        ev.Woken: "on_wake",
    }
    name = table.get(type(event))
    return (name,) if name else ()
