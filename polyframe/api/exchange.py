"""The exchange port: rules, data and orders of one venue."""

from __future__ import annotations

from collections.abc import AsyncIterator, Callable, Iterable, Sequence
from typing import Any, Protocol, runtime_checkable

from polyframe.api.plugin import Plugin
from polyframe.api.subscription import Subscription
from polyframe.domain.events import Event
from polyframe.domain.market import Market
from polyframe.domain.orders import ApprovedOrder
from polyframe.domain.units import Ns, Size


class Broker(Protocol):
    """Carries out what the engine decided. Answers come back as events, never as return values."""

    def submit(self, approved: ApprovedOrder, now: Ns) -> None:
        """Send an order.

        Raises:
            InvariantError: the order carries no seal of this session's risk door.
        """

    def cancel(self, order: str, now: Ns) -> None:
        """Ask for a cancel."""

    def split(self, ledger: str, market: str, size: Size, now: Ns) -> None:
        """Money into pairs."""

    def merge(self, ledger: str, market: str, size: Size, now: Ns) -> None:
        """Pairs into money."""

    def redeem(self, ledger: str, market: str, token: str, size: Size, now: Ns) -> None:
        """Collect a payout."""


@runtime_checkable
class Clocked(Protocol):
    """A simulated part that has its own queue of future events."""

    def due(self) -> Ns | None:
        """When its next event is, None when it has none."""

    def take(self, now: Ns) -> Iterable[Event]:
        """Removes and returns its events up to and including ``now``, oldest first."""


class Announcing(Protocol):
    """A live part that tells what happens when it happens."""

    def listen(self, deliver: Callable[[Event], None]) -> None:
        """Events go to ``deliver`` from now on, called in the session's event loop."""


class Feed(Protocol):
    """Live data as events."""

    def events(self) -> AsyncIterator[Event]:
        """Market data, in the order in which we learn of it."""


class Exchange(Plugin):
    """One venue. Its broker takes only orders with the seal it was built with."""

    def rules(self, market: Market) -> Market:
        """The market with this venue's current tick, minimum size and fees."""
        return market

    def markets(self, query: Any = None) -> Sequence[Market]:
        """Markets that the venue lists."""
        raise NotImplementedError

    def feed(self, subscription: Subscription) -> Feed:
        """Live data."""
        raise NotImplementedError

    def broker(self, **connections: Any) -> Broker:
        """The way to send orders."""
        raise NotImplementedError
