"""Who may call: API keys by wallet and nonce, and the session keys that wallets have let in."""

from __future__ import annotations

import base64
import hashlib
import uuid
from collections.abc import Iterator
from dataclasses import dataclass, field
from typing import Final

from polyframe.domain.units import SECOND
from polyframe.sandbox.venue.records import ApiKey

# An address can have this many keys of each kind.
# UNSURE at the venue: that there is a limit, and which.
MOST_KEYS: Final = 1_000


@dataclass(frozen=True, slots=True)
class SessionKey:
    """A key that a deposit wallet's owner has let sign for it, until a second."""

    address: str
    until: int
    scopes: tuple[str, ...] = ("ALL",)


@dataclass(slots=True)
class BuilderKey:
    """A key that authenticates gasless transactions."""

    key: ApiKey
    revoked: int = 0


@dataclass(slots=True)
class _Owner:
    """What one address has made; addresses are in small letters throughout."""

    keys: dict[int, ApiKey] = field(default_factory=dict)
    readonly: dict[str, ApiKey] = field(default_factory=dict)
    builder: dict[str, BuilderKey] = field(default_factory=dict)
    made: int = 0


class Keys:
    """All keys. What a key is depends on the seed, the address and the nonce alone."""

    def __init__(self, seed: int = 0) -> None:
        self._seed = seed
        self._owners: dict[str, _Owner] = {}
        self._by_name: dict[str, ApiKey] = {}
        self._builders: dict[str, BuilderKey] = {}
        self._sessions: dict[str, dict[str, SessionKey]] = {}
        self._serves: dict[str, str] = {}

    def create(self, address: str, nonce: int, now: int) -> ApiKey | None:
        """The new key of an address for a nonce; None when it has one or has too many."""
        owner = self._owner(address)
        if nonce in owner.keys or len(owner.keys) >= MOST_KEYS:
            return None
        made = owner.keys[nonce] = self._made(address, "api", nonce, now)
        self._by_name[made.key] = made
        return made

    def derive(self, address: str, nonce: int) -> ApiKey | None:
        """The key that an address has for a nonce."""
        owner = self._owners.get(address.lower())
        return owner.keys.get(nonce) if owner else None

    def named(self, name: str) -> ApiKey | None:
        """A key by its name, read-only ones included."""
        return self._by_name.get(name)

    def __iter__(self) -> Iterator[ApiKey]:
        """Every key that can trade."""
        return (key for owner in self._owners.values() for key in owner.keys.values())

    def of(self, address: str) -> list[ApiKey]:
        """The keys of an address, oldest first."""
        owner = self._owners.get(address.lower())
        return list(owner.keys.values()) if owner else []

    def delete(self, key: ApiKey) -> None:
        """Takes a key back; whoever has it is nobody from now on."""
        owner = self._owner(key.address)
        self._by_name.pop(key.key, None)
        owner.readonly.pop(key.key, None)
        if owner.keys.get(key.nonce) is key:
            del owner.keys[key.nonce]

    def create_readonly(self, address: str, now: int) -> ApiKey | None:
        """A new key that can read and nothing else; None when there are too many."""
        owner = self._owner(address)
        if len(owner.readonly) >= MOST_KEYS:
            return None
        made = self._made(address, "readonly", owner.made, now)
        self._by_name[made.key] = owner.readonly[made.key] = made
        return made

    def readonly_of(self, address: str) -> list[ApiKey]:
        """The read-only keys of an address, oldest first."""
        return list(self._owner(address).readonly.values())

    def create_builder(self, address: str, now: int) -> BuilderKey | None:
        """A new builder key; None when there are too many."""
        owner = self._owner(address)
        if len(owner.builder) >= MOST_KEYS:
            return None
        made = BuilderKey(self._made(address, "builder", owner.made, now))
        self._builders[made.key.key] = owner.builder[made.key.key] = made
        return made

    def builder(self, name: str) -> BuilderKey | None:
        """A builder key that was not revoked, by its name."""
        found = self._builders.get(name)
        return found if found is not None and not found.revoked else None

    def builder_of(self, address: str) -> list[BuilderKey]:
        """The builder keys of an address, oldest first, revoked ones included."""
        return list(self._owner(address).builder.values())

    def let_in(self, wallet: str, key: SessionKey) -> None:
        """Lets a session key sign for a wallet; a second time replaces the first."""
        self._sessions.setdefault(wallet.lower(), {})[key.address.lower()] = key
        self._serves[key.address.lower()] = wallet

    def shut_out(self, wallet: str, address: str) -> None:
        """Takes a session key's right back."""
        self._sessions.get(wallet.lower(), {}).pop(address.lower(), None)

    def sessions(self, wallet: str, now: int) -> list[SessionKey]:
        """The session keys that may sign for a wallet now."""
        known = self._sessions.get(wallet.lower(), {}).values()
        return [key for key in known if key.until * SECOND > now]

    def may_sign(self, wallet: str, address: str, now: int) -> bool:
        """True when an address is a session key of a wallet now."""
        key = self._sessions.get(wallet.lower(), {}).get(address.lower())
        return key is not None and key.until * SECOND > now

    def served_by(self, address: str, now: int) -> str | None:
        """The wallet that a session key was let in by last, if it still may sign for it."""
        wallet = self._serves.get(address.lower())
        return wallet if wallet is not None and self.may_sign(wallet, address, now) else None

    def _owner(self, address: str) -> _Owner:
        return self._owners.setdefault(address.lower(), _Owner())

    def _made(self, address: str, kind: str, nonce: int, now: int) -> ApiKey:
        owner = self._owner(address)
        root = f"{self._seed}/{address.lower()}/{kind}/{nonce}/{owner.made}".encode()
        owner.made += 1
        name, secret, passphrase = (hashlib.sha256(root + part).digest() for part in _PARTS)
        return ApiKey(
            key=str(uuid.UUID(bytes=name[:16], version=4)),
            secret=base64.urlsafe_b64encode(secret).decode(),
            passphrase=passphrase.hex(),
            address=address,
            nonce=nonce,
            created=now,
            readonly=kind == "readonly",
        )


_PARTS: Final = (b"/name", b"/secret", b"/passphrase")
