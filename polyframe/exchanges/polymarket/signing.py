"""Orders as Polymarket's exchange hashes and signs them (EIP-712, ERC-7739, session keys).

An order's id is the hash that its signature is made over, so it is known before the order is
sent. The expiration is not part of it.

Source: exchange_order_builder_v2.py of py-clob-client-v2 1.2.1; typed_data.py and wallet.py of
polymarket-client 0.14.0; ERC-7739 for the nesting of deposit wallets.
"""

from __future__ import annotations

from enum import IntEnum
from functools import lru_cache
from typing import Final, NamedTuple

from polyframe.errors import WireError
from polyframe.exchanges.polymarket.contracts import contracts_of, exchange_of
from polyframe.exchanges.polymarket.curve import address_bytes, address_of, keccak, recover, sign

ORDER_TYPE: Final = (
    b"Order(uint256 salt,address maker,address signer,uint256 tokenId,uint256 makerAmount,"
    b"uint256 takerAmount,uint8 side,uint8 signatureType,uint256 timestamp,bytes32 metadata,"
    b"bytes32 builder)"
)
_DOMAIN_TYPE: Final = (
    b"EIP712Domain(string name,string version,uint256 chainId,address verifyingContract)"
)
_NESTED_TYPE: Final = (
    b"TypedDataSign(Order contents,string name,string version,uint256 chainId,"
    b"address verifyingContract,bytes32 salt)" + ORDER_TYPE
)
ZERO: Final = bytes(32)
# Source: wallet.py of polymarket-client 0.14.0.
SESSION_MAGIC: Final = bytes.fromhex("6492" * 16)

_TAIL: Final = ORDER_TYPE + len(ORDER_TYPE).to_bytes(2)
_INNER: Final = 65 + 32 + 32 + len(_TAIL)


class SignatureType(IntEnum):
    """Whose signature an order carries."""

    EOA = 0
    PROXY = 1
    SAFE = 2
    DEPOSIT = 3


class Domain(NamedTuple):
    """Where a signature is valid: one version of one exchange on one chain."""

    version: str
    chain_id: int
    contract: str


class OrderFields(NamedTuple):
    """The fields of an order that its signature covers; side 0 buys, 1 sells."""

    salt: int
    maker: bytes
    signer: bytes
    token: int
    maker_amount: int
    taker_amount: int
    side: int
    signature_type: int
    timestamp: int
    metadata: bytes = ZERO
    builder: bytes = ZERO


class Signed(NamedTuple):
    """Who signed an order: the address of a key, and whether it spoke as a session key.

    ``digest`` is the order's own, which names it.
    """

    by: bytes
    session: bool
    digest: bytes


@lru_cache(maxsize=1024)
def domain_of(chain_id: int, token: int, *, neg_risk: bool) -> Domain:
    """The domain that orders for a token are signed in."""
    contract, version = exchange_of(contracts_of(chain_id), token, neg_risk=neg_risk)
    return Domain(version, chain_id, contract)


@lru_cache(maxsize=64)
def domain_separator(domain: Domain) -> bytes:
    """The hash of a signing domain."""
    return keccak(
        _hashed(_DOMAIN_TYPE)
        + _hashed(b"Polymarket CTF Exchange")
        + _hashed(domain.version.encode())
        + domain.chain_id.to_bytes(32)
        + _word(address_bytes(domain.contract))
    )


def order_struct(order: OrderFields) -> bytes:
    """The hash of an order's fields, outside any domain.

    Raises:
        WireError: a number does not fit its type.
    """
    try:
        return keccak(
            b"".join(
                (
                    _hashed(ORDER_TYPE),
                    order.salt.to_bytes(32),
                    _word(order.maker),
                    _word(order.signer),
                    order.token.to_bytes(32),
                    order.maker_amount.to_bytes(32),
                    order.taker_amount.to_bytes(32),
                    order.side.to_bytes(32),
                    order.signature_type.to_bytes(32),
                    order.timestamp.to_bytes(32),
                    order.metadata,
                    order.builder,
                )
            )
        )
    except OverflowError as error:
        raise WireError(
            "a number of the order does not fit", expected="integers from 0 to 2^256 - 1"
        ) from error


def order_digest(order: OrderFields, domain: Domain) -> bytes:
    """The hash that names an order: its id at the venue."""
    return _digest(domain, order_struct(order))


def order_id(order: OrderFields, domain: Domain) -> str:
    """An order's id as the venue writes it."""
    return "0x" + order_digest(order, domain).hex()


def sign_order(order: OrderFields, domain: Domain, key: bytes, *, session: bool = False) -> str:
    """The signature that goes over the wire.

    ``session`` says that the key is a session key of the deposit wallet, not its owner's.
    """
    contents = order_struct(order)
    if order.signature_type != SignatureType.DEPOSIT:
        return "0x" + sign(_digest(domain, contents), key).hex()
    inner = sign(_nested_digest(order, domain, contents), key)
    wire = inner + domain_separator(domain) + contents + _TAIL
    if session:
        wire = _wrapped(address_bytes(address_of(key)), wire)
    return "0x" + wire.hex()


def signer_of(order: OrderFields, domain: Domain, signature: bytes) -> Signed | None:
    """Who signed an order in a domain; None when the signature is of no use there.

    It says nothing about whether that key may sign for the maker.
    """
    contents = order_struct(order)
    digest = _digest(domain, contents)
    if order.signature_type != SignatureType.DEPOSIT:
        by = recover(digest, signature)
        return None if by is None else Signed(by, session=False, digest=digest)
    claimed = None
    if signature[-32:] == SESSION_MAGIC:
        claimed, signature = _unwrapped(signature)
    if len(signature) != _INNER or signature[65:] != domain_separator(domain) + contents + _TAIL:
        return None
    by = recover(_nested_digest(order, domain, contents), signature[:65])
    if by is None or (claimed is not None and claimed != by):
        return None
    return Signed(by, session=claimed is not None, digest=digest)


def _nested_digest(order: OrderFields, domain: Domain, contents: bytes) -> bytes:
    """What the key of a deposit wallet signs: the order, inside the wallet's own domain."""
    return _digest(
        domain,
        keccak(
            b"".join(
                (
                    _hashed(_NESTED_TYPE),
                    contents,
                    _hashed(b"DepositWallet"),
                    _hashed(b"1"),
                    domain.chain_id.to_bytes(32),
                    _word(order.signer),
                    ZERO,
                )
            )
        ),
    )


def _digest(domain: Domain, struct: bytes) -> bytes:
    return keccak(b"\x19\x01" + domain_separator(domain) + struct)


@lru_cache(maxsize=64)
def _hashed(text: bytes) -> bytes:
    return keccak(text)


def _word(address: bytes) -> bytes:
    return bytes(12) + address


def _wrapped(session_key: bytes, signature: bytes) -> bytes:
    """A session key's signature as its wallet takes it: (bytes32 id, bytes32 0, bytes), magic."""
    padded = signature + bytes(-len(signature) % 32)
    return b"".join(
        (
            _word(session_key),
            ZERO,
            (96).to_bytes(32),
            len(signature).to_bytes(32),
            padded,
            SESSION_MAGIC,
        )
    )


def _unwrapped(signature: bytes) -> tuple[bytes, bytes]:
    """The session key's address and its signature; an empty signature when the form is wrong."""
    signer, inner = signature[12:32], signature[128 : 128 + _INNER]
    exact = _wrapped(signer, inner) == signature
    return signer, inner if exact else b""
