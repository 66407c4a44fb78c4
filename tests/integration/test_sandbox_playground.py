"""A whole sandbox on a real port: the official client reads it all."""

from __future__ import annotations

import asyncio
import json
import os
import socket
from collections.abc import AsyncIterator
from decimal import Decimal
from typing import Any

import httpx
import pytest
import pytest_asyncio

from polyframe.sandbox.clients import environment
from polyframe.sandbox.opening import Playground
from polyframe.sandbox.venue.market import Market
from polyframe.sandbox.venue.records import State

polymarket = pytest.importorskip("polymarket", reason="polymarket-client is not installed")
from polymarket import AsyncPublicClient, AsyncSecureClient  # noqa: E402

pytestmark = pytest.mark.asyncio(loop_scope="module")
os.environ["NO_PROXY"] = os.environ["no_proxy"] = "127.0.0.1"


@pytest_asyncio.fixture(loop_scope="module", scope="module")
async def ground() -> AsyncIterator[Playground]:
    async with Playground(seed=1, markets=30) as ground:
        yield ground
        assert ground.venue.audit(full=True).exact


@pytest_asyncio.fixture(loop_scope="module", scope="module")
async def client(ground: Playground) -> AsyncIterator[AsyncPublicClient]:
    client = AsyncPublicClient(environment=environment(ground.urls))
    yield client
    await client.close()


async def rows(pages: Any) -> list[Any]:
    """Everything that a paginated list holds."""
    return [row async for row in pages.iter_items()]


def busy(ground: Playground) -> Market:
    """The open market, of a middling price, that is traded most.

    Its tick is a cent: what the client sends to buy at finer ones has too many decimals at times,
    which the venue refuses (py-clob-client-v2 #99).
    """
    open = [m for m in ground.venue.markets.values() if m.accepting and 1_500 < m.bid < 8_500]
    return max((m for m in open if m.tick == 100), key=lambda market: market.volume)


# ---- the official client reads ------------------------------------------------------------------


async def test_the_client_lists_the_catalogue(
    ground: Playground, client: AsyncPublicClient
) -> None:
    open = await rows(client.list_markets(page_size=7))
    closed = await rows(client.list_markets(closed=True, order="volume", ascending=False))
    assert len(open) > 15
    assert {market.state.closed for market in closed} == {True}
    volumes = [market.metrics.volume for market in closed]
    assert volumes == sorted(volumes, reverse=True)
    for market in open:
        held = ground.venue.markets[market.condition_id]
        assert market.outcomes.yes.token_id == held.listing.tokens[0]
        assert market.trading.minimum_tick_size == Decimal(held.tick) / 10_000
        if held.listing.fees.rate:
            assert market.trading.fee_schedule.rate == Decimal(held.listing.fees.rate) / 10**6
    one = await client.get_market(id=open[0].id, include_tag=True)
    assert (one.slug, one.tags[0].label) == (open[0].slug, "All")
    assert (await client.get_market(slug=open[0].slug)).id == open[0].id
    events = await rows(client.list_events())
    assert sum(len(event.markets) for event in events) >= len(open)
    event = await client.get_event(slug=events[0].slug)
    assert event.id == events[0].id
    assert [tag.id for tag in await client.get_event_tags(event.id)] == [t.id for t in event.tags]


async def test_the_client_reads_labels_search_and_talk(
    ground: Playground, client: AsyncPublicClient
) -> None:
    assert {tag.slug for tag in await rows(client.list_tags())} >= {"all", "crypto"}
    series = await rows(client.list_series())
    assert (await client.get_series(series[0].id)).events
    assert len(await rows(client.list_teams())) == 8
    assert (await client.get_sports())[0].sport == "syn"
    assert (await client.get_sports_market_types()).market_types == ("moneyline",)
    tag = await client.get_tag(slug="crypto")
    assert await client.get_related_tags(id=tag.id)
    assert await client.get_related_tag_resources(slug="crypto")
    page = await client.search(q="coin", search_tags=True, search_profiles=True).first_page()
    assert page.items[0].events
    person = next(p for p in ground.town.people.everybody if p.name)
    assert (await client.get_public_profile(address=person.address)).name == person.name
    spoken = 0
    for event in await rows(client.list_events()):
        talk = await rows(
            client.list_comments(parent_entity_id=event.id, parent_entity_type="Event")
        )
        spoken += len(talk)
    assert spoken


async def test_the_client_reads_what_wallets_did(
    ground: Playground, client: AsyncPublicClient
) -> None:
    wallet = ground.venue.history.standings(limit=1)[0].wallet
    trades = await rows(client.list_trades(user=wallet))
    assert trades
    assert {trade.wallet for trade in trades} == {wallet}
    acts = await rows(client.list_activity(user=wallet, full_history=True))
    assert len(acts) >= len(trades)
    assert not any(type(act).__name__ == "UnknownActivity" for act in acts)
    positions = await rows(client.list_positions(user=wallet))
    positions += await rows(client.list_positions(user=wallet, status="CLOSED"))
    assert positions
    value = await client.get_portfolio_value(user=wallet)
    assert value.value == pytest.approx(sum(p.current_value for p in positions), abs=Decimal("0.5"))
    stats = await client.get_user_stats(user=wallet)
    assert stats.traded_market_count == len({p.condition_id for p in positions})
    series = await client.get_user_pnl(user=wallet, interval="1w")
    assert series.points
    volume = await client.get_user_volume(user=wallet, full_history=True)
    assert volume.trade_count == len(trades)
    table = await rows(client.list_trader_leaderboard(window="all"))
    standing = await client.get_trader_leaderboard_standing(user=wallet, window="all")
    assert table[standing.pnl_rank - 1].wallet == wallet
    assert await rows(client.list_biggest_winners(window="all"))
    assert await rows(client.list_builder_leaderboard()) == []
    assert await client.get_builder_volumes() == ()
    assert await rows(client.list_combo_positions(user=wallet)) == []
    assert await client.download_accounting_snapshot(user=wallet)


async def test_the_client_reads_what_markets_are_like(
    ground: Playground, client: AsyncPublicClient
) -> None:
    market = busy(ground)
    cid, token = market.condition_id, market.listing.tokens[0]
    holders = await rows(client.list_market_holders(condition_ids=cid, include_pnl=True))
    assert [each.asset_id for each in holders] == list(market.listing.tokens)
    assert holders[0].holders[0].total_pnl is not None
    prices = await rows(client.list_price_history(asset_id=token, interval="1d"))
    assert prices[-1].price == pytest.approx(
        Decimal(ground.venue.history.current(token)) / 10_000, abs=Decimal("0.1")
    )
    assert (await client.get_open_interests())[0].condition_id is None
    (interest,) = await client.get_open_interests(condition_ids=cid)
    assert interest.value > 0
    event = ground.town.world.catalogue.by_condition[cid].occasion
    live = await client.get_event_live_volume(event_ids=event.id)
    assert live.taker_volume_total > 0
    (reference,) = await client.get_token_references(asset_ids=token)
    assert reference.event_id == str(event.id)
    resolutions = await client.get_resolutions(condition_ids=list(ground.venue.markets)[:20])
    assert len(resolutions) == 20


async def test_a_play_key_trades_in_a_living_market(ground: Playground) -> None:
    key, market = ground.play[0], busy(ground)
    client = await AsyncSecureClient.create(
        private_key=key.private_key,
        wallet=key.wallets.deposit,
        environment=environment(ground.urls),
    )
    try:
        placed = await client.place_market_order(
            token_id=market.listing.tokens[0], side="BUY", amount="20"
        )
        ground.pace.speed = 20.0  # a settlement takes seconds of the venue's time
        assert placed.status == "matched"
        assert await client.wait_for_order_fill_settlement(placed)
        settled = [
            trade
            for id in placed.trade_ids
            async for trade in client.list_account_trades(id=id).iter_items()
        ]
        assert {trade.status for trade in settled} == {"CONFIRMED"}
        mine = await rows(client.list_trades(user=key.wallets.deposit))
        assert sum(trade.size for trade in mine) == placed.taking_amount
    finally:
        ground.pace.speed = 1.0
        await client.close()


async def test_approvals_as_they_are_indexed_are_those_of_the_chain(ground: Playground) -> None:
    from polymarket._internal.actions.relayer import approvals

    key, where = ground.play[3], environment(ground.urls)
    wallet = key.wallets.deposit
    first = await AsyncSecureClient.create(
        private_key=key.private_key, wallet=wallet, environment=where
    )
    client = await AsyncSecureClient.create(
        private_key=key.private_key,
        wallet=wallet,
        environment=where,
        api_key=await first.create_builder_api_key(),
    )
    await first.close()

    async def missing(owner: str = wallet) -> tuple[int, int]:
        indexed = await client.get_trading_approvals_state(wallet=owner)
        on_chain = await approvals.get_trading_approvals_state(
            client._ctx.rpc, wallet=owner, config=client._ctx.environment_config
        )
        assert indexed == on_chain
        return len(indexed.missing.erc20), len(indexed.missing.erc1155)

    try:
        assert await missing() == (0, 0)
        ground.venue.approve(wallet, money=0)
        assert await missing() == (7, 0)
        ground.venue.approve(wallet, money=5_000_000, shares=False)
        assert await missing() == (7, 10)
        assert await missing("0x" + "77" * 20) == (7, 10)
        ground.pace.speed = 20.0
        await client.setup_trading_approvals()
        assert await missing() == (0, 0)
        assert (await client.get_trading_approvals_state()).is_fully_approved
    finally:
        ground.pace.speed = 1.0
        await client.close()


async def test_the_crowd_moves_books_while_one_looks(ground: Playground) -> None:
    import websockets

    tokens = [s.tokens[0] for s in ground.town.world.open_subjects()]
    kinds: set[str] = set()
    async with websockets.connect(ground.urls.ws_market) as line:
        await line.send(json.dumps({"type": "market", "assets_ids": tokens}))
        async with asyncio.timeout(20):
            while not {"book", "price_change", "last_trade_price"} <= kinds:
                told = json.loads(await line.recv())
                kinds |= {
                    event["event_type"] for event in (told if isinstance(told, list) else [told])
                }


async def test_the_debug_room_answers_over_http(ground: Playground) -> None:
    async with httpx.AsyncClient(base_url=ground.urls.debug) as http:
        assert (await http.get("/audit", params={"full": "true"})).json()["exact"] is True
        told = (await http.post("/clock", json={"speed": 200})).json()
        assert told["speed"] == 200
        await http.post("/clock", json={"speed": 1})
        reply = await http.post("/clock", json={"speed": 0})
        assert reply.status_code == 400
        assert "out of range" in reply.json()["error"]
        assert (await http.get("")).json()["routes"]
        assert (
            await http.post("/fund", content=b"x", headers={"content-type": "text/plain"})
        ).status_code == 415


async def test_nobody_outside_this_machine_is_listened_to(ground: Playground) -> None:
    with socket.socket() as line:
        line.settimeout(0.5)
        own = socket.gethostbyname(socket.gethostname())
        if own.startswith("127."):
            pytest.skip("this machine has no other address")
        assert line.connect_ex((own, ground.port)) != 0


async def test_markets_of_every_state_can_be_seen_at_once(ground: Playground) -> None:
    states = {market.state for market in ground.venue.markets.values()}
    assert {State.OPEN, State.PROPOSED, State.DISPUTED, State.RESOLVED} <= states
