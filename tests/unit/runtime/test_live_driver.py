"""The asyncio driver, over a broker that answers late and out of order."""

from __future__ import annotations

import asyncio
import random
import sys
import time
from pathlib import Path

import pytest

sys.path.insert(0, str(Path(__file__).parent.parent / "engine"))

from engine_desk import ALWAYS, market

from polyframe.api.forecaster import Forecaster
from polyframe.api.strategy import Strategy
from polyframe.domain import effects as fx
from polyframe.domain import events as ev
from polyframe.domain.book import Quote
from polyframe.domain.forecast import Forecast
from polyframe.domain.orders import Kind, Seal, Side, TimeInForce
from polyframe.domain.portfolio import Fill
from polyframe.domain.wishes import AskForecast, Intent, WakeAt
from polyframe.engine.engine import Engine
from polyframe.engine.risk import Guarded
from polyframe.engine.setup import Player, Setup
from polyframe.errors import ForecastError, InvariantError
from polyframe.protections.max_stake import MaxStake
from polyframe.runtime.calls import PluginCalls
from polyframe.runtime.live import Live
from polyframe.sizers.fixed import FixedSizer
from polyframe.store.journal import JournalWriter

CAP = 5_000_000


class LateBroker:
    """Acknowledges after a random while, fills some time after that, in no order."""

    def __init__(self, seal: Seal, seed: int) -> None:
        self.seal, self.r = seal, random.Random(seed)
        self.sent: list[str] = []

    def listen(self, deliver) -> None:
        self.deliver = deliver

    def submit(self, approved, now) -> None:
        if not approved.sealed_by(self.seal):
            raise InvariantError("no seal")
        self.sent.append(approved.order.id)
        loop = asyncio.get_running_loop()
        loop.call_later(self.r.random() / 50, self.answer, approved.order)

    def answer(self, order) -> None:
        self.deliver(ev.OrderAccepted(time.time_ns(), order.id))
        asyncio.get_running_loop().call_later(self.r.random() / 50, self.fill, order)

    def fill(self, order) -> None:
        if self.r.random() < 0.3:
            self.deliver(ev.OrderCancelled(time.time_ns(), order.id, "killed"))
            return
        self.deliver(
            ev.OrderFilled(
                time.time_ns(),
                Fill(f"t-{order.id}", order.id, order.ledger, order.market, order.token,
                     order.side, order.price, order.size, 0, time.time_ns()),
            )
        )  # fmt: skip

    def cancel(self, order, now) -> None:
        self.deliver(ev.OrderCancelled(time.time_ns(), order))


class Quotes:
    """A feed of a few quotes, then silence (or an end, or a failure)."""

    def __init__(self, count: int, fail: bool = False) -> None:
        self.count, self.fail = count, fail

    async def events(self):
        for i in range(self.count):
            quote = Quote(
                "A.yes", 4_000 + i % 2 * 100, 10**9, 4_200 + i % 2 * 100, 10**9, time.time_ns()
            )
            yield ev.BookUpdated(time.time_ns(), quote)
            await asyncio.sleep(0.002)
        if self.fail:
            raise ConnectionError("gone")


class Greedy(Strategy):
    """Wants a dollar's worth at every tick, whatever is under way."""

    def on_book(self, event, view):
        for _ in range(5):
            yield Intent(
                token="A.yes", side=Side.BUY, price=4_500, size=3_000_000, tif=TimeInForce.FAK
            )


def make(strategy: Strategy, broker_seed: int = 0, feed=None, forecasters=None, cap=True):
    seal = Seal()
    guards = [MaxStake(MaxStake.Config(stake=5))] if cap else []
    engine = Engine(
        Setup(
            session="s", seed=1, markets=[market("A")],
            players=[Player("p", strategy, FixedSizer(), 100_000_000)],
            guarded=[Guarded(p, None) for p in (*guards, *ALWAYS)],
            calls=PluginCalls(), seal=seal, disable_on_error=True,
        )
    )  # fmt: skip
    broker = LateBroker(seal, broker_seed)
    seen: list[tuple[ev.Event, list[fx.Effect]]] = []
    live = Live(
        engine, feed or Quotes(20), broker, forecasters or {}, JournalWriter.null(), time.time_ns,
        watch=lambda e, x: seen.append((e, list(x))), forecast_limit=0.05,
    )  # fmt: skip
    return live, engine, broker, seen


async def run_for(live: Live, seconds: float) -> None:
    asyncio.get_running_loop().call_later(seconds, live.stop, "enough")
    await asyncio.wait_for(live.run(), 5)


@pytest.mark.parametrize("seed", range(4))
async def test_a_burst_before_any_late_answer_never_passes_a_cap(seed):
    live, engine, broker, seen = make(Greedy(), seed)
    most = 0
    watch = live._watch

    def check(event, effects):
        nonlocal most
        watch(event, effects)
        most = max(most, engine.state.at_risk_market(0, 0))

    live._watch = check
    await run_for(live, 0.2)
    assert broker.sent, "something was sent"
    assert CAP // 2 < most <= CAP
    filled = sum(1 for e, _ in seen if isinstance(e, ev.OrderFilled))
    assert filled, "something filled"


async def test_a_feed_that_breaks_leaves_no_book_trusted():
    live, engine, _, seen = make(Greedy(), feed=Quotes(2, fail=True))

    async def until_lost() -> None:
        while not any(isinstance(e, ev.FeedLost) for e, _ in seen):
            await asyncio.sleep(0.005)
        live.stop("enough")

    await asyncio.wait_for(asyncio.gather(live.run(), until_lost()), 20)
    assert any(isinstance(e, ev.FeedLost) for e, _ in seen)
    assert not engine.parts.bound[0].view.book("A.yes").trusted
    assert isinstance(live.failures[0], ConnectionError)


class Asks(Strategy):
    def on_start(self, event, view):
        yield AskForecast("A", "oracle")
        yield WakeAt(view.now + 20_000_000, "soon")
        yield WakeAt(view.now + 40_000_000, "soon")

    def on_wake(self, event, view):
        yield Intent(
            token="A.yes", side=Side.BUY, price=4_500, size=1_000_000, kind=Kind.DIRECTIONAL
        )


class Oracle(Forecaster):
    def __init__(self, how: str) -> None:
        super().__init__()
        self.how = how

    async def forecast(self, question, evidence, snapshot, as_of):
        if self.how == "slow":
            await asyncio.sleep(1)
        if self.how == "no":
            raise ForecastError("no idea")
        if self.how == "bug":
            raise ValueError("oops")
        if self.how == "certain":
            return Forecast(question.market, 1.0, as_of, "oracle")
        if self.how == "other":
            return Forecast("B", 0.6, as_of, "oracle")
        if self.how == "number":
            return 0.6
        if self.how == "later":
            return Forecast(question.market, 0.6, as_of + 10**12, "oracle")
        return Forecast(question.market, 0.6, as_of, "oracle")


@pytest.mark.parametrize(
    ("how", "answer"),
    [("well", "ForecastMade"), ("slow", "ForecastFailed"), ("no", "ForecastFailed"),
     ("bug", "ForecastFailed"), ("certain", "ForecastFailed"), ("other", "ForecastFailed"),
     ("number", "ForecastFailed"), ("later", "ForecastFailed")],
)  # fmt: skip
async def test_every_question_gets_an_answer(how, answer):
    live, _, _, seen = make(Asks(), forecasters={"oracle": Oracle(how)})
    await run_for(live, 0.15)
    answers = [type(e).__name__ for e, _ in seen if type(e).__name__.startswith("Forecast")]
    assert answers == [answer]


async def test_a_timer_that_was_replaced_fires_once():
    live, _, broker, seen = make(Asks(), forecasters={"oracle": Oracle("well")})
    await run_for(live, 0.15)
    fired = [e for e, _ in seen if isinstance(e, ev.TimerFired)]
    assert len(fired) == 1
    assert len(broker.sent) == 1


class Breaks(Strategy):
    def on_book(self, event, view):
        raise ZeroDivisionError("a user's bug")


async def test_a_strategy_that_raises_is_taken_out_and_the_session_goes_on():
    live, _, _, seen = make(Breaks())
    await run_for(live, 0.1)
    disabled = [e for _, effects in seen for e in effects if isinstance(e, fx.StrategyDisabled)]
    assert len(disabled) == 1
    assert "ZeroDivisionError" in disabled[0].reason
    assert isinstance(seen[-1][0], ev.SessionEnded)
