"""The other official client, py-clob-client-v2, trades at the sandbox."""

from __future__ import annotations

import asyncio
import importlib
import os
import time
from collections.abc import AsyncIterator, Callable
from typing import Any

import pytest
import pytest_asyncio
from sandbox_stall import key_of, stall, wallets

from polyframe.sandbox.keys import SessionKey
from polyframe.sandbox.running import Sandbox

v2 = pytest.importorskip("py_clob_client_v2", reason="py-clob-client-v2 is not installed")

Refusal = importlib.import_module("py_clob_client_v2.exceptions").PolyApiException

pytestmark = pytest.mark.asyncio(loop_scope="module")
os.environ["NO_PROXY"] = os.environ["no_proxy"] = "127.0.0.1"

MONEY = 10_000 * 10**6
KINDS = {0: "owner", 1: "proxy", 2: "safe", 3: "deposit"}
BUILDER = "0x" + "be" * 32


class Town:
    """A sandbox, and a client for each signature type that runs in threads of its own."""

    def __init__(self, sandbox: Sandbox, markets: list[Any]) -> None:
        self.sandbox = sandbox
        self.venue = sandbox.venue
        self.markets = markets
        self.clients: dict[int, Any] = {}

    def token(self, number: int, outcome: int = 0) -> str:
        return self.markets[number].listing.tokens[outcome]

    def client(self, number: int, kind: int, creds: Any = None) -> Any:
        address = getattr(wallets(number), KINDS[kind])
        return v2.ClobClient(
            host=self.sandbox.urls.clob,
            chain_id=80002,
            key="0x" + key_of(number).hex(),
            creds=creds,
            signature_type=kind,
            funder=address,
        )


async def off(call: Callable[..., Any], *values: Any, **named: Any) -> Any:
    """A call that waits, in a thread: the sandbox answers from this one."""
    return await asyncio.to_thread(call, *values, **named)


@pytest_asyncio.fixture(loop_scope="module", scope="module")
async def town() -> AsyncIterator[Town]:
    venue, markets = stall(now=time.time_ns(), mined_after=10**8, confirmed_after=10**8, jitter=0)
    async with Sandbox(venue) as sandbox:
        town = Town(sandbox, markets)
        sandbox.desk.builder_fees[BUILDER] = (0, 0)
        for kind, name in KINDS.items():
            client = town.clients[kind] = town.client(kind, kind)
            venue.fund(getattr(wallets(kind), name), MONEY)
            for market in markets:
                venue.split(getattr(wallets(kind), name), market.condition_id, 500 * 10**6)
            client.set_api_creds(await off(client.create_or_derive_api_key))
        yield town
        assert venue.audit(full=True).exact


@pytest_asyncio.fixture(loop_scope="module", autouse=True)
async def calm(town: Town) -> AsyncIterator[None]:
    """Nothing rests in any book when a test begins."""
    yield
    for client in town.clients.values():
        await off(client.cancel_all)
    assert town.venue.audit().exact


def limit(token: str, price: float, size: float, side: str, **more: Any) -> Any:
    return v2.OrderArgs(token_id=token, price=price, size=size, side=side, **more)


@pytest.mark.parametrize("kind", KINDS)
@pytest.mark.parametrize("market", range(4))
async def test_every_signature_type_in_every_kind_of_market(
    town: Town, kind: int, market: int
) -> None:
    client = town.clients[kind]
    placed = await off(client.create_and_post_order, limit(town.token(market), 0.23, 15, "BUY"))
    assert placed["success"]
    assert placed["status"] == "live"
    (order,) = await off(client.get_open_orders, v2.OpenOrderParams(asset_id=town.token(market)))
    assert order["id"] == placed["orderID"]
    assert (order["price"], order["original_size"], order["size_matched"]) == ("0.23", "15", "0")
    assert order["maker_address"] == getattr(wallets(kind), KINDS[kind])
    gone = await off(client.cancel_order, v2.OrderPayload(orderID=placed["orderID"]))
    assert gone == {"canceled": [placed["orderID"]], "not_canceled": {}}


async def test_keys_are_created_once_and_derived_ever_after(town: Town) -> None:
    client = town.client(30, 0)
    made = await off(client.create_api_key)
    with pytest.raises(Refusal, match="Could not create api key"):
        await off(client.create_api_key)
    assert await off(client.derive_api_key) == made
    other = await off(client.create_api_key, 7)
    assert other.api_key != made.api_key
    client.set_api_creds(made)
    listed = await off(client.get_api_keys)
    assert set(listed["apiKeys"]) == {made.api_key, other.api_key}
    assert await off(client.get_closed_only_mode) == {"closed_only": False}
    assert await off(client.delete_api_key) == "OK"
    with pytest.raises(Refusal, match="401"):
        await off(client.get_api_keys)


async def test_readonly_and_builder_keys(town: Town) -> None:
    client = town.clients[0]
    made = await off(client.create_readonly_api_key)
    listed = await off(client.get_readonly_api_keys)
    assert listed["readonlyApiKeys"] == [made["apiKey"]]
    reader = town.client(0, 0, v2.ApiCreds(made["apiKey"], made["secret"], made["passphrase"]))
    await off(client.create_and_post_order, limit(town.token(0), 0.2, 10, "BUY"))
    assert len(await off(reader.get_open_orders)) == 1
    with pytest.raises(Refusal, match="401"):
        await off(reader.cancel_all)
    assert await off(client.delete_readonly_api_key, made["apiKey"]) == "OK"
    builder = await off(client.create_builder_api_key)
    assert [row["key"] for row in await off(client.get_builder_api_keys)] == [builder["key"]]
    assert await off(client.revoke_builder_api_key) == "OK"


async def test_a_limit_order_that_crosses_trades_and_settles(town: Town) -> None:
    maker, taker = town.clients[2], town.clients[3]
    token = town.token(1)
    resting = await off(maker.create_and_post_order, limit(token, 0.44, 50, "SELL"))
    placed = await off(taker.create_and_post_order, limit(token, 0.5, 20, "BUY"))
    assert placed["status"] == "matched"
    assert (placed["makingAmount"], placed["takingAmount"]) == ("8.8", "20")
    assert placed["transactionsHashes"]
    (trade,) = await off(taker.get_trades, v2.TradeParams(id=placed["tradeIDs"][0]))
    assert trade["transaction_hash"] == placed["transactionsHashes"][0]
    assert trade["maker_orders"][0]["order_id"] == resting["orderID"]
    assert trade["status"].startswith("TRADE_STATUS_")
    paged = await off(maker.get_trades_paginated, v2.TradeParams(market=trade["market"]))
    assert paged["trades"][0]["trader_side"] == "MAKER"
    assert paged["next_cursor"] == "LTE="


@pytest.mark.parametrize("side", ["BUY", "SELL"])
@pytest.mark.parametrize("order_type", ["FOK", "FAK"])
async def test_market_orders_wait_for_their_hashes(town: Town, side: str, order_type: str) -> None:
    token = town.token(0)
    other = "SELL" if side == "BUY" else "BUY"
    await off(town.clients[0].create_and_post_order, limit(token, 0.52, 60, other))
    asked = v2.MarketOrderArgs(token_id=token, amount=10, side=side, order_type=order_type)
    started = time.monotonic()
    placed = await off(town.clients[1].create_and_post_market_order, asked, order_type=order_type)
    assert placed["status"] == "matched"
    assert placed["transactionsHashes"]
    assert time.monotonic() - started < 5


async def test_a_batch_and_all_ways_to_cancel(town: Town) -> None:
    client = town.clients[1]
    orders = [
        v2.PostOrdersV2Args(
            order=await off(client.create_order, limit(town.token(0, outcome), price, 10, "BUY")),
            orderType=v2.OrderType.GTC,
        )
        for outcome, price in ((0, 0.1), (0, 0.2), (1, 0.3), (1, 0.4))
    ]
    placed = await off(client.post_orders, orders)
    assert [leg["status"] for leg in placed] == ["live"] * 4
    ids = [leg["orderID"] for leg in placed]
    gone = await off(client.cancel_orders, [ids[0], "0xnever"])
    assert gone["canceled"] == ids[:1]
    assert list(gone["not_canceled"]) == ["0xnever"]
    gone = await off(
        client.cancel_market_orders, v2.OrderMarketCancelParams(asset_id=town.token(0))
    )
    assert gone["canceled"] == ids[1:2]
    gone = await off(client.cancel_all)
    assert set(gone["canceled"]) == set(ids[2:])
    leg = (await off(client.post_orders, orders))[0]
    assert "Duplicated" in leg["errorMsg"]
    assert leg["orderID"] == ""


async def test_one_price_off_its_tick_turns_a_whole_batch_away(town: Town) -> None:
    client = town.clients[0]
    right = await off(client.create_order, limit(town.token(3), 0.215, 10, "BUY"))
    town.venue.set_tick(town.markets[3].condition_id, 100)
    fine = await off(client.create_order, limit(town.token(3), 0.21, 10, "BUY"))
    legs = [v2.PostOrdersV2Args(order=each, orderType=v2.OrderType.GTC) for each in (fine, right)]
    with pytest.raises(Refusal, match="breaks minimum tick size rule"):
        await off(client.post_orders, legs)
    assert await off(client.get_open_orders) == []
    town.venue.set_tick(town.markets[3].condition_id, 10)


async def test_gtd_and_post_only(town: Town) -> None:
    client = town.clients[0]
    until = int(time.time()) + 300
    args = limit(town.token(0), 0.3, 10, "BUY", expiration=until)
    placed = await off(client.create_and_post_order, args, order_type=v2.OrderType.GTD)
    order = await off(client.get_order, placed["orderID"])
    assert (order["order_type"], order["expiration"]) == ("GTD", str(until))
    await off(client.create_and_post_order, limit(town.token(0), 0.6, 10, "SELL"), post_only=True)
    with pytest.raises(Refusal, match="order crosses book"):
        await off(
            town.clients[1].create_and_post_order,
            limit(town.token(0), 0.6, 10, "BUY"),
            post_only=True,
        )


async def test_the_heartbeat(town: Town) -> None:
    client = town.client(31, 0)
    client.set_api_creds(await off(client.create_or_derive_api_key))
    first = await off(client.post_heartbeat)
    second = await off(client.post_heartbeat, first["heartbeat_id"])
    assert second["heartbeat_id"]
    with pytest.raises(Refusal, match="Invalid Heartbeat ID"):
        await off(client.post_heartbeat, "wrong")


async def test_a_builder_sees_the_trades_it_brought(town: Town) -> None:
    token = town.token(1)
    await off(town.clients[0].create_and_post_order, limit(token, 0.4, 20, "SELL"))
    placed = await off(
        town.clients[1].create_and_post_order,
        limit(token, 0.4, 20, "BUY", builder_code=BUILDER),
    )
    found = await off(
        town.clients[0].get_builder_trades, v2.BuilderTradeParams(builder_code=BUILDER)
    )
    assert [row["id"] for row in found["trades"]] == placed["tradeIDs"]
    assert float(found["trades"][0]["feeUsdc"]) > 0


async def test_the_public_reads(town: Town) -> None:
    client, (yes, no) = town.clients[0], town.markets[0].listing.tokens
    await off(client.create_and_post_order, limit(yes, 0.41, 10, "BUY"))
    await off(client.create_and_post_order, limit(yes, 0.47, 30, "SELL"))
    assert await off(client.get_ok) == "OK"
    assert abs(await off(client.get_server_time) - time.time()) < 3
    assert await off(client.get_version) == 2
    book = await off(client.get_order_book, yes)
    assert await off(client.get_order_book_hash, book) == book["hash"]
    params = [v2.BookParams(token_id=yes), v2.BookParams(token_id=no), v2.BookParams(token_id="7")]
    books = await off(client.get_order_books, params)
    assert {row["asset_id"] for row in books} == {yes, no}
    assert await off(client.get_midpoint, yes) == {"mid": "0.44"}
    assert await off(client.get_midpoints, params) == {yes: "0.44", no: "0.56"}
    assert await off(client.get_price, yes, "BUY") == {"price": "0.41"}
    sided = [v2.BookParams(token_id=no, side="SELL")]
    assert await off(client.get_prices, sided) == {no: {"SELL": "0.59"}}
    assert await off(client.get_spread, yes) == {"spread": "0.06"}
    assert await off(client.get_spreads, params) == {yes: "0.06", no: "0.06"}
    assert (await off(client.get_last_trade_price, town.token(2)))["side"] == ""
    assert await off(client.get_last_trades_prices, [v2.BookParams(token_id=town.token(2))]) == []
    assert await off(client.get_tick_size, town.token(3)) == "0.001"
    assert await off(client.get_neg_risk, town.token(2)) is True
    assert await off(client.get_fee_rate_bps, town.token(1)) == 1000
    assert await off(client.get_fee_exponent, town.token(1)) == 1


async def test_the_catalogue(town: Town) -> None:
    client, market = town.clients[0], town.markets[1]
    for call in (client.get_markets, client.get_simplified_markets):
        found = await off(call)
        assert [row["condition_id"] for row in found["data"]] == [
            each.condition_id for each in town.markets
        ]
        assert found["next_cursor"] == "LTE="
    for call in (client.get_sampling_markets, client.get_sampling_simplified_markets):
        assert [row["condition_id"] for row in (await off(call))["data"]] == [market.condition_id]
    row = await off(client.get_market, market.condition_id)
    assert row["question"] == market.listing.question
    assert [token["token_id"] for token in row["tokens"]] == list(market.listing.tokens)
    assert row["rewards"]["rates"][0]["rewards_daily_rate"] == 100
    compact = await off(client.get_clob_market_info, market.condition_id)
    assert compact["fd"] == {"r": 0.04, "e": 1, "to": True}
    assert await off(client.get_market_trades_events, market.condition_id) is not None
    with pytest.raises(Refusal, match="market not found"):
        await off(client.get_market, "0x" + "00" * 32)
    (reward,) = await off(client.get_current_rewards)
    assert reward["condition_id"] == market.condition_id
    assert await off(client.get_raw_rewards_for_market, market.condition_id)


async def test_prices_history(town: Town) -> None:
    client, token = town.clients[0], town.token(2)
    await off(client.create_and_post_order, limit(token, 0.41, 10, "BUY"))
    await off(client.create_and_post_order, limit(token, 0.43, 10, "SELL"))
    town.sandbox.step(10 * 60 * 10**9)
    found = await off(
        client.get_prices_history, v2.PricesHistoryParams(market=token, interval="1d")
    )
    assert found["history"]
    assert {point["p"] for point in found["history"]} == {0.42}
    for params, error in [
        ({"interval": "2d"}, "Invalid interval"),
        ({"interval": "1m", "fidelity": 1}, "minimum 'fidelity' for '1m' range is 10"),
        ({"start_ts": 0, "end_ts": 16 * 86_400}, "interval is too long"),
    ]:
        asked = v2.PricesHistoryParams(market=token, **params)
        with pytest.raises(Refusal, match=error):
            await off(client.get_prices_history, asked)


async def test_balances_notices_scoring_and_earnings(town: Town) -> None:
    client = town.clients[1]
    params = v2.BalanceAllowanceParams(asset_type=v2.AssetType.COLLATERAL)
    found = await off(client.get_balance_allowance, params)
    assert found["balance"] == str(town.venue.balance(wallets(1).proxy).balance)
    assert await off(client.update_balance_allowance, params) == ""
    placed = await off(client.create_and_post_order, limit(town.token(1), 0.3, 25, "BUY"))
    asked = v2.OrderScoringParams(orderId=placed["orderID"])
    assert set(await off(client.is_order_scoring, asked)) == {"scoring"}
    asked = v2.OrdersScoringParams(orderIds=[placed["orderID"]])
    assert set(await off(client.are_orders_scoring, asked)) == {placed["orderID"]}
    await off(client.cancel_all)
    notices = await off(client.get_notifications)
    assert notices[0]["payload"]["order_id"] == placed["orderID"]
    ids = [str(row["id"]) for row in notices]
    await off(client.drop_notifications, v2.DropNotificationParams(ids=ids))
    assert await off(client.get_notifications) == []
    today = time.strftime("%Y-%m-%d", time.gmtime())
    assert isinstance(await off(client.get_earnings_for_user_for_day, today), list)
    assert isinstance(await off(client.get_total_earnings_for_user_for_day, today), list)
    assert isinstance(await off(client.get_reward_percentages), dict)
    assert await off(client.get_user_earnings_and_markets_config, today)
    assert await off(client.get_pre_migration_orders) == []


async def test_money_rules_have_the_venues_words(town: Town) -> None:
    client = town.clients[0]
    for args, error in [
        (limit(town.token(0), 0.9, 20_000, "BUY"), "not enough balance / allowance"),
        (limit(town.token(0), 0.5, 4, "BUY"), "lower than the minimum: 5"),
        (limit(town.token(0), 0.5, 20_000, "SELL"), "not enough balance / allowance"),
    ]:
        with pytest.raises(Refusal, match=error):
            await off(client.create_and_post_order, args)


async def test_the_wrong_key_for_a_wallet_is_refused(town: Town) -> None:
    """A deposit wallet takes orders of its owner and of the keys that were let in."""
    stranger = v2.ClobClient(
        host=town.sandbox.urls.clob,
        chain_id=80002,
        key="0x" + key_of(32).hex(),
        signature_type=3,
        funder=wallets(3).deposit,
    )
    stranger.set_api_creds(await off(stranger.create_or_derive_api_key))
    args = limit(town.token(0), 0.2, 10, "BUY")
    with pytest.raises(Refusal, match="signer address has to be"):
        await off(stranger.create_and_post_order, args)
    until = town.venue.now // 10**9 + 60
    town.sandbox.desk.keys.let_in(wallets(3).deposit, SessionKey(wallets(32).owner, until))
    # This client does not wrap a session key's signature, so it claims to be the owner's.
    with pytest.raises(Refusal, match="invalid signature"):
        await off(stranger.create_and_post_order, args)
    for kind, funder in ((1, wallets(1).safe), (2, wallets(1).proxy), (0, wallets(1).proxy)):
        client = v2.ClobClient(
            host=town.sandbox.urls.clob,
            chain_id=80002,
            key="0x" + key_of(1).hex(),
            creds=town.clients[1].creds,
            signature_type=kind,
            funder=funder,
        )
        with pytest.raises(Refusal, match="invalid signature"):
            await off(client.create_and_post_order, args)
