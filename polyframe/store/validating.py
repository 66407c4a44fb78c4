"""What a converted row must satisfy, kind by kind, and the columns that follow from others."""

from __future__ import annotations

from collections.abc import Mapping as Dict
from typing import TYPE_CHECKING, Any

import pandas as pd

from polyframe.domain.forecast import CONFIDENCE
from polyframe.domain.market import GroupKind, ResolutionKind
from polyframe.domain.units import MONEY_DECIMALS, Ns, to_units
from polyframe.errors import DataError
from polyframe.store.owning import token_owners

if TYPE_CHECKING:
    from pandas import DataFrame, Series

    from polyframe.store.catalogue import Catalogue
    from polyframe.store.converting import Converted


POLYMARKET = "polymarket"


def complete(rows: Converted, kind: str, catalogue: Catalogue) -> None:
    """Fills in what follows from other columns and sets impossible rows aside."""
    {
        "markets": lambda: _markets(rows),
        "prices": lambda: _prices(rows, catalogue.frame("markets")),
        "bars": lambda: _bars(rows, catalogue.frame("markets")),
        "trades": lambda: _trades(rows),
        "forecasts": lambda: _forecasts(rows),
    }[kind]()


def late_forecasts(frame: DataFrame, ends: Dict[str, Ns]) -> list[tuple[str, Ns, Ns]]:
    """Market, as_of and end of forecasts made after their market's end."""
    known = frame["market_id"].map(dict(ends)).astype("Int64")
    end = pd.concat([known, frame["closes"]], axis=1).min(axis=1) if "closes" in frame else known
    late = (frame["as_of"] > end).fillna(False).astype(bool)
    rows = frame[late]
    return [
        (str(market), int(as_of), int(stop))
        for market, as_of, stop in zip(rows["market_id"], rows["as_of"], end[late], strict=True)
    ]


def _markets(rows: Converted) -> None:
    frame = rows.frame
    kind = frame["group_kind"].fillna(GroupKind.INDEPENDENT.value)
    frame["group_kind"] = kind
    frame["category"] = frame["category"].fillna("other").str.lower()
    won = frame["winner"].notna()
    # An outcome without a word on how it came about is a winner's; a winner's kind without one
    # is an open market.
    frame["resolution"] = frame["resolution"].mask(won & frame["resolution"].isna(), "winner")
    unsettled = ~won & (frame["resolution"] == "winner").fillna(False)
    frame["resolution"] = frame["resolution"].mask(unsettled)
    frame["resolved_at"] = frame["resolved_at"].mask(frame["resolution"].isna())
    ended = frame["resolution"].notna()
    frame["known_at"] = frame["known_at"].fillna(frame["opened"]).fillna(0)
    for name in ("market_id", "token_0", "token_1"):
        rows.reject((frame[name] == "").fillna(False), f"missing {name}")
    single = frame["token_1"].isna()
    here = frame["venue"].fillna(POLYMARKET) == POLYMARKET
    rows.reject(single & here, "missing token_1", "token_1")
    ends = frame["closes"] != 0
    rows.reject(((frame["opened"] >= frame["closes"]) & ends).fillna(False), "start after end",
                "opened")  # fmt: skip
    rows.reject((frame["token_0"] == frame["token_1"]).fillna(False), "same token twice", "token_0")
    rows.reject(~kind.isin([k.value for k in GroupKind]), "unknown group_kind", "group_kind")
    ladder = (kind == GroupKind.LADDER.value) & frame["strike"].isna()
    rows.reject(ladder, "ladder market without strike", "slug")
    words = frame["resolution"].isin([k.value for k in ResolutionKind])
    rows.reject(ended & ~words, "unknown resolution", "resolution")
    rows.reject(won & ~frame["winner"].isin([0, 1]), "winner is neither 0 nor 1", "winner")
    rows.reject(ended & frame["resolved_at"].isna(), "resolved, but not since when", "resolution")
    price, size = frame["price_decimals"].fillna(4), frame["size_decimals"].fillna(6)
    few = price + size < MONEY_DECIMALS
    rows.reject(few, f"fewer than {MONEY_DECIMALS} price and size decimals together",
                "size_decimals")  # fmt: skip
    for name, decimals in (
        ("tick", price),
        ("min_size", size),
        ("lot", size),
        ("max_price", price),
    ):
        fits = [_fits(value, int(most)) for value, most in zip(frame[name], decimals, strict=True)]
        rows.reject(~pd.Series(fits, frame.index, dtype=bool), f"{name} too fine", name)


def _prices(rows: Converted, markets: DataFrame) -> None:
    frame = rows.frame
    _owned(rows, markets)
    frame["flag"] = pd.Series(0, index=frame.index, dtype="UInt8")
    _known_at(rows)


def _bars(rows: Converted, markets: DataFrame) -> None:
    frame = rows.frame
    frame["volume"] = frame["volume"].fillna(0)
    frame["ts"] = frame["ts"].fillna(frame["end"] - frame["interval"])
    first = pd.Series(markets["token_0"].to_numpy(), index=markets["market_id"].to_numpy())
    named = frame["market_id"].map(first.to_dict()).astype("string")
    nobody = frame["token"].isna() & named.isna() & frame["market_id"].notna()
    rows.reject(nobody, "unknown market; import markets first", "market_id")
    frame["token"] = frame["token"].fillna(named)
    _owned(rows, markets)
    for name in ("ts", "interval"):
        rows.reject(frame[name].isna(), f"missing {name}")
    rows.reject((frame["interval"] <= 0).fillna(False), "interval not above zero", "interval")
    length = frame["interval"].where(frame["interval"] > 0)
    uneven = (frame["ts"] % length != 0).fillna(False)
    rows.reject(uneven, "bar does not begin at a multiple of its length", "ts")
    above = frame[["open", "close", "low"]].max(axis=1) > frame["high"]
    rows.reject(above.fillna(False), "high below another price", "high")
    below = frame[["open", "close", "high"]].min(axis=1) < frame["low"]
    rows.reject(below.fillna(False), "low above another price", "low")
    rows.reject((frame["volume"] < 0).fillna(False), "volume below zero", "volume")
    last = frame["ts"] + frame["interval"] - 1
    frame["known_at"] = frame["known_at"].fillna(last)
    rows.reject((frame["known_at"] < last).fillna(False), "known before it ended", "known_at")
    rows.reject(frame["token"].fillna("") == "", "missing token", "token")


def _owned(rows: Converted, markets: DataFrame) -> None:
    """Names the market of each token; a stated one that contradicts it is set aside."""
    frame = rows.frame
    known = frame["token"].map(token_owners(markets)).astype("string")
    other = (known != frame["market_id"]).fillna(False)
    rows.reject(other, "token of another market", "market_id")
    frame["market_id"] = frame["market_id"].fillna(known).fillna("")


def _trades(rows: Converted) -> None:
    frame = rows.frame
    frame["side"] = frame["side"].str.lower()
    rows.reject(~frame["side"].isin(["buy", "sell"]), "side is neither buy nor sell", "side")
    rows.reject((frame["size"] <= 0).fillna(False), "size not above zero", "size")
    for name in ("wallet", "trade"):
        frame[name] = frame[name].fillna("")
    _known_at(rows)


def _forecasts(rows: Converted) -> None:
    frame = rows.frame
    for name in ("latency", "cutoff", "cost"):
        frame[name] = frame[name].fillna(0)
    frame["model"] = frame["model"].fillna("")
    frame["blind"] = frame["blind"].fillna(True)
    _opinions(rows)
    rows.reject((frame["cost"] < 0).fillna(False), "cost below zero", "cost")
    frame["known_at"] = frame["as_of"] + frame["latency"]


def _opinions(rows: Converted) -> None:
    """What makers say of their own forecasts: kept where it is sound, refused where it is not."""
    frame = rows.frame
    said = frame["confidence"].str.strip().str.upper()
    frame["confidence"] = said.where(said != "")
    unknown = ~frame["confidence"].isin(CONFIDENCE) & frame["confidence"].notna()
    rows.reject(
        unknown.fillna(False), f"confidence is none of {', '.join(CONFIDENCE)}", "confidence"
    )
    quality = frame["evidence_quality"]
    outside = ((quality < 0) | (quality > 1)).fillna(False)
    rows.reject(outside, "evidence quality not from 0 to 1", "evidence_quality")
    crossed = (frame["low"] > frame["high"]).fillna(False)
    rows.reject(crossed, "the interval's lower end is above its upper end", "low")


def _known_at(rows: Converted) -> None:
    frame = rows.frame
    if not len(frame):
        return
    frame["known_at"] = frame["known_at"].fillna(frame["ts"])
    early = (frame["known_at"] < frame["ts"]).fillna(False)
    rows.reject(early, "known before it happened", "known_at")
    missing: Series[Any] = (frame["token"] == "").fillna(False)
    rows.reject(missing, "missing token", "token")


def _fits(value: object, decimals: int) -> bool:
    if value is pd.NA or value is None:
        return True
    try:
        to_units(value, decimals)
    except DataError:
        return False
    return True
