"""What takers paid on Polymarket, by category and by the date on which a market was listed.

A market keeps the schedule of its listing. Where the sources leave a choice, the dearer is taken.

Source: docs.polymarket.com/trading/fees and its revisions of January to October 2026.
"""

from __future__ import annotations

import math
from collections.abc import Mapping
from dataclasses import dataclass
from datetime import UTC, datetime
from typing import Final, Literal

from polyframe.domain.market import FeeSchedule, Market
from polyframe.domain.units import RATE_ONE, SECOND, Ns

Mode = Literal["dated", "current", "none"]

CATEGORIES: Final = frozenset(
    {
        "crypto",
        "sports",
        "finance",
        "politics",
        "tech",
        "mentions",
        "economics",
        "culture",
        "weather",
        "other",
        "geopolitics",
    }
)
"""The venue's own fee categories."""

ALIASES: Final[Mapping[str, str]] = {
    "stocks": "finance",
    "stock": "finance",
    "equities": "finance",
    "earnings": "finance",
    "technology": "tech",
    "elections": "politics",
    "economy": "economics",
    "pop-culture": "culture",
    "cryptocurrency": "crypto",
}
"""Other names in use. None leads to the free category."""

FREE: Final = FeeSchedule()


@dataclass(frozen=True, slots=True)
class FeeEpoch:
    """The schedules of markets listed from ``since`` on; a category not named is free."""

    since: Ns
    schedules: Mapping[str, FeeSchedule]
    fast_crypto: FeeSchedule | None = None
    """15-minute crypto markets, where they had their own"""


def _since(day: str) -> Ns:
    moment = datetime.strptime(day, "%Y-%m-%d").replace(tzinfo=UTC)
    return int(moment.timestamp()) * SECOND


def _per_category(crypto: int, sports: int, sports_rebate: int) -> dict[str, FeeSchedule]:
    quarter = 250_000
    cheap = FeeSchedule(40_000, 1, quarter)
    dear = FeeSchedule(50_000, 1, quarter)
    return {
        "crypto": FeeSchedule(crypto, 1, 200_000),
        "sports": FeeSchedule(sports, 1, sports_rebate),
        "geopolitics": FREE,
        **dict.fromkeys(("finance", "politics", "tech", "mentions"), cheap),
        **dict.fromkeys(("economics", "culture", "weather", "other"), dear),
    }


_EARLY_CRYPTO = FeeSchedule(250_000, 2, 200_000)

EPOCHS: Final[tuple[FeeEpoch, ...]] = (
    FeeEpoch(0, {}),
    FeeEpoch(_since("2026-01-05"), {}, fast_crypto=_EARLY_CRYPTO),
    FeeEpoch(_since("2026-03-06"), {"crypto": _EARLY_CRYPTO}),
    FeeEpoch(_since("2026-03-30"), _per_category(72_000, 30_000, 250_000)),
    # The day on which crypto went from 0.072 to 0.07 is not on record; it had by October.
    FeeEpoch(_since("2026-07-10"), _per_category(70_000, 50_000, 150_000)),
)
"""Oldest first."""


def canonical(category: str) -> str | None:
    """The venue's name of a category, None when it is not one of its own or a known alias."""
    name = category.strip().lower().replace(" ", "-")
    name = ALIASES.get(name, name)
    return name if name in CATEGORIES else None


def fee_category(market: Market) -> str:
    """The fee category of a market; ``other`` when unknown."""
    return canonical(market.category) or "other"


def fifteen_minute(market: Market) -> bool:
    """True for the up/down markets that live a quarter of an hour."""
    names = {part.lower() for part in market.tags} | set(market.slug.lower().split("-"))
    return bool(names & {"15m", "15min", "15-min", "15-minute"})


def epoch_at(ts: Ns) -> FeeEpoch:
    """The epoch in force for a market listed at ``ts``."""
    return next(epoch for epoch in reversed(EPOCHS) if epoch.since <= max(ts, 0))


def listed_at(market: Market) -> Ns:
    """When a market was listed, as far as known.

    Without an opening time its closing time is taken: fees only ever spread to more markets, so the
    later date does not flatter. Without either, today's schedule holds.
    """
    return market.opened or market.closes or EPOCHS[-1].since


def schedule(market: Market, listed: Ns) -> FeeSchedule:
    """What takers pay on a market listed at ``listed``."""
    epoch = epoch_at(listed)
    category = fee_category(market)
    if category == "crypto" and epoch.fast_crypto is not None and fifteen_minute(market):
        return epoch.fast_crypto
    return epoch.schedules.get(category, FREE)


def stressed(fee: FeeSchedule, stress: int) -> FeeSchedule:
    """The schedule with its rate times ``stress`` millionths, rounded up, at most 1.

    Above 1 a lower price could cost more in all, and a limit would no longer bound what is paid.
    """
    rate, maker = (min(-((-r * stress) // RATE_ONE), RATE_ONE) for r in (fee.rate, fee.maker))
    return FeeSchedule(rate, fee.exponent, fee.rebate, maker)


def notional(taker: float, maker: float) -> FeeSchedule:
    """Shares of what is traded, rounded up to a millionth: fees of exchanges for coins."""
    rates = [math.ceil(round(rate * RATE_ONE, 6)) for rate in (taker, maker)]
    return FeeSchedule(rates[0], 0, 0, rates[1])


def fee_for(
    market: Market, listed: Ns, mode: Mode, overrides: Mapping[str, float],
    unbounded: FeeSchedule = FREE,
) -> FeeSchedule:  # fmt: skip
    """The schedule that a run charges; ``unbounded`` for what is no share of an outcome.

    An override of the market's category wins, then mode ``none`` and ``current``, then what the
    market itself states, then the dated table.
    """
    if len(market.tokens) == 1:
        stated = market.fee if mode == "dated" else None
        return FREE if mode == "none" else stated or unbounded
    override = overrides.get(fee_category(market))
    if override is not None:
        current = schedule(market, EPOCHS[-1].since)
        return FeeSchedule(math.ceil(round(override * RATE_ONE, 6)), 1, current.rebate)
    if mode == "none":
        return FREE
    if mode == "current":
        return schedule(market, EPOCHS[-1].since)
    return market.fee if market.fee is not None else schedule(market, listed)
