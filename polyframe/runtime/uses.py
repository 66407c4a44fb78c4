"""The plugins that a configuration names, with their settings checked."""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from contextlib import suppress
from typing import Any, NamedTuple

from polyframe.api.plugin import PluginConfig
from polyframe.errors import ConfigError, PluginError
from polyframe.runtime.config import LoadedConfig, plugin_config
from polyframe.runtime.contradictions import check_limits
from polyframe.runtime.exits import exits_of
from polyframe.runtime.plugins import Registry
from polyframe.runtime.settings import Config, Placed

SIM = "SimExchange"


class Use(NamedTuple):
    """One place in a configuration that names a plugin."""

    kind: str
    name: str
    path: str
    values: Mapping[str, Any]


def uses(config: Config) -> Iterator[Use]:
    """Every plugin a configuration names, in its order."""
    for i, strategy in enumerate(config.strategies):
        path = f"strategies[{i}]"
        yield Use("strategy", strategy.use, path, strategy.config)
        if strategy.sizer is not None:
            yield Use("sizer", strategy.sizer.use, f"{path}.sizer", strategy.sizer.config)
        if strategy.style is not None:
            use = strategy.style
            yield Use("execution_style", use.use, f"{path}.style", use.config)
    if not config.strategies or not all(strategy.sizer for strategy in config.strategies):
        yield Use("sizer", config.sizer.use, "sizer", config.sizer.config)
    for name, forecaster in config.forecasters.items():
        yield Use("forecaster", forecaster.use, f"forecasters.{name}", forecaster.config)
    for placed in config.guards():
        yield Use("protection", placed.use.use, placed.path, placed.use.config)
    yield Use("exchange", SIM, "venue.sim", config.venue.sim)


def inner_first(config: Config) -> list[str]:
    """The forecasters' names, each after those it builds on; the settings have no circle."""
    order: list[str] = []

    def place(name: str) -> None:
        for other in config.forecasters[name].of:
            place(other)
        if name not in order:
            order.append(name)

    for name in config.forecasters:
        place(name)
    return order


def check_guards(config: Config, source: str = "") -> None:
    """Refuses a protection that is set twice for the same strategy.

    Raises:
        ConfigError: naming its place; ``source`` says where the list comes from.
    """
    seen: set[tuple[str, str]] = set()
    for i, use in enumerate(config.protections):
        for ledger in ("*",) if use.general else use.ledgers:
            if (use.use, ledger) in seen:
                where = f"{source}: protections[{i}]" if source else f"protections[{i}]"
                whom = "all strategies" if ledger == "*" else f"strategy {ledger}"
                raise ConfigError(
                    f"{where}: {use.use} is set twice for {whom}",
                    expected="one entry a protection and strategy",
                    hint="polyframe config show",
                )
            seen.add((use.use, ledger))


def settings_of(use: Use, loaded: LoadedConfig, registry: Registry) -> PluginConfig:
    """The checked settings of one plugin.

    Raises:
        PluginError: it does not exist or could not be loaded.
        ConfigError: its settings are wrong.
    """
    try:
        cls = registry.get(use.kind, use.name)
    except PluginError as error:
        source = loaded.source(f"{use.path}.use")
        raise PluginError(
            f"{source}: {use.path}.use: {error.message}",
            expected=error.expected,
            hint=error.hint,
        ) from error
    path = use.path if use.name == SIM else f"{use.path}.config"
    return plugin_config(cls, use.values, path, loaded.sources)


def check_uses(loaded: LoadedConfig, registry: Registry) -> list[dict[str, str]]:
    """Checks every plugin a configuration names and returns them.

    Raises:
        PluginError: one does not exist or could not be loaded.
        ConfigError: the settings of one are wrong, or a protection is set twice.
    """
    config = loaded.config
    check_guards(config, loaded.source("protections[0].use") if config.protections else "")
    checked = []
    for use in uses(config):
        settings_of(use, loaded, registry)
        checked.append({"kind": use.kind, "name": use.name, "path": use.path})
    for i, strategy in enumerate(config.strategies):
        path = f"strategies[{i}].exits"
        source = loaded.source(next((p for p in loaded.sources if p.startswith(path)), path))
        exits_of(registry.get("strategy", strategy.use), strategy.exits, path, source)
    settings = guard_settings(config, registry, loaded.sources)
    check_limits(config, settings, registry, loaded.sources)
    return checked


def guard_settings(
    config: Config, registry: Registry, sources: Mapping[str, str] | None = None
) -> list[tuple[Placed, PluginConfig]]:
    """Every protection in force with its checked settings.

    Raises:
        PluginError: one does not exist or could not be loaded.
        ConfigError: the settings of one are wrong.
    """
    return [
        (
            placed,
            plugin_config(
                registry.get("protection", placed.use.use),
                placed.use.config,
                f"{placed.path}.config",
                sources,
            ),
        )
        for placed in config.guards()
    ]


class Shown(NamedTuple):
    """A protection in force as a person reads it."""

    name: str
    whom: tuple[str, ...]
    settings: Mapping[str, Any]
    source: str


def guards_shown(loaded: LoadedConfig, registry: Registry) -> list[Shown]:
    """Every protection in force with all its settings and what set them.

    Settings that are wrong, or of a protection that does not exist, are shown as they are written:
    checking is another command.
    """
    shown = []
    for placed in loaded.config.guards():
        settings: Mapping[str, Any] = placed.use.config
        with suppress(PluginError, ConfigError):
            cls = registry.get("protection", placed.use.use)
            settings = plugin_config(cls, settings, placed.path).model_dump(mode="json")
        source = loaded.source(f"{placed.path}.use")
        shown.append(Shown(placed.use.use, placed.use.ledgers, settings, source))
    return shown
