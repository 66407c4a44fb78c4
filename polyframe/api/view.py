"""What a strategy, protection, sizer or style can see. Values out, nothing in."""

from __future__ import annotations

import random
from abc import ABC, abstractmethod
from collections.abc import Sequence
from typing import TYPE_CHECKING

from polyframe.domain.book import Book, Quote
from polyframe.domain.forecast import Forecast
from polyframe.domain.market import Group, Market
from polyframe.domain.orders import OrderView
from polyframe.domain.portfolio import Account, Position
from polyframe.domain.units import Money, Ns

if TYPE_CHECKING:
    import numpy as np
    from numpy.typing import NDArray


class View(ABC):
    """One ledger's window on the session at one moment.

    Everything returned is a value: changing it changes nothing. Strategies see their own ledger
    only. Unknown ids raise DataError.
    """

    # Without this an instance would have a __dict__, and whoever holds it could put another
    # ``position`` or ``portfolio`` in front of the true one, before the sizer and the guards look.
    __slots__ = ()

    @property
    @abstractmethod
    def now(self) -> Ns:
        """The session's time, ns UTC. In a backtest this is the data's time."""

    @property
    @abstractmethod
    def ledger(self) -> str:
        """The name of the strategy instance that looks."""

    @property
    @abstractmethod
    def rng(self) -> random.Random:
        """This plugin's own random stream: the same seed gives the same numbers."""

    @abstractmethod
    def markets(self, *, tradable: bool = True) -> Sequence[Market]:
        """The session's markets, those still tradable by default."""

    @abstractmethod
    def market(self, id: str) -> Market:
        """One market, by its id or by the id of one of its tokens."""

    @abstractmethod
    def group(self, id: str) -> Group:
        """One event."""

    @abstractmethod
    def book(self, token: str) -> Quote:
        """Best bid and ask of a token as last seen."""

    @abstractmethod
    def depth(self, token: str) -> Book:
        """The levels known of a token's book, best first: the best prices at least.

        Where the exchange assumes a book behind each price (``market.depth``) its levels stand
        here. A level of size 0 says that an order stands there and nobody said how large.
        """

    @abstractmethod
    def liquidity(self, market: str) -> Money | None:
        """What the venue last said a market can take; None where it said nothing."""

    @abstractmethod
    def position(self, token: str) -> Position:
        """What this ledger holds of a token (zero shares when nothing)."""

    @abstractmethod
    def positions(self) -> Sequence[Position]:
        """All holdings of this ledger with shares."""

    @abstractmethod
    def orders(self, token: str = "") -> Sequence[OrderView]:
        """This ledger's open orders."""

    @abstractmethod
    def worst(self, group: str) -> Money:
        """The least that this ledger's positions and open orders in an event can be worth.

        The minimum over its outcomes, including "none", of the value of all positions plus what
        each open order would make worse if it filled.
        """

    @abstractmethod
    def forecast(self, market: str, forecaster: str = "") -> Forecast | None:
        """The newest forecast received for a market."""

    @abstractmethod
    def portfolio(self) -> Account:
        """This ledger's cash, equity and counts."""

    @abstractmethod
    def seen(self, market: str, *, depth: bool = False) -> NDArray[np.float64]:
        """What a quote kernel sees of a market now; ``polyframe.seen`` names the columns.

        Shapes: (seen.SEEN_SIZE_OF,). With ``depth`` its best levels too.

        Raises:
            DataError: the session has no recorded books.
        """

    @abstractmethod
    def history(self, token: str, n: int) -> NDArray[np.float64]:
        """The last ``n`` mids seen of a token as fractions of 1, oldest first (fewer at the start).

        Shapes: (<= n,). A stretch without a trustworthy price is left out.
        """
