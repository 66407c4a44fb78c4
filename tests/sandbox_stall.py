"""Markets, keys and wallets that the tests of the sandbox's doors share."""

from __future__ import annotations

import hashlib
from typing import Any

from polyframe.exchanges.polymarket.contracts import AMOY
from polyframe.exchanges.polymarket.curve import address_of
from polyframe.exchanges.polymarket.wallet import Wallets, wallets_of
from polyframe.sandbox.venue.market import Market
from polyframe.sandbox.venue.records import FeeTerms, Listing, RewardTerms
from polyframe.sandbox.venue.venue import Venue

MILLION = 1_000_000
START = 1_790_000_000 * 10**9


def listing(number: int, **terms: Any) -> Listing:
    """A market's terms; ids are hashes, as real ones are."""
    root = f"stall/{number}".encode()
    condition, yes, no = (hashlib.sha256(root + part).digest() for part in (b"", b"/y", b"/n"))
    return Listing(
        condition_id="0x" + condition.hex(),
        tokens=(str(int.from_bytes(yes)), str(int.from_bytes(no))),
        question_id="0x" + hashlib.sha256(condition).hexdigest(),
        question=f"Will number {number} be drawn?",
        slug=f"will-number-{number}-be-drawn",
        **terms,
    )


POLITICS = FeeTerms(rate=40_000, exponent=1, rebate_rate=250_000, kind="politics_fees")
REWARDED = RewardTerms(daily=100 * MILLION, min_size=20 * MILLION, max_spread=350)


def stall(now: int = START, **settings: Any) -> tuple[Venue, list[Market]]:
    """A venue with four markets: plain, with fees and rewards, neg-risk, and with fine ticks."""
    from polyframe.sandbox.venue.settings import Settings

    venue = Venue(Settings(**settings), now=now)
    terms: list[dict[str, Any]] = [
        {},
        {"fees": POLITICS, "rewards": REWARDED},
        {"neg_risk": True, "neg_risk_market_id": "0x" + "ab" * 32, "complete": False},
        {"tick": 10},
    ]
    return venue, [venue.list_market(listing(i, **each)) for i, each in enumerate(terms)]


def key_of(number: int) -> bytes:
    """A play key."""
    return hashlib.sha256(f"stall/key/{number}".encode()).digest()


def wallets(number: int) -> Wallets:
    """The wallets of a play key."""
    return wallets_of(address_of(key_of(number)), AMOY)
