"""With every factor and cap off, the Kelly sizer's answer is what a brute search finds best."""

from __future__ import annotations

import math

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from sizer_views import PLAIN, level, listed, scene, shares_in

from polyframe import Forecast, Group, GroupKind, Intent, Level, Side
from polyframe.domain.market import FeeSchedule
from polyframe.quant.correlation import cluster_scenarios
from polyframe.quant.outcomes import exclusive_scenarios, ladder_scenarios
from polyframe.sizers.kelly import KellySizer
from polyframe.testing import START

P = st.floats(0.03, 0.97)
HELD = st.one_of(st.just(0), st.integers(1, 400))


@st.composite
def asks(draw, low: int = 20, high: int = 95):
    """Up to four levels on whole cents, in shares."""
    cents = sorted(draw(st.sets(st.integers(low, high), min_size=1, max_size=4)))
    return [(c / 100, float(draw(st.integers(1, 1_500)))) for c in cents]


def sizer(**settings) -> KellySizer:
    return KellySizer(KellySizer.Config(**{**PLAIN, "hedge": True, **settings}))


def buy(token: str, probability: float) -> Intent:
    return Intent(token=token, side=Side.BUY, probability=probability)


def spent(book, shares: float, rate: float = 0.0) -> float:
    total = 0.0
    for price, size in book:
        taken = min(shares, size)
        total += taken * (price + rate * price * (1 - price))
        shares -= taken
    return total


THIRDS = 45
"""Of an interval of 6,000 shares they leave a ten-thousandth of one."""


def best(function, low: float, high: float) -> tuple[float, float]:
    """Where a concave function is greatest, and how great, by thirds."""
    for _ in range(THIRDS):
        a, b = low + (high - low) / 3, high - (high - low) / 3
        if function(a) < function(b):
            low = a
        else:
            high = b
    x = (low + high) / 2
    return max(((function(at), at) for at in (0.0, x, high)), key=lambda found: found[0])[::-1]


def log(wealth: float) -> float:
    return math.log(wealth) if wealth > 0 else -math.inf


@settings(max_examples=400, deadline=None)
@given(
    P, asks(), st.integers(1, 19), HELD, HELD, st.sampled_from([0, 40_000, 70_000]),
    st.integers(50, 5_000), st.booleans(),
)  # fmt: skip
def test_one_market_with_its_book_and_holdings(p, book, bid, yes, no, fee, cash, mirrored):
    rate = fee / 1e6
    market = listed(fee=FeeSchedule(rate=fee))
    side = [level(price, size) for price, size in book]
    other = [level(bid / 100, 700)]
    books = (other, side) if not mirrored else (_turned(side), _turned(other))
    own, against = ("A.no", "A.yes") if mirrored else ("A.yes", "A.no")
    bought = [(own, "0.10", str(yes))] * (yes > 0) + [(against, "0.10", str(no))] * (no > 0)
    view = scene([market], books={"A": books}, bought=bought, cash=f"{cash + 0.1 * (yes + no):.6f}")
    limit = side[-1].price
    found = shares_in(sizer().size(buy(own, p), limit, view))
    purse = view.portfolio().cash / 1e6
    assert purse == pytest.approx(cash)

    def growth(x: float) -> float:
        cost = spent(book, x, rate)
        return p * log(purse + yes + x - cost) + (1 - p) * log(purse + no - cost)

    most = affordable(book, limit, purse, rate)
    assert found <= most + 1e-6
    assert growth(found) >= best(growth, 0.0, most)[1] - 1e-8


def affordable(book, limit: int, purse: float, rate: float = 0.0) -> float:
    """All that is offered, or what the cash pays for should everything cost the limit."""
    price = limit / 10_000
    return min(sum(size for _, size in book), purse / (price + rate * price * (1 - price)))


def reach(book, money: float) -> float:
    """The shares of a book that an amount pays for."""
    total = 0.0
    for price, size in book:
        taken = min(size, max(0.0, money) / price)
        total, money = total + taken, money - taken * price
    return total


def _turned(levels: list[Level]) -> list[Level]:
    return [Level(10_000 - row.price, row.size) for row in levels]


@st.composite
def pairs(draw):
    """Two markets of an event with coherent beliefs, books of YES and holdings."""
    kind = draw(st.sampled_from(GroupKind))
    p, q = draw(P), draw(P)
    if kind is GroupKind.LADDER:
        p, q = max(p, q), min(p, q)
    if kind is GroupKind.EXCLUSIVE:
        total = (p + q) * draw(st.floats(1.01, 2))
        p, q = p / total, q / total
        p, q = max(p, 0.01), max(q, 0.01)
    return kind, p, q


@settings(max_examples=200, deadline=None)
@given(pairs(), asks(5, 80), asks(5, 80), HELD, HELD, HELD, st.integers(100, 3_000))
def test_two_markets_of_an_event(pair, book, other, yes, theirs, against, cash):
    kind, p, q = pair
    rho = 0.4
    markets = [listed("A", group="g", strike=1.0), listed("B", group="g", strike=2.0)]
    held = [("A.yes", yes), ("B.yes", theirs), ("B.no", against)]
    view = scene(
        markets, kind=kind,
        books={id: ([], [level(*row) for row in rows]) for id, rows in (("A", book), ("B", other))},
        bought=[(token, "0.10", str(n)) for token, n in held if n],
        forecasts=[Forecast("B", q, START, "t")],
        cash=f"{cash + 0.1 * sum(n for _, n in held):.6f}",
    )  # fmt: skip
    limit = round(book[-1][0] * 10_000)
    found = shares_in(sizer(correlation=rho).size(buy("A.yes", p), limit, view))
    joint = {
        GroupKind.EXCLUSIVE: lambda: exclusive_scenarios([p, q]),
        GroupKind.LADDER: lambda: ladder_scenarios([p, q]),
        GroupKind.INDEPENDENT: lambda: cluster_scenarios([p, q], rho),
    }[kind]()
    ends = [
        (float(w), cash + yes * a + theirs * b + against * (1 - b), float(a), float(b))
        for w, (a, b) in zip(joint.weights, joint.payouts, strict=True)
        if w > 1e-12
    ]
    most = affordable(book, limit, cash)

    def growth(x: float, y: float) -> float:
        cost = spent(book, x) + spent(other, y)
        if cost > cash:
            return -math.inf
        return sum(w * log(left + a * x + b * y - cost) for w, left, a, b in ends)

    def with_best_other(x: float) -> float:
        room = reach(other, cash - spent(book, x))
        return best(lambda y: growth(x, y), 0.0, room * (1 - 1e-12))[1]

    assert found <= most + 1e-6
    value = best(with_best_other, 0.0, most)[1]
    if found < most - 1e-6:
        assert with_best_other(found) >= value - 2e-6


@settings(max_examples=150, deadline=None)
@given(P, P, P, asks(), HELD, HELD)
def test_only_what_is_held_of_the_event(p, q, r, book, b, c):
    total = max(1.0, (p + q + r) * 1.01)
    p, q, r = p / total, q / total, r / total
    markets = [listed(id, group="g") for id in "ABC"]
    held = [("B.yes", b), ("C.no", c)]
    view = scene(
        markets, kind=GroupKind.EXCLUSIVE,
        books={"A": ([], [level(*row) for row in book])},
        bought=[(token, "0.10", str(n)) for token, n in held if n],
        forecasts=[Forecast("B", q, START, "t"), Forecast("C", r, START, "t")],
        cash=f"{1_000 + 0.1 * (b + c):.6f}",
    )  # fmt: skip
    limit = round(book[-1][0] * 10_000)
    found = shares_in(sizer(event="held").size(buy("A.yes", p), limit, view))

    def growth(x: float) -> float:
        cost = spent(book, x)
        left = 1 - p - q - r
        return (
            p * log(1_000 + x + c - cost)
            + q * log(1_000 + b + c - cost)
            + r * log(1_000 - cost)
            + left * log(1_000 + c - cost)
        )

    assert growth(found) >= best(growth, 0.0, affordable(book, limit, 1_000))[1] - 1e-8


# ---- what holds of every answer --------------------------------------------------------------


@settings(max_examples=200, deadline=None)
@given(P, P, asks(), HELD, HELD, st.booleans())
def test_it_never_falls_as_the_probability_rises(p, q, book, yes, no, factors):
    bought = [("A.yes", "0.10", str(yes))] * (yes > 0) + [("A.no", "0.10", str(no))] * (no > 0)
    view = scene(
        [listed(closes=0)],
        books={"A": ([level(0.05, 100)], [level(*row) for row in book])},
        bought=bought,
        forecasts=[Forecast("A", 0.6, START, "t", low=0.4, high=0.8, confidence="HIGH")],
    )
    made = KellySizer() if factors else sizer(hedge=False)
    less, more = (
        shares_in(made.size(buy("A.yes", value), 9_900, view)) for value in sorted((p, q))
    )
    assert less <= more + 2e-6


@settings(max_examples=200, deadline=None)
@given(
    P, asks(), HELD, HELD, st.floats(0.01, 1), st.floats(0.01, 1), st.floats(0.01, 1),
    st.integers(1, 300), st.integers(20, 99), st.integers(10, 2_000),
)  # fmt: skip
def test_no_cap_is_ever_passed(p, book, yes, no, cap, cluster, depth, most, limit, cash):
    """At the limit, the worst price that may be paid, and beside what is at risk already."""
    bought = [("A.yes", "0.10", str(yes))] * (yes > 0) + [("A.no", "0.10", str(no))] * (no > 0)
    rows = [level(*row) for row in book]
    view = scene(
        [listed(fee=FeeSchedule(rate=40_000))], books={"A": ([level(0.05, 100)], rows)},
        bought=bought, cash=f"{cash + 0.1 * (yes + no):.6f}",
    )  # fmt: skip
    made = sizer(cap=cap, cluster_cap=cluster, depth_cap=depth, most=most, hedge=False)
    found = shares_in(made.size(buy("A.yes", p), limit * 100, view))
    price = limit / 100
    stake = found * (price + 0.04 * price * (1 - price))
    account = view.portfolio()
    risk = 0.1 * (yes + no)
    assert stake <= account.free / 1e6 + 1e-5
    if found:
        assert stake + risk <= min(cap, cluster) * account.equity / 1e6 + 1e-5
        assert stake + risk <= most + 1e-5
        near = sum(row.size for row in rows if row.price <= rows[0].price + 200) / 1e6
        assert found <= depth * near + 1e-6
        assert found <= sum(row.size for row in rows if row.price <= limit * 100) / 1e6 or (
            rows[0].price > limit * 100
        )


@settings(max_examples=200, deadline=None)
@given(P, asks(), st.sampled_from([0, 40_000]))
def test_nothing_is_bought_at_more_than_it_is_worth(p, book, fee):
    view = scene(
        [listed(fee=FeeSchedule(rate=fee))],
        books={"A": ([level(0.05, 100)], [level(*row) for row in book])},
    )
    for made in (KellySizer(), sizer(hedge=False)):
        found = made.size(buy("A.yes", p), 10_000, view)
        price = book[0][0]
        if price + fee / 1e6 * price * (1 - price) >= p:
            assert shares_in(found) == 0
            assert found.limit == "no edge after costs"
        worth = [r for r in book if r[0] + fee / 1e6 * r[0] * (1 - r[0]) < p]
        assert shares_in(found) <= sum(size for _, size in worth) + 1e-6


def test_a_hedge_is_bought_only_when_asked_for():
    view = scene(
        [listed()], books={"A": ([level(0.25, 100)], [level(0.32, 1_000)])},
        bought=[("A.no", "0.70", "1000")],
    )  # fmt: skip
    assert shares_in(sizer(hedge=True).size(buy("A.yes", 0.30), 3_200, view)) > 0
    assert shares_in(sizer(hedge=False).size(buy("A.yes", 0.30), 3_200, view)) == 0


def test_the_same_question_has_the_same_answer():
    def answer():
        markets = [listed(id, group="g") for id in "ABC"]
        view = scene(
            markets, kind=GroupKind.EXCLUSIVE,
            books={id: ([level(0.2, 90)], [level(0.25, 80)]) for id in "ABC"},
            forecasts=[Forecast(id, 0.3, START, "t") for id in "ABC"],
        )  # fmt: skip
        return KellySizer().size(buy("A.yes", 0.35), 2_600, view)

    assert answer() == answer()


def test_a_group_of_one_is_a_market_alone():
    alone = scene([listed()], books={"A": ([], [level(0.4, 100)])})
    lonely = scene([listed(group="g")], books={"A": ([], [level(0.4, 100)])})
    assert isinstance(lonely.group("g"), Group)
    sizes = [sizer().size(buy("A.yes", 0.5), 4_000, view) for view in (alone, lonely)]
    assert sizes[0] == sizes[1]
