"""The part of a catalogue that a replay uses."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass, replace
from datetime import UTC, datetime
from difflib import get_close_matches
from shlex import quote

import msgspec
import numpy as np
from numpy.typing import NDArray

from polyframe.api.forecaster import ForecastSource
from polyframe.domain.market import Group, GroupKind, Market, Resolution
from polyframe.domain.units import PAYOUT_ONE, SECOND, Ns
from polyframe.errors import ConfigError, DataError
from polyframe.quant.bars import timeframe_text
from polyframe.runtime.barfills import closes_of, merged, only
from polyframe.runtime.inputs import known_inputs
from polyframe.runtime.settings import Config
from polyframe.runtime.tape_data import Played, played
from polyframe.store.bar_columns import BarColumns, intervals_of
from polyframe.store.catalogue import Catalogue
from polyframe.store.choosing import of_category
from polyframe.store.schema import BARS
from polyframe.store.timeline import PriceColumns


@dataclass(frozen=True)
class Recorded:
    """The part of a catalogue that a replay uses. ``prices.market`` indexes ``markets``.

    A market without recorded prices has the closes of its bars for prices. ``bars`` are the
    shortest on record, None where there are none.
    """

    markets: Sequence[Market]
    groups: Sequence[Group]
    resolutions: Mapping[str, Resolution]
    prices: PriceColumns
    forecasts: ForecastSource
    notes: Sequence[str] = ()
    inputs: frozenset[str] = frozenset()
    """what the data can tell guards at all"""
    bars: BarColumns | None = None
    end: Ns | None = None
    """the first moment after the period asked for; None: as long as anything is on record"""
    tape: Played | None = None
    """recorded books, which are played instead of prices"""

    @property
    def span(self) -> tuple[Ns, Ns]:
        """The first and the last moment on record."""
        if self.tape is not None:
            return self.tape.start, self.tape.end
        return int(self.prices.ts[0]), int(self.prices.ts[-1])


def recorded(
    catalogue: Catalogue, config: Config, *, forecasted: bool = False, tape: str = ""
) -> Recorded:
    """Reads what the configuration selects: markets with prices in the period.

    With ``tape``, the source of one, the markets are those on it and it is played instead.

    Raises:
        DataError: nothing is left, or the data is damaged or not what was imported.
        ConfigError: a market id is not in the catalogue.
    """
    catalogue.verify()
    chosen, notes = _chosen(catalogue, config, forecasted=forecasted)
    _check_tokens(chosen, catalogue)
    if tape:
        return _recorded_tape(catalogue, tape, config, chosen, notes)
    start, end = config.data.period
    prices = catalogue.prices(chosen, start, end)
    bars = _bars(catalogue, chosen, (start, end), notes)
    if bars is not None:
        unpriced = np.ones(len(chosen), np.bool_)
        unpriced[np.unique(prices.market)] = False
        closes = only(closes_of(bars), unpriced)
        prices = merged([prices, closes]) if len(closes) else prices
    if len(prices.ts) == 0:
        raise _nothing(catalogue, chosen, config.data.timerange)
    seen = np.unique(prices.market)
    if len(seen) < len(chosen):
        notes.append(f"{len(chosen) - len(seen)} markets without a price in the period left out")
    place = np.full(len(chosen), -1, dtype=np.int32)
    place[seen] = np.arange(len(seen), dtype=np.int32)
    opened = _first_rows(prices, len(chosen))
    markets = [
        msgspec.structs.replace(chosen[m], opened=max(chosen[m].opened, int(opened[m])))
        for m in seen
    ]
    prices = PriceColumns(prices.ts, place[prices.market], prices.price, prices.flag)
    if bars is not None:
        bars = replace(bars, market=place[bars.market])
    return _with_markets(catalogue, markets, prices, notes, bars, end)


def _recorded_tape(
    catalogue: Catalogue, source: str, config: Config, chosen: Sequence[Market], notes: list[str]
) -> Recorded:
    """What is on a tape: no prices besides its books."""
    tape, markets = played(catalogue, source, config, chosen)
    nothing = np.zeros(0, np.int64)
    prices = PriceColumns(
        nothing, nothing.astype(np.int32), nothing.astype(np.int32), nothing.astype(np.uint8)
    )
    end = config.data.period[1]
    return replace(_with_markets(catalogue, markets, prices, notes, None, end), tape=tape)


def _with_markets(
    catalogue: Catalogue,
    markets: Sequence[Market],
    prices: PriceColumns,
    notes: list[str],
    bars: BarColumns | None,
    end: Ns | None,
) -> Recorded:
    """The groups, outcomes and forecasts of some markets, with the prices there are."""
    ids = {market.id for market in markets}
    groups = [
        Group(group.id, kept, group.kind)
        for group in catalogue.groups()
        if (kept := tuple(id for id in group.markets if id in ids))
    ]
    resolutions = {id: r for id, r in catalogue.resolutions().items() if id in ids}
    if end is not None:
        # What happened after the period is not part of the run.
        resolutions = {id: r for id, r in resolutions.items() if r.known_at < end}
    groups = [_excluding(group, resolutions, notes) for group in groups]
    forecasts = catalogue.forecasts(ids)
    inputs = known_inputs(markets, forecasts.rows)
    return Recorded(markets, groups, resolutions, prices, forecasts, notes, inputs, bars, end)


def _excluding(group: Group, resolutions: Mapping[str, Resolution], notes: list[str]) -> Group:
    """An event as it is on record, unless several of its markets won: they exclude nothing."""
    ended = (resolutions.get(id) for id in group.markets)
    won = sum(found is not None and found.payouts[0] == PAYOUT_ONE for found in ended)
    if group.kind is not GroupKind.EXCLUSIVE or won < 2:
        return group
    notes.append(f"event {group.id} has {won} winners: its markets are taken as independent")
    return Group(group.id, group.markets, GroupKind.INDEPENDENT)


def _bars(
    catalogue: Catalogue,
    chosen: Sequence[Market],
    period: tuple[Ns | None, Ns | None],
    notes: list[str],
) -> BarColumns | None:
    """The shortest bars on record; a note names those that are not used."""
    lengths = list(intervals_of(catalogue.files(BARS.kind), chosen))
    if not lengths:
        return None
    if len(lengths) > 1:
        unused = ", ".join(timeframe_text(length) for length in lengths[1:])
        notes.append(f"bars of {timeframe_text(lengths[0])} are used, those of {unused} are not")
    bars = catalogue.bars(chosen, lengths[0], *period)
    return bars if len(bars) else None


def _check_tokens(markets: Sequence[Market], catalogue: Catalogue) -> None:
    """Refuses markets whose outcomes cannot be told apart."""
    owners: dict[str, str] = {}
    for market in markets:
        fault = _fault(market, owners)
        if fault:
            raise DataError(
                f"market {market.id} has {fault}",
                expected="a name and a token of its own for each outcome",
                hint=f"polyframe data check '{catalogue.path}'",
            )


def _fault(market: Market, owners: dict[str, str]) -> str:
    names = [token.outcome for token in market.tokens]
    if not all(names) or len(set(names)) < len(names):
        return f"outcomes {names!r}"
    for token in market.tokens:
        if not token.id:
            return "a token without an id"
        if token.id in owners:
            return f"token {token.id!r}, which market {owners[token.id]} has already"
        owners[token.id] = market.id
    return ""


def _nothing(catalogue: Catalogue, chosen: Sequence[Market], period: str) -> DataError:
    """Why there is nothing to replay, with the period that would have something."""
    ts = catalogue.prices(chosen).ts
    bars = _bars(catalogue, chosen, (None, None), [])
    if bars is not None:
        ts = np.sort(np.concatenate([ts, bars.ts]))
    if len(ts) == 0:
        return DataError(
            f"no prices of {len(chosen)} markets in {catalogue.path}",
            expected="recorded prices of these markets",
            hint=f"polyframe data list {catalogue.path}",
        )
    first, last = (datetime.fromtimestamp(int(t) / SECOND, UTC).date() for t in (ts[0], ts[-1]))
    return DataError(
        f"no prices of {len(chosen)} markets in the period {period}",
        expected=f"days between {first} and {last}",
        hint=f"polyframe backtest --timerange {first}..{last}",
    )


def _chosen(
    catalogue: Catalogue, config: Config, *, forecasted: bool
) -> tuple[list[Market], list[str]]:
    markets = catalogue.markets()
    notes: list[str] = []
    listing = f"polyframe list markets --data {quote(str(catalogue.path))}"
    if config.data.markets:
        by_id = {market.id: market for market in markets}
        for id in config.data.markets:
            if id not in by_id:
                near = get_close_matches(id, by_id, n=1)
                raise ConfigError(
                    f"market {id!r} is not in the catalogue",
                    expected=f"{near[0]}?" if near else "ids of recorded markets",
                    hint=listing,
                )
        markets = [by_id[id] for id in config.data.markets]
    if config.data.category:
        markets = of_category(markets, config.data.category, catalogue.path)
    if forecasted:
        with_forecast = set(catalogue.forecasts().markets())
        before = len(markets)
        markets = [market for market in markets if market.id in with_forecast]
        if before > len(markets):
            notes.append(f"{before - len(markets)} markets without a recorded forecast left out")
    if not markets:
        raise DataError(
            "no market is left by the filters",
            expected="a category or market ids of the catalogue",
            hint=listing,
        )
    return markets, notes


def _first_rows(prices: PriceColumns, count: int) -> NDArray[np.int64]:
    first = np.zeros(count, dtype=np.int64)
    markets, rows = np.unique(prices.market, return_index=True)
    first[markets] = prices.ts[rows]
    return first
