"""Whom a fault concerns: requests, messages, markets or wallets, chosen by what they have."""

from __future__ import annotations

import re
from collections.abc import Iterable
from difflib import get_close_matches
from fnmatch import fnmatchcase
from typing import Annotated, Any, Final

import msgspec
from pydantic import AfterValidator, BaseModel, BeforeValidator, ConfigDict, Field

from polyframe.errors import ConfigError
from polyframe.sandbox.desk import Desk
from polyframe.sandbox.door import Asked
from polyframe.sandbox.faults.stage import Picks
from polyframe.sandbox.sockets.line import Whole, array

PREFIXES: Final = ("clob", "gamma", "data", "relayer", "rpc")
METHODS: Final = ("GET", "POST", "DELETE", "PUT", "PATCH", "HEAD", "OPTIONS")
CHANNELS: Final = ("market", "user")
EVENTS: Final = (
    "book",
    "price_change",
    "last_trade_price",
    "tick_size_change",
    "best_bid_ask",
    "new_market",
    "market_resolved",
    "order",
    "trade",
)


def _listed(value: Any) -> Any:
    """One name stands for a list of one."""
    return (
        (value,) if isinstance(value, str) else tuple(value) if isinstance(value, list) else value
    )


def _one_of(what: str, known: Iterable[str], change: Any = str) -> AfterValidator:
    names = tuple(known)

    def check(values: tuple[str, ...]) -> tuple[str, ...]:
        found = tuple(change(value) for value in values)
        for value in found:
            if value not in names:
                near = get_close_matches(value, names, n=1)
                hint = f"; did you mean {near[0]!r}?" if near else ""
                raise ValueError(f"there is no {what} {value!r}{hint} (one of {', '.join(names)})")
        return found

    return AfterValidator(check)


def _shaped(what: str, pattern: str, change: Any = str) -> AfterValidator:
    shape = re.compile(pattern)

    def check(values: tuple[str, ...]) -> tuple[str, ...]:
        for value in values:
            if not shape.fullmatch(value):
                raise ValueError(f"{value!r} is no {what}")
        return tuple(change(value) for value in values)

    return AfterValidator(check)


Names = Annotated[tuple[str, ...], BeforeValidator(_listed), Field(max_length=1_000)]
Paths = Annotated[Names, _shaped("path: it begins with /, * stands for anything", r"/[\x21-\x7e]*")]
Tokens = Annotated[Names, _shaped("token id: decimal digits", r"[0-9]{1,78}")]
Addresses = Annotated[
    Names, _shaped("address: 0x and 40 hex digits", "0x[0-9a-fA-F]{40}", str.lower)
]


class Target(BaseModel):
    """Nothing is chosen by it: everybody is meant."""

    model_config = ConfigDict(extra="forbid", frozen=True)

    def picks(self, desk: Desk) -> Picks:
        """What the names stand for at a venue.

        Raises:
            ConfigError: a market or a token is not listed.
        """
        markets: tuple[str, ...] = getattr(self, "market", ())
        tokens: tuple[str, ...] = getattr(self, "token", ())
        unknown = [token for token in tokens if token not in desk.venue.tokens]
        if unknown:
            raise ConfigError(
                f"there is no token {unknown[0]!r}",
                expected="the id of a listed market's token",
                hint="GET /clob/sampling-markets lists them",
            )
        return Picks(
            frozenset(tokens),
            frozenset(_condition(desk, name) for name in markets),
            frozenset(getattr(self, "wallet", ())),
            frozenset(getattr(self, "key", ())),
        )


def _condition(desk: Desk, name: str) -> str:
    """A market's condition id, from that or from its slug."""
    if name.lower() in desk.venue.markets:
        return name.lower()
    slugs = {market.listing.slug: id for id, market in desk.venue.markets.items()}
    if name in slugs:
        return slugs[name]
    near = get_close_matches(name, slugs, n=1)
    raise ConfigError(
        f"there is no market {name!r}",
        expected=f"{near[0]!r}?" if near else "the condition id or the slug of a listed market",
        hint="GET /clob/sampling-markets lists them",
    )


class Route(Target):
    """Requests. All that is said must hold of one; of several names one is enough."""

    prefix: Annotated[Names, _one_of("prefix", PREFIXES)] = ()
    method: Annotated[Names, _one_of("method", METHODS, str.upper)] = ()
    path: Paths = ()
    """after the prefix; * stands for anything"""
    market: Names = ()
    """condition id or slug; the request names it, or one of its tokens"""
    token: Tokens = ()
    wallet: Addresses = ()
    """who signed the request, or whom it names"""
    key: Names = ()
    """the API key of the request"""

    def holds(self, prefix: str, asked: Asked, picks: Picks, desk: Desk) -> bool:
        """True for a request that is meant."""
        if self.prefix and prefix not in self.prefix:
            return False
        if self.method and asked.method not in self.method:
            return False
        if self.path and not any(fnmatchcase(asked.path, path) for path in self.path):
            return False
        if picks.keys and asked.header("POLY_API_KEY") not in picks.keys:
            return False
        said = b"%s?%s\n%s" % (asked.path.encode("latin-1"), asked.query, asked.body)
        if picks.wallets and not _signed_or_said(asked, said.lower(), picks.wallets):
            return False
        if picks.tokens or picks.conditions:
            words = [*picks.tokens, *picks.conditions]
            for condition in picks.conditions:
                words += desk.venue.markets[condition].listing.tokens
            return any(word.encode() in said for word in words)
        return True


def _signed_or_said(asked: Asked, said: bytes, wallets: frozenset[str]) -> bool:
    if asked.header("POLY_ADDRESS").lower() in wallets:
        return True
    return any(wallet.encode() in said for wallet in wallets)


class Sockets(Target):
    """Sockets. All that is said must hold; of several names one is enough."""

    channel: Annotated[Names, _one_of("channel", CHANNELS)] = ()
    key: Names = ()
    """the API key that a user's socket subscribed with"""


class Feed(Sockets):
    """Messages to sockets. All that is said must hold; of several names one is enough."""

    event: Annotated[Names, _one_of("event", EVENTS)] = ()
    market: Names = ()
    """condition id or slug"""
    token: Tokens = ()

    def split(self, event: bytes, picks: Picks) -> tuple[bytes | None, list[bytes]]:
        """What of a message is meant, and the rest of it.

        Where tokens are chosen, books sent together and changes of two tokens are taken apart.
        """
        if self.event and not any(
            b'"event_type":"%s"' % kind.encode() in event for kind in self.event
        ):
            return None, [event]
        words = [word.encode() for word in (*picks.tokens, *picks.conditions)]
        if not words:
            return event, []
        if not any(word in event for word in words):
            return None, [event]
        if isinstance(event, Whole) or picks.tokens:
            return _apart(event, picks)
        return event, []


_read = msgspec.json.Decoder().decode
_read_list = msgspec.json.Decoder(list[msgspec.Raw]).decode
_write = msgspec.json.Encoder().encode


def _apart(event: bytes, picks: Picks) -> tuple[bytes | None, list[bytes]]:
    words = [word.encode() for word in (*picks.tokens, *picks.conditions)]
    if isinstance(event, Whole):
        rows = [bytes(raw) for raw in _read_list(event)]
        hit = [row for row in rows if any(word in row for word in words)]
        rest = [row for row in rows if row not in hit]
        most = len(event) + 2  # it was one frame, so is each of its parts
        return (next(iter(array(hit, most))) if hit else None), [*array(rest, most)] if rest else []
    said = _read(event)
    changes = said.get("price_changes")
    if changes is None:
        return event, []
    whole = said.get("market") in picks.conditions
    hit = [row for row in changes if whole or row["asset_id"] in picks.tokens]
    rest = [row for row in changes if not (whole or row["asset_id"] in picks.tokens)]
    if not hit or not rest:
        return (event, []) if hit else (None, [event])
    return _write({**said, "price_changes": hit}), [_write({**said, "price_changes": rest})]


class Place(Target):
    """Markets, by condition id, slug or token."""

    market: Names = ()
    token: Tokens = ()


class People(Target):
    """Traders, by wallet or by API key."""

    wallet: Addresses = ()
    key: Names = ()


class Party(Target):
    """Matches, by market, token, or by whoever has a part in them."""

    market: Names = ()
    token: Tokens = ()
    wallet: Addresses = ()
    key: Names = ()
