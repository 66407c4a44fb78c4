"""Orders as clients post them: their form, whose key sent them, whose key signed them."""

from __future__ import annotations

from dataclasses import dataclass
from typing import Final

import msgspec

from polyframe.errors import WireError
from polyframe.exchanges.polymarket.curve import address_bytes, checksummed, hex_bytes
from polyframe.exchanges.polymarket.signing import (
    OrderFields,
    SignatureType,
    domain_of,
    signer_of,
)
from polyframe.sandbox.desk import Desk
from polyframe.sandbox.venue.records import BUY, SELL, ApiKey, Refused, SignedOrder

NO_BYTES: Final = "0x" + "0" * 64

PAYLOAD: Final = Refused("Invalid order payload")
OLD: Final = Refused("order_version_mismatch")
OWNER: Final = Refused("the order owner has to be the owner of the API KEY")
SIGNER: Final = Refused("the order signer address has to be the address of the API KEY")
SIGNATURE: Final = Refused("invalid signature")

_MOST_DIGITS: Final = 78
# Source: the longest is a session key's signature, 480 bytes.
_MOST_SIGNATURE: Final = 2 + 2 * 1024


class OrderSent(msgspec.Struct):
    """The signed part of a posted order, each field of the JSON type that clients send."""

    salt: int
    maker: str
    signer: str
    tokenId: str  # noqa: N815 - the wire's name
    makerAmount: str  # noqa: N815
    takerAmount: str  # noqa: N815
    side: str
    signatureType: int  # noqa: N815
    signature: str
    timestamp: str = ""
    expiration: str = "0"
    metadata: str = NO_BYTES
    builder: str = NO_BYTES
    feeRateBps: object = None  # noqa: N815 - what only orders of the first version have


class OrderPosted(msgspec.Struct):
    """One order in a POST."""

    order: OrderSent
    owner: str
    orderType: str = "GTC"  # noqa: N815
    deferExec: bool = False  # noqa: N815
    postOnly: bool = False  # noqa: N815


one_posted = msgspec.json.Decoder(OrderPosted).decode
many_posted = msgspec.json.Decoder(list[msgspec.Raw]).decode


@dataclass(frozen=True, slots=True)
class Checked:
    """An order that its sender may send, and how it is to be placed."""

    order: SignedOrder
    order_type: str
    post_only: bool
    defer: bool


def read_one(body: bytes | msgspec.Raw) -> OrderPosted | Refused:
    """What a posted order says, or that it does not have the form."""
    try:
        return one_posted(body)
    except (msgspec.MsgspecError, ValueError, RecursionError):
        return PAYLOAD


def check(desk: Desk, posted: OrderPosted, key: ApiKey) -> Checked | Refused:
    """An order whose sender, signer and signature are right, or the refusal."""
    sent = posted.order
    if not sent.timestamp and sent.feeRateBps is not None:
        return OLD
    if posted.owner != key.key:
        return OWNER
    try:
        fields = _fields(sent)
        signature = _signature(sent.signature)
        expiration = _number(sent.expiration)
    except WireError:
        return PAYLOAD
    found = desk.venue.tokens.get(str(fields.token))
    if found is None or str(fields.token) != sent.tokenId:
        return Refused(f"the orderbook {sent.tokenId[:_MOST_DIGITS]} does not exist")
    if not _own(desk, fields, key):
        return SIGNER
    market = found[0]
    domain = domain_of(desk.venue.chain_id, fields.token, neg_risk=market.listing.neg_risk)
    signed = signer_of(fields, domain, signature)
    if signed is None or signed.by != address_bytes(key.address):
        return SIGNATURE
    if not _controls(desk, fields, key, session=signed.session):
        return SIGNATURE
    order = SignedOrder(
        hash="0x" + signed.digest.hex(),
        maker=checksummed(fields.maker),
        signer=checksummed(fields.signer),
        token_id=sent.tokenId,
        maker_amount=fields.maker_amount,
        taker_amount=fields.taker_amount,
        side=sent.side,
        expiration=expiration,
        salt=sent.salt,
        signature_type=sent.signatureType,
        timestamp=fields.timestamp,
        metadata=sent.metadata,
        builder=sent.builder,
        signature=sent.signature,
    )
    return Checked(order, posted.orderType, posted.postOnly, posted.deferExec)


def _fields(sent: OrderSent) -> OrderFields:
    """The signed fields as numbers and bytes.

    Raises:
        WireError: one of them has another form.
    """
    if sent.side not in {BUY, SELL} or sent.signatureType not in set(SignatureType):
        raise WireError("side or signature type is not one of the venue's")
    if not 0 <= sent.salt < 1 << 256:
        raise WireError("the salt does not fit")
    return OrderFields(
        salt=sent.salt,
        maker=address_bytes(sent.maker),
        signer=address_bytes(sent.signer),
        token=_number(sent.tokenId),
        maker_amount=_number(sent.makerAmount),
        taker_amount=_number(sent.takerAmount),
        side=0 if sent.side == BUY else 1,
        signature_type=sent.signatureType,
        timestamp=_number(sent.timestamp),
        metadata=hex_bytes(sent.metadata, 32, "metadata"),
        builder=hex_bytes(sent.builder, 32, "builder"),
    )


def _number(text: str) -> int:
    if not (text.isascii() and text.isdigit()) or len(text) > _MOST_DIGITS:
        raise WireError("a number of the order is not a decimal text")
    number = int(text)
    if number >= 1 << 256:
        raise WireError("a number of the order does not fit")
    return number


def _signature(text: str) -> bytes:
    if len(text) > _MOST_SIGNATURE or len(text) % 2:
        raise WireError("the signature is too long")
    return hex_bytes(text, len(text) // 2 - 1, "the signature")


def _own(desk: Desk, fields: OrderFields, key: ApiKey) -> bool:
    """True when the order names the key's owner as its signer.

    A deposit wallet signs for itself: there the wallet must be one that the key's owner controls.
    """
    if fields.signature_type != SignatureType.DEPOSIT:
        return fields.signer == address_bytes(key.address)
    if fields.signer != fields.maker:
        return False
    wallet = checksummed(fields.maker)
    return desk.wallets(key).kind(wallet) is SignatureType.DEPOSIT or desk.keys.may_sign(
        wallet, key.address, desk.venue.now
    )


def _controls(desk: Desk, fields: OrderFields, key: ApiKey, *, session: bool) -> bool:
    """True when the key's owner may spend what the maker has, in the way it signed."""
    wallet = checksummed(fields.maker)
    if session:
        return desk.keys.may_sign(wallet, key.address, desk.venue.now)
    return desk.wallets(key).kind(wallet) == fields.signature_type
