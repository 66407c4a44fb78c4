"""Fills and settlements folded into round trips, with a check that the books agree."""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING, NamedTuple

import numpy as np

from polyframe.domain.quality import UNQUOTED, Flag
from polyframe.domain.units import PAYOUT_ONE, Money, payout_of
from polyframe.errors import InvariantError
from polyframe.kernels import trips_nb as nb
from polyframe.lab.columns import UNKNOWN, Columns, added, costs, integers, proceeds
from polyframe.lab.record import LeftOpen, Merged, RunRecord

if TYPE_CHECKING:
    from polyframe.domain.effects import PositionSettled
    from polyframe.lab.columns import Bools, Ints

SUSPECT = UNQUOTED | Flag.NEAR
"""A fill on a row with any of these bits is counted as near an unquoted price."""

LEFT_OPEN = "left open"


class Entries(NamedTuple):
    """Fills and settlements in time order.

    ``fill`` and ``settled`` are the row's number in the record's lists (UNKNOWN: the other kind),
    ``side`` +1 bought, -1 sold, 0 settled; ``money`` the fee, or what was received; ``shares`` and
    ``cost`` what its ledger held of the token afterwards.

    Shapes: (entries,) each. Units: ns, price and size units, money.
    """

    fill: Ints
    settled: Ints
    ledger: Ints
    token: Ints
    ts: Ints
    side: Ints
    price: Ints
    size: Ints
    money: Ints
    cash: Ints
    trip: Ints
    shares: Ints
    cost: Ints

    def __len__(self) -> int:
        return len(self.ts)


class Trips(NamedTuple):
    """Holdings from flat to flat, or to the end of the run, in the order they were opened.

    ``closed`` is UNKNOWN for those left open, whose ``mark`` is their value at the bid. ``paid`` is
    what was bought without fees. ``begin`` and ``end`` are the first and last entry.

    Shapes: (trips,) each. Units: ns, size units, money.
    """

    ledger: Ints
    token: Ints
    market: Ints
    event: Ints
    opened: Ints
    closed: Ints
    bought: Ints
    paid: Ints
    fees: Ints
    pnl: Ints
    suspect: Bools
    begin: Ints
    end: Ints

    def __len__(self) -> int:
        return len(self.token)


@dataclass(frozen=True)
class Books:
    """A run's books: all entries, the round trips, the final cash."""

    columns: Columns
    cash: Money
    ledgers: list[str]
    entries: Entries
    reasons: list[str]
    """why, entry by entry"""
    trips: Trips

    @property
    def held_cost(self) -> Ints:
        """The cost of all that was held after each entry."""
        e = self.entries
        # What a key held before an entry is what it held after its last one.
        order = np.lexsort((np.arange(len(e)), e.token, e.ledger))
        same = (np.diff(e.token[order], prepend=-1) == 0) & (
            np.diff(e.ledger[order], prepend=-1) == 0
        )
        before = np.where(same, np.roll(e.cost[order], 1), 0)
        change = np.empty(len(e), dtype=np.int64)
        change[order] = e.cost[order] - before
        return np.cumsum(change)

    def entry_reason(self, trip: int) -> str:
        """Why a round trip was opened."""
        return self.reasons[int(self.trips.begin[trip])]

    def close_reason(self, trip: int) -> str:
        """Why a round trip was closed."""
        open_still = self.trips.closed[trip] == UNKNOWN
        return LEFT_OPEN if open_still else self.reasons[int(self.trips.end[trip])]


def fold(record: RunRecord) -> Books:
    """The run's books, folded anew from its fills, settlements, rewards and rebates.

    Raises:
        InvariantError: more is sold or settled than was held, a token is unknown, a settlement
            paid another amount than its payout says, or what is left open differs.
    """
    columns = Columns(record)
    entries, reasons, ledgers = _in_time(columns)
    key = entries.ledger * len(columns.tokens) + entries.token
    keys, row = np.unique(key, return_inverse=True)
    held = np.zeros((len(keys), nb.H_SIZE_OF), dtype=np.int64)
    bad = nb.fold(
        np.ascontiguousarray(row, dtype=np.int64), entries.side, entries.price, entries.size,
        entries.money, columns.divisor[columns.market_of[entries.token]], held,
        np.full(len(keys), UNKNOWN, dtype=np.int64), entries.cash, entries.trip, entries.shares,
        entries.cost,
    )  # fmt: skip
    if bad != UNKNOWN:
        _refuse(columns, entries, int(bad), held[row[bad]])
    left = {
        (ledgers[int(k) // len(columns.tokens)], columns.tokens[int(k) % len(columns.tokens)]): h
        for k, h in zip(keys, held.tolist(), strict=True)
        if h[0]
    }
    _check_left(record, left)
    paid = sum(payment.amount for payment in record.rewards)
    cash = record.start_cash + int(entries.cash.sum()) + paid
    trips = _trips(columns, entries, record, ledgers)
    return Books(columns, cash, ledgers, entries, reasons, trips)


def _in_time(columns: Columns) -> tuple[Entries, list[str], list[str]]:
    """Everything that moved money, by time; a fill at the moment of a settlement came first."""
    record, f = columns.record, columns.fills
    ended = record.settlements
    n, m = len(f), len(ended)
    names = columns.log.ledgers() + [row.ledger for row in ended]
    ledgers = list(dict.fromkeys(names))
    number = {name: k for k, name in enumerate(ledgers)}
    tokens = np.concatenate([f.token, columns.numbers([row.token for row in ended])])
    for row, token in zip(ended, tokens[n:].tolist(), strict=True):
        _check_payout(columns, row, token)
    ts = np.concatenate([f.ts, integers((row.ts for row in ended), m)])
    settles = np.arange(n + m) >= n
    order = np.lexsort((np.arange(n + m), settles, ts))
    side = np.concatenate([np.where(f.buy, 1, -1), np.zeros(m)]).astype(np.int64)
    zeros = np.zeros(n + m, dtype=np.int64)

    def joined(fills: Ints, settled: Ints) -> Ints:
        return np.concatenate([fills, settled])[order].astype(np.int64)

    nothing = np.full(m, UNKNOWN)
    entries = Entries(
        joined(np.arange(n), nothing),
        joined(np.full(n, UNKNOWN), np.arange(m)),
        integers((number[name] for name in names), n + m)[order],
        tokens[order],
        ts[order],
        side[order],
        joined(f.price, integers((row.payout for row in ended), m)),
        joined(f.size, integers((row.shares for row in ended), m)),
        joined(f.fee, integers((row.received for row in ended), m)),
        zeros, zeros.copy(), zeros.copy(), zeros.copy(),
    )  # fmt: skip
    why = columns.log.reasons() + [_why(row) for row in ended]
    return entries, [why[k] for k in order.tolist()], ledgers


def _why(row: PositionSettled) -> str:
    return "merged" if isinstance(row, Merged) else f"resolved: {_ended(row.payout)}"


def _ended(payout: int) -> str:
    return "won" if payout == PAYOUT_ONE else "lost" if payout == 0 else "split or void"


def _check_payout(columns: Columns, row: PositionSettled, number: int) -> None:
    decimals = columns.markets[int(columns.market_of[number])].size_decimals
    owed = payout_of(row.payout, row.shares, decimals)
    # Of an odd amount one side of a pair has the unit that cannot be halved.
    if row.received - owed not in ((0, 1) if isinstance(row, Merged) else (0,)):
        raise InvariantError(
            f"market {row.market} paid {row.received} for token {row.token}, {row.shares} shares "
            f"at {row.payout} make {owed}"
        )


def _refuse(columns: Columns, entries: Entries, bad: int, held: Ints) -> None:
    what = "redemption" if entries.side[bad] == 0 else "sale"
    raise InvariantError(
        f"{what} of {int(entries.size[bad])} of token {columns.tokens[int(entries.token[bad])]} "
        f"from a holding of {int(held[0])}"
    )


def _check_left(record: RunRecord, held: dict[tuple[str, str], list[int]]) -> None:
    left: dict[tuple[str, str], LeftOpen] = {(o.ledger, o.token): o for o in record.left_open}
    if left.keys() != held.keys():
        odd = sorted(left.keys() ^ held.keys())[0]
        raise InvariantError(
            f"ledger {odd[0]}, token {odd[1]}: held at the end and left_open differ"
        )
    for key, (shares, cost, *_) in held.items():
        row = left[key]
        if (shares, cost) != (row.shares, row.cost):
            raise InvariantError(
                f"ledger {key[0]}, token {key[1]}: left_open says {row.shares} shares for "
                f"{row.cost}, the fills make {shares} for {cost}"
            )


def _trips(columns: Columns, e: Entries, record: RunRecord, ledgers: list[str]) -> Trips:
    _, begin = np.unique(e.trip, return_index=True)
    count = len(begin)
    end = np.zeros(count, dtype=np.int64)
    end[e.trip] = np.arange(len(e))
    token, ledger = e.token[begin], e.ledger[begin]
    market = columns.market_of[token]
    closed = np.where(e.shares[end] == 0, e.ts[end], UNKNOWN) if count else end
    bought = e.side > 0
    paid = np.where(bought, costs(e.price, e.size, columns.divisor[columns.market_of[e.token]]), 0)
    value = {(row.ledger, row.token): row.value for row in record.left_open}
    mark = np.zeros(count, dtype=np.int64)
    for k in np.flatnonzero(closed == UNKNOWN).tolist() if count else []:
        mark[k] = value[ledgers[int(ledger[k])], columns.tokens[int(token[k])]]
    suspect = np.zeros(count, dtype=np.bool_)
    fill = e.fill != UNKNOWN
    bits = columns.fills.quality[e.fill[fill]] & int(SUSPECT)
    np.logical_or.at(suspect, e.trip[fill], bits != 0)
    return Trips(
        ledger,
        token,
        market,
        columns.event_of[market],
        e.ts[begin],
        closed,
        added(e.trip, np.where(bought, e.size, 0), count),
        added(e.trip, paid, count),
        added(e.trip, np.where(e.side != 0, e.money, 0), count),
        added(e.trip, e.cash, count) + mark,
        suspect,
        begin.astype(np.int64),
        end,
    )


def spread_paid(columns: Columns) -> Money:
    """What fills cost against the mid at decision, spread and impact together.

    A maker's gain counts negative. Fills without a mid count nothing.
    """
    f, fair = columns.fills, columns.fair
    divisor = columns.divisor[f.market]
    bought = costs(f.price, f.size, divisor) - costs(fair, f.size, divisor)
    sold = proceeds(fair, f.size, divisor) - proceeds(f.price, f.size, divisor)
    return int(np.where(f.mid == UNKNOWN, 0, np.where(f.buy, bought, sold)).sum())
