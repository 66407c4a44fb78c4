"""The history as an indexer writes it: when things have happened, or some time later."""

from __future__ import annotations

from collections import deque
from collections.abc import Callable
from typing import Any

from polyframe.sandbox.venue.clock import Clock
from polyframe.sandbox.venue.history import History
from polyframe.sandbox.venue.market import Market
from polyframe.sandbox.venue.records import Trade

Write = Callable[..., None]


class Indexer(History):
    """Writes rows in the order in which things happened, each when ``delay`` has passed.

    A late row has the time at which it happened. What it leads to is late with it: positions,
    holders, profits, volumes.
    """

    __slots__ = ("_clock", "_late", "delay")

    def __init__(
        self, clock: Clock, tokens: dict[str, tuple[Market, int]], markets: dict[str, Market],
        kept: int,
    ) -> None:  # fmt: skip
        super().__init__(tokens, markets, kept)
        self._clock = clock
        self._late: deque[tuple[int, Write, tuple[Any, ...]]] = deque()
        self.delay: Callable[[], int] | None = None
        """ns that the next row is late; None for rows that are not"""

    @property
    def behind(self) -> int:
        """Rows that are still to be written."""
        return len(self._late)

    def traded(self, now: int, trade: Trade) -> None:
        """A trade was mined."""
        self._write(super().traded, now, trade)

    def moved(self, now: int, wallet: str, money: int) -> None:
        """Money came in from outside, or went out where it is negative."""
        self._write(super().moved, now, wallet, money)

    def paid(self, now: int, wallet: str, kind: str, money: int, condition_id: str = "") -> None:
        """The venue paid a REWARD, a MAKER_REBATE or a YIELD."""
        self._write(super().paid, now, wallet, kind, money, condition_id)

    def split(self, now: int, wallet: str, market: Market, size: int, hash: str) -> None:
        """A split, or a merge where ``size`` is negative."""
        self._write(super().split, now, wallet, market, size, hash)

    def redeemed(
        self,
        now: int,
        wallet: str,
        market: Market,
        outcome: int,
        size: int,
        money: int,
        hash: str,
    ) -> None:
        """Shares of a resolved market were paid out."""
        self._write(super().redeemed, now, wallet, market, outcome, size, money, hash)

    def converted(
        self, now: int, wallet: str, given: list[Market], got: list[Market], size: int, hash: str
    ) -> None:
        """NO of some outcomes became money and YES of the others."""
        self._write(super().converted, now, wallet, given, got, size, hash)

    def day_began(self, now: int) -> None:
        """Keeps everybody's profit as the start of the day."""
        self._write(super().day_began, now)

    def _write(self, write: Write, now: int, *args: Any) -> None:
        late = self._late
        if self.delay is None and not late:
            write(now, *args)
            return
        due = self._clock.now + (self.delay() if self.delay is not None else 0)
        if late:
            due = max(due, late[-1][0])
        late.append((due, write, (now, *args)))
        self._clock.at(due, self._due)

    def _due(self) -> None:
        """Writes the next row; there is one for each time this is called."""
        _, write, args = self._late.popleft()
        write(*args)
