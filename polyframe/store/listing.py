"""What a catalogue holds, told in numbers."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from typing import TYPE_CHECKING, Any

from polyframe.domain.market import Market, Resolution
from polyframe.domain.quality import UNQUOTED, Flag
from polyframe.domain.units import Ns, format_units
from polyframe.errors import UserError
from polyframe.store.catalogue import TAPE, Catalogue
from polyframe.store.schema import BARS, FORECASTS, MARKETS, PRICES, TABLES, TRADES, Table

if TYPE_CHECKING:
    from pandas import DataFrame

MOMENT = {
    MARKETS.kind: "closes",
    PRICES.kind: "ts",
    BARS.kind: "ts",
    TRADES.kind: "ts",
    FORECASTS.kind: "as_of",
}
OWNER = {
    MARKETS.kind: "market_id",
    PRICES.kind: "token",
    BARS.kind: "token",
    TRADES.kind: "token",
    FORECASTS.kind: "market_id",
}


@dataclass(frozen=True, slots=True)
class Holding:
    """The rows of one source and kind. ``unquoted`` is the share of prices that never trade."""

    kind: str
    source: str
    rows: int
    markets: int
    first: Ns
    last: Ns
    unquoted: float | None = None


def list_catalogue(catalogue: Catalogue) -> list[Holding]:
    """One entry for each kind of data and source."""
    tables = [
        _holding(of, str(source), rows)
        for of in TABLES.values()
        for source, rows in catalogue.frame(of.kind).groupby("source", sort=True)
    ]
    return [*tables, *_tapes(catalogue)]


def _tapes(catalogue: Catalogue) -> list[Holding]:
    held: dict[str, list[dict[str, Any]]] = {}
    for entry in catalogue.manifest["files"].values():
        if entry.get("kind") == TAPE:
            held.setdefault(entry["sources"][0], []).append(entry)
    return [
        Holding(
            TAPE,
            source,
            sum(part["rows"] for part in parts),
            len({name for part in parts for name in part["instruments"]}),
            min(part["first"] for part in parts),
            max(part["last"] for part in parts),
        )
        for source, parts in sorted(held.items())
    ]


def _holding(of: Table, source: str, rows: DataFrame) -> Holding:
    times = rows[MOMENT[of.kind]]
    unquoted = None
    if of is PRICES:
        flags = rows["flag"].to_numpy("uint8")
        unquoted = float(((flags & UNQUOTED) != 0).mean())
    return Holding(
        of.kind,
        source,
        len(rows),
        int(rows[OWNER[of.kind]].nunique()),
        int(times.min()),
        int(times.max()),
        unquoted,
    )


@dataclass(frozen=True, slots=True)
class BarsHeld:
    """The bars of one length on record of a market: how many, from when to when."""

    interval: Ns
    rows: int
    first: Ns
    last: Ns


@dataclass(frozen=True, slots=True)
class MarketRecord:
    """All that is on record about one market. Prices are of YES at 1e-4."""

    market: Market
    resolution: Resolution | None
    siblings: int
    ts: Sequence[Ns]
    price: Sequence[int]
    flag: Sequence[int]
    forecasts: Sequence[Any]
    bars: Sequence[BarsHeld] = ()

    def as_dict(self) -> dict[str, Any]:
        """The record as plain values: prices as decimal text, flags by name."""
        market = self.market
        return {
            "version": 1,
            "market": market,
            "resolution": self.resolution,
            "siblings": self.siblings,
            "prices": [
                {"ts": ts, "price": market.show_price(price), "flags": flag_names(flag)}
                for ts, price, flag in zip(self.ts, self.price, self.flag, strict=True)
            ],
            "forecasts": self.forecasts,
            "bars": self.bars,
        }


def flag_names(bits: int) -> list[str]:
    """The names of a row's flags."""
    return [str(flag.name) for flag in Flag if flag & bits]


def describe(catalogue: Catalogue, wanted: str) -> MarketRecord:
    """The record of the market with this id, slug, condition or token.

    Raises:
        UserError: none has, or several begin like it.
    """
    from polyframe.store.bar_columns import intervals_of  # noqa: PLC0415 - with numpy

    market = find_market(catalogue.markets(), wanted)
    prices = catalogue.prices([market])
    group = next((g for g in catalogue.groups() if g.id == market.group), None)
    return MarketRecord(
        market,
        catalogue.resolutions().get(market.id),
        len(group.markets) - 1 if group else 0,
        prices.ts.tolist(),
        prices.price.tolist(),
        prices.flag.tolist(),
        catalogue.forecasts([market.id]).rows,
        [_held(catalogue, market, n) for n in intervals_of(catalogue.files(BARS.kind), [market])],
    )


def _held(catalogue: Catalogue, market: Market, interval: Ns) -> BarsHeld:
    bars = catalogue.bars([market], interval)
    return BarsHeld(interval, len(bars), int(bars.start[0]), int(bars.ts[-1]))


def find_market(markets: Sequence[Market], wanted: str) -> Market:
    """The one market a person means.

    Raises:
        UserError: there is none, or more than one.
    """
    names = {name: m for m in markets for name in (m.slug, m.condition_id) if name}
    names |= {token.id: m for m in markets for token in m.tokens}
    names |= {m.id: m for m in markets}
    if wanted in names:
        return names[wanted]
    near = {m.id: m for name, m in names.items() if name.startswith(wanted)}
    if wanted and len(near) == 1:
        return next(iter(near.values()))
    if wanted and near:
        some = ", ".join(m.slug or m.id for m in list(near.values())[:4])
        raise UserError(
            f"{len(near)} markets begin with {wanted!r}: {some}"
            + (" ..." if len(near) > 4 else ""),
            expected="one market",
        )
    from difflib import get_close_matches  # noqa: PLC0415 - on the way to an error only

    guess = get_close_matches(wanted, names, 1)
    raise UserError(
        f"no market {wanted!r} in the catalogue"
        + (f"; did you mean {guess[0]!r}?" if guess else ""),
        expected="an id, slug, condition id or token",
        hint="polyframe data list",
    )


def show_price(price: int) -> str:
    """A price at 1e-4 as decimal text."""
    return format_units(price, 4)
