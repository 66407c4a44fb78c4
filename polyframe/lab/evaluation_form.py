"""The form of what ``forecast evaluate`` says. Additive changes only within a version."""

from __future__ import annotations

import math
from typing import Literal

import msgspec

from polyframe.quant.significance import Interval

VERSION = 1
Code = Literal["better", "worse", "not distinguishable", "contaminated"]


class Band(msgspec.Struct, frozen=True):
    """A mean over events with its 95 % interval; null ends when it cannot be known."""

    mean: float
    low: float | None
    high: float | None
    events: int

    @classmethod
    def of(cls, found: Interval) -> Band:
        """From a quant interval, whose unknown ends are NaN."""
        known = not math.isnan(found.low)
        return cls(found.mean, found.low if known else None, found.high if known else None, found.n)


class Verdict(msgspec.Struct, frozen=True):
    """What the Brier scores allow one to say, and against whom."""

    code: Code
    against: str
    text: str


class Reference(msgspec.Struct, frozen=True):
    """Somebody to compare with. Gains above 0 mean that the forecasts were better.

    Units: gains in Brier points and nats, by event; ``skill`` the share of its Brier score removed.
    """

    name: str
    brier: float
    log_score: float
    skill: float
    brier_gain: Band
    log_gain: Band


class CurvePoint(msgspec.Struct, frozen=True):
    """One tenth of the scale: what was said there and how often it happened."""

    low: float
    high: float
    rows: int
    said: float
    happened: Band


class Calibration(msgspec.Struct, frozen=True):
    """Whether probabilities meant what they said.

    ``slope`` and ``intercept`` of outcomes on log-odds are null where the rows do not determine
    them. ``error`` counts one row an event; right forecasts would show ``noise``, and in one case
    of twenty more than ``noise_high``.
    """

    slope: float | None
    slope_error: float | None
    intercept: float | None
    intercept_error: float | None
    error: float
    noise: float
    noise_high: float
    curve: tuple[CurvePoint, ...]


class BeyondMarket(msgspec.Struct, frozen=True):
    """What the forecasts know that the price does not.

    ``slope`` 0: nothing; it is also their weight in a pool with the market. ``needed`` are the
    events that tests need to see the edge claimed (root mean square of forecast - price).
    """

    slope: float | None
    slope_low: float | None
    slope_high: float | None
    score_z: float | None
    e_value: float
    claimed_edge: float
    needed_brier: float
    needed_edge: float
    needed_e_value: float


class CategoryScore(msgspec.Struct, frozen=True):
    """One category against the reference of the verdict; no gain below ten events."""

    name: str
    rows: int
    events: int
    brier: float
    reference: float
    gain: Band | None


class Contaminated(msgspec.Struct, frozen=True):
    """Rows of questions that had ended before the model's knowledge does; in no other figure."""

    rows: int
    events: int
    brier: float
    reference: float
    gain: Band


class Evaluation(msgspec.Struct, frozen=True, kw_only=True):
    """Everything that ``forecast evaluate`` says. Additive changes only within a version."""

    version: int = VERSION
    name: str
    read: int
    rows: int
    events: int
    left_out: dict[str, int]
    notes: tuple[str, ...]
    columns: dict[str, str]
    verdict: Verdict
    brier: Band
    brier_index: float
    log_score: Band
    base_rate: float
    references: tuple[Reference, ...]
    calibration: Calibration
    beyond_market: BeyondMarket | None
    categories: tuple[CategoryScore, ...]
    contaminated: Contaminated | None = None
