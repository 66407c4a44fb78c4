"""Ids that look like the venue's and are the same in every run with one seed."""

from __future__ import annotations

from hashlib import sha256


class Ids:
    """Each kind counts for itself."""

    __slots__ = ("_counts", "_seed")

    def __init__(self, seed: int) -> None:
        self._seed = seed
        self._counts: dict[str, int] = {}

    def _digest(self, kind: str) -> str:
        count = self._counts.get(kind, 0) + 1
        self._counts[kind] = count
        return sha256(f"{self._seed}/{kind}/{count}".encode()).hexdigest()

    def hash(self, kind: str) -> str:
        """The next hash of a kind: "0x" and 64 hex digits."""
        return "0x" + self._digest(kind)

    def uuid(self, kind: str) -> str:
        """The next id of a kind in the form of a UUID."""
        return as_uuid(self._digest(kind))


def as_uuid(digest: str) -> str:
    """The form of a version 4 UUID with the first digits of a digest in it."""
    return f"{digest[:8]}-{digest[8:12]}-4{digest[13:16]}-8{digest[17:20]}-{digest[20:32]}"


def owner_of(address: str) -> str:
    """The key id under which agents of a wallet trade."""
    return as_uuid(sha256(address.lower().encode()).hexdigest())
