"""Faults of sockets, over real ones: what a client hears, and what it does not."""

from __future__ import annotations

import asyncio
import json
import os
import time
from collections.abc import AsyncIterator
from typing import Any

import pytest
import pytest_asyncio
from sandbox_hurt import Hurt
from sandbox_stall import START, stall, wallets
from websockets.asyncio.client import ClientConnection, connect
from websockets.exceptions import ConnectionClosed, InvalidStatus

from polyframe.sandbox.running import Sandbox
from polyframe.sandbox.venue.records import SignedOrder

pytestmark = pytest.mark.asyncio(loop_scope="module")
os.environ["NO_PROXY"] = os.environ["no_proxy"] = "127.0.0.1"


class Town(Hurt):
    """A sandbox whose time moves when it is told to, and a crowd of one that moves its books."""

    def __init__(self, sandbox: Sandbox) -> None:
        super().__init__(sandbox)
        self.first, self.second = self.markets[:2]
        self.who = wallets(0).owner
        self.count = 0
        key = sandbox.desk.keys.create(self.who, 0, self.venue.now)
        assert key is not None
        self.key = key

    def move(self, token: str = "", cents: int = 30) -> None:
        """An order that changes a book: one message."""
        self.venue.submit(self.who, token or self.yes, "BUY", cents * 100, 10**7)
        self.sandbox.settle()

    def order(self, token: str = "", *, cancel: bool = False) -> str:
        """A signed order of the key; its id."""
        self.count += 1
        hash = f"0x{self.count:064x}"
        order = SignedOrder(
            hash, self.who, self.who, token or self.yes, 2_000_000, 10_000_000, "BUY"
        )
        self.venue.place(order, owner=self.key.key, order_type="GTC")
        if cancel:
            self.venue.cancel(self.key.key, [hash])
        self.sandbox.settle()
        return hash

    def connect(self, channel: str = "market", **more: Any) -> connect:
        url = self.sandbox.urls.ws_market if channel == "market" else self.sandbox.urls.ws_user
        options = {"compression": None, "ping_interval": None, "close_timeout": 0.2, **more}
        return connect(url, **options)

    async def follow(self, ws: ClientConnection, *tokens: str, dump: bool = False) -> None:
        wanted = list(tokens) or [self.yes]
        said = {"type": "market", "assets_ids": wanted, "initial_dump": dump}
        await ws.send(json.dumps(said))
        if not dump:
            await pong(ws)

    async def listen(self, ws: ClientConnection) -> None:
        auth = {
            "apiKey": self.key.key,
            "secret": self.key.secret,
            "passphrase": self.key.passphrase,
        }
        await ws.send(json.dumps({"type": "user", "auth": auth}))
        await pong(ws)


@pytest_asyncio.fixture(loop_scope="module", scope="module")
async def town() -> AsyncIterator[Town]:
    venue, markets = stall(now=START, mined_after=0, confirmed_after=0, retry_after=0, jitter=0)
    async with Sandbox(venue, paused=True) as sandbox:
        venue.fund(wallets(0).owner, 10**12)
        for market in markets:
            venue.split(wallets(0).owner, market.condition_id, 10**9)
        yield Town(sandbox)
        assert venue.audit(full=True).exact


@pytest_asyncio.fixture(loop_scope="module", autouse=True)
async def calm(town: Town) -> AsyncIterator[None]:
    """After a test nothing is wrong, nothing rests, nobody is connected, no money is missing."""
    yield
    town.heal()
    for owner in (town.venue.wallet(town.who).owner, town.key.key):
        town.venue.cancel_all(owner)
    town.sandbox.settle()
    async with asyncio.timeout(5):
        while town.sandbox.market_channel.lines or town.sandbox.user_channel.lines:
            await asyncio.sleep(0.005)
    assert town.venue.audit().exact


async def pong(ws: ClientConnection) -> None:
    await ws.send("PING")
    assert await heard(ws) == "PONG"


async def heard(ws: ClientConnection) -> Any:
    async with asyncio.timeout(5):
        text = await ws.recv()
    return text if text in {"PONG", "INVALID OPERATION"} else json.loads(text)


async def all_of(ws: ClientConnection, *, within: float = 0.1) -> list[Any]:
    """Every event until it is quiet for a while."""
    found: list[Any] = []
    try:
        while True:
            async with asyncio.timeout(within):
                text = await ws.recv()
            said = json.loads(text) if text[:1] in {"{", "["} else text
            found += said if isinstance(said, list) else [said]
    except TimeoutError:
        return found


async def closed(ws: ClientConnection) -> int:
    async with asyncio.timeout(5):
        try:
            while True:
                await ws.recv()
        except ConnectionClosed as end:
            return end.rcvd.code if end.rcvd else end.sent.code if end.sent else 1006


def cents(events: list[Any]) -> list[int]:
    """Which moves were heard, by their price."""
    return [
        round(float(row["price"]) * 100)
        for event in events
        if event["event_type"] == "price_change"
        for row in event["price_changes"][:1]
    ]


# ---- lost, doubled, late ------------------------------------------------------------------------


async def test_dropped_messages_are_the_same_for_the_same_seed(town: Town) -> None:
    found = []
    for seed in (1, 1, 2):
        # A socket's chances follow from its number: how many its channel had before it.
        town.sandbox.market_channel._count = 10
        town.hurt({"fault": "drop_messages", "probability": 0.4}, seed=seed)
        async with town.connect() as ws:
            await town.follow(ws)
            for price in range(1, 31):
                town.move(cents=price)
            found.append(cents(await all_of(ws)))
        town.sandbox.faults.clear()
        town.venue.cancel_all(town.venue.wallet(town.who).owner)
        town.sandbox.settle()
    assert found[0] == found[1] != found[2]
    assert 10 < len(found[0]) < 26
    assert found[0] == sorted(found[0])


async def test_sockets_have_chances_of_their_own(town: Town) -> None:
    town.hurt({"fault": "drop_messages", "probability": 0.5})
    async with town.connect() as one, town.connect() as two:
        for ws in (one, two):
            await town.follow(ws)
        for price in range(1, 31):
            town.move(cents=price)
        first, second = cents(await all_of(one)), cents(await all_of(two))
    assert first != second
    assert set(first) & set(second)


async def test_doubled_messages(town: Town) -> None:
    town.hurt({"fault": "duplicate_messages", "probability": 1, "copies": 2, "times": 1})
    async with town.connect() as ws:
        await town.follow(ws)
        for price in (10, 11):
            town.move(cents=price)
        assert cents(await all_of(ws)) == [10, 10, 10, 11]


async def test_doubled_messages_may_come_later(town: Town) -> None:
    town.hurt({"fault": "duplicate_messages", "probability": 1, "after_ms": 30, "times": 1})
    async with town.connect() as ws:
        await town.follow(ws)
        for price in (10, 11):
            town.move(cents=price)
        assert cents(await all_of(ws)) == [10, 11, 10]


async def test_messages_change_places(town: Town) -> None:
    town.hurt({"fault": "reorder_messages", "probability": 1, "behind": 2, "times": 1})
    async with town.connect() as ws:
        await town.follow(ws)
        for price in (10, 11, 12, 13):
            town.move(cents=price)
        assert cents(await all_of(ws)) == [11, 12, 10, 13]


async def test_a_message_that_nothing_passes_comes_all_the_same(town: Town) -> None:
    town.hurt({"fault": "reorder_messages", "probability": 1, "within_ms": 30})
    async with town.connect() as ws:
        await town.follow(ws)
        town.move(cents=10)
        assert cents(await all_of(ws)) == [10]


async def test_messages_that_later_ones_overtake(town: Town) -> None:
    # Later than all that a busy machine needs to send the others.
    town.hurt({"fault": "late_messages", "probability": 1, "ms": 500, "times": 1})
    async with town.connect() as ws:
        await town.follow(ws)
        for price in (10, 11, 12):
            town.move(cents=price)
        assert cents(await all_of(ws, within=1.5)) == [11, 12, 10]


async def test_slow_messages_keep_their_order(town: Town) -> None:
    async with town.connect() as ws:
        await town.follow(ws)
        town.hurt({"fault": "slow_messages", "ms": 30, "jitter_ms": 30})
        started = time.monotonic()
        for price in range(1, 21):
            town.move(cents=price)
        await ws.send("PING")
        events = await all_of(ws)
        assert time.monotonic() - started >= 0.13
        assert cents(events[:-1]) == list(range(1, 21))
        assert events[-1] == "PONG"


async def test_what_is_on_its_way_is_not_overtaken_when_the_fault_ends(town: Town) -> None:
    async with town.connect() as ws:
        await town.follow(ws)
        town.hurt({"fault": "slow_messages", "ms": 5_000, "duration": 1}, {"fault": "missing_pong"})
        town.move(cents=10)
        town.sandbox.step(10**9)
        town.move(cents=11)
        assert await all_of(ws) == []
        town.sandbox.faults.clear()
        town.move(cents=12)
        assert cents(await all_of(ws)) == [10, 11, 12]


async def test_more_than_fits_on_the_way_cuts_the_socket(town: Town) -> None:
    """What is held back does not fill the memory."""
    from polyframe.sandbox.sockets.line import MOST_WAITING

    async with town.connect() as ws:
        await town.follow(ws)
        town.hurt({"fault": "slow_messages", "ms": 600_000})
        (line,) = town.sandbox.market_channel.lines
        event = json.dumps({"event_type": "book", "padding": "x" * (1 << 20)}).encode()
        for _ in range(MOST_WAITING // len(event) + 1):
            line.put(event)
        assert await closed(ws) == 1006


# ---- silence ------------------------------------------------------------------------------------


async def test_a_silent_socket_still_answers_ping(town: Town) -> None:
    async with town.connect() as ws:
        await town.follow(ws)
        town.hurt({"fault": "silent_socket", "duration": 10})
        town.move(cents=10)
        await pong(ws)
        town.sandbox.step(10 * 10**9)
        town.move(cents=11)
        assert cents(await all_of(ws)) == [11]


async def test_single_tokens_fall_silent(town: Town) -> None:
    """The others of the same socket go on, the other half of a change of both tokens too."""
    other = town.second.listing.tokens[0]
    async with town.connect() as ws:
        await town.follow(ws, town.yes, town.no, other)
        town.hurt({"fault": "silent_socket", "target": {"token": town.yes}})
        town.move(town.yes)
        town.move(other)
        events = await all_of(ws)
        rows = [row["asset_id"] for event in events for row in event["price_changes"]]
        assert rows == [town.no, *town.second.listing.tokens]


async def test_part_of_the_sockets_falls_silent(town: Town) -> None:
    sockets = [await town.connect() for _ in range(12)]
    for ws in sockets:
        await town.follow(ws)
    town.hurt({"fault": "silent_socket", "probability": 0.5}, seed=4)
    for price in (10, 11):
        town.move(cents=price)
    found = await asyncio.gather(*(all_of(ws) for ws in sockets))
    assert {tuple(cents(each)) for each in found} == {(), (10, 11)}
    assert len(town.struck()) == [cents(each) for each in found].count([])
    for ws in sockets:
        await ws.close()


async def test_a_half_open_socket_answers_nothing_at_all(town: Town) -> None:
    """PING stays without PONG, and so do the pings of the protocol itself."""
    async with (
        town.connect() as ws,
        town.connect("user", ping_interval=0.1, ping_timeout=0.2) as me,
    ):
        await town.follow(ws)
        await town.listen(me)
        town.hurt({"fault": "half_open_socket", "duration": 60})
        town.move(cents=10)
        await ws.send("PING")
        assert await all_of(ws) == []
        waiter = await ws.ping()
        with pytest.raises(TimeoutError):
            async with asyncio.timeout(0.1):
                await waiter
        assert await closed(me) == 1011
        assert len(town.sandbox.market_channel.lines) == 1
        town.sandbox.step(60 * 10**9)
        assert await closed(ws) == 1006
    assert len(town.struck()) == 2


async def test_new_sockets_of_the_window_hang_as_well(town: Town) -> None:
    town.hurt({"fault": "half_open_socket", "target": {"channel": "market"}})
    async with town.connect() as ws:
        await ws.send(json.dumps({"type": "market", "assets_ids": [town.yes]}))
        town.move(cents=10)
        assert await all_of(ws) == []
    town.sandbox.faults.clear()


async def test_ping_without_pong(town: Town) -> None:
    async with town.connect() as ws:
        await town.follow(ws)
        town.hurt({"fault": "missing_pong", "times": 1})
        await ws.send("PING")
        town.move(cents=10)
        assert cents(await all_of(ws)) == [10]
        await pong(ws)


# ---- what cannot be read ------------------------------------------------------------------------


async def test_a_dump_longer_than_clients_take(town: Town) -> None:
    town.hurt({"fault": "oversized_dump", "duration": 10})
    async with town.connect() as ws:
        await town.follow(ws, dump=True)
        assert await closed(ws) == 1009
    async with town.connect(max_size=None) as ws:
        await town.follow(ws, town.yes, town.no, dump=True)
        async with asyncio.timeout(5):
            text = await ws.recv()
        assert len(text) == 1_300_000
        assert [book["asset_id"] for book in json.loads(text)] == [town.yes, town.no]
    town.sandbox.step(10 * 10**9)
    async with town.connect() as ws:
        await town.follow(ws, dump=True)
        assert len(await heard(ws)) == 1


async def test_dumps_that_are_spared_are_as_short_as_ever(town: Town) -> None:
    town.hurt({"fault": "oversized_dump", "target": {"channel": "user"}})
    town.hurt({"fault": "oversized_dump", "probability": 0})
    async with town.connect() as ws:
        await town.follow(ws, town.yes, town.no, dump=True)
        assert len(await heard(ws)) == 2


@pytest.mark.parametrize("how", ["truncated", "malformed", "empty", "concatenated"])
async def test_frames_that_are_no_json(town: Town, how: str) -> None:
    async with town.connect() as ws:
        await town.follow(ws)
        town.hurt({"fault": "broken_frame", "probability": 1, "how": how, "times": 1})
        town.move(cents=10)
        async with asyncio.timeout(5):
            text = await ws.recv()
        with pytest.raises(ValueError, match=r"."):
            json.loads(text)
        if how == "concatenated":
            one, end = json.JSONDecoder().raw_decode(text)
            assert json.loads(text[end:]) == one
        town.move(cents=11)
        assert cents(await all_of(ws)) == [11]


async def test_messages_of_a_type_that_nobody_knows(town: Town) -> None:
    async with town.connect() as ws:
        await town.follow(ws)
        town.hurt({"fault": "unknown_message", "probability": 1, "event_type": "tide"})
        town.move(cents=10)
        assert [event["event_type"] for event in await all_of(ws)] == ["price_change", "tide"]


async def test_size_matched_may_be_empty(town: Town) -> None:
    async with town.connect("user") as ws:
        await town.listen(ws)
        town.hurt({"fault": "empty_size_matched"})
        town.order(cancel=True)
        events = await all_of(ws)
        assert [(event["type"], event["size_matched"]) for event in events] == [
            ("PLACEMENT", "0"),
            ("CANCELLATION", ""),
        ]
        town.hurt({"fault": "empty_size_matched", "kinds": ["PLACEMENT"]})
        town.order()
        assert [event["size_matched"] for event in await all_of(ws)] == [""]


# ---- the server of the sockets starts anew ------------------------------------------------------


async def test_sockets_are_cut_and_nobody_is_let_in_for_a_while(town: Town) -> None:
    async with town.connect() as ws, town.connect("user") as me:
        await town.follow(ws)
        await town.listen(me)
        town.hurt({"fault": "lost_subscriptions", "refuse": 5})
        assert await closed(ws) == 1006
        assert await closed(me) == 1006
    with pytest.raises(InvalidStatus) as refused:
        await town.connect()
    assert refused.value.response.status_code == 503
    town.sandbox.step(5 * 10**9)
    async with town.connect() as ws:
        await town.follow(ws)
        town.move(cents=10)
        assert cents(await all_of(ws)) == [10]


async def test_sockets_stay_and_nobody_knows_what_for(town: Town) -> None:
    """PONG comes, nothing else; on the market channel another subscription helps."""
    async with town.connect() as ws, town.connect("user") as me:
        await town.follow(ws)
        await town.listen(me)
        town.hurt({"fault": "lost_subscriptions", "how": "forget"})
        town.move(cents=10)
        town.order()
        for socket in (ws, me):
            await pong(socket)
        await ws.send(json.dumps({"operation": "subscribe", "assets_ids": [town.yes]}))
        (book,) = await heard(ws)
        assert [level["price"] for level in book["bids"]] == ["0.1", "0.2"]
        town.move(cents=11)
        assert cents(await all_of(ws)) == [11]
        assert await all_of(me) == []
    assert not town.sandbox.user_channel._of_key


async def test_only_the_sockets_that_are_meant(town: Town) -> None:
    async with town.connect() as ws, town.connect("user") as me:
        await town.follow(ws)
        await town.listen(me)
        town.hurt(
            {"fault": "drop_messages", "probability": 1, "target": {"key": town.key.key}},
            {"fault": "drop_messages", "probability": 1, "target": {"event": "best_bid_ask"}},
        )
        town.order()
        assert [event["event_type"] for event in await all_of(ws)] == ["price_change"]
        assert await all_of(me) == []


# ---- the official client ------------------------------------------------------------------------


async def test_the_official_client_comes_back_after_a_restart(town: Town) -> None:
    """It hears the book again and is told of nothing that it missed."""
    pytest.importorskip("polymarket", reason="polymarket-client is not installed")
    from polymarket import AsyncPublicClient
    from polymarket.streams import MarketSpec

    from polyframe.sandbox.clients import environment

    client = AsyncPublicClient(environment=environment(town.sandbox.urls))
    async with (
        asyncio.timeout(10),
        await client.subscribe(MarketSpec(token_ids=[town.yes])) as feed,
    ):
        assert (await anext(feed)).type == "book"
        town.hurt(
            {"fault": "unknown_message", "probability": 1},
            {"fault": "broken_frame", "probability": 1, "how": "concatenated", "times": 1},
        )
        town.move(cents=10)
        town.move(cents=11)
        assert (await anext(feed)).type == "price_change"
        town.hurt({"fault": "lost_subscriptions"})
        town.move(cents=12)
        book = await anext(feed)
        while book.type != "book":
            book = await anext(feed)
        assert [str(level.price) for level in book.payload.bids] == ["0.1", "0.11", "0.12"]
    await client.close()
