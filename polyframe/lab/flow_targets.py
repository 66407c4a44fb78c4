"""Order flow whose spread, depth and arrivals are those of a book that was seen."""

from __future__ import annotations

import math

import msgspec
import numpy as np
from msgspec.structs import replace

from polyframe.errors import UserError
from polyframe.lab.flow_figures import Figures, measure
from polyframe.lab.flow_runs import PRICE_ONE, run_agents, stream_of
from polyframe.lab.flow_spec import FlowSpec

LONGEST = 900.0
"""Seconds of each trial run: of a longer market the beginning is measured."""
RUNS = 12
ROUNDS = 40
TOLERANCE = 0.05
"""Figures within 5 % of their targets: a market's own figures differ by more from run to run."""

MET = ("spread", "deep", "trades", "take_size")


class Targets(msgspec.Struct, frozen=True, kw_only=True):
    """What a book should look like in the mean of its time with a mid from 0.1 to 0.9.

    ``spread`` in ticks, ``deep`` the mean size that stands at each of 2, 3 and 4 ticks behind a
    best price, ``trades`` a second, of ``take_size`` in the median and with ``take_spread`` as
    standard deviation of ln.
    """

    spread: float
    deep: float
    trades: float
    take_size: float
    take_spread: float

    def __post_init__(self) -> None:
        for name in self.__struct_fields__:
            value = getattr(self, name)
            low = 1.0 if name == "spread" else 0.0
            if not (math.isfinite(value) and value >= low and (value > 0.0)):
                raise UserError(
                    f"calibration: {name} is {value!r}",
                    expected=f"a number of {low:g} or more, above 0",
                )

    @classmethod
    def of(cls, figures: Figures) -> Targets:
        """What was measured on a tape, as what to aim at."""
        return cls(**{name: getattr(figures, name) for name in cls.__struct_fields__})


RECORDED = Targets(spread=1.147, deep=288.9, trades=3.814, take_size=8.0, take_spread=1.320)
"""Recorded 15-minute bitcoin markets of Polymarket, both tokens as one book.

Spread and depth: 2,972 snapshots, one a second, of six markets in February 2026 while the mid was
from 0.1 to 0.9. Trades: 3,270 prints in 857 seconds of one market in December 2025.
"""


def calibrate(targets: Targets, spec: FlowSpec | None = None, *, seed: int = 0) -> FlowSpec:
    """The spec with half spread, sizes and rate of takers such that the figures are met.

    ``take_spread`` is taken over as it stands, all else is as in ``spec``. Trial runs are drawn and
    measured and the four corrected, less and less, until their figures are within 5 % of the
    targets in the mean of twelve runs.

    Raises:
        UserError: there is no such market, as with too much noise for a narrow spread.
    """
    # A taker's order may be split over levels: prints are somewhat smaller than orders.
    spec = replace(spec or FlowSpec(), take_size=targets.take_size, take_spread=targets.take_spread)
    for n in range(ROUNDS):
        found = typical(spec, seed)
        if _off(found, targets) <= TOLERANCE:
            return spec
        spec = _corrected(spec, found, targets, gain=1.0 / (1.0 + n / 8.0))
    raise _unmet(found, targets)


def _corrected(spec: FlowSpec, found: Targets, targets: Targets, gain: float) -> FlowSpec:
    def scaled(name: str, figure: str) -> float:
        ratio = getattr(targets, figure) / getattr(found, figure)
        return float(getattr(spec, name) * min(max(ratio, 0.25), 4.0) ** gain)

    half = spec.half_spread + 0.8 * gain * (targets.spread - found.spread)
    return replace(
        spec,
        half_spread=min(max(half, 0.0), 1e3),
        order_size=scaled("order_size", "deep"),
        takers=scaled("takers", "trades"),
        take_size=scaled("take_size", "take_size"),
    )


def typical(spec: FlowSpec, seed: int = 0, runs: int = RUNS) -> Targets:
    """The means of some runs' figures."""
    seconds = min(spec.seconds, LONGEST)
    measured = [
        measure(run_agents(spec, stream_of(seed, n), seconds).columns, spec.tick, one=PRICE_ONE)
        for n in range(runs)
    ]
    means = {
        name: float(np.mean([getattr(figures, name) for figures in measured]))
        for name in Targets.__struct_fields__
    }
    return Targets(**means)


def _errors(found: Targets, targets: Targets) -> dict[str, float]:
    return {name: abs(getattr(found, name) / getattr(targets, name) - 1.0) for name in MET}


def _off(found: Targets, targets: Targets) -> float:
    return max(_errors(found, targets).values())


def _unmet(found: Targets, targets: Targets) -> UserError:
    errors = _errors(found, targets)
    name = max(errors, key=errors.__getitem__)
    reached, wanted = getattr(found, name), getattr(targets, name)
    return UserError(
        f"calibration: {name} comes to {reached:.4g}, not {wanted:.4g}",
        expected="targets that makers and takers like these can reach",
        hint="a narrower spread wants more makers, a shorter hold or less noise; more trades a "
        "lower share of informed takers",
    )
