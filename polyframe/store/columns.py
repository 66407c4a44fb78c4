"""Catalogue files as arrays and as hashes."""

from __future__ import annotations

from collections.abc import Sequence
from pathlib import Path

import numpy as np
from numpy.typing import NDArray

from polyframe.domain.market import Market
from polyframe.domain.units import Ns
from polyframe.errors import DataError
from polyframe.store.parquet import places_in, plain_array, read_table
from polyframe.store.schema import PRICES
from polyframe.store.timeline import PriceColumns

WHOLE = 10_000


def price_columns(
    files: Sequence[Path], markets: Sequence[Market], start: Ns | None, end: Ns | None
) -> PriceColumns:
    """Prices of YES from several files as one timeline.

    Raises:
        DataError: a file is damaged or holds impossible prices.
    """
    tokens: list[str] = []
    where: list[tuple[int, int]] = []
    for index, market in enumerate(markets):
        for side, token in enumerate(market.tokens[:2]):
            tokens.append(token.id)
            where.append((index, side))
    place = np.array(where, np.int64).reshape(-1, 2)
    parts = [_read(path, tokens, place, start, end) for path in files] if tokens else []
    ts, market_, side_, price, flag, of = (
        np.concatenate([part[i] for part in parts] or [np.zeros(0, np.int64)]) for i in range(6)
    )
    # Of several prices that became known together the newest counts.
    order = np.lexsort((-of, side_, market_, ts))
    ts, market_, price, flag = ts[order], market_[order], price[order], flag[order]
    first = np.ones(len(ts), np.bool_)
    first[1:] = (np.diff(ts) != 0) | (np.diff(market_) != 0)
    return PriceColumns(
        ts[first], market_[first].astype(np.int32), price[first], flag[first].astype(np.uint8)
    )


def _read(
    path: Path, tokens: list[str], place: NDArray[np.int64], start: Ns | None, end: Ns | None
) -> tuple[NDArray[np.int64], ...]:
    rows = read_table(path, PRICES, ("token", "ts", "known_at", "price", "flag"))
    for name in ("token", "ts", "known_at", "price", "flag"):
        if rows[name].null_count:
            raise _impossible(path, f"{rows[name].null_count} rows without {name}")
    at = places_in(rows["token"], tokens)
    # A replay hears of a price when it was known, whatever moment it is the price of.
    ts = plain_array(rows["known_at"])
    keep = at >= 0
    if start is not None:
        keep &= ts >= start
    if end is not None:
        keep &= ts < end
    price = plain_array(rows["price"]).astype(np.int64)[keep]
    if len(price) and (price.min() < 0 or price.max() > WHOLE):
        raise _impossible(path, f"a price of {int(price.min())} to {int(price.max())}")
    market, side = place[at[keep], 0], place[at[keep], 1]
    price = np.where(side == 1, WHOLE - price, price)
    flag = plain_array(rows["flag"])[keep].astype(np.int64)
    return ts[keep], market, side, price, flag, plain_array(rows["ts"])[keep]


def _impossible(path: Path, found: str) -> DataError:
    return DataError(
        f"{path} has {found}",
        expected=f"prices of 0 to {WHOLE} (1e-4) with token, times and flag in every row",
        hint=f"polyframe data check '{path.parent.parent}'",
    )
