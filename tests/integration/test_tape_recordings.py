"""Recordings of the real venues: their tapes against books kept in dictionaries."""

from __future__ import annotations

from collections.abc import Iterator
from pathlib import Path

import numpy as np
import pyarrow.parquet as pq
import pytest

from polyframe.domain.market import Market
from polyframe.store.catalogue import Catalogue
from polyframe.store.checking import check_catalogue
from polyframe.store.importing import import_files
from polyframe.store.tape_import import TapeReport, import_tape
from polyframe.store.tape_rows import COLUMNS, TapeFlag, TapeKind
from polyframe.store.tape_symbols import Symbol

MS = 1_000_000
Book = tuple[dict[int, int], dict[int, int]]


@pytest.fixture(scope="module")
def recordings(shared: Path) -> Path:
    if not (shared / "data" / "binance" / "l2").is_dir():
        pytest.skip("../shared/data has no recordings of order books")
    return shared / "data"


def books(
    catalogue: Catalogue, source: str, token: str, moments: list[int]
) -> Iterator[Book | None]:
    """A market's book at the end of each of these moments; None while it is not to be trusted."""
    tape = catalogue.tape(source)
    mine = np.flatnonzero(tape.column("instrument") == tape.instruments.index(token))
    rows = zip(*(tape.column(name)[mine].tolist() for name in COLUMNS), strict=True)
    book: dict[int, dict[int, int]] = {1: {}, -1: {}}
    trusted, row = False, next(rows, None)
    for moment in moments:
        while row is not None and row[0] <= moment:
            _, _, price, size, _, _, kind, side, flag = row
            if kind in (TapeKind.SNAPSHOT_BEGIN, TapeKind.CLEAR):
                book, trusted = {1: {}, -1: {}}, False
            elif kind == TapeKind.SNAPSHOT_END:
                trusted = True
            elif kind == TapeKind.LEVEL and size:
                book[side][price] = size
            elif kind == TapeKind.LEVEL:
                book[side].pop(price, None)
            row = next(rows, None)
            assert row is None or row[0] <= moment or not flag & TapeFlag.MORE
        yield (dict(book[1]), dict(book[-1])) if trusted else None


def units(value: float, decimals: int) -> int:
    """What a recorder was told: the shortest decimal of the float."""
    return round(float(str(value)) * 10**decimals)


# ---- five levels a second ------------------------------------------------------------------------


@pytest.fixture(scope="module")
def top5(recordings: Path, root: Path, tmp_path_factory) -> tuple[Catalogue, TapeReport, Path]:
    file = recordings / "polymarket" / "l2_btc15m_top5_1s.parquet"
    into = tmp_path_factory.mktemp("top5") / "cat"
    mapping = root / "docs" / "mappings" / "top5_markets.json"
    import_files("markets", [file], into, mapping=mapping)
    report = import_tape([file], into, format="polymarket-top5", source="top5")
    return Catalogue.open(into), report, file


def test_every_second_of_five_levels_is_on_the_tape(top5) -> None:
    catalogue, report, file = top5
    assert report.instruments == 6
    assert report.clears == {"gap": 5}  # one window after the other: each falls silent but the last
    frame = pq.read_table(file).to_pandas()
    compared = 0
    for token, rows in frame.groupby("token_id_up"):
        moments = (rows["ts_ms"] * MS).tolist()
        found = list(books(catalogue, "top5", str(token), moments))
        for (_, row), book in zip(rows.iterrows(), found, strict=True):
            sides = [
                {
                    units(np.float32(row[f"{s}_px_up_{n}"]), 4): units(
                        np.float32(row[f"{s}_sz_up_{n}"]), 6
                    )
                    for n in range(1, 6)
                    if row[f"{s}_px_up_{n}"] == row[f"{s}_px_up_{n}"]
                }
                for s in ("bid", "ask")
            ]
            assert book == tuple(sides)
            compared += 1
    assert compared == report.files[0].rows == 4_306


def test_a_check_of_five_levels_finds_nothing_grave(top5) -> None:
    checked = check_catalogue(top5[0])
    assert checked.errors == 0
    assert {f.check for f in checked.findings} <= {"no outcome", "untrusted", "empty book"}


# ---- full depth ----------------------------------------------------------------------------------


@pytest.fixture(scope="module")
def depth(recordings: Path, root: Path, tmp_path_factory) -> tuple[Catalogue, TapeReport, Path]:
    folder = recordings / "polymarket"
    files = [folder / f"l2_fulldepth_{what}.parquet" for what in ("book", "trades")]
    into = tmp_path_factory.mktemp("depth") / "cat"
    for interval in ("15m", "1h"):
        mapping = root / "docs" / "mappings" / f"depth_markets_{interval}.json"
        for file in files:
            import_files("markets", [file], into, mapping=mapping)
    report = import_tape(files, into, format="polymarket-depth", source="depth")
    return Catalogue.open(into), report, folder


def test_books_of_full_depth_are_on_the_tape(depth) -> None:
    catalogue, report, folder = depth
    assert report.clears == {"gap": 10}  # three of them at the end of a book before the trades'
    assert not report.unknown
    frame = pq.read_table(folder / "l2_fulldepth_book.parquet").to_pandas()
    compared = 0
    for key, rows in frame[frame["token"] == "up"].groupby(["asset", "interval", "window_start_s"]):
        asset, interval, window = key
        token = f"{asset}-updown-{interval}-{window}-up"
        known = np.maximum.accumulate(rows["recv_ms"].to_numpy()) * MS
        found = list(books(catalogue, "depth", token, known.tolist()))
        for place, ((_, row), book) in enumerate(zip(rows.iterrows(), found, strict=True)):
            if place + 1 < len(known) and known[place + 1] == known[place]:
                continue
            sides = tuple(
                {
                    units(p, 4): units(s, 6)
                    for p, s in zip(row[f"{side}_px"], row[f"{side}_sz"], strict=True)
                    if s
                }
                for side in ("bid", "ask")
            )
            assert book == sides
            compared += 1
    assert compared > 700


def test_every_trade_of_full_depth_is_on_the_tape(depth) -> None:
    catalogue, _, folder = depth
    frame = pq.read_table(folder / "l2_fulldepth_trades.parquet").to_pandas()
    tape = catalogue.tape("depth")
    rows = np.flatnonzero(tape.column("kind") == TapeKind.TRADE)
    assert len(rows) == len(frame)
    no = (frame["token"] == "down").to_numpy()
    price = [units(p, 4) for p in frame["price"]]
    side = [
        (1 if side == "buy" else -1) * (-1 if n else 1)
        for side, n in zip(frame["side"], no, strict=True)
    ]
    told = zip(frame["ts_ms"], price, frame["size"], side, no, strict=True)
    wanted = sorted(
        (int(t) * MS, 10_000 - p if n else p, units(s, 6), sign) for t, p, s, sign, n in told
    )
    names = ("ts_venue", "price", "size", "side")
    assert sorted(zip(*(tape.column(n)[rows].tolist() for n in names), strict=True)) == wanted
    assert check_catalogue(catalogue).errors == 0


# ---- Binance -------------------------------------------------------------------------------------

SYMBOLS = [
    ("usdm_btcusdt_20240718", Symbol("0.1", "0.001", 1, 3), 77_704),
    ("usdm_btcusdt_20240808", Symbol("0.1", "0.001", 1, 3), 445_521),
    ("usdm_ethusdt_20240808", Symbol("0.01", "0.001", 2, 3), 430_662),
]


def updates(file: Path) -> list[tuple[int, int, bool, list[tuple[int, float, float]]]]:
    """The messages of a depth file: when known, id, whether a snapshot, levels."""
    frame = pq.read_table(file).to_pandas()
    made: list[tuple[int, int, bool, list[tuple[int, float, float]]]] = []
    names = ("recv_ns", "update_id", "is_snapshot", "side", "price", "qty")
    for ts, id, snapshot, side, price, qty in zip(*(frame[n].tolist() for n in names), strict=True):
        if not made or made[-1][:3] != (ts, id, bool(snapshot)):
            made.append((ts, id, bool(snapshot), []))
        made[-1][3].append((side, price, qty))
    return made


def by_the_rules(file: Path, market: Market, every: int) -> tuple[list[int], list[Book]]:
    """The book as the venue's own page says to keep it: buffer, snapshot, drop, apply."""
    sides: dict[int, dict[int, int]] = {}
    buffer: list[tuple[int, list[tuple[int, float, float]]]] = []
    last, moments, found = 0, [], []
    for at, (ts, id, snapshot, levels) in enumerate(updates(file)):
        if snapshot:
            sides, last = {1: {}, -1: {}}, id
            waiting = [levels, *(told for number, told in buffer if number > id)]
        elif not sides:
            buffer.append((id, levels))
            continue
        else:
            waiting = [levels] if id > last else []
        for side, price, qty in (level for message in waiting for level in message):
            key = round(price * market.price_one)
            sides[side].pop(key, None)
            if qty:
                sides[side][key] = round(qty * 10**market.size_decimals)
        if at % every == 0:
            moments.append(ts)
            found.append((dict(sides[1]), dict(sides[-1])))
    return moments, found


@pytest.mark.parametrize(("name", "symbol", "rows"), SYMBOLS)
def test_binance_books_are_those_of_the_venues_rules(
    recordings: Path, tmp_path: Path, name: str, symbol: Symbol, rows: int
) -> None:
    folder = recordings / "binance" / "l2"
    files = [folder / f"{name}.{what}.parquet" for what in ("depth", "trades", "bookticker")]
    report = import_tape(files, tmp_path, format="binance", market="S", symbol=symbol, source="b")
    assert report.files[0].rows == rows
    assert not report.clears
    assert report.set_aside_file is None
    catalogue = Catalogue.open(tmp_path)
    (market,) = catalogue.markets()
    moments, wanted = by_the_rules(files[0], market, 23)
    # Several updates may have arrived at one moment; the tape is asked for the last of them.
    compared = 0
    for moment, want, found in zip(
        moments, wanted, books(catalogue, "b", "S", moments), strict=True
    ):
        assert found is not None
        if found == want:
            compared += 1
        else:
            assert moments.count(moment) > 1
    assert compared == len(moments) > 100
    tape = catalogue.tape("b")
    kinds = np.bincount(tape.column("kind"), minlength=11)
    assert kinds[TapeKind.TRADE] == pq.read_metadata(files[1]).num_rows
    assert (
        kinds[TapeKind.QUOTE_BID]
        == kinds[TapeKind.QUOTE_ASK]
        == pq.read_metadata(files[2]).num_rows
    )
    checked = check_catalogue(catalogue)
    assert checked.errors == 0
    assert {"known before it happened", "untrusted"} <= {f.check for f in checked.findings}


def test_a_recording_without_a_snapshot_is_an_error_of_the_check(
    recordings: Path, tmp_path: Path
) -> None:
    file = recordings / "binance" / "l2" / "spot_btcusdt_20230405.depth.parquet"
    symbol = Symbol("0.01", "0.00001", 2, 5)
    report = import_tape([file], tmp_path, format="binance", market="S", symbol=symbol, source="b")
    assert report.files[0].set_aside == {"too many decimals": 15}  # sizes of six
    finding = next(f for f in check_catalogue(Catalogue.open(tmp_path)).findings)
    assert (finding.severity, finding.check) == ("error", "never whole")


# ---- messages of the market channel --------------------------------------------------------------


def test_recorded_messages_of_every_kind_are_understood(shared: Path, tmp_path: Path) -> None:
    folder = shared / "payloads" / "nautilus_recorded"
    if not folder.is_dir():
        pytest.skip("../shared/payloads is absent")
    import json

    from polyframe.domain.market import Token
    from polyframe.store import tape_polymarket_ws
    from polyframe.store.tape_recording import Lookup, Recording

    names = ("book", "price_change", "price_change_v2", "last_trade_price", "tick_size_change")
    for name in names:
        message = json.loads((folder / f"{name}.json").read_text())
        token = message.get("asset_id") or message["price_changes"][0]["asset_id"]
        file = tmp_path / f"{name}.jsonl"
        file.write_text(json.dumps(message))
        tick = 100 if name == "tick_size_change" else 10
        market = Market(
            id=name, question="?", tokens=(Token(token, "Yes"), Token("no", "No")), tick=tick
        )
        recording = Recording()
        (columns,) = tape_polymarket_ws.convert([file], Lookup([market]), recording)
        assert not recording.aside
        kinds = np.bincount(columns["kind"], minlength=11)
        if name == "book":
            levels = len(message["bids"]) + len(message["asks"])
            assert kinds[TapeKind.LEVEL] == levels > 50
            assert kinds[TapeKind.SNAPSHOT_END] == 1
        elif name == "price_change_v2":
            assert kinds[TapeKind.LEVEL] == 3
        else:
            kind = {
                "price_change": TapeKind.LEVEL,
                "last_trade_price": TapeKind.TRADE,
                "tick_size_change": TapeKind.TICK,
            }[name]
            assert kinds.nonzero()[0].tolist() == [kind]


def test_a_recorded_book_of_the_venue_proves_its_hash(shared: Path, tmp_path: Path) -> None:
    file = shared / "payloads" / "hugompt" / "clob_book.json"
    if not file.is_file():
        pytest.skip("../shared/payloads is absent")
    import json

    from polyframe.domain.market import Token
    from polyframe.store import tape_polymarket_ws
    from polyframe.store.tape_recording import Lookup, Recording

    message = json.loads(file.read_text())
    market = Market(
        id="m",
        question="?",
        tokens=(Token(message["asset_id"], "Yes"), Token("no", "No")),
        tick=100,
    )
    edited = json.loads(file.read_text())
    edited["bids"][0]["size"] = "1076"
    for made, clears in ((message, {}), (edited, {})):
        path = tmp_path / "b.jsonl"
        path.write_text(json.dumps(made | {"event_type": "book"}) + "\n")
        recording = Recording()
        rows = list(tape_polymarket_ws.convert([path], Lookup([market]), recording))
        assert recording.clears == clears
        assert bool(rows) == (made is message)
        assert bool(recording.aside) == (made is edited)
