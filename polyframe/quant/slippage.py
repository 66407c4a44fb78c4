"""What taking will cost beyond the mid: a line in four circumstances, fitted at a quantile.

The mean is no use to who decides whether to take: what matters is what it seldom costs more than.
"""

from __future__ import annotations

import itertools
from collections.abc import Sequence
from typing import TYPE_CHECKING, NamedTuple

import numpy as np

from polyframe.errors import DataError
from polyframe.quant.roots import checked_amount

if TYPE_CHECKING:
    from numpy.typing import ArrayLike, NDArray

    Floats = NDArray[np.float64]

REACH = 0.02
"""Depth counts no further than two cents from the best price."""
GAP_TICKS = 3
LEAST_ROWS = 20
_STEPS = 10_000
_FLAT = 1e-12
_SHIFT = 1e-10
_GOLDEN = 0.6180339887498949


class Circumstances(NamedTuple):
    """What a taken order met.

    Units: ``spread`` as a fraction of 1; parts of the depth within reach and of a day's volume;
    ``gap`` is 1 where the walk crosses more than three ticks without an order, else 0.
    """

    spread: float
    depth: float
    volume: float
    gap: float


def circumstances(
    met: Sequence[tuple[float, float]],
    own: float,
    shares: float,
    tick: float,
    *,
    reach: float = REACH,
    volume: float = 0.0,
) -> Circumstances:
    """What a purchase of so many shares meets. A sale is a purchase of the mirrored book.

    ``own`` is the best price of the side that it could join, ``volume`` the shares of a usual day,
    0 where nobody knows.

    Shapes: met (levels, 2) as (price, shares), best first. Units: fractions of 1; shares.

    Source: the reference's model of costs; depth is near-uniform up to a gap.

    Raises:
        DataError: nobody offers anything, or an argument is out of range.
    """
    size, step = checked_amount("shares", shares), checked_amount("tick", tick, above=0.0)
    near = sum(n for price, n in met if price <= met[0][0] + reach + 1e-12)
    if not near > 0.0:
        raise DataError("what taking costs in a book without sizes", expected="a level with shares")
    left, gap = size, 0.0
    for (price, n), (further, _) in itertools.pairwise(met):
        left -= n
        if left <= 0.0:
            break
        if further - price > (GAP_TICKS + 1e-9) * step:
            gap = 1.0
    day = checked_amount("volume", volume)
    return Circumstances(max(met[0][0] - own, 0.0), size / near, size / day if day else 0.0, gap)


class Slippage(NamedTuple):
    """Coefficients of the model and the quantile that they were fitted at.

    Units: fractions of 1 a share for a whole unit of each circumstance.
    """

    spread: float = 0.5
    depth: float = 0.02
    volume: float = 0.0
    gap: float = 0.01
    quantile: float = 0.8

    def predict(self, met: Circumstances) -> float:
        """What a share will cost beyond the mid, seldom more.

        Shapes: scalar. Units: fraction of 1.

        Source: a x spread + b x size / depth + c x size / volume + d x 1{gap}.
        """
        return (
            self.spread * met.spread
            + self.depth * met.depth
            + self.volume * met.volume
            + self.gap * met.gap
        )


def fit_slippage(
    rows: Sequence[Circumstances], observed: ArrayLike, quantile: float = 0.8
) -> Slippage:
    """The coefficients, none below 0, for which that share of own fills cost no more.

    A circumstance that never occurred has coefficient 0. In the end all are multiplied by one
    number, so that the share holds among the fills themselves.

    Shapes: rows (n, 4), observed (n,). Units: as in :class:`Circumstances`; fractions of 1.

    Source: quantile regression, Koenker and Bassett 1978; split conformal prediction with ratios,
    Papadopoulos et al. 2002.

    Raises:
        DataError: fewer than twenty fills, different lengths, or a value out of range.
    """
    x, y = np.asarray(rows, dtype=np.float64), np.asarray(observed, dtype=np.float64)
    if not 0.0 < quantile < 1.0:
        raise DataError(f"quantile {quantile!r}", expected="a number between 0 and 1")
    if x.ndim != 2 or x.shape[1] != len(Circumstances._fields) or y.shape != x.shape[:1]:
        raise DataError(f"{x.shape} circumstances for {y.shape} costs", expected="(n, 4) and (n,)")
    if y.size < LEAST_ROWS:
        raise DataError(f"{y.size} fills to fit from", expected=f"{LEAST_ROWS} or more")
    fine = np.isfinite(x).all(axis=1) & (x >= 0.0).all(axis=1) & np.isfinite(y)
    if not fine.all():
        row = int(np.argmin(fine))
        raise DataError(
            f"fill {row}: circumstances {x[row].tolist()}, cost {y[row]}",
            expected="finite numbers, circumstances of 0 or more",
        )
    found = quantile_fit(x, y, quantile)
    a, b, c, d = (found * _stretch(x @ found, y, quantile)).tolist()
    return Slippage(a, b, c, d, quantile)


def _stretch(said: Floats, y: Floats, quantile: float) -> float:
    """What predictions are multiplied by so that the share of costs within them is the quantile.

    A line through 0 in few circumstances misses it where costs have another shape.
    """
    ratios = np.sort(y[said > 0.0] / said[said > 0.0])
    if ratios.size == 0:
        return 1.0
    # One more than the share: the next fill is one of n + 1 that could come in any order.
    rank = int(np.ceil(quantile * (ratios.size + 1))) - 1
    return max(float(ratios[min(rank, ratios.size - 1)]), 0.0)


def quantile_fit(features: Floats, targets: Floats, quantile: float) -> Floats:
    """Coefficients b >= 0 with the least pinball loss of targets - features . b.

    Shapes: features (n, k), none below 0; targets (n,); to (k,). Units: any.

    Source: descent along edges, Barrodale and Roberts 1973, with bounds on the coefficients.

    Raises:
        DataError: the descent did not end, which no data should bring about.
    """
    most = features.max(axis=0)
    used = most > 0.0
    found = np.zeros(features.shape[1])
    unit = float(np.abs(targets).max())
    if used.any() and unit > 0.0:
        solved = _Descent(features[:, used] / most[used], targets / unit, quantile).solve()
        found[used] = solved * unit / most[used]
    return found


class _Descent:
    """Goes from corner to corner of the loss, each with k conditions that hold exactly.

    A condition is a row that is met (its number) or a coefficient that is 0 (n and its number).
    """

    def __init__(self, x: Floats, y: Floats, quantile: float) -> None:
        self.x, self.y, self.q = x, y, quantile
        self.n, self.k = x.shape
        # Prices on a grid make rows that meet in one corner; a shift that no one sees parts them.
        shift = np.modf(np.arange(1, self.n + 1) * _GOLDEN)[0]
        self.right = np.concatenate([y + _SHIFT * shift, np.zeros(self.k)])
        self.left = np.concatenate([x, np.eye(self.k)])
        self.held = [self.n + j for j in range(self.k)]

    def solve(self) -> Floats:
        """The coefficients at the lowest corner."""
        for _ in range(_STEPS):
            turned = np.linalg.inv(self.left[self.held])
            at = turned @ self.right[self.held]
            chosen = self._steepest(turned, self.right[: self.n] - self.x @ at)
            if chosen is None:
                exact = np.concatenate([self.y, np.zeros(self.k)])
                return np.maximum(turned @ exact[self.held], 0.0)
            self._go(*chosen, at)
        raise DataError("no quantile can be fitted", expected="a descent that ends")

    def _steepest(self, turned: Floats, rest: Floats) -> tuple[int, Floats, float, Floats] | None:
        """Which condition to give up, which way that leads, how steeply, and what is left over."""
        rows = [row for row in self.held if row < self.n]
        pull = np.where(rest > 0.0, self.q, self.q - 1.0)
        pull[rows] = 0.0
        rest[rows] = 0.0
        slopes = -(pull @ self.x) @ turned
        best, found = -_FLAT * self.n, None
        for a, row in enumerate(self.held):
            # Giving up a row costs by which side it falls to; a coefficient only rises from 0.
            ways = ((1.0, 1.0 - self.q), (-1.0, self.q)) if row < self.n else ((1.0, 0.0),)
            for way, cost in ways:
                slope = way * float(slopes[a]) + cost
                if slope < best:
                    best, found = slope, (a, way * turned[:, a], slope, rest)
        return found

    def _go(self, a: int, way: Floats, slope: float, rest: Floats, at: Floats) -> None:
        """Follows an edge until the loss rises again, or a coefficient would fall below 0."""
        speed = self.x @ way
        meets = (np.abs(speed) > _FLAT) & (rest / np.where(speed == 0.0, 1.0, speed) > 0.0)
        rows = np.flatnonzero(meets)
        times = rest[rows] / speed[rows]
        order = np.argsort(times, kind="stable")
        risen = slope + np.cumsum(np.abs(speed[rows])[order])
        last = int(np.searchsorted(risen, 0.0))
        ends = [(float(times[order[last]]), int(rows[order[last]]))] if last < order.size else []
        ends += [
            (float(max(at[j], 0.0) / -way[j]), self.n + j)
            for j in range(self.k)
            if way[j] < -_FLAT and self.n + j not in self.held
        ]
        if not ends:
            raise DataError("no quantile can be fitted", expected="circumstances that differ")
        self.held[a] = min(ends)[1]
