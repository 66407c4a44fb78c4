"""Settings that an option replaces although they stand in lists or in a plugin's own part."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any

from polyframe.domain.units import MONEY_DECIMALS, to_units
from polyframe.errors import DataError, UserError
from polyframe.runtime.config import validated
from polyframe.runtime.settings import Config

UNLIMITED = "unlimited"
"""The stake that divides the equity among as many markets as may be open."""
FIXED = "FixedSizer"
OPEN = "OpenPositions"
MOST_MARKETS = 1_000_000_000


def with_sim(config: Config, sim: Mapping[str, Any]) -> Config:
    """Other settings of the simulated exchange; those that are not named stay."""
    values = config.plain()
    values["venue"]["sim"] = {**values["venue"]["sim"], **sim}
    return Config.model_validate(values)


def with_stake(config: Config, stake: str) -> Config:
    """The same stake for each entry of every strategy, or an equal part of the equity.

    It replaces every configured sizer. An intent that states its own size keeps it.

    Raises:
        UserError: it is neither an amount above zero nor ``unlimited``.
    """
    settings: dict[str, Any] = {"stake": _checked(stake)}
    if settings["stake"] == UNLIMITED and (room := _room(config)):
        settings["max_open"] = room
    values = config.plain()
    values["sizer"] = {"use": FIXED, "config": settings}
    for strategy in values["strategies"]:
        strategy["sizer"] = None
    return validated(values)


def _checked(stake: str) -> str:
    text = stake.strip().lower()
    if text == UNLIMITED:
        return text
    try:
        fits = to_units(text, MONEY_DECIMALS) > 0
    except DataError:
        fits = False
    if not fits:
        raise UserError(
            f"a stake of {stake!r}",
            expected=f"an amount above zero, or {UNLIMITED}",
            hint="polyframe backtest --stake 10",
        )
    return text


def _room(config: Config) -> int | None:
    """How many markets the configured limit leaves room for; None where none is configured."""
    for use in config.protections:
        markets = use.config.get("markets")
        if use.use == OPEN and "*" in use.ledgers and isinstance(markets, int):
            return markets
    return None


def with_max_open(config: Config, markets: int) -> Config:
    """At most so many markets in play, for each strategy and the account.

    Raises:
        UserError: the number leaves room for nothing, or fits nowhere.
    """
    if not 1 <= markets <= MOST_MARKETS:
        what = "leave room for nothing" if markets < 1 else "are more than there can be"
        raise UserError(
            f"at most {markets} open markets {what}",
            expected=f"1 to {MOST_MARKETS:,}",
            hint="polyframe backtest --max-open 5",
        )
    values = config.plain()
    values["protections"] = [use for use in values["protections"] if use["use"] != OPEN] + [
        {"use": OPEN, "config": {"markets": markets}}
    ]
    return validated(values)


def with_own(config: Config, settings: Mapping[str, Any]) -> Config:
    """Settings of the strategies themselves, on top of the configured ones."""
    values = config.plain()
    for strategy in values["strategies"]:
        strategy["config"] = {**strategy["config"], **settings}
    return validated(values)
