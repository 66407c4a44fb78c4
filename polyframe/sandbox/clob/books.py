"""Books, prices and what an order needs to know of a market: the CLOB's public reads."""

from __future__ import annotations

from collections.abc import Callable
from typing import Final

import msgspec

from polyframe.domain.units import SECOND
from polyframe.sandbox.desk import NO_BOOK, Desk
from polyframe.sandbox.door import Asked, Reply, Room, Turned
from polyframe.sandbox.faces import Face
from polyframe.sandbox.rows import Row, base_fee
from polyframe.sandbox.venue.records import BUY, SELL
from polyframe.sandbox.wire import half_text, price_number, price_text

# Source: docs.polymarket.com, /books.
MOST_TOKENS: Final = 500


class _TokenAsked(msgspec.Struct):
    token_id: str
    side: str = ""


_tokens_asked = msgspec.json.Decoder(list[_TokenAsked]).decode


class Books:
    """The routes about books."""

    def __init__(self, desk: Desk) -> None:
        self._desk = desk

    def enter(self, room: Room) -> None:
        """Adds the routes."""
        room.add("GET", "/", lambda _: "OK")
        room.add("GET", "/ok", lambda _: "OK")
        room.add("GET", "/time", lambda _: self._desk.venue.now // SECOND)
        room.add("GET", "/version", lambda _: {"version": 2})
        room.add("GET", "/book", self._book)
        room.add("POST", "/books", self._books)
        room.add("GET", "/books", _posted)
        for one, many, name, show in (
            ("/midpoint", "/midpoints", "mid", _mid),
            ("/spread", "/spreads", "spread", _spread),
        ):
            room.add("GET", one, self._single(name, show))
            room.add("POST", many, self._several(show))
            room.add("GET", many, _posted)
        room.add("GET", "/price", self._price)
        room.add("POST", "/prices", self._prices)
        room.add("GET", "/prices", _posted)
        room.add("GET", "/last-trade-price", self._last)
        room.add("POST", "/last-trades-prices", self._lasts)
        room.add("GET", "/last-trades-prices", _posted)
        room.add("GET", "/tick-size", self._tick)
        room.add("GET", "/neg-risk", self._neg_risk)
        room.add("GET", "/fee-rate", self._fee_rate)

    def _face(self, asked: Asked) -> tuple[Face, int]:
        market, outcome = self._desk.token(asked.one("token_id"))
        if not market.booked:
            raise Turned(404, NO_BOOK)
        return self._desk.faces.of(market), outcome

    def _faces(self, asked: Asked) -> list[tuple[str, str, Face, int]]:
        """Tokens that have a book, as often as they were asked for; the others are dropped."""
        found = []
        for one in _asked_tokens(asked):
            known = self._desk.venue.tokens.get(one.token_id)
            if known is not None and known[0].booked:
                found.append((one.token_id, one.side, self._desk.faces.of(known[0]), known[1]))
        return found

    def _book(self, asked: Asked) -> Reply:
        face, outcome = self._face(asked)
        return Reply(face.json(outcome))

    def _books(self, asked: Asked) -> Reply:
        books = {token: face.json(outcome) for token, _, face, outcome in self._faces(asked)}
        return Reply(b"[" + b",".join(books.values()) + b"]")

    def _single(self, name: str, show: Callable[[Face, int], str]) -> Callable[[Asked], Row]:
        def call(asked: Asked) -> Row:
            return {name: show(*self._face(asked))}

        return call

    def _several(self, show: Callable[[Face, int], str]) -> Callable[[Asked], Row]:
        def call(asked: Asked) -> Row:
            return {token: show(face, outcome) for token, _, face, outcome in self._faces(asked)}

        return call

    def _price(self, asked: Asked) -> Row:
        side = _side(asked.one("side"))
        return {"price": _best(*self._face(asked), side)}

    def _prices(self, asked: Asked) -> dict[str, dict[str, str]]:
        found: dict[str, dict[str, str]] = {}
        for token, side, face, outcome in self._faces(asked):
            wanted = _side(side)
            found.setdefault(token, {})[wanted] = _best(face, outcome, wanted)
        return found

    def _last(self, asked: Asked) -> Row:
        token = asked.one("token_id")
        self._face(asked)
        last = self._desk.venue.last_trade(token)
        if last is None:
            return {"price": "0.5", "side": ""}
        return {"price": price_text(last[0]), "side": last[1]}

    def _lasts(self, asked: Asked) -> list[Row]:
        """Tokens that never traded are left out: clients refuse a row without a side."""
        rows: dict[str, Row] = {}
        for token, *_ in self._faces(asked):
            last = self._desk.venue.last_trade(token)
            if last is not None:
                rows[token] = {"token_id": token, "price": price_text(last[0]), "side": last[1]}
        return list(rows.values())

    def _tick(self, asked: Asked) -> Row:
        market, _ = self._desk.token(asked.one("token_id"), text="market not found")
        return {"minimum_tick_size": price_number(market.tick)}

    def _neg_risk(self, asked: Asked) -> Row:
        market, _ = self._desk.token(asked.one("token_id"), text="market not found")
        return {"neg_risk": market.listing.neg_risk}

    def _fee_rate(self, asked: Asked) -> Row:
        market, _ = self._desk.token(asked.one("token_id"), text="fee rate not found for market")
        return {"base_fee": base_fee(market.listing.fees)}


def _asked_tokens(asked: Asked) -> list[_TokenAsked]:
    try:
        found = _tokens_asked(asked.body)
    except (msgspec.MsgspecError, ValueError, RecursionError) as error:
        raise Turned(400, "Invalid payload") from error
    if len(found) > MOST_TOKENS:
        raise Turned(400, "Payload exceeds the limit")
    return found


def _posted(_: Asked) -> Row:
    """What these routes answer to GET: the venue misses the payload before it minds the method."""
    raise Turned(400, "Invalid payload")


def _side(text: str) -> str:
    if text.upper() not in {BUY, SELL}:
        raise Turned(400, "Invalid side")
    return text.upper()


def _best(face: Face, outcome: int, side: str) -> str:
    """The best resting price of a side: BUY is the best bid."""
    bid, ask = face.best(outcome)
    return price_text(bid if side == BUY else ask)


def _mid(face: Face, outcome: int) -> str:
    bid, ask = face.best(outcome)
    return half_text(bid + ask)


def _spread(face: Face, outcome: int) -> str:
    bid, ask = face.best(outcome)
    return price_text(ask - bid)
