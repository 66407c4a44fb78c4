"""The defaults of the spread model against the quotes they were taken from."""

from pathlib import Path

import pandas as pd
import pytest

from polyframe.exchanges.sim.settings import SimSettings

DATA = Path(__file__).parents[4].parent / "shared" / "data" / "polymarket"
QUOTES = DATA / "weather_quotes.parquet"
MARKETS = DATA / "weather_markets_live.parquet"

pytestmark = pytest.mark.skipif(
    not (QUOTES.exists() and MARKETS.exists()),
    reason="recorded quotes are not beside this checkout",
)


def recorded():
    quotes = pd.read_parquet(QUOTES)
    bid, ask = quotes["gamma_best_bid"], quotes["gamma_best_ask"]
    quotes = quotes[(bid > 0) & (ask < 1) & (ask > bid)].copy()
    quotes["spread"] = quotes["gamma_best_ask"] - quotes["gamma_best_bid"]
    mid = (quotes["gamma_best_ask"] + quotes["gamma_best_bid"]) / 2
    quotes["tail"] = mid.where(mid <= 0.5, 1 - mid)
    return quotes


def quartiles(quotes, column, bounds):
    """Third quartile of the spread by bins of a column, the last bound of each bin as its name."""
    bins = pd.cut(quotes[column], [-1e-9, *bounds], labels=bounds)
    return quotes.groupby(bins, observed=True)["spread"].quantile(0.75)


def test_the_floor_is_the_third_quartile_of_recorded_spreads_in_its_zone():
    zones = SimSettings().half_spread_floor
    found = quartiles(recorded(), "tail", [upto for upto, _ in zones])
    for upto, half in zones:
        assert found[upto] == pytest.approx(2 * half, abs=0.0005), upto


def test_the_floor_of_young_books_is_that_of_the_first_hours_after_listing():
    markets = pd.read_parquet(MARKETS)
    listed = pd.to_datetime(markets["start"], utc=True, format="ISO8601")
    first = pd.Series(listed.to_numpy(), index=markets["token_yes"])
    quotes = recorded()
    quotes = quotes[(quotes["tail"] > 0.1) & quotes["token_id"].isin(first.index)].copy()
    at = pd.to_datetime(quotes["ts_ms"], unit="ms", utc=True)
    start = pd.to_datetime(quotes["token_id"].map(first), utc=True)
    quotes["hours"] = (at - start).dt.total_seconds() / 3_600
    ages = SimSettings().young_half_spread
    found = quartiles(quotes, "hours", [upto for upto, _ in ages])
    for upto, half in ages:
        assert found[upto] == pytest.approx(2 * half, abs=0.0005), upto
