"""What recorded data can tell guards at all; what it never says is no reason to refuse an order."""

from __future__ import annotations

from collections.abc import Iterable, Sequence

from polyframe.domain.forecast import Forecast
from polyframe.domain.market import Market
from polyframe.engine.guards import Guarded

ASKS = {
    "liquidity": ("liquidity", "liquidity of its markets"),
    "evidence": ("evidence", "quality of the forecasts' evidence"),
    "confidence": ("confidence", "confidence of the forecasts"),
    "timeline": ("closes", "time at which its markets close"),
}
"""Guards that need an input which some data never has: its name, and what is missing then."""


def known_inputs(markets: Iterable[Market], forecasts: Sequence[Forecast]) -> frozenset[str]:
    """The inputs that data of these markets and forecasts has."""
    found = set()
    if any(market.closes > 0 for market in markets):
        found.add("closes")
    if any(forecast.evidence_quality is not None for forecast in forecasts):
        found.add("evidence")
    if any(forecast.confidence for forecast in forecasts):
        found.add("confidence")
    return frozenset(found)


def unchecked(
    guarded: Iterable[Guarded], inputs: frozenset[str], *, forecasted: bool = True
) -> list[str]:
    """A line for each guard in force that cannot be checked with these inputs.

    Guards about forecasts have nothing to say where there is none.
    """
    lines = []
    for item in guarded:
        kernel = item.protection.kernel
        if kernel not in ASKS or (kernel in ("evidence", "confidence") and not forecasted):
            continue
        name, what = ASKS[kernel]
        if name not in inputs:
            lines.append(
                f"{type(item.protection).__name__} not checked: the data records no {what}"
            )
    return list(dict.fromkeys(lines))
