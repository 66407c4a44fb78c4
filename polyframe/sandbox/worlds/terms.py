"""On which terms questions are listed: fees by category, ticks, delays, rewards.

Source: rates and rebates of docs.polymarket.com/trading/fees in October 2026; names of schedules as
recorded markets have them. UNSURE at the venue: the names for finance, tech and economics.
"""

from __future__ import annotations

from typing import Final, NamedTuple

from polyframe.domain.units import MONEY_ONE
from polyframe.sandbox.venue.market import TICKS
from polyframe.sandbox.venue.records import SHARE_ONE, FeeTerms, RewardTerms
from polyframe.sandbox.worlds.naming import stream
from polyframe.sandbox.worlds.plots import Ask, Plot

_POLITICS = FeeTerms(40_000, 1, 250_000, "politics_fees")
_GENERAL = FeeTerms(50_000, 1, 250_000, "general_fees")
FEES: Final = {
    "crypto": FeeTerms(70_000, 1, 200_000, "crypto_fees_v2"),
    "sports": FeeTerms(50_000, 1, 150_000, "sports_fees_v3"),
    "politics": _POLITICS,
    "finance": FeeTerms(40_000, 1, 250_000, "finance_fees"),
    "mentions": FeeTerms(40_000, 1, 250_000, "mentions_fees"),
    "tech": FeeTerms(40_000, 1, 250_000, "tech_fees"),
    "geopolitics": FeeTerms(),
}
"""economics, culture, weather and all that is not named pay the general schedule"""

# Source: crypto up or down markets since 2026-09-04; sports markets wait 1 to 3 s.
TAKER_DELAY_MS: Final = 150
SPORTS_DELAY: Final = 3
HOLDING_RATE: Final = 40_000


class Terms(NamedTuple):
    """What is not said by the question itself."""

    fees: FeeTerms
    rewards: RewardTerms
    tick: int
    min_size: int
    seconds_delay: int
    taker_delay_ms: int
    clear_book_on_start: bool
    auto_tick: bool
    holding_rate: int
    weight: float
    """how much is traded in it, beside others"""


def terms_of(plot: Plot, ask: Ask, seed: int) -> Terms:
    """The terms on which a question of an event is listed."""
    rng = stream(seed, "terms", ask.key)
    category = plot.category.lower()
    weight = float(rng.lognormal(0.0, 0.8))
    rewarded, fine, holding = rng.random() < 0.45, rng.random() < 0.2, rng.random() < 0.3
    rewards = RewardTerms()
    if plot.native:
        rewards = RewardTerms(0, 50 * SHARE_ONE, 450)
    elif rewarded:
        daily = float(rng.choice((5, 10, 20, 50, 100)))
        rewards = RewardTerms(
            int(daily * MONEY_ONE),
            int(rng.choice((20, 50, 100))) * SHARE_ONE,
            int(rng.choice((350, 450))),
        )
    return Terms(
        fees=FEES.get(category, _GENERAL),
        rewards=rewards,
        tick=_tick(plot, ask, fine),
        min_size=5 * SHARE_ONE,
        seconds_delay=SPORTS_DELAY if plot.game else 0,
        taker_delay_ms=TAKER_DELAY_MS if plot.native else 0,
        clear_book_on_start=bool(plot.game),
        auto_tick=True,
        holding_rate=HOLDING_RATE if holding and category == "politics" else 0,
        weight=2.0 if plot.native else weight,
    )


def _tick(plot: Plot, ask: Ask, fine: bool) -> int:
    """The recorded tick; synthetic markets, which all have the same, are given either."""
    if "synthetic" in plot.tags:
        return 10 if fine else 100
    return ask.tick if ask.tick in TICKS else 100
