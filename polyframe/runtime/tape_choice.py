"""Which way a tape is played, and why."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from typing import Any

from polyframe.api.plugin import NoState
from polyframe.api.protection import Protection
from polyframe.api.quoting import Quoter
from polyframe.api.strategy import Strategy
from polyframe.api.subscription import Answered, Ended, Every, Subscription, Traded, Wallets
from polyframe.engine.engine import Engine
from polyframe.engine.setup import Player
from polyframe.kernels import guards_nb as g
from polyframe.kernels import l2rows_nb as rw
from polyframe.kernels.barmatch_nb import R_RATE
from polyframe.runtime.settings import Config
from polyframe.runtime.tape_compiled import CompiledTapeFeed, exits_of
from polyframe.runtime.tape_data import Played
from polyframe.runtime.tape_feed import TapeFeed
from polyframe.runtime.tape_hosted import HostedTapeFeed
from polyframe.store.tape import Tape

OWN = ("on_start", "on_wake", "on_fill")
"""Methods that a quoting strategy has from its base."""
UNHEARD: dict[type, str] = {
    Wallets: "follows wallets",
    Answered: "is woken by answers",
    Ended: "is woken at the end",
}
"""Wakes that the loop leaves to the engine."""


def why_not_compiled(players: Sequence[Player], engine: Engine, venue: Any) -> str:
    """Why a run goes through the engine step by step, empty when it can be compiled."""
    if len(players) != 1:
        return f"{len(players)} strategies run together"
    player, door = players[0], engine.parts.door
    if why := _leaves_loop(player, engine):
        return f"{type(player.strategy).__name__} {why}"
    if not door.compiled:
        name = type(door.guards.owned[0].protection).__name__
        return f"protection {name} has no compiled guard"
    if (door.limits[:, g.L_DRAWDOWN_FLATTEN] == 1).any():
        name = door.guards.name_of("drawdown_kill")
        return f"{name} sells what is held"
    if any(type(p).observe is not Protection.observe for p in engine.parts.protections):
        return "a protection observes events"
    if player.style:
        return f"orders are carried out by {player.style}"
    if (venue.rules[:, R_RATE] < 0).any():
        return "a market's fee does not fit 64 bits"
    if any(len(market.tokens) > 2 for market in engine.context.universe.markets):
        return "a market has more than two tokens"
    return ""


def _leaves_loop(player: Player, engine: Engine) -> str:
    """What a strategy does that the loop leaves to the engine, empty when there is nothing."""
    strategy, cls = player.strategy, type(player.strategy)
    if not isinstance(strategy, Quoter) and not cls.quotes_only:
        return "decides in Python, and not by quotes alone"
    if own := _deciding(cls):
        return f"decides in {', '.join(own)}"
    if isinstance(strategy, Quoter) and strategy.merges:
        return "merges pairs"
    if not isinstance(strategy, Quoter) and cls.State is not NoState:
        return "keeps a state"
    if exits_of(player).selling or cls.custom_exit is not Strategy.custom_exit:
        return "declares exits"
    return _unheard(strategy.subscribe(engine.context.universe.markets))


def _deciding(cls: type[Strategy]) -> list[str]:
    """The methods in which a strategy decides that the loop does not call."""
    named = [name for name in dir(Strategy) if name.startswith("on_")]
    if not issubclass(cls, Quoter):
        return [n for n in named if n != "on_wake" and getattr(cls, n) is not getattr(Strategy, n)]
    base = {name: getattr(Quoter if name in OWN else Strategy, name) for name in named}
    return [name for name in named if getattr(cls, name) is not base[name]]


def _unheard(subscription: Subscription) -> str:
    """What of a subscription the loop does not hear, empty when it hears all."""
    wakes = [type(wake) for wake in subscription.wake]
    for kind, words in UNHEARD.items():
        if kind in wakes:
            return words
    return "has more than one clock" if wakes.count(Every) > 1 else ""


def _torn(tape: Tape, player: Player, engine: Engine) -> bool:
    """True when trades wake a strategy and a segment ends in the middle of an update."""
    wakes = player.strategy.subscribe(engine.context.universe.markets).wake
    if not any(isinstance(wake, Traded) for wake in wakes):
        return False
    return any(segment["flag"][-1] & rw.MORE for segment in tape.segments if segment.rows)


def tape_feed(
    config: Config, engine: Engine, played: Played, broker: Any, tokens: Mapping[str, int],
    players: Sequence[Player],
) -> tuple[TapeFeed, str]:  # fmt: skip
    """The feed of a tape, and which way it goes and why not the compiled one."""
    reason = why_not_compiled(players, engine, broker.venue)
    if not reason and _torn(played.tape, players[0], engine):
        reason = "an update with trades goes on in the next segment"
    if config.backtest.record == "all":
        reason = "backtest.record all keeps every wake"
    if config.backtest.path == "python":
        reason = "backtest.path says so"
    if reason:
        feed = TapeFeed(engine, played.tape, broker.venue, tokens, played.start, played.end)
        return feed, f"the tape went through the engine step by step: {reason}"
    hosted = not isinstance(players[0].strategy, Quoter)
    way = HostedTapeFeed if hosted else CompiledTapeFeed
    feed = way(engine, played.tape, broker, tokens, players[0], played.start, played.end)
    between = f" between the wakes of {type(players[0].strategy).__name__}" if hosted else ""
    return feed, f"the tape was played in compiled code{between}"
