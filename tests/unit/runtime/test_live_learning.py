"""A live session learns from what it said itself, as a replay learns from its records."""

from __future__ import annotations

import asyncio
import sys
import time
from collections.abc import Sequence
from pathlib import Path

import pytest

sys.path.insert(0, str(Path(__file__).parent.parent / "engine"))

from engine_desk import ALWAYS, market
from test_live_driver import LateBroker

from polyframe.api.forecaster import Forecaster, ResolvedPair
from polyframe.api.strategy import Strategy
from polyframe.domain import events as ev
from polyframe.domain.book import Quote
from polyframe.domain.forecast import Forecast
from polyframe.domain.market import Resolution
from polyframe.domain.orders import Seal
from polyframe.domain.units import DAY, HOUR
from polyframe.domain.wishes import AskForecast
from polyframe.engine.engine import Engine
from polyframe.engine.risk import Guarded
from polyframe.engine.setup import Player, Setup
from polyframe.forecasters.calibrated import Calibrated
from polyframe.quant.calibration import platt_fit
from polyframe.runtime.asking import question_of
from polyframe.runtime.calls import PluginCalls
from polyframe.runtime.learning import KEPT, LiveLearning, past_questions
from polyframe.runtime.live import Live
from polyframe.sizers.fixed import FixedSizer
from polyframe.store.forecasts import ForecastTable
from polyframe.store.journal import JournalWriter

COUNT = 40
MARKETS = [market(f"M{i}") for i in range(COUNT + 1)]
LAST = MARKETS[-1]


def said_about(name: str) -> float:
    """Surer than it should be: 0.9 or 0.1, and right in three cases of four."""
    return 0.9 if int(name[1:]) % 2 else 0.1


def winner(number: int) -> int:
    right = number % 4 != 0
    return 0 if (number % 2 == 1) == right else 1


class Model(Forecaster):
    """One that waits for something outside, as a language model does."""

    def __init__(self) -> None:
        super().__init__()
        self.asked: list[str] = []

    async def forecast(self, question, evidence, snapshot, as_of):
        await asyncio.sleep(0)
        self.asked.append(question.market)
        return Forecast(question.market, said_about(question.market), as_of, "model")


class AsksTwice(Strategy):
    """Asks about everything at the start, and about the last market when its price moves."""

    def on_start(self, event, view):
        for each in view.markets():
            if each.id != LAST.id:
                yield AskForecast(each.id, "default")

    def on_book(self, event, view):
        yield AskForecast(LAST.id, "default")


class Ends:
    """A feed on which, two days later by the session's clock, all markets but the last end."""

    def __init__(self, clock: Clock, ended: asyncio.Event) -> None:
        self.clock, self.ended = clock, ended

    async def events(self):
        await self.ended.wait()
        self.clock.ahead = 2 * DAY
        for i in range(COUNT):
            now = self.clock()
            yield ev.MarketResolved(now, Resolution.winner(MARKETS[i], winner(i), now))
        quote = Quote(LAST.yes.id, 4_000, 10**9, 4_200, 10**9, self.clock())
        yield ev.BookUpdated(self.clock(), quote)
        await asyncio.sleep(10)


class Clock:
    ahead = 0

    def __call__(self) -> int:
        return time.time_ns() + self.ahead


def session(forecasters: dict[str, Forecaster], learning: LiveLearning | None):
    """A session that stops when the last market's forecast is there."""
    seal, clock, answered = Seal(), Clock(), asyncio.Event()
    engine = Engine(
        Setup(
            session="s", seed=1, markets=MARKETS,
            players=[Player("p", AsksTwice(), FixedSizer(), 100_000_000)],
            guarded=[Guarded(p, None) for p in ALWAYS], calls=PluginCalls(), seal=seal,
            disable_on_error=True,
        )
    )  # fmt: skip
    seen: list[ev.Event] = []

    def watch(event, effects) -> None:
        seen.append(event)
        made = [e for e in seen if isinstance(e, (ev.ForecastMade, ev.ForecastFailed))]
        if len(made) == COUNT:
            answered.set()
        if len(made) == COUNT + 1 and made[-1] is event:
            live.stop("enough")

    live = Live(
        engine, Ends(clock, answered), LateBroker(seal, 0), forecasters, JournalWriter.null(),
        clock, watch=watch, learning=learning,
    )  # fmt: skip
    return live, seen


async def run(of: Forecaster, *, learns: bool = True, past=(), records=None):
    made = Calibrated()
    made.of = (of,)
    forecasters = {"model": of, "default": made}
    learning = LiveLearning(forecasters, past, PluginCalls(), records) if learns else None
    live, seen = session(forecasters, learning)
    await asyncio.wait_for(live.run(), 10)
    assert not live.failures
    answers = [e for e in seen if isinstance(e, ev.ForecastMade)]
    assert len(answers) == COUNT + 1
    return made, answers


async def test_it_learns_the_line_that_a_replay_would_learn():
    made, answers = await run(Model())
    assert [e.forecast.probability for e in answers[:-1]] == [
        said_about(e.forecast.market) for e in answers[:-1]
    ]
    line = platt_fit(
        [said_about(m.id) for m in MARKETS[:COUNT]],
        [1.0 - winner(i) for i in range(COUNT)],
    )
    assert made.learnt is not None
    assert made.learnt.events == COUNT
    assert made.learnt.curve[:2] == pytest.approx(line[:2])
    raw = said_about(LAST.id)
    assert answers[-1].forecast.probability == pytest.approx(line.apply([raw])[0])
    assert abs(answers[-1].forecast.probability - 0.5) < abs(raw - 0.5)


async def test_without_learning_it_passes_answers_on():
    _, answers = await run(Model(), learns=False)
    assert answers[-1].forecast.probability == said_about(LAST.id)


async def test_the_past_is_not_asked_of_a_model_that_may_know_it():
    """It is read from the records, under the forecaster's own name."""
    old = [market(f"M{i}") for i in range(100, 150)]
    at = time.time_ns() - 30 * DAY
    ended = {m.id: Resolution.winner(m, winner(100 + i), at) for i, m in enumerate(old)}
    rows = [Forecast(m.id, said_about(m.id), at - DAY, "model") for m in old]
    other = [Forecast(m.id, 0.5, at - DAY, "other") for m in old]
    records = ForecastTable(rows + other)
    model = Model()
    made, answers = await run(model, past=past_questions(old, ended, records), records=records)
    assert not set(model.asked) & {m.id for m in old}
    assert answers[0].forecast.probability != said_about(answers[0].forecast.market)
    assert made.learnt is not None
    assert made.learnt.events == 50 + COUNT


class Listens(Forecaster):
    def __init__(self, *of: Forecaster) -> None:
        super().__init__()
        self.of = of
        self.heard: list[tuple[int, Sequence[ResolvedPair]]] = []

    async def forecast(self, question, evidence, snapshot, as_of):
        return await self.of[0].forecast(question, evidence, snapshot, as_of)

    def fit(self, pairs, as_of) -> None:
        self.heard.append((as_of, list(pairs)))


async def test_only_what_stood_before_the_end_counts_and_only_afterwards():
    now = 1_000 * DAY
    listener = Listens(Model())
    learning = LiveLearning({"x": listener}, (), PluginCalls())
    question = question_of(MARKETS[1])
    for hour in range(3 * KEPT):
        await listener.forecast(question, None, None, now + hour * HOUR)
    kept = listener.of[0].kept[question.market]
    assert len(kept) <= KEPT
    assert kept[0].as_of == now
    end = now + 100 * HOUR
    learning.resolved(question, Resolution.winner(MARKETS[1], 0, end), end)
    learning.resolved(question_of(MARKETS[2]), Resolution.split(MARKETS[2], end), end)
    for as_of in (end, end + HOUR, end + 2 * DAY):
        learning.catch_up(as_of)
    # At its very end nothing is known yet, and a fit is at most daily.
    assert [(at - end, len(pairs)) for at, pairs in listener.heard] == [(0, 0), (2 * DAY, 5)]
    for pair in listener.heard[-1][1]:
        assert pair.forecast.known_at < pair.known_at == end
        assert (pair.outcome, pair.closes) == (1.0, question.closes)
    assert question.market not in listener.of[0].kept


async def test_a_fit_that_fails_costs_one_answer_and_is_on_record():
    class Breaks(Listens):
        def fit(self, pairs, as_of) -> None:
            raise ZeroDivisionError("mine")

    outer = Breaks(Model())
    forecasters = {"default": outer}
    live, seen = session(forecasters, LiveLearning(forecasters, (), PluginCalls()))
    await asyncio.wait_for(live.run(), 10)
    failed = [e for e in seen if isinstance(e, ev.ForecastFailed)]
    assert len(failed) == 2  # one a day of the session
    assert all("ZeroDivisionError" in e.reason for e in failed)
