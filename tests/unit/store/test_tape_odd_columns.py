"""Whatever stands in a recording's columns: rows of a tape, or an error that a person can use."""

from __future__ import annotations

import datetime as dt
import json
import math
import random
from decimal import Decimal
from pathlib import Path
from typing import Any

import numpy as np
import pyarrow as pa
import pyarrow.parquet as pq
import pytest
from recording_cases import ERA, ERA_NS, NO, SECOND, YES, market

from polyframe.errors import DataError
from polyframe.store import tape_binance, tape_fulldepth, tape_polymarket_ws, tape_top5
from polyframe.store.tape_recording import Lookup, Recording
from polyframe.store.tape_rows import first_fault
from polyframe.store.tape_symbols import Symbol
from polyframe.store.tape_times import END, FIRST

COIN = market("m", YES, NO)
SYMBOL = Symbol("0.5", "0.001", 1, 6).market("BTCUSDT")
DEPTH = market("btc-updown-15m-1", "y", "n")

TOP5: dict[str, list[Any]] = {
    "ts_ms": [ERA, ERA + 1_000, ERA + 2_000],
    "token_id_up": [YES] * 3,
    "token_id_down": [NO] * 3,
    **{
        f"{side}_{what}_{token}_{n}": [value] * 3
        for token in ("up", "down")
        for side in ("bid", "ask")
        for n in range(1, 6)
        for what, value in (
            ("px", (0.4 - n / 100) if side == "bid" else 0.5 + n / 100),
            ("sz", 5.0),
        )
    },
    "last_trade_px_up": [0.4, 0.41, 0.42],
    "last_trade_sz_up": [1.0, 2.0, 3.0],
    "last_trade_side_up": ["BUY", "SELL", "BUY"],
    "last_trade_px_down": [math.nan] * 3,
    "last_trade_sz_down": [math.nan] * 3,
    "last_trade_side_down": [""] * 3,
}
KEYS: dict[str, list[Any]] = {
    "interval": ["15m"] * 3,
    "asset": ["btc"] * 3,
    "window_start_s": [1] * 3,
    "token": ["up", "up", "down"],
    "ts_ms": [ERA, ERA + 1_000, ERA + 2_000],
    "recv_ms": [ERA + 5, ERA + 1_005, ERA + 2_005],
}
BOOKS = KEYS | {
    "bid_px": [[0.4, 0.39]] * 3,
    "bid_sz": [[1.0, 2.0]] * 3,
    "ask_px": [[0.5]] * 3,
    "ask_sz": [[1.0]] * 3,
}
PRINTS = KEYS | {"price": [0.4, 0.41, 0.6], "size": [1.0, 2.0, 3.0], "side": ["buy", "sell", "buy"]}
STREAM: dict[str, list[Any]] = {
    "recv_ns": [ERA_NS + n * SECOND for n in range(3)],
    "exch_ns": [ERA_NS + n * SECOND for n in range(3)],
}
UPDATES = STREAM | {
    "update_id": [1, 1, 2],
    "side": [1, -1, 1],
    "price": [99.5, 100.0, 99.0],
    "qty": [1.0, 2.0, 0.0],
    "is_snapshot": [1, 1, 0],
    "prev_update_id": [0, 0, 1],
}
UPDATES["recv_ns"] = UPDATES["exch_ns"] = [ERA_NS, ERA_NS, ERA_NS + SECOND]
TRADES = STREAM | {
    "trade_id": [1, 2, 3],
    "price": [99.5, 99.0, 99.5],
    "qty": [1.0, 1.0, 2.0],
    "aggressor": [1, -1, 1],
}
BEST = STREAM | {
    "update_id": [1, 2, 3],
    "bid": [99.0] * 3,
    "bid_qty": [1.0] * 3,
    "ask": [100.0] * 3,
    "ask_qty": [1.0] * 3,
}
FORMS: dict[str, tuple[Any, dict[str, list[Any]]]] = {
    "top5": (tape_top5, TOP5),
    "books": (tape_fulldepth, BOOKS),
    "prints": (tape_fulldepth, PRINTS),
    "depth": (tape_binance, UPDATES),
    "trades": (tape_binance, TRADES),
    "best": (tape_binance, BEST),
}
ODD: list[Any] = [
    None, True, -1, 0, 2**63 - 1, -(2**63), 2**64 - 1, 1e300, math.inf, -math.inf, math.nan, 0.5,
    1e-9, "", "x", "NaN", "-3", b"\xff", [], [1.0], [[1.0]], [None], {"a": 1}, Decimal("0.5"),
    dt.datetime(2026, 1, 1), dt.date(2026, 1, 1), dt.timedelta(1),
]  # fmt: skip
MANY = {name for name in TOP5 if name[:3] in ("bid", "ask") and name not in ("bid_px_up_1",
        "ask_sz_down_5")}  # fmt: skip
"""columns that are like others"""
COLUMNS = [(form, name) for form, (_, rows) in FORMS.items() for name in rows if name not in MANY]


def read(module: Any, files: list[Path]) -> Recording:
    """Reads files; what comes keeps the rules of a tape, and lies in these decades."""
    recording = Recording()
    only = SYMBOL if module is tape_binance else None
    lookup = Lookup([COIN, DEPTH], only)
    for columns in module.convert(files, lookup, recording):
        fault = first_fault(columns, len(recording.markets), len(recording.names))
        assert fault is None, fault
        assert FIRST <= columns["ts"].min() <= columns["ts"].max() < END
        venue = columns["ts_venue"][columns["ts_venue"] != 0]
        assert ((venue >= FIRST) & (venue < END)).all()
    for _, rows, why, values in recording.aside:
        assert len(rows) == len(values), why
    return recording


@pytest.mark.parametrize("form", FORMS)
def test_the_columns_themselves_are_sound(tmp_path: Path, form: str) -> None:
    module, rows = FORMS[form]
    pq.write_table(pa.table(rows), tmp_path / "r.parquet")
    assert not read(module, [tmp_path / "r.parquet"]).aside


@pytest.mark.parametrize(("form", "name"), COLUMNS, ids=[f"{f}-{n}" for f, n in COLUMNS])
def test_no_column_is_a_defect(tmp_path: Path, form: str, name: str) -> None:
    module, rows = FORMS[form]
    file = tmp_path / "r.parquet"
    for odd in ODD:
        for values in ([odd] * 3, [*rows[name][:1], odd, *rows[name][2:]]):
            try:
                column = pa.array(values)
            except (pa.ArrowException, OverflowError):
                continue  # no such column can be written
            pq.write_table(pa.table(rows | {name: column}), file)
            try:
                read(module, [file])
            except DataError as error:
                told = error
            else:
                continue
            assert str(file) in told.message, (odd, values)
            assert told.expected, (odd, values)
            assert told.hint, (odd, values)


@pytest.mark.parametrize("form", FORMS)
def test_cut_files_are_refused(tmp_path: Path, form: str) -> None:
    module, rows = FORMS[form]
    file = tmp_path / "r.parquet"
    pq.write_table(pa.table(rows), file)
    content = file.read_bytes()
    for size in range(0, len(content), max(len(content) // 40, 1)):
        file.write_bytes(content[:size])
        with pytest.raises(DataError) as refused:
            read(module, [file])
        assert str(file) in refused.value.message
        assert refused.value.hint


MESSAGES = [
    {"event_type": "book", "asset_id": YES, "timestamp": str(ERA), "hash": "x",
     "bids": [{"price": "0.4", "size": "1"}], "asks": [{"price": "0.5", "size": "1"}],
     "tick_size": "0.01", "min_order_size": "5", "neg_risk": False, "last_trade_price": "0.4"},
    {"event_type": "price_change", "timestamp": str(ERA + 1), "price_changes": [
        {"asset_id": YES, "side": "BUY", "price": "0.41", "size": "1", "best_bid": "0.41",
         "best_ask": "0.5"}]},
    {"event_type": "last_trade_price", "asset_id": NO, "timestamp": str(ERA + 2), "side": "SELL",
     "price": "0.6", "size": "1", "transaction_hash": "0xa"},
    {"event_type": "tick_size_change", "asset_id": YES, "timestamp": str(ERA + 3),
     "new_tick_size": "0.001"},
]  # fmt: skip
ODD_JSON: list[Any] = [
    None, True, -1, 0, 2**70, 1e300, "", "x", "NaN", "Infinity", "-1", "1e9", [], {}, [[]], [None],
    "0.5", 0.5, "9" * 400,
]  # fmt: skip


def changed(value: Any, rng: random.Random) -> Any:
    """The message with some of its parts replaced or left out."""
    if rng.random() < 0.07:
        return rng.choice(ODD_JSON)
    if isinstance(value, dict):
        return {key: changed(part, rng) for key, part in value.items() if rng.random() > 0.02}
    return [changed(part, rng) for part in value] if isinstance(value, list) else value


def test_no_message_is_a_defect(tmp_path: Path) -> None:
    rng, file, done = random.Random(11), tmp_path / "r.jsonl", 0
    for _ in range(1_500):
        made = []
        for message in MESSAGES:
            clock, unit = rng.choice([("recv", 1e-3), ("recv_ms", 1), ("recv_ns", 10**6)])
            inner: Any = rng.choice([message, [message], json.dumps(message), "PONG"])
            made.append({clock: ERA * unit, "msg": inner} if rng.random() < 0.4 else message)
        file.write_text("\n".join(json.dumps(changed(message, rng)) for message in made))
        try:
            read(tape_polymarket_ws, [file])
        except DataError as error:
            told = error
        else:
            done += 1
            continue
        assert str(file) in told.message
        assert told.expected
        assert told.hint
    assert done > 300


def test_times_are_what_their_unit_says() -> None:
    from polyframe.store.tape_times import in_range, moment

    for unit, factor in (("s", 10**9), ("ms", 10**6), ("us", 1_000), ("ns", 1)):
        whole = ERA_NS // factor
        ns, none = in_range("f", np.array([whole, whole + 1]), "t", unit)
        assert ns.tolist() == [whole * factor, (whole + 1) * factor]
        assert not none.any()
        assert moment("t", whole, unit) == whole * factor
        for edge, inside in ((FIRST, True), (FIRST - 1, False), (END, False), (END - factor, True)):
            if inside:
                in_range("f", np.array([edge // factor]), "t", unit)
            else:
                with pytest.raises(DataError):
                    in_range("f", np.array([edge // factor]), "t", unit)
    ns, none = in_range("f", np.array([math.nan, ERA + 0.25]), "t", "ms")
    assert (ns.tolist(), none.tolist()) == ([0, ERA_NS + 250_000], [True, False])
