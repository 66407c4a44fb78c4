"""What a journal holds: its header, its records and which of them each level keeps."""

from __future__ import annotations

from enum import StrEnum
from typing import TypeAlias

import msgspec

from polyframe.domain import effects as fx
from polyframe.domain import events as ev
from polyframe.domain.effects import Effect
from polyframe.domain.events import Event
from polyframe.domain.units import Ns

FORMAT = 1
"""The journal's format. Changes inside one format only add fields with defaults."""


class RecordLevel(StrEnum):
    """How much of a session is kept."""

    NONE = "none"
    """start, end and checkpoints"""
    ORDERS = "orders"
    """also whatever concerns orders, money, forecasts, halts and commands"""
    ALL = "all"
    """everything: the only level from which a session can be recovered or audited"""


class Header(msgspec.Struct, frozen=True, kw_only=True):
    """What was run, from which everything else follows. The digests are hex SHA-256.

    ``code`` is the digest of the polyframe sources, ``plugins`` of the plugin manifest, ``config``
    of the resolved configuration without secrets, ``universe`` of the markets and data slice.
    """

    format: int = FORMAT
    polyframe: str
    api: int
    code: str
    plugins: str
    session: str
    seed: int
    config: str
    universe: str
    level: RecordLevel
    created: Ns


class _Record(msgspec.Struct, frozen=True, array_like=True, tag=str.lower, gc=False):
    pass


class Step(_Record, frozen=True):
    """One step of the engine: what happened and what it led to, in order.

    ``seq`` counts the session's steps from 1, recorded or not. ``event`` is None when the level
    keeps some of the effects but not the event; ``ts`` is the event's in any case.
    """

    seq: int
    ts: Ns
    event: Event | None
    effects: tuple[Effect, ...] = ()


class Checkpoint(_Record, frozen=True):
    """The engine's whole state after step ``seq``."""

    seq: int
    state: bytes


class SegmentSealed(_Record, frozen=True):
    """A segment of the tape is final; ``sha256`` is its digest in hex."""

    segment: int
    sha256: str


class Resumed(_Record, frozen=True):
    """The session went on after a stop, maybe with other code: from here this header holds."""

    header: Header


class Closed(_Record, frozen=True):
    """The journal was ended on purpose after step ``seq``."""

    seq: int


Record: TypeAlias = Step | Checkpoint | SegmentSealed | Resumed | Closed

_NONE = RecordLevel.NONE
_ORDERS = RecordLevel.ORDERS
_ALL = RecordLevel.ALL

LEVELS: dict[type, RecordLevel] = {
    # ---- events
    ev.SessionStarted: _NONE,
    ev.SessionEnded: _NONE,
    ev.ForecastMade: _ORDERS,
    ev.ForecastFailed: _ORDERS,
    ev.OrderAccepted: _ORDERS,
    ev.OrderDelayed: _ORDERS,
    ev.OrderRejected: _ORDERS,
    ev.OrderTimedOut: _ORDERS,
    ev.OrderFilled: _ORDERS,
    ev.FillConfirmed: _ORDERS,
    ev.FillFailed: _ORDERS,
    ev.OrderCancelled: _ORDERS,
    ev.CancelRejected: _ORDERS,
    ev.OrderExpired: _ORDERS,
    ev.PositionSplit: _ORDERS,
    ev.PositionMerged: _ORDERS,
    ev.PositionRedeemed: _ORDERS,
    ev.PositionConverted: _ORDERS,
    ev.OperationFailed: _ORDERS,
    ev.RewardPaid: _ORDERS,
    ev.CashMoved: _ORDERS,
    ev.BalanceReported: _ORDERS,
    ev.MarketClosed: _ORDERS,
    ev.ResolutionProposed: _ORDERS,
    ev.MarketDisputed: _ORDERS,
    ev.MarketResolved: _ORDERS,
    ev.CommandReceived: _ORDERS,
    ev.Woken: _ALL,
    ev.BookUpdated: _ALL,
    ev.BookReset: _ALL,
    ev.TradePrinted: _ALL,
    ev.BarClosed: _ALL,
    ev.BarSignalled: _ALL,
    ev.WalletTraded: _ALL,
    ev.StatsReported: _ALL,
    ev.FeedLost: _ALL,
    ev.FeedRestored: _ALL,
    ev.MarketListed: _ALL,
    ev.GroupListed: _ALL,
    ev.TickSizeChanged: _ALL,
    ev.FeesChanged: _ALL,
    ev.TimerFired: _ALL,
    # ---- effects
    fx.SubmitOrder: _ORDERS,
    fx.RequestCancel: _ORDERS,
    fx.RequestForecast: _ORDERS,
    fx.SplitPosition: _ORDERS,
    fx.MergePositions: _ORDERS,
    fx.RedeemPosition: _ORDERS,
    fx.ForecastAwaited: _ORDERS,
    fx.ParentApproved: _ORDERS,
    fx.OrderReviewed: _ORDERS,
    fx.OrderChanged: _ORDERS,
    fx.FillBooked: _ORDERS,
    fx.PositionSettled: _ORDERS,
    fx.TradingHalted: _ORDERS,
    fx.TradingResumed: _ORDERS,
    fx.WishRefused: _ORDERS,
    fx.StrategyDisabled: _ORDERS,
    fx.SetTimer: _ALL,
    fx.StateSaved: _ALL,
}
"""The lowest level that keeps each event and effect."""

_RANK = {_NONE: 0, _ORDERS: 1, _ALL: 2}


def types_at(level: RecordLevel) -> frozenset[type]:
    """The event and effect types that a level keeps."""
    return frozenset(kind for kind, low in LEVELS.items() if _RANK[low] <= _RANK[level])
