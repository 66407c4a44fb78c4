"""The Data API's rooms: rows beside recorded ones, envelopes and cursors, sums that agree."""

from __future__ import annotations

import csv
import io
import json
import zipfile
from collections import Counter
from itertools import pairwise
from pathlib import Path
from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st
from sandbox_rooms import Visitor
from shapes import always, kinds, merged, rows_of, shape_of, strangers

from polyframe.domain.units import DAY, HOUR, MINUTE, SECOND
from polyframe.sandbox.data.gains import tallies
from polyframe.sandbox.data.office import Office
from polyframe.sandbox.data.room import data_room
from polyframe.sandbox.desk import Desk
from polyframe.sandbox.opening import town
from polyframe.sandbox.venue.records import BUY, MOST, State

NOW = 1_795_291_200 * SECOND


class Data(Visitor):
    """Somebody in the Data API's room."""

    def __init__(self) -> None:
        self.town = town(1, now=NOW, markets=40)
        self.venue = self.town.venue
        desk = Desk(self.venue, about=self.town.world.catalogue.about)
        self.office = Office(self.town.world, self.town.people, desk.notices)
        super().__init__(data_room(self.office))
        self.best = self.venue.history.standings(limit=1)[0].wallet
        whales = sorted(
            self.town.people.everybody,
            key=lambda person: -len(self.venue.history.rows(person.address)),
        )
        self.busy = whales[0].address

    def data(self, target: str) -> Any:
        """What stands in the envelope."""
        return self.get(target)["data"]

    def refused(self, target: str, status: int = 400) -> str:
        return str(self.turned(target, status)["error"])

    def all(self, target: str) -> list[dict[str, Any]]:
        found: list[dict[str, Any]] = []
        cursor = ""
        while True:
            page = self.get(target + (f"&cursor={cursor}" if cursor else ""))
            assert set(page) == {"data", "pagination"}
            assert set(page["pagination"]) == {"limit", "has_more", "next_cursor"}
            found += page["data"]
            cursor = page["pagination"]["next_cursor"]
            assert page["pagination"]["has_more"] == (cursor is not None)
            if cursor is None:
                return found

    def market(self, state: State) -> str:
        """The condition of a market in a state, the one that is traded most."""
        some = [m for m in self.venue.markets.values() if m.state is state]
        return max(some, key=lambda market: market.volume).condition_id


@pytest.fixture(scope="module")
def data() -> Data:
    return Data()


# ---- rows beside recorded ones -----------------------------------------------------------------


def test_trades_and_positions_have_the_keys_and_kinds_of_recorded_ones(
    data: Data, payloads: Path
) -> None:
    trades = rows_of(payloads / "pysdk_data_v2/trades.json")
    own = data.data("/v2/trades?limit=200")
    assert kinds(own) == kinds(trades)
    positions = rows_of(payloads / "pysdk_data_v2/positions.json")
    own = data.all(f"/v2/positions?user={data.busy}")
    # The official client reads when a position began; the recording is older than that.
    assert kinds(own) == merged(kinds(positions), {"first_entry_at": {"number"}})


@pytest.mark.parametrize(
    ("target", "file", "prefix"),
    [
        ("/trades?limit=50", "data__trades", "$[]"),
        ("/activity?user={busy}", "data__activity", "$[]"),
        ("/positions?user={busy}", "data__positions", "$[]"),
        ("/closed-positions?user={busy}", "data__closed-positions", "$[]"),
        ("/holders?market={open}", "data__holders", "$[]"),
        ("/value?user={busy}", "data__value", "$[]"),
        ("/oi?market={open}", "data__oi", "$[]"),
        ("/live-volume?id={event}", "data__live-volume", "$[]"),
        ("/v1/leaderboard?timePeriod=all", "data__v1_leaderboard", "$[]"),
    ],
)
def test_the_first_version_has_the_keys_and_kinds_of_recorded_rows(
    data: Data, payloads: Path, target: str, file: str, prefix: str
) -> None:
    subject = data.town.world.catalogue.by_condition[data.market(State.OPEN)]
    said = target.format(busy=data.busy, open=subject.condition_id, event=subject.occasion.id)
    own = data.get(said)
    path = payloads / f"shapes_qualiaenjoyer/{file}.json"
    known = shape_of(path, prefix)
    assert own
    assert not list(
        strangers(kinds(own), merged(known, {"holders": {"array"}, "markets": {"array"}}))
    )
    assert set(known) - always(own) == set()
    for inner in ("holders", "markets"):
        if inner in own[0]:
            deeper = shape_of(path, f"$[].{inner}[]")
            rows = [row for each in own for row in each[inner]]
            assert kinds(rows) == deeper


def test_older_recordings_are_matched_too(data: Data, payloads: Path) -> None:
    for name, target in (
        ("trades", "/trades?limit=50"),
        ("activity", f"/activity?user={data.busy}"),
        ("positions", f"/positions?user={data.busy}"),
        ("value", f"/value?user={data.busy}"),
    ):
        recorded = kinds(rows_of(payloads / f"hugompt/data_{name}.json"))
        assert not list(strangers(kinds(data.get(target)), recorded))


# ---- envelopes and pages -----------------------------------------------------------------------


@pytest.mark.parametrize(
    "target",
    [
        "/v2/trades?side=BUY",
        "/v2/activity?user={busy}",
        "/v2/positions?user={busy}",
        "/v2/leaderboard?time_period=all",
        "/v2/biggest-winners?time_period=all",
    ],
)
def test_lists_are_read_whole_by_their_cursors(data: Data, target: str) -> None:
    target = target.format(busy=data.busy)
    whole = data.all(f"{target}&limit=1000")
    assert len(whole) > 5
    assert data.all(f"{target}&limit=7") == whole if len(whole) < 400 else True
    assert data.all(f"{target}&limit=97") == whole


def test_rows_that_come_in_meanwhile_move_nothing() -> None:
    data = Data()
    before = data.all("/v2/trades?limit=1000")
    page = data.get("/v2/trades?limit=50")
    data.venue.advance(data.venue.now + 5 * MINUTE)
    after = data.get(f"/v2/trades?limit=50&cursor={page['pagination']['next_cursor']}")
    assert page["data"] + after["data"] == before[:100]
    assert data.get("/v2/trades?limit=1")["data"] != before[:1]


def test_a_cursor_belongs_to_its_query(data: Data) -> None:
    cursor = data.get("/v2/trades?limit=2")["pagination"]["next_cursor"]
    assert "another query" in data.refused(f"/v2/trades?side=BUY&cursor={cursor}")
    assert "another query" in data.refused(f"/v2/activity?user={data.busy}&cursor={cursor}")
    for wrong in ("x", "%FF", "W10=", "WyJhIiwxLC0xXQ=="):
        assert "invalid cursor" in data.refused(f"/v2/trades?cursor={wrong}")


# ---- what is asked for -------------------------------------------------------------------------


def test_trades_are_chosen_by_all_that_they_have(data: Data) -> None:
    rows = data.all("/v2/trades?limit=1000")
    assert len(rows) > 1_000
    times = [row["timestamp"] for row in rows]
    assert times == sorted(times, reverse=True)
    takers = data.all("/v2/trades?limit=1000&taker_only=true")
    assert len(takers) < len(rows)
    assert data.get("/trades?limit=20") == data.get("/trades?limit=20&takerOnly=true")
    cid = data.market(State.OPEN)
    for spelling in ("condition", "condition_id", "conditionId", "market"):
        some = data.all(f"/v2/trades?limit=1000&{spelling}={cid}")
        assert [row for row in rows if row["condition_id"] == cid] == some
    occasion = data.town.world.catalogue.by_condition[cid].occasion
    ids = {subject.condition_id for subject in occasion.subjects}
    event = data.all(f"/v2/trades?limit=1000&eventId={occasion.id}")
    assert {row["condition_id"] for row in event} <= ids
    large = data.all("/v2/trades?limit=1000&filter_type=CASH&filter_amount=50")
    assert large
    assert all(row["size"] * row["price"] >= 49.9 for row in large)
    mine = data.all(f"/v2/trades?limit=1000&user={data.busy}")
    assert mine == [row for row in rows if row["proxy_wallet"] == data.busy]
    cut = times[len(times) // 2]
    late = data.all(f"/v2/trades?limit=1000&start={cut}")
    assert late == [row for row in rows if row["timestamp"] >= cut]
    early = data.all(f"/v2/trades?limit=1000&start=1&end={cut}")
    assert early == [row for row in rows if row["timestamp"] <= cut]


def test_activity_tells_all_kinds_of_deeds(data: Data) -> None:
    usual = data.all(f"/v2/activity?user={data.busy}&limit=1000")
    assert "DEPOSIT" not in {row["type"] for row in usual}
    whole = data.all(f"/v2/activity?user={data.busy}&limit=1000&exclude_deposits_withdrawals=false")
    kinds_ = Counter(row["type"] for row in whole)
    assert kinds_["TRADE"] > 50
    assert kinds_["DEPOSIT"] >= 1
    for kind in kinds_:
        some = data.all(f"/v2/activity?user={data.busy}&limit=1000&type={kind}")
        assert len(some) == kinds_[kind]
    for row in whole:
        assert len(row["transaction_hash"]) == 66
        if row["type"] == "TRADE":
            assert row["usdc_size"] == pytest.approx(row["size"] * row["price"], abs=0.01)
        if row["type"] in {"DEPOSIT", "REWARD", "MAKER_REBATE"}:
            assert (row["condition_id"], row["outcome_index"]) == ("", 999)
    up = data.all(f"/v2/activity?user={data.busy}&limit=1000&sort_direction=ASC")
    assert up == usual[::-1]


def test_positions_are_chosen_by_status_and_sorted(data: Data) -> None:
    by_status = {
        status: data.all(f"/v2/positions?user={data.busy}&limit=1000&status={status}")
        for status in ("OPEN", "REDEEMABLE", "REDEEMABLE_LOST", "MERGEABLE", "CLOSED")
    }
    usual = data.all(f"/v2/positions?user={data.busy}&limit=1000")
    assert len(usual) == len(by_status["OPEN"]) + len(by_status["REDEEMABLE"])
    assert {row["status"] for row in by_status["OPEN"]} == {"OPEN"}
    assert by_status["CLOSED"]
    for row in by_status["CLOSED"]:
        assert row["current_size"] == 0
    for row in usual:
        assert row["total_pnl"] == pytest.approx(row["unrealized_pnl"] + row["realized_pnl"])
        assert row["current_value"] == pytest.approx(
            row["current_size"] * row["current_price"], abs=1e-5
        )
        wallet = data.venue.wallet(data.busy)
        assert wallet.shares[row["token_id"]] == round(row["current_size"] * 10**6)
    for sort in ("CURRENT_VALUE", "PRICE", "TOKENS", "UNREALIZED_PNL", "TOTAL_PNL"):
        field = {"PRICE": "current_price", "TOKENS": "current_size"}.get(sort, sort.lower())
        rows = data.all(f"/v2/positions?user={data.busy}&limit=1000&sort_by={sort}")
        values = [row[field] for row in rows]
        assert values == sorted(values, reverse=True)
    words = usual[0]["title"].split()[1]
    found = data.all(f"/v2/positions?user={data.busy}&limit=1000&title={words.lower()}")
    assert all(words.lower() in row["title"].lower() for row in found)


def test_lost_positions_pay_nothing_and_are_still_there(data: Data) -> None:
    lost = 0
    for person in data.town.people.everybody:
        rows = data.all(f"/v2/positions?user={person.address}&status=REDEEMABLE_LOST")
        for row in rows:
            lost += 1
            assert (row["current_price"], row["current_value"]) == (0, 0)
            assert row["redeemable"] is True
            assert row["status"] == "REDEEMABLE"
    assert lost > 0


def test_holders_are_the_wallets_that_hold(data: Data) -> None:
    cid = data.market(State.OPEN)
    market = data.venue.markets[cid]
    lists = data.data(f"/v2/holders?condition_id={cid}&include_pnl=true")
    assert [each["token_id"] for each in lists] == list(market.listing.tokens)
    for index, each in enumerate(lists):
        held = [
            wallet.shares.get(market.listing.tokens[index], 0)
            for wallet in data.venue.accounts.wallets.values()
        ]
        amounts = [row["amount"] for row in each["holders"]]
        assert amounts == sorted((size / 10**6 for size in held if size), reverse=True)
        assert all("total_pnl" in row for row in each["holders"])
    plain = data.data(f"/v2/holders?condition_id={cid}&limit=2")
    assert all(len(each["holders"]) <= 2 for each in plain)
    assert "total_pnl" not in plain[0]["holders"][0]
    assert (
        sum(
            map(
                len,
                (
                    e["holders"]
                    for e in data.data(f"/v2/holders?condition_id={cid}&min_balance=1e9")
                ),
            )
        )
        == 0
    )


# ---- sums that agree ---------------------------------------------------------------------------


def test_what_is_told_of_a_wallet_agrees_everywhere(data: Data) -> None:
    history = data.venue.history
    for person in data.town.people.everybody[::7]:
        address = person.address
        ((_, tally, open),) = tallies(data.office, address, [data.venue.now])
        assert tally.realized + open == pytest.approx(history.profit(address), abs=200)
        rows = data.all(f"/v2/positions?user={address}&limit=1000")
        rows += data.all(f"/v2/positions?user={address}&limit=1000&status=CLOSED")
        fees = sum(row["entry_fees_usdc"] for row in rows)
        assert sum(row["total_pnl"] for row in rows) - fees == pytest.approx(
            history.profit(address) / 10**6, abs=1e-4
        )
        value = data.data(f"/v2/value?user={address}")
        assert value["value"] == pytest.approx(sum(row["current_value"] for row in rows), abs=1e-4)
        volume = data.data(f"/v2/user-volume?user={address}")
        assert volume["volume_usdc"] == history.volume(address) / 10**6
        assert volume["volume"] == history.shares(address) / 10**6
        stats = data.data(f"/v2/user-stats?user={address}")
        assert stats["all_time_pnl"]["trade_count"] == volume["trade_count"]
        assert stats["trades"] == data.get(f"/traded?user={address}")["traded"]


def test_profits_through_time_end_at_the_profit_of_now(data: Data) -> None:
    for interval, step in (("all", "1d"), ("1w", "3h"), ("1d", "1h"), ("6h", "1h")):
        told = data.data(f"/v2/user-pnl?user={data.best}&interval={interval}")
        assert (told["interval"], told["fidelity"]) == (interval, step)
        points = told["points"]
        stamps = [point["timestamp"] for point in points]
        assert stamps == sorted(set(stamps))
        assert stamps[-1] == NOW // SECOND
        profit = data.venue.history.profit(data.best) / 10**6
        assert points[-1]["position_pnl"] == pytest.approx(profit, abs=1e-3)
        counts = [point["trade_count"] for point in points]
        assert counts == sorted(counts)
    fine = data.data(f"/v2/user-pnl?user={data.best}&interval=1d&fidelity=12h")
    assert len(fine["points"]) == 3


def test_leaderboards_rank_everybody(data: Data) -> None:
    rows = data.all("/v2/leaderboard?time_period=all&limit=1000")
    assert [row["rank"] for row in rows] == list(range(1, len(rows) + 1))
    assert [row["pnl"] for row in rows] == sorted((row["pnl"] for row in rows), reverse=True)
    assert rows[0]["user_id"] == data.best
    sizes = data.all("/v2/leaderboard?time_period=all&sort_by=VOLUME&limit=1000")
    assert [row["volume"] for row in sizes] == sorted((r["volume"] for r in sizes), reverse=True)
    own = data.data(f"/v2/leaderboard?time_period=all&user={data.best}")
    assert own["rank_pnl"] == 1
    assert own["rank_volume"] == 1 + [r["user_id"] for r in sizes].index(data.best)
    assert data.data(f"/v2/leaderboard?user=0x{'1' * 40}") is None
    politics = data.all("/v2/leaderboard?time_period=all&category=Politics&limit=1000")
    assert 0 < len(politics) <= len(rows)
    week = data.all("/v2/leaderboard?time_period=week&limit=1000")
    assert len(week) == len(rows)


def test_profits_of_categories_make_up_the_whole(data: Data) -> None:
    plots = data.town.world.catalogue.occasions.values()
    total = Counter()
    for category in {occasion.plot.category for occasion in plots}:
        rows = data.all(f"/v2/leaderboard?time_period=all&category={category}&limit=1000")
        total.update({row["user_id"]: row["pnl"] for row in rows})
    assert set(total) == set(data.venue.history.wallets())
    for wallet, gain in total.items():
        assert gain == pytest.approx(data.venue.history.profit(wallet) / 10**6, abs=1e-3)


def test_profits_of_a_category_in_a_week_are_those_of_its_trades(data: Data) -> None:
    week = data.all("/v2/leaderboard?time_period=week&category=crypto&limit=1000")
    whole = data.all("/v2/leaderboard?time_period=all&category=crypto&limit=1000")
    # All of the history is younger than a week.
    assert [(row["user_id"], row["pnl"]) for row in week] == [
        (row["user_id"], pytest.approx(row["pnl"], abs=1e-3)) for row in whole
    ]
    day = data.all("/v2/leaderboard?time_period=day&category=crypto&limit=1000")
    sizes = {row["user_id"]: row["volume"] for row in whole}
    assert all(row["volume"] <= sizes[row["user_id"]] for row in day)
    assert sum(row["volume"] for row in day) < sum(sizes.values())


def test_winners_gained_what_they_are_said_to(data: Data) -> None:
    rows = data.all("/v2/biggest-winners?time_period=all&limit=1000")
    assert [row["win_rank"] for row in rows] == list(range(1, len(rows) + 1))
    gains = [row["pnl"] for row in rows]
    assert gains == sorted(gains, reverse=True)
    assert gains[-1] > 0
    for row in rows:
        assert data.venue.markets[row["condition_id"]].closed
        assert row["final_value"] == pytest.approx(row["initial_value"] + row["pnl"])
        assert row["event_id"] in data.town.world.catalogue.occasions


def test_markets_are_told_of(data: Data) -> None:
    cid = data.market(State.OPEN)
    market = data.venue.markets[cid]
    assert data.data("/v2/oi")[0]["condition_id"] == "GLOBAL"
    assert data.data("/v2/oi")[0]["value"] == data.venue.accounts.collateral / 10**6
    assert data.data(f"/v2/oi?condition_id={cid}")[0]["value"] == market.collateral / 10**6
    occasion = data.town.world.catalogue.by_condition[cid].occasion
    volume = data.data(f"/v2/live-volume?event_id={occasion.id}")
    sizes = {row["condition_id"]: row["taker_volume"] for row in volume["conditions"]}
    takers = data.all(f"/v2/trades?limit=1000&condition_id={cid}&taker_only=true")
    assert sizes[cid] == pytest.approx(sum(row["size"] for row in takers))
    assert volume["taker_volume_total"] == pytest.approx(sum(sizes.values()))
    (token,) = data.data(f"/v2/tokens?token_id={market.listing.tokens[1]}")
    assert (token["outcome_index"], token["opposite_token_id"]) == (1, market.listing.tokens[0])
    assert len(data.data(f"/v2/tokens?condition={cid}")) == 2


def test_answers_are_told_of_in_every_state(data: Data) -> None:
    for state, said in (
        (State.OPEN, "posed"),
        (State.PROPOSED, "proposed"),
        (State.DISPUTED, "disputed"),
        (State.RESOLVED, "resolved"),
    ):
        cid = data.market(state)
        (row,) = data.data(f"/v2/resolutions?condition_id={cid}")
        assert row["status"] == said
        market = data.venue.markets[cid]
        assert row["was_disputed"] == (market.disputes > 0)
        if state is State.RESOLVED:
            assert sum(row["payouts"]) == 10**6
            assert row["payouts"][0] == market.payout(0) * 10**6 // 2
            again = data.data(f"/v2/resolutions?question_id={market.listing.question_id}")
            assert again == [row]
        if state is State.PROPOSED:
            assert row["expected_settlement_time"] > NOW // SECOND


def test_prices_are_told_at_the_steps_asked_for(data: Data) -> None:
    cid = data.market(State.OPEN)
    token, other = data.venue.markets[cid].listing.tokens
    rows = data.all(f"/v2/prices-history?token_id={token}&interval=1d&bucket_seconds=3600")
    stamps = [row["timestamp"] for row in rows]
    assert {two - one for one, two in pairwise(stamps)} == {3600}
    assert {row["resolution_seconds"] for row in rows} == {3600}
    mirror = data.all(f"/v2/prices-history?token_id={other}&interval=1d&bucket_seconds=3600")
    assert all(
        a["price"] + b["price"] == pytest.approx(1) for a, b in zip(rows, mirror, strict=True)
    )
    start = (NOW - DAY) // SECOND
    window = data.all(
        f"/v2/prices-history?token_id={token}&start={start}&end={start + 7200}&bucket_seconds=600"
    )
    assert len(window) in {12, 13}
    (point,) = data.data(f"/v2/prices-history?token_id={token}&as_of={start}")
    assert point["resolution_seconds"] == 0
    parts = data.all(f"/v2/prices-history?token_id={token}&interval=1d&bucket_seconds=3600&limit=5")
    assert parts == rows


def test_the_first_version_pages_by_offsets(data: Data) -> None:
    whole = data.get("/trades?limit=60")
    assert data.get("/trades?limit=20&offset=20") == whole[20:40]
    acts = data.get(f"/activity?user={data.busy}&limit=40")
    assert data.get(f"/activity?user={data.busy}&limit=10&offset=10") == acts[10:20]
    assert data.refused(f"/activity?user={data.busy}&offset=3001") == (
        "max historical activity offset of 3000 exceeded"
    )
    assert len(data.get("/trades?limit=100000")) == 500
    large = data.get(f"/positions?user={data.busy}&sizeThreshold=1e9")
    assert large == []
    rows = data.get("/v1/leaderboard?timePeriod=all&limit=3")
    assert [row["rank"] for row in rows] == ["1", "2", "3"]


def test_a_snapshot_is_an_archive_of_tables(data: Data) -> None:
    reply = data.reply(f"/v1/accounting/snapshot?user={data.busy}")
    assert reply.media == b"application/zip"
    archive = zipfile.ZipFile(io.BytesIO(reply.body))
    assert set(archive.namelist()) == {"positions.csv", "equity.csv"}
    rows = list(csv.DictReader(io.StringIO(archive.read("positions.csv").decode())))
    assert {row["proxy_wallet"] for row in rows} == {data.busy}
    (equity,) = csv.DictReader(io.StringIO(archive.read("equity.csv").decode()))
    money = data.venue.balance(data.busy).balance / 10**6
    assert float(equity["cashBalance"]) == money


# ---- what cannot be used -----------------------------------------------------------------------

C = "0x" + "a" * 64


@pytest.mark.parametrize(
    ("target", "text"),
    [
        ("/v2/activity", "required query param 'user' not provided"),
        ("/v2/activity?user=bob", "invalid user"),
        ("/v2/activity?user=0x" + "1" * 39, "invalid user"),
        ("/v2/activity?user={u}&type=WISH", "invalid type"),
        ("/v2/activity?user={u}&side=LONG", "invalid side"),
        ("/v2/trades?limit=0", "limit must be between"),
        ("/v2/trades?limit=1001", "limit must be between"),
        ("/v2/trades?limit=x", "invalid limit"),
        ("/v2/trades?start=yesterday", "invalid start"),
        ("/v2/trades?start=20&end=10", "invalid end"),
        ("/v2/trades?filter_type=CASH&filter_amount=-1", "invalid filter_amount"),
        ("/v2/trades?filter_type=GOLD&filter_amount=1", "invalid filter_type"),
        ("/v2/trades?condition_id=12", "invalid condition_id"),
        ("/v2/trades?event_id=x", "invalid event_id"),
        (f"/v2/trades?condition_id={C}&event_id=1", "cannot be used together"),
        ("/v2/trades?" + "&".join(f"market=0x{n:064x}" for n in range(21)), "at most 20"),
        ("/v2/positions", "provide user, or exactly one condition_id"),
        (f"/v2/positions?condition_id={C}&status=MERGEABLE", "requires user"),
        ("/v2/positions?user={u}&sort_by=LUCK", "invalid sort_by"),
        ("/v2/positions?user={u}&title=" + "x" * 201, "title"),
        ("/v2/holders", "required query param 'condition_id'"),
        (f"/v2/holders?condition_id={C}&include_pnl=true&limit=101", "limit must be between"),
        ("/v2/approvals", "required query param 'user'"),
        ("/v2/approvals?user=0x12", "invalid user"),
        ("/v2/user-pnl?user={u}&interval=2h", "invalid interval"),
        ("/v2/leaderboard?time_period=year", "invalid time_period"),
        ("/v2/tokens", "exactly one"),
        ("/v2/tokens?token_id=abc", "invalid token_id"),
        ("/v2/resolutions", "exactly one"),
        ("/v2/live-volume", "required query param 'event_id'"),
        ("/v2/prices-history?token_id=x&interval=1d", "invalid token_id"),
        ("/v2/prices-history?token_id={t}", "exactly one"),
        ("/v2/prices-history?token_id={t}&interval=1d&start=1", "exactly one"),
        ("/v2/prices-history?token_id={t}&interval=1w&bucket_seconds=60", "between 300"),
        ("/v2/prices-history?token_id={t}&start=1&end=9999999", "15 days"),
        ("/v2/builders/volume?limit=91", "between 1 and 90"),
        ("/value", "required query param 'user'"),
        ("/live-volume", "required query param 'id'"),
    ],
)  # fmt: skip
def test_what_cannot_be_used_is_named(data: Data, target: str, text: str) -> None:
    said = target.format(u=data.busy, t=next(iter(data.venue.tokens)))
    assert text in data.refused(said)


def test_wallets_and_markets_that_nobody_knows_have_nothing(data: Data) -> None:
    nobody = "0x" + "9" * 40
    for path in ("trades", "activity", "positions", "positions/combos", "activity/combos"):
        assert data.data(f"/v2/{path}?user={nobody}") == []
    assert data.data(f"/v2/value?user={nobody}") == {"proxy_wallet": nobody, "value": 0.0}
    assert data.data(f"/v2/user-stats?user={nobody}") is None
    assert data.data(f"/v2/user-pnl?user={nobody}")["points"] == []
    assert data.data(f"/v2/holders?condition_id={C}") == []
    assert data.data("/v2/trades?event_id=1") == []
    assert data.refused("/v2/prices-history?token_id=12&interval=1d", 404) == "token not found"
    assert data.data("/v2/builders/leaderboard") == []


def test_approvals_tell_what_may_be_moved_of_a_wallet(data: Data) -> None:
    wallet = "0x" + "Aa" * 20

    def told() -> tuple[set[str], set[bool], set[bool]]:
        answer = data.data(f"/v2/approvals?user={wallet}")
        assert (answer["address"], answer["chain_id"]) == (wallet.lower(), 80_002)
        assert answer["checked_at"] == "2026-11-21T20:00:00Z"
        rows = answer["contracts"]
        assert len({(row["token"], row["spender"]) for row in rows}) == len(rows) == 20
        money = [row for row in rows if row["standard"] == "ERC20"]
        shares = [row for row in rows if row["standard"] == "ERC1155"]
        assert all("amount" not in row for row in shares)
        return (
            {row["amount"] for row in money},
            {row["approved"] for row in money},
            {row["approved"] for row in shares},
        )

    assert told() == ({"0"}, {False}, {False})
    for money, shares, amount in ((MOST, True, "max"), (2_500_000, False, "2500000")):
        data.venue.approve(wallet, money=money, shares=shares)
        assert told() == ({amount}, {True}, {shares})


def test_prices_of_what_was_bought_are_those_paid(data: Data) -> None:
    row = next(r for r in data.data("/v2/trades?limit=500") if r["side"] == BUY)
    deal = next(
        d for d in data.venue.history.newest() if d.transaction_hash == row["transaction_hash"]
    )
    assert row["timestamp"] == deal.at // SECOND
    assert deal.at < NOW + HOUR


NAMES = (
    "user", "limit", "offset", "cursor", "condition_id", "event_id", "side", "taker_only", "start",
    "end", "filter_type", "filter_amount", "type", "sort_by", "sort_direction", "status", "title",
    "token_id", "interval", "bucket_seconds", "as_of", "time_period", "category", "question_id",
    "include_pnl", "min_balance", "fidelity", "sizeThreshold", "redeemable", "id", "market",
)  # fmt: skip
VALUES = (
    "", "0", "1", "-1", "true", "x", "%00", "1e999", "nan", "BUY", "CASH", "all", "1d", C,
    "0x" + "1" * 40, "99999999999999999999", "253402300799", "OPEN", "WyJhIiwxLDFd", "20001",
)  # fmt: skip


@given(
    which=st.integers(0, 10_000),
    query=st.lists(st.tuples(st.sampled_from(NAMES), st.sampled_from(VALUES)), max_size=6),
)
def test_every_route_takes_anything(data: Data, which: int, query: list[tuple[str, str]]) -> None:
    _, route = data.room.routes[which % len(data.room.routes)]
    reply = data.reply(route + "?" + "&".join(f"{name}={value}" for name, value in query))
    assert reply.status in {200, 400, 404}
    assert reply.media == b"application/zip" or json.loads(reply.body) is not Ellipsis
