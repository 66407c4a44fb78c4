"""Books of full depth and trades in columns as rows of a tape."""

from __future__ import annotations

from pathlib import Path
from typing import Any

import pyarrow as pa
import pyarrow.parquet as pq
import pytest
from recording_cases import aside, converted, market, told

from polyframe.domain.market import Market
from polyframe.errors import DataError
from polyframe.store import tape_fulldepth
from polyframe.store.tape_top5 import MIRROR

Levels = list[tuple[float, float]]


def coin(asset: str = "btc") -> Market:
    slug = f"{asset}-updown-15m-1000"
    return market(slug, f"{slug}-up", f"{slug}-down")


def key(ts: int, recv: int, token: str = "up", asset: str = "btc") -> dict[str, Any]:
    return {
        "interval": "15m",
        "asset": asset,
        "window_start_s": 1_000,
        "token": token,
        "ts_ms": ts,
        "recv_ms": recv,
    }


def book(ts: int, recv: int, bids: Levels, asks: Levels, token: str = "up", **given: Any):
    found = key(ts, recv, token, given.pop("asset", "btc"))
    for side, levels in (("bid", bids), ("ask", asks)):
        found[f"{side}_px"] = [p for p, _ in levels]
        found[f"{side}_sz"] = [s for _, s in levels]
    return found | given


def trade(ts: int, recv: int, price: float, size: float, side: str, token: str = "up"):
    return key(ts, recv, token) | {"price": price, "size": size, "side": side}


def write(path: Path, *rows: dict[str, Any]) -> Path:
    pq.write_table(pa.table({name: [r[name] for r in rows] for name in rows[0]}), path)
    return path


BIDS, ASKS = [(0.4, 10.0), (0.39, 5.0)], [(0.5, 7.0)]
MIRRORED = ([(0.5, 7.0)], [(0.6, 10.0), (0.61, 5.0)])
OPENED = [
    "SNAPSHOT_BEGIN 3+",
    "LEVEL ask 5000 7+",
    "LEVEL bid 3900 5+",
    "LEVEL bid 4000 10+",
    "SNAPSHOT_END 3",
]


def read(tmp_path: Path, *rows: dict[str, Any], markets: tuple[Market, ...] = (coin(),), **kw: Any):
    return converted(tape_fulldepth, [write(tmp_path / "b.parquet", *rows)], list(markets), **kw)


def test_books_and_trades_with_both_clocks(tmp_path: Path) -> None:
    books = write(
        tmp_path / "b.parquet",
        book(900, 1_000, BIDS, ASKS),
        book(1_900, 2_000, [(0.4, 10.0)], ASKS),
    )
    trades = write(
        tmp_path / "t.parquet",
        trade(1_400, 1_500, 0.41, 2, "buy"),
        trade(1_500, 1_600, 0.55, 3, "buy", "down"),
        trade(1_600, 1_700, 0.4, -3, "buy"),
        trade(1_600, 1_700, 1.0, 3, "buy"),
        trade(1_600, 1_700, 0.4, 3, "hold"),
    )
    columns, recording = converted(tape_fulldepth, [books, trades], [coin()])
    assert told(columns, recording) == [
        *OPENED,
        "TRADE buy 4100 2",
        "TRADE sell 4500 3",
        "LEVEL bid 3900 0",
    ]
    assert columns["ts"].tolist()[-1] == 2_000_000_000
    assert columns["ts_venue"].tolist()[-1] == 1_900_000_000
    assert sorted(aside(recording)) == [
        ("t.parquet", 3, "trade: impossible amount"),
        ("t.parquet", 4, "trade: price off the tick"),
        ("t.parquet", 5, "trade: impossible amount"),
    ]


def test_no_proves_yes_or_stands_in_for_it(tmp_path: Path) -> None:
    columns, recording = read(
        tmp_path, book(900, 1_000, BIDS, ASKS), book(900, 1_001, *MIRRORED, "down")
    )
    assert told(columns, recording) == OPENED
    assert MIRROR not in recording.notes
    columns, recording = read(
        tmp_path, book(900, 1_000, BIDS, ASKS), book(900, 1_001, MIRRORED[0], [(0.6, 1.0)], "down")
    )
    assert told(columns, recording) == OPENED
    assert recording.notes[MIRROR] == 1
    columns, recording = read(tmp_path, book(900, 1_000, *MIRRORED, "down"))
    assert told(columns, recording) == OPENED


def test_bad_books_end_the_trust(tmp_path: Path) -> None:
    uneven = book(1_900, 2_000, BIDS, ASKS) | {"bid_sz": [1.0]}
    columns, recording = read(
        tmp_path,
        book(900, 1_000, BIDS, ASKS),
        uneven,
        book(2_900, 3_000, BIDS, ASKS),
        book(3_900, 4_000, [(0.5, 1.0)], ASKS),
        book(4_900, 5_000, [], []),
        book(39_000, 40_000, [(0.4, float("nan"))], []),
        book(41_000, 41_000, BIDS, ASKS),
    )
    assert told(columns, recording) == [
        *OPENED,
        "CLEAR impossible amount",
        *OPENED,
        "CLEAR crossed book",
        "SNAPSHOT_BEGIN 0+",
        "SNAPSHOT_END 0",
        "CLEAR gap",
        "CLEAR impossible amount",
        *OPENED,
    ]
    assert sorted(row for _, row, _ in aside(recording)) == [2, 4, 6]


def test_rows_in_any_order_and_clocks_that_go_back(tmp_path: Path) -> None:
    first, second = coin(), coin("eth")
    columns, recording = read(
        tmp_path,
        book(900, 2_000, BIDS, ASKS),
        book(1_900, 1_000, BIDS, ASKS),
        book(900, 1_500, BIDS, ASKS, asset="eth"),
        book(900, 1_500, BIDS, ASKS, asset="doge"),
        book(900, 1_500, BIDS, ASKS, "sideways"),
        markets=(first, second),
    )
    assert columns["ts"].tolist() == [1_500_000_000] * 5 + [2_000_000_000] * 5
    assert [recording.markets[i].id for i in columns["instrument"][[0, 5]]] == [second.id, first.id]
    assert recording.unknown == {"doge-updown-15m-1000": 1}
    assert aside(recording) == [("b.parquet", 5, "token is neither up nor down")]
    assert any("clock" in note for note in recording.notes)


def test_files_of_another_form_are_refused(tmp_path: Path) -> None:
    pq.write_table(pa.table({"ts_ms": [1]}), tmp_path / "x.parquet")
    with pytest.raises(DataError, match="has the columns ts_ms"):
        converted(tape_fulldepth, [tmp_path / "x.parquet"], [coin()])
