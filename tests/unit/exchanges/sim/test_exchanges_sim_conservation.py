"""Properties that hold for any prices and any orders."""

from hypothesis import given, settings
from hypothesis import strategies as st
from sim_transcript import Table, market, tell

from polyframe.domain.events import (
    OrderAccepted,
    OrderCancelled,
    OrderExpired,
    OrderFilled,
    OrderRejected,
    PositionMerged,
    PositionRedeemed,
    PositionSplit,
)
from polyframe.domain.market import Resolution
from polyframe.domain.orders import Side, TimeInForce
from polyframe.domain.portfolio import Portfolio
from polyframe.domain.units import SECOND

DEPOSIT = 10**12
SHARES = 5_000_000_000


def row_text(second, mid, half, flag):
    bid, ask = max(mid - half, 1), min(mid + half, 99)
    return f"{second} 0.{bid:02d} 0.{ask:02d} {flag}"


MIDS = st.tuples(
    st.integers(5, 95), st.integers(1, 5), st.sampled_from(["", "", "", "flat", "near"])
)
ORDERS = st.tuples(
    st.integers(0, 110),
    st.sampled_from(["buy", "sell"]),
    st.sampled_from(["yes", "no"]),
    st.integers(4, 400),
    st.integers(0, 100),
    st.sampled_from(["FAK", "FOK", "GTC", "GTC post", "GTD until=60"]),
    st.one_of(st.none(), st.integers(0, 40)),
)


def play(mids, orders, winner, *, fill_at="next", multiplier=1.0):
    only = market(closes=100, lot=10_000)
    known = {"M": Resolution.winner(only, winner, 120 * SECOND)}
    rows = "\n".join(row_text(5 * k, *mid) for k, mid in enumerate(mids))
    table = Table(
        rows, markets=[only], resolutions=known, fill_at=fill_at, cost_multiplier=multiplier
    )
    table.broker.split("L", "M", SHARES, 0)
    for k, (second, side, token, size, price, tif, cancel) in enumerate(orders):
        table.send(second, f"o{k} {side} {token} {size} @{price / 100:.2f} {tif}")
        if cancel is not None:
            table.cancel(second + cancel, f"o{k}")
    return only, table, table.events()


def fold(only, events):
    book = Portfolio({"L": DEPOSIT})
    book.split("L", "M-yes", "M-no", SHARES, 6)
    for event in events:
        if isinstance(event, OrderFilled):
            book.fill(event.fill, only.divisor)
        elif isinstance(event, PositionMerged):
            book.merge("L", "M-yes", "M-no", event.size, 6)
        elif isinstance(event, PositionRedeemed):
            book.redeem("L", event.token, event.payout, event.size, 6)
    return book


@settings(max_examples=150, deadline=None)
@given(
    mids=st.lists(MIDS, min_size=1, max_size=20),
    orders=st.lists(ORDERS, max_size=12),
    winner=st.integers(0, 1),
    fill_at=st.sampled_from(["next", "last"]),
)
def test_what_the_customer_pays_is_what_the_venue_takes(mids, orders, winner, fill_at):
    only, table, events = play(mids, orders, winner, fill_at=fill_at)
    assert sum(isinstance(event, PositionSplit) for event in events) == 1
    held = fold(only, events)
    pairs = min(held.holding("L", "M-yes").shares, held.holding("L", "M-no").shares)
    table.broker.merge("L", "M", pairs, 200 * SECOND)
    for token in ("M-yes", "M-no"):
        shares = held.holding("L", token).shares - pairs
        if shares:
            table.broker.redeem("L", "M", token, shares, 200 * SECOND)
    events += table.events()
    book = fold(only, events)
    assert book.cash["L"] + table.broker.stats.till == DEPOSIT
    assert book.imbalance("L") == 0
    assert table.broker.stats.fees == sum(h.fees for h in book.holdings.values())
    assert all(h.shares == 0 for h in book.holdings.values())


@settings(max_examples=150, deadline=None)
@given(
    mids=st.lists(MIDS, min_size=1, max_size=20),
    orders=st.lists(ORDERS, max_size=12),
    fill_at=st.sampled_from(["next", "last"]),
)
def test_every_order_is_answered_within_its_terms(mids, orders, fill_at):
    _, table, events = play(mids, orders, 0, fill_at=fill_at)
    seen = [tell(event) for event in events]
    assert len(set(seen)) == len(seen)
    trades = [e.fill.trade for e in events if isinstance(e, OrderFilled)]
    assert len(set(trades)) == len(trades) == table.broker.stats.fills
    for k, (second, side, token, size, price, tif, _) in enumerate(orders):
        order = table.order(f"o{k} {side} {token} {size} @{price / 100:.2f} {tif}", second)
        mine = [e for e in events if getattr(e, "order", None) == order.id]
        fills = [e.fill for e in events if isinstance(e, OrderFilled) and e.fill.order == order.id]
        accepted = sum(isinstance(e, OrderAccepted) for e in mine)
        rejected = sum(isinstance(e, OrderRejected) for e in mine)
        ended = sum(isinstance(e, (OrderCancelled, OrderExpired)) for e in mine)
        assert accepted + rejected == 1
        filled = sum(fill.size for fill in fills)
        # An accepted order ends once: filled, cancelled or expired. Nothing is left standing.
        assert ended == (1 if accepted and filled < order.size else 0)
        assert filled <= order.size
        for fill in fills:
            better = fill.price <= order.price if side == "buy" else fill.price >= order.price
            assert better
            assert fill.ts >= order.ts + SECOND
            assert fill.ts < 100 * SECOND
            assert fill.fee == 0 if fill.maker else fill.fee > 0
            row = int(table.broker._rows["M"].standing_at(fill.ts))
            assert not table.broker._rows["M"].flagged(row)
        if order.tif is TimeInForce.FOK:
            assert filled in (0, order.size)
        if order.post_only:
            assert all(fill.maker and fill.price == order.price for fill in fills)


@settings(max_examples=60, deadline=None)
@given(
    mids=st.lists(MIDS, min_size=1, max_size=20),
    orders=st.lists(ORDERS, max_size=12),
    start=st.integers(0, 50),
)
def test_the_same_orders_give_the_same_answers_whenever_the_driver_looks(mids, orders, start):
    _, _, events = play(mids, orders, 0)
    only = market(closes=100, lot=10_000)
    rows = "\n".join(row_text(5 * k, *mid) for k, mid in enumerate(mids))
    known = {"M": Resolution.winner(only, 0, 120 * SECOND)}
    table = Table(rows, markets=[only], resolutions=known)
    table.broker.split("L", "M", SHARES, 0)
    # Orders are sent at their time, with the broker's clock advanced in odd steps in between.
    sends = []
    for k, (second, side, token, size, price, tif, cancel) in enumerate(orders):
        sends.append((second, 0, f"o{k} {side} {token} {size} @{price / 100:.2f} {tif}"))
        if cancel is not None:
            sends.append((second + cancel, 1, f"o{k}"))
    again = []
    clock = start * SECOND // 7
    for second, what, text in sorted(sends, key=lambda send: (send[0], send[1])):
        while clock < second * SECOND:
            again += table.broker.take(clock)
            clock += 3 * SECOND + 11
        if what:
            table.cancel(second, text)
        else:
            table.send(second, text)
    again += table.events()
    times = [event.ts for event in again]
    assert times == sorted(times)
    if not any(cancel == 0 for *_, cancel in orders) and len({o[0] for o in orders}) == len(orders):
        assert sorted(map(tell, again)) == sorted(map(tell, events))


@settings(max_examples=100, deadline=None)
@given(
    mids=st.lists(MIDS, min_size=1, max_size=12),
    side=st.sampled_from(["buy", "sell"]),
    token=st.sampled_from(["yes", "no"]),
    size=st.integers(5, 300),
)
def test_there_and_back_never_pays_at_a_standing_price(mids, side, token, size):
    """Buying and selling on the same row loses at least the spread and both fees."""
    rows = f"0 0.40 0.45\n{row_text(10, *mids[0])}"
    table = Table(rows, depth_shares=1_000)
    back = "sell" if side == "buy" else "buy"
    table.send(0, f"A {side} {token} {size} @{0.99 if side == 'buy' else 0.01} FAK")
    table.send(0, f"B {back} {token} {size} @{0.99 if back == 'buy' else 0.01} FAK")
    fills = [e.fill for e in table.events() if isinstance(e, OrderFilled)]
    if len(fills) == 2 and fills[0].size == fills[1].size:
        bought = next(f for f in fills if f.side is Side.BUY)
        sold = next(f for f in fills if f.side is Side.SELL)
        assert bought.price > sold.price
        assert table.broker.stats.till > 0


@settings(max_examples=60, deadline=None)
@given(mids=st.lists(MIDS, min_size=2, max_size=12), size=st.integers(5, 300))
def test_stress_never_helps(mids, size):
    def paid(multiplier):
        rows = "\n".join(row_text(5 * k, *mid) for k, mid in enumerate(mids))
        table = Table(rows, cost_multiplier=multiplier).send(0, f"A buy yes {size} @0.99 FAK")
        fills = [e.fill for e in table.events() if isinstance(e, OrderFilled)]
        return (sum(f.size for f in fills), max((f.price for f in fills), default=0))

    (much, low), (less, high) = paid(1.0), paid(2.0)
    assert less <= much
    if less == much:
        assert high >= low
