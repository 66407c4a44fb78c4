"""Recordings into a catalogue: all or nothing, once, and found again."""

from __future__ import annotations

import json
import time
from pathlib import Path
from typing import Any

import numpy as np
import pandas as pd
import pytest
from catalogue_cases import market as market_row
from catalogue_cases import write_rows
from recording_cases import SECOND, rebuilt, tape_columns

from polyframe.errors import DataError, GapError, UserError
from polyframe.store import tape_hft
from polyframe.store.catalogue import Catalogue
from polyframe.store.checking import check_catalogue
from polyframe.store.importing import import_files
from polyframe.store.listing import list_catalogue
from polyframe.store.tape_import import TapeReport, import_tape
from polyframe.store.tape_rows import TapeKind
from polyframe.store.tape_symbols import Symbol

START = 1_785_000_000_000
RULES = Symbol("0.01", "0.1", 4, 6, max_price="1")


@pytest.fixture
def cat(tmp_path: Path) -> Path:
    rows = write_rows(
        tmp_path / "m.parquet", [market_row(1, tick="0.01"), market_row(2, tick="0.01")]
    )
    import_files("markets", [rows], tmp_path / "cat", source="me")
    return tmp_path / "cat"


def messages(path: Path, at: int = 0, token: str = "y1", size: str = "10") -> Path:
    levels = {"bids": [{"price": "0.4", "size": size}], "asks": [{"price": "0.5", "size": size}]}
    made = [
        {"event_type": "book", "asset_id": token, "timestamp": str(START + at + n), **levels}
        for n in range(3)
    ]
    path.write_text("".join(json.dumps(m) + "\n" for m in made))
    return path


def take(cat: Path, *files: Path, **kw: Any) -> TapeReport:
    return import_tape(list(files), cat, **{"format": "polymarket-ws", **kw})


def events(path: Path, n: int = 50, start: int = START * 10**6) -> Path:
    made = np.zeros(n, tape_hft.EVENT)
    made["ev"] = tape_hft.DEPTH | tape_hft.LOCAL | tape_hft.BUY
    made["local_ts"] = made["exch_ts"] = start + np.arange(n)
    made["px"], made["qty"] = (np.arange(n) % 40 + 1) / 100, np.arange(n) % 3
    np.savez(path, data=made)
    return path


def everything(cat: Path) -> dict[str, bytes]:
    return {str(p.relative_to(cat)): p.read_bytes() for p in cat.rglob("*") if p.is_file()}


def test_a_tape_is_listed_proved_and_opened(cat: Path, tmp_path: Path) -> None:
    report = take(cat, messages(tmp_path / "a.jsonl"), source="live one")
    assert (report.rows, report.instruments, report.known) == (12, 1, False)
    catalogue = Catalogue.open(cat)
    catalogue.verify()
    assert list(catalogue.tapes()) == ["live one"]
    tape, columns = tape_columns(catalogue, "live one")
    assert tape.instruments == ("y1",)
    assert [b.bids for b in rebuilt(columns)] == [{4_000: 10_000_000}] * 3
    entry = catalogue.manifest["files"][report.segment]
    assert (entry["kind"], entry["rows"]) == ("tape", 12)
    held = [h for h in list_catalogue(catalogue) if h.kind == "tape"]
    assert [(h.source, h.rows, h.markets) for h in held] == [("live one", 12, 1)]
    assert held[0].first == START * 1_000_000
    assert check_catalogue(catalogue).errors == 0


def test_the_same_again_is_harmless_and_a_later_one_goes_behind(cat: Path, tmp_path: Path) -> None:
    first = messages(tmp_path / "a.jsonl")
    take(cat, first, source="s")
    before = everything(cat)
    report = take(cat, first, source="s")
    assert report.known
    assert report.rows == 0
    assert everything(cat) == before
    later = take(cat, messages(tmp_path / "b.jsonl", at=60_000, token="n2"), source="s")
    assert later.segment.endswith("segment-00000001/segment.json")
    catalogue = Catalogue.open(cat)
    catalogue.verify()
    tape, columns = tape_columns(catalogue, "s")
    assert tape.instruments == ("y1", "y2")
    assert [b.instrument for b in rebuilt(columns)] == [0, 0, 0, 0, 1, 1, 1]
    assert [b.trusted for b in rebuilt(columns)] == [True] * 3 + [False] + [True] * 3
    assert columns["ts"][12] == columns["ts"][11] + 30 * SECOND
    assert check_catalogue(catalogue).errors == 0
    before = everything(cat)
    with pytest.raises(DataError, match=r"before the tape of s ends"):
        take(cat, messages(tmp_path / "c.jsonl", at=10), source="s")
    assert everything(cat) == before


def depths(path: Path, *told: tuple[str, int]) -> Path:
    """Whole books of full depth: whose, and when after the start in s."""
    rows = [
        {"interval": "15m", "asset": asset, "window_start_s": 1, "token": "up",
         "ts_ms": START + second * 1_000, "recv_ms": START + second * 1_000,
         "bid_px": [0.4], "bid_sz": [1.0], "ask_px": [0.5], "ask_sz": [1.0]}
        for asset, second in told
    ]  # fmt: skip
    pd.DataFrame(rows).to_parquet(path)
    return path


def test_a_later_recording_ends_each_book_after_its_own_silence(tmp_path: Path) -> None:
    coins = [market_row(n, slug=f"{asset}-updown-15m-1", tick="0.01")
             for n, asset in enumerate(("btc", "eth", "sol"), start=1)]  # fmt: skip
    cat = tmp_path / "cat"
    import_files("markets", [write_rows(tmp_path / "m.parquet", coins)], cat, source="me")

    def clears(source: str, *files: Path) -> list[tuple[str, float]]:
        for file in files:
            take(cat, file, format="polymarket-depth", source=source)
        tape, columns = tape_columns(Catalogue.open(cat), source)
        at = np.flatnonzero(columns["kind"] == TapeKind.CLEAR)
        names = [tape.instruments[i] for i in columns["instrument"][at]]
        seconds = (columns["ts"][at] / 10**9 - START / 10**3).round(3).tolist()
        assert check_catalogue(Catalogue.open(cat)).errors == 0
        return list(zip(names, seconds, strict=True))

    # btc falls silent long before the end, eth shortly before, sol with it, though unchanged.
    first = depths(tmp_path / "a.parquet", ("btc", 0), ("eth", 0), ("sol", 0), ("eth", 30),
                   ("eth", 40), ("sol", 25), ("sol", 50), ("sol", 60))  # fmt: skip
    assert clears("s", first) == [("y1", 30)]
    later = depths(tmp_path / "b.parquet", ("sol", 900), ("sol", 910))
    assert clears("s", later) == [("y1", 30), ("y1", 30), ("y2", 70), ("y3", 90)]
    again = depths(tmp_path / "c.parquet", ("btc", 915), ("btc", 945))
    # A recording that begins before the silence is over ends the book itself.
    assert clears("s", again)[4:] == [("y1", 915), ("y2", 915), ("y3", 915)]


def test_a_digest_follows_the_tapes_of_its_markets(cat: Path, tmp_path: Path) -> None:
    bare = Catalogue.open(cat)
    before = bare.digest(), bare.digest(["m1"]), bare.digest(["m2"])
    take(cat, messages(tmp_path / "a.jsonl"))
    after = Catalogue.open(cat)
    assert after.digest() != before[0]
    assert after.digest(["m1"]) != before[1]
    assert after.digest(["m2"]) == before[2]


@pytest.mark.parametrize("damage", ["column", "cut", "info", "gone", "unlisted"])
def test_damage_is_found(cat: Path, tmp_path: Path, damage: str) -> None:
    report = take(cat, messages(tmp_path / "a.jsonl"), source="s")
    segment = (cat / report.segment).parent
    if damage == "column":
        data = bytearray((segment / "price.npy").read_bytes())
        data[-1] ^= 1
        (segment / "price.npy").write_bytes(data)
    elif damage == "cut":
        (segment / "ts.npy").write_bytes((segment / "ts.npy").read_bytes()[:-8])
    elif damage == "info":
        text = (segment / "segment.json").read_text()
        (segment / "segment.json").write_text(text.replace('"y1"', '"n1"'))
    elif damage == "gone":
        for file in segment.iterdir():
            file.unlink()
    else:
        other = cat / "tape" / "other" / segment.name
        other.mkdir(parents=True)
        (other / "segment.json").write_bytes((segment / "segment.json").read_bytes())
    catalogue = Catalogue.open(cat)
    checked = check_catalogue(catalogue)
    assert checked.errors
    if damage in ("column", "cut"):
        assert "damaged tape" in {f.check for f in checked.findings}
        with pytest.raises(GapError):
            catalogue.tape("s").verify()
    else:
        with pytest.raises(DataError, match=r"changed file|missing file|unlisted file"):
            catalogue.verify()


def test_a_failed_import_leaves_nothing(cat: Path, tmp_path: Path, monkeypatch) -> None:
    before = everything(cat)
    with pytest.raises(DataError, match="none of its 1 markets is in"):
        take(cat, messages(tmp_path / "a.jsonl", token="stranger"))
    with pytest.raises(UserError, match="does not exist"):
        take(cat, tmp_path / "none.jsonl")
    bad = tmp_path / "bad.npz"
    np.savez(bad, data=np.zeros(3))
    with pytest.raises(DataError):
        take(cat, events(tmp_path / "e.npz"), bad, format="hftbacktest", market="m1")

    def refuse(*args: object) -> None:
        raise DataError("disk full")

    monkeypatch.setattr(Catalogue, "add_segment", refuse)
    with pytest.raises(DataError, match="disk full"):
        take(cat, messages(tmp_path / "a.jsonl"))
    assert everything(cat) == before
    assert not (cat / "tape").exists()
    with pytest.raises(DataError):
        take(tmp_path / "new", messages(tmp_path / "a.jsonl"))
    assert not (tmp_path / "new").exists()


def test_a_killed_import_is_no_obstacle(cat: Path, tmp_path: Path) -> None:
    leftover = cat / "tape" / ".s.part" / "segment-00000000.part"
    leftover.mkdir(parents=True)
    (leftover / "rows.bin").write_bytes(b"half a row")
    Catalogue.open(cat).verify()
    take(cat, messages(tmp_path / "a.jsonl"), source="s")
    assert not (cat / "tape" / ".s.part").exists()
    assert len(Catalogue.open(cat).tape("s")) == 12


def test_rows_are_set_aside_with_file_row_and_reason(cat: Path, tmp_path: Path) -> None:
    file = messages(tmp_path / "a.jsonl")
    file.write_text(file.read_text() + '{"event_type": "book", "asse\n')
    report = take(cat, file, source="s")
    assert report.files[0].set_aside == {"unreadable line": 1}
    assert report.set_aside_file is not None
    frame = pd.read_parquet(report.set_aside_file)
    assert frame.to_dict("records") == [
        {
            "file": "a.jsonl",
            "row": 4,
            "reason": "unreadable line",
            "value": '{"event_type": "book", "asse',
        }
    ]
    assert report.clears == {"unreadable line": 1}


def test_a_symbol_becomes_a_market_of_one_token(cat: Path, tmp_path: Path) -> None:
    file = events(tmp_path / "e.npz")
    report = take(cat, file, format="hftbacktest", market="XYZ", symbol=RULES)
    assert report.rows == 52
    catalogue = Catalogue.open(cat)
    catalogue.verify()
    (found,) = [m for m in catalogue.markets() if m.id == "XYZ"]
    assert not found.binary
    assert (found.tick, found.lot, found.venue, found.closes) == (100, 100_000, "binance", 0)
    assert (found.price_decimals, found.size_decimals, found.max_price) == (4, 6, 10_000)
    assert catalogue.tape("e").instruments == ("XYZ",)
    assert "XYZ" not in catalogue.ends()
    again = take(
        cat,
        events(tmp_path / "f.npz", start=2 * 10**18),
        format="hftbacktest",
        market="XYZ",
        source="e",
    )
    assert again.rows == 53  # what ends the earlier book, and the marks of an empty one
    with pytest.raises(UserError, match=r"with tick 0\.01"):
        take(
            cat,
            file,
            format="hftbacktest",
            market="XYZ",
            source="x",
            symbol=Symbol("0.02", "0.1", 4, 6),
        )


@pytest.mark.parametrize(
    ("options", "said"),
    [
        ({"format": "binance"}, "does not say whose book"),
        ({"format": "hftbacktest", "market": "nobody"}, "no market 'nobody'"),
        (
            {"format": "hftbacktest", "market": "n", "symbol": Symbol(tick="0.1")},
            "has no --lot, --price",
        ),
        ({"format": "hftbacktest", "market": "n", "symbol": Symbol("x", "1", 1, 1)}, "--tick 'x'"),
        (
            {"format": "hftbacktest", "market": "n", "symbol": Symbol("0.01", "1", 1, 1)},
            "--tick 0.01",
        ),
        ({"format": "hftbacktest", "market": "n", "symbol": Symbol("1", "1", 99, 1)}, "99 price"),
        ({"format": "polymarket-ws", "symbol": RULES}, "describe a symbol"),
        ({"format": "other"}, "unknown form 'other'"),
        ({"market": "nobody"}, "no market 'nobody'"),
    ],
)
def test_options_that_cannot_be_are_refused(cat: Path, tmp_path: Path, options, said: str) -> None:
    before = everything(cat)
    with pytest.raises(UserError) as refused:
        take(cat, events(tmp_path / "e.npz"), **options)
    assert said in refused.value.message
    assert everything(cat) == before


def test_levels_off_the_tick_are_refused_in_events(cat: Path, tmp_path: Path) -> None:
    with pytest.raises(DataError, match=r"40 levels|levels are off the tick of 0\.5"):
        take(cat, events(tmp_path / "e.npz"), format="hftbacktest", market="n",
             symbol=Symbol("0.5", "0.1", 4, 6))  # fmt: skip


def test_only_one_market_is_taken_where_it_is_named(cat: Path, tmp_path: Path) -> None:
    one, other = messages(tmp_path / "a.jsonl"), messages(tmp_path / "b.jsonl", 9, "y2")
    report = take(cat, one, other, market="m2", source="s")
    assert Catalogue.open(cat).tape("s").instruments == ("y2",)
    assert report.notes["rows of other markets"] == 3
    with pytest.raises(UserError, match="named twice"):
        take(cat, one, one, source="t")


def test_a_long_tape_opens_at_once(cat: Path, tmp_path: Path) -> None:
    n = 1_000_000
    made = np.zeros(n, tape_hft.EVENT)
    made["ev"] = tape_hft.DEPTH | tape_hft.LOCAL | tape_hft.BUY
    made["local_ts"] = made["exch_ts"] = START * 10**6 + np.arange(n) * SECOND // 100
    made["px"], made["qty"] = (np.arange(n) % 40 + 1) / 100, np.arange(n) % 3
    np.save(tmp_path / "long.npy", made)
    report = take(cat, tmp_path / "long.npy", format="hftbacktest", market="m1", source="long")
    assert report.rows == n + 2
    catalogue = Catalogue.open(cat)
    took = []
    for _ in range(5):
        began = time.perf_counter()
        tape = catalogue.tape("long")
        assert tape.column("price")[-1] > 0
        took.append(time.perf_counter() - began)
    assert min(took) < 0.05
