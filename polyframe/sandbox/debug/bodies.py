"""What calls to ``/debug`` say: their bodies, amounts, addresses and outcomes."""

from __future__ import annotations

from decimal import Decimal, InvalidOperation
from typing import Any, Final, TypeVar

import msgspec

from polyframe.sandbox.data.asking import ADDRESS
from polyframe.sandbox.door import Asked, Turned
from polyframe.sandbox.venue.market import BOTH, Market
from polyframe.sandbox.venue.records import Refused
from polyframe.sandbox.wire import price_text

T = TypeVar("T")
Row = dict[str, Any]

MOST_AMOUNT: Final = 10**12
"""pUSD or shares in one call"""
EVEN: Final = ("50-50", "50/50", "half", "both")


class Clock(msgspec.Struct, forbid_unknown_fields=True):
    """How the venue's time passes from now on."""

    speed: float | None = None
    paused: bool | None = None


class Step(msgspec.Struct, forbid_unknown_fields=True):
    """How far to move the venue's time."""

    seconds: float


class Answer(msgspec.Struct, forbid_unknown_fields=True):
    """A market and its answer."""

    condition_id: str
    outcome: str | int


class Which(msgspec.Struct, forbid_unknown_fields=True):
    """A market."""

    condition_id: str


class Tick(msgspec.Struct, forbid_unknown_fields=True):
    """A market and its tick from now on."""

    condition_id: str
    tick: str | float


class Money(msgspec.Struct, forbid_unknown_fields=True):
    """A wallet and an amount of pUSD."""

    address: str
    amount: str | float | int


class Approval(msgspec.Struct, forbid_unknown_fields=True):
    """What the exchanges may move of a wallet; no ``amount`` is any."""

    address: str
    amount: str | float | int | None = None
    shares: bool = True


class Shares(msgspec.Struct, forbid_unknown_fields=True):
    """A wallet, a market and an amount of pairs."""

    address: str
    condition_id: str
    size: str | float | int


class Holding(msgspec.Struct, forbid_unknown_fields=True):
    """A wallet and a market."""

    address: str
    condition_id: str


class Conversion(msgspec.Struct, forbid_unknown_fields=True):
    """A wallet, an event, some of its markets, and how many NO shares of each are converted."""

    address: str
    neg_risk_market_id: str
    condition_ids: list[str]
    size: str | float | int


class Standing(msgspec.Struct, forbid_unknown_fields=True):
    """What a wallet may do."""

    address: str
    banned: bool = False
    closed_only: bool = False


def body(asked: Asked, form: type[T]) -> T:
    """What the body says.

    Raises:
        Turned: 400, it is not of the form that this route takes.
    """
    try:
        return msgspec.json.decode(asked.body or b"{}", type=form)
    except (msgspec.MsgspecError, ValueError, RecursionError) as error:
        raise Turned(400, f"invalid body: {error}") from error


def address(text: str) -> str:
    """A wallet's address.

    Raises:
        Turned: 400, it has not the form of one.
    """
    if not ADDRESS.fullmatch(text):
        raise Turned(400, "invalid address: 0x and 40 hex digits are expected")
    return text


def decimal(value: str | float) -> Decimal:
    """A number as it was written.

    Raises:
        Turned: 400, it is none.
    """
    try:
        found = Decimal(str(value))
    except InvalidOperation as error:
        raise Turned(400, f"{value!r} is no number") from error
    if not found.is_finite():
        raise Turned(400, f"{value!r} is no number")
    return found


def amount(value: str | float, *, least: int = 1) -> int:
    """Millionths of a pUSD or of a share.

    Raises:
        Turned: 400, it is out of range or finer than that.
    """
    number = decimal(value)
    if not 0 <= number <= MOST_AMOUNT:
        raise Turned(400, f"the amount must be between 0.000001 and {MOST_AMOUNT}")
    units = number * 1_000_000
    if units != units.to_integral_value() or int(units) < least:
        raise Turned(400, f"the amount must be between 0.000001 and {MOST_AMOUNT}, of 6 decimals")
    return int(units)


def outcome(market: Market, said: str | int) -> int:
    """An outcome's index, or both.

    Raises:
        Turned: 400, the market has no such outcome.
    """
    names = [name.lower() for name in market.listing.outcomes]
    text = str(said).lower()
    if text in names:
        return names.index(text)
    if text in {"0", "1", "yes", "no"}:
        return int(text in {"1", "no"})
    if text == str(BOTH) or text in EVEN:
        return BOTH
    known = " or ".join(market.listing.outcomes)
    raise Turned(400, f"there is no outcome {said!r}: {known}, 0, 1 or both is expected")


def done(answer: Refused | int | None) -> int | None:
    """What was done.

    Raises:
        Turned: it was refused.
    """
    if isinstance(answer, Refused):
        raise Turned(answer.status, answer.text)
    return answer


def state(market: Market) -> Row:
    """Where in its life a market stands."""
    answer = market.winner if market.winner is not None else market.proposed
    outcomes = market.listing.outcomes
    return {
        "condition_id": market.condition_id,
        "state": market.state,
        "outcome": None if answer is None else "50-50" if answer == BOTH else outcomes[answer],
        "tick": price_text(market.tick),
    }
