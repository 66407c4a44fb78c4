"""Recorded forecasts: the newest that could be acted on, under their maker's own name."""

from __future__ import annotations

import asyncio
from collections.abc import Sequence

import pytest

from polyframe import Forecast, ForecastError, MarketSnapshot, Question
from polyframe.domain.units import HOUR
from polyframe.forecasters.market_prior import MarketPrior
from polyframe.forecasters.recorded import Recorded
from polyframe.store.forecasts import ForecastTable

NOW = 1_000 * HOUR
QUESTION = Question("m1", "Will it?", ("Yes", "No"), "economics", 2_000 * HOUR)

ROWS = [
    Forecast("m1", 0.10, NOW - 9 * HOUR, "option-implied"),
    Forecast("m1", 0.20, NOW - 5 * HOUR, "option-implied"),
    Forecast("m1", 0.30, NOW - 4 * HOUR, "gpt-4o", latency=2 * HOUR),
    Forecast("m1", 0.40, NOW - HOUR, "gpt-4o", latency=2 * HOUR),
    Forecast("m2", 0.90, NOW - HOUR, "option-implied"),
]


def table(rows: Sequence[Forecast] = tuple(ROWS)) -> ForecastTable:
    return ForecastTable(rows, {"m1": 2_000 * HOUR, "m2": 2_000 * HOUR})


def ask(source: str = "", *, records: ForecastTable | None, as_of: int = NOW, **more) -> Forecast:
    forecaster = Recorded(Recorded.Config(source=source))
    forecaster.records = records
    return asyncio.run(forecaster.forecast(QUESTION, None, None, as_of))


@pytest.mark.parametrize(
    ("hours_ago", "source", "probability"),
    [
        (0, "", 0.30),
        (0, "gpt-4o", 0.30),
        (0, "option-implied", 0.20),
        (2, "", 0.30),  # ready this very moment
        (3, "", 0.20),  # made an hour ago, not ready yet
        (5, "", 0.20),
        (6, "", 0.10),
        (9, "", 0.10),
        (-1, "", 0.40),
        (-1, "option-implied", 0.20),
    ],
)
def test_the_newest_that_was_ready_at_the_moment_of_asking(hours_ago, source, probability):
    found = ask(source, records=table(), as_of=NOW - hours_ago * HOUR)
    assert found.probability == probability
    assert found.known_at <= NOW - hours_ago * HOUR


def test_the_order_of_the_records_does_not_matter():
    assert ask(records=table(ROWS[::-1])) == ask(records=table())


def test_the_maker_keeps_its_name():
    assert ask(records=table()) is ROWS[2]
    assert ask(records=table()).source == "gpt-4o"


@pytest.mark.parametrize(
    ("source", "records", "as_of", "label"),
    [
        ("", table(), NOW - 10 * HOUR, "any source"),
        ("gpt-4o", table(), NOW - 3 * HOUR, "gpt-4o"),
        ("nobody", table(), NOW, "nobody"),
        ("", table([ROWS[4]]), NOW, "any source"),
        ("", None, NOW, "any source"),
    ],
)
def test_no_record_is_no_answer(source, records, as_of, label):
    with pytest.raises(ForecastError, match=f"no recorded forecast from {label} for market m1"):
        ask(source, records=records, as_of=as_of)


def test_it_never_sees_the_price_and_is_the_same_every_time():
    assert Recorded.blind
    assert Recorded.pure
    assert ask(records=table()) == ask(records=table())


# ---- the market itself -------------------------------------------------------------------------


def prior(snapshot: MarketSnapshot | None) -> Forecast:
    return asyncio.run(MarketPrior().forecast(QUESTION, None, snapshot, NOW))


@pytest.mark.parametrize("probability", [0.0001, 0.5, 0.6125, 0.9999])
def test_the_market_says_its_mid(probability):
    said = prior(MarketSnapshot("m1", 1, 2, probability, NOW))
    assert said == Forecast("m1", probability, NOW, "market", blind=False)
    assert said.known_at == NOW


@pytest.mark.parametrize(
    "snapshot",
    [
        None,
        MarketSnapshot("m1", 0, 0, 0.0, NOW),
        MarketSnapshot("m1", 9_999, 10_000, 1.0, NOW),
        MarketSnapshot("m1", 0, 0, float("nan"), NOW),
    ],
)
def test_a_market_without_a_price_says_nothing(snapshot):
    with pytest.raises(ForecastError, match="market m1 has no trustworthy quote"):
        prior(snapshot)


def test_the_market_prior_does_not_call_itself_blind():
    assert not MarketPrior.blind
    assert MarketPrior.pure
