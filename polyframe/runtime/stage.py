"""What a replay plays on: recorded books or prices, the venue over them, and the feed."""

from __future__ import annotations

from collections.abc import Sequence
from typing import Any, NamedTuple

from polyframe.domain.events import Event
from polyframe.domain.market import Market
from polyframe.domain.orders import Seal
from polyframe.domain.units import Ns
from polyframe.engine.engine import Engine
from polyframe.engine.setup import Player
from polyframe.runtime.barfeed import BarFeed, BarRows
from polyframe.runtime.bars import playable
from polyframe.runtime.calls import PluginCalls
from polyframe.runtime.compiled import CompiledFeed, why_not
from polyframe.runtime.feed import QuoteFeed, QuoteRows
from polyframe.runtime.recorded import Recorded
from polyframe.runtime.settings import Config
from polyframe.runtime.tape_choice import tape_feed


class Stage(NamedTuple):
    """What a session plays on: its broker, first moment, rows (None: a tape) and last sales."""

    broker: Any
    start: Ns
    rows: QuoteRows | None
    closings: Sequence[Event]


def set_stage(
    config: Config, exchange: Any, players: Sequence[Player], markets: Sequence[Market],
    data: Recorded, seal: Seal, calls: PluginCalls,
) -> Stage:  # fmt: skip
    """A broker over recorded books or prices, and the rows there are."""
    if data.tape is not None:
        broker = exchange.tape_broker(
            seal, markets, data.resolutions, ticks=data.tape.ticks(markets),
            centres=data.tape.centres(markets),
        )  # fmt: skip
        return Stage(broker, data.tape.start, None, ())
    play = playable(
        exchange, markets, data, {player.name: player.strategy for player in players}, calls,
        close_at_end=config.backtest.close_at_end,
    )  # fmt: skip
    # The venue has its own rows of each market then; those of all are a fifth of a large run.
    broker = exchange.broker(
        seal=seal, markets=markets, quotes=play.executed, resolutions=data.resolutions
    )
    return Stage(broker, play.start, play.rows, play.closings)


def feed_of(
    config: Config, engine: Engine, stage: Stage, players: list[Player], data: Recorded
) -> tuple[QuoteFeed, str]:
    """The feed, and for bars which way they go and why not the compiled one."""
    rows, broker = stage.rows, stage.broker
    if data.tape is not None:
        tape, markets = data.tape, engine.context.universe.markets
        tokens = tape.tokens(markets)
        return tape_feed(config, engine, tape, broker, tokens, players)
    assert rows is not None
    if not isinstance(rows, BarRows):
        return QuoteFeed(engine, rows), ""
    flat = broker.flat()
    reason = why_not(players, engine, rows, flat)
    if config.backtest.path == "python":
        reason = "backtest.path says so"
    if reason:
        return BarFeed(engine, rows), f"bars went through the engine step by step: {reason}"
    feed = CompiledFeed(engine, rows, flat, players[0], broker)
    return feed, "bars were played in compiled code"
