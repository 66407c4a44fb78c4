"""Calibration lines by category and horizon, each level shrunk towards the one above it."""

from __future__ import annotations

from collections.abc import Sequence
from typing import TYPE_CHECKING, NamedTuple

import numpy as np

from polyframe.domain.units import DAY, Ns
from polyframe.errors import DataError
from polyframe.quant.calibration import (
    GROUP_ROWS,
    PENALTY,
    Platt,
    group_lines,
    platt_by_group,
)
from polyframe.quant.rows import (
    from_log_odds,
    log_odds,
    outcomes,
    probabilities,
    row_weights,
)

if TYPE_CHECKING:
    from numpy.typing import ArrayLike, NDArray

    Floats = NDArray[np.float64]

HORIZONS: tuple[tuple[Ns, str], ...] = (
    (DAY, "day"),
    (7 * DAY, "week"),
    (30 * DAY, "month"),
)
LONGER = "longer"
_BETWEEN = "\x1f"  # stands in no name


def horizon_name(left: Ns) -> str:
    """The group of a forecast by the time left until its question closes.

    Shapes: scalar. Units: ns; up to a day (also past its close), a week, 30 days, longer.
    """
    return next((name for most, name in HORIZONS if left <= most), LONGER)


class HierarchicalPlatt(NamedTuple):
    """Lines of categories and of horizons inside them; a level without rows is the one above.

    ``penalties`` are those of the two levels. The keys of ``cells`` are (category, horizon).
    """

    pooled: Platt
    categories: dict[str, Platt]
    cells: dict[tuple[str, str], Platt]
    penalties: tuple[float, float]

    def line(self, category: str, horizon: str = "") -> Platt:
        """The line that holds for a forecast of a category and horizon."""
        above = self.categories.get(category, self.pooled)
        return self.cells.get((category, horizon), above)

    def apply(
        self, values: ArrayLike, categories: Sequence[str], horizons: Sequence[str]
    ) -> Floats:
        """Calibrated probabilities of a column of raw ones."""
        raw = probabilities("forecast", values)
        if not len(categories) == len(horizons) == raw.size:
            raise DataError(
                f"{len(categories)} categories and {len(horizons)} horizons for {raw.size} "
                "forecasts"
            )
        pairs = zip(categories, horizons, strict=True)
        lines = np.array([self.line(category, horizon)[:2] for category, horizon in pairs])
        return from_log_odds(lines[:, 0] * log_odds(raw) + lines[:, 1])


def platt_hierarchy(
    forecast: ArrayLike,
    happened: ArrayLike,
    categories: Sequence[str],
    horizons: Sequence[str],
    *,
    penalty: float = PENALTY,
    group_penalty: float | None = None,
    minimum: int = GROUP_ROWS,
    weights: ArrayLike | None = None,
) -> HierarchicalPlatt:
    """Lines by category, shrunk to the pooled one, and by horizon, shrunk to their category's.

    A category or a horizon in it with fewer than ``minimum`` observations keeps the line above it.
    Rows of horizon "" say nothing about horizons. Without a ``group_penalty`` each level takes the
    one under which it is likeliest.

    Shapes: columns (n,). Units: probabilities in (0, 1), outcomes 0 or 1; weights 1 / k for each
    of k rows of one event.

    Source: normal group effects by empirical Bayes, one level after the other.

    Raises:
        DataError: as :func:`polyframe.quant.calibration.platt_fit`.
    """
    first = platt_by_group(
        forecast, happened, categories, penalty=penalty, group_penalty=group_penalty,
        minimum=minimum, weights=weights,
    )  # fmt: skip
    p = probabilities("forecast", forecast)
    if len(horizons) != p.size:
        raise DataError(f"{len(horizons)} horizons for {p.size} forecasts")
    pairs = list(zip(map(str, categories), map(str, horizons), strict=True))
    names = np.array([_BETWEEN.join(pair) for pair in pairs])
    known = {_BETWEEN.join(pair): pair for pair in pairs if pair[1]}
    lines, strength = group_lines(
        p, outcomes(happened, p.size), row_weights(weights, p.size),
        {name: names == name for name in sorted(known)},
        {name: first.line(category) for name, (category, _) in known.items()},
        group_penalty=group_penalty, minimum=minimum,
    )  # fmt: skip
    cells = {known[name]: line for name, line in lines.items()}
    return HierarchicalPlatt(first.pooled, first.groups, cells, (first.penalty, strength))
