"""Whatever goes wrong while whoever trades: no unit is missing, and the server lives on."""

from __future__ import annotations

import asyncio
import json
import logging
import os
import time
from contextlib import AsyncExitStack, suppress
from typing import Any

import httpx
import pytest
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st
from sandbox_stall import stall, wallets
from sandbox_trader import Trader
from websockets.asyncio.client import connect
from websockets.exceptions import WebSocketException

from polyframe.sandbox.faults import install, read
from polyframe.sandbox.faults.plan import KINDS
from polyframe.sandbox.opening import Playground
from polyframe.sandbox.running import Sandbox

os.environ["NO_PROXY"] = os.environ["no_proxy"] = "127.0.0.1"

SECOND = 10**9
TRADERS = 3
SMALL = st.integers(0, 8)
"""ms that nobody has to wait for long"""
MARKETS = st.sampled_from([f"will-number-{number}-be-drawn" for number in range(4)])
WHERE = st.one_of(
    st.just({}),
    st.builds(lambda name: {"market": name}, MARKETS),
)
ROUTES = st.one_of(
    WHERE,
    st.sampled_from([
        {"prefix": "clob"}, {"method": "DELETE"}, {"method": "POST", "path": "/order*"},
        {"wallet": wallets(0).owner},
    ]),
)  # fmt: skip
FEEDS = st.one_of(
    WHERE, st.sampled_from([{"channel": "user"}, {"channel": "market"}, {"event": "book"}])
)
SOCKETS = st.sampled_from([{}, {"channel": "user"}, {"channel": "market"}])
PEOPLE = st.sampled_from([{}, {"wallet": wallets(1).owner}])

FIELDS: dict[str, dict[str, st.SearchStrategy[Any]]] = {
    "latency": {"target": ROUTES, "ms": SMALL, "jitter_ms": SMALL,
                "when": st.sampled_from(["request", "answer"])},
    "timeout": {"hold_ms": SMALL, "acts": st.booleans()},
    "connection_reset": {"target": ROUTES, "acts": st.booleans(),
                         "how": st.sampled_from(["reset", "close"])},
    "error_answer": {"target": ROUTES, "status": st.sampled_from([404, 502, 503])},
    "error_after_accept": {"status": st.sampled_from([502, 504])},
    "rate_limit": {"target": ROUTES, "limit": st.sampled_from([None, 1, 5])},
    "geoblock": {},
    "broken_answer": {
        "target": ROUTES,
        "how": st.sampled_from(["truncated", "malformed", "empty", "html", "cut"]),
    },
    "stale_answer": {"seconds": st.sampled_from([1, 60])},
    "clock_skew": {"seconds": st.sampled_from([-100, 100]), "judges": st.booleans()},
    "slow_messages": {"target": FEEDS, "ms": SMALL, "jitter_ms": SMALL},
    "late_messages": {"target": FEEDS, "ms": SMALL},
    "drop_messages": {"target": FEEDS},
    "duplicate_messages": {"target": FEEDS, "copies": st.integers(1, 3), "after_ms": SMALL},
    "reorder_messages": {"target": FEEDS, "behind": st.integers(1, 3), "within_ms": SMALL},
    "silent_socket": {"target": FEEDS},
    "half_open_socket": {"target": SOCKETS},
    "missing_pong": {"target": SOCKETS},
    "oversized_dump": {"target": FEEDS},
    "broken_frame": {
        "target": FEEDS,
        "how": st.sampled_from(["truncated", "malformed", "empty", "concatenated"]),
    },
    "unknown_message": {"target": FEEDS},
    "empty_size_matched": {"kinds": st.just(["PLACEMENT", "CANCELLATION"])},
    "lost_subscriptions": {"how": st.sampled_from(["cut", "forget"]), "refuse": SMALL},
    "engine_restart": {
        "down": st.integers(0, 3), "post_only": st.integers(1, 3),
        "orders": st.sampled_from(["keep", "wipe"]),
        "sockets": st.sampled_from(["keep", "cut", "forget"]),
    },
    "cancel_only": {},
    "trading_disabled": {},
    "failed_settlement": {"target": WHERE},
    "retrying_settlement": {"target": WHERE},
    "tick_change": {"target": WHERE, "tick": st.sampled_from([None, "0.1", "0.001", "0.0001"])},
    "data_lag": {"seconds": st.integers(0, 70), "jitter": st.integers(0, 10)},
    "closed_only": {"target": PEOPLE},
    "banned": {"target": PEOPLE},
    "dispute": {"target": WHERE, "after": st.integers(0, 2),
                "answer": st.sampled_from(["yes", "no"])},
}  # fmt: skip


def fault(kind: str) -> st.SearchStrategy[dict[str, Any]]:
    when: dict[str, st.SearchStrategy[Any]] = {
        "probability": st.sampled_from([0.3, 1.0]),
        "start": st.integers(0, 3),
        "times": st.sampled_from([None, 1, 3]),
    }
    if KINDS[kind].window == "open":
        when["duration"] = st.sampled_from([None, 1, 4])
    chosen = st.fixed_dictionaries(FIELDS[kind], optional=when)
    return chosen.map(lambda said: {"fault": kind, **said})


PLANS = st.lists(st.sampled_from(sorted(KINDS)).flatmap(fault), min_size=1, max_size=6)
ORDERS = st.tuples(
    st.just("order"),
    st.integers(0, TRADERS - 1),
    st.integers(0, 3),
    st.integers(0, 1),
    st.sampled_from(["BUY", "SELL"]),
    st.sampled_from([48, 49, 50, 51, 52]),
    st.integers(5, 30),
    st.sampled_from(["GTC", "GTC", "GTC", "FAK"]),
)
ACTS = st.lists(
    st.one_of(
        ORDERS,
        ORDERS,
        ORDERS,
        st.tuples(st.just("cancel"), st.integers(0, TRADERS - 1)),
        st.tuples(st.just("wait"), st.sampled_from([0.5, 1, 2])),
        st.tuples(st.just("look"), st.integers(0, 3)),
        st.tuples(st.just("follow"), st.booleans()),
        st.tuples(st.just("mend")),
    ),
    min_size=4,
    max_size=14,
)


def test_every_fault_has_its_fields_here() -> None:
    assert set(FIELDS) == set(KINDS)


class Errors(logging.Handler):
    """What a server has to say of itself when something in it breaks."""

    def __init__(self) -> None:
        super().__init__(logging.ERROR)
        self.found: list[str] = []

    def emit(self, record: logging.LogRecord) -> None:
        self.found.append(self.format(record))


class Day:
    """A sandbox, its traders and listeners, and a list of what came back."""

    def __init__(self, sandbox: Sandbox, http: httpx.AsyncClient) -> None:
        self.sandbox, self.http, self.venue = sandbox, http, sandbox.venue
        self.traders = [Trader(sandbox, number, http) for number in range(TRADERS)]
        self.markets = list(sandbox.venue.markets.values())
        self.listeners: list[asyncio.Task[None]] = []
        self.answers: list[object] = []

    async def do(self, act: tuple[Any, ...]) -> None:
        name, *rest = act
        try:
            answer = await getattr(self, name)(*rest)
        except httpx.TransportError as error:
            answer = type(error).__name__
        self.answers.append(answer.status_code if isinstance(answer, httpx.Response) else answer)

    async def order(self, who: int, market: int, outcome: int, *rest: Any) -> httpx.Response:
        token = self.markets[market].listing.tokens[outcome]
        return await self.traders[who].place(token, *rest)

    async def cancel(self, who: int) -> httpx.Response:
        return await self.traders[who].call("DELETE", "/cancel-all")

    async def wait(self, seconds: float) -> None:
        self.sandbox.step(int(seconds * SECOND))

    async def look(self, market: int) -> httpx.Response:
        token = self.markets[market].listing.tokens[0]
        return await self.http.get(f"/clob/book?token_id={token}")

    async def follow(self, user: bool) -> None:
        self.listeners.append(asyncio.create_task(self.listen(user)))
        await asyncio.sleep(0.005)

    async def mend(self) -> None:
        assert (await self.http.delete("/debug/faults")).is_success

    async def listen(self, user: bool) -> None:
        """Somebody who hears whatever comes until the socket ends."""
        key = self.traders[0].credentials
        auth = {"apiKey": key.key, "secret": key.secret, "passphrase": key.passphrase}
        tokens = [token for market in self.markets for token in market.listing.tokens]
        said = {"type": "user", "auth": auth} if user else {"type": "market", "assets_ids": tokens}
        url = self.sandbox.urls.ws_user if user else self.sandbox.urls.ws_market
        with suppress(WebSocketException, OSError):
            async with connect(url, compression=None, ping_interval=None, close_timeout=0.05) as ws:
                await ws.send(json.dumps(said))
                await ws.send("PING")
                async for _ in ws:
                    pass

    async def ends(self) -> None:
        """All is mended: the server answers, sockets hear, and every unit is where it belongs."""
        await self.mend()
        assert (await self.http.get("/clob/ok")).json() == "OK"
        async with connect(self.sandbox.urls.ws_market, compression=None) as ws:
            tokens = [token for market in self.markets for token in market.listing.tokens]
            await ws.send(json.dumps({"type": "market", "assets_ids": tokens}))
            async with asyncio.timeout(5):
                books = json.loads(await ws.recv())
            assert len(books) == 2 * sum(market.booked for market in self.markets)
        self.sandbox.step(100 * SECOND)
        audit = self.venue.audit(full=True)
        assert audit.exact, audit
        assert audit.matched == 0
        assert not any(w.banned or w.closed_only for w in self.venue.accounts.wallets.values())
        assert self.sandbox.desk.skew == 0
        assert self.venue.history.behind == 0


async def live(plan: dict[str, Any], acts: list[tuple[Any, ...]]) -> tuple[list[object], list[Any]]:
    """What came back, and what the faults did, by whom."""
    venue, markets = stall(
        now=time.time_ns(), mined_after=SECOND, confirmed_after=SECOND, retry_after=SECOND, jitter=0
    )
    errors = Errors()
    logger = logging.getLogger("uvicorn.error")
    logger.addHandler(errors)
    try:
        async with AsyncExitStack() as stack:
            sandbox = await stack.enter_async_context(Sandbox(venue, paused=True))
            for number in range(TRADERS):
                venue.fund(wallets(number).owner, 10**10)
                for market in markets:
                    venue.split(wallets(number).owner, market.condition_id, 10**9)
            http = await stack.enter_async_context(
                httpx.AsyncClient(base_url=sandbox.urls.base, trust_env=False, verify=False)
            )
            day = Day(sandbox, http)
            for user in (False, True):
                await day.follow(user)
            install(sandbox, read(plan))
            for act in acts:
                await day.do(act)
                assert venue.audit().exact
            log = [(each.fault, each.what) for each in sandbox.faults.injections(999)]
            await day.ends()
            for task in day.listeners:
                task.cancel()
            await asyncio.gather(*day.listeners, return_exceptions=True)
        assert not errors.found, errors.found
        return day.answers, log
    finally:
        logger.removeHandler(errors)


SLOW = [HealthCheck.too_slow]


@settings(max_examples=25, suppress_health_check=SLOW)
@given(PLANS, ACTS)
def test_every_unit_is_accounted_for_whatever_goes_wrong(
    faults: list[dict[str, Any]], acts: list[tuple[Any, ...]]
) -> None:
    asyncio.run(live({"faults": faults}, acts))


@settings(max_examples=5, suppress_health_check=SLOW)
@given(PLANS, ACTS)
def test_the_same_plan_does_the_same_to_the_same_requests(
    faults: list[dict[str, Any]], acts: list[tuple[Any, ...]]
) -> None:
    wanted = [one for one in faults if not KINDS[one["fault"]].listens]
    calls = [act for act in acts if act[0] != "follow"]
    found = [asyncio.run(live({"seed": 9, "faults": wanted}, calls)) for _ in range(2)]
    names = [
        [(id, what.partition("0x")[0]) for id, what in log if "socket" not in what]
        for _, log in found
    ]
    assert found[0][0] == found[1][0]
    assert names[0] == names[1]


@pytest.mark.parametrize("preset", ["rough", "unsure-orders", "flaky-feed", "everything"])
def test_presets_through_a_long_night(preset: str) -> None:
    """Time passes fast enough for every window of a preset to open."""
    orders = [
        ("order", number % 3, number % 4, number % 2, "BUY" if number % 3 else "SELL",
         48 + number % 5, 10, "GTC")
        for number in range(16)
    ]  # fmt: skip
    acts = [each for order in orders for each in (order, ("wait", 45), ("look", 0))]
    slow = {"latency", "timeout"}  # what takes time outside is tested elsewhere
    plan = read({"include": [preset], "seed": 5})
    faults = [
        one.model_copy(update={"ms": 1, "jitter_ms": 1, "hold_ms": 1}) if one.fault in slow else one
        for one in plan.faults
    ]
    answers, log = asyncio.run(live({"seed": 5, "faults": faults}, acts))
    assert len(answers) == len(acts)
    assert len({fault for fault, _ in log}) >= 2


def test_a_crowd_lives_through_everything() -> None:
    """The agents meet the same halts, ticks and failures as whoever trades from outside."""
    ground = Playground(seed=3, markets=12, days=1, now=1_795_291_200 * SECOND, paused=True)
    venue = ground.venue
    install(ground, read({"include": ["everything"], "seed": 5}))
    before = sum(market.volume for market in venue.markets.values())
    for _ in range(20):
        ground.step(30 * SECOND)
        assert venue.audit().exact
    ground.faults.clear()
    ground.step(120 * SECOND)
    assert venue.audit(full=True).exact
    assert sum(market.volume for market in venue.markets.values()) > before
    struck = {row.fault.rpartition("-")[0] for row in ground.faults.injections(1000)}
    assert struck >= {"engine_restart", "failed_settlement", "tick_change", "dispute", "data_lag"}
