"""What can be wrong with a price table."""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from typing import TYPE_CHECKING, Any

import numpy as np

from polyframe.domain.quality import UNQUOTED, Flag
from polyframe.store.findings import Finding, Severity, Unquoted, per_market
from polyframe.store.flagging import WHOLE, flag_frame
from polyframe.store.unquoted import DEFAULT_RULES, HALF, UnquotedRules

if TYPE_CHECKING:
    from pandas import DataFrame


def check_prices(
    file: str, frame: DataFrame, markets: DataFrame, rules: UnquotedRules | None = None
) -> Iterator[Finding]:
    """Missing and impossible values, order, doubles, gaps, stale flags, contradicted outcomes."""
    rows = frame.assign(market_id=frame["market_id"].mask(frame["market_id"] == "", frame["token"]))
    bad = rows[["token", "ts", "price", "flag"]].isna().any(axis=1)
    yield from per_market(Severity.ERROR, "missing value", file, rows[bad],
                          "rows without token, ts, price or flag")  # fmt: skip
    rows = rows[~bad]
    outside = rows[(rows["price"] < 0) | (rows["price"] > WHOLE)]
    yield from per_market(
        Severity.ERROR, "price out of range", file, outside, f"prices outside 0 to {WHOLE}"
    )
    double = rows[rows.duplicated(["token", "ts"])]
    yield from per_market(
        Severity.ERROR, "duplicate price", file, double, "several prices at one moment"
    )
    same = (rows["token"] == rows["token"].shift()).to_numpy(np.bool_, na_value=False)
    back = (rows["ts"].diff() < 0).to_numpy(np.bool_, na_value=False)
    yield from per_market(
        Severity.ERROR, "unsorted times", file, rows[same & back], "times that go backwards"
    )
    if bad.any() or len(outside) or len(double) or (same & back).any():
        return  # what follows reads the rows as sound timelines
    yield from _flags(file, rows, markets, rules or DEFAULT_RULES)
    yield from _lives(file, rows, markets)


def check_sources(files: Sequence[tuple[str, DataFrame]]) -> Iterator[Finding]:
    """Prices of one token and moment that several sources tell differently.

    A backtest takes the one whose file comes first by name where both became known together.
    """
    for later, (name, frame) in enumerate(files):
        for other, known in files[:later]:
            both = frame.merge(known, on=["token", "ts"], suffixes=("", "_other"))
            differ = both[(both["price"] != both["price_other"]).fillna(False)]
            yield from per_market(
                Severity.WARNING, "contradicting prices", name, differ,
                f"prices that {other} states otherwise for the same moment",
            )  # fmt: skip


def count_flags(file: str, frame: DataFrame) -> Unquoted:
    """How many rows carry each flag."""
    flags = frame["flag"].to_numpy(np.uint8, na_value=0)
    return Unquoted(
        file,
        rows=len(flags),
        unquoted=int(((flags & UNQUOTED) != 0).sum()),
        flags={str(f.name): int(((flags & f) != 0).sum()) for f in Flag if f},
    )


def _flags(
    file: str, rows: DataFrame, markets: DataFrame, rules: UnquotedRules
) -> Iterator[Finding]:
    flags = rows["flag"].to_numpy(np.uint8)
    stale = rows[flag_frame(rows, markets, rules) != flags]
    yield from per_market(Severity.WARNING, "stale flags", file, stale,
                          "flags that no longer hold; polyframe data check --write")  # fmt: skip
    holes = rows[(flags & Flag.GAP) != 0]
    hours = f"more than {rules.gap_for / 3.6e12:g} h without a price"
    yield from per_market(Severity.WARNING, "gap", file, holes, hours)
    dead = rows[(flags & UNQUOTED) != 0]
    yield from per_market(
        Severity.INFO, "unquoted prices", file, dead, "no quote stood behind them: never traded"
    )


def _lives(file: str, rows: DataFrame, markets: DataFrame) -> Iterator[Finding]:
    known = markets["market_id"]
    strangers = rows[~rows["market_id"].isin(known)]
    yield from per_market(
        Severity.WARNING, "unknown market", file, strangers, "no market row has this token"
    )
    facts = ["market_id", "token_1", "opened", "closes", "winner"]
    joined = rows.merge(markets[facts].drop_duplicates("market_id"), on="market_id")
    early = joined[(joined["ts"] < joined["opened"]).fillna(False)]
    yield from per_market(
        Severity.WARNING, "price before opening", file, early, "prices from before it opened"
    )
    late = (joined["ts"] > joined["closes"]).fillna(False)
    yield from per_market(
        Severity.INFO, "price after close", file, joined[late], "prices from after it closed"
    )
    yield from _contradictions(file, joined[~late])


def _contradictions(file: str, rows: DataFrame) -> Iterator[Finding]:
    """Outcomes that the last price somebody stood behind did not expect."""
    flags = rows["flag"].to_numpy(np.uint8)
    trusted = rows[((flags & UNQUOTED) == 0) & rows["winner"].notna().to_numpy(np.bool_)]
    last = trusted.sort_values("ts", kind="stable").drop_duplicates("market_id", keep="last")
    no_token = (last["token"] == last["token_1"]).to_numpy(np.bool_)
    price = last["price"].to_numpy(np.int64)
    yes = np.where(no_token, WHOLE - price, price)
    won = (last["winner"] == 0).to_numpy(np.bool_)
    wrong = np.where(won, yes < HALF, yes > HALF)
    hours: Any = (last["closes"] - last["ts"]).to_numpy(np.int64) / 3.6e12
    for market, p, ended, before in zip(
        last["market_id"][wrong], yes[wrong], won[wrong], hours[wrong], strict=True
    ):
        told = f"ended {'YES' if ended else 'NO'}, last trusted price of YES {p / WHOLE:.4g}"
        yield Finding(Severity.WARNING, "outcome against price", file,
                      f"{told}, {before:.0f} h before the close", str(market))  # fmt: skip
