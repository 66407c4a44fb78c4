"""The sandbox with its doors: signed orders called and over HTTP, and a flood of book changes.

The server runs in this process, its clients in others, as they would beside a bot.
"""

from __future__ import annotations

import asyncio
import hashlib
import json
import multiprocessing
import socket
import time
from collections.abc import Iterator
from typing import Any

from benchmarks.figures import Figure, figure, peak_rss_mb
from polyframe.exchanges.polymarket.auth import Credentials, call_headers
from polyframe.exchanges.polymarket.contracts import AMOY
from polyframe.exchanges.polymarket.curve import address_bytes, address_of
from polyframe.exchanges.polymarket.signing import OrderFields, domain_of, sign_order
from polyframe.sandbox.clob.signed import Checked, check, read_one
from polyframe.sandbox.running import Sandbox
from polyframe.sandbox.venue.records import Listing, Placed
from polyframe.sandbox.venue.venue import Venue

MARKETS, READERS, RATE = 100, 5, 5_000
KEY = hashlib.sha256(b"benchmark").digest()
OWNER = address_of(KEY)
SHARE = 1_000_000


def town() -> tuple[Sandbox, list[Listing]]:
    """A sandbox with a hundred markets and somebody who has money."""
    began = time.time_ns()
    venue, listings = Venue(now=began), []
    for number in range(MARKETS):
        root = f"benchmark/{number}".encode()
        yes, no = (int.from_bytes(hashlib.sha256(root + part).digest()) for part in (b"y", b"n"))
        terms = Listing("0x" + hashlib.sha256(root).hexdigest(), (str(yes), str(no)))
        listings.append(terms)
        venue.list_market(terms)
    venue.fund(OWNER, 10**15)
    return Sandbox(venue), listings


def bodies(count: int, token: str, key: str) -> list[bytes]:
    """Signed orders as they are posted."""
    maker, domain = address_bytes(OWNER), domain_of(AMOY, int(token), neg_risk=False)
    made = []
    for salt in range(count):
        cents = 1 + salt % 40
        fields = OrderFields(
            salt, maker, maker, int(token), cents * 100_000, 10 * SHARE, 0, 0, 1_790_000_000_000
        )
        order = {
            "salt": salt,
            "maker": OWNER,
            "signer": OWNER,
            "tokenId": token,
            "makerAmount": str(fields.maker_amount),
            "takerAmount": str(fields.taker_amount),
            "side": "BUY",
            "expiration": "0",
            "signatureType": 0,
            "timestamp": str(fields.timestamp),
            "signature": sign_order(fields, domain, KEY),
        }
        posted = {"order": order, "owner": key, "orderType": "GTC", "deferExec": False}
        made.append(json.dumps(posted, separators=(",", ":")).encode())
    return made


def credentials(sandbox: Sandbox) -> Credentials:
    """The key that the orders are posted with."""
    made = sandbox.desk.keys.create(OWNER, 0, sandbox.venue.now)
    if made is None:
        raise RuntimeError("the benchmark's key exists already")
    return Credentials(made.key, made.secret, made.passphrase)


def called(count: int) -> Figure:
    """Orders read, their signatures checked, and placed, without a network."""
    sandbox, listings = town()
    key = sandbox.desk.keys.named(credentials(sandbox).key)
    sent = bodies(count + 20, listings[0].tokens[0], key.key if key else "")
    refused, began = 0, 0.0
    for index, body in enumerate(sent):
        if index == 20:
            began = time.perf_counter()
        posted = read_one(body)
        found = check(sandbox.desk, posted, key)  # type: ignore[arg-type]
        if isinstance(found, Checked):
            answer = sandbox.venue.place(found.order, owner=key.key, order_type="GTC")  # type: ignore[union-attr]
            refused += not isinstance(answer, Placed)
        else:
            refused += 1
    seconds = time.perf_counter() - began
    return figure("signed orders, called", count, seconds, unit="orders", refused=refused)


def post(port: int, keys: Credentials, sent: list[bytes], told: Any) -> None:
    """A client that posts one order after the other."""
    place = socket.create_connection(("127.0.0.1", port))
    place.setsockopt(socket.IPPROTO_TCP, socket.TCP_NODELAY, 1)
    taken, began = 0, time.perf_counter()
    for body in sent:
        headers = call_headers(keys, OWNER, int(time.time()), "POST", "/order", body)
        lines = "".join(f"{name}: {value}\r\n" for name, value in headers.items())
        place.sendall(
            f"POST /clob/order HTTP/1.1\r\nHost: x\r\nContent-Type: application/json\r\n"
            f"Content-Length: {len(body)}\r\n{lines}\r\n".encode()
            + body
        )
        answer = b""
        while b"}" not in answer:
            answer += place.recv(65_536)
        taken += b'"live"' in answer
    told.put((taken, time.perf_counter() - began))


async def over_http(count: int) -> Figure:
    """The same over HTTP, from one client that waits for each answer."""
    sandbox, listings = town()
    keys = credentials(sandbox)
    sent = bodies(count, listings[0].tokens[0], keys.key)
    started = time.perf_counter()
    async with sandbox:
        ready = time.perf_counter() - started
        queue, began = _context().Queue(), time.process_time()
        client = _context().Process(target=post, args=(sandbox.port, keys, sent, queue))
        client.start()
        taken, seconds = await asyncio.to_thread(queue.get)
        busy = time.process_time() - began
        client.join()
    return figure(
        "signed orders, HTTP",
        count,
        seconds,
        unit="orders",
        refused=count - taken,
        cpu=round(busy / seconds, 2),
        ready_s=round(ready, 3),
    )


def read(port: int, tokens: list[str], told: Any) -> None:
    """Subscribers that count what they hear."""
    import msgspec
    from websockets.asyncio.client import connect
    from websockets.exceptions import ConnectionClosed

    async def one() -> int:
        heard = 0
        url = f"ws://127.0.0.1:{port}/ws/market"
        async with connect(url, compression=None, ping_interval=None) as ws:
            await ws.send(json.dumps({"type": "market", "assets_ids": tokens}))
            try:
                while True:
                    said = msgspec.json.decode(await ws.recv(decode=False))
                    events = said if isinstance(said, list) else [said]
                    heard += sum(event["event_type"] == "price_change" for event in events)
            except ConnectionClosed:
                return heard

    async def main() -> list[int]:
        return await asyncio.gather(*(one() for _ in range(READERS)))

    told.put(asyncio.run(main()))


async def flooded(seconds: float) -> Figure:
    """Two hundred tokens that change fifty times a second each, told to five subscribers."""
    sandbox, listings = town()
    venue, owner = sandbox.venue, sandbox.venue.wallet(OWNER).owner
    tokens = [token for listing in listings for token in listing.tokens]
    for listing in listings:
        for cents in range(1, 31):
            for token in listing.tokens:
                venue.submit(OWNER, token, "BUY", cents * 100, 10 * SHARE + cents * 10_000)
    venue.drain()
    async with sandbox:
        queue = _context().Queue()
        client = _context().Process(target=read, args=(sandbox.port, tokens, queue))
        client.start()
        while len(sandbox.market_channel.lines) < READERS:
            await asyncio.sleep(0.05)
        await asyncio.sleep(0.5)
        first, sent = peak_rss_mb(), 0
        resting: list[str] = []
        began, used = time.perf_counter(), time.process_time()
        while (passed := time.perf_counter() - began) < seconds:
            while sent < passed * RATE:
                if len(resting) > 2_000:
                    venue.cancel(owner, [resting.pop(0)])
                else:
                    token = tokens[sent * 7 % len(tokens)]
                    placed = venue.submit(OWNER, token, "BUY", 100 + sent % 30 * 100, 5 * SHARE)
                    resting.append(placed.order_id if isinstance(placed, Placed) else "")
                sent += 1
            sandbox.settle()
            await asyncio.sleep(0.002)
        taken = time.perf_counter() - began
        cpu = (time.process_time() - used) / taken
        last = peak_rss_mb()
        await asyncio.sleep(1.0)
    heard = await asyncio.to_thread(queue.get)
    client.join()
    return figure(
        "book changes to 5 sockets",
        sent,
        taken,
        unit="changes",
        lost=READERS * sent - sum(heard),
        cpu=round(cpu, 2),
        grown_mb=round(last - first, 1),
    )


def _context() -> Any:
    """Clients are new processes: a fork would carry this one's loop and sockets along."""
    return multiprocessing.get_context("spawn")


def measure(quick: bool) -> Iterator[Figure]:
    """Orders called, orders over HTTP, changes over sockets."""
    count = 1_000 if quick else 10_000
    yield called(count)
    yield asyncio.run(over_http(count))
    yield asyncio.run(flooded(3.0 if quick else 60.0))
