"""What holds in every run, whatever happens in it."""

from __future__ import annotations

import itertools
import random
from decimal import Decimal

import msgspec
import pytest
from engine_desk import Desk, market
from hypothesis import given, settings
from hypothesis import strategies as st

from polyframe.api.protection import Protection
from polyframe.domain import effects as fx
from polyframe.domain import events as ev
from polyframe.domain.effects import storable
from polyframe.domain.forecast import Forecast
from polyframe.domain.market import Group, GroupKind, Resolution
from polyframe.domain.orders import Side, TimeInForce
from polyframe.domain.portfolio import Fill, Portfolio
from polyframe.domain.units import DAY, SECOND, to_units
from polyframe.domain.wishes import AskForecast, CancelOrder, Intent, QuoteLevel, Quotes, WakeAt
from polyframe.engine.engine import Engine
from polyframe.kernels import tables_nb
from polyframe.protections.daily_loss import DailyLoss
from polyframe.protections.max_stake import MaxStake
from polyframe.protections.open_positions import OpenPositions

TOKENS = ("A.yes", "A.no", "B.yes", "B.no")
FEE = 40_000
PRICES = st.integers(2, 98).map(lambda cents: cents * 100)
SIZES = st.integers(1, 60).map(lambda n: n * 1_000_000)


class Locks(Protection):
    """The limits of every lock, low enough to be reached."""

    kernel = "cooldown"

    def limits(self):
        return {
            "cooldown_stop": 300 * SECOND, "low_profit_trades": 1, "low_profit_lookback": DAY,
            "low_profit_required": 0, "low_profit_stop": 60 * SECOND, "stoploss_trades": 1,
            "stoploss_lookback": DAY, "stoploss_stop": 60 * SECOND, "stoploss_per_market": 1,
            "max_drawdown_trades": 1, "max_drawdown_lookback": DAY,
            "max_drawdown_allowed": 10_000, "max_drawdown_stop": 60 * SECOND,
        }  # fmt: skip


def guards():
    return [
        Locks(),
        MaxStake(MaxStake.Config(stake=12)),
        DailyLoss(DailyLoss.Config(loss=15)),
        OpenPositions(OpenPositions.Config(markets=2)),
    ]


def fresh(kind: GroupKind = GroupKind.INDEPENDENT) -> Desk:
    markets = [market("A", group="e", fee=FEE), market("B", group="e", fee=FEE)]
    return Desk(markets=markets, groups=[Group("e", ("A", "B"), kind)], protections=guards())


class World:
    """Drives a desk at random: books move, puppets wish, the venue answers as it likes."""

    def __init__(self, seed: int, desk: Desk) -> None:
        self.r = random.Random(seed)
        self.desk = desk
        self.trades = 0

    def turn(self) -> list[fx.Effect]:
        act = self.r.choices(
            (
                self.book,
                self.intend,
                self.quote,
                self.answer,
                self.cancel,
                self.pair,
                self.fail,
                self.ask,
                self.report,
                self.sleep,
            ),
            (3, 6, 3, 8, 2, 1, 1, 1, 1, 0.3),
        )[0]
        return act() or []

    def book(self):
        bid = self.r.randint(2, 96)
        ask = bid + self.r.randint(1, 3)
        return self.desk.book(self.r.choice("AB"), str(Decimal(bid) / 100), str(Decimal(ask) / 100))

    def intend(self):
        resting = self.r.random() < 0.5
        return self.desk.wish(
            self.r.choice(("alice", "bob")),
            Intent(
                token=self.r.choice(TOKENS),
                side=self.r.choice((Side.BUY, Side.BUY, Side.SELL)),
                price=self.r.randint(2, 98) * 100,
                size=self.r.randint(1, 60) * 1_000_000,
                tif=TimeInForce.GTC if resting else TimeInForce.FAK,
            ),
        )

    def quote(self):
        levels = [QuoteLevel(self.r.randint(2, 60) * 100, self.r.randint(1, 9) * 1_000_000)]
        return self.desk.wish(
            "alice", Quotes(token=self.r.choice(TOKENS), bids=tuple(levels), post_only=True)
        )

    def ask(self):
        """A question, or the answer to one that is under way."""
        desk = self.desk
        under_way = desk.engine.parts.forecasts.inflight
        if not under_way or self.r.random() < 0.5:
            wish = AskForecast(self.r.choice("AB"), "oracle")
            return desk.wish(self.r.choice(("alice", "bob")), wish)
        (name, by), request = self.r.choice(list(under_way.items()))
        forecast = Forecast(
            name, self.r.uniform(0.01, 0.99), desk.now, "x",
            confidence=self.r.choice(("", "LOW", "HIGH")),
            evidence_quality=self.r.choice((None, self.r.random())),
        )  # fmt: skip
        return desk.step(ev.ForecastMade(desk.later(), request, by, forecast))

    def report(self):
        desk = self.desk
        return desk.step(ev.StatsReported(desk.later(), self.r.choice("AB"), self.r.randrange(9)))

    def sleep(self):
        self.desk.later(self.r.choice((3_600, 86_400)))

    def open(self):
        orders = list(self.desk.engine.state.orders.values())
        return self.r.choice(orders) if orders else None

    def answer(self):
        o = self.open()
        if o is None:
            return None
        kind = self.r.random()
        desk, id = self.desk, o.order.id
        if kind < 0.2:
            return desk.step(ev.OrderAccepted(desk.later(), id))
        if kind < 0.3:
            return desk.step(ev.OrderTimedOut(desk.later(), id))
        if kind < 0.4:
            return desk.step(ev.OrderRejected(desk.later(), id, "no"))
        if kind < 0.55:
            return desk.step(ev.OrderCancelled(desk.later(), id))
        size = self.r.randint(1, o.remaining // 1_000_000) * 1_000_000
        better = self.r.randint(0, 3) * 100 * o.order.side
        price = min(max(o.order.price - better, 100), 9_900)
        m = desk.engine.context.universe.market(o.order.market)
        self.trades += 1
        fill = Fill(
            f"w{self.trades}", id, o.order.ledger, o.order.market, o.order.token, o.order.side,
            price, size, m.taker_fee(price, size), desk.later(),
        )  # fmt: skip
        return desk.step(ev.OrderFilled(desk.now, fill, self.r.random() < 0.7))

    def cancel(self):
        o = self.open()
        return self.desk.wish(o.order.ledger, CancelOrder(o.order.id)) if o else None

    def pair(self):
        state, desk = self.desk.engine.state, self.desk
        player = self.r.choice((0, 1))
        name = state.ledgers[player]
        pairs = min(state.shares[player, 0], state.shares[player, 1])
        held = pairs - max(state.reserved_shares[player, 0], state.reserved_shares[player, 1])
        if held > 0:
            return desk.step(ev.PositionMerged(desk.later(), name, "A", held))
        if state.cash[player] - state.reserved[player] > 5_000_000:
            return desk.step(ev.PositionSplit(desk.later(), name, "A", 3_000_000))
        return None

    def fail(self):
        desk = self.desk
        for key, fill in list(desk.engine.parts.desk.provisional.items()):
            state = desk.engine.state
            ledger = state.ledger_index[fill.ledger]
            token = desk.engine.context.universe.token(fill.token)
            spare = state.shares[ledger, token] - state.reserved_shares[ledger, token]
            if fill.side == Side.SELL or spare >= fill.size:
                trade, order = key.split("\x1f")
                return desk.step(ev.FillFailed(desk.later(), trade, order, "reverted"))
        return None


def settle(desk: Desk, outcomes: tuple[int, int]) -> None:
    # A quote that waited for room is sent when a cancel makes some.
    while orders := list(desk.engine.state.orders):
        desk.step(ev.OrderCancelled(desk.later(), orders[0]))
    for name, winner in zip("AB", outcomes, strict=True):
        m = desk.engine.context.universe.market(name)
        kind = (
            Resolution.split(m, desk.now) if winner == 2 else Resolution.winner(m, winner, desk.now)
        )
        for e in desk.step(ev.MarketResolved(desk.later(), kind)):
            if isinstance(e, fx.RedeemPosition):
                payout = kind.payouts[[t.id for t in m.tokens].index(e.token)]
                desk.step(
                    ev.PositionRedeemed(desk.later(), e.ledger, e.market, e.token, e.size, payout)
                )


@settings(max_examples=60)
@given(st.integers(0, 2**32), st.tuples(st.integers(0, 2), st.integers(0, 2)))
def test_money_is_conserved_to_the_unit_and_the_fold_agrees(seed, outcomes):
    desk = fresh()
    world = World(seed, desk)
    for _ in range(80):
        world.turn()
        check_books(desk)
    settle(desk, outcomes)
    check_books(desk)
    state = desk.engine.state
    assert all(state.totals(row)[:2] == (0, 0) for row in range(3))
    assert list(state.reserved) == [0, 0, 0]
    assert list(state.open_markets) == [0, 0, 0]
    assert not state.tables.markets[: tables_nb.M_CATEGORY_CAP].any(), (
        "worst cases of nothing are zero"
    )
    folded = fold(desk)
    assert [folded.cash[n] for n in ("alice", "bob")] == list(state.cash)[:2]


def check_books(desk: Desk) -> None:
    state = desk.engine.state
    deposits = 100_000_000
    for row, n in ((0, 1), (1, 1), (state.account, 2)):
        h = state.totals(row)
        assert state.cash[row] == n * deposits - h.cost + h.realised - h.fees
        assert state.cash[row] >= 0
        assert state.cash[row] - state.reserved[row] >= 0
    for t in range(4):
        assert all(0 <= state.reserved_shares[r, t] <= state.shares[r, t] for r in (0, 1))
    assert state.shares[2, 0] == state.shares[0, 0] + state.shares[1, 0]


def fold(desk: Desk) -> Portfolio:
    """The same history, booked by the domain's own fold."""
    portfolio = Portfolio(dict.fromkeys(("alice", "bob"), 100_000_000))
    divisor = market("A").divisor
    provisional: dict[tuple[str, str], Fill] = {}
    for event, effects in desk.log:
        if isinstance(event, ev.OrderFilled):
            if any(isinstance(e, fx.FillBooked) for e in effects):
                portfolio.fill(event.fill, divisor)
                provisional[(event.fill.trade, event.fill.order)] = event.fill
        elif isinstance(event, ev.FillFailed):
            portfolio.reverse(provisional[(event.trade, event.order)], divisor)
        elif isinstance(event, ev.PositionSplit):
            portfolio.split(event.ledger, "A.yes", "A.no", event.size, 6)
        elif isinstance(event, ev.PositionMerged):
            portfolio.merge(event.ledger, "A.yes", "A.no", event.size, 6)
        elif isinstance(event, ev.PositionRedeemed):
            portfolio.redeem(event.ledger, event.token, event.payout, event.size, 6)
    return portfolio


BURST = st.lists(
    st.tuples(
        st.sampled_from(("alice", "bob")), st.sampled_from(TOKENS), PRICES, SIZES, st.booleans()
    ),
    min_size=5,
    max_size=60,
)


@settings(max_examples=80)
@given(BURST, st.randoms(use_true_random=False))
def test_a_burst_of_intents_before_any_fill_never_passes_a_cap(burst, order):
    desk = fresh()
    desk.book("A", "0.49", "0.51")
    desk.book("B", "0.49", "0.51")
    for player, token, price, size, resting in burst:
        tif = TimeInForce.GTC if resting else TimeInForce.FAK
        desk.wish(player, Intent(token=token, side=Side.BUY, price=price, size=size, tif=tif))
        check_caps(desk)
    # ... nor when all of them fill afterwards, in any order.
    orders = list(desk.engine.state.orders)
    order.shuffle(orders)
    for id in orders:
        o = desk.engine.state.orders[id]
        m = desk.engine.context.universe.market(o.order.market)
        fee = m.taker_fee(o.order.price, o.order.size)
        fill = Fill(
            f"b{id}", id, o.order.ledger, m.id, o.order.token, Side.BUY, o.order.price,
            o.order.size, fee, desk.later(),
        )  # fmt: skip
        desk.step(ev.OrderFilled(desk.now, fill))
        check_caps(desk)


def check_caps(desk: Desk) -> None:
    state = desk.engine.state
    for row in range(3):
        assert state.open_markets[row] <= 2
        assert state.cash[row] - state.reserved[row] >= 0
        for m in (0, 1):
            # The worst case counts fees, the stake that a person set is met to the unit.
            assert state.at_risk_market(row, m) - slack(desk, row, m) <= 12_000_000


def slack(desk: Desk, row: int, m: int) -> int:
    """What rounding of parts is reserved for open orders; it is given back as they fill."""
    orders = desk.engine.state.by_market.get(m, {}).values()
    return sum(11 for o in orders if row in (o.ledger, 2))


@settings(max_examples=150)
@given(
    st.sampled_from(list(GroupKind)),
    st.lists(
        st.tuples(
            st.integers(0, 5), st.sampled_from((Side.BUY, Side.SELL)), PRICES, SIZES, st.booleans()
        ),
        max_size=8,
    ),
)
def test_the_worst_case_is_the_brute_force_minimum_over_outcomes(kind, moves):
    names = ("A", "B", "C")
    markets = [market(n, group="e", strike=i) for i, n in enumerate(names)]
    desk = Desk(markets=markets, groups=[Group("e", names, kind)], cash="100000")
    for n in names:
        desk.book(n, "0.49", "0.51")
    for t, side, price, size, fills in moves:
        token = f"{names[t // 2]}.{'no' if t % 2 else 'yes'}"
        sent = [
            e.order
            for e in desk.wish(
                "alice",
                Intent(token=token, side=side, price=price, size=size, tif=TimeInForce.GTC),
            )
            if isinstance(e, fx.SubmitOrder)
        ]
        for order in sent if fills else ():
            desk.fill(order.id, str(order.size // 1_000_000), str(Decimal(price) / 10_000))
    assert desk.engine.state.worst(0, "e") == brute_force(desk, kind, names)


def brute_force(desk: Desk, kind: GroupKind, names: tuple[str, ...]) -> int:
    """Every outcome of the event, every subset of open orders filled."""
    outcomes = {
        GroupKind.INDEPENDENT: list(itertools.product((0, 1), repeat=3)),
        GroupKind.EXCLUSIVE: [(0, 0, 0), (1, 0, 0), (0, 1, 0), (0, 0, 1)],
        GroupKind.LADDER: [(0, 0, 0), (1, 0, 0), (1, 1, 0), (1, 1, 1)],
    }[kind]
    state = desk.engine.state
    orders = [o.order for o in state.orders.values()]
    values = []
    for outcome in outcomes:
        pays = {f"{n}.yes": y for n, y in zip(names, outcome, strict=True)}
        pays |= {f"{n}.no": 1 - y for n, y in zip(names, outcome, strict=True)}
        held = sum(p.shares * pays[p.token] for p in desk.engine.parts.bound[0].view.positions())
        for filled in itertools.product((0, 1), repeat=len(orders)):
            value = held
            for order, yes in zip(orders, filled, strict=True):
                paid = order.price * order.size // 10_000
                # One unit of rounding slack is reserved a purchase or sale.
                gain = order.side * (order.size * pays[order.token] - paid) - 1
                value += gain * yes
            values.append(value)
    return min(values)


@settings(max_examples=25)
@given(st.integers(0, 2**32), st.integers(0, 60))
def test_a_session_goes_on_from_a_checkpoint_as_if_nothing_had_happened(seed, at):
    one = fresh()
    world = World(seed, one)
    for _ in range(at):
        world.turn()
    saved = one.engine.checkpoint()
    twin = Engine(fresh().setup)
    twin.restore(saved)
    assert twin.checkpoint() == saved
    seen = len(one.log)
    hands = record_hands(one)
    for _ in range(40):
        world.turn()
    for i, (event, effects) in enumerate(one.log[seen:]):
        for name, bound in zip(("alice", "bob"), twin.parts.bound, strict=True):
            bound.strategy.hand = hands[i].get(name, []) if i < len(hands) else []
        again = twin.step(event)
        assert encode(again) == encode(effects)


def record_hands(desk: Desk) -> list[dict[str, list]]:
    """What the puppets hold at each step, so that a twin can be given the same."""
    hands: list[dict[str, list]] = []
    step = desk.step

    def recording(event):
        hands.append({n: list(p.hand) for n, p in desk.puppets.items()})
        return step(event)

    desk.step = recording  # type: ignore[method-assign]
    return hands


def encode(effects) -> bytes:
    return msgspec.msgpack.encode(effects, enc_hook=storable)


@settings(max_examples=25)
@given(st.integers(0, 2**32), st.integers(1, 60))
def test_folding_recorded_steps_gives_the_state_without_asking_anybody(seed, at):
    desk = fresh()
    world = World(seed, desk)
    for _ in range(at):
        world.turn()
    twin = fresh()
    for event, effects in desk.log[1:]:
        twin.engine.fold(event, effects)
    mine, its = (msgspec.msgpack.decode(d.engine.checkpoint()) for d in (desk, twin))
    for noise in ("waiting", "quotes", "orders"):
        mine.pop(noise, None), its.pop(noise, None)
    assert its == mine
    assert [p.told for p in twin.puppets.values()] == [[], []]


def test_a_timer_survives_a_checkpoint():
    desk = fresh()
    desk.wish("alice", WakeAt(desk.now + 10**10, "later"))
    twin = Engine(fresh().setup)
    twin.restore(desk.engine.checkpoint())
    assert twin.timers == desk.engine.timers != {}


def test_a_checkpoint_of_other_strategies_is_refused():
    from polyframe.errors import GapError

    saved = fresh().engine.checkpoint()
    with pytest.raises(GapError, match="alice, bob"):
        Desk(players=("carol",)).engine.restore(saved)
    with pytest.raises(GapError, match="cannot be read"):
        fresh().engine.restore(saved[:-7])


def test_the_same_step_draws_the_same_random_numbers():
    class Gambler(type(fresh().puppets["alice"])):
        def on_wake(self, event, view):
            self.told.append(view.rng.random())
            return ()

    drawn = []
    for _ in range(2):
        desk = Desk(strategies={"alice": Gambler()})
        for _ in range(3):
            desk.wish("alice")
        drawn.append(desk.puppets["alice"].told)
    assert drawn[0] == drawn[1]
    assert len(set(drawn[0])) == 3


def test_prices_and_money_are_plain_ints_everywhere():
    desk = fresh()
    desk.book("A", "0.49", "0.51")
    sent = desk.wish("alice", Intent(token="A.yes", side=Side.BUY, price=5_100, size=3_000_000))
    order = sent[-1].order
    assert all(type(n) is int for n in (order.price, order.size, sent[-1].reserved, order.salt))
    assert 0 <= order.salt < 2**53
    view = desk.engine.parts.bound[0].view
    account = view.portfolio()
    assert all(type(n) is int for n in (account.cash, account.free, account.equity))
    assert type(view.worst("e")) is int
    assert to_units("0.51", 4) == order.price
