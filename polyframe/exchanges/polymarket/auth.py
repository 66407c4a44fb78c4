"""Who is asking: the signature that makes an API key, and the one on every private call.

Source: signing/ and headers/ of py-clob-client-v2 1.2.1; l1_auth.py and hmac.py of
polymarket-client 0.14.0.
"""

from __future__ import annotations

import base64
import binascii
import hashlib
import hmac
from dataclasses import dataclass
from functools import lru_cache

from polyframe.errors import WireError
from polyframe.exchanges.polymarket.curve import (
    address_bytes,
    address_of,
    hex_bytes,
    keccak,
    recover,
    sign,
)

ATTEST = b"This message attests that I control the given wallet"


@dataclass(frozen=True, slots=True)
class Credentials:
    """What a private call is signed with: a key's name, its secret and its passphrase."""

    key: str
    secret: str
    passphrase: str


def wallet_digest(address: str, timestamp: str, nonce: int, chain_id: int) -> bytes:
    """The hash that a wallet signs to have an API key made.

    Raises:
        WireError: the address has the wrong form or the nonce does not fit.
    """
    if not 0 <= nonce < 1 << 256:
        raise WireError(f"nonce {nonce} does not fit", expected="an integer from 0 to 2^256 - 1")
    struct = keccak(
        b"".join(
            (
                keccak(b"ClobAuth(address address,string timestamp,uint256 nonce,string message)"),
                bytes(12) + address_bytes(address),
                keccak(timestamp.encode()),
                nonce.to_bytes(32),
                keccak(ATTEST),
            )
        )
    )
    return keccak(b"\x19\x01" + _separator(chain_id) + struct)


@lru_cache(maxsize=8)
def _separator(chain_id: int) -> bytes:
    return keccak(
        keccak(b"EIP712Domain(string name,string version,uint256 chainId)")
        + keccak(b"ClobAuthDomain")
        + keccak(b"1")
        + chain_id.to_bytes(32)
    )


def wallet_headers(
    private_key: bytes, timestamp: int, *, nonce: int = 0, chain_id: int
) -> dict[str, str]:
    """The headers (L1) of a call that makes or derives an API key."""
    address = address_of(private_key)
    digest = wallet_digest(address, str(timestamp), nonce, chain_id)
    return {
        "POLY_ADDRESS": address,
        "POLY_SIGNATURE": "0x" + sign(digest, private_key).hex(),
        "POLY_TIMESTAMP": str(timestamp),
        "POLY_NONCE": str(nonce),
    }


def wallet_signed(
    address: str, timestamp: str, nonce: int, signature: str, *, chain_id: int
) -> bool:
    """True when the address's own key made the signature.

    Raises:
        WireError: address, nonce or signature have the wrong form.
    """
    digest = wallet_digest(address, timestamp, nonce, chain_id)
    by = recover(digest, hex_bytes(signature, 65, "POLY_SIGNATURE"))
    return by == address_bytes(address)


def call_signature(secret: str, timestamp: str, method: str, path: str, body: bytes = b"") -> str:
    """The signature (L2) of one private call: method, path without host and query, exact body.

    Raises:
        WireError: the secret is not base64.
    """
    try:
        key = base64.b64decode(secret + "=" * (-len(secret) % 4), altchars=b"-_", validate=True)
    except (binascii.Error, ValueError) as error:
        raise WireError("the API secret is not url-safe base64") from error
    message = f"{timestamp}{method}{path}".encode() + body
    return base64.urlsafe_b64encode(hmac.new(key, message, hashlib.sha256).digest()).decode()


def call_signed(
    secret: str, timestamp: str, method: str, path: str, body: bytes, signature: str
) -> bool:
    """True when the signature of a private call is the secret's.

    A body with apostrophes may have been signed with quotation marks in their place:
    py-clob-client-v2 does so with every body, and sends it as it was.
    """
    wanted = signature.encode()
    right = call_signature(secret, timestamp, method, path, body).encode()
    if hmac.compare_digest(right, wanted):
        return True
    if b"'" not in body:
        return False
    quoted = call_signature(secret, timestamp, method, path, body.replace(b"'", b'"'))
    return hmac.compare_digest(quoted.encode(), wanted)


def call_headers(
    credentials: Credentials,
    address: str,
    timestamp: int,
    method: str,
    path: str,
    body: bytes = b"",
) -> dict[str, str]:
    """The headers (L2) of a private call by the wallet that made the key."""
    return {
        "POLY_ADDRESS": address,
        "POLY_API_KEY": credentials.key,
        "POLY_PASSPHRASE": credentials.passphrase,
        "POLY_TIMESTAMP": str(timestamp),
        "POLY_SIGNATURE": call_signature(credentials.secret, str(timestamp), method, path, body),
    }
