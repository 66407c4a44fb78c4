"""A backtest on recorded weekly stock markets, from the files to the books, where they are at hand.

The recording is full of prices behind which nobody stood. Whoever trades on them looks rich; these
tests hold that against what the defaults say.
"""

from __future__ import annotations

import json
import re
from decimal import ROUND_CEILING, ROUND_FLOOR, Decimal
from functools import cache
from io import StringIO
from pathlib import Path
from typing import Any

import numpy as np
import pandas as pd
import pytest
from rich.console import Console

from polyframe.domain.quality import UNQUOTED
from polyframe.lab.backtest import Finished, run
from polyframe.lab.report import render
from polyframe.runtime.config import load_config
from polyframe.runtime.plugins import Registry
from polyframe.store.catalogue import Catalogue
from polyframe.store.importing import import_files

FILES = (
    ("markets", "markets", "stock_markets"),
    ("prices", "prices_1h", "stock_prices"),
    ("forecasts", "option_implied", "option_implied"),
)
MARKETS = 313


@pytest.fixture(scope="module")
def stocks(shared: Path, root: Path, tmp_path_factory: pytest.TempPathFactory) -> Catalogue:
    folder = shared / "data" / "polymarket"
    missing = [name for _, name, _ in FILES if not (folder / f"{name}.parquet").is_file()]
    if missing:
        pytest.skip(f"../shared/data/polymarket lacks {', '.join(missing)}")
    into = tmp_path_factory.mktemp("weekly") / "cat"
    for kind, name, mapping in FILES:
        file = root / "docs" / "mappings" / f"{mapping}.json"
        import_files(kind, [folder / f"{name}.parquet"], into, mapping=file)
    return Catalogue.open(into)


@pytest.fixture(scope="module")
def backtest(stocks: Catalogue, tmp_path_factory: pytest.TempPathFactory) -> Any:
    """Runs LLMForecast over the forecast markets with settings of the simulated exchange."""
    folder = tmp_path_factory.mktemp("user")

    @cache
    def once(sim: str, store: bool) -> Finished:
        overrides = {"venue.sim": json.loads(sim)}
        loaded = load_config([], overrides=overrides, user_data=folder)
        return run(
            loaded.config.choosing(["LLMForecast"]),
            Registry.load(folder),
            stocks.path,
            runs=folder / "runs" if store else None,
            forecasted=True,
        )

    def go(*, store: bool = False, **sim: Any) -> Finished:
        return once(json.dumps(sim, sort_keys=True), store)

    return go


@pytest.fixture(scope="module")
def honest(backtest: Any) -> Finished:
    return backtest(store=True)


@pytest.fixture(scope="module")
def report(honest: Finished) -> dict[str, Any]:
    return json.loads((honest.paths.directory / "report.json").read_text())


@pytest.fixture(scope="module")
def page(root: Path) -> str:
    text = (root / "docs" / "simulation.md").read_text()
    return text[text.index("## What the weekly stock markets say") :]


@pytest.fixture(scope="module")
def files(page: str) -> dict[str, dict[str, Any]]:
    """The settings that the page tells its reader to write down."""
    found = re.findall(r"```json file=(\w+)\.json\n(.*?)```", page, re.DOTALL)
    return {name: json.loads(text)["venue"]["sim"] for name, text in found}


@pytest.fixture(scope="module")
def naive(backtest: Any, files: dict[str, Any]) -> Finished:
    return backtest(**files["mid"], **files["at_once"], allow_unquoted=True)


def orders(report: dict[str, Any]) -> list[dict[str, Any]]:
    return [trade for trade in report["trades"] if trade["side"] != "settle"]


def rows_under(report: dict[str, Any], stocks: Catalogue) -> pd.DataFrame:
    """Every fill with the recorded row that stood when it was made."""
    prices = stocks.frame("prices").sort_values("ts")
    rows = prices[["ts", "price", "flag"]].astype("int64").rename(columns={"price": "recorded"})
    rows["market"] = prices["market_id"].astype(object)
    fills = pd.DataFrame(orders(report)).astype({"market": object}).sort_values("ts")
    joined = pd.merge_asof(fills, rows, on="ts", by="market")
    assert len(joined) == len(fills)
    assert joined["recorded"].notna().all()
    return joined


def test_every_market_with_prices_and_forecasts_takes_part(
    report: dict[str, Any], stocks: Catalogue
) -> None:
    data = report["manifest"]["data"]
    priced = set(stocks.frame("prices")["market_id"])
    assert data["markets"] == len(priced & set(stocks.forecasts().markets())) == MARKETS
    assert report["synthetic"] is False


def test_forecasts_add_up_and_are_called_option_implied(
    report: dict[str, Any], honest: Finished, stocks: Catalogue
) -> None:
    told = report["forecasts"]
    priced = set(stocks.frame("prices")["market_id"])
    rows = [f for f in stocks.forecasts().rows if f.market in priced]
    assert told["joined"] > 700
    assert told["joined"] + told["late"] + told["superseded"] == len(rows)
    assert told["missed"] == 0
    assert told["by_source"] == {"option-implied": told["joined"]}
    assert report["manifest"]["forecasts"]["sources"] == ["option-implied"]
    out = StringIO()
    render(honest.report, Console(file=out, width=120))
    assert "option-implied" in out.getvalue()
    assert not re.search(r"language model|\bLLM\b|\bGPT", out.getvalue(), re.IGNORECASE)


def test_no_fill_stands_on_an_unquoted_row(report: dict[str, Any], stocks: Catalogue) -> None:
    joined = rows_under(report, stocks)
    assert len(joined) > 20
    flags = joined["flag"].to_numpy(np.int64)
    assert not (flags & int(UNQUOTED)).any()
    assert flags.tolist() == joined["quality"].tolist()


def test_nobody_buys_below_or_sells_above_the_recorded_mid(
    report: dict[str, Any], stocks: Catalogue
) -> None:
    joined = rows_under(report, stocks)
    mid = joined["recorded"].to_numpy(np.int64)
    mid = np.where(joined["outcome"] == "Yes", mid, 10_000 - mid)
    paid = joined["price"].map(lambda text: int(Decimal(text) * 10_000)).to_numpy(np.int64)
    worse = np.where(joined["side"] == "buy", paid - mid, mid - paid)
    assert (worse >= 10).all()  # a tick at least
    assert np.median(worse) >= 100


def test_nothing_is_paid_out_before_it_could_be_known(
    report: dict[str, Any], stocks: Catalogue
) -> None:
    known = {id: found.known_at for id, found in stocks.resolutions().items()}
    payouts = {id: found.payouts for id, found in stocks.resolutions().items()}
    settled = [trade for trade in report["trades"] if trade["side"] == "settle"]
    assert len(settled) > 20
    for trade in settled:
        assert trade["ts"] >= known[trade["market"]]
        side = 0 if trade["outcome"] == "Yes" else 1
        assert Decimal(trade["price"]) * 1_000_000 == payouts[trade["market"]][side]
    left = {row["market"] for row in report["left_open"]}
    assert not left & set(known)  # what could be settled was


def test_no_trade_is_made_before_its_forecast_was_known(
    report: dict[str, Any], stocks: Catalogue
) -> None:
    first = {}
    for forecast in stocks.forecasts().rows:
        known = min(first.get(forecast.market, forecast.known_at), forecast.known_at)
        first[forecast.market] = known
    assert all(trade["ts"] > first[trade["market"]] for trade in orders(report))


def test_the_books_agree_with_plain_decimals(report: dict[str, Any]) -> None:
    unit = Decimal("0.000001")
    summary = report["summary"]
    cash = Decimal(summary["start_cash"])
    shares: dict[str, Decimal] = {}
    for trade in report["trades"]:
        price, size, fee = (Decimal(trade[name]) for name in ("price", "shares", "fee"))
        before = cash
        if trade["side"] == "buy":
            cash -= (price * size).quantize(unit, ROUND_CEILING) + fee
        else:
            cash += (price * size).quantize(unit, ROUND_FLOOR) - fee
        assert cash - before == Decimal(trade["cash"])
        held = shares.get(trade["token"], Decimal(0))
        shares[trade["token"]] = held + (size if trade["side"] == "buy" else -size)
        assert shares[trade["token"]] >= 0
    assert cash == Decimal(summary["end_cash"])
    left = {row["token"]: Decimal(row["shares"]) for row in report["left_open"]}
    assert left == {token: held for token, held in shares.items() if held}
    value = sum((Decimal(row["value"]) for row in report["left_open"]), Decimal(0))
    assert cash + value == Decimal(summary["end_equity"])
    assert cash + value - Decimal(summary["start_cash"]) == Decimal(summary["pnl"])


def test_the_result_does_not_flatter(report: dict[str, Any]) -> None:
    assert report["summary"]["per_event"]["low"] <= 0
    assert report["summary"]["verdict"] != "above zero"
    quality = report["quality"]
    parts = [quality[name] for name in ("near", "without")]
    assert sum(part["trips"] for part in parts) == quality["all"]["trips"]
    assert sum(Decimal(part["pnl"]) for part in parts) == Decimal(report["summary"]["pnl"])
    # The options were no better than the market, and the report says it.
    assert report["summary"]["scores"]["advantage"]["low"] < 0


def test_trading_on_prices_of_nobody_looks_like_a_fortune(
    naive: Finished, honest: Finished
) -> None:
    summary = naive.report.summary
    assert summary.per_event.low > 0
    assert summary.return_on_stake > 0.20
    assert summary.return_on_stake > honest.report.summary.return_on_stake + 0.20
    near = Decimal(naive.report.quality.near.pnl)
    assert near > Decimal(summary.pnl) / 2
    # Scored against placeholders, the market looks as ignorant as they are.
    market = honest.report.summary.scores.brier_market
    assert summary.scores.brier_market > 1.3 * market


def test_spread_and_impact_alone_do_not_show_it(backtest: Any) -> None:
    found = backtest(allow_unquoted=True).report.summary
    assert found.per_event.low > 0
    assert found.return_on_stake > 0.20


def test_a_wider_book_is_traded_less(backtest: Any) -> None:
    fills = [
        backtest(unquoted_half_spread=wide).report.summary.fills for wide in (0.0, 0.05, 0.1, 0.2)
    ]
    assert fills == sorted(fills, reverse=True)
    assert fills[-1] < fills[0]


def test_every_documented_row_comes_to_the_same_verdict(
    backtest: Any, page: str, files: dict[str, dict[str, Any]]
) -> None:
    mid, once = files["mid"], files["at_once"]
    settings: list[dict[str, Any]] = [
        {**mid, **once, "allow_unquoted": True},
        {**mid, "allow_unquoted": True},
        {"allow_unquoted": True},
        {**mid, **once},
        mid,
        {"unquoted_half_spread": 0},
        {},
        {"allow_near": False},
        {"cost_multiplier": 2},
        {"cost_multiplier": 2, "allow_near": False},
        {"fees": "current"},
    ]
    rows = re.findall(r"^\| \d+ \|.* ([+-][\d.]+) to ([+-][\d.]+) \|", page, re.MULTILINE)
    assert len(rows) == len(settings)
    for sim, (low, high) in zip(settings, rows, strict=True):
        found = backtest(**sim).report.summary.per_event
        assert (found.low > 0, found.high < 0) == (float(low) > 0, float(high) < 0), sim
