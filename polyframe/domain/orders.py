"""Orders: sides, time in force, states, and the approval without which no broker acts."""

from __future__ import annotations

from enum import IntEnum, StrEnum

import msgspec

from polyframe.domain.units import Money, Ns, Price, Size
from polyframe.errors import InvariantError


class Side(IntEnum):
    """+1 buys, -1 sells, so that position changes are ``side * size``."""

    BUY = 1
    SELL = -1


class TimeInForce(StrEnum):
    """How long an order may stand."""

    GTC = "GTC"
    """until cancelled"""
    GTD = "GTD"
    """until its expiry"""
    FOK = "FOK"
    """all of it now or nothing"""
    FAK = "FAK"
    """what can be had now, the rest is killed (others call it IOC)"""


class Kind(StrEnum):
    """What an intent is for. Protections say to which kinds they apply."""

    DIRECTIONAL = "directional"
    QUOTE = "quote"
    ARBITRAGE = "arbitrage"
    EXIT = "exit"


KIND_BIT: dict[Kind, int] = {
    Kind.DIRECTIONAL: 1,
    Kind.QUOTE: 2,
    Kind.ARBITRAGE: 4,
    Kind.EXIT: 8,
}


class OrderState(StrEnum):
    """Where an order is. MATCHED fills are provisional until CONFIRMED; FAILED reverses them."""

    PENDING = "pending"
    """approved and handed to the broker, no answer yet"""
    LIVE = "live"
    """resting at the venue"""
    PARTIAL = "partial"
    """resting, some of it filled"""
    UNKNOWN = "unknown"
    """sent, no answer: may stand at the venue; keeps its reservation"""
    MATCHED = "matched"
    """filled, settlement not final"""
    CONFIRMED = "confirmed"
    """filled and final"""
    FAILED = "failed"
    """matched, but settlement failed: its fills were reversed"""
    CANCELLED = "cancelled"
    REJECTED = "rejected"
    EXPIRED = "expired"

    @property
    def open(self) -> bool:
        """True while the order may still fill, so its reservation stands."""
        return self in _OPEN


_OPEN = frozenset({OrderState.PENDING, OrderState.LIVE, OrderState.PARTIAL, OrderState.UNKNOWN})


class Order(msgspec.Struct, frozen=True, gc=False):
    """One order as asked of a venue.

    Units: price and size in the market's own integers; ``expires`` ns, 0 = never.
    """

    id: str
    ledger: str
    market: str
    token: str
    side: Side
    price: Price
    size: Size
    tif: TimeInForce
    ts: Ns
    kind: Kind = Kind.DIRECTIONAL
    post_only: bool = False
    expires: Ns = 0
    reason: str = ""
    parent: str = ""
    salt: int = 0
    style: str = ""
    edge: float | None = None
    """expected gain a share after costs when it was decided"""


class OrderView(msgspec.Struct, frozen=True, gc=False):
    """An own order as a strategy sees it."""

    order: Order
    state: OrderState
    filled: Size

    @property
    def remaining(self) -> Size:
        """What may still fill."""
        return self.order.size - self.filled


class Seal:
    """The mark of one risk door. Two doors never accept each other's orders."""

    __slots__ = ()

    def __init_subclass__(cls) -> None:
        raise InvariantError("a seal has no subclasses")

    def __reduce__(self) -> str:
        raise InvariantError("a seal cannot be copied or stored")


class ApprovedOrder:
    """An order that passed the risk door. Brokers accept nothing else.

    Only ``engine/risk.py`` makes one: it holds the seal, and a broker compares the seal by identity
    with the one it was given at start. Making one without the seal is refused here; carrying a seal
    of one's own is refused by the broker.
    """

    __slots__ = ("_seal", "order", "reserved")

    order: Order
    reserved: Money
    _seal: Seal

    def __init_subclass__(cls) -> None:
        # A subclass could answer sealed_by() as it likes.
        raise InvariantError("an approved order has no subclasses")

    def __init__(self, order: Order, reserved: Money, seal: Seal) -> None:
        if type(seal) is not Seal:
            raise InvariantError(
                f"order {order.id} carries no seal of a risk door",
                expected="an order approved by the engine",
                hint="yield an Intent from your strategy; the engine approves and sends it",
            )
        object.__setattr__(self, "order", order)
        object.__setattr__(self, "reserved", reserved)
        object.__setattr__(self, "_seal", seal)

    def __setattr__(self, name: str, value: object) -> None:
        raise InvariantError(f"an approved order cannot be changed ({name})")

    def __delattr__(self, name: str) -> None:
        raise InvariantError(f"an approved order cannot be changed ({name})")

    def sealed_by(self, seal: Seal) -> bool:
        """True when this very door approved the order."""
        return self._seal is seal

    def __repr__(self) -> str:
        return f"ApprovedOrder({self.order!r}, reserved={self.reserved})"
