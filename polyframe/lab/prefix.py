"""Whether decisions look ahead: cut the data at a moment and decide again up to it.

Everything a session hears comes from recorded rows in their order, so a decision that changes when
later rows are taken away was made of something else: a file, a global, a table of outcomes.
"""

from __future__ import annotations

from collections.abc import Callable, Sequence
from dataclasses import dataclass, replace
from typing import NamedTuple

import msgspec
import numpy as np

from polyframe.api.forecaster import ForecastSource
from polyframe.domain.effects import Effect, OrderReviewed, RequestForecast
from polyframe.domain.events import Event
from polyframe.domain.forecast import Forecast
from polyframe.domain.units import Ns
from polyframe.errors import DataError
from polyframe.runtime import build
from polyframe.runtime.plugins import Registry
from polyframe.runtime.settings import Config
from polyframe.store.journal import JournalWriter
from polyframe.store.timeline import PriceColumns

Decision = OrderReviewed | RequestForecast


class Difference(NamedTuple):
    """The first decision that is not the same without the later rows."""

    cut: Ns
    ts: Ns
    whole: str
    part: str


@dataclass(frozen=True)
class Prefixes:
    """What cutting the data showed. ``decisions`` are those of the whole run."""

    cuts: int
    decisions: int
    differences: tuple[Difference, ...]


def prefixes(
    config: Config,
    registry: Registry,
    data: build.Recorded,
    *,
    cuts: int,
    rng: np.random.Generator,
    progress: Callable[[int, int], None] | None = None,
) -> Prefixes:
    """Decides over the whole data and over parts of it that end at random rows."""
    whole = decided(config, registry, data)
    told = progress or _silent
    told(1, cuts + 1)
    found = []
    for k, moment in enumerate(_moments(data, cuts, rng)):
        part = decided(config, registry, until(data, moment))
        first = difference(whole, part, moment)
        if first is not None:
            found.append(first)
        told(k + 2, cuts + 1)
    return Prefixes(cuts, len(whole), tuple(found))


def _moments(data: build.Recorded, cuts: int, rng: np.random.Generator) -> list[Ns]:
    """The times of random rows, ascending."""
    ts = data.prices.ts
    if data.tape is not None:
        ts = np.concatenate([segment["ts"] for segment in data.tape.tape])
        ts = ts[(ts >= data.tape.start) & (ts <= data.tape.end)]
    if len(ts) < 2:
        raise DataError("a single row cannot be cut", expected="recorded data of some length")
    return [int(at) for at in ts[np.sort(rng.integers(1, len(ts), size=cuts))]]


def _silent(done: int, total: int) -> None:
    del done, total


def until(data: build.Recorded, moment: Ns) -> build.Recorded:
    """The recorded data as it stood at a moment: nothing that was known later."""
    rows = int(np.searchsorted(data.prices.ts, moment, side="right"))
    p = data.prices
    prices = PriceColumns(p.ts[:rows], p.market[:rows], p.price[:rows], p.flag[:rows])
    known = {id: r for id, r in data.resolutions.items() if r.known_at <= moment}
    forecasts = _Known(data.forecasts, moment)
    bars = data.bars.until(moment) if data.bars is not None else None
    tape = replace(data.tape, end=moment) if data.tape is not None else None
    return replace(
        data, resolutions=known, prices=prices, bars=bars, forecasts=forecasts, tape=tape
    )


class _Known(ForecastSource):
    """Forecasts that could be acted on by a moment."""

    def __init__(self, source: ForecastSource, moment: Ns) -> None:
        self._source = source
        self._moment = moment
        self.rows = [f for f in getattr(source, "rows", ()) if f.known_at <= moment]

    def newest(self, market: str, source: str, known_by: Ns) -> Forecast | None:
        return self._source.newest(market, source, min(known_by, self._moment))


def decided(config: Config, registry: Registry, data: build.Recorded) -> list[Decision]:
    """What a run asked for and put to the risk door, in order."""
    found: list[Decision] = []

    def watch(_: Event, effects: Sequence[Effect]) -> None:
        found.extend(e for e in effects if isinstance(e, OrderReviewed | RequestForecast))

    made = build.replay(
        config, registry, data, session="lookahead", journal=JournalWriter.null(), watch=watch
    )
    with made.calls.watch(10.0):
        made.replay.run()
    return found


def moment_of(decision: Decision) -> Ns:
    """When it was made."""
    return decision.ts if isinstance(decision, OrderReviewed) else decision.as_of


def difference(whole: Sequence[Decision], part: Sequence[Decision], cut: Ns) -> Difference | None:
    """The first decision up to the cut that the two runs do not share.

    A decision at the very moment of the cut may rest on a row of that moment which is gone.
    """
    a = [d for d in whole if moment_of(d) < cut]
    b = [d for d in part if moment_of(d) < cut]
    for mine, other in zip(a, b, strict=False):
        if mine != other:
            return Difference(cut, moment_of(mine), said(mine), said(other))
    if len(a) == len(b):
        return None
    extra = (a if len(a) > len(b) else b)[min(len(a), len(b))]
    texts = (said(extra), "nothing")
    return Difference(cut, moment_of(extra), *(texts if len(a) > len(b) else texts[::-1]))


def said(decision: Decision) -> str:
    """One decision in words."""
    if isinstance(decision, RequestForecast):
        return f"ask {decision.forecaster} about {decision.market}"
    intent = decision.intent
    plain = {
        key: value
        for key, value in msgspec.to_builtins(intent).items()
        if key in {"price", "size", "probability", "reason"} and value not in (None, "")
    }
    details = ", ".join(f"{key} {value}" for key, value in plain.items())
    return f"{intent.side.name.lower()} {intent.token} ({details}), permitted {decision.permitted}"
