"""What can be wrong with a table of bars."""

from __future__ import annotations

from collections.abc import Iterator
from typing import TYPE_CHECKING

import numpy as np

from polyframe.store.findings import Finding, Severity, per_market
from polyframe.store.flagging import WHOLE
from polyframe.store.schema import BARS

if TYPE_CHECKING:
    from pandas import DataFrame

PRICES = ["open", "high", "low", "close"]


def check_bars(file: str, frame: DataFrame, markets: DataFrame) -> Iterator[Finding]:
    """Missing and impossible values, order, doubles, gaps; named by market."""
    error = Severity.ERROR
    rows = frame.assign(market_id=frame["market_id"].mask(frame["market_id"] == "", frame["token"]))
    bad = rows[["token", "interval", "ts", *PRICES, "volume", "known_at"]].isna().any(axis=1)
    yield from per_market(error, "missing value", file, rows[bad], "bars that lack a value")
    rows = rows[~bad]
    outside = ((rows[PRICES] < 0) | (rows[PRICES] > WHOLE)).any(axis=1)
    yield from per_market(error, "price out of range", file, rows[outside],
                          f"prices outside 0 to {WHOLE}")  # fmt: skip
    torn = (rows[PRICES].max(axis=1) > rows["high"]) | (rows[PRICES].min(axis=1) < rows["low"])
    yield from per_market(error, "impossible bar", file, rows[torn],
                          "high not the highest or low not the lowest price")  # fmt: skip
    uneven = (rows["interval"] <= 0) | (
        rows["ts"] % rows["interval"].where(rows["interval"] > 0, 1) != 0
    )
    yield from per_market(error, "bar off its grid", file, rows[uneven],
                          "bars that do not begin at a multiple of their length")  # fmt: skip
    early = rows["known_at"] < rows["ts"] + rows["interval"] - 1
    yield from per_market(error, "known too early", file, rows[early],
                          "bars known before they ended")  # fmt: skip
    double = rows[rows.duplicated(list(BARS.key))]
    yield from per_market(error, "duplicate bar", file, double, "several bars of one interval")
    same = (rows["token"] == rows["token"].shift()) & (rows["interval"] == rows["interval"].shift())
    within = same.to_numpy(np.bool_, na_value=False)
    step = rows["ts"].diff()
    back = within & (step < 0).to_numpy(np.bool_, na_value=False)
    yield from per_market(error, "unsorted times", file, rows[back], "times that go backwards")
    hole = within & (step > rows["interval"]).to_numpy(np.bool_, na_value=False)
    yield from per_market(Severity.INFO, "gap", file, rows[hole],
                          "bars after a hole: an interval without a bar")  # fmt: skip
    strangers = rows[~rows["market_id"].isin(markets["market_id"])]
    yield from per_market(Severity.WARNING, "unknown market", file, strangers,
                          "no market row has this token")  # fmt: skip
    closes = rows["market_id"].map(dict(zip(markets["market_id"], markets["closes"], strict=True)))
    late = (rows["ts"] > closes.astype("Int64")).fillna(False).astype(bool)
    yield from per_market(Severity.INFO, "bar after close", file, rows[late],
                          "bars from after it closed")  # fmt: skip
