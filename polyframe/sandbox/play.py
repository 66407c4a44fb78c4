"""Keys to play with: made of the sandbox's seed alone, with play money in every kind of wallet.

Each private key spells in plain bytes what it is, so that nobody takes it for somebody's secret,
and the sandbox's chain id makes what it signs worthless elsewhere.
"""

from __future__ import annotations

from dataclasses import dataclass
from typing import Final

from polyframe.domain.units import MONEY_ONE
from polyframe.exchanges.polymarket.curve import address_of
from polyframe.exchanges.polymarket.wallet import Wallets, wallets_of
from polyframe.sandbox.keys import Keys
from polyframe.sandbox.venue.records import ApiKey
from polyframe.sandbox.venue.venue import Venue
from polyframe.sandbox.worlds.naming import digest

WORDS: Final = b"polyframe sandbox play key"
NAMES: Final = ("alice", "bob", "carol", "dave")
MONEY: Final = 10_000 * MONEY_ONE
"""in each wallet"""


@dataclass(frozen=True, slots=True)
class PlayKey:
    """A key, the wallets that it controls, and its API key for nonce 0."""

    name: str
    private_key: str
    wallets: Wallets
    api: ApiKey

    def addresses(self) -> dict[str, str]:
        """Its wallets by kind, beginning with the key's own.

        Of the two deposit wallets the newer one: when it is asked about "the" deposit wallet, the
        venue answers for one.
        """
        mine = self.wallets
        return {
            "eoa": mine.owner,
            "proxy": mine.proxy,
            "safe": mine.safe,
            "deposit": mine.deposit,
        }


def private_key(seed: int, name: str) -> bytes:
    """The private key of a name."""
    return WORDS + digest(seed, "play", name)[: 32 - len(WORDS)]


def play_keys(venue: Venue, keys: Keys, seed: int) -> list[PlayKey]:
    """The keys of a seed, ready to trade: with money in all wallets."""
    found: list[PlayKey] = []
    for name in NAMES:
        secret = private_key(seed, name)
        mine = wallets_of(address_of(secret), venue.chain_id)
        api = keys.create(mine.owner, 0, venue.now) or keys.derive(mine.owner, 0)
        if api is None:  # pragma: no cover - one of the two has it
            continue
        key = PlayKey(name, "0x" + secret.hex(), mine, api)
        for address in key.addresses().values():
            venue.fund(address, MONEY)
        found.append(key)
    return found
