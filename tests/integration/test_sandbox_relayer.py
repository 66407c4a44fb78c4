"""Deposit wallets act on the sandbox's chain through the official client, without gas."""

from __future__ import annotations

import os
import time
from collections.abc import AsyncIterator
from typing import Any

import httpx
import pytest
import pytest_asyncio
from sandbox_stall import key_of, stall, wallets

from polyframe.exchanges.polymarket.contracts import AMOY, contracts_of
from polyframe.sandbox.clients import environment
from polyframe.sandbox.running import Sandbox

polymarket = pytest.importorskip("polymarket", reason="polymarket-client is not installed")
from polymarket import AsyncSecureClient, errors  # noqa: E402
from polymarket._internal.actions.relayer import calls  # noqa: E402

pytestmark = pytest.mark.asyncio(loop_scope="module")
os.environ["NO_PROXY"] = os.environ["no_proxy"] = "127.0.0.1"

MONEY = 1_000 * 10**6
OWNER, SESSION = 3, 22


class Town:
    def __init__(self, sandbox: Sandbox, markets: list[Any], client: AsyncSecureClient) -> None:
        self.sandbox, self.venue, self.client = sandbox, sandbox.venue, client
        self.market = markets[0]
        self.wallet = str(client.wallet)
        self.config = client._ctx.environment_config

    async def run(self, *wanted: Any) -> Any:
        handle = await self.client.execute_transaction(calls=wanted)
        return await handle.wait()

    def split(self, amount: int) -> Any:
        return calls.ctf_split_position_call(
            target=self.config.collateral_adapter,
            collateral=self.config.collateral_token,
            condition_id=self.market.condition_id,
            amount=amount,
        )

    def held(self) -> tuple[int, int, int]:
        yes, no = self.market.listing.tokens
        balance = self.venue.balance
        return (
            balance(self.wallet).balance,
            balance(self.wallet, yes).balance,
            balance(self.wallet, no).balance,
        )


@pytest_asyncio.fixture(loop_scope="module", scope="module")
async def town() -> AsyncIterator[Town]:
    venue, markets = stall(now=time.time_ns(), mined_after=10**7, confirmed_after=10**7, jitter=0)
    async with Sandbox(venue) as sandbox:
        wallet, key = wallets(OWNER).deposit, "0x" + key_of(OWNER).hex()
        venue.fund(wallet, MONEY)
        where = environment(sandbox.urls)
        first = await AsyncSecureClient.create(private_key=key, wallet=wallet, environment=where)
        builder = await first.create_builder_api_key()
        await first.close()
        client = await AsyncSecureClient.create(
            private_key=key, wallet=wallet, environment=where, api_key=builder
        )
        yield Town(sandbox, markets, client)
        await client.close()
        assert venue.audit(full=True).exact


async def test_pairs_are_split_merged_and_redeemed(town: Town) -> None:
    done = await town.run(town.split(100 * 10**6))
    assert done.transaction_hash.startswith("0x")
    assert town.held() == (MONEY - 100 * 10**6, 100 * 10**6, 100 * 10**6)
    merge = calls.ctf_merge_positions_call(
        target=town.config.collateral_adapter,
        collateral=town.config.collateral_token,
        condition_id=town.market.condition_id,
        amount=40 * 10**6,
    )
    await town.run(merge, town.split(10 * 10**6))
    assert town.held() == (MONEY - 70 * 10**6, 70 * 10**6, 70 * 10**6)
    town.venue.resolve(town.market.condition_id, 0)
    redeem = calls.ctf_redeem_positions_call(
        ctf=town.config.conditional_tokens,
        collateral=town.config.collateral_token,
        condition_id=town.market.condition_id,
    )
    await town.run(redeem)
    assert town.held() == (MONEY, 0, 0)


async def test_what_the_venue_refuses_reverts(town: Town) -> None:
    with pytest.raises(errors.TransactionFailedError, match="execution reverted"):
        await town.run(town.split(10**15))
    assert town.held()[0] == MONEY


async def test_money_moves_to_another_wallet(town: Town) -> None:
    other = wallets(40).owner
    handle = await town.client.transfer_erc20(
        token_address=town.config.collateral_token, recipient_address=other, amount=5 * 10**6
    )
    await handle.wait()
    assert town.venue.balance(other).balance == 5 * 10**6
    assert town.held()[0] == MONEY - 5 * 10**6
    town.venue.withdraw(other, 5 * 10**6)
    town.venue.fund(town.wallet, 5 * 10**6)


async def test_an_order_without_allowance_is_approved_by_the_client_and_sent_again(
    town: Town,
) -> None:
    """The client sees the venue's words, approves over the relayer and posts the order again."""
    token = list(town.venue.markets.values())[1].listing.tokens[0]
    town.venue.approve(town.wallet, money=0)
    placed = await town.client.place_limit_order(token_id=token, price="0.3", size="10", side="BUY")
    assert placed.ok
    assert town.venue.balance(town.wallet).allowance == 2**256 - 1
    await town.client.cancel_all()


async def test_approvals_are_read_from_the_chain(town: Town) -> None:
    await town.client.setup_trading_approvals()
    rpc = town.client._ctx.rpc
    assert await rpc.eth_chain_id() == 80002
    assert abs(await rpc.eth_get_latest_block_timestamp() - time.time()) < 3
    token = town.market.listing.tokens[0]
    call = calls.erc1155_balance_of_batch_call(
        token_address=town.config.conditional_tokens,
        owners=[town.client.wallet] * 2,
        token_ids=[token, "1"],
    )
    result = await rpc.eth_call(to=call.to, data=call.data)
    assert calls.decode_erc1155_balance_of_batch_result(result) == (town.held()[1], 0)


async def test_a_session_key_is_let_in_trades_and_is_shut_out(town: Town) -> None:
    address = wallets(SESSION).owner
    result = await town.client.authorize_session_key(address=address, scopes=["CLOB"])
    assert str(result.session_key.address) == address
    session = await AsyncSecureClient.create(
        private_key="0x" + key_of(SESSION).hex(),
        wallet=town.wallet,
        environment=town.client.environment,
    )
    token = list(town.venue.markets.values())[1].listing.tokens[0]

    async def place() -> Any:
        return await session.place_limit_order(token_id=token, price="0.2", size="10", side="BUY")

    assert (await place()).ok
    assert [str(key.address) for key in await town.client.fetch_session_keys()] == [address]
    await town.client.revoke_session_key(address=address)
    assert await town.client.fetch_session_keys() == ()
    with pytest.raises(errors.RequestRejectedError, match="signer address"):
        await place()
    await session.cancel_all()
    await session.close()


async def test_nobody_else_moves_a_wallet(town: Town) -> None:
    """A builder's key relays for whoever signed: the wallet's owner, once, and in time."""
    builder = town.client._ctx.api_key
    thief = await AsyncSecureClient.create(
        private_key="0x" + key_of(41).hex(),
        wallet=wallets(41).deposit,
        environment=town.client.environment,
        api_key=builder,
    )
    object.__setattr__(thief._ctx, "wallet", town.client.wallet)
    with pytest.raises(errors.RequestRejectedError, match="invalid signature"):
        await thief.execute_transaction(calls=[town.split(10**6)])
    await thief.close()
    async with httpx.AsyncClient(base_url=town.sandbox.urls.relayer, trust_env=False) as http:
        for path in ("/submit", "/v1/session-signers/authorizations"):
            answer = await http.post(path, json={})
            assert (answer.status_code, answer.json()) == (
                401,
                {"error": "Unauthorized/Invalid builder api key"},
            )
        for path in ("/deployed?address=1", "/v1/account/transactions/params?address=0x"):
            assert (await http.get(path)).json() == {"error": "invalid address"}
        assert (await http.get("/v1/account/transactions/none")).status_code == 404


@pytest.mark.parametrize(
    ("said", "code"),
    [
        ({}, -32_600),
        (5, -32_600),
        ({"id": 1, "method": "eth_sendRawTransaction", "params": ["0x"]}, -32_601),
        ({"id": 1, "method": "eth_call", "params": []}, -32_600),
        ({"id": 1, "method": "eth_call", "params": [{"to": "0x1", "data": "0x"}]}, -32_600),
        (
            {"id": 1, "method": "eth_call", "params": [{"to": "0x" + "11" * 20, "data": "0x12"}]},
            3,
        ),
        (
            {
                "id": 1,
                "method": "eth_call",
                "params": [{"to": contracts_of(AMOY).collateral, "data": "0x70a08231"}],
            },
            3,
        ),
    ],
    ids=str,
)
async def test_the_node_answers_what_it_cannot_do(town: Town, said: Any, code: int) -> None:
    async with httpx.AsyncClient(trust_env=False) as http:
        answer = (await http.post(town.sandbox.urls.rpc, json=said)).json()
        assert answer["error"]["code"] == code
        both = (await http.post(town.sandbox.urls.rpc, json=[said, said])).json()
        assert [each["error"]["code"] for each in both] == [code, code]
