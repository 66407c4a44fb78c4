"""Faults of requests, over a real port: what a client sees of them and what the venue does."""

from __future__ import annotations

import asyncio
import json
import os
import time
from collections.abc import AsyncIterator

import httpx
import pytest
import pytest_asyncio
from sandbox_hurt import HurtTown as Town
from sandbox_hurt import hurt_town
from sandbox_stall import stall

from polyframe.sandbox.faults import install, read
from polyframe.sandbox.running import Sandbox

pytestmark = pytest.mark.asyncio(loop_scope="module")
os.environ["NO_PROXY"] = os.environ["no_proxy"] = "127.0.0.1"


@pytest_asyncio.fixture(loop_scope="module", scope="module")
async def town() -> AsyncIterator[Town]:
    async with hurt_town() as town:
        yield town


@pytest_asyncio.fixture(loop_scope="module", autouse=True)
async def calm(town: Town) -> AsyncIterator[None]:
    yield
    await town.calm()


# ---- late ---------------------------------------------------------------------------------------


@pytest.mark.parametrize("when", ["request", "answer"])
async def test_latency_is_before_or_after_the_venue_acts(town: Town, when: str) -> None:
    town.hurt({"fault": "latency", "ms": 100, "when": when, "target": {"path": "/order"}})
    started = time.monotonic()
    sent = asyncio.create_task(town.ann.place(town.yes, "BUY", 30, 10))
    await asyncio.sleep(0.05)
    assert len(town.venue.orders_of(town.ann.key)) == (when == "answer")
    assert (await sent).json()["status"] == "live"
    assert 0.1 <= time.monotonic() - started < 1
    assert town.struck() == [f"POST /clob/order {when} 100 ms late"]


async def test_jitter_is_the_same_for_the_same_seed(town: Town) -> None:
    found = []
    for seed in (1, 1, 2):
        town.hurt({"fault": "latency", "ms": 0, "jitter_ms": 5}, seed=seed)
        for _ in range(8):
            await town.get("/clob/ok")
        found.append(town.struck())
        town.heal()
    assert found[0] == found[1] != found[2]


# ---- refused ------------------------------------------------------------------------------------


@pytest.mark.parametrize("after", [7, None])
async def test_too_many_requests(town: Town, after: int | None) -> None:
    town.hurt({"fault": "rate_limit", "retry_after": after, "target": {"path": "/book"}})
    answer = await town.get(f"/clob/book?token_id={town.yes}")
    assert (answer.status_code, answer.json()) == (429, {"error": "Too Many Requests"})
    assert answer.headers.get("retry-after") == (None if after is None else str(after))
    assert (await town.get("/clob/ok")).status_code == 200


async def test_a_limit_lets_so_many_requests_pass_in_its_time(town: Town) -> None:
    town.hurt({"fault": "rate_limit", "limit": 3, "per": 10})

    async def statuses() -> list[int]:
        return [(await town.get("/clob/ok")).status_code for _ in range(5)]

    assert await statuses() == [200, 200, 200, 429, 429]
    town.sandbox.step(9 * 10**9)
    assert await statuses() == [429] * 5
    town.sandbox.step(1 * 10**9)
    assert await statuses() == [200, 200, 200, 429, 429]


async def test_errors_without_the_venue_seeing_anything(town: Town) -> None:
    town.hurt(
        {"fault": "error_answer", "status": 503, "text": "no", "code": "x", "retry_after": 3,
         "times": 1}
    )  # fmt: skip
    answer = await town.ann.place(town.yes, "BUY", 30, 10)
    assert (answer.status_code, answer.json()) == (503, {"error": "no", "code": "x"})
    assert answer.headers["retry-after"] == "3"
    assert not town.venue.orders_of(town.ann.key)
    assert (await town.ann.place(town.yes, "BUY", 30, 10)).status_code == 200


async def test_orders_from_a_blocked_region(town: Town) -> None:
    town.hurt({"fault": "geoblock"})
    answer = await town.ann.place(town.yes, "BUY", 30, 10)
    assert answer.status_code == 403
    assert answer.json()["error"].startswith("Trading restricted in your region")
    assert (await town.ann.call("POST", "/orders", [])).status_code == 403
    assert (await town.ann.call("DELETE", "/cancel-all")).status_code == 200
    assert (await town.get("/clob/time")).status_code == 200


# ---- nobody knows -------------------------------------------------------------------------------


async def test_an_order_that_was_taken_and_answered_with_an_error_lives(town: Town) -> None:
    town.hurt({"fault": "error_after_accept", "status": 500})
    id, order = town.ann.order(town.yes, "BUY", 30, 10)
    answer = await town.ann.call("POST", "/order", order)
    assert (answer.status_code, answer.json()) == (500, {"error": "could not insert order"})
    found = await town.ann.call("GET", f"/data/order/{id}")
    assert found.json()["status"] == "LIVE"
    again = await town.ann.call("POST", "/order", order)
    assert (again.status_code, again.json()["error"]) == (
        400,
        f"order {id} is invalid. Duplicated.",
    )
    assert town.struck() == ["POST /clob/order taken, answered 500"]


@pytest.mark.parametrize("acts", [True, False])
async def test_a_timeout_that_fills_anyway_or_does_not(town: Town, acts: bool) -> None:
    await town.bob.place(town.yes, "SELL", 50, 10)
    town.hurt({"fault": "timeout", "hold_ms": 60, "acts": acts})
    before = town.venue.balance(town.ann.address, town.yes).balance
    started = time.monotonic()
    with pytest.raises(httpx.RemoteProtocolError, match="disconnected"):
        await town.ann.place(town.yes, "BUY", 50, 10)
    assert 0.06 <= time.monotonic() - started < 1
    bought = town.venue.balance(town.ann.address, town.yes).balance - before
    assert bought == (10 * 10**6 if acts else 0)


async def test_whoever_gives_up_first_has_its_order_filled_too(town: Town) -> None:
    """The client's own time runs out while the connection is held."""
    town.hurt({"fault": "timeout", "hold_ms": 10_000})
    id, order = town.ann.order(town.yes, "BUY", 30, 10)
    with pytest.raises(httpx.ReadTimeout):
        await town.ann.call("POST", "/order", order, timeout=0.1)
    found = town.venue.order(id)
    assert found is not None
    assert found.open


@pytest.mark.parametrize("acts", [True, False])
@pytest.mark.parametrize(
    ("how", "error"), [("reset", httpx.ReadError), ("close", httpx.RemoteProtocolError)]
)
async def test_connections_break(town: Town, acts: bool, how: str, error: type[Exception]) -> None:
    target = {"method": "POST"}
    town.hurt({"fault": "connection_reset", "acts": acts, "how": how, "target": target})
    with pytest.raises(error):
        await town.ann.place(town.yes, "BUY", 30, 10)
    assert len(town.venue.orders_of(town.ann.key)) == acts
    assert (await town.get("/clob/ok")).status_code == 200


async def test_where_the_server_cannot_cut_it_says_that_somebody_is_gone(town: Town) -> None:
    """Called without a port there is no connection that could end."""
    transport = httpx.ASGITransport(town.sandbox.server)
    town.hurt({"fault": "connection_reset"})
    async with httpx.AsyncClient(transport=transport, base_url="http://here") as client:
        answer = await client.get("/clob/ok")
    assert (answer.status_code, answer.json()) == (502, {"error": "Bad gateway"})
    assert answer.headers["connection"] == "close"


# ---- unreadable ---------------------------------------------------------------------------------


@pytest.mark.parametrize("how", ["truncated", "malformed", "empty", "html"])
@pytest.mark.parametrize("path", ["/clob/book", "/clob/time", "/clob/ok", "/clob/midpoint"])
async def test_answers_that_are_no_json(town: Town, how: str, path: str) -> None:
    town.hurt({"fault": "broken_answer", "how": how})
    answer = await town.get(f"{path}?token_id={town.yes}")
    with pytest.raises(ValueError, match=r"."):
        answer.json()
    assert (answer.status_code, answer.headers["content-type"]) == (
        (502, "text/html") if how == "html" else (200, "application/json")
    )


async def test_answers_that_end_in_the_middle(town: Town) -> None:
    town.hurt({"fault": "broken_answer", "how": "cut", "target": {"method": "POST"}})
    with pytest.raises(httpx.RemoteProtocolError, match="without sending complete"):
        await town.ann.place(town.yes, "BUY", 30, 10)
    assert len(town.venue.orders_of(town.ann.key)) == 1


# ---- wrong --------------------------------------------------------------------------------------


async def test_reads_from_a_cache(town: Town) -> None:
    town.hurt({"fault": "stale_answer", "seconds": 60, "duration": 100})
    path = f"/clob/book?token_id={town.yes}"
    old = (await town.get(path)).json()
    await town.ann.place(town.yes, "BUY", 30, 10)
    town.sandbox.step(59 * 10**9)
    assert (await town.get(path)).json() == old
    other = (await town.get(f"/clob/book?token_id={town.no}")).json()
    assert other["asks"] == [{"price": "0.7", "size": "10"}]
    assert (await town.ann.call("GET", "/data/orders")).json()["data"]
    town.sandbox.step(1 * 10**9)
    new = (await town.get(path)).json()
    assert new["bids"] == [{"price": "0.3", "size": "10"}]
    town.sandbox.step(40 * 10**9)
    await town.ann.call("DELETE", "/cancel-all")
    assert (await town.get(path)).json()["bids"] == []


@pytest.mark.parametrize("seconds", [3600, -3600])
async def test_a_clock_that_is_wrong(town: Town, seconds: int) -> None:
    town.hurt({"fault": "clock_skew", "seconds": seconds})
    right = town.venue.now // 10**9
    assert (await town.get("/clob/time")).json() == right + seconds
    assert (await town.ann.call("GET", "/data/orders")).status_code == 200


@pytest.mark.parametrize("seconds", [3600, -3600])
async def test_a_clock_that_judges_and_is_wrong(town: Town, seconds: int) -> None:
    """Whoever reads the time from /time gets through, whoever trusts its own clock does not."""
    town.hurt({"fault": "clock_skew", "seconds": seconds, "judges": True, "duration": 5})
    assert (await town.ann.call("GET", "/data/orders")).status_code == 401
    assert (await town.ann.call("GET", "/data/orders", skew=seconds)).status_code == 200
    town.sandbox.step(5 * 10**9)
    assert (await town.ann.call("GET", "/data/orders")).status_code == 200
    assert (await town.ann.call("GET", "/data/orders", skew=seconds)).status_code == 401


# ---- whom it concerns, and when -----------------------------------------------------------------


async def test_only_who_is_meant_is_struck(town: Town) -> None:
    town.hurt(
        {"fault": "error_answer", "target": {"key": town.ann.key, "method": "POST"}},
        {"fault": "error_answer", "status": 502, "target": {"token": town.no}},
    )
    assert (await town.ann.place(town.yes, "BUY", 30, 10)).status_code == 500
    assert (await town.bob.place(town.yes, "BUY", 30, 10)).status_code == 200
    assert (await town.bob.place(town.no, "BUY", 30, 10)).status_code == 502
    assert (await town.get(f"/clob/book?token_id={town.no}")).status_code == 502
    assert (await town.ann.call("GET", "/data/orders")).status_code == 200


async def test_the_first_fault_is_the_outermost(town: Town) -> None:
    """Late comes a refusal when latency is named first, and at once when it is named last."""
    refuse = {"fault": "error_answer", "times": 1}
    late = {"fault": "latency", "ms": 100, "times": 1}
    for faults, least in (((late, refuse), 0.1), ((refuse, late), 0.0)):
        town.hurt(*faults)
        started = time.monotonic()
        assert (await town.get("/clob/ok")).status_code == 500
        assert least <= time.monotonic() - started < least + 0.09
        town.sandbox.faults.clear()


async def test_probability_times_and_window_bound_it(town: Town) -> None:
    town.hurt(
        {"fault": "error_answer", "probability": 0.5, "times": 4, "start": 2, "duration": 4}, seed=5
    )
    found = []
    for _ in range(8):
        found.append([(await town.get("/clob/ok")).status_code for _ in range(4)].count(500))
        town.sandbox.step(10**9)
    assert found[:2] == [0, 0]
    assert sum(found) == 4
    assert found[6:] == [0, 0]


# ---- over HTTP ----------------------------------------------------------------------------------


async def test_faults_come_and_go_over_http(town: Town) -> None:
    plan = {"seed": 3, "faults": [{"fault": "rate_limit"}, {"fault": "latency", "name": "slow"}]}
    added = await town.http.post("/debug/faults", json=plan)
    limit, slow = added.json()["installed"]
    assert (limit[:11], slow) == ("rate_limit-", "slow")
    assert (await town.get("/clob/ok")).status_code == 429
    told = (await town.get("/debug/faults")).json()
    first = told["faults"][0]
    assert (first["id"], first["open"], first["injected"]) == (limit, True, 1)
    assert first["plan"] == {"fault": "rate_limit"}
    assert told["last"] == [{"at": town.venue.now, "fault": limit, "what": "GET /clob/ok 429"}]
    assert (await town.get("/debug/faults?last=0")).json()["last"] == []
    assert (await town.http.delete(f"/debug/faults/{limit}")).json() == {"removed": 1}
    assert (await town.get("/clob/ok")).status_code == 200
    assert (await town.http.delete("/debug/faults")).json() == {"removed": 1}
    assert (await town.http.delete("/debug/faults/slow")).status_code == 404
    kinds = (await town.get("/debug/faults/kinds")).json()
    assert kinds[0]["fault"] == "latency"
    assert "jitter_ms" in kinds[0]["schema"]["properties"]
    presets = (await town.get("/debug/faults/presets")).json()
    name = await town.http.post("/debug/faults", json={"include": ["restart-night"]})
    assert len(name.json()["installed"]) == len(presets["restart-night"]["faults"])


@pytest.mark.parametrize(
    ("said", "status", "words"),
    [
        (b"{", 400, ["Invalid payload"]),
        (b'{"fault":"latencey"}', 400, ["there is no fault 'latencey'", "'latency'?"]),
        (b'{"fault":"latency","probability":2}', 400, ["probability is 2", "less than or equal"]),
        (b'{"fault":"tick_change","target":{"market":"x"}}', 400, ["there is no market 'x'"]),
        (b'{"include":["calmer"]}', 400, ["there is no preset 'calmer'", "'calm'?"]),
    ],
)
async def test_a_bad_plan_over_http(town: Town, said: bytes, status: int, words: list[str]) -> None:
    headers = {"Content-Type": "application/json"}
    answer = await town.http.post("/debug/faults", content=said, headers=headers)
    assert answer.status_code == status
    assert all(word in answer.text for word in words), answer.text
    assert (await town.get("/debug/faults")).json()["faults"] == []


async def test_the_debug_room_is_spared(town: Town) -> None:
    """However bad it is, faults can be taken away."""
    town.hurt({"fault": "connection_reset"}, {"fault": "timeout", "target": {}, "hold_ms": 10_000})
    with pytest.raises(httpx.TransportError):
        await town.get("/clob/ok")
    assert (await town.http.delete("/debug/faults")).json() == {"removed": 2}


# ---- the official client ------------------------------------------------------------------------


async def test_the_official_client_under_an_unsure_order(town: Town) -> None:
    """It raises, the order stands, and the id that was known before finds it."""
    client = await town.client()
    from polymarket import errors

    order = {"token_id": town.yes, "price": "0.31", "size": "12", "side": "BUY"}
    for fault, error in (
        ({"fault": "error_after_accept"}, errors.RequestRejectedError),
        ({"fault": "timeout", "hold_ms": 1}, errors.TransportError),
        ({"fault": "connection_reset", "acts": True, "target": {"path": "/order"}},
         errors.TransportError),
        ({"fault": "broken_answer", "target": {"path": "/order"}}, errors.UnexpectedResponseError),
    ):  # fmt: skip
        town.hurt(fault)
        with pytest.raises(error):
            await client.place_limit_order(**order)
        town.sandbox.faults.clear()
        (row,) = [row async for row in client.list_open_orders().iter_items()]
        assert (row.status, str(row.original_size)) == ("LIVE", "12")
        await client.cancel_order(order_id=row.id)
    town.hurt({"fault": "rate_limit", "retry_after": 4})
    with pytest.raises(errors.RateLimitError):
        await client.place_limit_order(**order)
    await client.close()


async def test_a_sandbox_that_ends_waits_for_nobody() -> None:
    venue, _ = stall()
    async with httpx.AsyncClient(trust_env=False) as http:
        async with Sandbox(venue, paused=True) as other:
            install(other, read({"fault": "latency", "ms": 60_000}))
            held = asyncio.create_task(http.get(other.urls.clob + "/ok"))
            await asyncio.sleep(0.05)
            started = time.monotonic()
        assert (await held).json() == "OK"
        assert time.monotonic() - started < 1
    assert json.dumps(other.faults.rows())
