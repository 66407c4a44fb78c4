"""Purchases for an event against brute searches of expected log wealth."""

from __future__ import annotations

import itertools
import math

import numpy as np
import pytest
from hypothesis import assume, given, settings
from hypothesis import strategies as st

from polyframe.domain.market import GroupKind
from polyframe.errors import DataError
from polyframe.quant.correlation import Scenarios, cluster_scenarios, pair_scenarios
from polyframe.quant.depth_kelly import NOTHING, kelly_order_book
from polyframe.quant.event_kelly import Held, Offer, kelly_event, kelly_walk
from polyframe.quant.group_kelly import kelly_mutually_exclusive, kelly_two_correlated
from polyframe.quant.outcomes import event_scenarios, exclusive_scenarios
from polyframe.quant.sizing import kelly_fraction, kelly_time_value, kelly_void_risk

P = st.floats(0.02, 0.98)


@st.composite
def levels(draw, most: int = 4):
    costs = sorted(draw(st.sets(st.integers(3, 97), min_size=1, max_size=most)))
    return [(c / 100, draw(st.floats(0.5, 2_000))) for c in costs]


@st.composite
def worlds(draw):
    """A few scenarios with what each leaves and pays."""
    count = draw(st.integers(2, 5))
    raw = [draw(st.floats(0.02, 1)) for _ in range(count)]
    ends = [draw(st.floats(50, 3_000)) for _ in range(count)]
    pays = [draw(st.sampled_from([0.0, 1.0, 0.5])) for _ in range(count)]
    return [w / sum(raw) for w in raw], ends, pays


def spent(book, shares: float) -> float:
    """What the first shares of a book cost."""
    total = 0.0
    for paid, size in book:
        taken = min(shares, size)
        total, shares = total + taken * paid, shares - taken
    return total if shares <= 1e-9 else math.inf


def growth(weights, ends, purchases) -> float:
    """Expected log wealth, where ``purchases`` are (payouts, book, shares)."""
    wealth = np.array(ends, dtype=float)
    for pays, book, shares in purchases:
        wealth = wealth + np.array(pays) * shares - spent(book, shares)
    kept = np.array(weights) > 0
    if wealth[kept].min() <= 0:
        return -math.inf
    return float(np.array(weights)[kept] @ np.log(wealth[kept]))


def golden(function, low: float, high: float) -> float:
    """The greatest value of a concave function between two ends."""
    for _ in range(200):
        a, b = low + (high - low) / 3, high - (high - low) / 3
        if function(a) < function(b):
            low = a
        else:
            high = b
    return max(function(low), function(0.0))


@settings(max_examples=400)
@given(worlds(), levels(), st.floats(0, 3_000))
def test_a_walk_is_the_best_purchase_there_is(world, book, cash) -> None:
    weights, ends, pays = world
    found = kelly_walk(weights, ends, pays, book, cash)
    assert found.cost <= cash + 1e-9
    assert found.cost == pytest.approx(spent(book, found.shares), abs=1e-9)

    def value(shares: float) -> float:
        return growth(weights, ends, [(pays, book, shares)])

    most = 0.0
    for paid, size in book:
        most += min(size, max(0.0, cash - spent(book, most)) / paid)
    assert value(found.shares) >= golden(value, 0.0, most) - 1e-9


@given(P, st.floats(0, 2_000), levels(), st.floats(0, 500), st.floats(0, 500))
def test_with_two_outcomes_it_is_the_order_book_formula(q, cash, book, held, other) -> None:
    assume(cash > 1)
    wanted = kelly_order_book(q, cash, book, held=held, held_other=other)
    found = kelly_event(
        exclusive_scenarios([q]), [Held(held, other)], [Offer(0, True, book)], cash, cash
    )
    assert found[0].shares == pytest.approx(wanted.shares, rel=1e-6, abs=1e-6)
    assert found[0].cost == pytest.approx(wanted.cost, rel=1e-6, abs=1e-6)


@given(P, st.floats(0.5, 0.97), st.floats(0, 0.2), st.floats(0, 800), st.floats(0, 0.3))
def test_void_and_time_are_the_formulas_of_one_price(q, cost, void, days, rate) -> None:
    event = exclusive_scenarios([q])
    offer = [Offer(0, True, [(cost, math.inf)])]
    found = kelly_event(event, [Held()], offer, 1.0, 1.0, void=void)
    wanted = kelly_void_risk(q, cost, void).fraction
    assert found[0].cost == pytest.approx(wanted, abs=1e-7)
    timed = kelly_time_value(q, cost, rate, days)
    found = kelly_event(event, [Held()], offer, 1.0, 1.0, discount=math.exp(-rate * days / 365))
    assert found[0].cost == pytest.approx(timed.fraction, abs=1e-7)


@given(P, st.floats(0.01, 0.99), st.floats(0, 0.5))
def test_a_void_is_never_a_reason_to_buy(q, cost, void) -> None:
    offer = [Offer(0, True, [(cost, math.inf)])]
    (found,) = kelly_event(exclusive_scenarios([q]), [Held()], offer, 100.0, 100.0, void=void)
    assert found.cost / 100 <= kelly_fraction(q, cost) + 1e-9


# ---- several markets -------------------------------------------------------------------------


@st.composite
def events(draw):
    """An event of two or three markets with holdings and one or more offers."""
    kind = draw(st.sampled_from(GroupKind))
    count = draw(st.integers(2, 3))
    raw = sorted((draw(st.floats(0.05, 0.9)) for _ in range(count)), reverse=True)
    if kind is GroupKind.EXCLUSIVE:
        raw = [p / (sum(raw) + draw(st.floats(0, 0.5))) for p in raw]
    scenarios = event_scenarios(kind, raw, draw(st.floats(0, 0.8)))
    amount = st.one_of(st.just(0.0), st.floats(0, 300))
    held = [Held(draw(amount), draw(amount), draw(P), draw(P)) for _ in range(count)]
    sides = draw(
        st.lists(
            st.tuples(st.integers(0, count - 1), st.booleans()), min_size=1, max_size=3, unique=True
        )
    )
    offers = [Offer(m, yes, draw(levels(3))) for m, yes in sides]
    return scenarios, held, offers, draw(st.floats(20, 2_000)), draw(st.floats(0, 0.1))


def best_of_grid(weights, ends, columns, offers, cash, around) -> float:
    """The best of a lattice over all purchases and of small steps around a point."""
    tops = [sum(size for _, size in offer.levels) for offer in offers]
    steps = 9 if len(offers) < 3 else 6
    lattice = list(itertools.product(*(np.linspace(0, top, steps) for top in tops)))
    for step in (1e-3, 0.05, 1.0):
        for move in itertools.product((-step, 0.0, step), repeat=len(offers)):
            point = zip(around, move, tops, strict=True)
            lattice.append(tuple(min(max(x + d, 0.0), top) for x, d, top in point))
    best = -math.inf
    for point in lattice:
        bought = list(zip(columns, (o.levels for o in offers), point, strict=True))
        if sum(spent(book, shares) for _, book, shares in bought) <= cash:
            best = max(best, growth(weights, ends, bought))
    return best


@settings(max_examples=400, deadline=None)
@given(events(), st.floats(0.2, 1))
def test_together_they_are_the_best_there_is(event, part) -> None:
    scenarios, held, offers, wealth, void = event
    cash = part * wealth
    found = kelly_event(scenarios, held, offers, wealth, cash, void=void)
    assert sum(bet.cost for bet in found) <= cash * (1 + 1e-9)
    weights = [*(scenarios.weights * (1 - void)), void]
    yes = scenarios.payouts
    ends = [
        wealth + sum(h.yes * y + h.no * (1 - y) for h, y in zip(held, row, strict=True))
        for row in yes
    ]
    ends.append(
        wealth + sum(h.yes * min(0.5, h.yes_price) + h.no * min(0.5, h.no_price) for h in held)
    )
    columns = []
    for offer in offers:
        pays = yes[:, offer.market] if offer.yes else 1 - yes[:, offer.market]
        columns.append([*pays, min(0.5, offer.levels[0][0])])
    books = [offer.levels for offer in offers]
    mine = growth(
        weights, ends,
        [
            (pays, book, min(bet.shares, sum(size for _, size in book)))
            for pays, book, bet in zip(columns, books, found, strict=True)
        ],
    )  # fmt: skip
    best = best_of_grid(weights, ends, columns, offers, cash, [bet.shares for bet in found])
    assert mine >= best - 2e-6


@given(st.lists(st.tuples(st.floats(0.02, 0.5), st.floats(0.02, 0.9)), min_size=2, max_size=4))
def test_exclusive_outcomes_at_one_price_are_the_closed_form(rows) -> None:
    total = sum(p for p, _ in rows)
    q = [p / max(1.0, total * 1.01) for p, _ in rows]
    c = [cost for _, cost in rows]
    assume(sum(c) > 1.01)
    wanted = kelly_mutually_exclusive(q, c)
    offers = [Offer(k, True, [(cost, math.inf)]) for k, cost in enumerate(c)]
    found = kelly_event(exclusive_scenarios(q), [Held()] * len(q), offers, 1_000.0, 1_000.0)
    assert [bet.cost / 1_000 for bet in found] == pytest.approx(wanted.stakes, abs=2e-4)


@given(P, P, st.floats(0.1, 0.9), st.floats(0.1, 0.9), st.floats(-0.9, 0.9))
def test_a_correlated_pair_is_the_scenario_program(p, q, c, d, rho) -> None:
    wanted = kelly_two_correlated((p, q), (c, d), rho)
    offers = [Offer(0, True, [(c, math.inf)]), Offer(1, True, [(d, math.inf)])]
    found = kelly_event(pair_scenarios(p, q, rho), [Held()] * 2, offers, 500.0, 500.0)
    stakes = [bet.cost / 500 for bet in found]
    assert stakes == pytest.approx(list(wanted.stakes), abs=2e-4)


def test_what_is_held_of_a_sibling_changes_the_bet() -> None:
    event = exclusive_scenarios([0.4, 0.3])
    offer = [Offer(0, True, [(0.35, math.inf)])]

    def shares(other: Held) -> float:
        return kelly_event(event, [Held(), other], offer, 1_000.0, 1_000.0)[0].shares

    alone = shares(Held())
    assert shares(Held(yes=300)) > alone, "it hedges what loses when the other wins"
    assert shares(Held(no=300)) < alone, "both win or lose together"


def test_correlated_holdings_shrink_the_bet() -> None:
    def shares(rho: float) -> float:
        event = cluster_scenarios([0.5, 0.5], rho)
        offer = [Offer(0, True, [(0.45, math.inf)])]
        return kelly_event(event, [Held(), Held(yes=400)], offer, 600.0, 600.0)[0].shares

    assert shares(0.0) > shares(0.4) > shares(0.8)


def test_nothing_is_bought_where_a_scenario_leaves_nothing() -> None:
    event = exclusive_scenarios([0.6])
    offer = [Offer(0, True, [(0.5, math.inf)])]
    assert kelly_event(event, [Held(yes=10)], offer, -5.0, 100.0) == [NOTHING]
    assert kelly_event(event, [Held(yes=10, no=10)], offer, -5.0, 100.0)[0].shares > 0


@pytest.mark.parametrize(
    ("change", "named"),
    [
        ({"wealth": math.nan}, "wealth"),
        ({"cash": -1.0}, "cash"),
        ({"cash": math.nan}, "cash"),
        ({"discount": 0.0}, "discount"),
        ({"discount": 1.5}, "discount"),
        ({"void": 1.5}, "void probability"),
        ({"void": math.nan}, "void probability"),
        ({"held": [Held(-1.0)]}, "yes"),
        ({"held": [Held(), Held()]}, "holdings of 2"),
        ({"offers": [Offer(0, True, [(0.5, 1.0), (0.4, 1.0)])]}, "stands after"),
        ({"offers": [Offer(0, True, [(0.0, 1.0)])]}, "cost"),
        ({"offers": [Offer(0, True, [(0.5, math.nan)])]}, "stands after"),
    ],
)
def test_arguments_that_are_none_are_refused(change, named) -> None:
    given = {
        "held": [Held()], "offers": [Offer(0, True, [(0.5, 1.0)])], "wealth": 10.0, "cash": 10.0
    } | change  # fmt: skip
    with pytest.raises(DataError, match=named):
        kelly_event(exclusive_scenarios([0.6]), **given)


def test_nobody_is_sure_enough_to_stake_what_he_has_not() -> None:
    sure = Scenarios(np.array([1.0, 0.0]), np.array([[1.0], [0.0]]))
    for part in (1.0, 0.25):
        (found,) = kelly_event(sure, [Held()], [Offer(0, True, [(0.5, 40.0)])], 10 * part, 10.0)
        assert found.cost == pytest.approx(10.0 * part, rel=1e-6)
    (found,) = kelly_event(sure, [Held(no=5.0)], [Offer(0, True, [(0.5, 40.0)])], 1.0, 10.0)
    assert found.cost == pytest.approx(6.0, rel=1e-6)
