"""The forecasts of a backtest's catalogue beside the prices of their moment and the outcomes."""

from __future__ import annotations

from collections import Counter
from collections.abc import Sequence
from typing import TYPE_CHECKING

import numpy as np

from polyframe.domain.market import ResolutionKind
from polyframe.domain.quality import UNQUOTED
from polyframe.domain.units import DAY, Ns
from polyframe.errors import DataError
from polyframe.lab.scored_rows import Scored
from polyframe.store.catalogue import Catalogue

if TYPE_CHECKING:
    from numpy.typing import NDArray

    from polyframe.domain.forecast import Forecast
    from polyframe.domain.market import Market, Resolution
    from polyframe.store.timeline import PriceColumns

WHOLE = 10_000
OLDEST: Ns = DAY
"""A price older than this says nothing about the moment of a forecast."""

COLUMNS = {
    "p": "forecasts.probability",
    "y": "markets.winner",
    "market": "prices.price",
    "event": "markets.group",
    "category": "markets.category",
    "time": "markets.resolved_at",
    "cutoff": "forecasts.cutoff",
}


def catalogue_rows(catalogue: Catalogue, *, source: str = "") -> Scored:
    """Every recorded forecast of a market that ended with a winner, by its event.

    The market's probability is the newest tradable price known when the forecast stood ready. Where
    there are prices, forecasts without one are left out, so that both are scored on the same rows.

    Raises:
        LookaheadError: a forecast was made after its market's end.
        DataError: nothing is left.
    """
    table = catalogue.forecasts()
    rows = [f for f in table.rows if source in ("", f.source)]
    markets = {market.id: market for market in catalogue.markets()}
    ended = catalogue.resolutions()
    left_out: Counter[str] = Counter()
    kept = []
    for forecast in rows:
        found = ended.get(forecast.market)
        if forecast.market not in markets or found is None:
            left_out["no outcome yet"] += 1
        elif found.kind is not ResolutionKind.WINNER:
            left_out["ended without a winner"] += 1
        elif forecast.known_at >= found.known_at:
            left_out["stood ready after the outcome was known"] += 1
        else:
            kept.append((forecast, markets[forecast.market], found))
    names = sorted({market.id for _, market, _ in kept})
    place = {id: i for i, id in enumerate(names)}
    prices = catalogue.prices([markets[id] for id in names]) if names else None
    seen = _known_prices(prices, [(place[f.market], f.known_at) for f, _, _ in kept])
    notes = []
    if seen and not np.isnan(seen).all():
        left_out["no tradable price at that moment"] += int(np.isnan(seen).sum())
        kept = [row for row, price in zip(kept, seen, strict=True) if not np.isnan(price)]
        market = np.array([price for price in seen if not np.isnan(price)])
    else:
        market = None
        notes.append("the catalogue has no tradable prices at these moments")
    if not kept:
        raise DataError(
            f"{catalogue.path}: none of {len(rows):,} forecasts of {source or 'any source'} can be "
            "scored" + "".join(f"; {n:,} x {why}" for why, n in left_out.items() if n),
            expected="forecasts of markets that ended, one of " + ", ".join(table.sources()),
            hint=f"polyframe data list '{catalogue.path}'",
        )
    return _scored(
        f"{source or '+'.join(table.sources())} ({catalogue.path.name})", kept, market, notes,
        len(rows), {why: n for why, n in left_out.items() if n}, several=not source,
    )  # fmt: skip


def _scored(
    name: str,
    kept: Sequence[tuple[Forecast, Market, Resolution]],
    market: NDArray[np.float64] | None,
    notes: list[str],
    read: int,
    left_out: dict[str, int],
    *,
    several: bool,
) -> Scored:
    """The rows as columns; ``several`` makers are told apart."""
    known = np.array([found.known_at for _, _, found in kept])
    return Scored(
        name=name,
        p=np.array([forecast.probability for forecast, _, _ in kept]),
        y=np.array([1.0 if found.payouts[0] else 0.0 for _, _, found in kept]),
        market=market,
        event=np.array([_event(m) for _, m, _ in kept], dtype=np.str_),
        category=np.array([m.category or "(none)" for _, m, _ in kept], dtype=np.str_),
        order=np.argsort(np.argsort(known, kind="stable"), kind="stable").astype(np.int64),
        read=read,
        maker=np.array([f.source for f, _, _ in kept], dtype=np.str_) if several else None,
        contaminated=np.array([f.cutoff >= found.known_at for f, _, found in kept]),
        columns=COLUMNS
        if market is not None
        else {k: v for k, v in COLUMNS.items() if k != "market"},
        left_out=left_out,
        notes=notes,
    )


def _event(market: Market) -> str:
    return market.group or market.id


def _known_prices(prices: PriceColumns | None, asked: Sequence[tuple[int, Ns]]) -> list[float]:
    """The newest tradable price strictly inside (0, 1) by each moment; NaN where there is none."""
    if prices is None:
        return []
    good = (prices.flag & int(UNQUOTED)) == 0
    by_market = {}
    for index in {index for index, _ in asked}:
        mine = good & (prices.market == index)
        by_market[index] = (prices.ts[mine], prices.price[mine])
    found = []
    for index, moment in asked:
        ts, price = by_market[index]
        at = int(np.searchsorted(ts, moment, side="right")) - 1
        usable = at >= 0 and moment - int(ts[at]) <= OLDEST and 0 < int(price[at]) < WHOLE
        found.append(float(price[at]) / WHOLE if usable else float("nan"))
    return found
