"""A symbol of another venue, from its streams to a backtest."""

from __future__ import annotations

import json
from pathlib import Path

import msgspec
import pyarrow as pa
import pyarrow.parquet as pq
import pytest

from polyframe.cli.main import main
from polyframe.errors import DataError
from polyframe.store.catalogue import Catalogue
from polyframe.store.tape_rows import TapeKind
from polyframe.store.tape_symbols import Symbol, symbol_rows

START = 1_785_000_000_000_000_000
SECOND = 1_000_000_000
RULES = [
    "--market",
    "BTCUSDT",
    "--tick",
    "0.1",
    "--lot",
    "0.001",
    "--price-decimals",
    "1",
    "--size-decimals",
    "3",
]
CONFIG = {
    "version": 1,
    "account": {"cash": "100000"},
    "strategies": [{"use": "MarketMaker", "config": {"size": 500, "capital": 5000}}],
    "protections": [
        {"use": "PriceBand", "enabled": False},
        {"use": "Timeline", "enabled": False},
        {"use": "MaxStake", "config": {"stake": 20000}},
    ],
}


@pytest.fixture
def desk(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Path:
    monkeypatch.chdir(tmp_path)
    rows = [
        (START + n * SECOND, START + n * SECOND, n, side, 64_000 - side * (0.1 + k), 1.5, n == 0)
        for n in range(120)
        for side in (1, -1)
        for k in range(3)
    ]
    names = ("recv_ns", "exch_ns", "update_id", "side", "price", "qty", "is_snapshot")
    columns = dict(zip(names, zip(*rows, strict=True), strict=True))
    pq.write_table(pa.table({name: list(values) for name, values in columns.items()}), "d.parquet")
    Path("symbol.json").write_text(json.dumps(CONFIG))
    return tmp_path


def test_a_symbol_of_few_decimals_is_quoted_in_a_backtest(desk: Path, capsys) -> None:
    words = ["data", "import", "tape", "d.parquet", "--format", "binance", "--into", "cat"]
    assert main([*words, *RULES]) == 0
    catalogue = Catalogue.open("cat")
    (market,) = catalogue.markets()
    # 64,000.1 times 0.001 has four decimals, money has six.
    assert (market.price_decimals, market.size_decimals) == (1, 5)
    assert (market.show_price(market.tick), market.show_size(market.lot)) == ("0.1", "0.001")
    tape = catalogue.tape("d")
    levels = tape.column("kind") == TapeKind.LEVEL
    assert set(tape.column("size")[levels].tolist()) == {150_000}
    assert market.show_size(150_000) == "1.5"
    capsys.readouterr()
    words = ["backtest", "-c", "symbol.json", "--data", "cat", "--tape", "d", "--no-robust"]
    assert main([*words, "--json"]) == 0
    report = json.loads(capsys.readouterr().out)
    assert report["making"]["orders"]["accepted"] > 0
    # The same rules once more are those that stand.
    words = ["data", "import", "tape", "d.parquet", "--format", "binance", "--into", "cat"]
    assert main([*words, *RULES, "--source", "two"]) == 0


def test_a_symbol_that_an_earlier_version_kept_in_too_few_decimals(desk: Path, capsys) -> None:
    made = Symbol("0.1", "0.001", 1, 3).market("BTCUSDT")
    old = msgspec.structs.replace(made, size_decimals=3, lot=1, min_size=1)
    Catalogue.create("cat").write_markets(symbol_rows(old, "me"), {"file": "", "rows": 1})
    words = ["data", "import", "tape", "d.parquet", "--format", "binance", "--into", "cat"]
    for rules in (RULES, RULES[:2]):
        assert main([*words, *rules]) == 2
        error = " ".join(capsys.readouterr().err.split())
        assert "market BTCUSDT is in the catalogue with 1 price and 3 size decimals" in error
        assert "at least 6 of both" in error
        assert "--into DIR" in error
    with pytest.raises(DataError, match="market BTCUSDT: price decimals 1") as refused:
        _ = old.divisor
    assert refused.value.expected


def test_a_table_of_markets_with_too_few_decimals_is_set_aside(desk: Path, capsys) -> None:
    names = (
        "market_id,question,token_0,outcome_0,venue,tick,lot,price_decimals,size_decimals,closes"
    )
    Path("m.csv").write_text(f"{names}\nB,Coin?,B,Asset,binance,0.1,0.001,1,3,0\n")
    columns = {name: name for name in names.split(",")} | {
        "closes": {"from": "closes", "unit": "ns"}
    }
    Path("m.json").write_text(json.dumps({"kind": "markets", "source": "me", "columns": columns}))
    assert main(["data", "import", "markets", "m.csv", "--map", "m.json", "--into", "cat"]) == 3
    told = capsys.readouterr()
    assert "fewer than 6 price and size decimals together" in told.out + told.err
