"""The part of ``report.json`` that says how good forecasts were."""

from __future__ import annotations

from typing import Literal

import msgspec


def enough_events(events: int, level: float = 0.95) -> bool:
    """Whether so few independent results could tell anything at all.

    Even if all of them have one sign, that happens by chance once in 2^events.
    """
    return 0.5**events <= (1.0 - level) / 2.0


class Interval(msgspec.Struct, frozen=True):
    """A mean over independent events with its bootstrap interval (null below two events)."""

    mean: float
    low: float | None
    high: float | None
    events: int
    level: float = 0.95
    method: str = "BCa bootstrap over events"

    @property
    def verdict(self) -> Literal["above zero", "below zero", "not distinguishable from zero"]:
        """What the interval says, if there are events enough for it to say anything."""
        if not enough_events(self.events, self.level):
            return "not distinguishable from zero"
        if self.low is not None and self.low > 0:
            return "above zero"
        if self.high is not None and self.high < 0:
            return "below zero"
        return "not distinguishable from zero"


class ContaminatedScores(msgspec.Struct, frozen=True):
    """Forecasts of questions that had ended before the model's knowledge does.

    It may have read how they ended, so they are in no other score. Trades on them are in the
    result all the same: ``fills`` counts those of the run in these markets.
    """

    forecasts: int
    events: int
    brier_forecast: float
    brier_market: float
    advantage: Interval
    fills: int = 0


class Scores(msgspec.Struct, frozen=True):
    """Forecasts against the market's mid at the same moment; averages of event averages."""

    scored: int
    events: int
    excluded: int
    """not resolved to a winner"""
    basis: Literal["all forecasts delivered", "forecasts that led to a fill"]
    brier_forecast: float | None
    brier_market: float | None
    log_forecast: float | None
    log_market: float | None
    advantage: Interval | None
    """Brier of the market minus Brier of the forecasts: above zero, the forecasts are better"""
    contaminated: ContaminatedScores | None = None
