"""Who meets whom: the only place that joins strategies, protections, exchange, data and engine."""

from __future__ import annotations

from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass, field
from typing import cast

from polyframe.api.exchange import Exchange
from polyframe.api.execution import ExecutionStyle
from polyframe.api.exits import Exits
from polyframe.api.forecaster import Forecaster, ForecastSource
from polyframe.api.objective import Observer
from polyframe.api.sizer import Sizer
from polyframe.api.strategy import Strategy
from polyframe.domain.effects import Effect
from polyframe.domain.events import Event, MarketClosed, MarketListed
from polyframe.domain.market import Market
from polyframe.domain.orders import Seal
from polyframe.domain.units import Ns
from polyframe.engine.engine import Engine
from polyframe.engine.risk import Guarded
from polyframe.engine.setup import Player, Setup
from polyframe.errors import ConfigError, PluginError
from polyframe.runtime.asking import ReplayForecasts
from polyframe.runtime.bars import frame_length
from polyframe.runtime.calls import PluginCalls
from polyframe.runtime.config import plugin_config
from polyframe.runtime.contradictions import check_limits
from polyframe.runtime.exits import exits_of
from polyframe.runtime.feed import QuoteRows
from polyframe.runtime.inputs import unchecked
from polyframe.runtime.learning import Learning, learners, past_questions
from polyframe.runtime.observe import Observers
from polyframe.runtime.plugins import Registry
from polyframe.runtime.recorded import Recorded, recorded
from polyframe.runtime.replay import Replay, SimulatedBroker, Watcher
from polyframe.runtime.settings import Config, StrategyUse
from polyframe.runtime.stage import feed_of, set_stage
from polyframe.runtime.uses import SIM, check_guards, guard_settings, inner_first
from polyframe.store.journal import JournalWriter
from polyframe.store.records import RecordLevel

__all__ = ["Recorded", "plugins", "recorded", "replay"]

RECORDED = "Recorded"


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
    guarded, notes = _guarded(config, registry)
    parts = Parts(_players(config, registry), guarded, {}, exchange, notes)
    carried = [check_carried_out(player.strategy) for player in parts.players]
    parts.notes += [note for note in carried if note]
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


MOST_SLIPPAGE = 100.0
UNHEARD = ("on_trade", "on_wallet")
"""Methods that recorded prices and bars never call."""


def check_carried_out(strategy: Strategy) -> str:
    """What of a strategy a replay of prices leaves out, as a note; empty when nothing.

    Raises:
        PluginError: its bars have a length that does not exist, or another attribute is nonsense.
    """
    cls = type(strategy)
    frame_length(strategy)
    _check_attributes(cls)
    unheard = [name for name in UNHEARD if getattr(cls, name) is not getattr(Strategy, name)]
    if not unheard:
        return ""
    return f"recorded prices never call {cls.__name__}.{', '.join(unheard)}"


OTHERS = {
    "stoploss": "stop_loss = 0.2",
    "trailing_stop": "trailing = 0.05",
    "minimal_roi": "take_profit = 0.3",
    "custom_stoploss": "custom_exit",
    "startup_candle_count": "startup_bars = 50",
    "max_open_trades": "max_open = 5",
    "populate_indicators": "features",
    "populate_entry_trend": 'a column "enter" in features',
    "populate_exit_trend": 'a column "exit" in features',
}
"""Names of freqtrade's that would do nothing here, and what does it."""


def _check_attributes(cls: type[Strategy]) -> None:
    foreign = next((name for name in OTHERS if hasattr(cls, name)), "")
    if foreign:
        raise PluginError(
            f"strategy {cls.__name__} has {foreign}, which nothing here reads",
            expected=OTHERS[foreign],
            hint="docs/from-freqtrade.md names what does the same here",
        )
    skipped, slippage = cls.startup_bars, cls.slippage
    if skipped is not None and (type(skipped) is not int or skipped < 0):
        raise PluginError(
            f"strategy {cls.__name__} has startup_bars {skipped!r}",
            expected="a whole number of bars, 0 or more",
            hint=f"write in class {cls.__name__}: startup_bars = 50",
        )
    if type(slippage) not in (int, float) or not 0.0 <= slippage <= MOST_SLIPPAGE:
        raise PluginError(
            f"strategy {cls.__name__} has slippage {slippage!r}",
            expected=f"a number of 0 or more, as a fraction of 1; {MOST_SLIPPAGE:g} is no limit",
            hint=f"write in class {cls.__name__}: slippage = 0.02",
        )


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
        exits = exits_of(strategy, use.exits, f"strategies[{i}].exits")
        _check_thesis(exits, use, config)
        cash = allocations[use.ledger]
        styles = _own_style(use, registry, f"strategies[{i}].style.config")
        style = next(iter(styles), "")
        players.append(Player(use.ledger, strategy, sizer, cash, style, exits, styles))
    return players


def _own_style(use: StrategyUse, registry: Registry, path: str) -> dict[str, ExecutionStyle]:
    """A strategy's execution style by its name, with its settings; empty when it names none."""
    if use.style is None:
        return {}
    cls: type[ExecutionStyle] = registry.get("execution_style", use.style.use)
    return {use.style.use: cls(plugin_config(cls, use.style.config, path))}


def _check_thesis(exits: Exits, use: StrategyUse, config: Config) -> None:
    """Refuses a thesis that nobody could state.

    Raises:
        ConfigError: naming the strategy and the forecasters there are.
    """
    if exits.belief is None:
        return
    name = exits.belief.forecaster
    if not config.forecasters or (name and name not in config.forecasters):
        known = ", ".join(config.forecasters) or "none"
        raise ConfigError(
            f"strategy {use.ledger} exits on a thesis of forecaster {name or 'default'!r}",
            expected=f"one of the forecasters there are: {known}",
            hint="polyframe config show",
        )


def _without(left_out: Sequence[str], kept: Sequence[str]) -> str:
    """Which default guards are off, in the fewer words."""
    if len(left_out) > len(kept):
        return f"default guards left out but for {', '.join(kept)}"
    return f"guards left out: {', '.join(left_out)}"


def _guarded(config: Config, registry: Registry) -> tuple[list[Guarded], list[str]]:
    """The protections in force, and what a report should say about them."""
    check_guards(config)
    settings = guard_settings(config, registry)
    notes = check_limits(config, settings, registry)
    if config.left_out():
        notes.insert(0, _without(config.left_out(), [placed.use.use for placed, _ in settings]))
    guarded = [
        Guarded(
            registry.get("protection", placed.use.use)(found),
            None if placed.use.general else tuple(placed.use.ledgers),
        )
        for placed, found in settings
    ]
    # General settings first, so that those for one strategy stand over them.
    return sorted(guarded, key=lambda item: item.ledgers is not None), notes


@dataclass
class Session:
    """A replay that is ready to run, and what a report needs to know of it."""

    engine: Engine
    replay: Replay
    broker: SimulatedBroker
    parts: Parts
    markets: Sequence[Market]
    quotes: QuoteRows | None
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
    tables: bool = False,
) -> Session:
    """Builds a backtest over recorded data on the simulated exchange.

    With ``tables`` the caller reads what a compiled run did from its feed, and ``watch`` is not
    told of it step by step.
    """
    parts = plugins(config, registry, data.forecasts)
    parts.notes += unchecked(parts.guarded, data.inputs, forecasted=bool(parts.forecasters))
    seal = Seal()
    calls = PluginCalls(sum(len(market.tokens) for market in data.markets))
    markets = [parts.exchange.rules(market) for market in data.markets]
    stage = set_stage(config, parts.exchange, parts.players, markets, data, seal, calls)
    broker, start = stage.broker, stage.start
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
            estimated_quotes=data.tape is None,
            stop_on_guard_error=True,
            inputs=data.inputs,
            start=start,
        )
    )
    observers = Observers(registry, made_observers(registry), calls=calls)
    forecasts = _answering(config, parts, markets, data, calls)
    feed, path = feed_of(config, engine, stage, parts.players, data)
    parts.notes += [path] if path else []
    driver = Replay(
        engine,
        feed,
        broker,
        forecasts,
        journal,
        events=[*_events(markets, broker, start, feed.last, data), *stage.closings],
        watch=_both(watch, observers),
        told=_told(journal, observers, None if tables else watch),
        unheard=not observers.listeners and (tables or watch is None),
    )
    return Session(engine, driver, broker, parts, markets, stage.rows, calls)


def _answering(
    config: Config,
    parts: Parts,
    markets: Sequence[Market],
    data: Recorded,
    calls: PluginCalls,
) -> ReplayForecasts:
    """Who answers requests for forecasts, and learns before it does."""
    learn = bool(learners(parts.forecasters))
    history = past_questions(markets, data.resolutions, data.forecasts) if learn else ()
    return ReplayForecasts(
        parts.forecasters,
        calls,
        missing=config.backtest.missing,
        before=Learning(parts.forecasters, history, calls).catch_up,
    )


def made_styles(registry: Registry) -> dict[str, ExecutionStyle]:
    """Every execution style with its default settings."""
    styles = registry.all("execution_style")
    return {found.name: cast(type[ExecutionStyle], found.cls)() for found in styles}


def made_observers(registry: Registry) -> list[Observer]:
    """Every observer with its default settings."""
    return [cast(type[Observer], found.cls)() for found in registry.all("observer")]


def _told(journal: JournalWriter, observers: Observers, watch: Watcher | None) -> Watcher | None:
    """Who wants to hear of steps that a compiled loop carried out; None when nobody does."""
    if journal.level is RecordLevel.NONE and not observers.listeners and watch is None:
        return None

    def tell(event: Event, effects: Sequence[Effect]) -> None:
        journal.step(event, effects)
        if observers.listeners:
            observers.notify(event, effects)
        if watch is not None:
            watch(event, effects)

    return tell


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


def _events(
    markets: Sequence[Market], broker: object, start: Ns, last: Ns, data: Recorded
) -> Iterable[Event]:
    """What happens to markets within the period.

    An end of trading after the last price changes nothing, unless its outcome is on record: nobody
    could trade before it either.
    """
    for market in markets:
        if market.opened > start:
            yield MarketListed(market.opened, market)
    for event in broker.market_events():  # type: ignore[attr-defined]
        late = event.ts > last and isinstance(event, MarketClosed)
        if late and event.market not in data.resolutions:
            continue
        if data.end is None or event.ts < data.end:
            yield event
