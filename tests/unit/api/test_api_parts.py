"""Prices on the tick, parts that a venue takes, a book's sides, predicted costs of taking."""

from __future__ import annotations

import msgspec
import pytest
from hypothesis import given
from hypothesis import strategies as st

from polyframe.api.execution import Parent
from polyframe.api.parts import (
    NEVER,
    Sides,
    deadline,
    edge_at,
    least_part,
    part_of,
    part_within,
    post_price,
    price_within,
    taking,
    taking_within,
    unit_price,
)
from polyframe.domain.book import Level
from polyframe.domain.market import FeeSchedule
from polyframe.domain.orders import Order, Side, TimeInForce
from polyframe.domain.units import SECOND, cost_of
from polyframe.quant.execution import walk_book
from polyframe.quant.slippage import Slippage
from polyframe.testing import SHARE, START, build_market

MARKET = build_market(tick=100)
SIDES = st.sampled_from(list(Side))


def parent(side=Side.BUY, price=5_000, size=20 * SHARE, filled=0, working=0, **more) -> Parent:
    edge = more.pop("edge", None)
    order = Order(
        "t-1", "me", "m1", "m1-yes", side, price, size, TimeInForce.FAK, START, edge=edge, **more
    )
    return Parent(order, filled, working, START, unit_price(MARKET, side, price))


@given(SIDES, st.integers(1, 9_999), st.integers(1, 9_999), st.sampled_from((1, 10, 25, 100, 500)))
def test_a_price_is_on_the_tick_and_never_beyond_the_limit(side, limit, wanted, tick) -> None:
    market = msgspec.structs.replace(MARKET, tick=tick)
    price = price_within(parent(side, limit), market, wanted)
    if price == 0:
        return
    assert price % tick == 0
    assert tick <= price <= 10_000 - tick
    assert side * (limit - price) >= 0
    assert side * (wanted - price) >= 0
    assert abs(price - side * min(side * wanted, side * limit)) < tick


@given(
    SIDES, st.integers(1, 99), st.integers(0, 400 * SHARE), st.integers(0, 400 * SHARE),
    st.booleans(), st.sampled_from((1, 10_000, SHARE)),
)  # fmt: skip
def test_a_part_fits_what_is_free_and_leaves_nothing_too_small(
    side, cents, free, wanted, taking, lot
) -> None:
    market = msgspec.structs.replace(MARKET, lot=lot)
    least = least_part(market, side, 100 * cents, taking=taking)
    found = part_of(
        parent(side, size=free + 7, filled=7), market, wanted, 100 * cents, taking=taking
    )
    whole = free // lot * lot
    assert 0 <= found <= whole
    assert found % lot == 0
    if found == 0:
        assert whole < least
        return
    assert found >= least
    assert whole - found == 0 or whole - found >= least
    assert found <= max(wanted, least) + least, "the most it adds is a rest below the minimum"
    if taking and side == Side.BUY:
        assert cost_of(100 * cents, found, market.divisor) >= 1_000_000


def test_the_edge_of_a_part_moves_with_its_price_fee_and_side() -> None:
    fee = 0.05 * 0.25
    bought = parent(edge=0.05)
    assert edge_at(bought, MARKET, 5_000) == 0.05
    assert edge_at(bought, MARKET, 5_000, maker=True) == pytest.approx(0.05 + fee)
    assert edge_at(bought, MARKET, 4_000) == pytest.approx(0.05 + 0.10 + fee - 0.05 * 0.24)
    sold = parent(Side.SELL, edge=0.05)
    assert edge_at(sold, MARKET, 5_000) == 0.05
    assert edge_at(sold, MARKET, 6_000, maker=True) == pytest.approx(0.05 + 0.10 + fee)
    free = msgspec.structs.replace(MARKET, fee=FeeSchedule(rate=0))
    assert edge_at(bought, free, 5_000) == pytest.approx(0.05 + fee)
    assert edge_at(parent(), MARKET, 5_000) is None


def test_a_deadline_is_the_earlier_of_expiry_and_close() -> None:
    assert deadline(parent(expires=START + 9), MARKET, 0) == START + 9
    assert deadline(parent(), MARKET, 60 * SECOND) == MARKET.closes - 60 * SECOND
    open_ended = msgspec.structs.replace(MARKET, closes=0)
    assert deadline(parent(), open_ended, 60 * SECOND) == NEVER


def levels(*pairs: tuple[int, float]) -> tuple[Level, ...]:
    return tuple(Level(price, int(size * SHARE)) for price, size in pairs)


def sides(own: int, other: tuple[Level, ...], met: int | None = None) -> Sides:
    best = other[0] if other else Level(0, 0)
    return Sides(
        own, best.price, 10 * SHARE, best.size, other, other[: len(other) if met is None else met],
        100,
    )  # fmt: skip


@pytest.mark.parametrize(
    ("own", "asks", "further", "price"),
    [
        (4_000, 4_200, 0, 4_000), (4_000, 4_300, 0, 4_100), (4_000, 4_200, 1, 4_100),
        (4_000, 4_200, 9, 4_100), (4_000, 0, 2, 4_200), (0, 4_200, 0, 0), (5_500, 5_800, 0, 5_000),
    ],
)  # fmt: skip
def test_where_a_part_rests(own, asks, further, price) -> None:
    book = sides(own, levels((asks, 5)) if asks else ())
    assert post_price(parent(), MARKET, book, further) == price
    # A seller sees the same in the mirror.
    mirrored = sides(10_000 - own if own else 0, levels((10_000 - asks, 5)) if asks else ())
    found = post_price(parent(Side.SELL), MARKET, mirrored, further)
    assert found == (10_000 - price if price else 0)


def test_taking_is_the_walk_through_the_book() -> None:
    asks = levels((4_200, 30), (4_300, 50), (4_600, 100))
    model = Slippage(0.5, 0.02, 0.0, 0.0)
    found = taking(parent(price=4_600), MARKET, sides(4_000, asks), 60 * SHARE, model)
    assert found is not None
    walk = walk_book([(0.42, 30), (0.43, 50), (0.46, 100)], 60, 0.41)
    assert found.average / 1e4 == pytest.approx(walk.average)
    assert (found.size, found.price) == (60 * SHARE, 4_300)
    assert found.slippage == pytest.approx(0.5 * 0.02 + 0.02 * 60 / 80)
    # Within a limit of 0.42 only the first level counts, the depth near it stays what it is.
    within = taking(parent(price=4_200), MARKET, sides(4_000, asks, 1), 60 * SHARE, model)
    assert within is not None
    assert (within.size, within.price, within.average) == (30 * SHARE, 4_200, pytest.approx(4_200))
    assert within.slippage == pytest.approx(0.5 * 0.02 + 0.02 * 30 / 80)


@given(
    st.lists(st.tuples(st.integers(1, 6), st.integers(1, 300)), min_size=1, max_size=8),
    st.integers(1, 2_000), st.floats(0.001, 0.08),
)  # fmt: skip
def test_what_is_taken_within_a_cap_is_the_most_that_fits(steps, shares, cap) -> None:
    prices = [4_100 + 100 * sum(step for step, _ in steps[: k + 1]) for k in range(len(steps))]
    book = sides(4_000, levels(*zip(prices, [size for _, size in steps], strict=True)))
    order = parent(price=9_900, size=shares * SHARE)
    model = Slippage(0.5, 0.02, 0.0, 0.01)
    found = taking_within(order, MARKET, book, model, cap)
    whole = taking(order, MARKET, book, order.free, model)
    assert whole is not None
    if whole.slippage <= cap:
        assert found == whole
        return
    size = 0 if found is None else found.size
    assert found is None or found.slippage <= cap
    assert size < whole.size
    more = taking(order, MARKET, book, size + MARKET.lot, model)
    assert more is not None
    assert more.slippage > cap


@given(
    st.integers(1, 99), st.integers(0, 400 * SHARE), st.integers(0, 400 * SHARE), SIDES,
    st.booleans(),
)  # fmt: skip
def test_a_part_within_is_never_more_and_leaves_nothing_too_small(
    cents, free, most, side, taking
) -> None:
    found = part_within(parent(side, size=free), MARKET, most, 100 * cents, taking=taking)
    least = least_part(MARKET, side, 100 * cents, taking=taking)
    whole = free // MARKET.lot * MARKET.lot
    assert found <= min(most, whole)
    if found:
        assert found >= least
        assert whole - found == 0 or whole - found >= least
    else:
        assert most < least or whole < 2 * least


def test_a_sale_is_a_purchase_of_the_mirrored_book() -> None:
    bought = taking(
        parent(price=4_600), MARKET, sides(4_000, levels((4_200, 30), (4_400, 50))), 50 * SHARE,
        Slippage(),
    )  # fmt: skip
    sold = taking(
        parent(Side.SELL, 5_400), MARKET, sides(6_000, levels((5_800, 30), (5_600, 50))),
        50 * SHARE, Slippage(),
    )  # fmt: skip
    assert bought is not None
    assert sold is not None
    assert sold.slippage == pytest.approx(bought.slippage)
    assert (sold.size, sold.price) == (bought.size, 10_000 - bought.price)
    assert sold.average == pytest.approx(10_000 - bought.average)


@pytest.mark.parametrize(
    "book",
    [sides(0, levels((4_200, 5))), sides(4_000, ()), sides(4_000, levels((4_200, 0)))],
)
def test_where_nobody_says_what_is_there_nothing_is_predicted(book) -> None:
    assert taking(parent(), MARKET, book, 5 * SHARE, Slippage()) is None
