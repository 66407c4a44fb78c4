"""What a person asks of a backtest, turned into configurations that can run."""

from __future__ import annotations

from collections.abc import Iterator, Mapping, Sequence
from contextlib import suppress
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any

from polyframe.api.plugin import Plugin
from polyframe.errors import ConfigError, PluginError, UserError
from polyframe.lab.places import catalogue_dir, tape_dir
from polyframe.runtime.config import find_files, load_config, validated
from polyframe.runtime.exits import exits_of
from polyframe.runtime.overriding import with_max_open, with_own, with_stake
from polyframe.runtime.plugins import Registry
from polyframe.runtime.session_classes import adopt
from polyframe.runtime.settings import Config
from polyframe.runtime.tape_data import plays_tape


@dataclass(frozen=True)
class Request:
    """The words of a command line or a notebook. What is empty is left to the configuration.

    ``strategies`` are names, or classes of this session. ``own`` are settings of the strategies
    themselves, ``also`` further ones as a configuration file has them.
    """

    strategies: Sequence[str | type[Plugin]] = ()
    together: bool = False
    data: Path | None = None
    files: Sequence[Path] = ()
    profile: str | None = None
    user_data: Path = Path("user_data")
    timerange: str = ""
    markets: Sequence[str] = ()
    category: str = ""
    forecasted: bool = False
    cash: str = ""
    stake: str = ""
    max_open: int | None = None
    seed: int | None = None
    record: str = ""
    missing: str = ""
    tape: str = ""
    own: Mapping[str, Any] = field(default_factory=dict)
    also: Mapping[str, Any] = field(default_factory=dict)

    def overrides(self) -> dict[str, Any]:
        """The settings that were stated, by their dotted paths."""
        stated = {
            "data.timerange": self.timerange,
            "data.category": self.category,
            "data.markets": named_markets(self.markets),
            "data.tape": self.tape,
            "account.cash": self.cash,
            "session.seed": self.seed,
            "backtest.record": self.record,
            "backtest.missing": self.missing,
        }
        options = {k: v for k, v in stated.items() if v not in ("", None, [])}
        return {**dict(_dotted(self.also)), **options}


def _dotted(values: Mapping[str, Any], at: str = "") -> Iterator[tuple[str, Any]]:
    """Every value of nested settings with its path, so that one stands beside another."""
    for key, value in values.items():
        if isinstance(value, Mapping) and value:
            yield from _dotted(value, f"{at}{key}.")
        else:
            yield f"{at}{key}", value


@dataclass(frozen=True)
class Line:
    """One run to make: its name in a comparison and its configuration."""

    name: str
    config: Config


@dataclass(frozen=True)
class Plan:
    """The runs to make, with everything they need."""

    lines: Sequence[Line]
    registry: Registry
    directory: Path
    user_data: Path
    forecasted: bool = False

    def place(self, line: Line) -> Path:
        """The catalogue that a run plays."""
        return (
            tape_dir(self.directory) if plays_tape(line.config, self.registry) else self.directory
        )

    def check(self) -> None:
        """Refuses the whole plan before a long run when a later strategy does not exist.

        Raises:
            PluginError: a strategy does not exist or could not be loaded.
        """
        for line in self.lines:
            for use in line.config.strategies:
                self.registry.find("strategy", use.use)

    @property
    def runs(self) -> Path:
        """Where finished runs are stored."""
        return self.user_data / "runs"


def planned(request: Request) -> Plan:
    """The runs that are asked for: one a strategy, or one with all of them on one account.

    Raises:
        ConfigError: a setting is wrong, or a strategy is named twice.
        PluginError: a class of this session cannot be a strategy.
        UserError: options contradict each other.
    """
    loaded = load_config(
        request.files or find_files(request.user_data),
        profile=request.profile,
        overrides=request.overrides(),
        user_data=request.user_data,
    )
    config = loaded.config
    if request.max_open is not None:
        config = with_max_open(config, request.max_open)
    if request.stake:
        config = with_stake(config, request.stake)
    registry = Registry.load(loaded.user_data)
    names = [s if isinstance(s, str) else adopt(registry, s) for s in request.strategies]
    if request.own:
        config = with_own(config.choosing(names) if names else config, request.own)
    lines = _lines(config, names, together=request.together)
    if request.max_open is not None:
        lines = [Line(o.name, _own_limits(o.config, registry, request.max_open)) for o in lines]
    place = catalogue_dir(request.data, config.data.dir, loaded.user_data)
    return Plan(lines, registry, place, loaded.user_data, request.forecasted)


def _lines(config: Config, names: Sequence[str], *, together: bool) -> list[Line]:
    """A configuration a strategy that was named; those of a file run as the file says."""
    chosen = config.choosing(names) if names else config
    if together or not names:
        return [Line(" + ".join(s.ledger for s in chosen.strategies), chosen)]
    return [Line(use.ledger, alone(chosen, use.ledger)) for use in chosen.strategies]


def _own_limits(config: Config, registry: Registry, markets: int) -> Config:
    """The option in the place of a limit that a strategy declares for itself."""
    known = {found.name: found.cls for found in registry.all("strategy")}
    values = config.plain()
    for use, plain in zip(config.strategies, values["strategies"], strict=True):
        # What is wrong about a strategy is told by its own run, with its place.
        with suppress(ConfigError, PluginError):
            if use.use in known and exits_of(known[use.use], use.exits, "").max_open is not None:
                plain["exits"] = {**plain["exits"], "max_open": markets}
    return validated(values)


def alone(config: Config, ledger: str) -> Config:
    """The configuration for one strategy instance on the whole of the cash."""
    values = config.choosing([ledger]).plain()
    values["strategies"] = [
        {**use, "allocation": None}
        for use in values["strategies"]
        if (use["name"] or use["use"]) == ledger
    ]
    return validated(values)


def named_markets(words: Sequence[str]) -> list[str]:
    """Market ids, each once: words may hold several, by commas.

    Raises:
        UserError: a word holds none.
    """
    ids: dict[str, None] = {}
    for word in words:
        found = [part.strip() for part in word.split(",") if part.strip()]
        if not found:
            raise UserError(
                f"--markets {word!r} names no market",
                expected="market ids, by commas or one an option",
                hint="polyframe list markets",
            )
        ids |= dict.fromkeys(found)
    return list(ids)
