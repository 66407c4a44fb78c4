"""Every kind of damage is found, named and weighed."""

from __future__ import annotations

from dataclasses import replace
from pathlib import Path
from typing import Any

import pytest
from catalogue_cases import START, forecast, market, overwrite, price, write_rows

from polyframe.domain.units import DAY, HOUR
from polyframe.errors import DataError
from polyframe.store.catalogue import Catalogue
from polyframe.store.checking import CheckReport, check_catalogue
from polyframe.store.findings import Severity
from polyframe.store.importing import import_files
from polyframe.store.unquoted import DEFAULT_RULES

MARKETS = [
    market(1, winner=0, resolved_at=START + 11 * DAY),
    market(2, winner=1, resolved_at=START + 11 * DAY),
]
PRICES = [
    price(f"y{n}", h, p + 150 * (h % 3)) for h in range(12) for n, p in ((1, 9000), (2, 1000))
]


def build(path: Path, **kinds: list[dict[str, Any]]) -> Catalogue:
    for kind, rows in kinds.items():
        file = write_rows(path.parent / f"{kind}.parquet", rows)
        import_files(kind, [file], path, source="rec")
    return Catalogue.open(path)


def findings(report: CheckReport, *severities: Severity) -> set[tuple[str, str, int]]:
    wanted = severities or (Severity.ERROR, Severity.WARNING)
    return {(f.check, f.market, f.rows) for f in report.findings if f.severity in wanted}


def stored_price(token: str = "y1", hour: int = 0, **changed: Any) -> dict[str, Any]:
    row = price(token, hour)
    return {
        **row, "market_id": f"m{token[1:]}", "flag": 0, "source": "rec", "known_at": row["ts"],
        **changed,
    }  # fmt: skip


def test_a_sound_catalogue_has_no_findings(tmp_path: Path) -> None:
    catalogue = build(
        tmp_path / "cat", markets=MARKETS, prices=PRICES, forecasts=[forecast("m1"), forecast("m2")]
    )
    report = check_catalogue(catalogue)
    assert findings(report, *Severity) == set()
    assert (report.files, report.errors) == (3, 0)
    assert (report.unquoted[0].rows, report.unquoted[0].unquoted) == (24, 0)


@pytest.mark.parametrize(
    ("rows", "expected"),
    [
        ([stored_price(hour=1), stored_price(hour=0)], ("unsorted times", "m1", 1)),
        ([stored_price(), stored_price(price=10_001, hour=1)], ("price out of range", "m1", 1)),
        ([stored_price(price=-1)], ("price out of range", "m1", 1)),
        ([stored_price(), stored_price(price=7001)], ("duplicate price", "m1", 1)),
        ([stored_price(), stored_price(hour=1, price=None)], ("missing value", "m1", 1)),
    ],
)
def test_damaged_prices_are_errors(
    tmp_path: Path, rows: list[dict[str, Any]], expected: tuple[str, str, int]
) -> None:
    catalogue = build(tmp_path / "cat", markets=MARKETS, prices=PRICES)
    overwrite(catalogue.files("prices")[0], "prices", rows)
    report = check_catalogue(Catalogue.open(tmp_path / "cat"))
    found = findings(report, Severity.ERROR)
    assert expected in found
    assert ("changed file", "", 1) in found
    assert report.errors == len(found)


def test_impossible_prices_never_reach_a_backtest(tmp_path: Path) -> None:
    catalogue = build(tmp_path / "cat", markets=MARKETS, prices=PRICES)
    for broken, told in (({"price": 10_001}, "10001"), ({"price": None}, "without price")):
        overwrite(catalogue.files("prices")[0], "prices", [stored_price(**broken)])
        with pytest.raises(DataError, match=told) as caught:
            catalogue.prices(catalogue.markets())
        assert "polyframe data check" in str(caught.value)


def test_unsorted_files_are_read_in_order(tmp_path: Path) -> None:
    catalogue = build(tmp_path / "cat", markets=MARKETS, prices=PRICES)
    rows = [stored_price(hour=h, price=7000 + h) for h in (5, 1, 3)]
    overwrite(catalogue.files("prices")[0], "prices", rows)
    assert catalogue.prices(catalogue.markets()).price.tolist() == [7001, 7003, 7005]


@pytest.mark.parametrize(
    ("changes", "expected"),
    [
        ([{"winner": None, "resolution": None}], ("no outcome", "m1", 1)),
        ([{"opened": START + 11 * DAY}], ("start after end", "m1", 1)),
        ([{}, {}], ("duplicate market", "m1", 1)),
        ([{}, {"market_id": "m9"}], ("shared token", "m9", 1)),
        ([{"resolution": "guess"}], ("impossible market", "m1", 1)),
        ([{"group": "g", "group_kind": "ladder"}], ("no strike", "m1", 1)),
        (
            [
                {"group": "g", "group_kind": "ladder", "strike": 1.0, "winner": 1},
                {"group": "g", "group_kind": "ladder", "strike": 2.0, "winner": 0,
                 "market_id": "m9", "token_0": "y9", "token_1": "n9"},
            ],
            ("outcome breaks ladder", "m9", 1),
        ),
        (
            [
                {"group": "g", "group_kind": "exclusive"},
                {"group": "g", "group_kind": "independent",
                 "market_id": "m9", "token_0": "y9", "token_1": "n9"},
            ],
            ("mixed group", "m9", 1),
        ),
        (
            [
                {"group": "g", "group_kind": "exclusive"},
                {"group": "g", "group_kind": "exclusive",
                 "market_id": "m9", "token_0": "y9", "token_1": "n9"},
            ],
            ("several winners", "m9", 1),
        ),
    ],
)  # fmt: skip
def test_damaged_markets(
    tmp_path: Path, changes: list[dict[str, Any]], expected: tuple[str, str, int]
) -> None:
    catalogue = build(tmp_path / "cat", markets=MARKETS)
    stored = MARKETS[0] | {"source": "rec", "known_at": 0, "resolution": "winner"}
    overwrite(catalogue.files("markets")[0], "markets", [stored | change for change in changes])
    assert expected in findings(check_catalogue(Catalogue.open(tmp_path / "cat")))


def test_an_outcome_against_the_last_trusted_price(tmp_path: Path) -> None:
    # m1 ended YES. Its last price says so, but nobody stood behind it: 0.02 does not expect YES.
    rows = [price("y1", h, 150 + 20 * h) for h in range(10)]
    rows += [price("y1", 10 + h, 5000) for h in range(6)]
    report = check_catalogue(build(tmp_path / "cat", markets=MARKETS, prices=rows))
    (found,) = [f for f in report.findings if f.check == "outcome against price"]
    assert (found.market, found.severity) == ("m1", Severity.WARNING)
    assert "ended YES, last trusted price of YES 0.033" in found.message


def test_lives_and_gaps(tmp_path: Path) -> None:
    rows = [
        price("y1", -1, 9000), price("y1", 0, 9100), price("y1", 20, 9000), price("y1", 241, 9900),
        price("zz", 0, 9000),
    ]  # fmt: skip
    report = check_catalogue(build(tmp_path / "cat", markets=MARKETS, prices=rows))
    assert findings(report, *Severity) == {
        ("price before opening", "m1", 1),
        ("price after close", "m1", 1),
        ("gap", "m1", 2),
        ("unknown market", "zz", 1),
    }


def test_forecasts_after_the_end_and_of_strangers(tmp_path: Path) -> None:
    late = [forecast("m1"), forecast("m1", 300), forecast("m1", 301), forecast("m7")]
    catalogue = build(tmp_path / "cat", forecasts=late, markets=MARKETS)
    assert findings(check_catalogue(catalogue)) == {
        ("forecast after end", "m1", 2),
        ("unknown market", "m7", 1),
    }


def test_damaged_trades(tmp_path: Path) -> None:
    good = {"token": "y1", "ts": START, "side": "buy", "price": 5100, "size": 1_000_000}
    catalogue = build(tmp_path / "cat", markets=MARKETS, trades=[good])
    stored = good | {"source": "rec", "known_at": START, "wallet": "", "trade": ""}
    bad = [stored | {"ts": START + HOUR}, stored, stored, stored | {"size": 0, "price": 20_000}]
    overwrite(catalogue.files("trades")[0], "trades", bad)
    assert {f for f, _, _ in findings(check_catalogue(catalogue))} == {
        "changed file", "unsorted times", "duplicate trade", "no size", "price out of range",
    }  # fmt: skip


def test_missing_damaged_and_foreign_files(tmp_path: Path) -> None:
    catalogue = build(tmp_path / "cat", markets=MARKETS, prices=PRICES, forecasts=[forecast()])
    catalogue.files("prices")[0].write_bytes(b"no parquet")
    catalogue.files("forecasts")[0].unlink()
    write_rows(tmp_path / "cat" / "trades" / "other.parquet", [{"a": 1}])
    report = check_catalogue(Catalogue.open(tmp_path / "cat"))
    assert {(f.check, f.file) for f in report.findings} == {
        ("unreadable", "prices/rec.parquet"),
        ("missing file", "forecasts/rec.parquet"),
        ("unreadable", "trades/other.parquet"),
    }
    assert report.errors == 3


def test_stale_flags_are_found_and_rewritten(tmp_path: Path) -> None:
    rows = [price("y1", h, 5000) for h in range(3)] + [price("y1", h, 9000) for h in range(3, 7)]
    catalogue = build(tmp_path / "cat", markets=MARKETS, prices=rows)
    kept = catalogue.frame("prices")["flag"].tolist()
    assert catalogue.reflag(replace(DEFAULT_RULES, near_rows=0)) == {"prices/rec.parquet": 3}
    report = check_catalogue(Catalogue.open(tmp_path / "cat"))
    assert findings(report) == {("stale flags", "m1", 3)}
    report = check_catalogue(Catalogue.open(tmp_path / "cat"), write=True)
    assert report.reflagged == {"prices/rec.parquet": 3}
    assert findings(report) == set()
    assert Catalogue.open(tmp_path / "cat").frame("prices")["flag"].tolist() == kept


def test_a_changed_file_is_never_rewritten(tmp_path: Path) -> None:
    catalogue = build(tmp_path / "cat", markets=MARKETS, prices=PRICES)
    file = catalogue.files("prices")[0]
    overwrite(file, "prices", [stored_price(hour=h, price=5000) for h in range(3)])
    before = file.read_bytes()
    report = check_catalogue(Catalogue.open(tmp_path / "cat"), write=True)
    assert (report.reflagged, report.errors) == ({}, 1)
    assert file.read_bytes() == before
