"""The strategy port."""

from __future__ import annotations

from collections.abc import Iterable, Sequence
from typing import TYPE_CHECKING, ClassVar

import msgspec

from polyframe.api.exits import Exit, Exits, Ladder, PortfolioTrailing, Thesis, Trailing
from polyframe.api.plugin import NoState, Plugin
from polyframe.api.subscription import Subscription
from polyframe.api.view import View
from polyframe.domain.effects import FillBooked, PositionSettled, TradingHalted
from polyframe.domain.events import (
    BarClosed,
    BookUpdated,
    ForecastFailed,
    ForecastMade,
    SessionStarted,
    TimerFired,
    TradePrinted,
    WalletTraded,
    Woken,
)
from polyframe.domain.market import Market
from polyframe.domain.portfolio import Position
from polyframe.domain.units import Ns
from polyframe.domain.wishes import Wish

if TYPE_CHECKING:
    from pandas import DataFrame


class Strategy(Plugin):
    """Decides what it wants; never how it gets there.

    Every method has a do-nothing body: write only those you need. They are plain functions, called
    with an event and a :class:`View`, and return or yield wishes (at most 1,000 a call). The same
    object runs in a backtest, on paper and live.

    All mutable state lives in ``self.state``, an instance of the class's ``State``: checkpoints
    save it, nothing else survives a restart.
    """

    State: ClassVar[type[msgspec.Struct]] = NoState
    state: msgspec.Struct

    books: ClassVar[bool] = False
    """True: plays recorded books and trades (a tape) instead of recorded prices"""
    quotes_only: ClassVar[bool] = False
    """True: it yields :class:`Quotes` and nothing else; a tape is then played in compiled code
    between its wakes"""
    timeframe: ClassVar[str] = ""
    """length of the bars that ``features`` and ``on_bar`` get: 1m, 5m, 1h, 1d"""
    slippage: ClassVar[float] = 0.02
    """how far beyond the best price at the bar's close an entry may execute, as a fraction of 1"""

    exits: ClassVar[Exits | None] = None
    """all exits in one; the attributes below stand over it"""
    stop_loss: ClassVar[float | None] = None
    """sell at this loss, a part of the average cost"""
    take_profit: ClassVar[float | Ladder | None] = None
    """sell at this gain, or parts at several: ((0.15, 0.5), (0.30, 0.5))"""
    trailing: ClassVar[float | Trailing | None] = None
    """sell when the gain has fallen so far from its best"""
    breakeven: ClassVar[float | None] = None
    """after this gain sell before it becomes a loss"""
    max_holding: ClassVar[Ns | Ladder | None] = None
    """sell after so long, or parts after several times"""
    near_resolution: ClassVar[Ns | None] = None
    """sell so long before the market closes"""
    thesis: ClassVar[bool | Thesis | None] = None
    """sell when the newest forecast says that the shares are worth less than they bring"""
    portfolio_trailing: ClassVar[bool | PortfolioTrailing | None] = None
    """sell everything when a recovery of all positions together ends"""
    max_open: ClassVar[int | None] = None
    """at most so many markets with a position or an entry"""
    position_adjustment: ClassVar[bool | None] = None
    """False: no further entry in a market that is held"""
    startup_bars: ClassVar[int | None] = None
    """a market's first bars up to this number give no signal"""

    def subscribe(self, markets: Sequence[Market]) -> Subscription:
        """What to listen to and when to wake. Default: prices of all markets, never woken."""
        return Subscription()

    def features(self, bars: DataFrame) -> DataFrame:
        """Adds columns to one market's bars, vectorised and causal: no row knows later ones.

        ``bars`` has the columns open, high, low, close (fractions of 1, of YES) and volume
        (shares), one row a bar, indexed by the bar's last moment (UTC). Reserved names: ``enter``,
        ``exit`` and ``wake`` (bool), ``probability`` and ``edge`` (float, NaN for none).
        """
        return bars

    def on_start(self, event: SessionStarted, view: View) -> Iterable[Wish]:
        """The session begins."""
        return ()

    def on_bar(self, event: BarClosed, view: View) -> Iterable[Wish]:
        """A bar ended: one with ``wake``, or any where features add no reserved column."""
        return ()

    def on_book(self, event: BookUpdated, view: View) -> Iterable[Wish]:
        """A best price changed."""
        return ()

    def on_trade(self, event: TradePrinted, view: View) -> Iterable[Wish]:
        """Somebody traded."""
        return ()

    def on_wallet(self, event: WalletTraded, view: View) -> Iterable[Wish]:
        """A followed wallet changed a position."""
        return ()

    def on_forecast(self, event: ForecastMade | ForecastFailed, view: View) -> Iterable[Wish]:
        """A forecast that was asked for arrived, or could not be had."""
        return ()

    def on_fill(self, event: FillBooked, view: View) -> Iterable[Wish]:
        """An own order executed."""
        return ()

    def on_wake(self, event: TimerFired | Woken, view: View) -> Iterable[Wish]:
        """A timer fired or a wake condition held."""
        return ()

    def on_resolved(self, event: PositionSettled, view: View) -> Iterable[Wish]:
        """A market in which this ledger held shares was settled."""
        return ()

    def custom_exit(self, position: Position, view: View) -> str | Exit | None:
        """Why to sell a position, or which part of it; None to keep it.

        Called for each held token before each wake of the strategy; for one that is not woken by
        prices, on every change of the token's bid.
        """
        return None

    def on_halt(self, event: TradingHalted, view: View) -> Iterable[Wish]:
        """Trading was halted."""
        return ()
