"""Every assumption of the simulated exchange, with its default and the reason for it."""

from __future__ import annotations

import math
from typing import Literal

from pydantic import Field, field_validator, model_validator

from polyframe.api.plugin import PluginConfig
from polyframe.domain.units import MILLISECOND, Ns
from polyframe.exchanges.sim.fees import CATEGORIES, canonical
from polyframe.exchanges.sim.terms import RewardTerms

PPM = 1_000_000


class SimSettings(PluginConfig):
    """Settings of the model. docs/simulation.md has the figures behind the defaults.

    Units: latencies and ages in ms; prices, spreads and rates as fractions of 1; depth in shares.
    """

    latency_entry_ms: int = Field(250, ge=0, le=86_400_000)
    """from the decision to the venue; what public bots measure in the middle"""
    latency_cancel_ms: int = Field(300, ge=0, le=86_400_000)
    """from the decision to the cancel at the venue"""
    latency_response_ms: int = Field(100, ge=0, le=86_400_000)
    """from the venue back to us: every answer is known this much later"""
    latency_feed_ms: int = Field(0, ge=0, le=86_400_000)
    """on a recorded book: from the tape's time of a row to its being seen; the venue is ahead"""
    latency_probes: str = ""
    """on a recorded book: a CSV or Parquet file of measured latencies, instead of the figures"""
    latency_multiplier: float = Field(1.0, gt=0, le=1_000)
    """stress on what the file of probes says"""
    settle_delay_ms: int = Field(10_000, ge=0)
    """a split, merge or redemption is a transaction on a chain with blocks of two seconds"""
    fees: Literal["dated", "current", "none"] = "dated"
    """dated: as on the market's listing date; current: today's rates for every market"""
    fee_overrides: dict[str, float] = Field(default_factory=dict)
    """rate by category, before anything else"""
    coin_taker_fee: float = Field(0.001, ge=0, le=0.1)
    """share of what is traded that takers pay where prices have no bounds: Binance spot, no VIP"""
    coin_maker_fee: float = Field(0.001, ge=0, le=0.1)
    """the same of makers"""
    cost_multiplier: float = Field(1.0, gt=0, le=20)
    """stress on spread, impact and fee at once"""
    fee_multiplier: float = Field(1.0, gt=0, le=20)
    """stress on the fee alone, besides ``cost_multiplier``"""
    spread: Literal["model", "none"] = "model"
    """none: bid and ask are the recorded price, to compare with what assumes no spread"""
    half_spread_floor: tuple[tuple[float, float], ...] = (
        (0.01, 0.002),
        (0.02, 0.006),
        (0.05, 0.015),
        (0.10, 0.020),
        (0.35, 0.015),
        (0.50, 0.010),
    )
    """(distance of the price to 0 or 1 up to, least half spread): 75th percentiles of quotes"""
    young_half_spread: tuple[tuple[float, float], ...] = ((1, 0.055), (2, 0.020), (4, 0.015))
    """(hours since the first of a run of quoted rows up to, least half spread): as above"""
    jump_share: float = Field(0.25, ge=0, le=1)
    """half spread as a share of a recent change of the mid, fading by a quarter a row"""
    unquoted_half_spread: float = Field(0.10, ge=0, lt=0.5)
    """times the share of a market's recent rows that had no quote: a least half spread"""
    unquoted_memory: float = Field(24.0, ge=1, le=10_000)
    """rows after which a row without a quote counts for a third (1/e) in that share"""
    roll_window: int = Field(48, ge=2, le=10_000)
    """pairs of price changes in the Roll estimate: two days of hourly rows"""
    roll_min_pairs: int = Field(8, ge=2)
    """no estimate from fewer"""
    spread_cap: float = Field(0.20, gt=0, lt=1)
    """what is above may not exceed this spread; before ``unquoted_half_spread`` and the stress"""
    depth_shares: float = Field(150.0, gt=0, le=1_000_000)
    """shares within ``depth_reach`` of the best price: lower quartile of recorded books"""
    depth_reach: float = Field(0.02, gt=0, lt=1)
    """how far from the best price there is anything at all"""
    depth_step: float = Field(0.01, gt=0, lt=1)
    """distance between levels (at least a tick): recorded depth stands on whole cents"""
    fill_at: Literal["next", "last"] = "next"
    """next: the first row at or after the order's arrival; last: the row standing at arrival"""
    delay_rows: int = Field(0, ge=0, le=100)
    """each order reaches the venue so many of its market's rows later: what does being late cost"""
    max_age_ms: int = Field(7_200_000, ge=0)
    """how far an order's arrival and the row it executes on may be apart: two hourly rows"""
    allow_near: bool = True
    """trade on rows close to an unquoted stretch"""
    allow_unquoted: bool = False
    """trade on prices behind which no quote stood: only to see what they would pretend"""

    queue: Literal["risk_averse", "power", "log", "power_total", "log_total", "power_front"] = (
        "risk_averse"
    )
    """on a recorded book: who left when a level shrinks; by default nobody who stood before us"""
    queue_power: float = Field(3.0, gt=0, le=20)
    """n of the power queues"""
    partial_fills: bool = True
    """on a recorded book: an order fills by what reached it; else whole, once its turn has come"""
    outages: tuple[tuple[int, int], ...] = ()
    """on a recorded book: from and to (ns UTC) when orders, cancels and answers wait for the end"""

    book_steps: int = Field(32_768, ge=64, le=524_288)
    """on a recorded book without bounds: price steps that are kept, in a window around the mid"""
    rewards: dict[str, RewardTerms] = Field(default_factory=dict)
    """on a recorded book: liquidity rewards by market id, ``*`` for all with two outcomes"""
    maker_rebates: bool = True
    """on a recorded book: makers are paid back the part of takers' fees that the schedule states"""
    least_paid: float = Field(1.0, ge=0, le=1_000)
    """a reward or rebate for a market and a day below this is not paid"""

    @field_validator("half_spread_floor")
    @classmethod
    def _zones_ascend(
        cls, zones: tuple[tuple[float, float], ...]
    ) -> tuple[tuple[float, float], ...]:
        bounds = [upto for upto, _ in zones]
        if not zones or bounds != sorted(set(bounds)) or bounds[-1] < 0.5:
            raise ValueError("zones must ascend and the last must reach 0.5")
        if any(not 0 <= half < 0.5 or upto <= 0 for upto, half in zones):
            raise ValueError("a half spread lies in [0, 0.5), a zone's bound above 0")
        return zones

    @field_validator("young_half_spread")
    @classmethod
    def _ages_ascend(cls, ages: tuple[tuple[float, float], ...]) -> tuple[tuple[float, float], ...]:
        bounds = [upto for upto, _ in ages]
        if bounds != sorted(set(bounds)) or any(not 0 <= half < 0.5 for _, half in ages):
            raise ValueError("ages must ascend, each with a half spread in [0, 0.5)")
        return ages

    @field_validator("outages")
    @classmethod
    def _outages_follow(cls, outages: tuple[tuple[int, int], ...]) -> tuple[tuple[int, int], ...]:
        ends = [ts for outage in outages for ts in outage]
        if ends != sorted(set(ends)) or any(ts <= 0 for ts in ends):
            raise ValueError("outages are spans of time, one after the other")
        return outages

    @field_validator("fee_overrides")
    @classmethod
    def _categories_known(cls, overrides: dict[str, float]) -> dict[str, float]:
        for name, rate in overrides.items():
            if canonical(name) is None:
                raise ValueError(f"unknown category {name!r}, expected one of {sorted(CATEGORIES)}")
            if not 0 <= rate <= 1:
                raise ValueError(f"rate {rate} of {name!r} must lie in [0, 1]")
        return {str(canonical(name)): rate for name, rate in overrides.items()}

    @model_validator(mode="after")
    def _levels_fit(self) -> SimSettings:
        if self.depth_step > self.depth_reach:
            raise ValueError("depth_step must not exceed depth_reach")
        if self.roll_min_pairs > self.roll_window:
            raise ValueError("roll_min_pairs must not exceed roll_window")
        if self.coin_maker_fee > self.coin_taker_fee:
            raise ValueError("coin_maker_fee must not exceed coin_taker_fee: takers reserve theirs")
        if self.allow_unquoted and not self.allow_near:
            raise ValueError("allow_unquoted needs allow_near")
        return self

    @property
    def stress(self) -> int:
        """The cost multiplier in millionths, rounded up."""
        return math.ceil(self.cost_multiplier * PPM)

    @property
    def fee_stress(self) -> int:
        """What fees are multiplied by, in millionths, rounded up."""
        return math.ceil(round(self.cost_multiplier * self.fee_multiplier * PPM, 6))

    @property
    def entry(self) -> Ns:
        """Entry latency in ns."""
        return self.latency_entry_ms * MILLISECOND

    @property
    def cancel(self) -> Ns:
        """Cancel latency in ns."""
        return self.latency_cancel_ms * MILLISECOND

    @property
    def response(self) -> Ns:
        """Response latency in ns."""
        return self.latency_response_ms * MILLISECOND

    @property
    def feed(self) -> Ns:
        """Feed latency in ns."""
        return self.latency_feed_ms * MILLISECOND

    @property
    def latency_stress(self) -> int:
        """What measured latencies are multiplied by, in millionths, rounded up."""
        return math.ceil(round(self.latency_multiplier * PPM, 6))

    @property
    def settle(self) -> Ns:
        """Duration of a transaction on the chain in ns."""
        return self.settle_delay_ms * MILLISECOND

    @property
    def max_age(self) -> Ns:
        """Greatest distance of an order's arrival to its row in ns."""
        return self.max_age_ms * MILLISECOND
