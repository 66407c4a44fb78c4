"""The worked mappings against the real recordings, where they are at hand."""

from __future__ import annotations

import re
import time
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

HOUR = 3_600_000_000_000


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


def test_flagged_prices_disagree_with_options_and_the_others_agree(stocks: Catalogue) -> None:
    markets = stocks.markets()
    prices = stocks.prices(markets)
    names = np.array([m.id for m in markets])
    rows = pd.DataFrame(
        {"market": names[prices.market], "hour": prices.ts // HOUR, "p": prices.price / 1e4,
         "dead": (prices.flag & UNQUOTED) != 0}
    )  # fmt: skip
    options = pd.DataFrame(
        [(f.market, f.as_of // HOUR, f.probability) for f in stocks.forecasts().rows],
        columns=["market", "hour", "option"],
    )
    both = rows.merge(options, on=["market", "hour"])
    away = (both["p"] - both["option"]).abs()
    assert len(both) == 734
    assert away[~both["dead"]].median() < 0.05
    assert away[both["dead"]].median() > 0.20
    assert (away[~both["dead"]] > 0.25).mean() < 0.05
    assert (away[both["dead"]] < 0.05).mean() < 0.20
    assert both["dead"].mean() < 0.5


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
