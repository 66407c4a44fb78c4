"""What docs/sandbox.md says that the sandbox does not have, tried with the official clients."""

from __future__ import annotations

import asyncio
import dataclasses
import os
from collections.abc import AsyncIterator, Awaitable, Callable
from typing import Any

import httpx
import pytest
import pytest_asyncio

from polyframe.exchanges.polymarket.contracts import contracts_of
from polyframe.sandbox.chain import Call, Reverted, selector
from polyframe.sandbox.clients import NOWHERE, environment
from polyframe.sandbox.opening import Playground

polymarket = pytest.importorskip("polymarket", reason="polymarket-client is not installed")
from polymarket import AsyncSecureClient, errors  # noqa: E402

pytestmark = pytest.mark.asyncio(loop_scope="module")
os.environ["NO_PROXY"] = os.environ["no_proxy"] = "127.0.0.1"


@pytest_asyncio.fixture(loop_scope="module", scope="module")
async def ground() -> AsyncIterator[Playground]:
    async with Playground(seed=3, markets=4, days=1) as ground:
        yield ground
        assert ground.venue.audit(full=True).exact


async def client_of(ground: Playground, kind: str, **more: Any) -> AsyncSecureClient:
    key = ground.play[0]
    return await AsyncSecureClient.create(
        private_key=key.private_key,
        wallet=getattr(key.wallets, kind),
        environment=environment(ground.urls),
        **more,
    )


@pytest.mark.parametrize(
    ("kind", "text"),
    [
        ("owner", "the method eth_getTransactionCount is not here"),
        ("proxy", "not for 'PROXY'"),
        ("safe", "the sandbox relays for deposit wallets"),
    ],
)
async def test_wallets_of_the_older_kinds_send_no_transactions(
    ground: Playground, kind: str, text: str
) -> None:
    market = next(m for m in ground.venue.markets.values() if m.accepting)
    async with await client_of(ground, kind) as first:
        builder = await first.create_builder_api_key()
    async with await client_of(ground, kind, api_key=builder) as client:
        with pytest.raises(errors.PolymarketError, match=text):
            await client.split_position(condition_id=market.condition_id, amount=1_000_000)
    async with httpx.AsyncClient(base_url=ground.urls.debug) as http:
        body = {"condition_id": market.condition_id, "address": str(client.wallet), "size": "1"}
        assert (await http.post("/split", json=body)).status_code == 200
        assert (await http.post("/merge", json=body)).status_code == 200


async def test_a_deposit_wallet_needs_a_builders_key(ground: Playground) -> None:
    market = next(m for m in ground.venue.markets.values() if m.accepting)
    async with await client_of(ground, "deposit") as client:
        with pytest.raises(errors.UserInputError, match="require a Builder API Key"):
            await client.split_position(condition_id=market.condition_id, amount=1_000_000)


async def test_raw_transactions_and_conversions_are_unknown(ground: Playground) -> None:
    async with httpx.AsyncClient() as http:
        said = {"id": 1, "method": "eth_sendRawTransaction", "params": ["0x00"]}
        answer = (await http.post(ground.urls.rpc, json=said)).json()
    assert answer["error"]["code"] == -32_601
    from polyframe.sandbox.chain import Chain

    target = bytes.fromhex(contracts_of(80_002).neg_risk_adapter[2:])
    data = selector("convertPositions(bytes32,uint256,uint256)") + bytes(96)
    with pytest.raises(Reverted, match="no such function"):
        Chain(ground.desk).act(ground.play[0].wallets.deposit, Call(target, data))


Act = Callable[[AsyncSecureClient], Awaitable[Any]]


@pytest.mark.parametrize(
    "act",
    [
        lambda client: client.list_combo_markets().first_page(),
        lambda client: client.fetch_perps_instruments(),
        lambda client: client.open_perps_session(),
        lambda client: client.open_rfq_session(),
        lambda client: client.plan_collateral_return(),
    ],
    ids=["combos", "perps", "perps_session", "rfq", "collateral_return"],
)
async def test_other_services_are_nowhere(ground: Playground, act: Act) -> None:
    async with await client_of(ground, "deposit") as client, asyncio.timeout(10):
        with pytest.raises(errors.TransportError):
            await act(client)


async def test_their_addresses_are_nowhere(ground: Playground) -> None:
    from polymarket._internal.environment import PRODUCTION_CONFIG

    async with await client_of(ground, "deposit") as client:
        config = client._ctx.environment_config
        named = {f.name for f in dataclasses.fields(PRODUCTION_CONFIG)}
        assert {name for name in named if NOWHERE in str(getattr(config, name))} == {
            *("rfq_url", "rfq_quoter_ws_url", "builder_gateway_url", "collateral_return_url"),
            *("perps_url", "perps_ws_url", "sports_ws_url", "rtds_ws_url", "realtime_ws_url"),
        }
        assert await anext(client.list_combo_positions().iter_items(), None) is None
    async with httpx.AsyncClient(base_url=ground.urls.clob) as http:
        assert (await http.post("/rfq/request", json={})).status_code == 404


async def test_nobody_is_slowed_down_and_no_builder_charges(ground: Playground) -> None:
    async with httpx.AsyncClient(base_url=ground.urls.clob) as http:
        for _ in range(200):
            answer = await http.get("/ok")
            assert answer.status_code == 200
            assert not any("ratelimit" in name.lower() for name in answer.headers)
        code = "0x" + "11" * 32
        assert (await http.get(f"/fees/builder-fees/{code}")).status_code == 404
