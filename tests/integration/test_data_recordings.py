"""The worked mappings against the real recordings, where they are at hand."""

from __future__ import annotations

import re
import time
from dataclasses import replace
from pathlib import Path

import numpy as np
import pandas as pd
import pytest

from polyframe.cli.main import main
from polyframe.domain.market import GroupKind
from polyframe.domain.quality import UNQUOTED, Flag
from polyframe.errors import LookaheadError
from polyframe.store.catalogue import Catalogue
from polyframe.store.checking import check_catalogue
from polyframe.store.flagging import flag_frame
from polyframe.store.importing import import_files
from polyframe.store.unquoted import DEFAULT_RULES

SECOND = 1_000_000_000
HOUR = 3_600 * SECOND


@pytest.fixture(scope="module")
def recordings(shared: Path) -> Path:
    folder = shared / "data"
    if not (folder / "polymarket" / "prices_1h.parquet").is_file():
        pytest.skip("../shared/data/polymarket is absent")
    return folder


@pytest.fixture(scope="module")
def stocks(recordings: Path, root: Path, tmp_path_factory: pytest.TempPathFactory) -> Catalogue:
    into = tmp_path_factory.mktemp("stocks") / "cat"
    maps = root / "docs" / "mappings"
    for kind, file, mapping in (
        ("markets", "markets", "stock_markets"),
        ("prices", "prices_1h", "stock_prices"),
        ("forecasts", "option_implied", "option_implied"),
    ):
        path = recordings / "polymarket" / f"{file}.parquet"
        report = import_files(kind, [path], into, mapping=maps / f"{mapping}.json")
        assert report.set_aside_file is None
    return Catalogue.open(into)


def test_every_strike_is_read_from_its_slug(stocks: Catalogue) -> None:
    markets = stocks.markets()
    assert len(markets) == 1422
    for market in markets:
        text = re.search(r"-above-(.+)-on-", market.slug)
        assert text is not None
        assert market.strike == float(text[1].replace("pt", "."))
    groups = stocks.groups()
    assert len(groups) == 119
    assert {g.kind for g in groups} == {GroupKind.LADDER}
    strikes = {m.id: m.strike or 0.0 for m in markets}
    for group in groups:
        ladder = [strikes[m] for m in group.markets]
        assert ladder == sorted(set(ladder))


def test_the_outcome_is_known_two_hours_after_the_expiry_day(stocks: Catalogue) -> None:
    closes = {m.id: m.closes for m in stocks.markets()}
    found = stocks.resolutions()
    assert len(found) == 1295
    assert {r.known_at - closes[m] for m, r in found.items()} == {2 * HOUR}


def test_forecasts_are_called_what_they_are(stocks: Catalogue) -> None:
    table = stocks.forecasts()
    assert len(table) == 959
    assert table.sources() == ("option-implied",)
    assert {f.latency for f in table.rows} == {60_000_000_000}
    priced = set(stocks.frame("prices")["market_id"])
    assert len(priced & set(table.markets())) == 313


REPORTED = {
    ("nvda", "2025-11-19"),
    ("meta", "2026-01-28"),
    ("msft", "2026-01-28"),
    ("aapl", "2026-01-29"),
    ("pltr", "2026-02-02"),
    ("googl", "2026-02-04"),
    ("amzn", "2026-02-05"),
}
"""Evenings on which a company's results came out after the close."""


@pytest.fixture(scope="module")
def nights(stocks: Catalogue) -> pd.DataFrame:
    """Rows from the close to 12 hours after it with the option-implied probability at the close.

    ``row`` is the place of the price in the catalogue's table, ``away`` the distance of the two.
    """
    prices = stocks.frame("prices").reset_index(drop=True)
    rows = pd.DataFrame(
        {"market": prices["market_id"].astype(object), "ts": prices["ts"].astype("int64"),
         "p": prices["price"].astype("int64") / 1e4, "row": prices.index}
    )  # fmt: skip
    options = pd.DataFrame(
        [(f.market, f.as_of, f.probability) for f in stocks.forecasts().rows],
        columns=["market", "as_of", "option"],
    )
    slugs = {market.id: market.slug for market in stocks.markets()}
    both = rows.merge(options, on="market")
    # Rows are labelled a second before the full hour.
    after = both["ts"] + SECOND - both["as_of"]
    both = both[(after >= 0) & (after <= 12 * HOUR)]
    share = both["market"].map(slugs).str.split("-").str[0]
    day = pd.to_datetime(both["as_of"]).dt.strftime("%Y-%m-%d")
    told = [pair in REPORTED for pair in zip(share, day, strict=True)]
    both = both[~np.array(told)]
    return both.assign(away=(both["p"] - both["option"]).abs())


def percent(share: float, digits: int = 0) -> str:
    return f"{share * 100:.{digits}f} %"


def test_flagged_prices_disagree_with_options_and_the_others_agree(
    stocks: Catalogue, nights: pd.DataFrame, root: Path
) -> None:
    text = (root / "docs" / "data.md").read_text()
    flags = stocks.frame("prices")["flag"].to_numpy(np.uint8)
    dead = (flags[nights["row"]] & UNQUOTED) != 0
    for name, which in (("flagged unquoted", dead), ("the rest", ~dead)):
        found = nights[which]
        count = found.groupby(["market", "as_of"]).ngroups
        away = found["away"]
        row = f"| {name} | {len(found):,} | {count} | {away.median():.3f} | "
        row += " | ".join(percent(s) for s in (
            (away < 0.05).mean(), (away > 0.15).mean(), (away > 0.25).mean()
        ))  # fmt: skip
        assert f"{row} |" in text
    away = nights["away"]
    assert away[~dead].median() < 0.05 < 0.12 < away[dead].median()


def test_the_documented_comparison_at_the_close_is_the_computed_one(
    stocks: Catalogue, root: Path
) -> None:
    text = (root / "docs" / "data.md").read_text()
    prices = stocks.frame("prices")
    rows = pd.DataFrame(
        {"market": prices["market_id"].astype(object), "hour": prices["ts"] // HOUR,
         "p": prices["price"] / 1e4, "flag": prices["flag"].astype("int64")}
    )  # fmt: skip
    options = pd.DataFrame(
        [(f.market, f.as_of // HOUR, f.probability) for f in stocks.forecasts().rows],
        columns=["market", "hour", "option"],
    )
    both = rows.merge(options, on=["market", "hour"])
    assert len(both) == 734
    away = (both["p"] - both["option"]).abs().astype("float64")
    flag = both["flag"].to_numpy(np.int64)
    dead = (flag & int(UNQUOTED)) != 0
    for name, which in (("flagged unquoted", dead), ("the rest", ~dead)):
        found = away[which]
        near = percent((found < 0.05).mean())
        row = f"{len(found)} | {found.median():.3f} | {near} | {(found > 0.25).sum()} |"
        assert f"| {name} | {row}" in text
    for kind in (Flag.LEADING, Flag.FLAT, Flag.RELAPSE, Flag.LADDER, Flag.SPIKE, Flag.NEAR):
        median = away[(flag & kind) != 0].median()
        assert re.search(rf"^\| {kind.name} \|.* \| {median:.3f} \|$", text, re.MULTILINE)


WITHOUT = {
    "FLAT, narrow": {"flat_for": 10**5 * HOUR},
    "FLAT, wide": {"still_for": 10**5 * HOUR},
    "FLAT, resting": {"rest_for": 10**5 * HOUR},
    "FLAT, adjoining": {"adjoin_band": -1},
    "RELAPSE": {"relapse_jump": 10**6},
    "SPIKE, empty side": {"spike_bands": ()},
    "SPIKE, island": {"island_rows": 0},
    "LADDER": {"ladder_slack": 10_000},
}


@pytest.mark.parametrize("name", WITHOUT)
def test_what_a_rule_finds_alone_is_as_documented(
    stocks: Catalogue, nights: pd.DataFrame, root: Path, name: str
) -> None:
    text = (root / "docs" / "data.md").read_text()
    prices, markets = stocks.frame("prices"), stocks.frame("markets")
    rules = replace(DEFAULT_RULES, **WITHOUT[name])
    dead = (prices["flag"].to_numpy(np.uint8) & UNQUOTED) != 0
    freed = dead & ((flag_frame(prices, markets, rules) & UNQUOTED) == 0)
    away = nights["away"][freed[nights["row"]]]
    row = f"| {name} | {freed.sum():,} | {len(away)} | {away.median():.3f} | "
    assert row + percent((away > 0.15).mean()) + " |" in text


def test_the_documented_figures_are_the_computed_ones(stocks: Catalogue, root: Path) -> None:
    text = (root / "docs" / "data.md").read_text()
    frame = stocks.frame("prices")
    flags = frame["flag"].to_numpy(np.uint8)
    few = frame["market_id"].isin(stocks.forecasts().markets()).to_numpy(bool)
    for flag in (Flag.LEADING, Flag.FLAT, Flag.RELAPSE, Flag.LADDER, Flag.SPIKE, Flag.NEAR):
        has = (flags & flag) != 0
        markets = frame["market_id"][has].nunique()
        share = f"{has.mean() * 100:.1f} %"
        row = f"| {flag.name} | {has.sum():,} | {share} | {markets:,} | {(has & few).sum():,} |"
        assert row in text
    dead = (flags & UNQUOTED) != 0
    assert (
        f"| any of these | {dead.sum():,} | {dead.mean() * 100:.1f} % | | {(dead & few).sum():,}"
        in text
    )


def test_all_prices_are_judged_in_seconds(stocks: Catalogue) -> None:
    prices, markets = stocks.frame("prices"), stocks.frame("markets")
    start = time.perf_counter()
    flags = flag_frame(prices, markets)
    spent = time.perf_counter() - start
    assert flags.tolist() == prices["flag"].tolist()
    assert spent < 20  # about 0.4 s on an idle machine


def test_the_recording_has_no_errors(stocks: Catalogue) -> None:
    report = check_catalogue(stocks)
    assert report.errors == 0
    counts = {check: sum(f.check == check for f in report.findings) for check in ("no outcome",)}
    assert counts == {"no outcome": 127}


def test_forecasts_made_after_the_fact_are_refused(
    recordings: Path, root: Path, tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    file = recordings / "forecasts" / "llm_polymarket_gpt4o.parquet"
    mapping = root / "docs" / "mappings" / "llm_gpt4o.json"
    with pytest.raises(LookaheadError, match=r"185 of 192 forecasts of 'gpt-4o'"):
        import_files("forecasts", [file], tmp_path / "cat", mapping=mapping)
    args = ["data", "import", "forecasts", str(file), "--map", str(mapping)]
    assert main([*args, "--into", str(tmp_path / "cat")]) == 3
    assert "made after their market ended" in capsys.readouterr().err.replace("\n", " ")
    assert not (tmp_path / "cat").exists()
