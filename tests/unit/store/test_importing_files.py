"""Foreign files become catalogue rows; what is bad is set aside or refused."""

from __future__ import annotations

import json
import math
from pathlib import Path
from typing import Any

import pandas as pd
import pyarrow.parquet as pq
import pytest
from catalogue_cases import START, forecast, market, price, write_map, write_rows
from hypothesis import given
from hypothesis import strategies as st

from polyframe.domain.units import DAY, HOUR
from polyframe.errors import ConfigError, DataError, LookaheadError, UserError
from polyframe.store.catalogue import Catalogue
from polyframe.store.converting import convert
from polyframe.store.importing import ImportReport, import_files
from polyframe.store.mapping import Mapping

PRICE_MAP = {
    "token": "asset",
    "ts": {"from": "t", "unit": "s"},
    "price": "p",
}


def snapshot(folder: Path) -> dict[str, bytes]:
    return {str(p.relative_to(folder)): p.read_bytes() for p in folder.rglob("*") if p.is_file()}


def aside(report: ImportReport) -> list[tuple[Any, ...]]:
    assert report.set_aside_file is not None
    frame = pd.read_parquet(report.set_aside_file)
    return [tuple(row) for row in frame[["file", "row", "reason"]].itertuples(index=False)]


def test_bad_prices_are_set_aside_with_row_and_reason(tmp_path: Path) -> None:
    rows = [
        {"asset": "y1", "t": 1_767_225_600, "p": 0.61},
        {"asset": "y1", "t": 1_767_225_601, "p": math.nan},
        {"asset": "y1", "t": 1_767_225_602, "p": 1.01},
        {"asset": "y1", "t": 1_767_225_603, "p": -0.01},
        {"asset": None, "t": 1_767_225_604, "p": 0.5},
        {"asset": "y1", "t": None, "p": 0.5},
        {"asset": "y1", "t": 1_767_225_600, "p": 0.62},
        {"asset": "y1", "t": 1_767_225_600, "p": 0.61},
        {"asset": "y1", "t": 1_767_225_605, "p": math.inf},
    ]
    mapping = write_map(tmp_path / "map.json", "prices", PRICE_MAP)
    file = write_rows(tmp_path / "p.parquet", rows)
    report = import_files("prices", [file], tmp_path / "cat", mapping=mapping)
    assert aside(report) == [
        ("p.parquet", 2, "missing price"),
        ("p.parquet", 3, "price outside [0, 1]"),
        ("p.parquet", 4, "price outside [0, 1]"),
        ("p.parquet", 5, "missing token"),
        ("p.parquet", 6, "missing ts"),
        ("p.parquet", 7, "duplicate key with another value"),
        ("p.parquet", 9, "unreadable price"),
    ]
    (done,) = report.files
    assert (done.rows, done.added, done.same, sum(done.set_aside.values())) == (9, 1, 1, 7)
    frame = Catalogue.open(tmp_path / "cat").frame("prices")
    assert frame["price"].tolist() == [6100]
    assert frame["known_at"].tolist() == [START]


@pytest.mark.parametrize(
    ("changed", "reason"),
    [
        ({"opened": START + 20 * DAY}, "start after end"),
        ({"token_1": "y2"}, "same token twice"),
        ({"market_id": ""}, "missing market_id"),
        ({"question": None}, "missing question"),
        ({"group_kind": "pyramid"}, "unknown group_kind"),
        ({"group_kind": "ladder", "group": "g"}, "ladder market without strike"),
        ({"winner": 2, "resolved_at": START}, "winner is neither 0 nor 1"),
        ({"winner": 0}, "resolved, but not since when"),
        ({"resolution": "lost", "resolved_at": START}, "unknown resolution"),
        ({"tick": "0.00001"}, "tick too fine"),
        ({"tick": "abc"}, "unreadable tick"),
        ({"min_size": "0"}, "min_size out of range"),
    ],
)
def test_impossible_markets_are_set_aside(
    tmp_path: Path, changed: dict[str, Any], reason: str
) -> None:
    file = write_rows(tmp_path / "m.parquet", [market(1), market(2, **changed)])
    report = import_files("markets", [file], tmp_path / "cat")
    assert aside(report) == [("m.parquet", 2, reason)]
    assert [m.id for m in Catalogue.open(tmp_path / "cat").markets()] == ["m1"]


def test_a_market_without_an_outcome_is_kept_open(tmp_path: Path) -> None:
    row = market(1, winner=None, resolution="winner", resolved_at=START + DAY)
    import_files("markets", [write_rows(tmp_path / "m.parquet", [row])], tmp_path / "cat")
    catalogue = Catalogue.open(tmp_path / "cat")
    assert len(catalogue.markets()) == 1
    assert catalogue.resolutions() == {}


@pytest.mark.parametrize(
    ("changed", "reason"),
    [
        ({"side": "hold"}, "side is neither buy nor sell"),
        ({"size": 0}, "size not above zero"),
        ({"known_at": START - 1}, "known before it happened"),
    ],
)
def test_impossible_trades_are_set_aside(
    tmp_path: Path, changed: dict[str, Any], reason: str
) -> None:
    good = {
        "token": "y1", "ts": START, "side": "BUY", "price": 5100, "size": 1_000_000,
        "known_at": START, "wallet": "w", "trade": "x",
    }  # fmt: skip
    file = write_rows(
        tmp_path / "t.parquet", [good, {**good, "ts": START + 1, "known_at": START + 1, **changed}]
    )
    report = import_files("trades", [file], tmp_path / "cat")
    assert aside(report) == [("t.parquet", 2, reason)]
    assert Catalogue.open(tmp_path / "cat").frame("trades")["side"].tolist() == ["buy"]


def test_importing_again_changes_no_byte(tmp_path: Path) -> None:
    cat = tmp_path / "cat"
    files = {
        "markets": write_rows(tmp_path / "m.parquet", [market(1), market(1, closes=START + DAY)]),
        "prices": write_rows(tmp_path / "p.parquet", [price(hour=h) for h in (3, 1, 2)]),
        "forecasts": write_rows(tmp_path / "f.parquet", [forecast()]),
    }
    for kind, file in files.items():
        import_files(kind, [file], cat)
    before = snapshot(cat)
    for kind, file in files.items():
        report = import_files(kind, [file], cat)
        assert report.files[0].added == 0
        assert report.imported == report.files[0].same > 0
    assert snapshot(cat) == before
    assert Catalogue.open(cat).frame("prices")["ts"].is_monotonic_increasing


def test_an_outcome_arrives_from_the_same_source_only(tmp_path: Path) -> None:
    cat = tmp_path / "cat"
    open_ = write_rows(tmp_path / "a.parquet", [market(1)])
    ended = write_rows(tmp_path / "b.parquet", [market(1, winner=0, resolved_at=START + 11 * DAY)])
    import_files("markets", [open_], cat, source="s")
    with pytest.raises(DataError, match="duplicate key with another value"):
        import_files("markets", [ended], cat, source="other")
    assert Catalogue.open(cat).resolutions() == {}
    assert import_files("markets", [ended], cat, source="s").files[0].replaced == 1
    assert Catalogue.open(cat).resolutions()["m1"].payouts == (1_000_000, 0)


def test_flags_do_not_depend_on_what_was_imported_first(tmp_path: Path) -> None:
    markets = write_rows(
        tmp_path / "m.parquet",
        [market(n, group="g", group_kind="ladder", strike=float(n)) for n in (1, 2, 3)],
    )
    rows = [price(f"y{n}", h, p) for h in range(4) for n, p in ((1, 9000), (2, 1500), (3, 8000))]
    prices = write_rows(tmp_path / "p.parquet", rows)
    for cat, order in (("x", ("markets", "prices")), ("y", ("prices", "markets"))):
        for kind in order:
            file = markets if kind == "markets" else prices
            import_files(kind, [file], tmp_path / cat)
    x, y = (Catalogue.open(tmp_path / c).frame("prices") for c in "xy")
    assert x["flag"].tolist() == y["flag"].tolist()
    assert (x["flag"] != 0).any()


def test_forecasts_made_after_the_end_write_nothing(tmp_path: Path) -> None:
    cat = tmp_path / "cat"
    rows = [
        {"id": "m1", "at": START, "end": START + HOUR, "p": 0.5},
        {"id": "m2", "at": START, "end": START - HOUR, "p": 0.5},
    ]
    mapping = write_map(
        tmp_path / "map.json",
        "forecasts",
        {
            "market_id": "id",
            "as_of": {"from": "at", "unit": "ns"},
            "closes": {"from": "end", "unit": "ns"},
            "probability": "p",
        },
    )
    file = write_rows(tmp_path / "f.parquet", rows)
    with pytest.raises(LookaheadError, match=r"1 of 2 forecasts of 'test'.*market m2"):
        import_files("forecasts", [file], cat, mapping=mapping)
    assert not cat.exists()


def test_what_makers_say_of_their_forecasts_comes_along(tmp_path: Path) -> None:
    rows = [
        {"m": "m1", "t": START, "p": 0.6, "sure": " high ", "q": 0.75, "lo": 0.5, "hi": 0.7},
        {"m": "m1", "t": START + 1, "p": 0.6, "sure": None, "q": None, "lo": None, "hi": None},
        {"m": "m1", "t": START + 2, "p": 0.6, "sure": "very", "q": 0.5, "lo": None, "hi": None},
        {"m": "m1", "t": START + 3, "p": 0.6, "sure": "LOW", "q": 1.5, "lo": None, "hi": None},
        {"m": "m1", "t": START + 4, "p": 0.6, "sure": "LOW", "q": 0.5, "lo": 0.7, "hi": 0.6},
        {"m": "m1", "t": START + 5, "p": 0.6, "sure": "LOW", "q": 0.5, "lo": 0.0, "hi": 0.6},
    ]
    columns = {
        "market_id": "m", "as_of": {"from": "t", "unit": "ns"}, "probability": "p",
        "confidence": "sure", "evidence_quality": "q", "low": "lo", "high": "hi",
    }  # fmt: skip
    mapping = write_map(tmp_path / "map.json", "forecasts", columns, source="test")
    cat = tmp_path / "cat"
    import_files("markets", [write_rows(tmp_path / "m.parquet", [market()])], cat)
    file = write_rows(tmp_path / "f.parquet", rows)
    report = import_files("forecasts", [file], cat, mapping=mapping)
    assert [(row, reason) for _, row, reason in aside(report)] == [
        (3, "confidence is none of LOW, MEDIUM, HIGH"),
        (4, "evidence quality not from 0 to 1"),
        (5, "the interval's lower end is above its upper end"),
        (6, "low not between 0 and 1"),
    ]
    first, second = Catalogue.open(cat).forecasts().rows
    assert (first.confidence, first.evidence_quality, first.low, first.high) == (
        "HIGH", 0.75, 0.5, 0.7,
    )  # fmt: skip
    assert (second.confidence, second.evidence_quality, second.low) == ("", None, None)


def test_a_catalogue_from_before_these_columns_is_read_without_them(tmp_path: Path) -> None:
    cat = tmp_path / "cat"
    import_files("markets", [write_rows(tmp_path / "m.parquet", [market()])], cat)
    import_files("forecasts", [write_rows(tmp_path / "f.parquet", [forecast()])], cat)
    (file,) = Catalogue.open(cat).files("forecasts")
    later = ["confidence", "evidence_quality", "low", "high"]
    pq.write_table(pq.read_table(file).drop_columns(later), file)
    (found,) = Catalogue.open(cat).forecasts().rows
    assert (found.confidence, found.evidence_quality, found.low, found.high) == (
        "", None, None, None,
    )  # fmt: skip


def test_forecasts_are_checked_against_known_markets(tmp_path: Path) -> None:
    cat = tmp_path / "cat"
    import_files("markets", [write_rows(tmp_path / "m.parquet", [market(1)])], cat)
    before = snapshot(cat)
    file = write_rows(tmp_path / "f.parquet", [forecast(hour=0), forecast(hour=241)])
    with pytest.raises(LookaheadError):
        import_files("forecasts", [file], cat)
    assert snapshot(cat) == before


def test_a_certain_forecast_is_set_aside(tmp_path: Path) -> None:
    rows = [forecast(p=0.5), forecast("m2", p=1.0), forecast("m3", p=0.0)]
    report = import_files("forecasts", [write_rows(tmp_path / "f.parquet", rows)], tmp_path / "cat")
    assert report.files[0].set_aside == {"probability not between 0 and 1": 2}


def test_a_second_bad_file_leaves_the_first_unwritten(tmp_path: Path) -> None:
    good = write_rows(tmp_path / "a.parquet", [price()])
    bad = tmp_path / "b.parquet"
    bad.write_bytes(good.read_bytes()[:100])
    with pytest.raises(DataError, match=r"b\.parquet cannot be read as Parquet"):
        import_files("prices", [good, bad], tmp_path / "cat")
    assert not (tmp_path / "cat").exists()


def test_a_missing_file_is_the_persons_to_mend(tmp_path: Path) -> None:
    with pytest.raises(UserError, match="does not exist"):
        import_files("prices", [tmp_path / "no.parquet"], tmp_path / "cat")
    with pytest.raises(UserError, match="is a directory"):
        import_files("prices", [tmp_path], tmp_path / "cat")
    with pytest.raises(UserError, match="did you mean 'prices'"):
        import_files("price", [tmp_path], tmp_path / "cat")


def test_missing_columns_and_wrong_types_are_named(tmp_path: Path) -> None:
    mapping = write_map(tmp_path / "map.json", "prices", PRICE_MAP)
    file = write_rows(tmp_path / "p.parquet", [{"asset_": "y1", "t": 1, "p": 0.5}])
    with pytest.raises(DataError, match=r"no column asset; did you mean 'asset_'"):
        import_files("prices", [file], tmp_path / "cat", mapping=mapping)
    file = write_rows(tmp_path / "q.parquet", [{"token": "y1", "ts": START}])
    with pytest.raises(DataError, match="nothing gives price of prices"):
        import_files("prices", [file], tmp_path / "cat")
    file = write_rows(tmp_path / "r.parquet", [price(value=0.61)])
    with pytest.raises(DataError, match="column price has type Float64"):
        import_files("prices", [file], tmp_path / "cat")
    file = write_rows(tmp_path / "s.parquet", [{"asset": "y1", "t": 1, "p": [0.5]}])
    with pytest.raises(DataError, match="column p holds"):
        import_files("prices", [file], tmp_path / "cat", mapping=mapping)


def test_nothing_usable_is_an_error_that_counts_reasons(tmp_path: Path) -> None:
    mapping = write_map(tmp_path / "map.json", "prices", PRICE_MAP)
    file = write_rows(tmp_path / "p.parquet", [{"asset": "y1", "t": "noon", "p": 0.5}] * 2)
    with pytest.raises(DataError, match="2 x unreadable ts"):
        import_files("prices", [file], tmp_path / "cat", mapping=mapping)
    assert Catalogue.create(tmp_path / "cat").files("prices") == []
    filtered = write_map(
        tmp_path / "none.json", "prices", PRICE_MAP, filter=[{"column": "asset", "is": "z"}]
    )
    with pytest.raises(DataError, match="no row that passes the mapping's filters"):
        import_files("prices", [file], tmp_path / "cat", mapping=filtered)


@pytest.mark.parametrize(
    ("mapping", "message"),
    [
        ({"colums": {}}, "unknown key colums; did you mean 'columns'"),
        ({"columns": {"tokn": "a"}}, "columns.tokn is no column of prices; did you mean 'token'"),
        ({"columns": {"ts": {"from": "a", "unit": "sec"}}}, "unit 'sec'; did you mean 's'"),
        ({"columns": {"ts": {"from": "a", "units": "s"}}}, "columns.ts.units; did you mean 'unit'"),
        ({"columns": {"ts": {}}}, "exactly one of from, constant and format"),
        ({"columns": {"token": {"from": "a", "regex": "("}}}, "does not compile"),
        ({"columns": {"token": {"from": "a", "regex": "a"}}}, "has 0 groups"),
        ({"filter": [{"column": "a", "starts": "b"}]}, "did you mean 'startswith'"),
        ({"filter": [{"column": "a"}]}, "give a test"),
        ({"version": 2}, "version"),
        ({"kind": "markets"}, "is for markets, not prices"),
    ],
)
def test_a_wrong_mapping_is_explained(
    tmp_path: Path, mapping: dict[str, Any], message: str
) -> None:
    path = tmp_path / "map.json"
    path.write_text(json.dumps({"kind": "prices", "source": "s", "columns": {}, **mapping}))
    with pytest.raises(ConfigError) as caught:
        import_files("prices", [tmp_path / "p.parquet"], tmp_path / "cat", mapping=path)
    assert message in str(caught.value)


def converted(kind: str, rows: list[dict[str, Any]], **columns: Any) -> pd.DataFrame:
    mapping = Mapping.model_validate({"kind": kind, "source": "s", "columns": columns})
    return convert(pd.DataFrame(rows), mapping).frame


@pytest.mark.parametrize(
    ("value", "rule"),
    [
        (START // 10**6, {"unit": "ms"}),
        (float(START // 10**6), {"unit": "ms"}),
        (START // 10**9, {"unit": "s"}),
        (str(START // 10**9), {"unit": "s"}),
        ("2026-01-01T00:00:00+00:00", {"unit": "iso"}),
        ("2026-01-01 02:00:00+02:00", {"unit": "iso"}),
        ("20260101000000", {"unit": "%Y%m%d%H%M%S"}),
        (pd.Timestamp("2026-01-01"), {}),
        (pd.Timestamp("2026-01-01", tz="UTC"), {}),
        (START // 10**6 - 1500, {"unit": "ms", "offset_ms": 1500}),
    ],
)
def test_times_in_every_unit(value: Any, rule: dict[str, Any]) -> None:
    frame = converted("prices", [{"t": value}], ts={"from": "t", **rule})
    assert frame["ts"].tolist() == [START]


@given(st.integers(0, 2**62 // 10**6))
def test_milliseconds_are_exact_though_floats(ms: int) -> None:
    frame = converted("prices", [{"t": float(ms)}], ts={"from": "t", "unit": "ms"})
    assert frame["ts"].tolist() == [int(float(ms)) * 10**6]


@given(st.integers(0, 10_000))
def test_prices_survive_single_precision(price_: int) -> None:
    frame = pd.DataFrame({"p": pd.Series([price_ / 1e4], dtype="float32")})
    mapping = Mapping.model_validate({"kind": "prices", "source": "s", "columns": {"price": "p"}})
    assert convert(frame, mapping).frame["price"].tolist() == [price_]


def test_text_rules_in_their_order() -> None:
    frame = converted(
        "markets",
        [
            {"slug": "open-above-5pt5-on-may", "y": 1.0, "t": "OPEN"},
            {"slug": "x", "y": 0, "t": "X"},
        ],
        strike={"from": "slug", "regex": "above-([0-9pt]+)-on", "replace": {"pt": "."}},
        winner={"from": "y", "values": {"1": 0}, "default": 1},
        slug={"format": "{t}/{y}"},
        category={"constant": "finance"},
    )
    assert frame["strike"].tolist() == [5.5, pd.NA]
    assert frame["winner"].tolist() == [0, 1]
    assert frame["slug"].tolist() == ["OPEN/1", "X/0"]
    assert frame["category"].tolist() == ["finance"] * 2


def test_csv_needs_no_parquet(tmp_path: Path) -> None:
    file = tmp_path / "p.csv"
    file.write_text("asset,t,p\ny1,1767225600,0.61\ny1,1767225601,\n")
    mapping = write_map(tmp_path / "map.json", "prices", PRICE_MAP)
    report = import_files("prices", [file], tmp_path / "cat", mapping=mapping)
    assert report.files[0].added == 1
    assert report.files[0].set_aside == {"missing price": 1}
