"""Faults of the exchange, its markets and its traders, over a real port."""

from __future__ import annotations

import asyncio
import json
import os
from collections.abc import AsyncIterator
from typing import Any

import httpx
import pytest
import pytest_asyncio
from sandbox_hurt import HurtTown as Town
from sandbox_hurt import hurt_town
from sandbox_stall import wallets
from sandbox_trader import Trader
from websockets.asyncio.client import connect

from polyframe.sandbox.venue.records import State

pytestmark = pytest.mark.asyncio(loop_scope="module")
os.environ["NO_PROXY"] = os.environ["no_proxy"] = "127.0.0.1"

SECOND = 10**9


@pytest_asyncio.fixture(loop_scope="module", scope="module")
async def town() -> AsyncIterator[Town]:
    async with hurt_town(SECOND) as town:
        yield town


@pytest_asyncio.fixture(loop_scope="module", autouse=True)
async def calm(town: Town) -> AsyncIterator[None]:
    yield
    await town.calm()


def said(answer: httpx.Response) -> tuple[int, Any]:
    return answer.status_code, answer.json()


POST_ONLY = "post-only mode: only post-only orders and cancels are allowed"


# ---- restarts and halts -------------------------------------------------------------------------


async def test_the_engine_restarts_and_takes_post_only_orders_first(town: Town) -> None:
    kept = (await town.ann.place(town.yes, "BUY", 20, 10)).json()["orderID"]
    town.hurt({"fault": "engine_restart", "down": 90, "post_only": 120})
    town.later(30)
    for method, path, body in (
        ("POST", "/order", town.ann.order(town.yes, "BUY", 30, 10)[1]),
        ("POST", "/orders", [town.ann.order(town.yes, "BUY", 30, 10)[1]]),
        ("DELETE", "/order", {"orderID": kept}),
        ("DELETE", "/cancel-all", None),
    ):
        answer = await town.ann.call(method, path, body)
        assert said(answer) == (425, {"error": "the matching engine is restarting"})
        assert answer.headers["retry-after"] == "60"
    assert (await town.ann.call("GET", f"/data/order/{kept}")).json()["status"] == "LIVE"
    town.later(60 + 41)
    answer = await town.ann.place(town.yes, "BUY", 30, 10)
    told = {"error": POST_ONLY, "code": "post_only_mode", "retry_after_seconds": 79}
    assert said(answer) == (503, told)
    assert answer.headers["retry-after"] == "79"
    legs = [
        town.ann.order(town.yes, "BUY", 30, 10)[1],
        town.ann.order(town.yes, "BUY", 30, 10, post=True)[1],
    ]
    first, second = (await town.ann.call("POST", "/orders", legs)).json()
    assert (first["errorMsg"], first["orderID"]) == (POST_ONLY, "")
    assert second["status"] == "live"
    (only,) = (await town.ann.call("POST", "/orders", legs[:1])).json()
    assert only["errorMsg"] == POST_ONLY
    assert (await town.ann.place(town.yes, "BUY", 30, 10, post=True)).json()["status"] == "live"
    assert (await town.ann.call("DELETE", "/order", {"orderID": kept})).json()["canceled"] == [kept]
    town.later(79)
    assert (await town.ann.place(town.yes, "BUY", 30, 10)).json()["status"] == "live"


async def test_a_restart_may_wipe_books_and_lose_sockets(town: Town) -> None:
    await town.ann.place(town.yes, "BUY", 20, 10)
    subscribe = json.dumps({"type": "market", "assets_ids": [town.yes], "initial_dump": False})
    async with connect(town.sandbox.urls.ws_market, ping_interval=None) as ws:
        await ws.send(subscribe)
        await ws.send("PING")
        assert await ws.recv() == "PONG"
        town.hurt(
            {"fault": "engine_restart", "orders": "wipe", "sockets": "forget", "down": 10,
             "retry_after": False}
        )  # fmt: skip
        assert town.venue.orders_of(town.ann.key) == []
        answer = await town.ann.place(town.yes, "BUY", 30, 10)
        assert (answer.status_code, answer.headers.get("retry-after")) == (425, None)
        town.later(10)
        assert (await town.ann.place(town.yes, "BUY", 20, 10, post=True)).is_success
        await ws.send("PING")
        async with asyncio.timeout(5):
            # The wiped level was told before the subscription was lost.
            texts = [await ws.recv()]
            while texts[-1] != "PONG":
                texts.append(await ws.recv())
        assert not any('"0.2","size":"10"' in text for text in texts)


async def test_how_long_it_lasts_is_counted_outside(town: Town) -> None:
    """At ten times the speed, sixty seconds of the venue are six for whoever waits."""
    town.sandbox.pace.speed = 10
    town.hurt({"fault": "engine_restart", "down": 60})
    answer = await town.ann.place(town.yes, "BUY", 30, 10)
    assert answer.headers["retry-after"] == "6"
    town.sandbox.pace.speed = 1


async def test_agents_cannot_trade_during_a_restart_either(town: Town) -> None:
    town.hurt({"fault": "engine_restart"})
    refused = town.venue.submit(wallets(2).owner, town.yes, "BUY", 3000, 10**7)
    assert refused.status == 425  # type: ignore[union-attr]


@pytest.mark.parametrize("path", ["/order", "/orders"])
async def test_cancel_only(town: Town, path: str) -> None:
    kept = (await town.ann.place(town.yes, "BUY", 20, 10)).json()["orderID"]
    town.hurt({"fault": "cancel_only", "duration": 5})
    order = town.ann.order(town.yes, "BUY", 30, 10, post=True)[1]
    answer = await town.ann.call("POST", path, order if path == "/order" else [order])
    text = "Trading is currently cancel-only. New orders are not accepted, but cancels are allowed."
    assert said(answer) == (503, {"error": text})
    assert (await town.ann.call("DELETE", "/order", {"orderID": kept})).json()["canceled"] == [kept]
    town.later(5)
    assert (await town.ann.call("POST", path, order if path == "/order" else [order])).is_success


async def test_trading_disabled(town: Town) -> None:
    kept = (await town.ann.place(town.yes, "BUY", 20, 10)).json()["orderID"]
    town.hurt({"fault": "trading_disabled"})
    text = "Trading is currently disabled. Check polymarket.com for updates"
    for answer in (
        await town.ann.place(town.yes, "BUY", 30, 10),
        await town.ann.call("DELETE", "/order", {"orderID": kept}),
        await town.ann.call("DELETE", "/cancel-all"),
    ):
        assert said(answer) == (503, {"error": text})
    assert len(town.venue.orders_of(town.ann.key)) == 1


async def test_halts_that_overlap_end_with_the_last(town: Town) -> None:
    town.hurt({"fault": "cancel_only", "duration": 5}, {"fault": "trading_disabled", "duration": 9})
    order = town.ann.order(town.yes, "BUY", 30, 10)[1]
    texts = []
    for _ in range(3):
        answer = await town.ann.call("POST", "/order", order)
        texts.append(answer.json().get("error", "taken")[:29])
        town.later(5)
    assert texts == ["Trading is currently cancel-o", "Trading is currently disabled", "taken"]


# ---- settlement ---------------------------------------------------------------------------------


async def statuses(town: Town, trader: Trader) -> list[str]:
    """What becomes of a trader's newest trade, from now on."""
    found: list[str] = []
    for _ in range(8):
        rows = (await trader.call("GET", "/data/trades")).json()["data"]
        status = rows[0]["status"].removeprefix("TRADE_STATUS_")
        if not found or found[-1] != status:
            found.append(status)
        town.later(0.5)
    return found


async def test_a_match_that_fails_on_chain_has_moved_nothing(town: Town) -> None:
    before = [town.venue.balance(t.address, town.yes).balance for t in (town.ann, town.bob)]
    town.hurt({"fault": "failed_settlement", "times": 1})
    await town.trade()
    assert await statuses(town, town.bob) == ["MATCHED", "RETRYING", "FAILED"]
    after = [town.venue.balance(t.address, town.yes).balance for t in (town.ann, town.bob)]
    assert after == before
    await town.trade()
    assert await statuses(town, town.bob) == ["MATCHED", "MINED", "CONFIRMED"]


async def test_a_match_that_needs_a_second_attempt(town: Town) -> None:
    town.hurt({"fault": "retrying_settlement", "times": 1})
    await town.trade()
    assert await statuses(town, town.ann) == ["MATCHED", "RETRYING", "MINED", "CONFIRMED"]


@pytest.mark.parametrize("name", ["key", "wallet", "market", "token"])
async def test_only_the_matches_that_are_meant_fail(town: Town, name: str) -> None:
    def target(trader: Trader, number: int) -> dict[str, str]:
        market = town.markets[number].listing
        of = {
            "key": trader.key,
            "wallet": trader.address,
            "market": market.slug,
            "token": market.tokens[0],
        }
        return {"fault": "failed_settlement", "target": {name: of[name]}}  # type: ignore[dict-item]

    town.hurt(target(town.cem, 1))
    await town.trade()
    assert (await statuses(town, town.bob))[-1] == "CONFIRMED"
    town.hurt(target(town.ann, 0))
    await town.trade()
    assert (await statuses(town, town.bob))[-1] == "FAILED"


# ---- the Data API -------------------------------------------------------------------------------


async def test_the_data_api_is_a_minute_behind_and_catches_up(town: Town) -> None:
    history, who = town.venue.history, town.ann.address

    def known() -> tuple[int, int]:
        deals = history.deals(wallet=who, taker_only=False, limit=500)
        return len(deals), sum(p.size for p in history.positions(wallet=who))

    before = known()
    town.hurt({"fault": "data_lag", "seconds": 60, "jitter": 10, "duration": 30})
    first = town.venue.now
    await town.trade(size=10)
    town.later(10)
    await town.trade(size=20)
    assert (await town.ann.call("GET", "/data/trades")).json()["data"][0]["size"] == "20"
    town.later(50)
    assert known() == before
    assert history.behind == 4 - 2  # one row a match
    town.later(21)
    assert known() == (before[0] + 2, before[1] - 30 * 10**6)
    deals = history.deals(wallet=who, taker_only=False, limit=2)
    assert [deal.at - first for deal in deals] == [11 * SECOND, 1 * SECOND]
    await town.trade(size=10)
    town.later(1)
    assert known()[0] == before[0] + 3


# ---- markets ------------------------------------------------------------------------------------


async def test_a_tick_changes_and_changes_back(town: Town) -> None:
    target = {"market": town.markets[0].listing.slug}
    old = (await town.http.get(f"/clob/tick-size?token_id={town.yes}")).json()
    town.hurt({"fault": "tick_change", "tick": "0.001", "duration": 60, "target": target})
    new = (await town.http.get(f"/clob/tick-size?token_id={town.yes}")).json()
    assert (old, new) == ({"minimum_tick_size": 0.01}, {"minimum_tick_size": 0.001})
    town.later(60)
    assert (await town.http.get(f"/clob/tick-size?token_id={town.yes}")).json() == old


async def test_ticks_of_some_markets_become_finer(town: Town) -> None:
    ticks = [market.tick for market in town.markets]
    (id,) = town.hurt({"fault": "tick_change", "markets": 3, "duration": 60}, seed=1)
    changed = [market.tick != old for market, old in zip(town.markets, ticks, strict=True)]
    assert sum(changed) == 3
    town.sandbox.faults.remove(id)
    assert [market.tick for market in town.markets] == ticks


async def test_an_answer_is_proposed_disputed_and_made_final(town: Town) -> None:
    market = town.markets[3]
    resting = town.ann.order(market.listing.tokens[0], "BUY", 30, 10)
    await town.ann.call("POST", "/order", resting[1])
    town.hurt(
        {"fault": "dispute", "answer": "yes", "after": 5, "duration": 60, "final": "no",
         "target": {"token": market.listing.tokens[1]}}
    )  # fmt: skip
    assert market.state is State.PROPOSED
    town.later(5)
    assert market.state is State.DISPUTED
    town.later(55)
    assert (market.state, market.winner) == (State.RESOLVED, 1)
    assert town.venue.order(resting[0]).status == "CANCELED_MARKET_RESOLVED"  # type: ignore[union-attr]
    town.hurt({"fault": "dispute", "target": {"market": market.condition_id}})
    town.hurt({"fault": "tick_change", "target": {"market": market.condition_id}})
    assert town.struck()[-2:] == ["nothing: none of its markets has a book"] * 2


async def test_what_the_venue_finds_impossible_is_in_the_record(town: Town) -> None:
    town.hurt({"fault": "dispute", "answer": "both", "target": {"token": negative(town)}})
    assert "not possible, market" in town.struck()[-1]


def negative(town: Town) -> str:
    return next(m.listing.tokens[0] for m in town.markets if m.listing.neg_risk)


# ---- traders ------------------------------------------------------------------------------------


@pytest.mark.parametrize("by", ["wallet", "key"])
async def test_a_banned_trader(town: Town, by: str) -> None:
    of = {"wallet": town.ann.address, "key": town.ann.key}
    town.hurt({"fault": "banned", "duration": 5, "target": {by: of[by]}})
    answer = await town.ann.place(town.yes, "BUY", 30, 10)
    assert said(answer) == (400, {"error": f"'{town.ann.address}' address banned"})
    assert (await town.bob.place(town.yes, "BUY", 30, 10)).is_success
    town.later(5)
    assert (await town.ann.place(town.yes, "BUY", 30, 10)).is_success


async def test_everybody_may_only_close(town: Town) -> None:
    town.hurt({"fault": "closed_only"})
    for trader in (town.ann, town.bob):
        answer = await trader.place(town.yes, "BUY", 30, 10)
        assert said(answer)[0] == 400
        assert "address in closed only mode" in answer.text
        assert (await trader.place(town.yes, "SELL", 80, 10)).is_success
        told = await trader.call("GET", "/auth/ban-status/closed-only")
        assert told.json() == {"closed_only": True}
    town.sandbox.faults.clear()
    assert (await town.ann.place(town.yes, "BUY", 30, 10)).is_success


async def test_marking_wallets_makes_no_new_ones(town: Town) -> None:
    """Which deposit wallet a key means depends on whether the older one has ever been used."""
    before = set(town.venue.accounts.wallets)
    town.hurt({"fault": "banned"}, {"fault": "closed_only"})
    await town.ann.call("GET", "/data/orders")
    assert set(town.venue.accounts.wallets) == before


# ---- the official client ------------------------------------------------------------------------


async def test_what_the_official_client_makes_of_a_restart(town: Town) -> None:
    client = await town.client()
    from polymarket import errors

    order = {"token_id": town.yes, "price": "0.31", "size": "12", "side": "BUY"}
    town.hurt({"fault": "engine_restart", "down": 30, "post_only": 60})
    with pytest.raises(errors.RequestRejectedError) as down:
        await client.place_limit_order(**order)
    assert down.value.status == 425
    town.later(30)
    with pytest.raises(errors.RequestRejectedError) as half:
        await client.place_limit_order(**order)
    assert (half.value.status, half.value.code) == (503, "post_only_mode")
    assert (await client.place_limit_order(**order, post_only=True)).status == "live"
    town.later(60)
    assert (await client.place_limit_order(**order)).status == "live"
    await client.cancel_all()
    await client.close()
