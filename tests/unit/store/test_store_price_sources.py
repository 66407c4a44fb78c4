"""Prices of two sources that contradict each other."""

from __future__ import annotations

import pandas as pd

from polyframe.store.findings import Severity
from polyframe.store.price_checks import check_sources


def frame(prices: dict[tuple[str, int], int]) -> pd.DataFrame:
    rows = [{"market_id": "m", "token": t, "ts": ts, "price": p} for (t, ts), p in prices.items()]
    return pd.DataFrame(rows)


def test_a_moment_that_two_sources_price_differently_is_found() -> None:
    one = frame({("a", 1): 5_000, ("a", 2): 5_100, ("b", 1): 10})
    two = frame({("a", 1): 5_000, ("a", 2): 1_230, ("a", 3): 9})
    (found,) = check_sources([("one", one), ("two", two)])
    assert (found.severity, found.check) == (Severity.WARNING, "contradicting prices")
    assert (found.file, found.rows, found.market) == ("two", 1, "m")
    assert "one states otherwise" in found.message


def test_sources_that_agree_are_no_finding() -> None:
    one = frame({("a", 1): 5_000})
    assert not list(check_sources([("one", one), ("two", one), ("three", frame({("a", 9): 1}))]))
