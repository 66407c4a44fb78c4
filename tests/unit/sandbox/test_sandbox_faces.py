"""Books as clients see them agree with the venue's and hash as recorded ones do."""

from __future__ import annotations

import hashlib
import json
from decimal import Decimal
from types import SimpleNamespace
from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st
from sandbox_stall import stall, wallets

from polyframe.sandbox.desk import Desk
from polyframe.sandbox.faces import Face
from polyframe.sandbox.sockets.market import price_change
from polyframe.sandbox.venue.records import BookMoved, Levels, Listing
from polyframe.sandbox.wire import half_text, iso, price_text, size_text


def levels(rows: list[dict[str, str]]) -> tuple[tuple[int, int], ...]:
    """Recorded levels, best first, in the venue's numbers."""
    found = ((Decimal(row["price"]), Decimal(row["size"])) for row in reversed(rows))
    return tuple((int(price * 10_000), int(size * 10**6)) for price, size in found)


def test_a_recorded_book_is_written_and_hashed_as_it_was(shared) -> None:
    path = shared / "payloads" / "hugompt" / "clob_book.json"
    if not path.is_file():
        pytest.skip("../shared/payloads/hugompt/clob_book.json is absent")
    recorded = json.loads(path.read_text())
    listing = Listing(
        condition_id=recorded["market"],
        tokens=(recorded["asset_id"], "1"),
        min_size=int(Decimal(recorded["min_order_size"]) * 10**6),
        neg_risk=recorded["neg_risk"],
    )
    market: Any = SimpleNamespace(
        listing=listing,
        condition_id=recorded["market"],
        tick=int(Decimal(recorded["tick_size"]) * 10_000),
        last_price=int(Decimal(recorded["last_trade_price"] or 0) * 10_000),
    )
    shown = Levels(levels(recorded["bids"]), levels(recorded["asks"]))
    face = Face(market, shown, int(recorded["timestamp"]) * 10**6)
    assert face.hash(0) == recorded["hash"]
    assert json.loads(face.json(0)) == recorded
    assert list(json.loads(face.json(0))) == list(recorded)


def plain_hash(book: dict[str, Any]) -> str:
    """The hash as it is described: SHA-1 of the compact JSON with an empty hash."""
    text = json.dumps({**book, "hash": ""}, separators=(",", ":"))
    return hashlib.sha1(text.encode()).hexdigest()


STEPS = st.lists(
    st.tuples(
        st.integers(0, 1),
        st.sampled_from(["BUY", "SELL"]),
        st.integers(1, 99),
        st.integers(5, 60),
        st.booleans(),
    ),
    max_size=40,
)


@given(STEPS)
def test_books_kept_by_their_changes_are_the_venues_books(steps) -> None:
    """Told change by change, both are what the venue says, with the right hash."""
    venue, markets = stall()
    market = markets[0]
    desk = Desk(venue)
    wallet = wallets(0).owner
    venue.fund(wallet, 10**12)
    venue.split(wallet, market.condition_id, 10**9)
    desk.faces.of(market)
    for outcome, side, cents, shares, cancel in steps:
        token = market.listing.tokens[outcome]
        venue.submit(wallet, token, side, cents * 100, shares * 10**6)
        if cancel:
            venue.cancel_all(venue.wallet(wallet).owner)
        venue.advance(venue.now + 10**6)
        desk.hear()
    for outcome, token in enumerate(market.listing.tokens):
        book = json.loads(desk.faces.of(market).json(outcome))
        shown = venue.book(token)
        assert levels(book["bids"]) == shown.bids
        assert levels(book["asks"]) == shown.asks
        assert book["hash"] == plain_hash(book)
        best = desk.faces.of(market).best(outcome)
        assert best == (
            shown.bids[0][0] if shown.bids else 0,
            shown.asks[0][0] if shown.asks else 10_000,
        )
        event = json.loads(desk.faces.of(market).event(outcome, first=True))
        assert (event["hash"], event["bids"]) == (book["hash"], book["bids"])


def test_a_change_names_both_tokens_and_the_book_after_it() -> None:
    venue, markets = stall()
    market, desk = markets[0], Desk(venue)
    venue.fund(wallets(0).owner, 10**12)
    face = desk.faces.of(market)
    told: list[BookMoved] = []
    desk.listeners.append(lambda one: told.append(one) if isinstance(one, BookMoved) else None)
    venue.submit(wallets(0).owner, market.listing.tokens[1], "BUY", 3_100, 12_500_000)
    desk.hear()
    event = json.loads(price_change(face, told[-1]))
    yes, no = market.listing.tokens
    assert event == {
        "market": market.condition_id,
        "price_changes": [
            {
                "asset_id": yes,
                "price": "0.69",
                "size": "12.5",
                "side": "SELL",
                "hash": face.hash(0),
                "best_bid": "0",
                "best_ask": "0.69",
            },
            {
                "asset_id": no,
                "price": "0.31",
                "size": "12.5",
                "side": "BUY",
                "hash": face.hash(1),
                "best_bid": "0.31",
                "best_ask": "1",
            },
        ],
        "timestamp": str(venue.now // 10**6),
        "event_type": "price_change",
    }


def test_a_new_tick_and_a_new_last_price_change_the_hash() -> None:
    venue, markets = stall()
    market, desk = markets[0], Desk(venue)
    face = desk.faces.of(market)
    seen = {face.hash(0)}
    venue.set_tick(market.condition_id, 10)
    desk.hear()
    seen.add(face.hash(0))
    for number, (side, outcome) in enumerate((("BUY", 0), ("BUY", 1))):
        venue.fund(wallets(number).owner, 10**9)
        token = market.listing.tokens[outcome]
        venue.submit(wallets(number).owner, token, side, 5_000, 10 * 10**6)
    desk.hear()
    seen.add(face.hash(0))
    assert len(seen) == 3
    book = json.loads(face.json(0))
    assert (book["tick_size"], book["last_trade_price"]) == ("0.001", "0.5")


@pytest.mark.parametrize(
    ("written", "wanted"),
    [
        (price_text(5_200), "0.52"),
        (price_text(10_000), "1"),
        (price_text(0), "0"),
        (price_text(1), "0.0001"),
        (size_text(16_069_385_260_000), "16069385.26"),
        (size_text(5_000_000), "5"),
        (size_text(-1_500_000), "-1.5"),
        (size_text(1), "0.000001"),
        (half_text(8_801), "0.44005"),
        (half_text(10_000), "0.5"),
        (iso(1_790_000_000 * 10**9), "2026-09-21T14:13:20Z"),
    ],
)
def test_numbers_have_no_trailing_zeros(written: str, wanted: str) -> None:
    assert written == wanted
