"""Who meets whom: the only place that joins strategies, protections, exchange, data and engine."""

from __future__ import annotations

from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass, field
from datetime import UTC, datetime
from difflib import get_close_matches
from shlex import quote
from typing import cast

import msgspec
import numpy as np
from numpy.typing import NDArray

from polyframe.api.exchange import Exchange
from polyframe.api.execution import ExecutionStyle
from polyframe.api.forecaster import Forecaster, ForecastSource
from polyframe.api.objective import Observer
from polyframe.api.protection import Protection
from polyframe.api.sizer import Sizer
from polyframe.api.strategy import Strategy
from polyframe.domain.effects import Effect
from polyframe.domain.events import Event, MarketListed
from polyframe.domain.market import Group, Market, Resolution
from polyframe.domain.orders import Seal
from polyframe.domain.units import SECOND, Ns
from polyframe.engine.engine import Engine
from polyframe.engine.risk import Guarded
from polyframe.engine.setup import Player, Setup
from polyframe.errors import ConfigError, DataError, PluginError
from polyframe.runtime.asking import ReplayForecasts
from polyframe.runtime.calls import PluginCalls
from polyframe.runtime.config import plugin_config
from polyframe.runtime.feed import QuoteFeed, QuoteRows
from polyframe.runtime.inputs import known_inputs, unchecked
from polyframe.runtime.learning import Learning, learners, past_questions
from polyframe.runtime.observe import Observers
from polyframe.runtime.plugins import Registry
from polyframe.runtime.replay import Replay, SimulatedBroker, Watcher
from polyframe.runtime.settings import Config
from polyframe.runtime.uses import SIM, check_guards, inner_first
from polyframe.store.catalogue import Catalogue
from polyframe.store.journal import JournalWriter
from polyframe.store.timeline import PriceColumns

ALWAYS = ("KillSwitch", "VenueRules", "Balance", "TrustedBook")
"""Protections that no configuration leaves out."""

RECORDED = "Recorded"


@dataclass(frozen=True)
class Recorded:
    """The part of a catalogue that a replay uses. ``prices.market`` indexes ``markets``."""

    markets: Sequence[Market]
    groups: Sequence[Group]
    resolutions: Mapping[str, Resolution]
    prices: PriceColumns
    forecasts: ForecastSource
    notes: Sequence[str] = ()
    inputs: frozenset[str] = frozenset()
    """what the data can tell guards at all"""


def recorded(catalogue: Catalogue, config: Config, *, forecasted: bool = False) -> Recorded:
    """Reads what the configuration selects: markets with prices in the period.

    Raises:
        DataError: nothing is left, or the data is damaged or not what was imported.
        ConfigError: a market id is not in the catalogue.
    """
    catalogue.verify()
    chosen, notes = _chosen(catalogue, config, forecasted=forecasted)
    _check_tokens(chosen, catalogue)
    start, end = config.data.period
    prices = catalogue.prices(chosen, start, end)
    if len(prices.ts) == 0:
        raise _nothing(catalogue, chosen, config.data.timerange)
    seen = np.unique(prices.market)
    if len(seen) < len(chosen):
        notes.append(f"{len(chosen) - len(seen)} markets without a price in the period left out")
    place = np.full(len(chosen), -1, dtype=np.int32)
    place[seen] = np.arange(len(seen), dtype=np.int32)
    opened = _first_rows(prices, len(chosen))
    markets = [
        msgspec.structs.replace(chosen[m], opened=max(chosen[m].opened, int(opened[m])))
        for m in seen
    ]
    ids = {market.id for market in markets}
    prices = PriceColumns(prices.ts, place[prices.market], prices.price, prices.flag)
    groups = [
        Group(group.id, kept, group.kind)
        for group in catalogue.groups()
        if (kept := tuple(id for id in group.markets if id in ids))
    ]
    resolutions = {id: r for id, r in catalogue.resolutions().items() if id in ids}
    if end is not None:
        # What happened after the period is not part of the run.
        resolutions = {id: r for id, r in resolutions.items() if r.known_at < end}
    forecasts = catalogue.forecasts(ids)
    inputs = known_inputs(markets, forecasts.rows)
    return Recorded(markets, groups, resolutions, prices, forecasts, notes, inputs)


def _check_tokens(markets: Sequence[Market], catalogue: Catalogue) -> None:
    """Refuses markets whose outcomes cannot be told apart."""
    owners: dict[str, str] = {}
    for market in markets:
        fault = _fault(market, owners)
        if fault:
            raise DataError(
                f"market {market.id} has {fault}",
                expected="a name and a token of its own for each outcome",
                hint=f"polyframe data check '{catalogue.path}'",
            )


def _fault(market: Market, owners: dict[str, str]) -> str:
    names = [token.outcome for token in market.tokens]
    if not all(names) or len(set(names)) < len(names):
        return f"outcomes {names!r}"
    for token in market.tokens:
        if not token.id:
            return "a token without an id"
        if token.id in owners:
            return f"token {token.id!r}, which market {owners[token.id]} has already"
        owners[token.id] = market.id
    return ""


def _nothing(catalogue: Catalogue, chosen: Sequence[Market], period: str) -> DataError:
    """Why there is nothing to replay, with the period that would have something."""
    ts = catalogue.prices(chosen).ts
    if len(ts) == 0:
        return DataError(
            f"no prices of {len(chosen)} markets in {catalogue.path}",
            expected="recorded prices of these markets",
            hint=f"polyframe data list {catalogue.path}",
        )
    first, last = (datetime.fromtimestamp(int(t) / SECOND, UTC).date() for t in (ts[0], ts[-1]))
    return DataError(
        f"no prices of {len(chosen)} markets in the period {period}",
        expected=f"days between {first} and {last}",
        hint=f"polyframe backtest --timerange {first}..{last}",
    )


def _chosen(
    catalogue: Catalogue, config: Config, *, forecasted: bool
) -> tuple[list[Market], list[str]]:
    markets = catalogue.markets()
    notes: list[str] = []
    listing = f"polyframe data list {quote(str(catalogue.path))}"
    if config.data.markets:
        by_id = {market.id: market for market in markets}
        for id in config.data.markets:
            if id not in by_id:
                near = get_close_matches(id, by_id, n=1)
                raise ConfigError(
                    f"market {id!r} is not in the catalogue",
                    expected=f"{near[0]}?" if near else "ids of recorded markets",
                    hint=listing,
                )
        markets = [by_id[id] for id in config.data.markets]
    if config.data.category:
        wanted = config.data.category.lower()
        known = sorted({market.category.lower() for market in markets})
        if wanted not in known:
            near = get_close_matches(wanted, known, n=1)
            raise ConfigError(
                f"no market of category {config.data.category!r} in {catalogue.path}",
                expected=f"{near[0]}?" if near else f"one of: {', '.join(known)}",
                hint=listing,
            )
        markets = [market for market in markets if market.category.lower() == wanted]
    if forecasted:
        with_forecast = set(catalogue.forecasts().markets())
        before = len(markets)
        markets = [market for market in markets if market.id in with_forecast]
        if before > len(markets):
            notes.append(f"{before - len(markets)} markets without a recorded forecast left out")
    if not markets:
        raise DataError(
            "no market is left by the filters",
            expected="a category or market ids of the catalogue",
            hint=listing,
        )
    return markets, notes


def _first_rows(prices: PriceColumns, count: int) -> NDArray[np.int64]:
    first = np.zeros(count, dtype=np.int64)
    markets, rows = np.unique(prices.market, return_index=True)
    first[markets] = prices.ts[rows]
    return first


@dataclass
class Parts:
    """The plugins of a session, made from its configuration."""

    players: list[Player]
    guarded: list[Guarded]
    forecasters: dict[str, Forecaster]
    exchange: Exchange
    notes: list[str] = field(default_factory=list)


def plugins(config: Config, registry: Registry, records: ForecastSource) -> Parts:
    """Makes every plugin the configuration names, with its checked settings.

    Raises:
        PluginError: a name is unknown or its file is broken.
        ConfigError: a plugin's settings are wrong.
    """
    sim = registry.get("exchange", SIM)
    exchange = sim(plugin_config(sim, config.venue.sim, "venue.sim"))
    parts = Parts(_players(config, registry), _guarded(config, registry), {}, exchange)
    notes = [check_carried_out(player.strategy) for player in parts.players]
    parts.notes += [note for note in notes if note]
    for name in inner_first(config):
        use = config.forecasters[name]
        cls = registry.get("forecaster", use.use)
        settings = plugin_config(cls, use.config, f"forecasters.{name}.config")
        forecaster: Forecaster = cls(settings)
        if not forecaster.pure:
            stand_in = registry.get("forecaster", RECORDED)
            forecaster = stand_in(stand_in.Config(source=name))
            parts.notes.append(f"forecaster {name} ({use.use}) is replayed from its records")
        forecaster.records = records
        forecaster.of = [parts.forecasters[other] for other in use.of]
        parts.forecasters[name] = forecaster
    return parts


DECLARED = ("stop_loss", "take_profit", "trailing", "max_holding", "max_open", "startup_bars")
"""Attributes of a strategy that nothing here carries out yet."""
UNHEARD = ("on_bar", "on_trade", "on_wallet", "features")
"""Methods that recorded prices never call."""


def check_carried_out(strategy: Strategy) -> str:
    """What of a strategy a replay of prices leaves out, as a note; empty when nothing.

    Raises:
        PluginError: it relies on a stop or a limit that would silently not be there.
    """
    cls = type(strategy)
    declared = [name for name in DECLARED if getattr(cls, name) is not None]
    if declared:
        raise PluginError(
            f"strategy {cls.__name__} declares {', '.join(declared)}, which is not carried out yet",
            expected="exits as intents: Intent(..., side=Side.SELL, kind=Kind.EXIT)",
            hint=f"yield it from {cls.__name__}.on_wake or on_book",
        )
    unheard = [name for name in UNHEARD if getattr(cls, name) is not getattr(Strategy, name)]
    if not unheard:
        return ""
    return f"recorded prices never call {cls.__name__}.{', '.join(unheard)}"


def _players(config: Config, registry: Registry) -> list[Player]:
    allocations = config.allocations()
    players = []
    for i, use in enumerate(config.strategies):
        cls: type[Strategy] = registry.get("strategy", use.use)
        chosen, path = (
            (config.sizer, "sizer") if use.sizer is None else (use.sizer, f"strategies[{i}].sizer")
        )
        sizer_cls: type[Sizer] = registry.get("sizer", chosen.use)
        strategy = cls(plugin_config(cls, use.config, f"strategies[{i}].config"))
        sizer = sizer_cls(plugin_config(sizer_cls, chosen.config, f"{path}.config"))
        players.append(Player(use.ledger, strategy, sizer, allocations[use.ledger]))
    return players


def _guarded(config: Config, registry: Registry) -> list[Guarded]:
    check_guards(config)
    guarded: list[Guarded] = []
    for i, use in enumerate(config.protections):
        cls: type[Protection] = registry.get("protection", use.use)
        everyone = "*" in use.ledgers
        protection = cls(plugin_config(cls, use.config, f"protections[{i}].config"))
        guarded.append(Guarded(protection, None if everyone else tuple(use.ledgers)))
    general = {use.use for use in config.protections if "*" in use.ledgers}
    for name in ALWAYS:
        if name not in general:
            cls = registry.get("protection", name)
            guarded.append(Guarded(cls(), None))
    # General settings first, so that those for one strategy stand over them.
    return sorted(guarded, key=lambda item: item.ledgers is not None)


@dataclass
class Session:
    """A replay that is ready to run, and what a report needs to know of it."""

    engine: Engine
    replay: Replay
    broker: SimulatedBroker
    parts: Parts
    markets: Sequence[Market]
    quotes: QuoteRows
    calls: PluginCalls


def replay(
    config: Config,
    registry: Registry,
    data: Recorded,
    *,
    session: str,
    journal: JournalWriter,
    watch: Watcher | None = None,
    styles: Mapping[str, ExecutionStyle] | None = None,
) -> Session:
    """Builds a backtest over recorded data on the simulated exchange."""
    parts = plugins(config, registry, data.forecasts)
    parts.notes += unchecked(parts.guarded, data.inputs, forecasted=bool(parts.forecasters))
    seal, calls = Seal(), PluginCalls()
    markets = [parts.exchange.rules(market) for market in data.markets]
    quotes = parts.exchange.quotes(data.prices, markets)  # type: ignore[attr-defined]
    broker = parts.exchange.broker(
        seal=seal, markets=markets, quotes=quotes, resolutions=data.resolutions
    )
    engine = Engine(
        Setup(
            session=session,
            seed=config.session.seed,
            markets=markets,
            groups=data.groups,
            players=parts.players,
            guarded=parts.guarded,
            styles=styles or made_styles(registry),
            calls=calls,
            seal=seal,
            default_forecaster=next(iter(config.forecasters), "default"),
            estimated_quotes=True,
            stop_on_guard_error=True,
            inputs=data.inputs,
            start=int(data.prices.ts[0]),
        )
    )
    observers = Observers(registry, made_observers(registry), calls=calls)
    learn = bool(learners(parts.forecasters))
    history = past_questions(markets, data.resolutions, data.forecasts) if learn else ()
    forecasts = ReplayForecasts(
        parts.forecasters,
        calls,
        missing=config.backtest.missing,
        before=Learning(parts.forecasters, history, calls).catch_up,
    )
    driver = Replay(
        engine,
        QuoteFeed(engine, quotes),
        broker,  # type: ignore[arg-type]
        forecasts,
        journal,
        events=_events(markets, broker, int(data.prices.ts[0])),
        watch=_both(watch, observers),
    )
    return Session(engine, driver, broker, parts, markets, quotes, calls)  # type: ignore[arg-type]


def made_styles(registry: Registry) -> dict[str, ExecutionStyle]:
    """Every execution style with its default settings."""
    styles = registry.all("execution_style")
    return {found.name: cast(type[ExecutionStyle], found.cls)() for found in styles}


def made_observers(registry: Registry) -> list[Observer]:
    """Every observer with its default settings."""
    return [cast(type[Observer], found.cls)() for found in registry.all("observer")]


def _both(watch: Watcher | None, observers: Observers) -> Watcher | None:
    """The caller's watcher and, where anybody listens, the past-tense hooks."""
    if not observers.listeners:
        return watch
    if watch is None:
        return observers.notify

    def tell(event: Event, effects: Sequence[Effect]) -> None:
        watch(event, effects)
        observers.notify(event, effects)

    return tell


def _events(markets: Sequence[Market], broker: object, start: Ns) -> Iterable[Event]:
    for market in markets:
        if market.opened > start:
            yield MarketListed(market.opened, market)
    yield from broker.market_events()  # type: ignore[attr-defined]
