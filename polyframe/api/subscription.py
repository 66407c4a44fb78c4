"""What a strategy listens to, and when it wants to be woken, as data.

The data loop (compiled in a backtest, conflating in live) runs on its own between wakes; the same
conditions hold in both.
"""

from __future__ import annotations

from enum import StrEnum
from typing import TypeAlias

import msgspec

from polyframe.domain.units import Money, Ns


class Data(StrEnum):
    """Kinds of data."""

    PRICES = "prices"
    BARS = "bars"
    TRADES = "trades"
    L2 = "l2"
    WALLETS = "wallets"


class Moved(msgspec.Struct, frozen=True, tag=True):
    """Wake when the best bid or ask moved by ``ticks`` since the last wake on that token."""

    ticks: int


class Traded(msgspec.Struct, frozen=True, tag=True):
    """Wake on a public trade over this notional."""

    over: Money


class Wallets(msgspec.Struct, frozen=True, tag=True):
    """Wake when one of these wallets trades."""

    wallets: tuple[str, ...]


class Every(msgspec.Struct, frozen=True, tag=True):
    """Wake on a clock: first one interval after the start, then every interval."""

    interval: Ns


class Answered(msgspec.Struct, frozen=True, tag=True):
    """Wake when the venue answered about an own order: it stands, was refused, filled or ended."""


class Ended(msgspec.Struct, frozen=True, tag=True):
    """Wake once when the session ends: nothing that is sent then is executed in a backtest."""


WakeOn: TypeAlias = Moved | Traded | Wallets | Every | Answered | Ended


class Subscription(msgspec.Struct, frozen=True, kw_only=True):
    """Tokens (none = all markets of the session), the data wanted and the wake conditions."""

    tokens: tuple[str, ...] = ()
    data: frozenset[Data] = frozenset({Data.PRICES})
    wake: tuple[WakeOn, ...] = ()
