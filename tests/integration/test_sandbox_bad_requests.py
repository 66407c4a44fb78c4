"""What nobody should send gets the venue's answer or a clean one, and the server lives on."""

from __future__ import annotations

import asyncio
import json
import os
import time
from collections.abc import AsyncIterator
from typing import Any

import httpx
import pytest
import pytest_asyncio
from sandbox_stall import key_of, stall, wallets
from sandbox_trader import Trader

from polyframe.exchanges.polymarket.auth import call_headers, wallet_headers
from polyframe.exchanges.polymarket.contracts import AMOY
from polyframe.sandbox.running import Sandbox

pytestmark = pytest.mark.asyncio(loop_scope="module")
os.environ["NO_PROXY"] = os.environ["no_proxy"] = "127.0.0.1"


class Caller(Trader):
    """Somebody with a key, whose orders are changed on their way."""

    def changed(
        self, token: str, *, size: int = 10, cents: int = 30, **changes: Any
    ) -> dict[str, Any]:
        """A right order, with some of its fields changed after it was signed."""
        posted = self.order(token, "BUY", cents, size)[1]
        for name in changes.keys() & posted.keys():
            posted[name] = changes.pop(name)
        posted["order"] |= changes
        return posted

    async def post(self, order: Any) -> httpx.Response:
        return await self.call("POST", "/order", order)


class Town:
    def __init__(self, sandbox: Sandbox, http: httpx.AsyncClient, token: str) -> None:
        self.sandbox, self.http, self.token = sandbox, http, token
        self.ann, self.bob = Caller(sandbox, 0, http), Caller(sandbox, 1, http)


@pytest_asyncio.fixture(loop_scope="module", scope="module")
async def town() -> AsyncIterator[Town]:
    venue, markets = stall(now=time.time_ns())
    async with Sandbox(venue) as sandbox:
        for number in range(2):
            venue.fund(wallets(number).owner, 10**10)
        async with httpx.AsyncClient(base_url=sandbox.urls.base, trust_env=False) as http:
            yield Town(sandbox, http, markets[0].listing.tokens[0])
        assert venue.audit(full=True).exact


@pytest_asyncio.fixture(loop_scope="module", autouse=True)
async def alive(town: Town) -> AsyncIterator[None]:
    """After every test the server still answers and no money is missing."""
    yield
    assert (await town.http.get("/clob/ok")).json() == "OK"
    assert town.sandbox.venue.audit().exact


def refusal(answer: httpx.Response, status: int, text: str) -> None:
    assert answer.headers["content-type"] == "application/json"
    assert (answer.status_code, answer.json()["error"]) == (status, text)


# ---- requests -----------------------------------------------------------------------------------


@pytest.mark.parametrize("path", ["/", "/nowhere", "/clob/nowhere", "/clob/markets/1/2", "/clob"])
async def test_unknown_routes(town: Town, path: str) -> None:
    answer = await town.http.get(path)
    if path != "/clob":
        refusal(answer, 404, "Not found")


@pytest.mark.parametrize("method", ["PUT", "PATCH", "OPTIONS", "HEAD", "TRACE", "DELETE"])
async def test_wrong_methods(town: Town, method: str) -> None:
    answer = await town.http.request(method, "/clob/book")
    assert answer.status_code == 405
    assert answer.headers["allow"] == "GET"


async def test_routes_of_many_want_their_payload_before_their_method(town: Town) -> None:
    refusal(await town.http.get("/clob/books"), 400, "Invalid payload")


@pytest.mark.parametrize(
    "body",
    [
        b"",
        b"{",
        b"\xff\xfe",
        b"null",
        b"1",
        b'"x"',
        b"{}",
        b"[1]",
        b'[{"token_id":1}]',
        b"[" * 9999,
    ],
)
@pytest.mark.parametrize("path", ["/books", "/midpoints", "/prices", "/batch-prices-history"])
async def test_bodies_that_are_not_what_is_wanted(town: Town, path: str, body: bytes) -> None:
    refusal(await town.http.post("/clob" + path, content=body), 400, "Invalid payload")


async def test_another_media_type(town: Town) -> None:
    body = {"token_id": town.token}
    answer = await town.http.post("/clob/books", data=body)
    refusal(answer, 415, "Invalid content type, expected application/json")


async def test_bodies_and_queries_without_end(town: Town) -> None:
    refusal(
        await town.http.post("/clob/books", content=b"x" * (2 << 20)),
        413,
        "Payload exceeds the limit",
    )

    async def drip() -> AsyncIterator[bytes]:
        for _ in range(32):
            yield b"x" * 65_536

    refusal(await town.http.post("/clob/books", content=drip()), 413, "Payload exceeds the limit")
    many = [{"token_id": town.token}] * 501
    refusal(await town.http.post("/clob/books", json=many), 400, "Payload exceeds the limit")
    long = "&".join(f"a{n}=1" for n in range(1_500))
    refusal(await town.http.get(f"/clob/book?{long}"), 400, "Invalid query")


@pytest.mark.parametrize(
    ("path", "status", "text"),
    [
        ("/book", 400, "Invalid token id"),
        ("/book?token_id=x", 400, "Invalid token id"),
        ("/book?token_id=-1", 400, "Invalid token id"),
        ("/book?token_id=" + "9" * 500, 400, "Invalid token id"),
        ("/book?token_id=%F0%9F", 400, "Invalid token id"),
        ("/book?token_id=1", 404, "No orderbook exists for the requested token id"),
        ("/tick-size?token_id=1", 404, "market not found"),
        ("/fee-rate?token_id=1", 404, "fee rate not found for market"),
        ("/clob-markets/0x12", 404, "market not found"),
        ("/markets/0x12", 404, "market not found"),
        ("/markets-by-token/abc", 400, "Invalid token id"),
        ("/markets-by-token/%00", 400, "Invalid token id"),
        ("/markets?next_cursor=!", 400, "Invalid next_cursor"),
        ("/markets?next_cursor=LTI=", 400, "Invalid next_cursor"),
        ("/prices-history", 400, "Invalid market"),
        ("/prices-history?market=1", 400, "either 'interval' or 'startTs' and 'endTs' are needed"),
        ("/prices-history?market=1&interval=1d&fidelity=0", 400, "Invalid fidelity"),
        ("/prices-history?market=1&interval=1d&fidelity=1.5", 400, "Invalid fidelity"),
        ("/fees/builder-fees/12", 400, "Invalid builder code"),
        ("/fees/builder-fees/0x" + "1" * 64, 404, "builder code not found"),
        ("/rebates/current?date=today", 400, "Invalid maker_address"),
        ("/rewards/markets/multi?order_by=luck", 400, "Invalid order_by"),
        ("/rewards/markets/multi?page_size=0", 400, "Invalid page_size"),
        ("/rewards/markets/multi?min_price=nan", 400, "Invalid min_price"),
    ],
)
async def test_parameters_that_make_no_sense(town: Town, path: str, status: int, text: str) -> None:
    refusal(await town.http.get("/clob" + path), status, text)


async def test_a_side_is_needed_for_a_price(town: Town) -> None:
    for side in ("", "buyy", "0"):
        path = f"/clob/price?token_id={town.token}&side={side}"
        refusal(await town.http.get(path), 400, "Invalid side")


async def test_a_cursor_past_the_end_ends(town: Town) -> None:
    for cursor in ("LTE=", "OTk5OTk5"):
        answer = await town.http.get(f"/clob/markets?next_cursor={cursor}")
        assert answer.json()["data"] == []
        assert answer.json()["next_cursor"] == "LTE="


# ---- who is asking ------------------------------------------------------------------------------

PRIVATE = [
    ("GET", "/data/orders"),
    ("GET", "/data/trades"),
    ("GET", "/data/order/0x1"),
    ("GET", "/balance-allowance?asset_type=COLLATERAL"),
    ("GET", "/notifications"),
    ("DELETE", "/notifications?ids=1"),
    ("GET", "/auth/api-keys"),
    ("DELETE", "/auth/api-key"),
    ("POST", "/order"),
    ("POST", "/orders"),
    ("DELETE", "/order"),
    ("DELETE", "/orders"),
    ("DELETE", "/cancel-all"),
    ("DELETE", "/cancel-market-orders"),
    ("POST", "/v1/heartbeats"),
    ("GET", "/rewards/user?date=2026-01-01"),
]


@pytest.mark.parametrize(("method", "path"), PRIVATE)
async def test_private_routes_know_who_asks(town: Town, method: str, path: str) -> None:
    """Without headers, with another's address, another's name, an old time, another body."""
    refused = (401, "Unauthorized/Invalid api key")
    refusal(await town.http.request(method, "/clob" + path), *refused)
    for headers in (
        {"POLY_ADDRESS": town.bob.address},
        {"POLY_API_KEY": town.bob.credentials.key},
        {"POLY_PASSPHRASE": town.bob.credentials.passphrase},
        {"POLY_SIGNATURE": "AAAA"},
        {"POLY_SIGNATURE": "\u00e9".encode("latin-1")},
        {"POLY_TIMESTAMP": str(int(time.time()) + 30)},
        {"POLY_TIMESTAMP": "now"},
        {"POLY_TIMESTAMP": "9" * 30},
    ):
        refusal(await town.ann.call(method, path, headers=headers), *refused)
    refusal(await town.ann.call(method, path, skew=-3_600), *refused)


async def test_a_call_is_signed_with_its_exact_bytes(town: Town) -> None:
    body = b'{"heartbeat_id":""}'
    signed = call_headers(
        town.ann.credentials, town.ann.address, int(time.time()), "POST", "/v1/heartbeats", body
    )
    answer = await town.http.post("/clob/v1/heartbeats", content=body + b" ", headers=signed)
    refusal(answer, 401, "Unauthorized/Invalid api key")


@pytest.mark.parametrize(
    ("path", "text"),
    [
        ("/notifications?signature_type=4", "Invalid signature_type"),
        ("/notifications?signature_type=-1", "Invalid signature_type"),
        ("/notifications?signature_type=proxy", "Invalid signature_type"),
        ("/balance-allowance?asset_type=COLLATERAL&signature_type=4", "Invalid signature_type"),
        ("/rewards/user?date=2026-01-01&signature_type=4", "Invalid signature_type"),
        ("/order-scoring", "Invalid order_id"),
        ("/order-scoring?order_id=", "Invalid order_id"),
    ],
)
async def test_a_parameter_that_says_nothing_is_named(town: Town, path: str, text: str) -> None:
    refusal(await town.ann.call("GET", path), 400, text)


@pytest.mark.parametrize("path", ["/auth/api-key", "/auth/derive-api-key"])
async def test_only_a_wallet_makes_keys(town: Town, path: str) -> None:
    method = "POST" if path == "/auth/api-key" else "GET"
    right = wallet_headers(key_of(40), int(time.time()), chain_id=AMOY)
    for headers in (
        {},
        {**right, "POLY_ADDRESS": town.ann.address},
        {**right, "POLY_ADDRESS": "0x12"},
        {**right, "POLY_NONCE": "1"},
        {**right, "POLY_NONCE": "-1"},
        {**right, "POLY_NONCE": "9" * 200},
        {**right, "POLY_SIGNATURE": "0x"},
        {**right, "POLY_TIMESTAMP": str(int(time.time()) - 600)},
        wallet_headers(key_of(40), int(time.time()) - 600, chain_id=AMOY),
        wallet_headers(key_of(40), int(time.time()), chain_id=137),
    ):
        answer = await town.http.request(method, "/clob" + path, headers=headers)
        refusal(answer, 401, "Invalid L1 Request headers")


# ---- orders -------------------------------------------------------------------------------------


async def test_a_right_order_is_right(town: Town) -> None:
    placed = (await town.ann.post(town.ann.changed(town.token))).json()
    assert placed == {
        "errorMsg": "",
        "orderID": placed["orderID"],
        "takingAmount": "",
        "makingAmount": "",
        "status": "live",
        "success": True,
    }
    await town.ann.call("DELETE", "/cancel-all")


@pytest.mark.parametrize(
    "changes",
    [
        {"salt": "1"},
        {"salt": -1},
        {"salt": 1.5},
        {"salt": 2**256},
        {"signatureType": 4},
        {"signatureType": "0"},
        {"signatureType": -1},
        {"makerAmount": 3_000_000},
        {"makerAmount": "3e6"},
        {"makerAmount": "-1"},
        {"makerAmount": ""},
        {"makerAmount": "9" * 100},
        {"takerAmount": None},
        {"tokenId": 7},
        {"tokenId": "0x12"},
        {"side": "buy"},
        {"side": 0},
        {"expiration": "soon"},
        {"timestamp": ""},
        {"metadata": "0x"},
        {"builder": "0x" + "zz" * 32},
        {"maker": "me"},
        {"signer": ""},
        {"signature": ""},
        {"signature": "0x1"},
        {"signature": "0x" + "00" * 5_000},
        {"orderType": 5},
        {"owner": None},
    ],
    ids=str,
)
async def test_an_order_of_the_wrong_form(town: Town, changes: dict[str, Any]) -> None:
    refusal(
        await town.ann.post(town.ann.changed(town.token, **changes)), 400, "Invalid order payload"
    )


@pytest.mark.parametrize("body", [b"", b"{", b"[]", b"{}", b'{"order":{}}', b"\xff", b"[" * 9_999])
async def test_a_body_that_is_no_order(town: Town, body: bytes) -> None:
    refusal(await town.ann.call("POST", "/order", body), 400, "Invalid order payload")


@pytest.mark.parametrize(
    ("changes", "text"),
    [
        ({"owner": "00000000-0000-4000-8000-000000000000"}, "the order owner has to be"),
        ({"signer": "0x" + "22" * 20}, "the order signer address has to be"),
        ({"maker": "0x" + "22" * 20}, "invalid signature"),
        ({"side": "SELL"}, "invalid signature"),
        ({"makerAmount": "1"}, "invalid signature"),
        ({"timestamp": "1790000000001"}, "invalid signature"),
        ({"signature": "0x" + "00" * 65}, "invalid signature"),
        ({"signature": "0x" + "ff" * 480}, "invalid signature"),
        ({"signatureType": 1}, "invalid signature"),
        ({"signatureType": 3}, "the order signer address has to be"),
        ({"tokenId": "1234"}, "the orderbook 1234 does not exist"),
        ({"tokenId": "007"}, "the orderbook 007 does not exist"),
        ({"orderType": "IOC"}, "Invalid order payload"),
        ({"expiration": "1"}, "invalid expiration"),
    ],
    ids=str,
)
async def test_an_order_of_somebody_else_or_something_else(
    town: Town, changes: dict[str, Any], text: str
) -> None:
    answer = await town.ann.post(town.ann.changed(town.token, **changes))
    assert answer.status_code == 400
    assert answer.json()["error"].startswith(text)


async def test_an_order_of_the_first_version_is_named_as_such(town: Town) -> None:
    order = town.ann.changed(town.token)
    del order["order"]["timestamp"]
    order["order"] |= {"feeRateBps": "0", "nonce": "0", "taker": "0x" + "00" * 20}
    refusal(await town.ann.post(order), 400, "order_version_mismatch")


async def test_another_cannot_send_a_signed_order_and_nobody_twice(town: Town) -> None:
    order = town.ann.changed(town.token)
    stolen = {**order, "owner": town.bob.credentials.key}
    answer = await town.bob.post(stolen)
    assert answer.json()["error"].startswith("the order signer address")
    placed = (await town.ann.post(order)).json()
    again = await town.ann.post(order)
    assert (again.status_code, "Duplicated" in again.json()["error"]) == (400, True)
    await town.ann.call("DELETE", "/cancel-all")
    after = await town.ann.post(order)
    assert "Duplicated" in after.json()["error"]
    assert placed["orderID"] in after.json()["error"]


async def test_a_batch_of_too_many_and_of_none(town: Town) -> None:
    order = town.ann.changed(town.token)
    answer = await town.ann.call("POST", "/orders", json.dumps([order] * 16).encode())
    refusal(answer, 400, "Too many orders in payload: 16, max allowed: 15")
    refusal(await town.ann.call("POST", "/orders", b"[]"), 400, "Invalid order payload")
    mixed = json.dumps([order, {}, 5, order]).encode()
    legs = (await town.ann.call("POST", "/orders", mixed)).json()
    assert [leg["orderID"] != "" for leg in legs] == [True, False, False, False]
    assert legs[1]["errorMsg"] == "Invalid order payload"
    assert all(leg["success"] for leg in legs)
    await town.ann.call("DELETE", "/cancel-all")


@pytest.mark.parametrize(
    ("path", "body", "status", "text"),
    [
        ("/order", b"{}", 400, "Invalid payload"),
        ("/order", b'{"orderID":1}', 400, "Invalid payload"),
        ("/orders", b'{"a":1}', 400, "Invalid payload"),
        ("/orders", b"[1]", 400, "Invalid payload"),
        ("/cancel-market-orders", b'{"market":1}', 400, "Invalid payload"),
        (
            "/orders",
            json.dumps(["0x"] * 3_001).encode(),
            400,
            "Too many orders in payload: 3001, max allowed: 3000",
        ),
    ],
    ids=lambda value: str(value)[:30],
)
async def test_cancels_of_the_wrong_form(
    town: Town, path: str, body: bytes, status: int, text: str
) -> None:
    refusal(await town.ann.call("DELETE", path, body), status, text)


async def test_clients_that_go_in_the_middle_of_a_request(town: Town) -> None:
    for sent in (
        b"",
        b"GET",
        b"GET /clob/ok HTTP/1.1\r\n",
        b"POST /clob/books HTTP/1.1\r\nHost: x\r\nContent-Length: 100\r\n\r\n[",
        b"\x16\x03\x01\x02\x00\x01\x00\x01\xfc\x03\x03",
        b"GET / HTTP/9.9\r\n\r\n",
        b"GET /" + b"a" * 100_000 + b" HTTP/1.1\r\n\r\n",
    ):
        _, writer = await asyncio.open_connection("127.0.0.1", town.sandbox.port)
        writer.write(sent)
        await writer.drain()
        writer.close()
