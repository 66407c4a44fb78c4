"""LLMForecast on the desk: what it asks, enters, holds and leaves."""

from __future__ import annotations

import sys
from pathlib import Path

import msgspec
import pytest

sys.path.insert(0, str(Path(__file__).parent.parent / "engine"))
from engine_desk import START, Desk, market, told

from polyframe.domain import effects as fx
from polyframe.domain import events as ev
from polyframe.domain.forecast import Forecast
from polyframe.domain.market import Token
from polyframe.domain.orders import Kind, Side
from polyframe.domain.units import DAY, HOUR, SECOND, to_units
from polyframe.protections.min_edge import MinEdge
from polyframe.quant.pooling import log_odds_pool
from polyframe.quant.sizing import buy_cost
from polyframe.sizers.kelly import KellySizer
from polyframe.strategies.llm_forecast import LLMForecast

RATE = 40_000


class Scene:
    """One LLMForecast named bob on a desk of its own."""

    def __init__(self, *, names: str = "A", closes: int = START + 30 * DAY, **config) -> None:
        self.strategy = LLMForecast(LLMForecast.Config(**config))
        markets = [
            msgspec.structs.replace(market(n, fee=RATE), closes=closes, opened=START - DAY)
            for n in names
        ]
        self.desk = Desk(
            markets=markets, players=("bob",), strategies={"bob": self.strategy}, cash="1000",
            sizer=KellySizer(), protections=[MinEdge(MinEdge.Config(edge=0.02))],
        )  # fmt: skip
        self.started = self.desk.log[0][1]
        self.requests = 0

    def book(self, bid: str, ask: str, name: str = "A", **more) -> list[fx.Effect]:
        return self.desk.book(name, bid, ask, **more)

    def cycle(self) -> list[fx.Effect]:
        return self.desk.step(ev.TimerFired(self.desk.later(), "bob", "cycle"))

    def ask(self) -> list[str]:
        return [e.market for e in self.cycle() if isinstance(e, fx.RequestForecast)]

    def forecast(self, probability: float, *, age: int = 0, name: str = "A") -> list[fx.Effect]:
        """The answer to the newest request about a market."""
        request = next(
            e.request
            for _, effects in reversed(self.desk.log)
            for e in effects
            if isinstance(e, fx.RequestForecast) and e.market == name
        )
        made = Forecast(name, probability, self.desk.now - age, "test")
        return self.desk.step(ev.ForecastMade(self.desk.later(), request, "default", made))

    def woken(self, name: str = "A") -> list[fx.Effect]:
        event = ev.Woken(self.desk.later(), ev.WakeReason.MOVED, f"{name}.yes", 0, 0)
        return self.desk.step(event)

    def fill_all(self) -> None:
        for o in list(self.desk.engine.state.orders.values()):
            shares = str(o.order.size // 1_000_000)
            self.desk.fill(o.order.id, shares, f"0.{o.order.price // 100}")


def reviews(effects) -> list[fx.OrderReviewed]:
    return [e for e in effects if isinstance(e, fx.OrderReviewed)]


def orders(effects) -> list[tuple[str, str]]:
    return [(e.order.side.name, e.order.token) for e in effects if isinstance(e, fx.SubmitOrder)]


def ready(**config) -> Scene:
    scene = Scene(**config)
    scene.book("0.48", "0.50")
    assert scene.ask() == ["A"]
    return scene


def timers(effects) -> list[tuple[str, int]]:
    return [(e.key, e.at) for e in effects if isinstance(e, fx.SetTimer)]


# ---- entries -----------------------------------------------------------------------------------


def test_it_buys_yes_where_the_pooled_probability_beats_the_cost():
    scene = ready(weight=1.0, slippage=0.02, min_edge=0.04)
    effects = scene.forecast(0.70)
    assert orders(effects) == [("BUY", "A.yes")]
    (review,) = reviews(effects)
    assert review.intent.probability == pytest.approx(0.70)
    assert review.intent.reason == "edge"
    # Two cents further than the ask, and still on the tick.
    assert effects[-1].order.price == to_units("0.52", 4)


def test_it_buys_no_where_the_event_is_overpriced():
    scene = ready(weight=1.0)
    effects = scene.forecast(0.30)
    assert orders(effects) == [("BUY", "A.no")]
    assert reviews(effects)[0].intent.probability == pytest.approx(0.70)
    # NO is asked at one minus the bid of YES.
    assert effects[-1].order.price == to_units("0.54", 4)


def test_the_forecast_is_pooled_with_the_mid_in_log_odds():
    scene = ready(weight=0.33, min_edge=0.01)
    (review,) = reviews(scene.forecast(0.90))
    assert review.intent.probability == pytest.approx(
        log_odds_pool([0.90, 0.49], [0.33, 0.67]), abs=1e-12
    )


@pytest.mark.parametrize("probability", [0.45, 0.49, 0.53])
def test_without_an_edge_it_does_nothing(probability):
    scene = ready(weight=1.0)
    assert not reviews(scene.forecast(probability))


def test_the_edge_is_taken_after_the_fee_and_its_bound_is_exact():
    cost = buy_cost(0.50, 0.04)
    assert not reviews(ready(weight=1.0, min_edge=0.04).forecast(cost + 0.0399))
    assert reviews(ready(weight=1.0, min_edge=0.04).forecast(cost + 0.0401))


def test_it_goes_no_further_than_where_the_edge_is_used_up():
    scene = ready(weight=1.0, slippage=0.05, min_edge=0.04)
    effects = scene.forecast(buy_cost(0.50, 0.04) + 0.0551)
    assert reviews(effects)[0].intent.price == 5_151
    assert effects[-1].order.price == 5_100


def test_an_entry_is_sized_by_the_sizer_within_its_cap():
    scene = ready(weight=1.0)
    sent = scene.forecast(0.99)[-1].order
    assert sent.size * sent.price // 10_000 <= 50_000_000
    assert sent.size * sent.price // 10_000 >= 48_000_000


# ---- what decides nothing ------------------------------------------------------------------------


def test_a_stale_forecast_decides_nothing():
    for age, decides in ((35, True), (37, False)):
        scene = ready(weight=1.0, max_age_hours=36)
        assert bool(reviews(scene.forecast(0.70, age=age * HOUR))) is decides


def test_an_untrusted_book_decides_nothing():
    scene = ready(weight=1.0)
    scene.book("0", "0", trusted=False)
    assert not reviews(scene.forecast(0.70))


@pytest.mark.parametrize(("bid", "ask"), [("0.48", "0"), ("0", "0.50")])
def test_a_one_sided_book_decides_nothing(bid, ask):
    scene = ready(weight=1.0)
    scene.book(bid, ask)
    assert not reviews(scene.forecast(0.95))
    assert not reviews(scene.forecast(0.05))


def test_no_entry_shortly_before_the_close():
    for left, enters in ((2 * HOUR + 10 * SECOND, True), (2 * HOUR, False)):
        scene = ready(weight=1.0, close_hours=2.0, closes=START + left)
        assert bool(reviews(scene.forecast(0.70))) is enters


def test_a_market_of_many_outcomes_is_left_alone():
    scene = Scene(weight=1.0)
    three = msgspec.structs.replace(
        market("C", fee=RATE),
        tokens=tuple(Token(f"C.{n}", n) for n in ("yes", "maybe", "no")),
        closes=START + 30 * DAY,
    )
    scene.desk.step(ev.MarketListed(scene.desk.later(), three))
    scene.book("0.48", "0.50", "C")
    assert scene.ask() == ["A", "C"]
    assert not reviews(scene.forecast(0.90, name="C"))


def test_a_move_without_a_forecast_decides_nothing():
    assert not reviews(ready().woken())


def test_it_does_not_add_to_what_it_holds_or_has_ordered():
    scene = ready(weight=1.0)
    assert orders(scene.forecast(0.80)) == [("BUY", "A.yes")]
    assert not reviews(scene.woken()), "its order is still open"
    scene.fill_all()
    assert not reviews(scene.woken()), "it holds"
    scene.book("0.58", "0.60")
    assert not reviews(scene.woken())


# ---- exits -------------------------------------------------------------------------------------


def holding(side_forecast: float) -> Scene:
    scene = ready(weight=1.0, exit_edge=0.02)
    scene.forecast(side_forecast)
    scene.fill_all()
    return scene


def test_it_sells_when_the_market_pays_more_than_it_believes():
    scene = holding(0.70)
    scene.book("0.72", "0.74")
    assert not reviews(scene.woken()), "0.7119 after the fee is not 0.02 above 0.70"
    scene.book("0.74", "0.76")
    effects = scene.woken()
    assert orders(effects) == [("SELL", "A.yes")]
    (review,) = reviews(effects)
    assert (review.intent.kind, review.intent.reason) == (Kind.EXIT, "thesis")
    held = scene.desk.engine.state.shares[0, 0]
    assert review.permitted == held > 0


def test_it_sells_when_it_no_longer_believes():
    scene = holding(0.70)
    scene.desk.now += 24 * HOUR
    assert scene.ask() == ["A"]
    assert orders(scene.forecast(0.40)) == [("SELL", "A.yes")]


def test_no_shares_are_sold_by_the_same_rule():
    scene = holding(0.30)
    effects = scene.book("0.25", "0.26")
    assert orders(effects) == [("SELL", "A.no")]
    assert reviews(effects)[0].intent.side is Side.SELL


def test_it_leaves_even_right_before_the_close():
    scene = ready(weight=1.0, closes=START + 3 * HOUR)
    scene.forecast(0.70)
    scene.fill_all()
    scene.desk.now = START + 2 * HOUR + HOUR // 2
    assert orders(scene.book("0.80", "0.82")) == [("SELL", "A.yes")]


# ---- asking ------------------------------------------------------------------------------------


def test_the_first_cycle_is_at_the_start():
    assert ("cycle", START) in timers(Scene().started)


def test_each_market_is_asked_about_once_a_refresh():
    scene = Scene(names="AB", refresh_hours=24, cycle_seconds=180)
    first = scene.cycle()
    assert [e.market for e in first if isinstance(e, fx.RequestForecast)] == ["A", "B"]
    assert timers(first) == [("cycle", scene.desk.now + 24 * HOUR)]
    assert scene.ask() == []
    scene.forecast(0.5, name="A")
    scene.forecast(0.5, name="B")
    scene.desk.now = START + 24 * HOUR
    assert scene.ask() == ["A", "B"]


def test_no_more_markets_are_asked_about_in_one_cycle_than_allowed():
    scene = Scene(names="ABCDE", max_markets_per_cycle=2, cycle_seconds=180)
    asked, refresh = [], 0
    for want in (2, 2, 1, 0):
        effects = scene.cycle()
        found = [e.market for e in effects if isinstance(e, fx.RequestForecast)]
        assert len(found) == want
        asked += found
        refresh = refresh or scene.desk.now + 24 * HOUR
        # The rest in the next cycle; when none is left, when the first is due again.
        next_cycle = scene.desk.now + 180 * SECOND if want == 2 else refresh
        assert timers(effects) == [("cycle", next_cycle)]
    assert asked == list("ABCDE")


def test_it_asks_again_an_hour_after_there_was_no_answer():
    scene = ready(retry_hours=1.0, refresh_hours=24)
    request = next(e.request for e in scene.desk.log[-1][1] if isinstance(e, fx.RequestForecast))
    failed = ev.ForecastFailed(scene.desk.later(), request, "A", "default", "busy")
    assert [t for e in scene.desk.step(failed) if (t := told(e))] == []
    assert scene.strategy.state.due["A"] == scene.desk.now + HOUR
    scene.desk.now += HOUR - 2 * SECOND
    assert scene.ask() == []
    assert scene.ask() == ["A"]


def test_a_market_that_has_not_opened_is_asked_about_when_it_does():
    scene = Scene(names="A")
    later = msgspec.structs.replace(market("B", fee=RATE), opened=START + HOUR, closes=START + DAY)
    scene.desk.step(ev.MarketListed(scene.desk.later(), later))
    effects = scene.cycle()
    assert [e.market for e in effects if isinstance(e, fx.RequestForecast)] == ["A"]
    assert timers(effects) == [("cycle", START + HOUR)]


def test_it_asks_the_forecaster_it_was_given():
    scene = Scene(forecaster="oracle")
    (asked,) = [e for e in scene.cycle() if isinstance(e, fx.RequestForecast)]
    assert asked.forecaster == "oracle"


def test_when_to_ask_next_survives_a_restart():
    from polyframe.engine.engine import Engine

    scene = ready()
    saved = scene.desk.engine.checkpoint()
    other = Scene()
    twin = Engine(other.desk.setup)
    twin.restore(saved)
    assert other.strategy.state.due == scene.strategy.state.due != {}
    effects = twin.step(ev.TimerFired(scene.desk.later(), "bob", "cycle"))
    assert not [e for e in effects if isinstance(e, fx.RequestForecast)]
