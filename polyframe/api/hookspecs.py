"""The hooks. ``register_*`` answer once at boot; past-tense ones observe after a step.

No hook is called per market event: the ports are bound once at boot and called as methods.

A drop-in file needs none of this: a class derived from a port is registered as it is.
"""

from __future__ import annotations

from collections.abc import Iterable

import pluggy

from polyframe.api.exchange import Exchange
from polyframe.api.execution import ExecutionStyle
from polyframe.api.forecaster import Forecaster
from polyframe.api.market_filter import MarketFilter
from polyframe.api.objective import Objective, Observer, Searcher
from polyframe.api.protection import Protection
from polyframe.api.sizer import Sizer
from polyframe.api.strategy import Strategy
from polyframe.domain.effects import (
    FillBooked,
    OrderChanged,
    OrderReviewed,
    PositionSettled,
    TradingHalted,
)
from polyframe.domain.events import ForecastMade, SessionEnded, SessionStarted

hookspec = pluggy.HookspecMarker("polyframe")
hookimpl = pluggy.HookimplMarker("polyframe")


# ---- registration, once at boot ----------------------------------------------------------------


@hookspec
def register_strategies() -> Iterable[type[Strategy]]:
    """Strategy classes. A class's name is what a user types."""
    return ()


@hookspec
def register_forecasters() -> Iterable[type[Forecaster]]:
    """Forecaster classes."""
    return ()


@hookspec
def register_protections() -> Iterable[type[Protection]]:
    """Protection classes."""
    return ()


@hookspec
def register_exchanges() -> Iterable[type[Exchange]]:
    """Exchange classes."""
    return ()


@hookspec
def register_sizers() -> Iterable[type[Sizer]]:
    """Sizer classes."""
    return ()


@hookspec
def register_market_filters() -> Iterable[type[MarketFilter]]:
    """Market filter classes."""
    return ()


@hookspec
def register_execution_styles() -> Iterable[type[ExecutionStyle]]:
    """Execution style classes."""
    return ()


@hookspec
def register_searchers() -> Iterable[type[Searcher]]:
    """Searcher classes."""
    return ()


@hookspec
def register_objectives() -> Iterable[type[Objective]]:
    """Hyperopt objective classes."""
    return ()


@hookspec
def register_observers() -> Iterable[type[Observer]]:
    """Observer classes; their past-tense methods are called after each step."""
    return ()


# ---- observation, after the step; isolated and time-boxed ------------------------------------


@hookspec
def session_started(event: SessionStarted) -> None:
    """The session began."""


@hookspec
def forecast_made(event: ForecastMade) -> None:
    """A forecaster answered."""


@hookspec
def order_reviewed(effect: OrderReviewed) -> None:
    """The risk door ruled on an intent."""


@hookspec
def order_changed(effect: OrderChanged) -> None:
    """An own order went to another state."""


@hookspec
def fill_booked(effect: FillBooked) -> None:
    """An execution is in the books."""


@hookspec
def market_resolved(effect: PositionSettled) -> None:
    """A market in which we held shares was settled."""


@hookspec
def trading_halted(effect: TradingHalted) -> None:
    """New exposure is blocked."""


@hookspec
def session_ended(event: SessionEnded) -> None:
    """The session ended."""
