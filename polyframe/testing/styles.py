"""The conformance suite of execution styles."""

from __future__ import annotations

import copy
import random
from collections.abc import Iterable, Iterator
from typing import Any, ClassVar, NamedTuple

import msgspec

from polyframe.api.execution import Child, Parent, Step
from polyframe.api.parts import least_part
from polyframe.api.strategy import Strategy
from polyframe.api.view import View
from polyframe.domain import effects as fx
from polyframe.domain import events as ev
from polyframe.domain.book import Book, Level
from polyframe.domain.events import Event
from polyframe.domain.market import FeeSchedule, Market, Resolution
from polyframe.domain.orders import Side, TimeInForce
from polyframe.domain.units import DAY, SECOND, Ns, floor_to
from polyframe.domain.wishes import CancelOrder, Intent, WakeAt, Wish
from polyframe.engine.execution import TIMER
from polyframe.testing.builders import SHARE, START, YES, build_market
from polyframe.testing.contract import PluginSuite
from polyframe.testing.session import Answers, Session
from polyframe.testing.strategies import encoded

PACE: Ns = 7 * SECOND
"""Between two books of a test."""


class Asked(NamedTuple):
    """One call of a style and its answer."""

    now: Ns
    market: Market
    parent: Parent
    steps: tuple[Step, ...]

    @property
    def children(self) -> list[Child]:
        """The children it wanted."""
        return [step for step in self.steps if isinstance(step, Child)]


class StyleSuite(PluginSuite):
    """Lets a style carry out orders in the real engine, on books and answers drawn from seeds.

    ``seeds`` and ``steps`` say how much: a book every seven seconds, until the market closes.
    """

    seeds: ClassVar[tuple[int, ...]] = (0, 1, 2, 3)
    steps: ClassVar[int] = 150

    def universe(self) -> list[Market]:
        """The market of the test; it closes with the last book."""
        return [build_market(tick=100, closes=START + self.steps * PACE)]

    def session(self, answers: Answers = "random", seed: int = 0, **options: Any) -> Session:
        """A session whose orders all go through a new instance of the style."""
        style = self.make()
        name = self.plugin.__name__
        orders = options.pop("orders", None) or _Orders(name, seed)
        cash = options.pop("cash", "5000")
        markets = options.pop("markets", None) or self.universe()
        return Session(
            orders, markets=markets, cash=cash, answers=answers, seed=seed,
            styles={name: style}, **options,
        )  # fmt: skip

    def events(self, seed: int = 0) -> list[Event]:
        """The events of one seed."""
        return books(self.universe()[0], seed, self.steps)

    def watched(self, answers: Answers = "random", seed: int = 0) -> tuple[Session, list[Asked]]:
        """A session that has been played, and every call of its style."""
        session = self.session(answers, seed)
        style, asked = session.engine.setup.styles[self.plugin.__name__], list[Asked]()
        plain = style.work

        def work(parent: Parent, view: View) -> Iterable[Step]:
            steps = tuple(plain(parent, view) or ())
            asked.append(Asked(view.now, view.market(parent.order.token), parent, steps))
            return steps

        style.work = work  # type: ignore[method-assign]
        session.run(self.events(seed))
        session.settle(START + DAY)
        return session, asked

    def test_it_never_gives_more_than_is_free_nor_passes_the_limit(self) -> None:
        """Children together fit into what is free, none is priced worse than its parent."""
        for seed in self.seeds:
            session, asked = self.watched(seed=seed)
            for call in asked:
                assert sum(child.size for child in call.children) <= call.parent.free
                for child in call.children:
                    side, limit = call.parent.order.side, call.parent.order.price
                    assert side * (limit - child.price) >= 0, "beyond the parent's limit"
            denied = [
                verdict.reason
                for review in session.of(fx.OrderReviewed)
                for verdict in review.verdicts
                if verdict.protection == "parent"
            ]
            assert not denied, denied[0]

    def test_its_children_are_orders_that_a_venue_takes(self) -> None:
        """On the tick of the moment, whole lots, the minimum or more, and no rest below it."""
        for seed in self.seeds:
            for call in self.watched(seed=seed)[1]:
                market, parent = call.market, call.parent
                for child in call.children:
                    taking = child.tif in (TimeInForce.FAK, TimeInForce.FOK)
                    least = least_part(market, parent.order.side, child.price, taking=taking)
                    assert child.price % market.tick == 0
                    assert market.tick <= child.price <= market.price_one - market.tick
                    assert child.size % market.lot == 0
                    assert child.size >= least
                    assert not (child.post_only and taking), "a venue refuses that"
                    assert call.now < market.closes, "sent after the close"
                rest = parent.free - sum(child.size for child in call.children)
                if call.children and parent.order.side == Side.BUY:
                    rest = floor_to(rest, market.lot)
                    assert rest == 0 or rest >= market.min_size, f"a rest of {rest} cannot be sent"

    def test_it_ends_or_wakes(self) -> None:
        """No parent is left without a child, a timer or an end, and all end with their market."""
        known = self.universe()
        unknown = [msgspec.structs.replace(market, closes=0) for market in known]
        for seed in self.seeds:
            for answers, markets in (("random", known), ("fill", known), ("random", unknown)):
                session = self.session(answers, seed, markets=markets)  # type: ignore[arg-type]
                for event in self.events(seed):
                    session.send(event)
                    _look(session)
                session.settle(START + DAY)
                assert not session.engine.state.orders, "orders are left after the market's end"
                assert session.view.portfolio().free == session.view.portfolio().cash

    def test_it_gets_something_done(self) -> None:
        """At a venue that fills what it is sent, something is bought."""
        session = self.session("fill")
        session.run(self.events())
        assert session.of(fx.FillBooked)

    def test_a_cancel_of_its_parent_ends_it(self) -> None:
        """However far it has come, what is left of a cancelled parent is given up."""
        for seed in self.seeds:
            session = self.session(seed=seed, orders=_Orders(self.plugin.__name__, seed, pull=4))
            for event in self.events(seed):
                session.send(event)
            session.settle(START + DAY)
            ended = {e.order for e in session.of(fx.OrderChanged) if not e.state.open}
            assert {e.order for e in session.of(fx.RequestCancel) if e.parent} <= ended

    def test_the_same_events_give_the_same_children(self) -> None:
        """Two instances given the same do the same: no clock, no hidden randomness."""
        for seed in self.seeds:
            runs = [self.session(seed=seed).run(self.events(seed)) for _ in range(2)]
            assert encoded(runs[0]) == encoded(runs[1]), f"two runs of seed {seed} differ"

    def test_a_restart_at_any_event_changes_nothing(self) -> None:
        """A session restored from a checkpoint goes on as the one that never stopped."""
        for seed in self.seeds:
            events = self.events(seed)
            cut = random.Random(f"cut {seed}").randrange(1, len(events))  # noqa: S311
            whole = self.session(seed=seed)
            whole.run(events[:cut])
            done = len(whole.effects)
            restored = self.session(seed=seed)
            restored.engine.restore(whole.engine.checkpoint())
            restored.take_over(whole)
            expected = encoded(whole.run(events[cut:])[done:])
            assert encoded(restored.run(events[cut:])) == expected, f"seed {seed}, event {cut}"

    def test_it_keeps_nothing_outside_its_state(self) -> None:
        """Calls change ``parent.state`` alone: one instance works on many parents."""
        session = self.session("fill")
        style = session.engine.setup.styles[self.plugin.__name__]
        before = copy.deepcopy(vars(style))
        session.run(self.events())
        assert vars(style) == before

    def test_no_burst_passes_what_there_is(self) -> None:
        """While the venue answers nothing, many orders at once reserve no more than the cash."""
        for seed in self.seeds:
            orders = _Orders(self.plugin.__name__, seed, burst=12)
            session = self.session("silent", seed, orders=orders, cash="300")
            for event in self.events(seed):
                if isinstance(event, ev.FeesChanged):
                    continue  # what is approved may need more than there is then
                session.send(event)
                assert session.view.portfolio().free >= 0, "more is reserved than there is"


def books(market: Market, seed: int, steps: int) -> list[Event]:
    """A book every seven seconds: thin and deep, torn, one-sided, not to be trusted.

    Half way the tick becomes finer, later the fee changes; in the end the market closes and pays.
    """
    rng = random.Random(f"books {seed}")  # noqa: S311 - test data, no secret
    events: list[Event] = [ev.SessionStarted(START, "test")]
    mid, tick = rng.uniform(0.3, 0.7), market.tick
    for step in range(steps):
        ts = START + step * PACE + 1
        if step == steps // 2:
            tick = max(tick // 10, 1)
            events.append(ev.TickSizeChanged(ts, market.id, tick))
        if step == 2 * steps // 3:
            events.append(ev.FeesChanged(ts, market.id, FeeSchedule(rate=70_000)))
        mid = min(max(mid + rng.gauss(0, 0.004), 0.1), 0.9)
        events.append(ev.BookReset(ts, _book(market, mid, tick, ts, rng)))
    end = START + steps * PACE
    events.append(ev.MarketClosed(end, market.id))
    events.append(ev.MarketResolved(end + 1, Resolution.winner(market, rng.randrange(2), end + 1)))
    return events


def _book(market: Market, mid: float, tick: int, ts: Ns, rng: random.Random) -> Book:
    half = rng.choice((1, 1, 2, 4)) * tick
    middle = round(mid * market.price_one / tick) * tick
    sides = []
    for way in (-1, 1):
        prices = [middle + way * half]
        while len(prices) < 6:
            prices.append(prices[-1] + way * tick * rng.choice((1, 1, 1, 2, 5)))
        sizes = [rng.choice((3, 20, 80, 400)) * SHARE for _ in prices]
        inside = [(p, s) for p, s in zip(prices, sizes, strict=True) if 0 < p < market.price_one]
        sides.append(tuple(Level(p, s) for p, s in inside))
    accident = rng.random()
    if accident < 0.1:
        sides[accident < 0.05] = ()
    return Book(market.yes.id, sides[0], sides[1], ts, not 0.1 <= accident < 0.15)


def _look(session: Session) -> None:
    """Every parent at work has a child, a timer or a cancel under way."""
    orders = list(session.engine.state.orders.values())
    for o in orders:
        if not o.order.style or o.cancelling:
            continue
        child = any(c.order.parent == o.order.id for c in orders)
        timer = (session.name, TIMER + o.order.id) in session.engine.timers
        assert child or timer, f"{o.order.id} has neither a child nor a timer"


class _Orders(Strategy):
    """Buys and sells in every size from the minimum up, each order through the style."""

    def __init__(
        self, style: str, seed: int, *, burst: int = 1, pull: int = 0, last: Ns = 130 * PACE
    ) -> None:
        super().__init__()
        self._style, self._seed, self._burst, self._pull = style, seed, burst, pull
        self._last: Ns = last

    def on_start(self, event: ev.SessionStarted, view: View) -> Iterator[Wish]:
        """Begins."""
        yield WakeAt(view.now + PACE, "order")

    def on_wake(self, event: Any, view: View) -> Iterator[Wish]:
        """An order now and then, or with ``pull`` at times a cancel of all that is at work."""
        market, quote = view.market(YES), view.book(YES)
        rng = random.Random(f"orders {self._seed} {view.now}")  # noqa: S311
        if view.now < START + self._last:
            yield WakeAt(view.now + rng.randrange(1, 12) * PACE, "order")
        if self._pull and rng.randrange(self._pull) == 0:
            for order in view.orders(YES):
                if not order.order.parent:
                    yield CancelOrder(order.order.id, "pulled")
            return
        for _ in range(self._burst):
            size = rng.choice((5, 6, 11, 40, 150, 1_200)) * SHARE
            free = view.position(YES).free
            side = Side.SELL if free >= market.min_size and rng.random() < 0.4 else Side.BUY
            best = quote.ask if side == Side.BUY else quote.bid
            if not best:
                continue
            limit = best + side * rng.choice((-2, 0, 1, 3, 6)) * market.tick
            yield Intent(
                token=YES, side=side, price=min(max(limit, 100), 9_900),
                size=size if side == Side.BUY else min(size, free), edge=rng.choice((0.02, 0.1)),
                tif=rng.choice((TimeInForce.FAK, TimeInForce.GTC, TimeInForce.GTD)),
                ttl=rng.choice((0, 40 * SECOND)) or 90 * SECOND, style=self._style,
                post_only=rng.random() < 0.1,
            )  # fmt: skip
