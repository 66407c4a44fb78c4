"""What a step of the engine leads to: orders to the outside, and facts worth recording.

The first group are imperatives that a driver carries out. The second are facts: the journal keeps
them and the past-tense hooks observe them. Nothing here can be acted on twice.
"""

from __future__ import annotations

from typing import TypeAlias

import msgspec

from polyframe.domain.orders import ApprovedOrder, Order, OrderState
from polyframe.domain.portfolio import Fill
from polyframe.domain.units import Money, Ns, Price, Size
from polyframe.domain.verdict import Verdict
from polyframe.domain.wishes import Intent


class _Effect(msgspec.Struct, frozen=True, tag=True):
    pass


# ---- carried out by the driver ---------------------------------------------------------------


class SubmitOrder(_Effect, frozen=True):
    """Send an approved order.

    ``approved`` is a capability and is not stored: a SubmitOrder read back from a journal has None
    there, and no broker takes it.
    """

    order: Order
    reserved: Money
    approved: ApprovedOrder | None = None


class RequestCancel(_Effect, frozen=True):
    """Ask the venue to cancel.

    A ``parent`` does not stand at the venue: the wish is on record and nothing is sent.
    """

    order: str
    reason: str = ""
    parent: bool = False


class RequestForecast(_Effect, frozen=True):
    """Ask a forecaster about a market with the knowledge of ``as_of``."""

    request: str
    market: str
    forecaster: str
    as_of: Ns
    ledger: str = ""
    """the strategy that asked first; others that ask meanwhile get the same answer"""


class SetTimer(_Effect, frozen=True):
    """Fire a TimerFired for this ledger and key at ``at``; replaces an earlier one."""

    ledger: str
    key: str
    at: Ns


class SplitPosition(_Effect, frozen=True):
    """Turn money into pairs of shares."""

    ledger: str
    market: str
    size: Size


class MergePositions(_Effect, frozen=True):
    """Turn pairs of shares into money."""

    ledger: str
    market: str
    size: Size


class RedeemPosition(_Effect, frozen=True):
    """Collect the payout of a resolved market."""

    ledger: str
    market: str
    token: str
    size: Size


# ---- facts -----------------------------------------------------------------------------------


class ParentApproved(_Effect, frozen=True):
    """An order was approved that is carried out in parts: it reserves, only its children go out."""

    order: Order
    reserved: Money


class ForecastAwaited(_Effect, frozen=True):
    """A ledger relies on forecasts of a market from now on: guards ask about them there."""

    ledger: str
    market: str


class OrderReviewed(_Effect, frozen=True):
    """The risk door ruled on an intent. ``permitted`` is 0 when it was denied.

    ``sizing`` is what the sizer computed the size from, where it said so; ``price`` the limit that
    was reviewed and ``edge`` what a share gains at it after costs, as far as it was stated.
    ``decimals`` are those of the market's prices and sizes, so that a journal can be read alone.
    """

    ts: Ns
    ledger: str
    order: str
    intent: Intent
    asked: Size
    permitted: Size
    verdicts: tuple[Verdict, ...]
    sizing: tuple[tuple[str, float | str], ...] = ()
    market: str = ""
    price: Price = 0
    edge: float | None = None
    parent: str = ""
    decimals: tuple[int, int] = (4, 6)


class OrderChanged(_Effect, frozen=True):
    """An own order went to another state."""

    ts: Ns
    order: str
    state: OrderState
    filled: Size
    reason: str = ""


class FillBooked(_Effect, frozen=True):
    """An execution is in the books; ``realised`` is what it earned against average cost."""

    fill: Fill
    realised: Money


class PositionSettled(_Effect, frozen=True):
    """A resolved market paid a ledger's shares."""

    ts: Ns
    ledger: str
    market: str
    token: str
    shares: Size
    payout: int
    received: Money
    realised: Money


class TradingHalted(_Effect, frozen=True):
    """New exposure is blocked. ``until`` 0 means until a person resets it."""

    ts: Ns
    by: str
    reason: str
    ledger: str = ""
    market: str = ""
    until: Ns = 0


class TradingResumed(_Effect, frozen=True):
    """A halt ended."""

    ts: Ns
    by: str
    ledger: str = ""


class WishRefused(_Effect, frozen=True):
    """A wish could not be considered: unknown token, closed market, nothing to sell ..."""

    ts: Ns
    ledger: str
    wish: str
    reason: str
    subject: str = ""
    """the token, market or order it was about"""


class StrategyDisabled(_Effect, frozen=True):
    """A strategy failed and was taken out of the session; its orders are cancelled."""

    ts: Ns
    ledger: str
    reason: str


class StateSaved(_Effect, frozen=True):
    """A strategy's declared state after it changed (record level ``all``).

    With a ``parent`` it is what an execution style remembers of that order.
    """

    ledger: str
    state: bytes
    parent: str = ""


Effect: TypeAlias = (
    SubmitOrder
    | RequestCancel
    | RequestForecast
    | SetTimer
    | SplitPosition
    | MergePositions
    | RedeemPosition
    | ParentApproved
    | ForecastAwaited
    | OrderReviewed
    | OrderChanged
    | FillBooked
    | PositionSettled
    | TradingHalted
    | TradingResumed
    | WishRefused
    | StrategyDisabled
    | StateSaved
)


def storable(value: object) -> object:
    """Msgspec ``enc_hook``: an approval is a capability, so it is stored as None."""
    if isinstance(value, ApprovedOrder):
        return None
    raise NotImplementedError(f"{type(value).__name__} cannot be stored")
