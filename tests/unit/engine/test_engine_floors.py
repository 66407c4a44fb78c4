"""Limits of equity: they halt at the first crossing, whoever walks the rows, and for so long."""

from __future__ import annotations

import random

import numpy as np
from engine_desk import START, Desk
from hypothesis import given, settings
from hypothesis import strategies as st

from polyframe.domain import effects as fx
from polyframe.domain import events as ev
from polyframe.domain.book import Quote
from polyframe.domain.orders import Side, TimeInForce
from polyframe.domain.portfolio import Fill
from polyframe.domain.units import DAY, HOUR, to_units
from polyframe.domain.wishes import Intent
from polyframe.engine.engine import Engine
from polyframe.engine.floors import week_of
from polyframe.engine.risk import Guarded
from polyframe.kernels import bars_nb as nb
from polyframe.protections.daily_loss import DailyLoss
from polyframe.runtime.feed import NEVER, QuoteFeed

SHARE = 1_000_000


def limits(door, **found: int) -> None:
    """Sets limits of the account and every ledger as their protections would."""
    from polyframe.engine.guards import LIMIT_INDEX

    for name, value in found.items():
        door.limits[:, LIMIT_INDEX[name]] = value


class Walk:
    """A desk whose venue fills everything at once, at the order's price."""

    def __init__(self, players: tuple[str, ...] = ("alice", "bob"), **found: int) -> None:
        self.desk = Desk(cash="1000", players=players)
        engine = self.desk.engine
        limits(engine.parts.door, **found)
        engine.parts.floors = type(engine.parts.floors)(engine.state, engine.parts.door)
        engine.parts.floors.arm()
        self.halts: list[tuple[int, str, str, int]] = []
        self.trades: list[tuple[int, str, int]] = []
        self.equity: list[tuple[int, list[int]]] = []

    def take(self, event: ev.Event) -> None:
        effects = list(self.desk.engine.step(event))
        while effects:
            effect = effects.pop(0)
            if isinstance(effect, fx.TradingHalted):
                self.halts.append((effect.ts, effect.by, effect.ledger, effect.until))
            elif isinstance(effect, fx.SubmitOrder):
                o = effect.order
                self.trades.append((o.ts, o.token, o.size))
                fill = Fill(
                    f"t{o.id}", o.id, o.ledger, o.market, o.token, o.side, o.price, o.size, 0, o.ts
                )
                effects += self.desk.engine.step(ev.OrderFilled(o.ts, fill))
        state = self.desk.engine.state
        self.equity.append((event.ts, [state.equity_of(row) for row in range(state.account + 1)]))

    def wish(self, ts: int, player: str, token: str, size: int) -> None:
        side = Side.BUY if size > 0 else Side.SELL
        wish = Intent(token=token, side=side, size=abs(size) * SHARE, tif=TimeInForce.FAK)
        self.desk.puppets[player].hand = [wish]
        self.take(ev.TimerFired(ts, player, "test"))


class Rows:
    """Columns as the feed wants them."""

    untrusted = 0

    def __init__(self, rows: list[tuple[int, int, int, int]]) -> None:
        self.ts = np.array([r[0] for r in rows], dtype=np.int64)
        self.market = np.array([r[1] for r in rows], dtype=np.int32)
        self.bid = np.array([r[2] for r in rows], dtype=np.int64)
        self.ask = np.array([r[3] for r in rows], dtype=np.int64)
        self.flag = np.zeros(len(rows), dtype=np.uint8)


def scene(seed: int):
    """Rows over ten days, and what the strategies want now and then."""
    r = random.Random(seed)
    rows, wishes, ts, mids = [], [], START, [5_000, 5_000]
    for _ in range(r.randint(40, 160)):
        ts += r.choice((HOUR // 7, HOUR, 5 * HOUR))
        m = r.randrange(2)
        mids[m] = min(max(mids[m] + r.randrange(-6, 6) * 100, 300), 9_700)
        rows.append((ts, m, mids[m] - 100, mids[m] + 100))
        if r.random() < 0.2:
            size = r.choice((60, 200, 400, -100))
            token = f"{'AB'[r.randrange(2)]}.{r.choice(('yes', 'no'))}"
            wishes.append((ts, r.choice(("alice", "bob")), token, size))
    return rows, wishes


LIMITS = {
    "daily_loss": to_units("60", 6), "weekly_loss": to_units("110", 6), "drawdown_kill": 150_000,
    "heat_from_1": 50_000, "heat_from_2": 80_000, "heat_from_3": 120_000,
}  # fmt: skip


@settings(max_examples=40)
@given(st.integers(0, 2**32))
def test_skipping_rows_and_visiting_every_row_give_the_same_trades_halts_and_equity(seed):
    rows, wishes = scene(seed)
    skipping, visiting = Walk(**LIMITS), Walk(**LIMITS)
    feed = QuoteFeed(skipping.desk.engine, Rows(rows))
    for ts, *wish in [*wishes, (NEVER, "", "", 0)]:
        while (woken := feed.advance(ts)) is not None:
            assert woken.reason is ev.WakeReason.LIMIT
            skipping.take(woken)
        if ts < NEVER:
            skipping.wish(ts, *wish)
    due = list(wishes)
    for ts, m, bid, ask in rows:
        quote = Quote(f"{'AB'[m]}.yes", bid, 0, ask, 0, ts)
        visiting.take(ev.BookUpdated(ts, quote))
        while due and due[0][0] == ts:
            visiting.wish(*due.pop(0))
    assert skipping.halts == visiting.halts
    assert skipping.trades == visiting.trades
    mine, its = skipping.desk.engine.state, visiting.desk.engine.state
    last = rows[-1][0]
    for engine in (skipping.desk.engine, visiting.desk.engine):
        engine.turn(last)
    assert (mine.marks[:, nb.E_NOW] == its.marks[:, nb.E_NOW]).all()
    assert (mine.marks[:, nb.E_PEAK] == its.marks[:, nb.E_PEAK]).all()
    assert (mine.tables.account == its.tables.account).all()
    at = dict(visiting.equity)
    assert all(at[ts] == values for ts, values in dict(skipping.equity).items())


def test_every_guard_of_equity_halts_for_as_long_as_it_says():
    day = START // DAY
    monday = (week_of(day) + 1) * 7 - 3
    for found, name, until in (
        ({"daily_loss": to_units("50", 6)}, "daily_loss", (day + 1) * DAY),
        ({"weekly_loss": to_units("50", 6)}, "weekly_loss", monday * DAY),
        ({"drawdown_kill": 50_000}, "drawdown_kill", 0),
    ):
        walk = Walk(players=("alice",), **found)
        walk.take(ev.BookUpdated(walk.desk.later(), quote(walk, "0.49", "0.50")))
        walk.wish(walk.desk.later(), "alice", "A.yes", 1_000)
        assert walk.halts == []
        # 1,000 shares lose 0.01 a cent: the limit is 50 below where the day or the peak stood.
        walk.take(ev.BookUpdated(walk.desk.later(), quote(walk, "0.4501", "0.50")))
        assert walk.halts == [], "one unit before"
        walk.take(ev.BookUpdated(walk.desk.later(), quote(walk, "0.45", "0.50")))
        by = walk.desk.engine.parts.door.guards.name_of(name)
        # Alice's ledger crossed as well, but nothing is left to say of it.
        assert walk.halts == [(walk.desk.now, by, "", until)]
        walk.take(ev.BookUpdated(walk.desk.later(), quote(walk, "0.40", "0.50")))
        assert len(walk.halts) == 1, "said once"


def quote(walk: Walk, bid: str, ask: str) -> Quote:
    return Quote("A.yes", to_units(bid, 4), 0, to_units(ask, 4), 0, walk.desk.now)


def test_a_fall_from_the_peak_stays_until_a_person_resets_it_and_then_counts_from_there():
    walk = Walk(drawdown_kill=100_000)
    desk, door = walk.desk, walk.desk.engine.parts.door
    walk.take(ev.BookUpdated(desk.later(), quote(walk, "0.50", "0.50")))
    walk.take(ev.BookUpdated(desk.later(), quote(walk, "0.49", "0.50")))
    walk.wish(desk.later(), "alice", "A.yes", 1_000)
    walk.take(ev.BookUpdated(desk.later(), quote(walk, "0.25", "0.30")))
    assert [h[2] for h in walk.halts] == ["", "alice"] or [h[2] for h in walk.halts] == [""]
    assert door.halted("bob", "B", desk.now) is not None
    resume = ev.Command(ev.CommandKind.RESUME, "me")
    walk.take(ev.CommandReceived(desk.later(), resume))
    assert door.halted("bob", "B", desk.now) is not None, "only a reset ends it"
    twin = Engine(Desk(cash="1000").setup)
    twin.restore(desk.engine.checkpoint())
    assert twin.parts.door.halted("bob", "B", desk.now) is not None
    walk.take(ev.CommandReceived(desk.later(), ev.Command(ev.CommandKind.RESET, "me")))
    assert door.halted("bob", "B", desk.now) is None
    assert door.halted("alice", "B", desk.now) is None
    assert desk.engine.state.peak[2] == desk.engine.state.equity_of(2)


def test_a_ledger_with_a_limit_of_its_own_is_halted_alone():
    own = Guarded(DailyLoss(DailyLoss.Config(loss=20)), ("alice",))
    desk = Desk(cash="1000", guarded=[own])
    desk.book("A", "0.49", "0.50")
    desk.wish("alice", Intent(token="A.yes", side=Side.BUY, price=5_000, size=100 * SHARE))
    desk.fill("s-1", "100", "0.50")
    effects = desk.book("A", "0.29", "0.31")
    halts = [e for e in effects if isinstance(e, fx.TradingHalted)]
    assert [(h.by, h.ledger) for h in halts] == [("DailyLoss", "alice")]
    sent = desk.wish("bob", Intent(token="A.yes", side=Side.BUY, price=3_100, size=10 * SHARE))
    assert any(isinstance(e, fx.SubmitOrder) for e in sent)
    sent = desk.wish("alice", Intent(token="A.yes", side=Side.BUY, price=3_100, size=10 * SHARE))
    assert not any(isinstance(e, fx.SubmitOrder) for e in sent)


def test_deposits_and_withdrawals_move_the_floors_along():
    desk = Desk(cash="1000", protections=[DailyLoss(DailyLoss.Config(loss=20))])
    effects = desk.step(ev.CashMoved(desk.later(), "alice", -500 * SHARE, "out"))
    assert not any(isinstance(e, fx.TradingHalted) for e in effects)
    state = desk.engine.state
    assert list(state.week_start) == list(state.day_start) == [500 * SHARE, 10**9, 1_500 * SHARE]
    assert state.marks[0, nb.E_FLOOR] == 480 * SHARE


def test_the_random_walks_cross_every_limit():
    """The property above would say nothing if nobody ever lost so much."""
    crossed: set[str] = set()
    for seed in range(40):
        rows, wishes = scene(seed)
        walk = Walk(**LIMITS)
        for ts, m, bid, ask in rows:
            walk.take(ev.BookUpdated(ts, Quote(f"{'AB'[m]}.yes", bid, 0, ask, 0, ts)))
            for at, *wish in wishes:
                if at == ts:
                    walk.wish(at, *wish)
        crossed |= {(by, bool(ledger)) for _, by, ledger, _ in walk.halts}
    names = {walk.desk.engine.parts.door.guards.name_of(n) for n in list(LIMITS)[:3]}
    assert {by for by, _ in crossed} == names
    assert {alone for _, alone in crossed} == {True, False}
