"""Ids, addresses and names that depend on the seed and on what they name, and on nothing else."""

from __future__ import annotations

import hashlib
from typing import Final

import numpy as np

from polyframe.errors import InvariantError

# Ids without a bit here would be read as Protocol V2 positions.
# Source: protocol.py of polymarket-client 0.14.0.
_MUST_HAVE: Final = ((1 << 64) - 1) << 40

QUALITIES: Final = (
    "Amber", "Brisk", "Candid", "Dapper", "Eager", "Frank", "Gentle", "Hardy", "Idle", "Jolly",
    "Keen", "Loyal", "Mellow", "Nimble", "Orderly", "Patient", "Quiet", "Rustic", "Sober", "Tidy",
    "Urbane", "Vivid", "Wary", "Young", "Zesty",
)  # fmt: skip
ANIMALS: Final = (
    "Adder", "Badger", "Curlew", "Dormouse", "Egret", "Ferret", "Gull", "Heron", "Ibis", "Jackdaw",
    "Kestrel", "Lynx", "Marmot", "Newt", "Otter", "Plover", "Quail", "Raven", "Stoat", "Tern",
    "Urchin", "Vole", "Weasel", "Yak", "Zander",
)  # fmt: skip


def digest(seed: int, *words: object) -> bytes:
    """32 bytes for a thing that some words name."""
    text = "/".join(str(word) for word in (seed, *words))
    return hashlib.sha256(text.encode()).digest()


def stream(seed: int, *words: object) -> np.random.Generator:
    """A stream of chance of its own for a thing that some words name."""
    return np.random.Generator(np.random.PCG64(int.from_bytes(digest(seed, *words)[:16])))


def hash_of(seed: int, *words: object) -> str:
    """A condition id, a question id, a transaction: "0x" and 64 hex digits."""
    return "0x" + digest(seed, *words).hex()


def token_of(seed: int, *words: object) -> str:
    """A token id: 256 bits as a decimal text, none that could be a Protocol V2 position."""
    for attempt in range(100):
        number = int.from_bytes(digest(seed, *words, attempt))
        if number & _MUST_HAVE and number >> 248:
            return str(number)
    raise InvariantError(f"no token id for {words}")  # each attempt fails once in 2^8


def address_of(seed: int, *words: object) -> str:
    """A wallet's address in small letters."""
    return "0x" + digest(seed, *words)[:20].hex()


def pseudonym_of(address: str) -> str:
    """What a wallet is called that has not named itself."""
    number = int.from_bytes(hashlib.sha256(address.lower().encode()).digest()[:8])
    number, quality = divmod(number, len(QUALITIES))
    return f"{QUALITIES[quality]}-{ANIMALS[number % len(ANIMALS)]}"
