"""Runs the unquoted-price detector over one recording of a catalogue."""

from __future__ import annotations

from typing import TYPE_CHECKING

import numpy as np

from polyframe.domain.market import GroupKind
from polyframe.store.unquoted import DEFAULT_RULES, Flags, Ladder, UnquotedRules, flag_prices

if TYPE_CHECKING:
    from pandas import DataFrame

WHOLE = 10_000


def flag_frame(
    prices: DataFrame, markets: DataFrame, rules: UnquotedRules = DEFAULT_RULES
) -> Flags:
    """Flag bits for the rows of a price table, in their order.

    Both tokens of a market make one timeline in the price of YES; where both were recorded at the
    same moment the first token decides for both. A token of no known market is on its own.
    """
    import pandas as pd  # noqa: PLC0415 - heavy

    if not len(prices):
        return np.zeros(0, np.uint8)
    lookup = pd.concat(
        [
            pd.DataFrame({"token": markets[f"token_{side}"], "at": range(len(markets)), "no": side})
            for side in (0, 1)
        ]
    ).drop_duplicates("token")
    tokens, names = pd.factorize(prices["token"])
    known = pd.DataFrame({"token": names}).merge(lookup, on="token", how="left")
    alone = known["at"].isna().to_numpy(np.bool_)
    at = np.where(alone, len(markets) + np.arange(len(known)), known["at"].fillna(-1))
    market = at.astype(np.int64)[tokens]
    side = known["no"].fillna(0).to_numpy(np.int64)[tokens]
    ts = prices["ts"].to_numpy(np.int64)
    price = prices["price"].to_numpy(np.int64)
    price = np.where(side == 1, WHOLE - price, price)
    order = np.lexsort((side, ts, market))
    first = np.ones(len(order), np.bool_)
    first[1:] = (np.diff(market[order]) != 0) | (np.diff(ts[order]) != 0)
    kept = order[first]
    found = flag_prices(
        market[kept], ts[kept], price[kept], _ladders(markets, set(market.tolist())), rules
    )
    flags = np.zeros(len(order), np.uint8)
    flags[order] = found[np.cumsum(first) - 1]
    return flags


def _ladders(markets: DataFrame, priced: set[int]) -> list[Ladder]:
    rows = markets.reset_index(drop=True)
    rungs = rows[(rows["group_kind"] == GroupKind.LADDER) & rows["strike"].notna()]
    ladders = []
    for _, group in rungs.groupby("group"):
        members = [int(i) for i in group.index if int(i) in priced]
        if len(members) > 1:
            ladders.append(Ladder(members, group.loc[members, "strike"].astype(float).tolist()))
    return ladders
