"""Strategies that quote: one small function decides, in machine code, what should rest.

::

    from polyframe import Quoter, quote_kernel, seen


    @quote_kernel
    def around_the_mid(sight, own, parameters, wanted):
        if sight[seen.BID] <= 0.0 or sight[seen.ASK] <= 0.0:
            return 0
        mid = 0.5 * (sight[seen.BID] + sight[seen.ASK])
        wanted[0, seen.W_OUTCOME], wanted[0, seen.W_SIDE] = 0, 1
        wanted[0, seen.W_PRICE], wanted[0, seen.W_SIZE] = mid - parameters[0], 50.0
        return 1


    class AroundTheMid(Quoter):
        quote = around_the_mid

A backtest then runs in compiled code from end to end; live and under protections that have no
kernel the same function is called wake by wake.
"""

from __future__ import annotations

from collections.abc import Callable, Iterable, Sequence
from inspect import CO_GENERATOR, CO_VARARGS, CO_VARKEYWORDS
from typing import TYPE_CHECKING, Any, ClassVar

import msgspec

from polyframe.api.strategy import Strategy
from polyframe.api.subscription import Data, Every, Moved, Subscription
from polyframe.api.view import View
from polyframe.domain.effects import FillBooked
from polyframe.domain.events import SessionStarted, TimerFired, Woken
from polyframe.domain.market import Market
from polyframe.domain.units import MILLISECOND, Ns
from polyframe.domain.wishes import AskForecast, MergePairs, QuoteLevel, Quotes, WakeAt, Wish
from polyframe.errors import PluginError
from polyframe.kernels import seencolumns_nb as columns

if TYPE_CHECKING:
    from numpy.typing import NDArray


UNFIT = CO_VARARGS | CO_VARKEYWORDS | CO_GENERATOR
"""what a function that is called from machine code cannot be"""
FORECASTS = "forecasts"
"""the timer at which a quoting strategy asks for forecasts anew"""


class Compilable:
    """A plain function that is compiled when it is first needed. It can be called as it is."""

    def __init__(self, function: Callable[..., Any], *, quotes: bool) -> None:
        self.function = function
        self.quotes = quotes
        self.__doc__ = function.__doc__
        self.__name__ = function.__name__

    def __call__(self, *args: Any) -> Any:
        """What the plain function gives."""
        return self.function(*args)

    def compiled(self) -> Any:
        """Its machine code.

        Raises:
            PluginError: it uses something that cannot be compiled.
        """
        from polyframe.kernels.quoting_nb import compiled  # noqa: PLC0415 - pulls numba

        return compiled(self.function, Compilable, quotes=self.quotes)


def quote_kernel(function: Callable[..., Any]) -> Compilable:
    """Marks the function with which a :class:`Quoter` decides.

    It is called as ``function(sight, own, parameters, wanted)``: what it sees of one market, its
    own memory of that market, its parameters, and the rows to fill; it returns how many quotes it
    wants, or ``seen.LEAVE`` to leave what rests. ``seen`` names the columns.

    Raises:
        PluginError: the function has other arguments.
    """
    code = function.__code__
    if code.co_argcount != 4 or code.co_kwonlyargcount or code.co_flags & UNFIT:
        raise PluginError(
            f"{function.__name__} takes other arguments than a quote kernel",
            expected=f"def {function.__name__}(sight, own, parameters, wanted), which returns how "
            "many quotes it wants",
            hint=f"see {code.co_filename}, line {code.co_firstlineno}",
        )
    return Compilable(function, quotes=True)


def compilable(function: Callable[..., Any]) -> Compilable:
    """Marks a function that a quote kernel calls."""
    return Compilable(function, quotes=False)


class Memory(msgspec.Struct):
    """What a quoting strategy remembers: the kernel's own numbers of each market."""

    own: dict[str, bytes] = {}


class Quoter(Strategy):
    """Keeps quotes resting as its ``quote`` kernel wants them.

    Woken every ``refresh`` and when a best price moved by ``move`` ticks (0: never for that); with
    ``on_own_fill`` also when an own order filled.
    """

    books: ClassVar[bool] = True
    quote: ClassVar[Compilable | None] = None
    refresh: ClassVar[Ns] = 500 * MILLISECOND
    move: ClassVar[int] = 0
    on_own_fill: ClassVar[bool] = False
    depth: ClassVar[bool] = False
    """True: the kernel sees the best five levels of both sides"""
    quote_ttl: ClassVar[Ns] = 0
    post_only: ClassVar[bool] = True
    merges: ClassVar[bool] = False
    """True: pairs of both outcomes become money as soon as an order's least size of them is held"""

    forecast_every: ClassVar[Ns] = 0
    """how often a forecast of every market is asked for, 0: never; the kernel sees the newest"""
    forecaster: ClassVar[str] = ""
    """whose, empty: the configuration's first"""

    State: ClassVar[type[msgspec.Struct]] = Memory
    state: Memory

    def parameters(self) -> Sequence[float]:
        """What the kernel gets as its parameters: by default every number of the settings."""
        values = self.config.model_dump().values()
        return [float(value) for value in values if isinstance(value, int | float)]

    def silent(self, market: Market, own: Sequence[float]) -> str:
        """Why it never quoted a market, by what its kernel remembers of it; "" for no idea.

        A backtest asks at its end, for the note that says so.
        """
        return ""

    def subscribe(self, markets: Sequence[Market]) -> Subscription:
        """Books of all markets."""
        wakes: tuple[Every | Moved, ...] = (Every(self.refresh),) if self.refresh else ()
        if self.move:
            wakes = (*wakes, Moved(self.move))
        return Subscription(data=frozenset({Data.L2}), wake=wakes)

    def on_start(self, event: SessionStarted, view: View) -> Iterable[Wish]:
        """Asks for forecasts, where they are wanted."""
        return self._asked(view)

    def on_wake(self, event: TimerFired | Woken, view: View) -> Iterable[Wish]:
        """Asks the kernel about the market that moved, or about all."""
        if isinstance(event, TimerFired) and event.key == FORECASTS:
            return self._asked(view)
        if isinstance(event, Woken) and event.token:
            market = view.market(event.token)
            return self._wanted([market], view)
        return self._wanted(view.markets(), view)

    def on_fill(self, event: FillBooked, view: View) -> Iterable[Wish]:
        """Asks the kernel anew about the market in which an own order filled."""
        if not self.on_own_fill:
            return ()
        return self._wanted([view.market(event.fill.market)], view)

    def _asked(self, view: View) -> list[Wish]:
        if not self.forecast_every:
            return []
        asked: list[Wish] = [AskForecast(market.id, self.forecaster) for market in view.markets()]
        return [*asked, WakeAt(view.now + self.forecast_every, FORECASTS)]

    def _wanted(self, markets: Sequence[Market], view: View) -> list[Wish]:
        import numpy as np  # noqa: PLC0415 - with the kernels

        kernel, check, read = self._compiled()
        parameters = np.array(self.parameters(), np.float64)
        wanted = np.zeros((columns.MOST_QUOTES, columns.WANTED_SIZE_OF))
        whole = np.zeros((columns.MOST_QUOTES, 3), np.int64)
        wishes: list[Wish] = []
        tradable = {market.id for market in view.markets()}
        for market in markets:
            if market.id not in tradable:
                continue
            if self.merges and market.binary:
                held = min(view.position(token.id).shares for token in market.tokens)
                if held >= market.min_size:
                    wishes.append(MergePairs(market.id))
            own = self._own(market.id)
            n = int(kernel(view.seen(market.id, depth=self.depth), own, parameters, wanted))
            self.state.own[market.id] = own.tobytes()
            if n <= columns.LEAVE:
                continue
            check(wanted, n, len(market.tokens))
            for outcome, token in enumerate(market.tokens[:2]):
                found = read(wanted, n, outcome, market.price_one, 10**market.size_decimals, whole)
                rows = whole[:found].tolist()
                bids, asks = (
                    tuple(QuoteLevel(price, size) for way, price, size in rows if way == side)
                    for side in (1, -1)
                )
                wishes.append(
                    Quotes(token=token.id, bids=bids, asks=asks, ttl=self.quote_ttl,
                           post_only=self.post_only)
                )  # fmt: skip
        return wishes

    def _own(self, market: str) -> NDArray[Any]:
        import numpy as np  # noqa: PLC0415 - with the kernels

        saved = self.state.own.get(market)
        if saved is None:
            return np.zeros(columns.OWN_SIZE_OF)
        return np.frombuffer(saved, np.float64).copy()

    def _compiled(self) -> tuple[Any, Any, Any]:
        from polyframe.kernels.seen_nb import check, read  # noqa: PLC0415 - pulls numba

        return kernel_of(self), check, read


def kernel_of(strategy: Quoter) -> Any:
    """The machine code of a quoting strategy's kernel.

    Raises:
        PluginError: it has none, or it cannot be compiled.
    """
    found = type(strategy).quote
    if not isinstance(found, Compilable) or not found.quotes:
        raise PluginError(
            f"strategy {type(strategy).__name__} has no quote kernel",
            expected="quote = a function marked with @quote_kernel",
        )
    return found.compiled()
