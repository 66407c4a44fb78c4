"""What a session is made of, and its working parts."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from typing import Any

import msgspec

from polyframe.api.execution import ExecutionStyle
from polyframe.api.exits import Exits
from polyframe.api.protection import Protection
from polyframe.api.sizer import Sizer
from polyframe.api.strategy import Strategy
from polyframe.domain.market import Group, Market
from polyframe.domain.orders import Seal
from polyframe.domain.units import Money, Ns
from polyframe.engine.context import Bound, Context
from polyframe.engine.execution import Execution
from polyframe.engine.floors import Floors
from polyframe.engine.forecasting import ForecastDesk
from polyframe.engine.markets import Lifecycle
from polyframe.engine.orders import OrderDesk
from polyframe.engine.quotes import QuoteDesk
from polyframe.engine.risk import Guarded
from polyframe.engine.vectors import INPUTS

ACCOUNT = "account"


class Player(msgspec.Struct, frozen=True):
    """One strategy instance of a session: its name is its ledger's."""

    name: str
    strategy: Strategy
    sizer: Sizer
    cash: Money
    style: str = ""
    """carries out the orders that leave open how"""
    exits: Exits | None = None
    """what counts instead of what the strategy declares"""
    styles: Mapping[str, ExecutionStyle] = {}
    """styles with settings of its own, in place of the session's"""


class Setup(msgspec.Struct, frozen=True, kw_only=True):
    """All that a session is made of. ``disable_on_error`` is live's way; a backtest stops."""

    session: str
    seed: int
    markets: Sequence[Market]
    groups: Sequence[Group] = ()
    players: Sequence[Player]
    guarded: Sequence[Guarded] = ()
    styles: Mapping[str, ExecutionStyle] = {}
    calls: Any
    seal: Seal
    default_forecaster: str = "default"
    disable_on_error: bool = False
    estimated_quotes: bool = False
    stop_on_guard_error: bool = False
    """a backtest says that a guard is broken; live it denies and goes on"""
    inputs: frozenset[str] = frozenset(INPUTS)
    """what the session's data can tell at all; a guard that needs anything else lets orders pass"""
    start: Ns = 2**62
    """markets that open later are unknown until they are listed"""


class Parts:
    """The working parts of one engine, as its other modules need them."""

    def __init__(
        self,
        setup: Setup,
        context: Context,
        desk: OrderDesk,
        forecasts: ForecastDesk,
        execution: Execution,
        bound: list[Bound],
    ) -> None:
        self.setup = setup
        self.context = context
        self.state = context.state
        self.door = context.door
        self.desk = desk
        self.quotes = QuoteDesk(context, desk)
        self.life = Lifecycle(context)
        self.forecasts = forecasts
        self.execution = execution
        self.bound = bound
        self.timers: dict[tuple[str, str], Ns] = execution.timers
        self.floors = Floors(context.state, context.door)
        self.day = -1

    @property
    def protections(self) -> list[Protection]:
        """Every protection instance of the session."""
        return [item.protection for item in self.setup.guarded]

    def named(self, ledger: str) -> Bound:
        """The strategy that owns a ledger."""
        return self.bound[self.state.ledger_index[ledger]]
