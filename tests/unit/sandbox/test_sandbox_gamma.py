"""Gamma's rooms: rows beside recorded ones, pages by cursor, filters, and what it refuses."""

from __future__ import annotations

import gzip
import json
from pathlib import Path
from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st
from sandbox_rooms import Visitor
from shapes import Kinds, always, kinds, merged, rows_of, shape_of, strangers

from polyframe.domain.units import SECOND
from polyframe.sandbox.gamma.room import gamma_room
from polyframe.sandbox.opening import Town, town
from polyframe.sandbox.venue.records import State

NOW = 1_795_291_200 * SECOND


class Gamma(Visitor):
    """Somebody in Gamma's room."""

    def __init__(self, made: Town) -> None:
        self.town = made
        super().__init__(gamma_room(made.world, made.people))

    def refused(self, target: str, status: int = 422) -> str:
        body = self.turned(target, status)
        kind = "validation error" if status == 422 else "not found error"
        assert body["type"] == kind
        return str(body["error"])

    def all(self, target: str, name: str) -> list[dict[str, Any]]:
        found, cursor = [], ""
        while True:
            page = self.get(target + (f"&after_cursor={cursor}" if cursor else ""))
            found += page[name]
            cursor = page.get("next_cursor")
            if cursor is None:
                assert "next_cursor" not in page
                return found
            assert cursor


@pytest.fixture(scope="module")
def gamma() -> Gamma:
    return Gamma(town(1, now=NOW, markets=50))


# ---- rows beside recorded ones -----------------------------------------------------------------


def recorded_markets(payloads: Path) -> tuple[list[dict[str, Any]], list[dict[str, Any]]]:
    """Recorded rows of open and of closed markets."""
    open = rows_of(payloads / "guzus/polymarket_markets.json")
    open += rows_of(payloads / "hugompt/gamma_markets.json")
    open += rows_of(payloads / "hugompt/gamma_market_updown.json")
    rust = payloads / "nautilus_rust"
    open += rows_of(rust / "gamma_market.json")
    open += rows_of(rust / "gamma_market_sports_market_money_line.json")
    closed = rows_of(rust / "gamma_market_closed_binary_accepting_true.json")
    closed += rows_of(rust / "gamma_market_closed_binary_accepting_false.json")
    with gzip.open(payloads / "ligengxin/BTC-5m-markets-2026-07-24.jsonl.gz", "rt") as lines:
        closed += [json.loads(line)["raw"] for line in lines]
    return open, closed


# From the notes of what clients read: newer than any recording of a whole row.
NEWER: Kinds = {"version": {"str"}, "tags": {"array"}, "negRiskMarketID": {"str"}}


def test_markets_have_the_keys_and_kinds_of_recorded_ones(gamma: Gamma, payloads: Path) -> None:
    open, closed = recorded_markets(payloads)
    shapes = shape_of(payloads / "shapes_qualiaenjoyer/gamma__markets.json", "$[]")
    known = merged(kinds(open), kinds(closed), shapes, NEWER)
    for state, recorded in (("false", open), ("true", closed)):
        own = gamma.all(f"/markets/keyset?closed={state}&limit=100", "markets")
        assert len(own) > 5
        assert not list(strangers(kinds(own), known))
        wanted = always(recorded)
        # A market that nobody quotes has no best bid.
        quoted = [row for row in own if state == "true" or "bestBid" in row]
        assert wanted - always(quoted) == set()


def test_events_have_the_keys_and_kinds_of_recorded_ones(gamma: Gamma, payloads: Path) -> None:
    open, _ = recorded_markets(payloads)
    shallow = [event for row in open for event in row.get("events", [])]
    whole = rows_of(payloads / "nautilus_rust/gamma_event.json")
    shapes = shape_of(payloads / "shapes_qualiaenjoyer/gamma__markets.json", "$[].events[]")
    series = shape_of(payloads / "shapes_qualiaenjoyer/gamma__series.json", "$[].events[]")
    known = merged(kinds(shallow), kinds(whole), shapes, series, NEWER)
    own = gamma.all("/events/keyset?limit=50", "events")
    own += gamma.all("/events/keyset?limit=50&closed=true", "events")
    assert not list(strangers(kinds(own), known))
    assert always(shallow) - always(own) == set()
    assert always(whole) - {"tags", "markets"} - always(own) <= {
        "countryName", "electionType", "startTime", "negRiskMarketID",
    }  # fmt: skip
    inner = [
        event
        for row in gamma.get("/markets/keyset?limit=100")["markets"]
        for event in row["events"]
    ]
    assert not list(strangers(kinds(inner), known))
    assert all("markets" not in event for event in inner)


@pytest.mark.parametrize(
    ("target", "file", "prefix"),
    [
        ("/tags", "gamma__tags", "$[]"),
        ("/tags/2", "gamma__tags_id", "$"),
        ("/tags/2/related-tags", "gamma__tags_id_related-tags", "$[]"),
        ("/sports", "gamma__sports", "$[]"),
        ("/teams", "gamma__teams", "$[]"),
        ("/series", "gamma__series", "$[]"),
        ("/series/10100", "gamma__series_id", "$"),
    ],
)
def test_labels_have_the_keys_and_kinds_of_recorded_ones(
    gamma: Gamma, payloads: Path, target: str, file: str, prefix: str
) -> None:
    answer = gamma.get(target)
    own = answer if isinstance(answer, list) else [answer]
    known = shape_of(payloads / f"shapes_qualiaenjoyer/{file}.json", prefix)
    if prefix == "$":
        known = merged(known, shape_of(payloads / "shapes_qualiaenjoyer/gamma__series.json", "$[]"))
    assert own
    assert not list(strangers(kinds(own), known))


def test_lists_inside_of_rows_are_text_as_gamma_writes_it(gamma: Gamma) -> None:
    row = gamma.get("/markets/keyset?limit=1")["markets"][0]
    for name in ("outcomes", "outcomePrices", "clobTokenIds"):
        assert isinstance(json.loads(row[name]), list)
        assert row[name].count('", "') == 1
    assert all(isinstance(price, str) for price in json.loads(row["outcomePrices"]))
    token = json.loads(row["clobTokenIds"])[0]
    assert gamma.town.venue.tokens[token][0].condition_id == row["conditionId"]
    assert row["volume"] == f"{row['volumeNum']:.6f}".rstrip("0").rstrip(".")


def test_times_are_written_in_both_of_gammas_forms(gamma: Gamma) -> None:
    closed = gamma.get("/markets/keyset?closed=true&limit=1")["markets"][0]
    assert closed["closedTime"].endswith("+00")
    assert closed["closedTime"][10] == " "
    assert closed["endDate"].endswith("Z")
    assert closed["endDateIso"] == closed["endDate"][:10]
    games = [m for m in gamma.all("/markets/keyset?limit=100", "markets") if "gameStartTime" in m]
    assert games
    assert games[0]["gameStartTime"][10] == " "
    assert games[0]["sportsMarketType"] == "moneyline"
    assert games[0]["secondsDelay"] == 3


def test_rows_say_what_the_venue_does(gamma: Gamma) -> None:
    venue = gamma.town.venue
    for row in gamma.all("/markets/keyset?limit=100", "markets"):
        market = venue.markets[row["conditionId"]]
        assert row["acceptingOrders"] == market.accepting
        assert row["closed"] is False
        assert row["orderPriceMinTickSize"] == market.tick / 10_000
        assert row.get("bestBid", 0) == market.bid / 10_000
        if market.listing.fees.rate:
            assert row["feeSchedule"]["rate"] == market.listing.fees.rate / 10**6
            assert row["feesEnabled"] is True
        else:
            assert row["feeType"] is None
        assert row["negRisk"] == market.listing.neg_risk
        assert ("clobRewards" in row) == bool(market.listing.rewards.daily)
        state = {State.PROPOSED: "proposed", State.DISPUTED: "disputed"}.get(market.state)
        assert row.get("umaResolutionStatus") == state
    for row in gamma.all("/markets/keyset?closed=true&limit=100", "markets"):
        market = venue.markets[row["conditionId"]]
        wanted = {0: ["1", "0"], 1: ["0", "1"], -1: ["0.5", "0.5"]}[market.winner]
        assert json.loads(row["outcomePrices"]) == wanted
        assert row["umaResolutionStatus"] == "resolved"


# ---- pages -------------------------------------------------------------------------------------


def test_a_list_is_read_whole_by_its_cursors(gamma: Gamma) -> None:
    whole = [row["id"] for row in gamma.all("/markets/keyset?limit=100", "markets")]
    for limit in (1, 7, 20):
        assert [r["id"] for r in gamma.all(f"/markets/keyset?limit={limit}", "markets")] == whole
    assert whole == sorted(whole, key=int)
    assert len(gamma.get("/markets/keyset")["markets"]) == 20


@pytest.mark.parametrize("order", ["volume24hr", "endDate", "liquidityNum", "competitive,id"])
@pytest.mark.parametrize("up", ["true", "false"])
def test_pages_keep_the_order_asked_for(gamma: Gamma, order: str, up: str) -> None:
    target = f"/markets/keyset?limit=9&order={order}&ascending={up}"
    rows = gamma.all(target, "markets")
    field = order.partition(",")[0]
    values = [row.get(field, 0) for row in rows]
    assert values == sorted(values, reverse=up == "false")
    assert len({row["id"] for row in rows}) == len(rows) > 30


def test_a_volume_that_is_text_is_ordered_as_text(gamma: Gamma) -> None:
    rows = gamma.all("/markets/keyset?limit=100&order=volume", "markets")
    texts = [f"{row['volumeNum']:.6f}" for row in rows]
    assert texts == sorted(texts)
    assert [row["volumeNum"] for row in rows] != sorted(row["volumeNum"] for row in rows)


def test_a_cursor_belongs_to_its_query(gamma: Gamma) -> None:
    cursor = gamma.get("/markets/keyset?limit=2")["next_cursor"]
    assert gamma.get(f"/markets/keyset?limit=50&after_cursor={cursor}")["markets"]
    assert (
        gamma.refused(f"/markets/keyset?order=id&after_cursor={cursor}")
        == "after_cursor is invalid"
    )
    for wrong in ("x", "%FF", "WzFd", "W10=", "e30="):
        assert gamma.refused(f"/markets/keyset?after_cursor={wrong}") == "after_cursor is invalid"


def test_other_names_of_a_cursor_are_not_read(gamma: Gamma) -> None:
    page = gamma.get("/markets/keyset?limit=2")
    again = gamma.get(f"/markets/keyset?limit=2&cursor={page['next_cursor']}&next_cursor=x")
    assert again["markets"] == page["markets"]


@pytest.mark.parametrize(
    ("query", "text"),
    [
        ("limit=101", "limit is invalid"),
        ("limit=0", "limit is invalid"),
        ("limit=x", "limit is invalid"),
        ("offset=0", "offset is not supported, use after_cursor"),
        ("order=volume_num", "order fields are not valid"),
        ("order=id,nothing", "order fields are not valid"),
        ("ascending=maybe", "ascending is invalid"),
        ("closed=2", "closed is invalid"),
        ("id=abc", "id is invalid"),
        ("tag_id=politics", "tag_id is invalid"),
        ("tag_match=some", "tag_match must be one of: any, all"),
        ("volume_num_min=much", "volume_num_min is invalid"),
        ("volume_num_min=nan", "volume_num_min is invalid"),
        ("end_date_min=tomorrow", "end_date_min is invalid"),
        ("version=v3", "version is invalid"),
        ("resolution_status=done", "resolution_status must be one of: inactive, active, resolved"),
        ("&".join(f"condition_ids=0x{n:064x}" for n in range(101)),
         "condition_ids accepts at most 100 values"),
    ],
)  # fmt: skip
def test_what_cannot_be_meant_is_refused_as_gamma_does(gamma: Gamma, query: str, text: str) -> None:
    assert gamma.refused(f"/markets/keyset?{query}") == text


def test_what_nobody_knows_is_not_read(gamma: Gamma) -> None:
    plain = gamma.get("/markets/keyset?limit=3")
    assert (
        gamma.get("/markets/keyset?limit=3&colour=red&active=false")["markets"] == plain["markets"]
    )


def test_the_old_lists_still_answer_and_say_that_they_are_old(gamma: Gamma) -> None:
    reply = gamma.reply("/markets?limit=3&offset=2")
    assert (b"deprecation", b"true") in reply.headers
    rows = json.loads(reply.body)
    assert [row["id"] for row in rows] == [
        row["id"] for row in gamma.get("/markets/keyset?limit=5")["markets"][2:]
    ]
    assert gamma.refused("/markets?offset=2001") == (
        "offset too large, use /markets/keyset for deeper pagination"
    )
    assert "keyset" in gamma.refused("/events?offset=2001")
    assert gamma.get("/markets?archived=true") == []
    assert len(json.loads(gamma.reply("/events?limit=2").body)) == 2


# ---- filters -----------------------------------------------------------------------------------


def test_markets_are_found_by_every_name_they_have(gamma: Gamma) -> None:
    row = gamma.get("/markets/keyset?limit=8")["markets"][7]
    token = json.loads(row["clobTokenIds"])[1]
    for query in (
        f"id={row['id']}",
        f"slug={row['slug']}",
        f"condition_ids={row['conditionId'].upper().replace('0X', '0x')}",
        f"clob_token_ids={token}",
        f"question_ids={row['questionID']}",
    ):
        assert [r["id"] for r in gamma.get(f"/markets/keyset?{query}")["markets"]] == [row["id"]]
    assert gamma.get(f"/markets/{row['id']}")["conditionId"] == row["conditionId"]
    assert gamma.get(f"/markets/slug/{row['slug']}")["id"] == row["id"]
    both = gamma.get(f"/markets/keyset?id={row['id']}&id=500000")["markets"]
    assert len(both) == 2


@pytest.mark.parametrize(
    ("target", "status", "text"),
    [
        ("/markets/abc", 422, "id is invalid"),
        ("/markets/99999999999999999999", 422, "id is invalid"),
        ("/markets/1", 404, "id not found"),
        ("/markets/slug/nothing-like-it", 404, "slug not found"),
        ("/markets/slug/middle%20east", 422, "slug is invalid"),
        ("/events/1", 404, "id not found"),
        ("/events/slug/nothing-like-it", 404, "slug not found"),
        ("/tags/1000000", 404, "id not found"),
        ("/tags/slug/nothing", 404, "slug not found"),
        ("/series/1", 404, "id not found"),
        ("/comments/12", 404, "id not found"),
        ("/public-profile?address=0x12", 422, "invalid address"),
        (f"/public-profile?address=0x{'0' * 40}", 404, "profile not found"),
        ("/public-search?q=", 422, "q is required"),
        ("/comments", 422, "parent_entity_type and parent_entity_id are required"),
    ],
)
def test_what_is_not_there_is_answered_as_gamma_does(
    gamma: Gamma, target: str, status: int, text: str
) -> None:
    assert gamma.refused(target, status) == text


def test_amounts_and_times_bound_a_list(gamma: Gamma) -> None:
    rows = gamma.all("/markets/keyset?limit=100", "markets")
    middle = sorted(row["volumeNum"] for row in rows)[len(rows) // 2]
    more = gamma.all(f"/markets/keyset?limit=100&volume_num_min={middle}", "markets")
    assert {row["id"] for row in more} == {r["id"] for r in rows if r["volumeNum"] >= middle}
    late = sorted(row["endDate"] for row in rows)[len(rows) // 2]
    ending = gamma.all(f"/markets/keyset?limit=100&end_date_max={late}", "markets")
    assert {row["id"] for row in ending} == {r["id"] for r in rows if r["endDate"] <= late}
    assert gamma.all(f"/markets/keyset?limit=100&end_date_max={late[:10]}", "markets") is not None


def test_tags_choose_events_and_markets(gamma: Gamma) -> None:
    crypto = gamma.all("/markets/keyset?tag_id=21&limit=100&include_tag=true", "markets")
    assert crypto
    assert all("Crypto" in {tag["label"] for tag in row["tags"]} for row in crypto)
    both = gamma.all("/markets/keyset?tag_id=21&tag_id=2&limit=100&tag_match=all", "markets")
    assert both == []
    slug = gamma.all("/events/keyset?tag_slug=crypto", "events")
    without = gamma.all("/events/keyset?exclude_tag_id=21", "events")
    assert {row["id"] for row in slug} & {row["id"] for row in without} == set()
    assert gamma.get("/events/keyset?title_search=COIN")["events"]


def test_events_hold_their_markets_and_series_their_events(gamma: Gamma) -> None:
    events = gamma.all("/events/keyset?limit=50", "events")
    negative = [event for event in events if event["negRisk"]]
    assert negative
    for event in negative:
        assert {row["negRiskMarketID"] for row in event["markets"]} == {event["negRiskMarketID"]}
        assert [row["groupItemThreshold"] for row in event["markets"]] == [
            str(n) for n in range(len(event["markets"]))
        ]
        assert event["volume"] == pytest.approx(sum(r["volumeNum"] for r in event["markets"]))
    series = gamma.get("/series?limit=50")
    assert {row["slug"] for row in series} == {"coin-a-updown-15m", "coin-b-updown-1h"}
    chained = gamma.all(f"/events/keyset?series_id={series[0]['id']}", "events")
    assert {event["series"][0]["id"] for event in chained} == {series[0]["id"]}
    assert "events" not in gamma.get("/series?exclude_events=true")[0]
    pages = gamma.get("/events/pagination?limit=5&offset=5")
    assert [row["id"] for row in pages["data"]] == [row["id"] for row in events[5:10]]
    assert pages["pagination"] == {"hasMore": True, "totalResults": len(events)}


def test_search_finds_events_tags_and_people(gamma: Gamma) -> None:
    found = gamma.get("/public-search?q=coin%20up&search_tags=true&search_profiles=true")
    assert found["events"]
    assert all("Coin" in event["title"] for event in found["events"])
    assert set(found["pagination"]) == {"hasMore", "totalResults"}
    person = next(p for p in gamma.town.people.everybody if p.name)
    found = gamma.get(f"/public-search?q={person.name}&search_profiles=true")
    assert person.address in {row["proxyWallet"] for row in found["profiles"]}
    assert gamma.get(f"/public-profile?address={person.address}")["name"] == person.name
    one = gamma.get(
        "/public-search?q=synthetic&limit_per_type=2&page=2&sort=end_date&ascending=true"
    )
    both = gamma.get("/public-search?q=synthetic&limit_per_type=4&sort=end_date&ascending=true")
    assert [e["id"] for e in one["events"]] == [e["id"] for e in both["events"][2:]]


def test_comments_are_by_people_who_hold_something(gamma: Gamma) -> None:
    spoken = 0
    for event in gamma.all("/events/keyset?limit=50", "events"):
        rows = gamma.get(f"/comments?parent_entity_type=Event&parent_entity_id={event['id']}")
        page = gamma.get(
            f"/comments/keyset?parent_entity_type=Event&parent_entity_id={event['id']}"
            "&order=createdAt&ascending=false"
        )
        assert [row["id"] for row in page["comments"]] == [row["id"] for row in rows]
        assert len(rows) == event["commentCount"]
        for row in rows:
            spoken += 1
            held = gamma.town.venue.history.positions(wallet=row["userAddress"])
            ids = {subject["conditionId"] for subject in event["markets"]}
            assert any(p.size and p.condition_id in ids for p in held)
            assert gamma.get(f"/comments/{row['id']}")[0]["body"] == row["body"]
    assert spoken > 5
    mine = gamma.get(f"/comments/user_address/{row['userAddress']}") if rows else []
    assert all(each["userAddress"] == row["userAddress"] for each in mine)


def test_a_caller_that_does_not_say_what_it_is_is_turned_away(gamma: Gamma) -> None:
    assert gamma.reply("/tags", user_agent="Python-urllib/3.11").status == 403
    assert gamma.reply("/tags", user_agent="curl/8").status == 200


# ---- anything ----------------------------------------------------------------------------------

NAMES = (
    "limit", "offset", "after_cursor", "order", "ascending", "closed", "id", "slug", "tag_id",
    "tag_match", "include_tag", "start_date_min", "end_date_max", "clob_token_ids", "version",
    "condition_ids", "volume_num_min", "liquidity_max", "q", "sort", "page", "recurrence",
    "parent_entity_id", "parent_entity_type", "series_id", "live", "ended", "event_date",
    "address", "events_status", "keep_closed_markets", "limit_per_type", "game_id",
)  # fmt: skip
VALUES = ("", "0", "1", "-1", "true", "x", "%00", "1e999", "nan", "2026-01-01", "Event", "%F0%9F",
          "99999999999999999999", "id", "volume,id", "all", "W1siYSJdXQ==")  # fmt: skip


@given(
    path=st.integers(0, 10_000),
    query=st.lists(st.tuples(st.sampled_from(NAMES), st.sampled_from(VALUES)), max_size=5),
    part=st.text("abc019-_%/", max_size=12),
)
def test_every_route_takes_anything(
    gamma: Gamma, path: int, query: list[tuple[str, str]], part: str
) -> None:
    _, route = gamma.room.routes[path % len(gamma.room.routes)]
    for name in ("{id}", "{slug}", "{address}"):
        route = route.replace(name, part or "1")
    reply = gamma.reply(route + "?" + "&".join(f"{name}={value}" for name, value in query))
    assert reply.status in {200, 400, 404, 422}
    json.loads(reply.body)
