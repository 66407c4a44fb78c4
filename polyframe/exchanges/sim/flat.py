"""The simulated venue as flat arrays, for loops that execute orders in compiled code."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from typing import Any, NamedTuple

import numpy as np
from numpy.typing import NDArray

from polyframe.domain.market import Market
from polyframe.domain.units import Ns
from polyframe.exchanges.sim.depth import Depth, Rows
from polyframe.exchanges.sim.market_rows import write_market
from polyframe.exchanges.sim.quotes import refused_flags
from polyframe.exchanges.sim.settings import SimSettings
from polyframe.kernels import barmatch_nb as bm
from polyframe.kernels import booking_nb as bk

Ints = NDArray[np.int64]
COLUMNS = ("ts", "bid", "ask", "price", "flag")


class Flat(NamedTuple):
    """Every market's rules and its executable rows, one market after the other.

    Shapes: rules (markets, R_SIZE_OF); ts, bid, ask, price, flag (rows,).
    Units: ns, YES price units.
    """

    rules: Ints
    ts: Ints
    bid: Ints
    ask: Ints
    price: Ints
    flag: NDArray[np.uint8]
    refused: int
    """findings that make a row untradable, as bits"""
    entry: Ns
    response: Ns
    cancel: Ns
    max_age: Ns


def unfit(markets: Sequence[Market], settings: SimSettings) -> str:
    """Why orders cannot be executed in compiled code, empty when they can."""
    if settings.fill_at != "next":
        return f"venue.sim.fill_at is {settings.fill_at!r}"
    if settings.delay_rows:
        return "venue.sim.delay_rows holds orders back"
    for market in markets:
        rate, exponent = (market.fee.rate, market.fee.exponent) if market.fee else (0, 1)
        if not bk.fits(market.max_size, market.price_one, market.divisor, rate, exponent):
            return f"the fee of market {market.id} does not fit 64 bits"
        if not market.binary:
            return f"market {market.id} is not binary"
    return ""


def flat(
    markets: Sequence[Market],
    rows: Mapping[str, Rows],
    depth: Mapping[str, Depth],
    settings: SimSettings,
) -> Flat:
    """The arrays of these markets, in their order."""
    rules = np.zeros((len(markets), bm.R_SIZE_OF), np.int64)
    own = [rows[market.id] for market in markets]
    begin = 0
    for rule, market, found in zip(rules, markets, own, strict=True):
        _fill(rule, market, depth[market.id])
        rule[bm.R_FIRST] = begin
        rule[bm.R_STOP] = begin + found.stop
        rule[bm.R_ENDS] = bm.NEVER if found.ends is None else found.ends
        begin += len(found.ts)
    ts, bid, ask, price, flag = (
        _joined([getattr(found, name) for found in own]) for name in COLUMNS
    )
    return Flat(
        rules, ts, bid, ask, price, flag, int(refused_flags(settings)),
        settings.entry, settings.response, settings.cancel, settings.max_age,
    )  # fmt: skip


def _joined(parts: Sequence[NDArray[Any]]) -> Any:
    """The parts one after the other: the column they were cut out of where that is all of it."""
    whole = parts[0].base if parts else None
    if isinstance(whole, np.ndarray) and whole.ndim == 1 and whole.flags.c_contiguous:
        begins = np.cumsum([0, *(len(part) for part in parts)])
        at = whole.__array_interface__["data"][0]
        fits = len(whole) == begins[-1] and all(
            part.base is whole
            and part.__array_interface__["data"][0] == at + int(begin) * whole.itemsize
            for part, begin in zip(parts, begins[:-1], strict=True)
        )
        if fits:
            return whole
    return np.concatenate(parts) if parts else np.zeros(0, np.int64)


def _fill(rule: Ints, market: Market, depth: Depth) -> None:
    write_market(rule, market)
    rule[bm.R_LEVEL] = depth.level
    rule[bm.R_STEP] = depth.step
    rule[bm.R_LEVELS] = depth.levels
