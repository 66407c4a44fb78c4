"""What can be wrong with trades and forecasts."""

from __future__ import annotations

from collections.abc import Iterator
from typing import TYPE_CHECKING

from polyframe.store.findings import Finding, Severity, per_market
from polyframe.store.flagging import WHOLE
from polyframe.store.parquet import records, to_rows
from polyframe.store.rows import to_ends
from polyframe.store.schema import FORECASTS, MARKETS, TRADES
from polyframe.store.validating import late_forecasts

if TYPE_CHECKING:
    from pandas import DataFrame


def check_trades(file: str, frame: DataFrame) -> Iterator[Finding]:
    """Order, doubles, impossible prices and sizes; named by token."""
    rows = frame.assign(market_id=frame["token"])
    error = Severity.ERROR
    outside = rows[(rows["price"].isna() | (rows["price"] < 0) | (rows["price"] > WHOLE))]
    yield from per_market(
        error, "price out of range", file, outside, f"prices outside 0 to {WHOLE}"
    )
    empty = rows[rows["size"].isna() | (rows["size"] <= 0)]
    yield from per_market(error, "no size", file, empty, "trades of nothing")
    back = rows[(rows["ts"].diff() < 0).fillna(False)]
    yield from per_market(error, "unsorted times", file, back, "times that go backwards")
    double = rows[rows.duplicated(list(TRADES.key))]
    yield from per_market(error, "duplicate trade", file, double, "the same trade twice")


def check_forecasts(file: str, frame: DataFrame, markets: DataFrame) -> Iterator[Finding]:
    """Doubles, impossible probabilities, unknown markets, forecasts made after the end."""
    error = Severity.ERROR
    p = frame["probability"]
    impossible = frame[p.isna() | (p <= 0) | (p >= 1)]
    yield from per_market(
        error, "impossible probability", file, impossible, "not strictly between 0 and 1"
    )
    double = frame[frame.duplicated(list(FORECASTS.key))]
    yield from per_market(error, "duplicate forecast", file, double, "several at one moment")
    late = late_forecasts(frame, to_ends(records(to_rows(markets, MARKETS))))
    for market in dict.fromkeys(market for market, _, _ in late):
        yield Finding(error, "forecast after end", file, "made when the outcome could be known",
                      market, sum(m == market for m, _, _ in late))  # fmt: skip
    strangers = frame[~frame["market_id"].isin(markets["market_id"])]
    yield from per_market(
        Severity.WARNING, "unknown market", file, strangers, "forecasts of a market not on record"
    )
