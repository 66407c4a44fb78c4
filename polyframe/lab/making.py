"""What a run over recorded books earned by quoting, and what it paid for that."""

from __future__ import annotations

from collections.abc import Sequence

import numpy as np

from polyframe.domain.units import MINUTE, MONEY_DECIMALS, SECOND, Money, format_units
from polyframe.lab import making_form as form
from polyframe.lab.fills_seen import HORIZONS, After, Seen
from polyframe.lab.quoted import closer, ends_of, inventory_of, pictures, span_of, uptime
from polyframe.lab.record import BookRun, RunRecord
from polyframe.lab.trips import Books
from polyframe.lab.watch import alarms_of
from polyframe.runtime import own_orders as oo
from polyframe.runtime.own_orders import OwnOrders

REBATE = "rebate"
"""what a payment of the venue is called that is no reward"""


def show(amount: Money) -> str:
    """Money as exact decimal text."""
    return format_units(amount, MONEY_DECIMALS)


def making_of(books: Books, pnl: Money) -> form.Making | None:
    """All about quoting, None for a run over prices; ``pnl`` is the result of the whole run."""
    record = books.columns.record
    run = record.book
    if run is None:
        return None
    seen = Seen(books.columns, run.mids)
    orders = counts_of(run.own, _quoting(run), run)
    markouts = [markout_of(seen, horizon) for horizon in HORIZONS]
    return form.Making(
        orders, earned_of(record, seen, pnl), markouts, _markets(books, run, seen),
        alarms_of(orders, seen), pictures(record, run, seen), closer(record, run, seen),
        list(run.bands),
    )  # fmt: skip


def ratio(part: float, whole: float) -> float | None:
    """A share, None of nothing."""
    return part / whole if whole else None


# ---- orders --------------------------------------------------------------------------------------


def _quoting(run: BookRun) -> list[int]:
    """The markets with an order that was accepted."""
    return [int(m) for m in np.unique(run.own.market[run.own.accepted > 0])]


def counts_of(own: OwnOrders, markets: Sequence[int], run: BookRun) -> form.OrderCounts:
    """What became of the orders; shares of time are of a market's recorded life, and their mean."""
    accepted = own.accepted > 0
    stood, filled = int(accepted.sum()), int((own.filled > 0).sum())
    cancelled = int((own.end == oo.CANCELLED).sum())
    rested = (ends_of(own, run.mids.last) - own.accepted)[accepted]
    shares = [uptime(own, m, *span_of(run, m)) for m in markets]
    both, one = np.mean(shares, axis=0).tolist() if shares else (None, None)
    return form.OrderCounts(
        sent=len(own),
        accepted=stood,
        rejected=int((own.end == oo.REJECTED).sum()),
        filled=filled,
        cancelled=cancelled,
        expired=int((own.end == oo.EXPIRED).sum()),
        standing=int((accepted & (own.end == oo.STANDS)).sum()),
        fill_ratio=ratio(filled, stood),
        size_ratio=ratio(float(own.filled.sum()), float(own.size[accepted].sum())),
        cancel_ratio=ratio(cancelled, stood),
        cancels_per_fill=ratio(cancelled, filled),
        rested=float(np.median(rested)) / SECOND if stood else None,
        both_sides=both,
        one_side=one,
    )


# ---- money ---------------------------------------------------------------------------------------


def earned_of(record: RunRecord, seen: Seen, pnl: Money) -> form.Earned:
    """The result by where it came from; the parts sum to it to the unit."""
    spread, fees = int(seen.spread.sum()), int(seen.fee.sum())
    rebates = sum(row.amount for row in record.rewards if REBATE in row.what.lower())
    rewards = sum(row.amount for row in record.rewards) - rebates
    traded = int(seen.notional.sum())
    return form.Earned(
        spread=show(spread),
        moves=show(pnl - spread + fees - rebates - rewards),
        fees=show(fees),
        rebates=show(rebates),
        rewards=show(rewards),
        total=show(pnl),
        traded=show(traded),
        maker=ratio(int(seen.notional[seen.maker].sum()), traded),
        unpriced=int((seen.before == 0).sum()),
    )


def markout_of(seen: Seen, horizon: int) -> form.Markout:
    """What the price did after fills."""
    after = seen.after(horizon)
    found, weight = seen.markout(horizon, after), float(after.weight.sum())
    edge = float(after.edge @ after.weight) / weight if weight else None
    return form.Markout(
        seconds=horizon // SECOND,
        fills=int(after.known.sum()),
        edge=edge,
        moved=None if found is None or edge is None else found.mean - edge,
        drift=seen.drift(horizon, after),
        markout=None if found is None else found.mean,
        low=None if found is None else found.low,
        high=None if found is None else found.high,
        money=show(int(seen.money_later(horizon).sum())),
    )


def markout_a_minute(seen: Seen, market: int | None = None) -> float | None:
    """The mean markout in ticks, a minute after the fills, of one market or of all."""
    after: After = seen.after(MINUTE)
    own = slice(None) if market is None else seen.market[after.known] == market
    weight = after.weight[own]
    total = float(weight.sum())
    return float(after.markout[own] @ weight) / total if total else None


# ---- by market -----------------------------------------------------------------------------------


def _markets(books: Books, run: BookRun, seen: Seen) -> list[form.MadeMarket]:
    """The markets that were quoted in, the best result first."""
    rows, trips, own = [], books.trips, run.own
    for m in _quoting(run):
        market = books.columns.markets[m]
        mine, orders = seen.market == m, own.market == m
        stood = int((orders & (own.accepted > 0)).sum())
        most, least, last = inventory_of(books.columns.record, seen, m).extremes
        pnl = int(trips.pnl[trips.market == m].sum())
        row = form.MadeMarket(
            market=market.id,
            question=market.question,
            accepted=stood,
            fills=int(mine.sum()),
            fill_ratio=ratio(int((orders & (own.filled > 0)).sum()), stood),
            traded=show(int(seen.notional[mine].sum())),
            spread=show(int(seen.spread[mine].sum())),
            fees=show(int(seen.fee[mine].sum())),
            pnl=show(pnl),
            markout=markout_a_minute(seen, m),
            longest=market.show_size(most),
            shortest=market.show_size(least),
            last=market.show_size(last),
        )
        rows.append((-pnl, market.id, row))
    return [row for *_, row in sorted(rows, key=lambda found: found[:2])]
