"""The Kelly sizer's factors, caps, notes and refusals, one at a time."""

from __future__ import annotations

import math
from typing import Any

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st
from pydantic import ValidationError
from sizer_views import PLAIN, SHARE, desk_view, level, listed, note_of, scene, shares_in

from polyframe import (
    DataError,
    Forecast,
    Group,
    GroupKind,
    Intent,
    Side,
    View,
    kelly_fraction,
    timeline_multiplier,
)
from polyframe.api.param import search_ranges
from polyframe.domain.events import BookUpdated, StatsReported
from polyframe.domain.market import FeeSchedule
from polyframe.domain.orders import TimeInForce
from polyframe.domain.units import DAY, HOUR
from polyframe.quant.depth_kelly import kelly_order_book
from polyframe.sizers.kelly import KellySizer
from polyframe.testing import START, Session, build_book, build_quote

RATE = 40_000


def sizer(**settings: Any) -> KellySizer:
    return KellySizer(KellySizer.Config(**{**PLAIN, **settings}))


def buy(probability: float | None, **more: Any) -> Intent:
    return Intent(token="A.yes", side=Side.BUY, probability=probability, **more)


def deep(**changes: Any) -> View:
    """0.40 bid, a thousand shares each at 0.42 and 0.43; forecasts and holdings as given."""
    market = {k: changes.pop(k) for k in ("closes", "category", "fee") if k in changes}
    books = {"A": ([level(0.40, 1_000)], [level(0.42, 1_000), level(0.43, 1_000)])}
    return scene([listed(**market)], books=books, **changes)


def said(**fields: Any) -> Forecast:
    return Forecast("A", fields.pop("probability", 0.6), START, "test", **fields)


# ---- the bet -----------------------------------------------------------------------------------


def test_it_walks_the_book_with_the_fee():
    view = deep(fee=FeeSchedule(rate=RATE))
    found = shares_in(sizer().size(buy(0.6), 4_300, view))
    wanted = kelly_order_book(0.6, 1_000.0, [(0.42, 1_000.0), (0.43, 1_000.0)], 0.04)
    assert found == pytest.approx(wanted.shares, abs=2e-6)


def test_it_buys_no_further_than_its_limit():
    view = deep()
    assert shares_in(sizer().size(buy(0.99), 4_200, view)) == 1_000
    found = sizer().size(buy(0.99), 4_200, view)
    assert found.limit == "visible book"


@given(st.floats(0, 1), st.integers(1, 9_999), st.floats(0.05, 1), st.floats(0.001, 1))
def test_where_nobody_says_how_much_there_is_it_is_the_formula_at_the_limit(p, price, part, cap):
    session = Session(markets=[listed(fee=FeeSchedule(rate=RATE))])
    session.send(BookUpdated(START, build_quote("A.yes", 1, 2, size=0)))
    made = sizer(fraction=part, cap=cap)
    found = shares_in(made.size(buy(p), price, session.view))
    limit = price / 10_000
    cost = limit + 0.04 * limit * (1 - limit)
    stake = min(part * kelly_fraction(p, cost), cap) * 1_000
    assert found == pytest.approx(stake / cost, rel=3e-8, abs=2e-6)


def test_an_order_that_is_to_rest_is_sized_at_its_limit():
    view = deep(fee=FeeSchedule(rate=RATE))
    taker = shares_in(sizer().size(buy(0.6, tif=TimeInForce.GTC), 3_500, view))
    assert taker == pytest.approx(1_000 * kelly_fraction(0.6, 0.3591) / 0.3591, abs=1e-5)
    maker = shares_in(sizer().size(buy(0.6, tif=TimeInForce.GTC, post_only=True), 3_500, view))
    assert maker == pytest.approx(1_000 * kelly_fraction(0.6, 0.35) / 0.35, abs=1e-5)


def test_what_is_held_counts_and_a_second_signal_adds_nothing():
    first = shares_in(sizer().size(buy(0.6), 4_200, deep()))
    again = deep(bought=[("A.yes", "0.42", f"{first:.6f}")])
    assert shares_in(sizer().size(buy(0.6), 4_200, again)) < 1e-3 * first
    part = sizer(fraction=0.25)
    first = shares_in(part.size(buy(0.6), 4_200, deep()))
    again = deep(bought=[("A.yes", "0.42", f"{first:.6f}")])
    # What the spread took of the position is all that is left to add.
    assert shares_in(part.size(buy(0.6), 4_200, again)) < 0.05 * first


def test_what_is_ordered_counts_as_held():
    from polyframe.domain.events import TimerFired
    from polyframe.domain.wishes import Wish
    from polyframe.strategies.llm_forecast import LLMForecast

    class Once(LLMForecast):
        def on_wake(self, event: object, view: View) -> list[Wish]:
            return [buy(0.6, price=4_000, size=200 * SHARE, tif=TimeInForce.GTC, edge=0.1)]

    session = Session(Once(), markets=[listed()], answers="silent")
    session.send(build_book("A.yes", 4_000, 4_200))
    before = shares_in(sizer().size(buy(0.6), 4_200, session.view))
    session.send(TimerFired(START + HOUR, "tested", "x"))
    assert len(session.view.orders("A.yes")) == 1
    after = shares_in(sizer().size(buy(0.6), 4_200, session.view))
    assert after == pytest.approx(before - 200, rel=0.1)


def test_a_sale_is_of_all_that_is_free():
    view = desk_view(cash="1000", bought=(("0.50", "60"),))
    sell = Intent(token="A.yes", side=Side.SELL, probability=0.1)
    assert KellySizer().size(sell, 4_000, view) == 60 * SHARE


# ---- the factors -------------------------------------------------------------------------------


def factor(name: str, view: View, **settings: Any) -> float:
    """What one factor came to, and that the bet was a part of equity by it."""
    answer = sizer(fraction=0.25, **settings).size(buy(0.6), 4_200, view)
    note = note_of(answer)
    assert note["of Kelly"] == pytest.approx(min(1.0, 0.25 * note[name]), abs=1e-6)
    base = note_of(sizer(fraction=0.25).size(buy(0.6), 4_200, view))
    assert name not in base
    return float(note[name])


@pytest.mark.parametrize(
    ("stated", "wanted"), [("LOW", 0.5), ("MEDIUM", 0.75), ("HIGH", 1.0), ("", 0.6), (None, 0.6)]
)
def test_confidence(stated, wanted):
    forecasts = [] if stated is None else [said(confidence=stated)]
    view = deep(forecasts=forecasts)
    assert factor("confidence", view, confidence=True, unstated=0.6) == wanted


@pytest.mark.parametrize(
    ("lost", "steps", "linear"),
    [(0, 1.0, 1.0), (99, 1.0, 0.505), (100, 0.5, 0.5), (150, 0.25, 0.25)],
)
def test_drawdown_heat(lost, steps, linear):
    def view() -> View:
        session = Session(markets=[listed()], cash="1000")
        session.send(build_book("A.yes", 4_000, 4_200))
        # A loss, not a withdrawal: the peak stays where it was.
        session.engine.state.move_cash(0, -lost * SHARE)
        return session.view

    assert factor("drawdown heat", view(), heat="steps") == steps
    assert factor("drawdown heat", view(), heat="linear") == pytest.approx(linear)
    assert view().portfolio().peak_equity == 1_000 * SHARE


def test_from_a_drawdown_of_a_fifth_on_nothing_is_bought():
    session = Session(markets=[listed()], cash="1000")
    session.send(build_book("A.yes", 4_000, 4_200))
    session.engine.state.move_cash(0, -200 * SHARE)
    found = KellySizer().size(buy(0.9), 4_200, session.view)
    assert (found.size, found.limit) == (0, "drawdown heat")


@pytest.mark.parametrize("days", [0.5, 3, 30, 200])
def test_timeline(days):
    view = deep(closes=START + int(days * DAY))
    assert factor("timeline", view, timeline=True) == pytest.approx(
        timeline_multiplier(days), abs=1e-6
    )


def test_a_market_that_does_not_say_when_it_closes_has_no_timeline_and_no_carry():
    note = note_of(KellySizer().size(buy(0.6), 4_200, deep(closes=0)))
    assert "timeline" not in note
    assert note["days"] == 0


@pytest.mark.parametrize(
    ("table", "category", "wanted"),
    [({}, "sports", 1.0), ({"sports": "WEAK"}, "sports", 0.5),
     ({"Sports": "FAIR"}, "sports", 0.75), ({"sports": "WEAK"}, "politics", 1.0)],
)  # fmt: skip
def test_category(table, category, wanted):
    view = deep(category=category)
    assert factor("category", view, category=True, categories=table) == wanted


def moved(mids: np.ndarray) -> View:
    """A market that went through these prices; the book is 0.40 / 0.42 again at the end."""
    session = Session(markets=[listed()])
    for k, mid in enumerate([*mids, 0.41]):
        at = round(float(mid) * 10_000)
        session.send(build_book("A.yes", at - 100, at + 100, ts=START + k))
    return session.view


def test_volatility_and_regime():
    quiet = 0.41 + 0.02 * np.where(np.arange(180) % 4 < 2, 1.0, -1.0)
    loud = 0.41 + 0.08 * np.where(np.arange(60) % 4 < 2, 1.0, -1.0)
    view = moved(np.concatenate([quiet, loud]))
    assert factor("regime", view, regime=True) == 0.5
    assert factor("volatility", view, volatility=True) == 0.5
    calm = moved(np.concatenate([quiet, quiet[:60]]))
    assert factor("volatility", calm, volatility=True) == pytest.approx(1.0, abs=0.05)
    assert factor("regime", moved(np.full(200, 0.41)), regime=True) == 0.75


def test_uncertainty_from_the_interval_and_without_one():
    edge, half = 0.6 - 0.42, 0.1
    wanted = edge**2 / (edge**2 + (half / 1.644854) ** 2)
    known = deep(forecasts=[said(low=0.5, high=0.7)])
    assert factor("uncertainty", known, uncertainty=True) == pytest.approx(wanted, abs=1e-5)
    unknown = edge**2 / (edge**2 + 0.08**2)
    view = deep(forecasts=[said()])
    assert factor("uncertainty", view, uncertainty=True, deviation=0.08) == pytest.approx(
        unknown, abs=1e-6
    )
    assert factor("uncertainty", view, uncertainty=True, deviation=0.0) == 1.0


def test_a_forecast_that_counts_for_little_makes_little_uncertain():
    """Pooled with the price at weight w, the deviation of the pool its own x sqrt(w)."""
    view = deep(forecasts=[said(probability=0.8, low=0.6, high=0.95)])
    mid, weight = math.log(0.41 / 0.59), 0.4
    pooled = 1 / (1 + math.exp(-(weight * math.log(4) + (1 - weight) * mid)))
    note = note_of(sizer(uncertainty=True).size(buy(pooled), 4_200, view))
    deviation = math.sqrt(weight) * 0.35 / (2 * 1.644854)
    edge = pooled - 0.42
    assert note["uncertainty"] == pytest.approx(edge**2 / (edge**2 + deviation**2), abs=1e-5)


def test_void_and_time_make_the_bet_smaller():
    book = {"A": ([], [level(0.80, 1_000)])}
    view = scene([listed(closes=START + 200 * DAY)], books=book)
    sizes = [
        shares_in(sizer(**change).size(buy(0.9), 8_000, view))
        for change in ({}, {"void_risk": 0.05}, {"annual_rate": 0.1})
    ]
    assert sizes[0] > sizes[1] > 0
    assert sizes[0] > sizes[2] > 0


def test_the_factors_multiply():
    view = deep(forecasts=[said(confidence="LOW")], category="sports", closes=START + 30 * DAY)
    note = note_of(KellySizer().size(buy(0.6), 4_200, view))
    named = ("confidence", "drawdown heat", "timeline", "regime", "category", "uncertainty")
    product = math.prod(note[name] for name in named)
    assert note["of Kelly"] == pytest.approx(0.25 * product, abs=1e-5)


# ---- the caps ----------------------------------------------------------------------------------


@pytest.mark.parametrize(
    ("settings", "limit", "shares"),
    [
        ({"cap": 0.05}, "bankroll", 50 / 0.43),
        ({"most": "21.5"}, "most", 21.5 / 0.43),
        ({"cluster_cap": 0.043}, "event", 100),
        ({"depth_cap": 0.05}, "depth", 100),
        ({"depth_cap": 0.05, "depth_reach": 0.005}, "depth", 50),
    ],
)
def test_each_cap_binds_and_is_named(settings, limit, shares):
    found = sizer(**settings).size(buy(0.9), 4_300, deep())
    assert found.limit == limit
    assert shares_in(found) == pytest.approx(shares, abs=2e-6)
    assert note_of(found)[f"cap {limit}"] == pytest.approx(shares, abs=1e-6)


def test_what_is_at_risk_counts_against_the_caps():
    view = deep(bought=[("A.yes", "0.40", "100"), ("A.no", "0.10", "50")])
    equity = view.portfolio().equity / 1e6
    found = sizer(cap=0.10).size(buy(0.9), 4_200, view)
    assert shares_in(found) == pytest.approx((0.10 * equity - 45) / 0.42, abs=2e-6)
    full = sizer(cap=0.04).size(buy(0.9), 4_200, view)
    assert (full.size, full.limit) == (0, "bankroll")


def test_the_cap_of_liquidity_holds_where_the_venue_says_how_much_there_is():
    session = Session(markets=[listed()])
    session.send(build_book("A.yes", 4_000, 4_200))
    made = sizer(liquidity_cap=0.05)
    assert session.view.liquidity("A") is None
    assert "cap liquidity" not in note_of(made.size(buy(0.9), 4_200, session.view))
    session.send(StatsReported(START, "A", 420 * SHARE))
    assert session.view.liquidity("A") == 420 * SHARE
    found = made.size(buy(0.9), 4_200, session.view)
    assert (found.limit, shares_in(found)) == ("liquidity", pytest.approx(50, abs=2e-6))


def test_the_cap_of_an_event_counts_its_other_markets():
    markets = [listed("A", group="g"), listed("B", group="g")]
    view = scene(
        markets, kind=GroupKind.EXCLUSIVE,
        books={"A": ([level(0.40, 9)], [level(0.42, 1_000)])},
        bought=[("B.yes", "0.25", "200")],
    )  # fmt: skip
    assert isinstance(view.group("g"), Group)
    equity = view.portfolio().equity / 1e6
    found = sizer(cluster_cap=0.075).size(buy(0.9), 4_200, view)
    assert found.limit == "event"
    assert shares_in(found) == pytest.approx((0.075 * equity - 50) / 0.42, abs=2e-6)


def test_the_defaults_hold_every_cap():
    note = note_of(KellySizer().size(buy(0.99), 4_300, deep()))
    assert note["cap bankroll"] == pytest.approx(50 / 0.43)
    assert note["cap event"] == pytest.approx(75 / 0.43)
    assert note["cap depth"] == pytest.approx(200)


# ---- what is refused ---------------------------------------------------------------------------


def test_without_a_probability_nothing_can_be_sized():
    with pytest.raises(
        DataError, match=r"intent to buy A\.yes states neither a size nor"
    ) as caught:
        sizer().size(buy(None), 5_000, desk_view())
    assert "probability" in caught.value.expected


@pytest.mark.parametrize("probability", [math.nan, 1.5, -0.1, math.inf, -math.inf])
def test_a_probability_that_is_none_is_an_error(probability):
    with pytest.raises(DataError, match="outside"):
        sizer().size(buy(probability), 5_000, desk_view())


@pytest.mark.parametrize("probability", [0.0, 1.0, 5e-324, 1 - 1e-16])
def test_certainty_is_a_probability(probability):
    forecasts = [said(probability=0.6, low=0.5, high=0.7)]
    for made in (KellySizer(), sizer(), sizer(hedge=True)):
        assert shares_in(made.size(buy(probability), 4_300, deep(forecasts=forecasts))) >= 0


@pytest.mark.parametrize("price", [0, -1])
def test_no_price_no_shares(price):
    assert shares_in(KellySizer().size(buy(0.9), price, desk_view())) == 0


def test_no_equity_no_shares():
    session = Session(markets=[listed()], cash="1000")
    session.send(build_book("A.yes", 4_000, 4_200))
    session.engine.state.move_cash(0, -1_000 * SHARE)
    found = KellySizer().size(buy(0.9), 4_200, session.view)
    assert (found.size, found.limit) == (0, "no equity")


def test_a_grade_that_does_not_exist_is_refused():
    with pytest.raises(DataError, match="confidence 'SURE' is unknown"):
        KellySizer().size(buy(0.9), 4_200, deep(forecasts=[said(confidence="SURE")]))


WRONG = [
    ("fraction", 0), ("fraction", 1.1), ("fraction", math.nan), ("cap", 0), ("cap", 1.1),
    ("cap", math.nan), ("cap", -1), ("cluster_cap", 0), ("depth_cap", 2), ("depth_reach", 0),
    ("most", 0), ("most", "-5"), ("most", "inf"), ("most", "nan"), ("unstated", 0), ("heat", "on"),
    ("deviation", -0.1), ("deviation", math.nan), ("interval", 0.3), ("interval", 1.0),
    ("void_risk", 1.0), ("void_risk", -0.1), ("annual_rate", -0.1), ("annual_rate", math.inf),
    ("liquidity_cap", 0), ("event", "all"), ("correlation", 1.0), ("correlation", -0.5),
    ("categories", {"x": "GOOD"}),
]  # fmt: skip


@pytest.mark.parametrize(("name", "value"), WRONG)
def test_wrong_settings_are_refused(name, value):
    with pytest.raises(ValidationError, match=name):
        sizer(**{name: value})


def test_every_factor_can_be_searched():
    searched = set(search_ranges(KellySizer.Config))
    plain = {"categories", "interval", "depth_reach", "most"}
    assert searched == set(KellySizer.Config.model_fields) - plain
