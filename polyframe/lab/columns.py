"""A run's markets, fills and forecasts as columns, so that a large run is reported in no time."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from functools import cached_property
from typing import TYPE_CHECKING, Any, NamedTuple

import numpy as np

from polyframe.domain.market import GroupKind, Market, ResolutionKind
from polyframe.domain.orders import Side
from polyframe.errors import InvariantError
from polyframe.kernels import barcolumns_nb as c
from polyframe.lab.logs import FillLog
from polyframe.lab.record import Judgement, RunRecord

if TYPE_CHECKING:
    from numpy.typing import NDArray

    Ints = NDArray[np.int64]
    Floats = NDArray[np.float64]
    Bools = NDArray[np.bool_]

UNKNOWN = -1


class Fills(NamedTuple):
    """All fills in the order they were booked.

    ``token`` and ``market`` count those of the run, ``mid`` is in YES space (UNKNOWN: none),
    ``said`` the probability of the token that the strategy claimed (NaN: none).

    Shapes: (fills,) each. Units: price and size units, money, ns.
    """

    token: Ints
    market: Ints
    first: Bools
    buy: Bools
    price: Ints
    size: Ints
    fee: Ints
    ts: Ints
    quality: Ints
    mid: Ints
    said: Floats
    maker: Bools

    def __len__(self) -> int:
        return len(self.token)


_NONE = Fills(*([np.zeros(0, np.int64)] * 12))  # type: ignore[arg-type]


class Told(NamedTuple):
    """Forecasts beside the market's mid when each was delivered, in that order.

    Shapes: (forecasts,) each. Units: ns; probabilities of YES.
    """

    market: Ints
    ts: Ints
    probability: Floats
    mid: Floats


def integers(values: Any, n: int) -> Ints:
    """A column of whole numbers."""
    return np.fromiter(values, dtype=np.int64, count=n)


def numbered(values: Ints) -> Ints:
    """Equal values get equal numbers, counted from 0 in the order they first appear."""
    _, first, inverse = np.unique(values, return_index=True, return_inverse=True)
    rank = np.empty(len(first), dtype=np.int64)
    rank[np.argsort(first)] = np.arange(len(first))
    return rank[inverse]


def added(codes: Ints, values: Ints, count: int) -> Ints:
    """Whole numbers added up by code, exactly. Shapes: (n,) twice to (count,)."""
    total = np.zeros(count, dtype=np.int64)
    np.add.at(total, codes, values)
    return total


@dataclass(frozen=True)
class Columns:
    """What a record holds, by number instead of by name."""

    record: RunRecord

    @cached_property
    def markets(self) -> Sequence[Market]:
        """The markets in the record's order."""
        return self.record.markets

    @cached_property
    def place(self) -> dict[str, int]:
        """A market's number by its id."""
        return {market.id: n for n, market in enumerate(self.markets)}

    @cached_property
    def tokens(self) -> list[str]:
        """All tokens, market by market."""
        return [token.id for market in self.markets for token in market.tokens]

    @cached_property
    def token_place(self) -> dict[str, int]:
        """A token's number by its id."""
        return {token: n for n, token in enumerate(self.tokens)}

    @cached_property
    def outcomes(self) -> list[str]:
        """What each token stands for."""
        return [token.outcome for market in self.markets for token in market.tokens]

    @cached_property
    def market_of(self) -> Ints:
        """The market of each token."""
        counts = [len(market.tokens) for market in self.markets]
        return np.repeat(np.arange(len(counts)), counts).astype(np.int64)

    @cached_property
    def first_of(self) -> Bools:
        """Whether a token is its market's first."""
        owner = self.market_of
        first: Bools = np.diff(owner, prepend=-1) != 0
        return first

    @cached_property
    def events(self) -> list[str]:
        """The names of what results depend on: groups, and markets without one."""
        return list(dict.fromkeys(market.group or market.id for market in self.markets))

    @cached_property
    def event_of(self) -> Ints:
        """The event of each market."""
        place = {name: n for n, name in enumerate(self.events)}
        return integers((place[m.group or m.id] for m in self.markets), len(self.markets))

    @cached_property
    def divisor(self) -> Ints:
        """Price x size / divisor is money, by market."""
        return integers((market.divisor for market in self.markets), len(self.markets))

    @cached_property
    def one(self) -> Ints:
        """The price of 1.0, by market."""
        return integers((market.price_one for market in self.markets), len(self.markets))

    @cached_property
    def unit(self) -> Ints:
        """The size of one share, by market."""
        sizes = (10**market.size_decimals for market in self.markets)
        return integers(sizes, len(self.markets))

    @cached_property
    def binary(self) -> Bools:
        """Whether a market has two outcomes."""
        return np.array([market.binary for market in self.markets], dtype=np.bool_)

    @cached_property
    def kind(self) -> Ints:
        """How the markets of each market's event exclude one another (INDEPENDENT without one)."""
        kinds = {group.id: group.kind for group in self.record.groups}
        order = {kind: n for n, kind in enumerate(GroupKind)}
        found = (kinds.get(market.group, GroupKind.INDEPENDENT) for market in self.markets)
        return integers((order[kind] for kind in found), len(self.markets))

    def is_kind(self, kind: GroupKind) -> Bools:
        """Which markets belong to an event of this kind."""
        found: Bools = self.kind == list(GroupKind).index(kind)
        return found

    @cached_property
    def resolved(self) -> Bools:
        """Which markets ended within the run."""
        ended = self.record.resolutions
        return np.array([market.id in ended for market in self.markets], dtype=np.bool_)

    @cached_property
    def winner(self) -> Bools:
        """Which markets ended with a winner."""
        ended = self.record.resolutions
        found = (
            (m.id in ended) and ended[m.id].kind is ResolutionKind.WINNER for m in self.markets
        )
        return np.fromiter(found, dtype=np.bool_, count=len(self.markets))

    @cached_property
    def payout(self) -> Ints:
        """What a share of each token paid in millionths, UNKNOWN while its market runs."""
        ended = self.record.resolutions
        rows: list[int] = []
        for market in self.markets:
            found = ended.get(market.id)
            paid = [UNKNOWN] * len(market.tokens) if found is None else list(found.payouts)
            rows += paid[: len(market.tokens)]
        return np.array(rows, dtype=np.int64)

    @cached_property
    def yes(self) -> Ints:
        """The number of each market's first token."""
        return np.flatnonzero(self.first_of).astype(np.int64)

    @cached_property
    def happened(self) -> Bools:
        """Whether each market's first outcome paid anything."""
        paid: Bools = self.payout[self.yes] > 0
        return paid

    @cached_property
    def fills(self) -> Fills:
        """The fills as columns.

        Raises:
            InvariantError: a token is in none of the run's markets.
        """
        log = self.log
        rows = log.stepped
        n, own, late = len(rows), [row.fill for row in rows], self._late
        token = log.joined(self.numbers([fill.token for fill in own]), late.token)
        decided = (row.decision for row in rows)
        said = [np.nan if d is None or (p := d.intent.probability) is None else p for d in decided]
        mids = (UNKNOWN if row.mid is None else row.mid for row in rows)
        return Fills(
            token,
            self.market_of[token],
            self.first_of[token],
            log.joined(np.array([f.side == Side.BUY for f in own], dtype=np.bool_), late.buy),
            log.joined(integers((fill.price for fill in own), n), late.price),
            log.joined(integers((fill.size for fill in own), n), late.size),
            log.joined(integers((fill.fee for fill in own), n), late.fee),
            log.joined(integers((fill.ts for fill in own), n), late.ts),
            log.joined(integers((row.quality for row in rows), n), late.quality),
            log.joined(integers(mids, n), late.mid),
            log.joined(np.array(said, dtype=np.float64), late.said),
            log.joined(np.array([f.maker for f in own], dtype=np.bool_), late.maker),
        )

    @cached_property
    def log(self) -> FillLog:
        """The fills as they were told."""
        return FillLog.of(self.record.fills)

    @property
    def _late(self) -> Fills:
        """The fills of compiled code."""
        late = self.log.late
        if late is None:
            return _NONE
        markets = late.words.engine.context.universe.markets
        token = integers((self.token_place[m.yes.id] for m in markets), len(markets))
        rows, sent = late.rows, late.sent
        # A market's tokens stand one after the other.
        token = token[sent[:, c.O_MARKET]] + late.outcome
        return Fills(
            token, self.market_of[token], late.outcome == 0, sent[:, c.O_SIDE] > 0,
            rows[:, c.X_PRICE], rows[:, c.X_SIZE], rows[:, c.X_FEE], rows[:, c.X_TS],
            late.quality, sent[:, c.O_MID], late.said, late.maker,
        )  # fmt: skip

    def numbers(self, tokens: Sequence[str]) -> Ints:
        """The numbers of tokens.

        Raises:
            InvariantError: one is in none of the run's markets.
        """
        try:
            return integers(map(self.token_place.__getitem__, tokens), len(tokens))
        except KeyError as unknown:
            raise InvariantError(
                f"the run traded token {unknown.args[0]}, which is in none of its markets"
            ) from None

    @cached_property
    def fair(self) -> Ints:
        """The mid of each fill's own token when it was decided; nonsense where there was none."""
        f = self.fills
        return np.where(f.first, f.mid, self.one[f.market] - f.mid)

    @cached_property
    def told(self) -> Told:
        """The forecasts delivered; the columns of :meth:`tell`."""
        return self.tell(self.record.judgements)

    @cached_property
    def _heard(self) -> Told:
        return self.tell(self.heard)

    def tell(self, rows: Sequence[Judgement]) -> Told:
        """Forecasts as columns."""
        n = len(rows)
        return Told(
            integers((self.place[row.market] for row in rows), n),
            integers((row.ts for row in rows), n),
            np.fromiter((row.probability for row in rows), dtype=np.float64, count=n),
            np.fromiter((row.mid for row in rows), dtype=np.float64, count=n),
        )

    @cached_property
    def heard(self) -> list[Judgement]:
        """All forecasts delivered, those without a market's price last."""
        return [*self.record.judgements, *self.record.unpriced]

    @cached_property
    def _told_order(self) -> tuple[Ints, Ints, Ints]:
        """Forecasts by market, then time; the distinct times; and one sortable key of both."""
        told = self._heard
        times = np.unique(told.ts)
        order = np.lexsort((told.ts, told.market)).astype(np.int64)
        key = told.market[order] * (len(times) + 1) + np.searchsorted(times, told.ts[order]) + 1
        return order, times, key

    def belief_at(self, market: Ints, ts: Ints) -> Ints:
        """The newest forecast of each market delivered by a moment, UNKNOWN where there is none.

        Shapes: (n,) twice to (n,), numbers of ``heard``. Units: ns.
        """
        order, times, key = self._told_order
        wanted = market * (len(times) + 1) + np.searchsorted(times, ts, side="right")
        at = np.searchsorted(key, wanted, side="right") - 1
        if not len(order):
            return np.full(len(market), UNKNOWN, dtype=np.int64)
        found = order[np.maximum(at, 0)]
        return np.where((at >= 0) & (self._heard.market[found] == market), found, UNKNOWN)


def costs(price: Ints, size: Ints, divisor: Ints) -> Ints:
    """What buyers pay, rounded up. Shapes: (n,) each. Units: price, size units; money."""
    return -((-price * size) // divisor)


def proceeds(price: Ints, size: Ints, divisor: Ints) -> Ints:
    """What sellers receive, rounded down. Shapes: (n,) each. Units: price, size units; money."""
    return (price * size) // divisor
