"""The form of ``report.json``: version, fields and their units.

Amounts of money, prices and sizes are exact decimal texts; rates and shares of something are
floats; what cannot be computed is null. Times are ISO 8601 UTC, with ``ts`` in nanoseconds beside
them where the exact moment matters. Fields may be added; a change of meaning raises ``SCHEMA``.
"""

from __future__ import annotations

from typing import Any, Literal

import msgspec

from polyframe.lab.making_form import Making, Scenario
from polyframe.lab.score_form import ContaminatedScores as ContaminatedScores  # noqa: PLC0414 - part of the form
from polyframe.lab.score_form import Interval as Interval  # noqa: PLC0414 - part of the form
from polyframe.lab.score_form import Scores as Scores  # noqa: PLC0414 - part of the form

SCHEMA = 1


class Drawdown(msgspec.Struct, frozen=True):
    """The deepest fall of equity from a peak. ``share`` is of the peak."""

    amount: str
    share: float
    peak: str | None
    trough: str | None
    under_water: float
    """share of the run's time spent below an earlier peak"""
    longest_days: float
    """longest time below one peak"""


class Ratios(msgspec.Struct, frozen=True):
    """Annualised ratios of daily equity, or the reason why they would mislead."""

    sharpe: float | None = None
    sortino: float | None = None
    calmar: float | None = None
    withheld: str | None = None


class Summary(msgspec.Struct, frozen=True):
    """The figures of a run. ``pnl`` counts left-open positions at the bid."""

    per_event: Interval
    verdict: str
    effective_n: int
    """independent events traded; markets of one event count once"""
    start: str | None
    end: str | None
    days: float
    start_cash: str
    end_cash: str
    end_equity: str
    pnl: str
    pnl_share: float
    fees: str
    spread_and_impact: str
    """paid against the mid at decision"""
    turnover: str
    reviewed: int
    denied: int
    shrunk: int
    fills: int
    round_trips: int
    win_rate: float | None
    profit_factor: float | None
    expectancy: str | None
    """mean result of a round trip"""
    staked: str
    return_on_stake: float | None
    markets_traded: int
    left_open: int
    drawdown: Drawdown
    exposure: float
    """time-weighted cost of positions over start cash"""
    peak_exposure: float
    ratios: Ratios
    scores: Scores
    trials: int = 1
    """different runs on this data that are stored here, this one included"""
    adjusted: Interval | None = None
    """the same interval when as many were tried: wide enough for the best of them (Bonferroni)"""
    weighted_n: float | None = None
    """independent events weighted by their stakes: (sum of stakes)^2 / sum of their squares"""


class Trade(msgspec.Struct, frozen=True, gc=False):
    """One fill or settlement. ``cash`` is what it did to the account, to the unit."""

    n: int
    time: str
    ts: int
    ledger: str
    market: str
    question: str
    token: str
    outcome: str
    side: Literal["buy", "sell", "settle"]
    price: str
    shares: str
    fee: str
    reason: str
    payout: str
    cash: str
    quality: int
    trip: int
    order: str = ""
    """the own order; its decision has the same id"""
    mid: str | None = None
    """this token's mid when the order was decided"""


class RoundTrip(msgspec.Struct, frozen=True, gc=False):
    """A holding from flat to flat. Without ``closed`` it is still open, valued at the bid."""

    n: int
    ledger: str
    market: str
    question: str
    event: str
    category: str
    token: str
    outcome: str
    opened: str
    closed: str | None
    hours: float | None
    shares: str
    entry: float
    """mean price paid"""
    staked: str
    fees: str
    pnl: str
    entry_reason: str
    close_reason: str
    near_unquoted: bool


class Slice(msgspec.Struct, frozen=True, gc=False):
    """The round trips (open ones included) that share a category, a close or a market."""

    name: str
    trips: int
    events: int
    won: int
    staked: str
    fees: str
    pnl: str
    return_on_stake: float | None


class OpenPosition(msgspec.Struct, frozen=True):
    """What was still held at the end. ``value`` is at the bid."""

    ledger: str
    market: str
    question: str
    token: str
    outcome: str
    shares: str
    cost: str
    value: str


class Quality(msgspec.Struct, frozen=True):
    """How much of the result stands on prices that are, or lie near, no real quote."""

    rows: int
    flagged: int
    refused: int
    """orders not filled because the price was no real quote"""
    all: Slice
    near: Slice
    without: Slice


class Forecasts(msgspec.Struct, frozen=True):
    """What became of the forecasts asked for."""

    joined: int
    late: int
    missed: int
    superseded: int
    by_source: dict[str, int]


class Bin(msgspec.Struct, frozen=True, gc=False):
    """Scored forecasts of one tenth of the scale: how often what they spoke of happened."""

    low: float
    high: float
    n: int
    forecast: float
    market: float
    happened: float
    events: int = 0
    """independent events among them"""


class Panel(msgspec.Struct, frozen=True):
    """The protections that ruled together, in order, and what each said."""

    verdicts: list[tuple[str, str, bool]]
    """protection, ruling (deny, shrink, allow, not_applicable), whether it was binding"""


class Belief(msgspec.Struct, frozen=True, gc=False):
    """The newest forecast of a market when an order was decided; probabilities of YES."""

    time: str
    probability: float
    mid: float | None
    """null: nothing was quoted"""
    source: str = ""
    confidence: str = ""
    evidence: list[str] = []
    """hashes of what the forecaster had read"""


class Decision(msgspec.Struct, frozen=True, gc=False):
    """Why an order that was filled went through the door."""

    order: str
    time: str
    market: str
    token: str
    side: str
    asked: str
    permitted: str
    reason: str
    probability: float | None
    """of this token, as the strategy claimed it"""
    edge: float | None
    panel: int
    """index into ``panels``: every verdict"""
    said: list[tuple[int, str, str]]
    """verdicts with words or a smaller size: place in the panel, size permitted, reason"""
    belief: Belief | None = None
    sizing: list[tuple[str, float | str]] = []
    """what the sizer computed the size from"""


NOT_BINDING = "not binding"
"""the ruling of an objection to an order that made risks smaller"""


class Rejection(msgspec.Struct, frozen=True):
    """Orders a protection denied or made smaller (or objected to in vain), with its main rule."""

    protection: str
    ruling: str
    orders: int
    reason: str
    others: int
    """orders it treated so for other reasons"""


class Paid(msgspec.Struct, frozen=True):
    """What the venue paid one strategy in one event: a reward or rebate, all of a kind together."""

    ledger: str
    event: str
    what: str
    amount: str


class Baseline(msgspec.Struct, frozen=True):
    """What somebody without this strategy would have had. Null what it does not define."""

    name: str
    pnl: float | None
    low: float | None = None
    high: float | None = None
    """the middle 95 % where chance decides"""
    bets: int = 0
    brier: float | None = None
    log_score: float | None = None
    own_pnl: float | None = None
    """the strategy on the same footing, to compare with ``pnl``"""
    beaten: float | None = None
    """share of the draws in which ``own_pnl`` is the greater"""
    note: str = ""


class Variant(msgspec.Struct, frozen=True):
    """The result under another reading of the same fills."""

    name: str
    pnl: str
    per_event: Interval
    note: str = ""


class Replay(msgspec.Struct, frozen=True):
    """The whole run once more under another assumption. Null figures: it was not run."""

    name: str
    pnl: str | None
    per_event: Interval | None
    fills: int | None
    note: str = ""


class Simulated(msgspec.Struct, frozen=True):
    """A distribution of what could have happened, with the run's own figure beside it."""

    name: str
    draws: int
    actual: float | None = None
    mean: float | None = None
    low: float | None = None
    high: float | None = None
    """the middle 90 %"""
    below: float | None = None
    """share of the draws below the run's own figure, ties as half"""
    note: str = ""


class WorstCase(msgspec.Struct, frozen=True):
    """What a bad day would have done at the peak of exposure; null what no record can tell."""

    name: str
    pnl: str | None
    share: float | None
    """of equity at that moment, positions at cost"""
    note: str = ""


class Robustness(msgspec.Struct, frozen=True):
    """How much of the result is luck, costs or a few events, and what could have been lost."""

    variants: list[Variant] = []
    simulated: list[Simulated] = []
    between: str = ""
    """where the result lies against the market's and the claimed probabilities"""
    worst: list[WorstCase] = []
    peak: str | None = None
    """when exposure was greatest"""
    band: list[tuple[int, float, float]] = []
    """(ts, low, high): 90 % of the resampled equity, events drawn anew"""
    replays: list[Replay] = []


class Report(msgspec.Struct, frozen=True):
    """One run."""

    schema: int
    run: str
    created: str
    hash: str
    synthetic: bool
    manifest: dict[str, Any]
    summary: Summary
    trades: list[Trade]
    round_trips: list[RoundTrip]
    by_category: list[Slice]
    by_reason: list[Slice]
    by_market: list[Slice]
    left_open: list[OpenPosition]
    denials: dict[str, int]
    refusals: dict[str, int]
    forecasts: Forecasts
    quality: Quality
    calibration: list[Bin]
    equity: list[tuple[int, str]]
    """at most 400 points (ts, equity); all of them are in equity.parquet"""
    notes: list[str]
    timings: dict[str, float]
    by_forecaster: list[Slice] = []
    by_confidence: list[Slice] = []
    rejected: list[Rejection] = []
    decisions: list[Decision] = []
    panels: list[Panel] = []
    baselines: list[Baseline] = []
    robustness: Robustness | None = None
    making: Making | None = None
    paid: list[Paid] = []
    """orders, quotes and fills of a run over recorded books"""
    scenarios: list[Scenario] = []
    """worst cases that were replayed"""


def json_schema() -> dict[str, Any]:
    """The JSON Schema of ``report.json``."""
    return msgspec.json.schema(Report)
