"""Keccak and secp256k1: hashes, keys, signatures.

With ``coincurve`` a signature is made or checked in some 40 microseconds, without it (there are no
wheels for every Python) ``eth-keys`` does the same in pure Python, a hundred times slower.
"""

from __future__ import annotations

from functools import cache, lru_cache, partial
from typing import Any, Protocol

from polyframe.errors import ConfigError, WireError

# Half the order of secp256k1, rounded down.
_HALF_ORDER = 0x7FFFFFFFFFFFFFFFFFFFFFFFFFFFFFFF5D576E7357A4501DDFE92F46681B20A0


class Curve(Protocol):
    """What is needed of secp256k1. Keys are 32 bytes, signatures r, s and the parity: 65 bytes."""

    def public(self, key: bytes) -> bytes:
        """The public point of a key, 64 bytes."""
        ...

    def sign(self, digest: bytes, key: bytes) -> bytes:
        """The deterministic signature of a digest."""
        ...

    def recover(self, digest: bytes, signature: bytes) -> bytes | None:
        """The public point that made a signature, None when none can have."""
        ...


class _Fast:
    """libsecp256k1, by coincurve."""

    def __init__(self) -> None:
        import coincurve  # noqa: PLC0415 - an option

        self._private = coincurve.PrivateKey
        self._recover = coincurve.PublicKey.from_signature_and_message

    def public(self, key: bytes) -> bytes:
        point: bytes = self._private(key).public_key.format(compressed=False)
        return point[1:]

    def sign(self, digest: bytes, key: bytes) -> bytes:
        signature: bytes = self._private(key).sign_recoverable(digest, hasher=None)
        return signature

    def recover(self, digest: bytes, signature: bytes) -> bytes | None:
        try:
            point: bytes = self._recover(signature, digest, hasher=None).format(compressed=False)
        except Exception as error:
            # coincurve raises Exception itself, and ValueError, for numbers that are no signature.
            if type(error) in {Exception, ValueError}:
                return None
            raise
        return point[1:]


class _Plain:
    """Pure Python, by eth-keys."""

    def __init__(self) -> None:
        from eth_keys.backends.native.main import NativeECCBackend  # noqa: PLC0415 - an option
        from eth_keys.datatypes import PrivateKey, Signature  # noqa: PLC0415
        from eth_keys.exceptions import BadSignature  # noqa: PLC0415
        from eth_utils.exceptions import ValidationError  # noqa: PLC0415

        backend = NativeECCBackend()
        self._private: Any = partial(PrivateKey, backend=backend)
        self._signature: Any = partial(Signature, backend=backend)
        self._refused = (BadSignature, ValidationError)

    def public(self, key: bytes) -> bytes:
        point: bytes = self._private(key).public_key.to_bytes()
        return point

    def sign(self, digest: bytes, key: bytes) -> bytes:
        signature: bytes = self._private(key).sign_msg_hash(digest).to_bytes()
        return signature

    def recover(self, digest: bytes, signature: bytes) -> bytes | None:
        try:
            found = self._signature(signature).recover_public_key_from_msg_hash(digest)
            point: bytes = found.to_bytes()
        except self._refused:
            return None
        return point


@cache
def curve(*, plain: bool = False) -> Curve:
    """The fastest curve that is installed; ``plain`` asks for the pure one.

    Raises:
        ConfigError: neither library is installed.
    """
    try:
        return _Plain() if plain else _Fast()
    except ImportError as error:
        if not plain:
            return curve(plain=True)
        raise ConfigError(
            "no library for Ethereum signatures is installed",
            expected="coincurve or eth-keys",
            hint="pip install 'polyframe[sandbox]'",
        ) from error


def keccak(data: bytes) -> bytes:
    """Keccak-256 of some bytes, the hash of Ethereum (which is not SHA3-256)."""
    return _hasher()(data)


@cache
def _hasher() -> _Hasher:
    try:
        from eth_hash.auto import keccak as found  # noqa: PLC0415 - an option
    except ImportError as error:
        raise ConfigError(
            "no library for Ethereum hashes is installed",
            expected="eth-hash",
            hint="pip install 'polyframe[sandbox]'",
        ) from error
    return found


class _Hasher(Protocol):
    def __call__(self, preimage: bytes, /) -> bytes: ...


@lru_cache(maxsize=1 << 14)
def checksummed(address: bytes) -> str:
    """An address with the capitals that prove it was copied whole.

    Source: EIP-55.
    """
    text = address.hex()
    proof = keccak(text.encode()).hex()
    letters = (c.upper() if mark >= "8" else c for c, mark in zip(text, proof, strict=False))
    return "0x" + "".join(letters)


def address_bytes(text: str) -> bytes:
    """The 20 bytes of an address, whatever its capitals.

    Raises:
        WireError: it is not 0x and 40 hexadecimal digits.
    """
    return hex_bytes(text, 20, "an address")


def hex_bytes(text: str, length: int, name: str) -> bytes:
    """The bytes of 0x-text of a known length.

    Raises:
        WireError: it has another form or length.
    """
    digits = text[2:]
    if text[:2] != "0x" or len(digits) != 2 * length or not digits.isalnum():
        raise WireError(
            f"{name} has the wrong form: {text[:80]!r}", expected=f"0x and {2 * length} hex digits"
        )
    try:
        return bytes.fromhex(digits)
    except ValueError as error:
        raise WireError(
            f"{name} is not hexadecimal: {text[:80]!r}", expected=f"{2 * length} hex digits"
        ) from error


def address_of(key: bytes) -> str:
    """The address that a private key controls."""
    return checksummed(keccak(curve().public(key))[12:])


def key_bytes(text: str) -> bytes:
    """The 32 bytes of a private key, with or without 0x.

    Raises:
        ConfigError: it is not a private key; the message does not repeat it.
    """
    digits = text.removeprefix("0x")
    try:
        key = bytes.fromhex(digits)
    except ValueError:
        key = b""
    if len(key) != 32 or not 0 < int.from_bytes(key) < 2 * _HALF_ORDER + 1:
        raise ConfigError("that is not a private key", expected="0x and 64 hexadecimal digits")
    return key


def sign(digest: bytes, key: bytes) -> bytes:
    """The signature of a digest: r, s and 27 or 28, 65 bytes."""
    raw = curve().sign(digest, key)
    return raw[:64] + bytes((27 + raw[64],))


def recover(digest: bytes, signature: bytes) -> bytes | None:
    """The 20 bytes of the address whose key made a signature; None when no key can have.

    Of the two signatures that any signature can be turned into, only the one with the smaller s
    counts: the other would be the same order under another name.

    Source: ECDSA.sol of OpenZeppelin, which Polymarket's exchange checks with.
    """
    if len(signature) != 65 or signature[64] not in {27, 28}:
        return None
    if int.from_bytes(signature[32:64]) > _HALF_ORDER:
        return None
    point = curve().recover(digest, signature[:64] + bytes((signature[64] - 27,)))
    return None if point is None else keccak(point)[12:]
