"""Everything that can happen to a session, as past participles. The set is closed.

``ts`` is when we knew, ``ts_venue`` (where the venue says so) when it happened. Events are what the
engine is stepped with and what a journal replays; they carry values only.
"""

from __future__ import annotations

from enum import StrEnum
from typing import TypeAlias

import msgspec

from polyframe.domain.book import Book, Quote
from polyframe.domain.forecast import Forecast
from polyframe.domain.market import FeeSchedule, Group, Market, Resolution
from polyframe.domain.orders import Side
from polyframe.domain.portfolio import Fill
from polyframe.domain.units import Money, Ns, Price, Size


class _Event(msgspec.Struct, frozen=True, tag=True, gc=False):
    ts: Ns


# ---- the market's data ---------------------------------------------------------------------


class WakeReason(StrEnum):
    """Why the data loop stopped and called the engine."""

    MOVED = "moved"
    TRADED = "traded"
    WALLET = "wallet"
    BAR = "bar"
    LIMIT = "limit"
    """equity crossed the first limit of a protection"""
    EXIT = "exit"
    """an exit of a held position holds"""
    END = "end"
    ANSWERED = "answered"
    """the venue answered about an own order"""


class Woken(_Event, frozen=True):
    """A wake condition held. Every subscribed book stands at this row of the tape.

    ``ledgers`` are the strategies whose condition it was; none named means all that listen.
    """

    reason: WakeReason
    token: str
    segment: int
    row: int
    ledgers: tuple[str, ...] = ()


class BookUpdated(_Event, frozen=True):
    """The best bid and ask of one token changed."""

    quote: Quote
    ts_venue: Ns = 0


class BookReset(_Event, frozen=True):
    """A full snapshot replaced a book (start, resync, tick change)."""

    book: Book
    ts_venue: Ns = 0


class TradePrinted(_Event, frozen=True):
    """Somebody traded. ``side`` is the aggressor's; ``wallet`` is empty where the feed has none."""

    token: str
    side: Side
    price: Price
    size: Size
    wallet: str = ""
    trade: str = ""
    ts_venue: Ns = 0


class BarClosed(_Event, frozen=True):
    """One interval of a token's prices ended. Units: prices in the market's integers."""

    token: str
    open: Price
    high: Price
    low: Price
    close: Price
    volume: Size
    interval: Ns


class BarSignalled(_Event, frozen=True):
    """A strategy's features of a market up to this bar ask it to act.

    ``probability`` and ``edge`` are what they state for an entry. ``row`` is the bar's row of the
    recorded data, -1 where there is none: every book stands at it.
    """

    ledger: str
    bar: BarClosed
    enter: bool = False
    exit: bool = False
    wake: bool = False
    probability: float | None = None
    edge: float | None = None
    segment: int = 0
    row: int = -1


class WalletTraded(_Event, frozen=True):
    """A followed wallet changed a position by ``size`` shares (negative when it sold)."""

    wallet: str
    token: str
    size: Size
    price: Price
    ts_venue: Ns = 0


class StatsReported(_Event, frozen=True):
    """How much a market can take and how much was traded lately, as its venue says it.

    Units: liquidity and volume_24h in money.
    """

    market: str
    liquidity: Money
    volume_24h: Money = 0


class FeedLost(_Event, frozen=True):
    """Data of these tokens is no longer to be trusted."""

    tokens: tuple[str, ...]
    reason: str


class FeedRestored(_Event, frozen=True):
    """Data of these tokens can be trusted again."""

    tokens: tuple[str, ...]


# ---- forecasts -----------------------------------------------------------------------------


class ForecastMade(_Event, frozen=True):
    """A forecaster answered."""

    request: str
    forecaster: str
    forecast: Forecast


class ForecastFailed(_Event, frozen=True):
    """A forecaster had no answer. ``missing`` says that nothing was recorded for that moment."""

    request: str
    market: str
    forecaster: str
    reason: str
    missing: bool = False


# ---- own orders ----------------------------------------------------------------------------


class OrderAccepted(_Event, frozen=True):
    """The venue took the order; what does not match now rests."""

    order: str
    venue_id: str = ""


class OrderDelayed(_Event, frozen=True):
    """The venue holds the order back (taker delay): it can neither fill nor be cancelled yet."""

    order: str
    until: Ns = 0


class OrderRejected(_Event, frozen=True):
    """The venue refused the order."""

    order: str
    reason: str


class OrderTimedOut(_Event, frozen=True):
    """No answer came: the order may or may not stand at the venue."""

    order: str


class OrderFilled(_Event, frozen=True):
    """An own order executed. Provisional until confirmed when ``final`` is False."""

    fill: Fill
    final: bool = True


class FillConfirmed(_Event, frozen=True):
    """A provisional execution is final."""

    trade: str
    order: str


class FillFailed(_Event, frozen=True):
    """A provisional execution was undone by the venue."""

    trade: str
    order: str
    reason: str


class OrderCancelled(_Event, frozen=True):
    """The order no longer stands; what filled before stays filled."""

    order: str
    reason: str = ""


class CancelRejected(_Event, frozen=True):
    """The venue did not cancel: the order is gone, filled or unknown to it."""

    order: str
    reason: str


class OrderExpired(_Event, frozen=True):
    """The order's time ran out."""

    order: str


# ---- positions -----------------------------------------------------------------------------


class PositionSplit(_Event, frozen=True):
    """Money became pairs of shares."""

    ledger: str
    market: str
    size: Size


class PositionMerged(_Event, frozen=True):
    """Pairs of shares became money."""

    ledger: str
    market: str
    size: Size


class PositionRedeemed(_Event, frozen=True):
    """Shares of a resolved market were paid."""

    ledger: str
    market: str
    token: str
    size: Size
    payout: int


class PositionConverted(_Event, frozen=True):
    """NO shares of a neg-risk event became money and YES shares of its other markets."""

    ledger: str
    group: str
    markets: tuple[str, ...]
    size: Size


class OperationFailed(_Event, frozen=True):
    """A split, merge, redemption or conversion did not go through."""

    ledger: str
    operation: str
    market: str
    reason: str


class RewardPaid(_Event, frozen=True):
    """The venue paid a reward or rebate."""

    ledger: str
    market: str
    amount: Money
    what: str


class CashMoved(_Event, frozen=True):
    """Money was put in or taken out."""

    ledger: str
    amount: Money
    reason: str


class BalanceReported(_Event, frozen=True):
    """What the venue says we own; a difference to the books is a reconciliation matter."""

    cash: Money
    tokens: tuple[tuple[str, Size], ...] = ()


# ---- a market's life -----------------------------------------------------------------------


class MarketListed(_Event, frozen=True):
    """A market became known."""

    market: Market


class GroupListed(_Event, frozen=True):
    """An event became known, or got more markets."""

    group: Group


class TickSizeChanged(_Event, frozen=True):
    """The venue changed a market's price step: a new epoch for its book."""

    market: str
    tick: Price


class FeesChanged(_Event, frozen=True):
    """The venue changed what takers pay."""

    market: str
    fee: FeeSchedule


class MarketClosed(_Event, frozen=True):
    """Trading stopped; the outcome is not known yet."""

    market: str


class ResolutionProposed(_Event, frozen=True):
    """An outcome was proposed; it can still be disputed."""

    market: str
    outcome: str


class MarketDisputed(_Event, frozen=True):
    """The proposed outcome is disputed; money stays locked."""

    market: str


class MarketResolved(_Event, frozen=True):
    """The outcome is final."""

    resolution: Resolution


# ---- time and people -----------------------------------------------------------------------


class TimerFired(_Event, frozen=True):
    """A wished-for moment came."""

    ledger: str
    key: str


class CommandKind(StrEnum):
    """What a person can tell a running session. Orders a command causes pass the risk door."""

    KILL = "kill"
    """stop trading and cancel everything until reset by hand"""
    RESET = "reset"
    """release the kill switch"""
    PAUSE = "pause"
    """no new exposure"""
    RESUME = "resume"
    CANCEL_ALL = "cancel_all"
    CLOSE = "close"
    """sell what a ledger holds of a market (all markets when empty)"""
    BUY = "buy"
    """open or add by hand"""


class Command(msgspec.Struct, frozen=True):
    """One instruction and who gave it."""

    kind: CommandKind
    by: str
    ledger: str = ""
    market: str = ""
    token: str = ""
    price: Price | None = None
    size: Size | None = None
    probability: float | None = None
    reason: str = ""
    flatten: bool = False
    """a kill also sells everything that is held"""


class CommandReceived(_Event, frozen=True):
    """A person said something."""

    command: Command


class SessionStarted(_Event, frozen=True):
    """The session begins (or goes on after a restart)."""

    session: str
    resumed: bool = False


class SessionEnded(_Event, frozen=True):
    """The session ends: by its data, a person or a failure."""

    reason: str


Event: TypeAlias = (
    Woken
    | BookUpdated
    | BookReset
    | TradePrinted
    | BarClosed
    | BarSignalled
    | WalletTraded
    | StatsReported
    | FeedLost
    | FeedRestored
    | ForecastMade
    | ForecastFailed
    | OrderAccepted
    | OrderDelayed
    | OrderRejected
    | OrderTimedOut
    | OrderFilled
    | FillConfirmed
    | FillFailed
    | OrderCancelled
    | CancelRejected
    | OrderExpired
    | PositionSplit
    | PositionMerged
    | PositionRedeemed
    | PositionConverted
    | OperationFailed
    | RewardPaid
    | CashMoved
    | BalanceReported
    | MarketListed
    | GroupListed
    | TickSizeChanged
    | FeesChanged
    | MarketClosed
    | ResolutionProposed
    | MarketDisputed
    | MarketResolved
    | TimerFired
    | CommandReceived
    | SessionStarted
    | SessionEnded
)

_ACCOUNT = (
    OrderAccepted
    | OrderDelayed
    | OrderRejected
    | OrderTimedOut
    | OrderFilled
    | FillConfirmed
    | FillFailed
    | OrderCancelled
    | CancelRejected
    | OrderExpired
    | PositionSplit
    | PositionMerged
    | PositionRedeemed
    | PositionConverted
    | OperationFailed
    | RewardPaid
    | CashMoved
    | BalanceReported
)


def precedence(event: Event) -> int:
    """The order at equal ``ts``: feed, own acks and fills, forecasts, timers, commands."""
    if isinstance(event, SessionStarted):
        return -1
    if isinstance(event, _ACCOUNT):
        return 1
    if isinstance(event, (ForecastMade, ForecastFailed)):
        return 2
    if isinstance(event, TimerFired):
        return 3
    if isinstance(event, CommandReceived):
        return 4
    if isinstance(event, SessionEnded):
        return 5
    return 0
