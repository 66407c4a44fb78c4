"""Placing and cancelling orders, and the heartbeat that keeps them."""

from __future__ import annotations

from collections.abc import Callable
from typing import Final, TypeVar

import msgspec

from polyframe.sandbox.clob.signed import Checked, OrderPosted, check, many_posted, read_one
from polyframe.sandbox.desk import Desk
from polyframe.sandbox.door import Asked, Reply, Room, Turned, encode
from polyframe.sandbox.rows import Row
from polyframe.sandbox.venue.check import RESTING, terms
from polyframe.sandbox.venue.records import ApiKey, Cancelled, Placed, Refused
from polyframe.sandbox.wire import size_text

# Source: docs.polymarket.com/changelog; polymarket-client 0.14.0 (post.py) has the same cap.
MOST_ORDERS: Final = 15
# Source: cancel.py of polymarket-client 0.14.0. UNSURE at the venue: its docs also say 1000.
MOST_CANCELS: Final = 3_000


class _CancelOne(msgspec.Struct):
    orderID: str  # noqa: N815 - the wire's name


class _CancelMarket(msgspec.Struct):
    market: str | None = None
    asset_id: str | None = None


class _Beat(msgspec.Struct):
    heartbeat_id: str = ""


_cancel_one = msgspec.json.Decoder(_CancelOne).decode
_cancel_many = msgspec.json.Decoder(list[str]).decode
_cancel_market = msgspec.json.Decoder(_CancelMarket).decode
_beat = msgspec.json.Decoder(_Beat).decode


class Orders:
    """The routes that change orders."""

    def __init__(self, desk: Desk) -> None:
        self._desk = desk

    def enter(self, room: Room) -> None:
        """Adds the routes."""
        room.add("POST", "/order", self._post)
        room.add("POST", "/orders", self._post_many)
        room.add("DELETE", "/order", self._cancel)
        room.add("DELETE", "/orders", self._cancel_several)
        room.add("DELETE", "/cancel-all", self._cancel_all)
        room.add("DELETE", "/cancel-market-orders", self._cancel_market)
        room.add("POST", "/v1/heartbeats", self._heartbeat)

    async def _post(self, asked: Asked) -> Row | Reply:
        key = self._desk.caller(asked)
        posted = read_one(asked.body)
        checked = posted if isinstance(posted, Refused) else check(self._desk, posted, key)
        placed = checked if isinstance(checked, Refused) else self._place(checked, key)
        answer = await self._answer(placed)
        if isinstance(answer, Refused):
            return _refusal(answer)
        return _accepted(answer, checked)

    async def _post_many(self, asked: Asked) -> list[Row] | Reply:
        """Each leg stands for itself, except that a price off its tick turns all of them away.

        Source: a live audit of a Go client, August 2026; that the post-only mode is answered leg by
        leg, docs.polymarket.com/trading/matching-engine.
        """
        key = self._desk.caller(asked)
        legs = _legs(asked)
        checked = [leg if isinstance(leg, Refused) else check(self._desk, leg, key) for leg in legs]
        for leg in checked:
            off = None if isinstance(leg, Refused) else self._off_tick(leg)
            if off is not None:
                return _refusal(off)
        placed = [leg if isinstance(leg, Refused) else self._place(leg, key) for leg in checked]
        answers = [await self._answer(leg) for leg in placed]
        halted = [
            leg
            for leg in answers
            if isinstance(leg, Refused) and leg.status != 400 and not leg.code
        ]
        if len(halted) == len(answers):
            return _refusal(halted[0])
        return [
            _turned_leg(answer) if isinstance(answer, Refused) else _accepted(answer, leg)
            for answer, leg in zip(answers, checked, strict=True)
        ]

    def _off_tick(self, leg: Checked) -> Refused | None:
        market, _ = self._desk.venue.tokens[leg.order.token_id]
        if not (leg.order.maker_amount and leg.order.taker_amount):
            return None
        found = terms(leg.order, market, leg.order_type)
        return found if isinstance(found, Refused) and "tick size" in found.text else None

    def _place(self, leg: Checked, key: ApiKey) -> Placed | Refused:
        placed = self._desk.venue.place(
            leg.order,
            owner=key.key,
            order_type=leg.order_type,
            post_only=leg.post_only,
            defer=leg.defer,
        )
        if isinstance(placed, Placed):
            self._desk.placed(key, leg.order)
        return placed

    async def _answer(self, placed: Placed | Refused) -> Placed | Refused:
        """What the caller is told: where a taker waits, when the wait is over."""
        if isinstance(placed, Placed) and placed.ready_at > self._desk.venue.now:
            await self._desk.wait(placed.ready_at)
            return self._desk.venue.outcome(placed.order_id)
        return placed

    def _cancel(self, asked: Asked) -> Row:
        key = self._desk.caller(asked)
        wanted = _read(_cancel_one, asked)
        return _cancelled(self._desk.venue.cancel(key.key, [wanted.orderID]))

    def _cancel_several(self, asked: Asked) -> Row:
        key = self._desk.caller(asked)
        wanted = _read(_cancel_many, asked)
        if len(wanted) > MOST_CANCELS:
            raise Turned(
                400, f"Too many orders in payload: {len(wanted)}, max allowed: {MOST_CANCELS}"
            )
        return _cancelled(self._desk.venue.cancel(key.key, wanted))

    def _cancel_all(self, asked: Asked) -> Row:
        return _cancelled(self._desk.venue.cancel_all(self._desk.caller(asked).key))

    def _cancel_market(self, asked: Asked) -> Row:
        key = self._desk.caller(asked)
        wanted = _read(_cancel_market, asked) if asked.body else _CancelMarket()
        market = wanted.market.lower() if wanted.market else None
        return _cancelled(self._desk.venue.cancel_market(key.key, market, wanted.asset_id or None))

    def _heartbeat(self, asked: Asked) -> Row | Reply:
        """The id to send next; a wrong one is answered with the right one.

        Source: order_heartbeats.py of polymarket-client 0.14.0, which reads ``error_msg``.
        """
        key = self._desk.caller(asked)
        wanted = _read(_beat, asked) if asked.body else _Beat()
        beat = self._desk.venue.heartbeat(key.key, wanted.heartbeat_id)
        if beat.error:
            body = {"error_msg": beat.error, "heartbeat_id": beat.heartbeat_id}
            return Reply(encode(body), 400)
        return {"heartbeat_id": beat.heartbeat_id}


R = TypeVar("R")


def _read(decode: Callable[[bytes], R], asked: Asked) -> R:
    try:
        return decode(asked.body)
    except (msgspec.MsgspecError, ValueError, RecursionError) as error:
        raise Turned(400, "Invalid payload") from error


def _legs(asked: Asked) -> list[OrderPosted | Refused]:
    try:
        raw = many_posted(asked.body)
    except (msgspec.MsgspecError, ValueError, RecursionError) as error:
        raise Turned(400, "Invalid order payload") from error
    if not raw:
        raise Turned(400, "Invalid order payload")
    if len(raw) > MOST_ORDERS:
        raise Turned(400, f"Too many orders in payload: {len(raw)}, max allowed: {MOST_ORDERS}")
    return [read_one(leg) for leg in raw]


def _accepted(placed: Placed, checked: Checked | Refused) -> Row:
    """An order that was taken, as the venue answers.

    Hashes come with a resting order's matches alone: since 2026-07-24 a FOK or FAK order's are
    read from its trades.
    """
    row: Row = {
        "errorMsg": placed.error,
        "orderID": placed.order_id,
        "takingAmount": size_text(placed.taking) if placed.taking else "",
        "makingAmount": size_text(placed.making) if placed.making else "",
        "status": placed.status,
        "success": True,
    }
    if placed.trade_ids:
        row["tradeIDs"] = list(placed.trade_ids)
        if isinstance(checked, Checked) and checked.order_type in RESTING:
            row["transactionsHashes"] = list(placed.hashes)
    return row


def _turned_leg(refused: Refused) -> Row:
    """A leg of a batch that was refused: it says success all the same, as the venue does."""
    return {
        "errorMsg": refused.text,
        "orderID": "",
        "takingAmount": "",
        "makingAmount": "",
        "status": "",
        "success": True,
    }


def _refusal(refused: Refused) -> Reply:
    body: Row = {"error": refused.text}
    if refused.order_id:
        body["orderID"] = refused.order_id
    if refused.code:
        body["code"] = refused.code
    headers: tuple[tuple[bytes, bytes], ...] = ()
    if refused.retry_after:
        body["retry_after_seconds"] = refused.retry_after
        headers = ((b"retry-after", str(refused.retry_after).encode()),)
    return Reply(encode(body), refused.status, headers=headers)


def _cancelled(found: Cancelled) -> Row:
    return {"canceled": list(found.canceled), "not_canceled": found.not_canceled}
