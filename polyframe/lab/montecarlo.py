"""What could have happened instead: trades in another order, other events, other outcomes.

Everything is seeded and drawn in blocks, so that memory stays flat for tens of thousands of trades.
"""

from __future__ import annotations

from collections.abc import Iterator
from typing import TYPE_CHECKING, NamedTuple

import numpy as np

from polyframe.kernels import trips_nb as nb
from polyframe.lab import schema as form

if TYPE_CHECKING:
    from numpy.typing import NDArray

    Floats = NDArray[np.float64]
    Ints = NDArray[np.int64]

DRAWS = 5_000
UNITS = 1_000
"""More trades than this are shuffled in blocks of neighbours with their inner paths kept."""
LEAST_DRAWS = 1_000
_CELLS = 2_000_000
BAND_DRAWS = 2_000
"""A picture needs no more."""
_BAND_CELLS = 4_000_000
MOST_COLUMNS = 1_000
"""More independent events than this are drawn fewer times: their sum hardly spreads."""


class Holdings(NamedTuple):
    """What was bought in markets that ended with a winner, one row a purchase.

    ``pays`` is what it pays when its side happens (``first``: YES), ``market`` and ``claimed`` the
    probabilities of YES at that moment (NaN: not claimed), ``number`` counts the markets,
    ``column`` the uniform numbers: a ladder or an exclusive event has one for all its markets.

    Shapes: (purchases,) each. Units: pays in currency.
    """

    pays: Floats
    first: NDArray[np.bool_]
    market: Floats
    claimed: Floats
    number: Ints
    column: Ints
    exclusive: NDArray[np.bool_]


def _blocks(draws: int, width: int, cells: int = _CELLS) -> Iterator[int]:
    step = max(1, min(draws, cells // max(width, 1)))
    for start in range(0, draws, step):
        yield min(step, draws - start)


def _summary(name: str, values: Floats, actual: float, note: str = "") -> form.Simulated:
    low, high = np.quantile(values, (0.05, 0.95))
    # Sums in another order differ in their last digits; those are no difference.
    close = np.isclose(values, actual, rtol=1e-9, atol=1e-7)
    below = np.count_nonzero((values < actual) & ~close) + 0.5 * np.count_nonzero(close)
    return form.Simulated(
        name,
        len(values),
        float(actual),
        float(values.mean()),
        float(low),
        float(high),
        float(below / len(values)),
        note,
    )


# ---- trades in another order -------------------------------------------------------------------


def _units(results: Floats, blocks: int) -> tuple[Floats, Floats, Floats, Floats]:
    """Blocks of neighbouring results: sum, lowest and highest point, own deepest fall."""
    rows = []
    for part in np.array_split(results, min(blocks, len(results))):
        path = np.concatenate([[0.0], np.cumsum(part)])
        rows.append(
            (
                path[-1],
                path.min(),
                path.max(),
                float((np.maximum.accumulate(path) - path).max()),
            )
        )
    total, low, high, fall = np.ascontiguousarray(np.array(rows).T)
    return total, low, high, fall


def _falls(orders: NDArray[np.int32], units: tuple[Floats, Floats, Floats, Floats]) -> Floats:
    """The deepest fall in each order. Shapes: (draws, units) to (draws,)."""
    found = np.zeros(len(orders))
    nb.falls(np.ascontiguousarray(orders), *units, found)
    return found


def reshuffled(results: Floats, seed: int, draws: int = DRAWS) -> form.Simulated:
    """The deepest fall of realised results when the trades come in another order.

    The sum stays the same, whatever the order. Shapes: (trades,), in the order they ended. Units:
    currency.
    """
    name = "drawdown, trades reordered"
    if len(results) < 2:
        return form.Simulated(name, 0, note="fewer than two trades ended")
    units = _units(results, UNITS)
    rng = np.random.default_rng([seed, 1])
    as_it_was = np.arange(len(units[0]), dtype=np.int32)
    found = []
    for rows in _blocks(draws, len(as_it_was)):
        orders = rng.permuted(np.broadcast_to(as_it_was, (rows, len(as_it_was))), axis=1)
        found.append(_falls(orders, units))
    actual = float(_falls(as_it_was[None, :], units)[0])
    note = ""
    if len(results) > UNITS:
        note = f"shuffled in {UNITS:,} blocks of neighbouring trades"
    return _summary(name, np.concatenate(found), actual, note)


# ---- other events ------------------------------------------------------------------------------


def events_anew(per_event: Floats, seed: int, draws: int = DRAWS) -> form.Simulated:
    """The total when as many events are drawn anew from those that were traded.

    Shapes: (events,). Units: currency.
    """
    name = "result, events drawn anew"
    n = len(per_event)
    if n < 2:
        return form.Simulated(name, 0, note="fewer than two independent events")
    rng = np.random.default_rng([seed, 2])
    found = [
        per_event[rng.integers(0, n, size=(rows, n), dtype=np.int32)].sum(axis=1)
        for rows in _blocks(draws, n)
    ]
    return _summary(name, np.concatenate(found), float(per_event.sum()))


def band(paths: Floats, seed: int, draws: int = BAND_DRAWS) -> tuple[Floats, Floats]:
    """How far the realised result strays, at each time, when events are drawn anew: 90 %.

    Many events take fewer draws still.

    Shapes: paths (events, times), the realised result of each event by then; to two (times,).
    Units: currency.
    """
    n = len(paths)
    rng = np.random.default_rng([seed, 3])
    rows = max(500, min(draws, _BAND_CELLS // max(n, 1)))
    weights = np.empty((rows, n))
    for row in weights:
        row[:] = np.bincount(rng.integers(0, n, n), minlength=n)
    low, high = np.quantile(weights @ paths, (0.05, 0.95), axis=0)
    return low, high


def winners_missed(
    results: Floats, seed: int, draws: int = DRAWS, share: float = 0.10
) -> form.Simulated:
    """The total when each winning trade is missed with a chance of one in ten.

    What was easy to buy was often bought because it was about to lose; the winners are those that
    somebody faster would have taken. Losers stay.

    Shapes: (trades,). Units: currency.
    """
    name = f"result, {share:.0%} of winners missed"
    won = results[results > 0]
    if not len(won):
        return form.Simulated(name, 0, note="no trade won")
    rng = np.random.default_rng([seed, 7])
    note = f"{len(won):,} trades won"
    if len(won) > UNITS:
        # So many independent misses sum to a normal number.
        spread = float(np.sqrt((won**2).sum() * share * (1 - share)))
        lost = share * won.sum() + spread * rng.standard_normal(draws)
    else:
        missed = [rng.random((rows, len(won))) < share for rows in _blocks(draws, len(won))]
        lost = np.concatenate([block @ won for block in missed])
    return _summary(name, results.sum() - lost, float(results.sum()), note)


# ---- other outcomes ----------------------------------------------------------------------------


def _grouped(column: Ints) -> list[Ints]:
    """The rows of each column, columns in order."""
    order = np.argsort(column, kind="stable")
    return np.split(order, np.flatnonzero(np.diff(column[order])) + 1)


def _starts(held: Holdings, probability: Floats) -> Floats:
    """Where each purchase's interval of its uniform number begins.

    The markets of an exclusive event lie side by side on a circle, all others begin at 0: then the
    lower strike of a ladder is YES whenever the higher one is.
    """
    low = np.zeros(len(probability))
    for rows in _grouped(held.column):
        if not held.exclusive[rows[0]]:
            continue
        _, number = np.unique(held.number[rows], return_inverse=True)
        size = np.bincount(number, weights=held.pays[rows])
        mean = np.bincount(number, weights=held.pays[rows] * probability[rows]) / size
        low[rows] = ((np.cumsum(mean) - mean) % 1.0)[number]
    return low


def _redrawn(held: Holdings, probability: Floats, seed: int, draws: int) -> Floats:
    """What the purchases pay in each draw. The same seed gives the same uniform numbers.

    A purchase pays when its column's number lies on the arc of its probability: each has exactly
    the chance it was given, and those of one event end together. What the rows of a column pay is
    a step function of its number, so many purchases cost hardly more than one.
    """
    low = _starts(held, probability)
    gain = np.where(held.first, held.pays, -held.pays)
    groups = _grouped(held.column)
    if len(groups) > MOST_COLUMNS:
        draws = max(LEAST_DRAWS, draws * MOST_COLUMNS // len(groups))
    total = np.full(draws, float(held.pays[~held.first].sum()))
    rng = np.random.default_rng([seed, 4])
    end = low + probability
    round_again = end > 1.0
    end = np.where(round_again, end - 1.0, end)
    for rows in groups:
        points = np.concatenate([low[rows], end[rows]])
        change = np.concatenate([gain[rows], -gain[rows]])
        sort = np.argsort(points, kind="stable")
        start = float(gain[rows][round_again[rows]].sum())
        steps = np.concatenate([[start], start + np.cumsum(change[sort])])
        nb.add_steps(points[sort], steps, rng.random(draws), total)
    return total


def outcomes_anew(
    held: Holdings, cost: float, paid: float, seed: int, draws: int = DRAWS
) -> tuple[form.Simulated, form.Simulated, str]:
    """The result under the market's and under the claimed probabilities, and where it lies.

    ``cost`` is what the holdings cost with fees, ``paid`` what the outcomes that happened paid
    for them. Sales are left out: a price at which one sells already knows more than the purchase,
    and under the market's probabilities nothing but the costs may be expected.

    Units: currency.
    """
    names = ("to the end, market right", "to the end, claims right")
    if not len(held.pays):
        why = "no purchase with a known mid in a market that ended with a winner"
        return form.Simulated(names[0], 0, note=why), form.Simulated(names[1], 0, note=why), why
    pnl = paid - cost
    market = _summary(names[0], _redrawn(held, held.market, seed, draws) - cost, pnl)
    missing = int(np.isnan(held.claimed).sum())
    if missing:
        why = f"{missing:,} of {len(held.pays):,} purchases claimed no probability"
        return market, form.Simulated(names[1], 0, note=why), why
    claimed = _summary(names[1], _redrawn(held, held.claimed, seed, draws) - cost, pnl)
    return market, claimed, _between(market, claimed, pnl)


def _between(market: form.Simulated, claimed: form.Simulated, pnl: float) -> str:
    ends = (market.mean or 0.0, claimed.mean or 0.0)
    if ends[0] > ends[1]:
        return "the claims expect less than the market: they were no reason to trade"
    if pnl < ends[0]:
        return "below both: worse than if the market had been right"
    if pnl > ends[1]:
        return "above both: luck beyond what the strategy itself claimed"
    share = (pnl - ends[0]) / (ends[1] - ends[0]) if ends[1] > ends[0] else 0.0
    return f"between the two: {share:.0%} of the claimed edge was realised"
