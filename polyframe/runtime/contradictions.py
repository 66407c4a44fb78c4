"""Limits of different guards that contradict each other: refused, both of them named."""

from __future__ import annotations

from collections.abc import Iterator, Mapping, Sequence
from typing import Any, NamedTuple

from polyframe.api.plugin import PluginConfig
from polyframe.domain.units import MONEY_DECIMALS, format_units, money
from polyframe.errors import ConfigError, DataError
from polyframe.runtime.explain import with_source
from polyframe.runtime.plugins import Registry
from polyframe.runtime.settings import Config, Placed


class _Rule(NamedTuple):
    """``lower`` of one guard must not be above ``upper`` of another."""

    lower: tuple[str, str]
    upper: tuple[str, str]
    why: str


RULES = (
    _Rule(("DailyLoss", "loss"), ("WeeklyLoss", "loss"), "a day belongs to its week"),
    _Rule(
        ("EventExposure", "share"), ("PortfolioExposure", "share"), "an event is part of the whole"
    ),
    _Rule(
        ("CategoryExposure", "share"),
        ("PortfolioExposure", "share"),
        "a category is part of the whole",
    ),
    _Rule(
        ("CategoryExposure", "categories"),
        ("PortfolioExposure", "share"),
        "a category is part of the whole",
    ),
    _Rule(("OrderSize", "share"), ("EventExposure", "share"), "an order belongs to one event"),
    _Rule(("OrderSize", "quotes"), ("EventExposure", "share"), "a quote belongs to one event"),
    _Rule(
        ("DrawdownHeat", "steps"),
        ("DrawdownKill", "drawdown"),
        "what is halted needs no smaller stake",
    ),
    _Rule(("ImpliedProbability", "probability"), ("PriceBand", "high"), "no price would be left"),
)

Settings = Sequence[tuple[Placed, PluginConfig]]


def check_limits(
    config: Config,
    settings: Settings,
    registry: Registry | None = None,
    sources: Mapping[str, str] | None = None,
) -> list[str]:
    """Refuses limits that contradict each other; returns what is odd but harmless.

    With a registry, limits that fit no 64 bits are refused, too.

    Raises:
        ConfigError: naming both limits and where they stand.
    """
    if registry is not None:
        _check_range(settings, registry, sources or {})
    general = {p.use.use: (p, found) for p, found in settings if p.use.general}
    _check(general, "")
    for strategy in config.strategies:
        own = {p.use.use: (p, f) for p, f in settings if strategy.ledger in p.use.ledgers}
        if own:
            _check(general | own, f" for strategy {strategy.ledger}")
    return list(_harmless(config, general))


def _check_range(settings: Settings, registry: Registry, sources: Mapping[str, str]) -> None:
    for placed, found in settings:
        cls = registry.get("protection", placed.use.use)
        if not cls.kernel:
            continue
        try:
            limits = cls(found).limits()
            fits = all(-(2**62) < value < 2**62 for value in limits.values())
            fault = "a limit is too large for 64 bits"
        except DataError as error:
            fits, fault = False, error.message
        if not fits:
            raise ConfigError(
                f"{with_source(f'{placed.path}.config', sources)} of {placed.use.use}: {fault}",
                expected="limits below 2^62 of the smallest unit",
                hint="polyframe config show",
            )


def _check(guards: Mapping[str, tuple[Placed, PluginConfig]], whom: str) -> None:
    for rule in RULES:
        if rule.lower[0] not in guards or rule.upper[0] not in guards:
            continue
        (low_at, low), (high_at, high) = guards[rule.lower[0]], guards[rule.upper[0]]
        least, most = _value(low, rule.lower[1]), _value(high, rule.upper[1])
        if least > most:
            raise ConfigError(
                f"{_named(rule.lower, least, low_at)} is above "
                f"{_named(rule.upper, most, high_at)}{whom}",
                expected=f"no more than that: {rule.why}",
                hint=f"change one: {_entry(rule.lower, most)} in protections",
            )
    if "DrawdownHeat" in guards and "MaxStake" not in guards:
        raise ConfigError(
            "DrawdownHeat keeps a part of MaxStake's stake, and MaxStake is left out",
            expected="both or neither",
            hint='leave it out too: {"use": "DrawdownHeat", "enabled": false} in protections',
        )


def _harmless(config: Config, general: Mapping[str, tuple[Placed, PluginConfig]]) -> Iterator[str]:
    for name, field in (("MaxStake", "stake"), ("DailyLoss", "loss"), ("WeeklyLoss", "loss")):
        if name not in general:
            continue
        limit = getattr(general[name][1], field)
        if money(limit) > config.account.cash:
            cash = format_units(config.account.cash, MONEY_DECIMALS)
            yield (
                f"{name} {limit} is more than the account's cash {cash}: "
                "it cannot bind until that has grown"
            )


def _value(settings: PluginConfig, field: str) -> Any:
    found = getattr(settings, field)
    if field == "categories":
        return max(found.values(), default=0)
    if field == "steps":
        return max(step[0] for step in found)
    return found


def _named(limit: tuple[str, str], value: object, placed: Placed) -> str:
    where = "the default" if placed.entry is None else placed.path
    return f"{limit[0]}.{limit[1]} {value} ({where})"


def _entry(limit: tuple[str, str], most: object) -> str:
    name, field = limit
    if field == "steps":
        value = f"[[{most}, 0]]"
    elif field == "categories":
        value = "{}"
    else:
        value = str(most)
    return f'{{"use": "{name}", "config": {{"{field}": {value}}}}}'
