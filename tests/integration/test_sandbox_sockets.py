"""Both channels over real sockets: what they say, and what bad clients come to."""

from __future__ import annotations

import asyncio
import json
import os
import socket
from collections.abc import AsyncIterator, Callable
from typing import Any

import pytest
import pytest_asyncio
from sandbox_stall import START, listing, stall, wallets
from websockets.asyncio.client import ClientConnection, connect
from websockets.exceptions import ConnectionClosed

from polyframe.sandbox.running import Sandbox
from polyframe.sandbox.venue.venue import Venue

pytestmark = pytest.mark.asyncio(loop_scope="module")
os.environ["NO_PROXY"] = os.environ["no_proxy"] = "127.0.0.1"


@pytest_asyncio.fixture(loop_scope="module", scope="module")
async def sandbox() -> AsyncIterator[Sandbox]:
    venue, _ = stall(mined_after=0, confirmed_after=0, retry_after=0, jitter=0)
    async with Sandbox(venue, paused=True) as sandbox:
        for number in range(3):
            wallet = wallets(number).owner
            venue.fund(wallet, 10**12)
            venue.split(wallet, tokens(sandbox, 0)[2], 10**9)
        yield sandbox
        assert venue.audit(full=True).exact


@pytest_asyncio.fixture(loop_scope="module", autouse=True)
async def calm(sandbox: Sandbox) -> AsyncIterator[None]:
    """Nothing rests in any book when a test begins, and its sockets are gone when it ends."""
    yield
    for number in range(3):
        sandbox.venue.cancel_all(sandbox.venue.wallet(wallets(number).owner).owner)
    sandbox.settle()
    async with asyncio.timeout(5):
        while sandbox.market_channel.lines or sandbox.user_channel.lines:
            await asyncio.sleep(0.005)
    assert not sandbox.market_channel._of_token
    assert not sandbox.market_channel._of_market
    assert not sandbox.user_channel._of_key


def tokens(sandbox: Sandbox, number: int) -> tuple[str, str, str]:
    market = list(sandbox.venue.markets.values())[number]
    return (*market.listing.tokens, market.condition_id)


def rest(sandbox: Sandbox, token: str, side: str, cents: int, shares: int, who: int = 0) -> Any:
    placed = sandbox.venue.submit(wallets(who).owner, token, side, cents * 100, shares * 10**6)
    sandbox.settle()
    return placed


async def said(socket: ClientConnection) -> Any:
    async with asyncio.timeout(5):
        text = await socket.recv()
    return text if text in {"PONG", "INVALID OPERATION"} else json.loads(text)


async def silent(socket: ClientConnection) -> bool:
    """True when nothing comes in a while that is long for this machine."""
    try:
        async with asyncio.timeout(0.15):
            await socket.recv()
    except TimeoutError:
        return True
    return False


async def closed(socket: ClientConnection) -> tuple[int, str]:
    async with asyncio.timeout(5):
        try:
            while True:
                await socket.recv()
        except ConnectionClosed as end:
            return (end.rcvd.code, end.rcvd.reason) if end.rcvd else (1006, "")


def market_socket(sandbox: Sandbox) -> connect:
    return connect(sandbox.urls.ws_market, compression=None, ping_interval=None)


def user_socket(sandbox: Sandbox) -> connect:
    return connect(sandbox.urls.ws_user, compression=None, ping_interval=None)


def subscription(*tokens: str, **more: Any) -> str:
    return json.dumps({"type": "market", "assets_ids": list(tokens), **more})


# ---- the market channel -------------------------------------------------------------------------


async def test_the_first_frame_is_an_array_of_books(sandbox: Sandbox) -> None:
    yes, no, condition = tokens(sandbox, 0)
    rest(sandbox, yes, "BUY", 40, 10)
    async with market_socket(sandbox) as ws:
        await ws.send(subscription(yes, no, "1234567"))
        books = await said(ws)
        assert [book["asset_id"] for book in books] == [yes, no]
        assert books[0] | {"hash": "", "timestamp": ""} == {
            "market": condition,
            "asset_id": yes,
            "timestamp": "",
            "hash": "",
            "bids": [{"price": "0.4", "size": "10"}],
            "asks": [],
            "event_type": "book",
            "tick_size": "0.01",
            "last_trade_price": "",
        }
        assert books[1]["asks"] == [{"price": "0.6", "size": "10"}]


async def test_only_what_is_subscribed_is_told_and_price_changes_name_both(
    sandbox: Sandbox,
) -> None:
    yes, no, _ = tokens(sandbox, 0)
    async with market_socket(sandbox) as ws:
        await ws.send(subscription(yes, initial_dump=False))
        await ws.send("PING")
        assert await said(ws) == "PONG"
        rest(sandbox, tokens(sandbox, 1)[0], "BUY", 40, 10)
        rest(sandbox, no, "BUY", 40, 10)
        change = await said(ws)
        assert change["event_type"] == "price_change"
        assert [row["asset_id"] for row in change["price_changes"]] == [yes, no]
        assert await silent(ws)


async def test_a_trade_is_told_as_a_price_a_change_and_a_book(sandbox: Sandbox) -> None:
    yes, _, _ = tokens(sandbox, 0)
    rest(sandbox, yes, "SELL", 50, 10)
    async with market_socket(sandbox) as ws:
        await ws.send(subscription(yes, initial_dump=False))
        await ws.send("PING")
        assert await said(ws) == "PONG"
        rest(sandbox, yes, "BUY", 50, 6, who=1)
        events = await said(ws)
        kinds = [event["event_type"] for event in events]
        assert sorted(kinds) == ["book", "last_trade_price", "price_change"]
        last = events[kinds.index("last_trade_price")]
        assert (last["price"], last["size"], last["side"]) == ("0.5", "6", "BUY")
        book = events[kinds.index("book")]
        assert book["asks"] == [{"price": "0.5", "size": "4"}]
        assert "tick_size" not in book
        change = events[kinds.index("price_change")]["price_changes"][0]
        assert (
            change["hash"]
            == book["hash"]
            == sandbox.desk.faces.of(sandbox.venue.tokens[yes][0]).hash(0)
        )


async def test_subscriptions_grow_shrink_and_pass_over_what_is_known(sandbox: Sandbox) -> None:
    yes, no, _ = tokens(sandbox, 0)
    other = tokens(sandbox, 1)[0]
    async with market_socket(sandbox) as ws:
        await ws.send(subscription(yes))
        assert len(await said(ws)) == 1
        await ws.send(json.dumps({"operation": "subscribe", "assets_ids": [yes, other]}))
        (book,) = await said(ws)
        assert book["asset_id"] == other
        await ws.send(json.dumps({"operation": "subscribe", "assets_ids": [yes]}))
        assert await silent(ws)
        await ws.send(json.dumps({"operation": "unsubscribe", "assets_ids": [yes, no]}))
        await ws.send("PING")
        assert await said(ws) == "PONG"
        rest(sandbox, yes, "BUY", 40, 10)
        assert await silent(ws)
        rest(sandbox, other, "BUY", 40, 10)
        assert (await said(ws))["event_type"] == "price_change"


async def test_the_flag_is_taken_over_before_duplicates_are_passed_over(sandbox: Sandbox) -> None:
    yes, _, _ = tokens(sandbox, 0)
    async with market_socket(sandbox) as ws:
        await ws.send(subscription(yes))
        await said(ws)
        rest(sandbox, yes, "BUY", 40, 10)
        assert (await said(ws))["event_type"] == "price_change"
        again = {"operation": "subscribe", "assets_ids": [yes], "custom_feature_enabled": True}
        await ws.send(json.dumps(again))
        await ws.send("PING")
        assert await said(ws) == "PONG"
        rest(sandbox, yes, "BUY", 41, 10)
        events = await said(ws)
        assert [event["event_type"] for event in events] == ["price_change", "best_bid_ask"]
        assert events[1]["best_bid"] == "0.41"
        rest(sandbox, yes, "BUY", 39, 10)
        assert (await said(ws))["event_type"] == "price_change"


async def test_many_books_come_in_frames_below_one_mebibyte(sandbox: Sandbox) -> None:
    """A client closes on a greater one."""
    venue = Venue(now=START)
    wallet = wallets(0).owner
    venue.fund(wallet, 10**16)
    found = [venue.list_market(listing(1_000 + number)) for number in range(150)]
    for market in found:
        for cents in range(1, 50):
            for token in market.listing.tokens:
                venue.submit(wallet, token, "BUY", cents * 100, 1_234_567_000_000 + cents * 10_000)
    async with Sandbox(venue, paused=True) as other:
        wanted = [token for market in found for token in market.listing.tokens]
        async with market_socket(other) as ws:
            await ws.send(subscription(*wanted))
            frames, books = 0, []
            while len(books) < len(wanted):
                async with asyncio.timeout(5):
                    text = await ws.recv()
                assert len(text) < 1 << 20
                frames += 1
                books += json.loads(text)
            assert [book["asset_id"] for book in books] == wanted
            assert frames > 1


# ---- the user channel ---------------------------------------------------------------------------


def credentials(sandbox: Sandbox, number: int) -> dict[str, str]:
    keys = sandbox.desk.keys
    owner = wallets(number).owner
    key = keys.derive(owner, 0) or keys.create(owner, 0, sandbox.venue.now)
    assert key is not None
    return {"apiKey": key.key, "secret": key.secret, "passphrase": key.passphrase}


async def test_a_user_hears_of_its_own_orders_in_the_markets_it_named(sandbox: Sandbox) -> None:
    auth = credentials(sandbox, 0)
    yes, _, condition = tokens(sandbox, 0)
    other = tokens(sandbox, 1)[0]

    def place(token: str, owner: str) -> None:
        from polyframe.sandbox.venue.records import SignedOrder

        order = SignedOrder(
            hash="0x" + os.urandom(32).hex(),
            maker=wallets(0).owner,
            signer=wallets(0).owner,
            token_id=token,
            maker_amount=4_000_000,
            taker_amount=10_000_000,
            side="BUY",
        )
        sandbox.venue.place(order, owner=owner, order_type="GTC")
        sandbox.settle()

    async with user_socket(sandbox) as ws:
        await ws.send(json.dumps({"type": "user", "auth": auth, "markets": [condition]}))
        await ws.send("PING")
        assert await said(ws) == "PONG"
        place(other, auth["apiKey"])
        place(yes, "another key")
        place(yes, auth["apiKey"])
        event = await said(ws)
        assert (event["event_type"], event["type"], event["asset_id"]) == (
            "order",
            "PLACEMENT",
            yes,
        )
        assert event["associate_trades"] is None
        await ws.send(json.dumps({"operation": "subscribe", "markets": [tokens(sandbox, 1)[2]]}))
        await ws.send("PING")
        assert await said(ws) == "PONG"
        sandbox.venue.cancel_all(auth["apiKey"])
        sandbox.settle()
        events = await said(ws)
        assert {event["type"] for event in events} == {"CANCELLATION"}
        assert {event["asset_id"] for event in events} == {yes, other}
    sandbox.venue.cancel_all("another key")


@pytest.mark.parametrize(
    "change",
    [
        {"apiKey": "00000000-0000-4000-8000-000000000000"},
        {"secret": "AAAA"},
        {"passphrase": ""},
        {"apiKey": 5},
        {"secret": None},
    ],
)
async def test_wrong_credentials_close_the_socket(
    sandbox: Sandbox, change: dict[str, object]
) -> None:
    auth = {**credentials(sandbox, 0), **change}
    async with user_socket(sandbox) as ws:
        await ws.send(json.dumps({"type": "user", "auth": auth}))
        assert (await closed(ws))[0] == 1008


# ---- bad clients --------------------------------------------------------------------------------

GARBAGE: list[str | bytes] = [
    "PING",
    "",
    "{",
    "[]",
    "null",
    '"market"',
    "{}",
    '{"type":"market"}',
    '{"type":"market","assets_ids":"1"}',
    '{"type":"market","assets_ids":[1]}',
    '{"type":"user"}',
    '{"operation":"subscribe","assets_ids":[]}',
    b"\xff\xfe\x00",
    "[" * 5_000,
    "\u00e9" * 100,
]


@pytest.mark.parametrize("first", GARBAGE, ids=repr)
@pytest.mark.parametrize("channel", [market_socket, user_socket])
async def test_a_first_message_that_is_no_subscription_closes_the_socket(
    sandbox: Sandbox, channel: Callable[[Sandbox], connect], first: str | bytes
) -> None:
    async with channel(sandbox) as ws:
        await ws.send(first)
        assert await closed(ws) == (1008, "invalid subscription payload")


@pytest.mark.parametrize("later", [each for each in GARBAGE if each != "PING"], ids=repr)
async def test_later_nonsense_is_answered_and_the_socket_lives(
    sandbox: Sandbox, later: str | bytes
) -> None:
    yes, _, _ = tokens(sandbox, 0)
    async with market_socket(sandbox) as ws:
        await ws.send(subscription(yes))
        await said(ws)
        await ws.send(later)
        if later != '{"operation":"subscribe","assets_ids":[]}':
            assert await said(ws) == "INVALID OPERATION"
        await ws.send("PING")
        assert await said(ws) == "PONG"


async def test_a_message_without_end_closes_that_socket_alone(sandbox: Sandbox) -> None:
    async with market_socket(sandbox) as good, market_socket(sandbox) as bad:
        await good.send(subscription(tokens(sandbox, 0)[0]))
        await said(good)
        await bad.send("x" * (2 << 20))
        assert (await closed(bad))[0] == 1009
        await good.send("PING")
        assert await said(good) == "PONG"


async def test_an_unknown_channel_is_refused(sandbox: Sandbox) -> None:
    with pytest.raises(Exception, match="403"):
        async with connect(sandbox.urls.base.replace("http", "ws") + "/ws/other"):
            pass


async def test_a_socket_that_never_reads_is_cut_and_harms_nobody(sandbox: Sandbox) -> None:
    yes, _, _ = tokens(sandbox, 0)
    channel, wallet = sandbox.market_channel, wallets(0).owner
    usual, channel.most_waiting = channel.most_waiting, 1 << 20
    stuck = await asyncio.to_thread(_never_reading, sandbox, yes)
    channel.most_waiting = usual
    changes = 0
    try:
        async with market_socket(sandbox) as ws:
            await ws.send(subscription(yes))
            await said(ws)
            assert len(channel.lines) == 2
            wanted, sizes = 0, 0
            while len(channel.lines) == 2:
                sizes += 1
                assert sizes < 400, "the socket that never reads was not cut"
                for cents in range(1, 60):
                    placed = sandbox.venue.submit(wallet, yes, "BUY", cents * 100, 5 * 10**6)
                    sandbox.venue.cancel(sandbox.venue.wallet(wallet).owner, [placed.order_id])
                    wanted += 2
                sandbox.settle()
                while changes < wanted:
                    found = await said(ws)
                    changes += len(found) if isinstance(found, list) else 1
            assert changes == wanted
            await ws.send("PING")
            assert await said(ws) == "PONG"
    finally:
        stuck.close()


def _never_reading(sandbox: Sandbox, token: str) -> socket.socket:
    """A client that subscribes, by hand, and then reads nothing at all."""
    place = socket.socket()
    place.setsockopt(socket.SOL_SOCKET, socket.SO_RCVBUF, 4096)
    place.connect(("127.0.0.1", sandbox.port))
    place.sendall(
        b"GET /ws/market HTTP/1.1\r\nHost: x\r\nUpgrade: websocket\r\nConnection: Upgrade\r\n"
        b"Sec-WebSocket-Key: AAAAAAAAAAAAAAAAAAAAAA==\r\nSec-WebSocket-Version: 13\r\n\r\n"
    )
    place.recv(1)
    text = subscription(token).encode()
    # A masked text frame of 126 bytes or more, with a mask of zeros.
    place.sendall(b"\x81\xfe" + len(text).to_bytes(2) + bytes(4) + text)
    return place


async def test_at_the_end_readers_are_told_and_the_others_are_cut(
    caplog: pytest.LogCaptureFixture,
) -> None:
    venue, _ = stall()
    loop = asyncio.get_running_loop()
    async with Sandbox(venue, paused=True) as ending:
        yes, _, condition = tokens(ending, 0)
        venue.fund(wallets(0).owner, 10**9)
        stuck = [await asyncio.to_thread(_never_reading, ending, yes) for _ in range(2)]
        market, user = await market_socket(ending), await user_socket(ending)
        silent_yet = await market_socket(ending)  # it has not said what it wants
        auth = credentials(ending, 0)
        await user.send(json.dumps({"type": "user", "auth": auth, "markets": [condition]}))
        await market.send(subscription(yes))
        for ws in (market, user):
            await ws.send("PING")
            while await said(ws) != "PONG":
                pass
        # Of one that does not read some waits in the kernel; of one even the writer has to wait.
        for line, count in zip(ending.market_channel.lines, (1, 50), strict=False):
            for _ in range(count):
                line.put(b'"' + b"x" * 200_000 + b'"')
        rest(ending, yes, "BUY", 40, 10)  # it is still on its way when the block ends
        began = loop.time()
    assert loop.time() - began < 1.5
    assert not ending.market_channel.lines
    assert (await said(market))["event_type"] == "price_change"
    for ws in (market, user, silent_yet):
        assert await closed(ws) == (1001, "")
    for place in stuck:
        place.close()
    assert not [each for each in caplog.records if each.name.startswith("uvicorn")]
