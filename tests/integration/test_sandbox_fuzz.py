"""Every route takes anything: never a 500, never an unbalanced account.

The server is called as an application, without a port: whatever it does not handle is raised here.
"""

from __future__ import annotations

import json
import string
from typing import Any

import pytest
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st
from sandbox_rooms import answered
from sandbox_stall import START, key_of, stall, wallets

from polyframe.exchanges.polymarket.auth import (
    Credentials,
    call_headers,
    call_signature,
    wallet_headers,
)
from polyframe.exchanges.polymarket.contracts import AMOY, contracts_of
from polyframe.exchanges.polymarket.curve import address_bytes, sign
from polyframe.exchanges.polymarket.signing import OrderFields, domain_of, sign_order
from polyframe.sandbox.chain import call_of, selector
from polyframe.sandbox.relayer import batch_digest
from polyframe.sandbox.running import Sandbox

SECONDS = START // 10**9


def made() -> tuple[Sandbox, Credentials]:
    """A sandbox with some orders in its books and somebody who has a key."""
    venue, markets = stall()
    sandbox = Sandbox(venue, paused=True)
    for number in range(3):
        venue.fund(wallets(number).owner, 10**10)
        venue.split(wallets(number).owner, markets[1].condition_id, 10**9)
    for cents in (20, 30, 40):
        for token in markets[1].listing.tokens:
            venue.submit(wallets(1).owner, token, "BUY", cents * 100, 50 * 10**6)
    key = sandbox.desk.keys.create(wallets(0).owner, 0, venue.now)
    assert key is not None
    return sandbox, Credentials(key.key, key.secret, key.passphrase)


def ask(method: str, path: str, query: str, body: bytes, headers: Any) -> tuple[int, bytes]:
    """What the application answers."""
    status, _, content = answered(SANDBOX, method, path, body, query=query, headers=headers)
    return status, content


SANDBOX, CREDENTIALS = made()
BUILDER = SANDBOX.desk.keys.create_builder(wallets(2).owner, START).key
TOKENS = [token for market in SANDBOX.venue.markets.values() for token in market.listing.tokens]
CONDITIONS = list(SANDBOX.venue.markets)
WALLETS = [wallets(number).owner for number in range(3)]
ROUTES = [
    (prefix, method, path)
    for prefix, room in SANDBOX.server.rooms.items()
    for method, path in room.routes
]
# Whoever deletes its key is nobody in all examples after it.
for gone in ("/auth/api-key", "/auth/builder-api-key"):
    ROUTES.remove(("clob", "DELETE", gone))

PARAMETERS = [
    "token_id",
    "side",
    "market",
    "asset_id",
    "id",
    "ids",
    "next_cursor",
    "interval",
    "startTs",
    "endTs",
    "fidelity",
    "before",
    "after",
    "maker_address",
    "asset_type",
    "signature_type",
    "order_id",
    "builder_code",
    "date",
    "page_size",
    "order_by",
    "position",
    "q",
    "tag_slug",
    "event_id",
    "min_price",
    "max_volume_24hr",
    "sponsored",
    "no_competition",
    "address",
    "type",
]
WORDS = st.one_of(
    st.sampled_from(TOKENS + CONDITIONS + WALLETS),
    st.sampled_from(
        ["BUY", "SELL", "COLLATERAL", "CONDITIONAL", "1d", "1m", "max", "MA==", "LTE="]
    ),
    st.sampled_from(["2026-09-21", "price", "ASC", "true", "WALLET"]),
    st.integers(-(2**70), 2**70).map(str),
    st.text(max_size=20),
    st.text(alphabet=string.hexdigits, max_size=70).map(lambda digits: "0x" + digits),
)
JSON = st.recursive(
    st.one_of(st.none(), st.booleans(), st.integers(), st.floats(allow_nan=False), WORDS),
    lambda inner: st.one_of(
        st.lists(inner, max_size=4),
        st.dictionaries(
            st.one_of(
                st.sampled_from(
                    [
                        *("token_id", "side", "order", "owner", "orderID", "market", "id"),
                        *("heartbeat_id", "type", "nonce", "signature", "calls", "params"),
                        *("depositWalletParams", "depositWallet", "deadline", "method", "data"),
                        *("walletAddress", "sessionSignerAddress", "validUntil", "scopes", "to"),
                    ]
                ),
                st.text(max_size=8),
            ),
            inner,
            max_size=4,
        ),
    ),
    max_leaves=12,
)
BODIES = st.one_of(st.just(b""), JSON.map(lambda value: json.dumps(value).encode()), st.binary())


def quoted(text: str) -> str:
    return "".join(f"%{byte:02x}" for byte in text.encode("utf-8", "surrogatepass"))


def headers(method: str, path: str, body: bytes) -> dict[str, str]:
    """All kinds of headers: each route takes its own."""
    now = SANDBOX.venue.now // 10**9
    signed = call_signature(BUILDER.secret, str(now), method, path, body)
    builder = {
        "POLY_BUILDER_API_KEY": BUILDER.key,
        "POLY_BUILDER_PASSPHRASE": BUILDER.passphrase,
        "POLY_BUILDER_TIMESTAMP": str(now),
        "POLY_BUILDER_SIGNATURE": signed,
    }
    wallet = wallet_headers(key_of(0), now, chain_id=AMOY)
    key = call_headers(CREDENTIALS, WALLETS[0], now, method, path, body)
    return wallet | key | builder


@pytest.mark.parametrize("route", ROUTES, ids=" ".join)
@settings(max_examples=30, suppress_health_check=[HealthCheck.function_scoped_fixture])
@given(data=st.data())
def test_a_route_takes_anything(route: tuple[str, str, str], data: st.DataObject) -> None:
    prefix, method, path = route
    while "{" in path:
        name = path[path.index("{") : path.index("}") + 1]
        path = path.replace(name, quoted(data.draw(WORDS)) or "x")
    names = data.draw(st.lists(st.sampled_from(PARAMETERS), max_size=4))
    query = "&".join(f"{name}={quoted(data.draw(WORDS))}" for name in names)
    body = data.draw(BODIES)
    told = headers(method, path, body)
    status, answer = ask(method, f"/{prefix}{path}", query, body, told)
    assert status in {200, 400, 401, 404, 405, 415}
    said = json.loads(answer)
    if status != 200:
        assert "error" in said or "error_msg" in said


CALLS = st.lists(
    st.fixed_dictionaries(
        {
            "target": st.sampled_from([wallets(2).deposit, contracts_of(AMOY).collateral]),
            "value": st.sampled_from(["0", "1"]),
            "data": st.tuples(
                st.sampled_from(
                    [
                        "approve(address,uint256)",
                        "transfer(address,uint256)",
                        "setApprovalForAll(address,bool)",
                        "splitPosition(address,bytes32,bytes32,uint256[],uint256)",
                        "mergePositions(address,bytes32,bytes32,uint256[],uint256)",
                        "redeemPositions(address,bytes32,bytes32,uint256[])",
                        "authorizeSessionSigner(address,uint256)",
                        "burn()",
                    ]
                ),
                st.lists(
                    st.one_of(
                        st.integers(0, 10**9),
                        st.integers(0, 2**256 - 1),
                        st.sampled_from([int(condition, 16) for condition in CONDITIONS]),
                    ),
                    max_size=7,
                ),
            ),
        }
    ),
    min_size=1,
    max_size=4,
)


@settings(max_examples=80)
@given(CALLS)
def test_signed_transactions_of_any_content_leave_every_account_balanced(wanted) -> None:
    wallet = wallets(2).deposit
    SANDBOX.venue.fund(wallet, 10**7)
    query = f"address={wallets(2).owner}"
    _, told = ask("GET", "/relayer/v1/account/transactions/params", query, b"", {})
    nonce = json.loads(told)["nonce"]
    deadline = str(SANDBOX.venue.now // 10**9 + 60)
    rows = [
        {**row, "data": "0x" + (selector(name) + b"".join(n.to_bytes(32) for n in words)).hex()}
        for row in wanted
        for name, words in [row["data"]]
    ]
    calls = [call_of(row["target"], row["data"], row["value"]) for row in rows]
    digest = batch_digest(address_bytes(wallet), int(nonce), int(deadline), calls, SANDBOX.desk)
    sent = json.dumps(
        {
            "type": "WALLET",
            "nonce": nonce,
            "signature": "0x" + sign(digest, key_of(2)).hex(),
            "depositWalletParams": {"depositWallet": wallet, "deadline": deadline, "calls": rows},
        }
    ).encode()
    status, answer = ask("POST", "/relayer/submit", "", sent, headers("POST", "/submit", sent))
    assert status == 200, answer
    SANDBOX.step(60 * 10**9)
    id = json.loads(answer)["transactionID"]
    _, told = ask("GET", f"/relayer/v1/account/transactions/{id}", "", b"", {})
    assert json.loads(told)["state"] in {"STATE_CONFIRMED", "STATE_FAILED"}
    assert SANDBOX.venue.audit(full=True).exact


@settings(max_examples=120)
@given(
    st.lists(
        st.fixed_dictionaries(
            {
                "number": st.integers(0, 2),
                "token": st.sampled_from([*TOKENS, "1234"]),
                "making": st.one_of(st.integers(1, 400).map(lambda n: n * 10**5), st.integers()),
                "taking": st.one_of(st.integers(1, 400).map(lambda n: n * 10**5), st.integers()),
                "side": st.integers(0, 1),
                "kind": st.integers(0, 3),
                "type": st.sampled_from(["GTC", "GTD", "FOK", "FAK", "IOC", ""]),
                "expiration": st.sampled_from([0, 1, SECONDS + 600, 2**60]),
                "post": st.booleans(),
            }
        ),
        min_size=1,
        max_size=15,
    ),
    st.booleans(),
)
def test_signed_orders_of_any_content_leave_every_account_balanced(orders, batch: bool) -> None:
    legs = [leg(number, **order) for number, order in enumerate(orders)]
    sent = json.dumps(legs if batch else legs[0]).encode()
    path = "/orders" if batch else "/order"
    status, answer = ask("POST", "/clob" + path, "", sent, headers("POST", path, sent))
    assert status in {200, 400}
    json.loads(answer)
    SANDBOX.step(10**9)
    assert SANDBOX.venue.audit(full=True).exact


def leg(index: int, **order: Any) -> dict[str, Any]:
    """An order that is signed as it stands, whatever it says."""
    mine = wallets(order["number"])
    maker = (mine.owner, mine.proxy, mine.safe, mine.deposit)[order["kind"]]
    signer = mine.deposit if order["kind"] == 3 else mine.owner
    amounts = abs(order["making"]) % 2**200, abs(order["taking"]) % 2**200
    fields = OrderFields(
        salt=index,
        maker=address_bytes(maker),
        signer=address_bytes(signer),
        token=int(order["token"]),
        maker_amount=amounts[0],
        taker_amount=amounts[1],
        side=order["side"],
        signature_type=order["kind"],
        timestamp=SANDBOX.venue.now // 10**6,
    )
    domain = domain_of(AMOY, fields.token, neg_risk=order["token"] in TOKENS[4:6])
    return {
        "order": {
            "salt": index,
            "maker": maker,
            "signer": signer,
            "tokenId": order["token"],
            "makerAmount": str(amounts[0]),
            "takerAmount": str(amounts[1]),
            "side": ("BUY", "SELL")[order["side"]],
            "expiration": str(order["expiration"]),
            "signatureType": order["kind"],
            "timestamp": str(fields.timestamp),
            "metadata": "0x" + "0" * 64,
            "builder": "0x" + "0" * 64,
            "signature": sign_order(fields, domain, key_of(order["number"])),
        },
        "owner": CREDENTIALS.key,
        "orderType": order["type"],
        "postOnly": order["post"],
        "deferExec": False,
    }
