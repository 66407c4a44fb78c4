"""Forecasters learn as a session's time goes on, and only from what was known by then."""

from __future__ import annotations

import asyncio
from collections.abc import Sequence

import pytest
from hypothesis import given
from hypothesis import strategies as st

from polyframe.api.forecaster import Forecaster, ResolvedPair
from polyframe.domain.forecast import Forecast
from polyframe.domain.market import Resolution
from polyframe.domain.units import DAY, HOUR, Ns
from polyframe.errors import PluginError
from polyframe.forecasters.calibrated import Calibrated
from polyframe.forecasters.market_prior import MarketPrior
from polyframe.forecasters.recorded import Recorded
from polyframe.runtime.build import plugins
from polyframe.runtime.calls import PluginCalls
from polyframe.runtime.learning import ROUNDS, Learning, past_questions, question_of
from polyframe.runtime.plugins import Registry
from polyframe.runtime.settings import Config
from polyframe.store.forecasts import ForecastTable
from polyframe.testing import START, build_market


class Listens(Forecaster):
    """Keeps what it was given to learn from."""

    pure = True

    def __init__(self, *of: Forecaster) -> None:
        super().__init__()
        self.of = of
        self.heard: list[tuple[Ns, list[ResolvedPair]]] = []

    def fit(self, pairs: Sequence[ResolvedPair], as_of: Ns) -> None:
        self.heard.append((as_of, list(pairs)))


def world(ends: Sequence[Ns], *, rounds: int = 1, before: Ns = 5 * DAY):
    """A market for each end, with forecasts an hour apart that began ``before`` it."""
    markets = [build_market(f"m{i}", group="g" if i < 2 else "") for i in range(len(ends))]
    ended = {m.id: Resolution.winner(m, i % 2, end) for i, (m, end) in
             enumerate(zip(markets, ends, strict=True))}  # fmt: skip
    rows = [
        Forecast(m.id, 0.3 + 0.005 * k, end - before + k * HOUR, "panel")
        for m, end in zip(markets, ends, strict=True)
        for k in range(rounds)
    ]
    return markets, ended, ForecastTable(rows)


def recorded(records: ForecastTable) -> Recorded:
    made = Recorded()
    made.records = records
    return made


def learning(listener: Listens, markets, ended, records, **more) -> Learning:
    past = past_questions(markets, ended, records)
    return Learning({"x": listener, **more}, past, PluginCalls())


@given(
    st.lists(st.integers(-20, 20), min_size=1, max_size=12),
    st.lists(st.integers(-25, 25), min_size=1, max_size=6),
)
def test_no_pair_is_known_at_or_after_the_moment_and_none_is_withheld(ends, asked):
    """Outcomes and moments in steps of six hours, so that equal ones are frequent."""
    at = [START + 6 * HOUR * end for end in ends]
    markets, ended, records = world(at)
    listener = Listens(recorded(records))
    made = learning(listener, markets, ended, records)
    for moment in sorted(START + 6 * HOUR * step for step in asked):
        made.catch_up(moment)
    assert listener.heard
    for as_of, pairs in listener.heard:
        assert all(pair.known_at < as_of for pair in pairs)
        assert len(pairs) == sum(end < as_of for end in at)
        assert all(pair.forecast.known_at < pair.known_at for pair in pairs)


def test_a_pair_says_what_happened_and_to_whom():
    markets, ended, records = world([START, START + HOUR, START + 2 * HOUR])
    listener = Listens(recorded(records))
    learning(listener, markets, ended, records).catch_up(START + DAY)
    ((_, pairs),) = listener.heard
    assert [(p.forecast.market, p.outcome, p.event, p.category) for p in pairs] == [
        ("m0", 1.0, "g", "economics"),
        ("m1", 0.0, "g", "economics"),
        ("m2", 1.0, "m2", "economics"),
    ]


def test_it_learns_at_most_once_a_day():
    markets, ended, records = world([START + 6 * HOUR * k for k in range(12)])
    listener = Listens(recorded(records))
    made = learning(listener, markets, ended, records)
    for k in range(72):
        made.catch_up(START + k * HOUR)
    assert [(at - START) // HOUR for at, _ in listener.heard] == [0, 24, 48]
    assert [len(pairs) for _, pairs in listener.heard] == [0, 4, 8]


def test_a_long_life_is_asked_at_a_few_moments_with_the_first_and_the_last():
    markets, ended, records = world([START], rounds=100)
    (past,) = past_questions(markets, ended, records)
    assert len(past.moments) == ROUNDS
    assert past.moments[0] == START - 5 * DAY
    assert past.moments[-1] == START - 5 * DAY + 99 * HOUR


def test_forecasts_from_after_the_outcome_and_markets_without_a_winner_teach_nothing():
    markets, ended, records = world([START, START], rounds=3, before=HOUR)
    first, second = past_questions(markets, ended, records)
    assert first.moments == second.moments == (START - HOUR,)
    void = {m.id: Resolution.split(m, START) for m in markets}
    assert past_questions(markets, void, records) == []
    assert past_questions(markets, {}, records) == []
    assert past_questions(markets, ended, ForecastTable([])) == []


def test_members_that_need_a_price_have_no_past():
    markets, ended, records = world([START])
    listener = Listens(MarketPrior(), recorded(records))
    learning(listener, markets, ended, records).catch_up(START + DAY)
    ((_, pairs),) = listener.heard
    assert [pair.forecast.source for pair in pairs] == ["panel"]


def test_an_outer_forecaster_hears_what_the_inner_one_said_before_it_knew_the_end():
    """Nobody is corrected by the outcome that is scored."""
    ends = [START + k * HOUR for k in range(40)]
    markets, ended, records = world(ends)
    inner = Calibrated()
    inner.of = (recorded(records),)
    outer = Listens(inner)
    made = Learning({"inner": inner, "outer": outer},
                    past_questions(markets, ended, records), PluginCalls())  # fmt: skip
    made.catch_up(START + 20 * DAY)
    assert inner.learnt is not None
    # Asked before the fit: the recorded numbers, not those that the fit would have made of them.
    assert {pair.forecast.probability for pair in outer.heard[0][1]} == {0.3}
    now = asyncio.run(inner.forecast(question_of(markets[0]), None, None, START + 20 * DAY))
    assert now.probability != 0.3


def test_a_forecaster_that_fails_to_learn_is_named():
    class Breaks(Listens):
        def fit(self, pairs: Sequence[ResolvedPair], as_of: Ns) -> None:
            raise ZeroDivisionError("mine")

    markets, ended, records = world([START])
    with pytest.raises(PluginError, match=r"x.*ZeroDivisionError|ZeroDivisionError.*mine"):
        learning(Breaks(recorded(records)), markets, ended, records).catch_up(START + DAY)


def test_nobody_is_asked_when_nobody_learns():
    class Counts(Recorded):
        asked = 0

        async def forecast(self, question, evidence, snapshot, as_of):
            type(self).asked += 1
            return await super().forecast(question, evidence, snapshot, as_of)

    markets, ended, records = world([START])
    made = Counts()
    made.records = records
    past = past_questions(markets, ended, records)
    Learning({"x": made}, past, PluginCalls()).catch_up(START + DAY)
    assert Counts.asked == 0


def test_forecasters_are_built_after_those_they_build_on_whatever_the_files_order():
    config = Config.model_validate(
        {
            "forecasters": {
                "default": {"use": "Calibrated", "of": ["panel"]},
                "panel": {"use": "Ensemble", "of": ["a", "b"]},
                "b": {"use": "Recorded", "config": {"source": "b"}},
                "a": {"use": "Recorded", "config": {"source": "a"}},
            }
        }
    )
    records = ForecastTable([Forecast("m0", 0.4, START, s) for s in "ab"])
    made = plugins(config, Registry.load(safe=True), records).forecasters
    assert list(made) == ["a", "b", "panel", "default"]
    (market,) = world([START + DAY])[0]
    said = asyncio.run(made["default"].forecast(question_of(market), None, None, START))
    assert said.source == "calibrated(ensemble(a+b))"
    assert said.probability == pytest.approx(0.4)
