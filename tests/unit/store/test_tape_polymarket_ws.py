"""Messages of the market channel as rows of a tape."""

from __future__ import annotations

import gzip
import json
from pathlib import Path
from typing import Any

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from recording_cases import ERA, NO, SECOND, YES, aside, converted, market, rebuilt, told

from polyframe.errors import DataError
from polyframe.store import tape_polymarket_ws as ws
from polyframe.store.tape_ws_messages import HashForm, Level

MS = 1_000_000


def book(
    ts: int, bids: dict[str, str], asks: dict[str, str], token: str = YES, **more: Any
) -> dict:
    levels = [[{"price": p, "size": s} for p, s in side.items()] for side in (bids, asks)]
    return {
        "event_type": "book",
        "market": "0xc",
        "asset_id": token,
        "timestamp": str(ERA + ts),
        "bids": levels[0],
        "asks": levels[1],
        **more,
    }


def change(ts: int, *changes: tuple[Any, ...]) -> dict:
    """The new form; a change is (token, side, price, size) and, if given, the best bid and ask."""
    names = ("asset_id", "side", "price", "size", "best_bid", "best_ask")
    made = [dict(zip(names, c, strict=False)) for c in changes]
    return {
        "event_type": "price_change",
        "market": "0xc",
        "timestamp": str(ERA + ts),
        "price_changes": made,
    }


def trade(ts: int, token: str, side: str, price: str, size: str, tx: str = "") -> dict:
    return {
        "event_type": "last_trade_price",
        "market": "0xc",
        "asset_id": token,
        "timestamp": str(ERA + ts),
        "side": side,
        "price": price,
        "size": size,
        "transaction_hash": tx,
        "fee_rate_bps": "0",
    }


def lines(tmp_path: Path, *values: Any, name: str = "r.jsonl") -> list[Path]:
    path = tmp_path / name
    text = "".join((v if isinstance(v, str) else json.dumps(v)) + "\n" for v in values)
    path.write_bytes(gzip.compress(text.encode()) if name.endswith(".gz") else text.encode())
    return [path]


def read(tmp_path: Path, *values: Any, **kw: Any):
    return converted(ws, lines(tmp_path, *values), [market()], **kw)


START = book(1_000, {"0.4": "10", "0.41": "5"}, {"0.5": "7", "0.49": "3.5"})
OPENED = [
    "SNAPSHOT_BEGIN 4+",
    "LEVEL bid 4000 10+",
    "LEVEL bid 4100 5+",
    "LEVEL ask 4900 3.5+",
    "LEVEL ask 5000 7+",
    "SNAPSHOT_END 4",
]


def test_a_book_and_its_changes(tmp_path: Path) -> None:
    columns, recording = read(
        tmp_path,
        START,
        change(
            1_010,
            (YES, "BUY", "0.42", "8", "0.42", "0.49"),
            (NO, "SELL", "0.58", "8", "0.51", "0.58"),
        ),
        change(
            1_020,
            (YES, "SELL", "0.49", "0", "0.42", "0.5"),
            (YES, "SELL", "0.48", "1", "0.42", "0.48"),
        ),
        trade(1_030, YES, "SELL", "0.42", "2"),
    )
    assert told(columns, recording) == [
        *OPENED,
        "LEVEL bid 4200 8",
        "LEVEL ask 4900 0+",
        "LEVEL ask 4800 1",
        "TRADE sell 4200 2",
    ]
    assert columns["ts_venue"].tolist()[-1] == columns["ts"].tolist()[-1] == (ERA + 1_030) * MS
    assert not recording.clears
    assert not recording.aside


def test_no_is_seen_from_yes(tmp_path: Path) -> None:
    mirrored = book(1_000, {"0.5": "7", "0.51": "3.5"}, {"0.6": "10", "0.59": "5"}, NO)
    columns, recording = read(
        tmp_path,
        mirrored,
        change(1_010, (NO, "SELL", "0.58", "8", "0.51", "0.58")),
        trade(1_020, NO, "BUY", "0.58", "3"),
    )
    assert told(columns, recording) == [*OPENED, "LEVEL bid 4200 8", "TRADE sell 4200 3"]
    assert recording.markets[0].yes.id == YES


def test_the_mirror_is_proved_where_both_tokens_are_recorded(tmp_path: Path) -> None:
    mirrored = book(1_000, {"0.5": "7", "0.51": "3.5"}, {"0.6": "10", "0.59": "5"}, NO)
    other = book(1_000, {"0.5": "7", "0.51": "3.5"}, {"0.6": "10", "0.59": "6"}, NO)
    columns, recording = read(tmp_path, START, mirrored)
    assert told(columns, recording) == OPENED
    assert not any("mirror" in note for note in recording.notes)
    columns, recording = read(tmp_path, START, other)
    assert told(columns, recording) == OPENED
    assert any("mirror" in note for note in recording.notes)
    columns, recording = read(
        tmp_path, START, change(1_010, (YES, "BUY", "0.42", "8"), (NO, "SELL", "0.58", "9"))
    )
    assert told(columns, recording)[-1] == "LEVEL bid 4200 8"
    assert any("mirror" in note for note in recording.notes)


def test_the_old_forms_of_a_change(tmp_path: Path) -> None:
    flat = {
        "event_type": "price_change",
        "asset_id": YES,
        "market": "0xc",
        "price": "0.42",
        "side": "BUY",
        "size": "8",
        "timestamp": str(ERA + 1_010),
        "hash": "x",
    }
    listed = {
        "event_type": "price_change",
        "asset_id": YES,
        "market": "0xc",
        "timestamp": str(ERA + 1_020),
        "changes": [
            {"price": "0.43", "side": "BUY", "size": "1"},
            {"price": "0.42", "side": "BUY", "size": "0"},
        ],
    }
    columns, recording = read(tmp_path, START, flat, listed)
    assert told(columns, recording)[6:] == [
        "LEVEL bid 4200 8",
        "LEVEL bid 4300 1+",
        "LEVEL bid 4200 0",
    ]


@pytest.mark.parametrize("name", ["recv_ns", "recv_ms", "recv"])
def test_a_wrapper_says_when_it_arrived(tmp_path: Path, name: str) -> None:
    at = {"recv_ns": 1_785_000_000_123_000_000, "recv_ms": 1_785_000_000_123, "recv": 1_785_000_000}
    wrapped = [
        {name: at[name], "msg": START},
        {name: at[name] + 1, "msg": [trade(1_005, YES, "BUY", "0.49", "1")]},
        {name: at[name] + 1, "msg": "PONG"},
        {name: at[name] + 2, "msg": json.dumps(trade(1_007, YES, "BUY", "0.49", "2"))},
    ]
    columns, recording = read(tmp_path, *wrapped)
    unit = {"recv_ns": 1, "recv_ms": MS, "recv": SECOND}[name]
    assert columns["ts"][-1] == (at[name] + 2) * unit
    assert columns["ts_venue"][-1] == (ERA + 1_007) * MS
    assert len(columns["ts"]) == 8
    assert ws.NO_RECV not in recording.notes


def test_a_float_of_a_clock_is_taken_to_its_last_digit(tmp_path: Path) -> None:
    for text, ns in (
        ("1785000000.123456789", 1_785_000_000_123_456_789),
        ("1785000000.1", 1_785_000_000_100_000_000),
        ("1.7850000005e9", 1_785_000_000_500_000_000),
        ('"1785000000.5"', 1_785_000_000_500_000_000),
        ("1785000000123.25", 1_785_000_000_123_250_000),
        ("1785000000123456.5", 1_785_000_000_123_456_500),
        ("1785000000123456789.9", 1_785_000_000_123_456_789),
    ):
        line = f'{{"recv": {text}, "msg": {json.dumps(START)}}}'
        columns, recording = read(tmp_path, line)
        assert set(columns["ts"].tolist()) == {ns}
        assert ws.NO_RECV not in recording.notes
    line = f'{{"recv_ms": 1785000000123.5, "msg": {json.dumps(START)}}}'
    assert read(tmp_path, line)[0]["ts"][0] == 1_785_000_000_123_500_000
    line = f'{{"recv": null, "msg": {json.dumps(START)}}}'
    assert read(tmp_path, line)[1].notes[ws.NO_RECV] == 1


@pytest.mark.parametrize(
    ("text", "said"),
    [
        ('{"recv_ms": 1785000000, "msg": %s}', "recv_ms is 1785000000: as milliseconds 1970-01-21"),
        ('{"recv_ns": 1785000000000, "msg": %s}', "recv_ns is 1785000000000: as nanoseconds 1970"),
        ('{"recv_ms": -5, "msg": %s}', "recv_ms is -5: as milliseconds 1969-12-31"),
        ('{"recv_ms": 1e30, "msg": %s}', "recv_ms is 1E+30: as milliseconds no date"),
        ('{"recv_ns": 9999999999999999999, "msg": %s}', "recv_ns is 9999999999999999999: as nano"),
        ('{"recv": 12345, "msg": %s}', "recv is 12345: as seconds 1970-01-01 03:25:45"),
        ('{"recv": "NaN", "msg": %s}', "recv is NaN: as seconds no date"),
        ('{"event_type": "book", "timestamp": 1785000000}', "timestamp is 1785000000: as milli"),
        ('{"event_type": "book", "timestamp": 1e300}', "timestamp is 1e+300: as milliseconds no"),
        ('{"event_type": "book", "timestamp": "-1"}', "timestamp is -1"),
        ('{"event_type": "book", "timestamp": "Infinity"}', "timestamp is Infinity"),
    ],
)
def test_times_of_other_decades_are_refused_with_their_unit(
    tmp_path: Path, text: str, said: str
) -> None:
    line = text.replace("%s", json.dumps(START))
    with pytest.raises(DataError) as refused:
        read(tmp_path, START, line)
    assert f"r.jsonl: line 2: {said[:9]}" in refused.value.message
    assert said.lower() in refused.value.message.lower()
    assert "from 2010 to 2100" in str(refused.value.expected)
    assert refused.value.hint


def test_the_clock_of_a_message_that_is_not_used_does_not_matter(tmp_path: Path) -> None:
    other = {"event_type": "new_market", "id": "5", "timestamp": "1785000000"}
    columns, recording = read(tmp_path, START, other)
    assert told(columns, recording) == OPENED
    assert recording.notes["messages of kind new_market, which are not used"] == 1


def test_a_message_whose_moment_nobody_tells(tmp_path: Path) -> None:
    bare = {k: v for k, v in START.items() if k != "timestamp"}
    columns, recording = read(tmp_path, bare, START)
    assert told(columns, recording) == OPENED
    assert aside(recording) == [("r.jsonl", 1, "no time")]
    # The venue need not tell it where the recorder does.
    at = {"recv_ms": ERA + 5_000}
    later = {k: v for k, v in change(0, (YES, "BUY", "0.42", "8")).items() if k != "timestamp"}
    columns, recording = read(tmp_path, START, at | {"msg": later})
    assert told(columns, recording) == [*OPENED, "LEVEL bid 4200 8"]
    assert columns["ts_venue"][-1] == 0
    assert not recording.aside


def test_each_change_is_set_aside_for_its_own_fault(tmp_path: Path) -> None:
    faults = ((YES, "BUY", "0.42", "-1"), (YES, "BUY", "0.425", "1"), (YES, "BY", "0.42", "1"))
    _, recording = read(tmp_path, START, change(1_010, *faults))
    assert [why for *_, why in aside(recording)] == [
        "change: impossible amount",
        "change: price off the tick",
        "change: unknown side",
    ]
    assert recording.clears == {"impossible amount": 1}


def test_a_quiet_market_on_a_connection_that_lives_is_no_gap(tmp_path: Path) -> None:
    def heard(ts: int, message: Any) -> dict[str, Any]:
        return {"recv_ms": ERA + ts, "msg": message}

    pongs = [heard(ts, "PONG") for ts in range(11_000, 60_000, 10_000)]
    late = heard(61_000, change(61_000, (YES, "BUY", "0.42", "8")))
    columns, recording = read(tmp_path, heard(1_000, START), *pongs, late)
    assert told(columns, recording) == [*OPENED, "LEVEL bid 4200 8"]
    assert not recording.clears
    # Other markets live on the same connection, wanted or not.
    others = [book(ts, {}, {}, token="stranger") for ts in range(11_000, 60_000, 10_000)]
    columns, recording = read(tmp_path, START, *others, change(61_000, (YES, "BUY", "0.42", "8")))
    assert not recording.clears
    columns, recording = read(tmp_path, heard(1_000, START), *pongs[:1], late)
    assert recording.clears == {"gap": 1}
    assert columns["ts"][6] == (ERA + 41_000) * MS


def test_silence_makes_books_untrusted_when_it_has_lasted_too_long(tmp_path: Path) -> None:
    columns, recording = read(
        tmp_path,
        START,
        change(61_000, (YES, "BUY", "0.42", "8")),
        START | {"timestamp": str(ERA + 62_000)},
    )
    assert told(columns, recording)[6:] == ["CLEAR gap", "LEVEL bid 4200 8", *OPENED]
    assert columns["ts"][6] == (ERA + 31_000) * MS
    assert recording.clears == {"gap": 1}
    columns, _ = read(tmp_path, START, change(61_000, (YES, "BUY", "0.42", "8")), silence=0)
    assert len(columns["ts"]) == 7


@pytest.mark.parametrize(
    ("message", "why", "reason"),
    [
        (
            change(1_010, (YES, "BUY", "0.425", "8")),
            "change: price off the tick",
            "price off the tick",
        ),
        (
            change(1_010, (YES, "BUY", "1.2", "8")),
            "change: price off the tick",
            "price off the tick",
        ),
        (
            change(1_010, (YES, "BUY", "0.42", "-8")),
            "change: impossible amount",
            "impossible amount",
        ),
        (change(1_010, (YES, "BUY", "NaN", "8")), "change: impossible amount", "impossible amount"),
        (
            change(1_010, (YES, "HOLD", "0.42", "8")),
            "change: unknown side",
            "unknown side",
        ),
        (
            change(1_010, (YES, "BUY", "0.42001", "8")),
            "change: too many decimals",
            "too many decimals",
        ),
        (
            book(1_010, {"0.4": "1.0000001"}, {}),
            "book: too many decimals",
            "too many decimals",
        ),
        (
            book(1_010, {"0.4": "1"}, {}, tick_size="0.3"),
            "book: impossible tick",
            "impossible tick",
        ),
        (change(0, (YES, "BUY", "0.42", "8")) | {"timestamp": ""}, "no time", "no time"),
        ('{"event_type": "price_change", "price_ch', "unreadable line", "unreadable line"),
        ('{"event_type": "book", "bids": [null]}', "unreadable line", "unreadable line"),
        (book(1_010, {"0.4": "-1"}, {}), "book: impossible amount", "impossible amount"),
        (book(1_010, {"0.5": "1"}, {"0.5": "1"}), "book: crossed book", "crossed book"),
        (
            book(1_010, {"0.405": "1"}, {"0.5": "1"}),
            "book: price off the tick",
            "price off the tick",
        ),
        (
            book(1_010, {"0.40": "1", "0.4": "2"}, {}),
            "book: a price twice in one book",
            "a price twice in one book",
        ),
    ],
)
def test_what_cannot_be_is_set_aside_and_ends_the_trust(tmp_path, message, why, reason) -> None:
    columns, recording = read(tmp_path, START, message, START | {"timestamp": str(ERA + 1_020)})
    assert told(columns, recording) == [*OPENED, f"CLEAR {reason}", *OPENED]
    assert aside(recording) == [("r.jsonl", 2, why)]
    assert [s.trusted for s in rebuilt(columns)] == [True, False, True]


@pytest.mark.parametrize(
    ("changes", "reason"),
    [
        ([(YES, "BUY", "0.49", "8")], "crossed book"),
        ([(YES, "BUY", "0.42", "8", "0.43", "0.49")], "best price disagrees"),
        ([(NO, "SELL", "0.58", "8", "0.51", "0.57")], "best price disagrees"),
        ([(YES, "SELL", "0.49", "0", "0.41", "1"), (YES, "SELL", "0.5", "0", "0.41", "1")], ""),
        ([(YES, "SELL", "0.49", "0", "0.41", "0"), (YES, "SELL", "0.5", "0", "0.41", "")], ""),
    ],
)
def test_a_change_that_contradicts_the_book(tmp_path: Path, changes, reason: str) -> None:
    columns, recording = read(tmp_path, START, change(1_010, *changes))
    assert [s.trusted for s in rebuilt(columns)] == [True, not reason]
    assert recording.clears == ({reason: 1} if reason else {})
    levels = [row for row in told(columns, recording)[6:] if row.startswith("LEVEL")]
    assert len(levels) == len(changes)


def test_what_arrives_in_the_wrong_order(tmp_path: Path) -> None:
    older = change(990, (YES, "BUY", "0.4", "99"))
    columns, recording = read(tmp_path, START, older)
    assert told(columns, recording) == OPENED
    assert aside(recording) == [("r.jsonl", 2, "change older than the book that came before it")]

    columns, recording = read(
        tmp_path,
        START,
        change(1_020, (YES, "BUY", "0.42", "1")),
        change(1_010, (YES, "BUY", "0.42", "2")),
    )
    assert told(columns, recording)[6:] == ["LEVEL bid 4200 1", "CLEAR venue time went back"]
    assert aside(recording) == [("r.jsonl", 3, "change: venue time went back")]

    late = book(900, {"0.01": "5"}, {"0.99": "5"})
    columns, recording = read(tmp_path, START, late)
    assert told(columns, recording) == OPENED
    assert aside(recording) == [("r.jsonl", 2, "book: venue time went back")]

    back = [
        {"recv_ms": 1_785_000_000_000 + at, "msg": m}
        for at, m in ((9, START), (5, trade(1_001, YES, "BUY", "0.49", "1")))
    ]
    columns, recording = read(tmp_path, *back)
    assert len(set(columns["ts"].tolist())) == 1
    assert sum(recording.notes.values()) == 1


def test_a_tick_that_changes_in_mid_stream(tmp_path: Path) -> None:
    def tick(ts: int, old: str, new: str, token: str = YES) -> dict:
        return {
            "event_type": "tick_size_change",
            "asset_id": token,
            "market": "0xc",
            "timestamp": str(ERA + ts),
            "old_tick_size": old,
            "new_tick_size": new,
        }

    columns, recording = read(
        tmp_path,
        START,
        tick(1_010, "0.01", "0.001"),
        tick(1_010, "0.01", "0.001", NO),
        change(1_020, (YES, "BUY", "0.425", "8")),
        tick(1_030, "0.001", "0.01"),
        change(1_040, (YES, "BUY", "0.425", "8")),
    )
    assert told(columns, recording)[6:] == ["TICK 10", "LEVEL bid 4250 8", "TICK 100"]
    assert aside(recording) == [("r.jsonl", 6, "change: price off the tick")]
    assert [s.trusted for s in rebuilt(columns, {0: 100})] == [True, True, True, False]
    fine = book(1_010, {"0.4": "1", "0.405": "1"}, {"0.499": "7", "0.5": "1"})
    columns, recording = read(tmp_path, START, fine)
    assert told(columns, recording)[6:8] == ["TICK 10+", "SNAPSHOT_BEGIN 4+"]
    columns, recording = read(tmp_path, START | {"tick_size": "0.001"})
    assert told(columns, recording) == ["TICK 10+", *OPENED]
    columns, recording = read(tmp_path, START, tick(1_010, "0.01", "0.3"))
    assert aside(recording) == [("r.jsonl", 2, "impossible tick")]


def test_an_empty_book_is_a_book(tmp_path: Path) -> None:
    columns, recording = read(
        tmp_path, book(1_000, {}, {}), change(1_010, (YES, "BUY", "0.42", "8", "0.42", "1"))
    )
    assert told(columns, recording) == ["SNAPSHOT_BEGIN 0+", "SNAPSHOT_END 0", "LEVEL bid 4200 8"]
    assert not recording.clears


def test_trades_told_twice(tmp_path: Path) -> None:
    columns, recording = read(
        tmp_path,
        trade(1_000, YES, "BUY", "0.42", "2", "0xa"),
        trade(1_000, YES, "BUY", "0.42", "2", "0xa"),
        trade(1_000, NO, "SELL", "0.58", "2", "0xa"),
        trade(1_000, YES, "BUY", "0.42", "3", "0xa"),
        trade(1_001, YES, "BUY", "0.42", "2"),
        trade(1_001, YES, "BUY", "0.42", "2"),
        trade(1_002, YES, "BUY", "0.42", "0"),
        trade(1_002, YES, "BUY", "1", "5"),
    )
    assert told(columns, recording) == [
        "TRADE buy 4200 2",
        "TRADE buy 4200 3",
        "TRADE buy 4200 2",
        "TRADE buy 4200 2",
    ]
    assert [why for *_, why in aside(recording)] == [
        "trade told a second time",
        "trade: impossible amount",
        "trade: price off the tick",
    ]


def test_messages_that_are_no_books_are_counted(tmp_path: Path) -> None:
    columns, recording = read(
        tmp_path,
        "PONG",
        "",
        [START, {"event_type": "best_bid_ask", "asset_id": YES, "best_bid": "0.4"}],
        json.dumps(trade(1_001, YES, "BUY", "0.49", "1"))
        + json.dumps(trade(1_002, YES, "BUY", "0.49", "1")),
        {"event_type": "new_market", "id": "5"},
        book(1_003, {}, {}, token="stranger"),
        START,
    )
    assert told(columns, recording) == [*OPENED, "TRADE buy 4900 1", "TRADE buy 4900 1", *OPENED]
    assert recording.unknown == {"stranger": 1}
    assert recording.notes["messages of kind new_market, which are not used"] == 1
    assert recording.rows == {"r.jsonl": 7}


def test_files_follow_one_another_and_may_be_compressed(tmp_path: Path) -> None:
    files = [
        *lines(tmp_path, START, name="a.jsonl.gz"),
        *lines(tmp_path, change(1_010, (YES, "BUY", "0.42", "8")), name="b.jsonl"),
    ]
    columns, recording = converted(ws, files, [market()])
    assert told(columns, recording) == [*OPENED, "LEVEL bid 4200 8"]
    broken = tmp_path / "c.jsonl.gz"
    broken.write_bytes(files[0].read_bytes()[:-9])
    with pytest.raises(DataError, match="gzip"):
        converted(ws, [broken], [market()])
    with pytest.raises(DataError, match="none of its 1 lines is a message"):
        converted(ws, lines(tmp_path, "a,b,c", name="d.jsonl"), [market()])


# ---- hashes --------------------------------------------------------------------------------------


def hashed(message: dict, **tail: Any) -> dict:
    """The message as the venue would send it with its tail and hash."""
    tail = {
        "min_order_size": "5",
        "tick_size": "0.01",
        "neg_risk": False,
        "last_trade_price": "0.42",
        **tail,
    }
    form = HashForm(
        message["market"],
        message["asset_id"],
        message["timestamp"],
        "",
        [Level(x["price"], x["size"]) for x in message["bids"]],
        [Level(x["price"], x["size"]) for x in message["asks"]],
        *tail.values(),
    )
    return message | tail | {"hash": form.digest()}


def test_the_hash_is_the_venues(shared: Path) -> None:
    file = shared / "payloads" / "hugompt" / "clob_book.json"
    if not file.is_file():
        pytest.skip("../shared/payloads is absent")
    recorded = json.loads(file.read_text())
    again = hashed(
        recorded,
        **{n: recorded[n] for n in ("min_order_size", "tick_size", "neg_risk", "last_trade_price")},
    )
    assert again["hash"] == recorded["hash"]


def test_a_book_that_is_not_what_was_hashed_is_not_used(tmp_path: Path) -> None:
    good = hashed(START)
    columns, recording = read(tmp_path, good)
    assert told(columns, recording) == OPENED
    assert not recording.aside
    wrong = good | {"bids": [{"price": "0.4", "size": "11"}], "timestamp": str(ERA + 1_010)}
    columns, recording = read(tmp_path, good, wrong)
    assert told(columns, recording) == [*OPENED, "CLEAR hash mismatch"]
    assert aside(recording) == [("r.jsonl", 2, "book: hash mismatch")]
    bare = START | {"hash": "0" * 40}
    columns, recording = read(tmp_path, bare)
    assert told(columns, recording) == OPENED
    assert any("cannot be computed" in note for note in recording.notes)


def test_the_hash_of_a_change_is_that_of_the_book_after_it(tmp_path: Path) -> None:
    ordered = book(1_000, {"0.4": "10", "0.41": "5"}, {"0.5": "7", "0.49": "3.5"})

    def changed(ts: int, size: str, right: bool = True) -> dict:
        after = book(ts, {"0.4": "10", "0.41": "5", "0.42": size}, {"0.5": "7", "0.49": "3.5"})
        made = change(ts, (YES, "BUY", "0.42", size))
        made["price_changes"][0]["hash"] = hashed(after)["hash"] if right else "f" * 40
        return made

    columns, recording = read(tmp_path, hashed(ordered), changed(1_010, "8"), changed(1_020, "9"))
    assert not recording.clears
    columns, recording = read(
        tmp_path, hashed(ordered), changed(1_010, "8"), changed(1_020, "9", right=False)
    )
    assert told(columns, recording)[-2:] == ["LEVEL bid 4200 9+", "CLEAR hash mismatch"]
    # Where no change was ever proved, the hashed form may be another: nothing is held against it.
    columns, recording = read(tmp_path, hashed(ordered), changed(1_010, "8", right=False))
    assert not recording.clears


def test_repeated_books_are_not_told_again(tmp_path: Path) -> None:
    columns, recording = read(tmp_path, hashed(START), hashed(START))
    assert told(columns, recording) == OPENED
    assert recording.notes["messages sent again"] == 1


# ---- any stream ----------------------------------------------------------------------------------

PRICES = st.integers(1, 99).map(lambda n: f"0.{n:02d}")
SIDE = st.dictionaries(PRICES, st.sampled_from(["1", "2.5", "100"]), max_size=4)


@settings(max_examples=150, deadline=None)
@given(
    st.lists(
        st.one_of(
            st.tuples(st.just("book"), SIDE, SIDE),
            st.tuples(
                st.sampled_from([YES, NO]),
                st.sampled_from(["BUY", "SELL"]),
                PRICES,
                st.sampled_from(["0", "3", "7.25"]),
            ),
        ),
        max_size=25,
    )
)
def test_the_tape_tells_what_the_messages_told(tmp_path_factory, events) -> None:
    messages, plain, trusted, expected = [], {1: {}, -1: {}}, False, []
    for at, event in enumerate(events):
        if event[0] == "book":
            messages.append(book(1_000 + at, *event[1:]))
            sides = [{int(p[2:]) * 100: float(s) for p, s in side.items()} for side in event[1:]]
            plain = dict(zip((1, -1), sides, strict=True))
            trusted = True
        else:
            token, side, price, size = event
            messages.append(change(1_000 + at, event))
            sign, level = (1 if side == "BUY" else -1), int(price[2:]) * 100
            if token == NO:
                sign, level = -sign, 10_000 - level
            plain[sign].pop(level, None)
            if float(size):
                plain[sign][level] = float(size)
        if plain[1] and plain[-1] and max(plain[1]) >= min(plain[-1]):
            trusted, plain = False, {1: {}, -1: {}}
        expected.append((trusted, plain[1].copy(), plain[-1].copy()) if trusted else (False,))
    files = lines(tmp_path_factory.mktemp("ws"), *messages)
    columns, _ = converted(ws, files, [market()])
    books = list(rebuilt(columns))
    for at, want in enumerate(expected):
        seen = [b for b in books if b.ts <= (ERA + 1_000 + at) * MS]
        if not want[0]:
            assert not seen or not seen[-1].trusted
            continue
        last = seen[-1]
        assert last.trusted
        assert {p: s / 1e6 for p, s in last.bids.items()} == want[1]
        assert {p: s / 1e6 for p, s in last.asks.items()} == want[2]
    assert np.all(np.diff(columns["ts"]) >= 0)
