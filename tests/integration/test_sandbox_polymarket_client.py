"""The official client of today trades at the sandbox: every kind of wallet, REST and streams."""

from __future__ import annotations

import asyncio
import os
import time
from collections.abc import AsyncIterator
from decimal import Decimal
from typing import Any

import pytest
import pytest_asyncio
from sandbox_stall import key_of, listing, stall, wallets

from polyframe.sandbox.clients import environment
from polyframe.sandbox.keys import SessionKey
from polyframe.sandbox.running import Sandbox
from polyframe.sandbox.venue.records import Refused

polymarket = pytest.importorskip("polymarket", reason="polymarket-client is not installed")
from polymarket import AsyncPublicClient, AsyncSecureClient, errors  # noqa: E402
from polymarket.streams import MarketSpec, UserSpec  # noqa: E402

pytestmark = pytest.mark.asyncio(loop_scope="module")
# Proxies of the machine are for the world outside.
os.environ["NO_PROXY"] = os.environ["no_proxy"] = "127.0.0.1"

MONEY = 10_000 * 10**6
KINDS = {
    "eoa": lambda w: w.owner,
    "proxy": lambda w: w.proxy,
    "safe": lambda w: w.safe,
    "deposit": lambda w: w.deposit,
    "first deposit": lambda w: w.deposit_first,
}


class Town:
    """A sandbox with a client of every kind."""

    def __init__(self, sandbox: Sandbox, markets: list[Any]) -> None:
        self.sandbox = sandbox
        self.venue = sandbox.venue
        self.markets = markets
        self.clients: dict[str, AsyncSecureClient] = {}
        self.environment = environment(sandbox.urls)

    def tokens(self, number: int) -> tuple[str, str]:
        return self.markets[number].listing.tokens

    async def join(self, name: str, number: int, wallet: str | None) -> AsyncSecureClient:
        client = self.clients[name] = await AsyncSecureClient.create(
            private_key="0x" + key_of(number).hex(), wallet=wallet, environment=self.environment
        )
        return client


@pytest_asyncio.fixture(loop_scope="module", scope="module")
async def town() -> AsyncIterator[Town]:
    venue, markets = stall(now=time.time_ns(), mined_after=10**8, confirmed_after=10**8, jitter=0)
    async with Sandbox(venue) as sandbox:
        town = Town(sandbox, markets)
        for number, (name, choose) in enumerate(KINDS.items()):
            address = choose(wallets(number))
            venue.fund(address, MONEY)
            for market in markets:
                venue.split(address, market.condition_id, 500 * 10**6)
            await town.join(name, number, address)
        yield town
        for client in town.clients.values():
            await client.close()
        assert venue.audit(full=True).exact, venue.audit(full=True)


@pytest_asyncio.fixture(loop_scope="module", autouse=True)
async def calm(town: Town) -> AsyncIterator[None]:
    """Nothing rests in any book when a test begins."""
    yield
    for client in town.clients.values():
        await client.cancel_all()
    assert town.venue.audit().exact


@pytest.mark.parametrize("kind", KINDS)
@pytest.mark.parametrize("market", range(4))
async def test_every_kind_of_wallet_rests_an_order_in_every_kind_of_market(
    town: Town, kind: str, market: int
) -> None:
    client = town.clients[kind]
    placed = await client.place_limit_order(
        token_id=town.tokens(market)[1], price="0.31", size="12.5", side="BUY"
    )
    assert placed.ok
    assert placed.status == "live"
    order = await client.get_order(order_id=placed.order_id)
    assert (order.price, order.original_size, order.status) == (
        Decimal("0.31"),
        Decimal("12.5"),
        "LIVE",
    )
    assert order.maker_address == str(client.wallet)
    listed = [
        row async for row in client.list_open_orders(token_id=town.tokens(market)[1]).iter_items()
    ]
    assert [row.id for row in listed] == [placed.order_id]
    gone = await client.cancel_order(order_id=placed.order_id)
    assert gone.canceled == (placed.order_id,)


async def test_two_clients_trade_and_the_trade_settles(town: Town) -> None:
    maker, taker = town.clients["proxy"], town.clients["deposit"]
    token = town.tokens(1)[0]
    resting = await maker.place_limit_order(token_id=token, price="0.48", size="100", side="SELL")
    placed = await taker.place_limit_order(token_id=token, price="0.5", size="40", side="BUY")
    assert placed.status == "matched"
    assert (placed.making_amount, placed.taking_amount) == (Decimal("19.2"), Decimal("40"))
    assert len(placed.trade_ids) == 1
    settled = await taker.wait_for_order_fill_settlement(placed)
    assert len(settled) == 1
    (trade,) = [t async for t in taker.list_account_trades(id=placed.trade_ids[0]).iter_items()]
    assert (trade.status, trade.trader_side) == ("CONFIRMED", "TAKER")
    assert (trade.price, trade.size) == (Decimal("0.48"), Decimal("40"))
    assert [row.order_id for row in trade.maker_orders] == [resting.order_id]
    (seen,) = [t async for t in maker.list_account_trades(id=placed.trade_ids[0]).iter_items()]
    assert seen.trader_side == "MAKER"
    left = await maker.get_order(order_id=resting.order_id)
    assert left.size_matched == Decimal("40")


async def test_orders_for_both_outcomes_are_minted_against_each_other(town: Town) -> None:
    yes, no = town.tokens(2)
    await town.clients["safe"].place_limit_order(token_id=no, price="0.4", size="30", side="BUY")
    placed = await town.clients["eoa"].place_limit_order(
        token_id=yes, price="0.6", size="30", side="BUY"
    )
    assert placed.status == "matched"
    assert placed.making_amount == Decimal("18")


@pytest.mark.parametrize(("side", "amounts"), [("BUY", {"amount": "5"}), ("SELL", {"shares": "7"})])
@pytest.mark.parametrize("order_type", ["FOK", "FAK"])
async def test_market_orders_of_both_sides(
    town: Town, side: str, amounts: dict[str, str], order_type: str
) -> None:
    token = town.tokens(0)[0]
    other = "SELL" if side == "BUY" else "BUY"
    await town.clients["eoa"].place_limit_order(token_id=token, price="0.52", size="50", side=other)
    placed = await town.clients["safe"].place_market_order(
        token_id=token, side=side, order_type=order_type, **amounts
    )
    assert placed.ok, placed
    assert placed.status == "matched"


async def test_a_market_order_that_finds_too_little_is_killed(town: Town) -> None:
    token = town.tokens(0)[0]
    await town.clients["eoa"].place_limit_order(token_id=token, price="0.5", size="5", side="SELL")
    with pytest.raises(errors.RequestRejectedError, match="FOK orders are fully filled or killed"):
        await town.clients["safe"].place_market_order(
            token_id=token, side="BUY", amount="100", max_price="0.5", order_type="FOK"
        )
    rest = await town.clients["safe"].place_market_order(
        token_id=token, side="BUY", amount="100", max_price="0.5", order_type="FAK"
    )
    assert rest.taking_amount == Decimal(5)
    with pytest.raises(errors.RequestRejectedError, match="no orders found to match with FAK"):
        await town.clients["safe"].place_market_order(
            token_id=token, side="BUY", amount="100", max_price="0.5", order_type="FAK"
        )


async def test_a_post_only_order_that_would_cross_is_refused(town: Town) -> None:
    token = town.tokens(0)[0]
    await town.clients["eoa"].place_limit_order(token_id=token, price="0.5", size="5", side="SELL")
    with pytest.raises(errors.RequestRejectedError, match="order crosses book"):
        await town.clients["safe"].place_limit_order(
            token_id=token, price="0.5", size="5", side="BUY", post_only=True
        )


async def test_a_taker_waits_as_long_as_its_market_wants(town: Town) -> None:
    """Where a market holds takers back for some ms, the call itself is answered later."""
    market = town.venue.list_market(listing(50, taker_delay_ms=250))
    token = market.listing.tokens[0]
    await town.clients["eoa"].place_limit_order(
        token_id=market.listing.tokens[1], price="0.5", size="10", side="BUY"
    )
    started = time.monotonic()
    placed = await town.clients["safe"].place_limit_order(
        token_id=token, price="0.5", size="10", side="BUY"
    )
    assert placed.status == "matched"
    assert 0.25 <= time.monotonic() - started < 2


async def test_a_taker_of_a_game_is_told_that_it_waits(town: Town) -> None:
    """Where a market holds takers back for seconds, the answer says no more than that."""
    market = town.venue.list_market(listing(51, seconds_delay=1))
    token = market.listing.tokens[0]
    await town.clients["eoa"].place_limit_order(
        token_id=market.listing.tokens[1], price="0.5", size="10", side="BUY"
    )
    client = town.clients["safe"]
    placed = await client.place_limit_order(token_id=token, price="0.5", size="10", side="BUY")
    assert (placed.status, placed.trade_ids) == ("delayed", ())
    assert (await client.get_order(order_id=placed.order_id)).status == "DELAYED"
    town.sandbox.step(2 * 10**9)
    assert (await client.get_order(order_id=placed.order_id)).status == "MATCHED"


async def test_a_batch_has_an_answer_for_each_of_its_orders(town: Town) -> None:
    client, token = town.clients["deposit"], town.tokens(0)[0]
    orders = [
        await client.create_limit_order(token_id=token, price=price, size=size, side="BUY")
        for price, size in (("0.1", "10"), ("0.2", "90000"), ("0.3", "10"))
    ]
    first, second, third = await client.post_orders(orders)
    assert (first.ok, second.ok, third.ok) == (True, False, True)
    assert second.code == "not_enough_balance"
    again = await client.post_orders(orders[:1])
    assert not again[0].ok
    assert "Duplicated" in again[0].message


async def test_gtd_orders_carry_their_expiration(town: Town) -> None:
    client, token = town.clients["eoa"], town.tokens(0)[0]
    until = int(time.time()) + 600
    placed = await client.place_limit_order(
        token_id=token, price="0.1", size="10", side="BUY", expiration=until
    )
    order = await client.get_order(order_id=placed.order_id)
    assert order.order_type == "GTD"
    assert int(order.expires_at.timestamp()) == until


async def test_all_ways_to_cancel(town: Town) -> None:
    client = town.clients["proxy"]
    token, other = town.tokens(0)

    async def rest(token: str) -> str:
        placed = await client.place_limit_order(token_id=token, price="0.11", size="10", side="BUY")
        return placed.order_id

    one, two, three = await rest(token), await rest(token), await rest(other)
    gone = await client.cancel_orders(order_ids=[one, "0x" + "00" * 32])
    assert gone.canceled == (one,)
    assert list(gone.not_canceled) == ["0x" + "00" * 32]
    gone = await client.cancel_market_orders(token_id=token)
    assert gone.canceled == (two,)
    assert (await client.cancel_all()).canceled == (three,)


async def test_nobody_cancels_or_reads_the_orders_of_another(town: Town) -> None:
    placed = await town.clients["eoa"].place_limit_order(
        token_id=town.tokens(0)[0], price="0.1", size="10", side="BUY"
    )
    gone = await town.clients["safe"].cancel_order(order_id=placed.order_id)
    assert gone.canceled == ()
    with pytest.raises(errors.RequestRejectedError, match="Order not found"):
        await town.clients["safe"].get_order(order_id=placed.order_id)


async def test_more_than_a_wallet_has_is_refused(town: Town) -> None:
    with pytest.raises(errors.RequestRejectedError, match="not enough balance / allowance"):
        await town.clients["eoa"].place_limit_order(
            token_id=town.tokens(0)[0], price="0.9", size="20000", side="BUY"
        )


async def test_the_heartbeat_keeps_orders_and_its_absence_cancels_them(town: Town) -> None:
    client = await town.join("beating", 20, wallets(20).owner)
    town.venue.fund(wallets(20).owner, MONEY)
    beat = await client.send_order_heartbeat()
    with pytest.raises(errors.OrderHeartbeatMismatchError) as refused:
        await client.send_order_heartbeat(heartbeat_id="wrong")
    assert refused.value.heartbeat_id == beat.heartbeat_id
    await client.send_order_heartbeat(heartbeat_id=beat.heartbeat_id)
    placed = await client.place_limit_order(
        token_id=town.tokens(0)[0], price="0.1", size="10", side="BUY"
    )
    town.sandbox.step(16 * 10**9)  # a jump, of which a bot outside knows nothing
    assert (await client.get_order(order_id=placed.order_id)).status == "LIVE"
    town.sandbox.pace.pause()
    town.sandbox.step(16 * 10**9)
    town.sandbox.pace.resume()
    assert [o async for o in client.list_open_orders().iter_items()] == []
    assert (await client.get_order(order_id=placed.order_id)).status.startswith("CANCELED")


# ---- wallets and keys ---------------------------------------------------------------------------


async def test_without_a_wallet_the_client_finds_its_deposit_wallet(town: Town) -> None:
    fresh = await town.join("fresh", 21, None)
    assert str(fresh.wallet) == wallets(21).deposit
    used = await town.join("used", 4, None)
    assert str(used.wallet) == wallets(4).deposit_first


async def test_the_balance_is_that_of_the_deposit_wallet_that_trades(town: Town) -> None:
    """The client names no wallet when it asks; this key has both kinds, with money in each."""
    mine = wallets(31)
    for number, wallet in enumerate((mine.deposit, mine.deposit_first)):
        town.venue.fund(wallet, (number + 1) * 100 * 10**6)
    for number, wallet in enumerate((mine.deposit_first, mine.deposit)):
        client = await town.join(f"both {number}", 31, wallet)
        placed = await client.place_limit_order(
            token_id=town.tokens(0)[0], price="0.1", size="10", side="BUY"
        )
        assert placed.ok
        told = await client.get_balance_allowance(asset_type="COLLATERAL")
        assert told.balance == town.venue.balance(wallet).balance


async def test_a_session_key_trades_for_the_wallet_that_let_it_in(town: Town) -> None:
    wallet, session = wallets(3).deposit, wallets(22)
    client = await town.join("session", 22, wallet)
    token = town.tokens(0)[0]

    async def place() -> Any:
        return await client.place_limit_order(token_id=token, price="0.2", size="10", side="BUY")

    with pytest.raises(errors.RequestRejectedError, match="signer address"):
        await place()
    until = town.venue.now // 10**9 + 60
    town.sandbox.desk.keys.let_in(wallet, SessionKey(session.owner, until))
    placed = await place()
    assert (await client.get_order(order_id=placed.order_id)).maker_address == wallet
    balance = await client.get_balance_allowance(asset_type="COLLATERAL")
    assert balance.balance == town.venue.balance(wallet).balance
    assert [str(key.address) for key in await town.clients["deposit"].fetch_session_keys()] == [
        session.owner
    ]
    town.sandbox.desk.keys.shut_out(wallet, session.owner)
    with pytest.raises(errors.RequestRejectedError, match="signer address"):
        await place()


async def test_credentials_are_derived_listed_used_again_and_deleted(town: Town) -> None:
    first = await town.join("first", 23, wallets(23).owner)
    again = await town.join("again", 23, wallets(23).owner)
    assert again.credentials == first.credentials
    assert await first.fetch_api_keys() == (first.credentials.key,)
    given = await AsyncSecureClient.create(
        private_key="0x" + key_of(23).hex(),
        wallet=wallets(23).owner,
        environment=town.environment,
        credentials=first.credentials,
    )
    assert given.credentials == first.credentials
    await given.delete_api_key()
    await given.close()
    with pytest.raises(errors.RequestRejectedError) as refused:
        await first.fetch_api_keys()
    assert refused.value.status == 401
    del town.clients["first"], town.clients["again"]
    await first.close()
    await again.close()


async def test_builder_keys_come_and_go(town: Town) -> None:
    client = town.clients["eoa"]
    key = await client.create_builder_api_key()
    assert [row.key for row in await client.fetch_builder_api_keys()] == [key.key]
    holder = await AsyncSecureClient.create(
        private_key="0x" + key_of(0).hex(),
        wallet=wallets(0).owner,
        environment=town.environment,
        api_key=key,
    )
    await holder.revoke_builder_api_key()
    await holder.close()
    (row,) = await client.fetch_builder_api_keys()
    assert row.revoked_at is not None


# ---- reads --------------------------------------------------------------------------------------


async def test_the_public_reads_agree_with_the_book(town: Town) -> None:
    yes, no = town.tokens(0)
    maker = town.clients["eoa"]
    await maker.place_limit_order(token_id=yes, price="0.41", size="10", side="BUY")
    await maker.place_limit_order(token_id=yes, price="0.4", size="20", side="BUY")
    await maker.place_limit_order(token_id=yes, price="0.47", size="30", side="SELL")
    async with AsyncPublicClient(environment=town.environment) as client:
        book = await client.get_order_book(token_id=yes)
        assert [(b.price, b.size) for b in book.bids] == [
            (Decimal("0.4"), Decimal(20)),
            (Decimal("0.41"), Decimal(10)),
        ]
        books = await client.get_order_books(token_ids=[yes, no])
        mirror = next(b for b in books if b.asset_id == no)
        assert [(a.price, a.size) for a in mirror.asks] == [
            (Decimal("0.6"), Decimal(20)),
            (Decimal("0.59"), Decimal(10)),
        ]
        assert await client.get_midpoint(token_id=yes) == Decimal("0.44")
        assert await client.get_midpoints(token_ids=[yes, no]) == {
            yes: Decimal("0.44"),
            no: Decimal("0.56"),
        }
        assert await client.get_price(token_id=yes, side="BUY") == Decimal("0.41")
        assert await client.get_price(token_id=no, side="SELL") == Decimal("0.59")
        requests = [polymarket.PriceRequest(yes, "BUY"), polymarket.PriceRequest(yes, "SELL")]
        assert await client.get_prices(requests=requests) == {
            yes: {"BUY": Decimal("0.41"), "SELL": Decimal("0.47")}
        }
        assert await client.get_spread(token_id=yes) == Decimal("0.06")
        assert await client.get_spreads(token_ids=[no]) == {no: Decimal("0.06")}


async def test_last_trades_are_told_with_their_side(town: Town) -> None:
    yes, no = town.tokens(3)
    async with AsyncPublicClient(environment=town.environment) as client:
        assert await client.get_last_trade_price(token_id=yes) is None
        assert await client.get_last_trade_prices(token_ids=[yes]) == ()
        await town.clients["eoa"].place_limit_order(
            token_id=yes, price="0.403", size="10", side="BUY"
        )
        await town.clients["safe"].place_limit_order(
            token_id=yes, price="0.403", size="10", side="SELL"
        )
        last = await client.get_last_trade_price(token_id=yes)
        assert (last.price, last.side) == (Decimal("0.403"), "SELL")
        (row,) = await client.get_last_trade_prices(token_ids=[no])
        assert row.price == Decimal("0.597")


async def test_what_an_account_reads_of_itself(town: Town) -> None:
    client = town.clients["deposit"]
    assert await client.get_closed_only_mode() is False
    balance = await client.get_balance_allowance(asset_type="COLLATERAL")
    assert balance.balance == town.venue.balance(wallets(3).deposit).balance
    assert set(balance.allowances.values()) == {2**256 - 1}
    shares = await client.get_balance_allowance(
        asset_type="CONDITIONAL", token_id=town.tokens(0)[0]
    )
    assert shares.balance == town.venue.balance(wallets(3).deposit, town.tokens(0)[0]).balance
    placed = await client.place_limit_order(
        token_id=town.tokens(1)[0], price="0.3", size="25", side="BUY"
    )
    assert await client.get_order_scoring(order_id=placed.order_id) in {True, False}
    assert set(await client.get_orders_scoring(order_ids=[placed.order_id])) == {placed.order_id}
    await client.cancel_order(order_id=placed.order_id)
    notices = await client.get_notifications()
    assert notices[0].type == 1
    assert notices[0].payload.order_id == placed.order_id
    await client.drop_notifications(ids=[notice.id for notice in notices])
    assert await client.get_notifications() == ()


async def test_rewards_and_rebates_can_be_read(town: Town) -> None:
    client, market = town.clients["eoa"], town.markets[1]
    today = time.strftime("%Y-%m-%d", time.gmtime())
    (current,) = [r async for r in client.list_current_rewards().iter_items()]
    assert current.condition_id == market.condition_id
    assert current.total_daily_rate == Decimal(100)
    (reward,) = [
        r async for r in client.list_market_rewards(condition_id=market.condition_id).iter_items()
    ]
    assert {str(token.asset_id) for token in reward.tokens} == set(market.listing.tokens)
    found = [
        r async for r in client.list_reward_markets(query="number 1", order_by="price").iter_items()
    ]
    assert [r.condition_id for r in found] == [market.condition_id]
    await client.place_limit_order(token_id=town.tokens(1)[0], price="0.49", size="30", side="BUY")
    await client.place_limit_order(token_id=town.tokens(1)[0], price="0.51", size="30", side="SELL")
    assert await client.get_reward_percentages() == {market.condition_id: 100.0}
    town.sandbox.step(3 * 60 * 10**9)
    earned = [r async for r in client.list_user_earnings_for_day(date=today).iter_items()]
    total = await client.get_total_earnings_for_user_for_day(date=today)
    if earned:  # not across midnight
        assert earned[0].earnings > 0
        assert total[0].earnings == earned[0].earnings
    rows = [r async for r in client.list_user_earnings_and_markets_config(date=today).iter_items()]
    assert rows[0].condition_id == market.condition_id
    async with AsyncPublicClient(environment=town.environment) as public:
        rebates = await public.get_current_rebates(date=today, maker_address=wallets(1).proxy)
    assert all(row.rebated_fees_usdc >= 0 for row in rebates)


# ---- streams ------------------------------------------------------------------------------------


class Heard:
    """Collects a stream's events in the background."""

    def __init__(self, handle: Any) -> None:
        self.handle = handle
        self.events: list[Any] = []
        self._task = asyncio.create_task(self._run())

    async def _run(self) -> None:
        async for event in self.handle:
            self.events.append(event)

    async def until(self, wanted: Any, seconds: float = 5.0) -> None:
        async with asyncio.timeout(seconds):
            while not wanted(self.events):
                await asyncio.sleep(0.005)

    async def close(self) -> None:
        await self.handle.close()
        await self._task


def of(events: list[Any], kind: str) -> list[Any]:
    return [event.payload for event in events if event.type == kind]


async def test_the_market_stream_tells_the_book_and_all_its_changes(town: Town) -> None:
    yes, no = town.tokens(0)
    client = town.clients["eoa"]
    await client.place_limit_order(token_id=yes, price="0.3", size="10", side="BUY")
    heard = Heard(await client.subscribe(MarketSpec(token_ids=[yes], custom_feature_enabled=True)))
    await heard.until(lambda events: of(events, "book"))
    book = of(heard.events, "book")[0]
    assert [(b.price, b.size) for b in book.bids][-1] == (Decimal("0.3"), Decimal(10))
    assert book.hash == (await client.get_order_book(token_id=yes)).hash

    await client.place_limit_order(token_id=yes, price="0.35", size="10", side="SELL")
    await heard.until(lambda events: of(events, "price_change") and of(events, "best_bid_ask"))
    change = of(heard.events, "price_change")[0]
    assert {str(row.asset_id) for row in change.price_changes} == {yes, no}
    row = next(row for row in change.price_changes if str(row.asset_id) == yes)
    assert (row.price, row.size, row.side) == (Decimal("0.35"), Decimal(10), "SELL")
    assert (row.best_bid, row.best_ask) == (Decimal("0.3"), Decimal("0.35"))
    assert row.hash == (await client.get_order_book(token_id=yes)).hash
    best = of(heard.events, "best_bid_ask")[-1]
    assert (best.best_ask, best.spread) == (Decimal("0.35"), Decimal("0.05"))

    await town.clients["safe"].place_limit_order(token_id=yes, price="0.35", size="6", side="BUY")
    await heard.until(lambda events: of(events, "last_trade_price"))
    last = of(heard.events, "last_trade_price")[0]
    assert (last.price, last.size, last.side) == (Decimal("0.35"), Decimal(6), "BUY")

    town.venue.set_tick(town.markets[0].condition_id, 10)
    await heard.until(lambda events: of(events, "tick_size_change"))
    assert of(heard.events, "tick_size_change")[0].new_tick_size == Decimal("0.001")
    town.venue.set_tick(town.markets[0].condition_id, 100)
    await heard.close()


async def test_the_user_stream_follows_an_order_to_its_confirmed_trade(town: Town) -> None:
    token = town.tokens(1)[0]
    maker, taker = town.clients["proxy"], town.clients["deposit"]
    mine, theirs = (
        Heard(await maker.subscribe(UserSpec())),
        Heard(await taker.subscribe(UserSpec())),
    )
    await asyncio.sleep(0.1)
    resting = await maker.place_limit_order(token_id=token, price="0.6", size="20", side="SELL")
    placed = await taker.place_limit_order(token_id=token, price="0.6", size="12", side="BUY")

    def confirmed(events: list[Any]) -> bool:
        return any(trade.status == "CONFIRMED" for trade in of(events, "trade"))

    await mine.until(confirmed)
    await theirs.until(confirmed)
    for heard, side in ((mine, "MAKER"), (theirs, "TAKER")):
        trades = of(heard.events, "trade")
        assert [trade.status for trade in trades] == ["MATCHED", "MINED", "CONFIRMED"]
        assert {trade.id for trade in trades} == set(placed.trade_ids)
        assert {trade.trader_side for trade in trades} == {side}
        assert trades[0].maker_orders[0].order_id == resting.order_id
    await maker.cancel_order(order_id=resting.order_id)
    await mine.until(lambda events: of(events, "order")[-1].order_event_type == "CANCELLATION")
    kinds = [order.order_event_type for order in of(mine.events, "order")]
    assert kinds == ["PLACEMENT", "UPDATE", "CANCELLATION"]
    assert of(mine.events, "order")[1].size_matched == Decimal(12)
    await mine.close()
    await theirs.close()


async def test_new_and_resolved_markets_are_told_to_everybody_who_asked(town: Town) -> None:
    client = town.clients["eoa"]
    heard = Heard(
        await client.subscribe(
            MarketSpec(token_ids=[town.tokens(0)[0]], custom_feature_enabled=True)
        )
    )
    await heard.until(lambda events: of(events, "book"))
    market = town.venue.list_market(listing(77))
    await heard.until(lambda events: of(events, "new_market"))
    assert of(heard.events, "new_market")[0].condition_id == market.condition_id
    await heard.close()
    heard = Heard(
        await client.subscribe(
            MarketSpec(token_ids=market.listing.tokens, custom_feature_enabled=True)
        )
    )
    await heard.until(lambda events: len(of(events, "book")) == 2)
    town.venue.resolve(market.condition_id, 1)
    await heard.until(lambda events: of(events, "market_resolved"))
    resolved = of(heard.events, "market_resolved")[0]
    assert str(resolved.winning_asset_id) == market.listing.tokens[1]
    await heard.close()
    assert not isinstance(town.venue.redeem(wallets(0).owner, market.condition_id), Refused)
