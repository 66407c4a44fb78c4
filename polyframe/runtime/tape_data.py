"""The part of a catalogue's tape that a replay plays."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from datetime import UTC, datetime
from functools import cached_property

import numpy as np

from polyframe.api.strategy import Strategy
from polyframe.domain.market import Market
from polyframe.domain.units import SECOND, Ns, Price
from polyframe.errors import ConfigError, DataError
from polyframe.runtime.plugins import Registry
from polyframe.runtime.settings import Config
from polyframe.store.catalogue import Catalogue
from polyframe.store.tape import Segment, Tape, TapeKind

__all__ = ["Played", "played", "plays_tape", "tape_source"]


@dataclass(frozen=True)
class Played:
    """A tape and the part of it that a run plays; the session is from ``start`` to ``end``."""

    source: str
    tape: Tape
    start: Ns
    end: Ns

    def tokens(self, markets: Sequence[Market]) -> Mapping[str, int]:
        """The place of each instrument's market among these."""
        return {market.yes.id: m for m, market in enumerate(markets)}

    def ticks(self, markets: Sequence[Market]) -> dict[str, Price]:
        """The finest tick of each market, its own and those that the tape tells."""
        told = self._ticks
        return {m.id: min(m.tick, told.get(m.yes.id, m.tick)) for m in markets}

    @cached_property
    def _ticks(self) -> Mapping[str, Price]:
        """The finest tick that the tape tells of each instrument; read once for many runs."""
        finest: dict[str, Price] = {}
        for segment in self.tape:
            rows = np.flatnonzero(segment["kind"] == TapeKind.TICK)
            for row in rows.tolist():
                name = segment.instruments[segment["instrument"][row]]
                tick = int(segment["price"][row])
                if tick > 0:
                    finest[name] = min(finest.get(name, tick), tick)
        return finest

    def centres(self, markets: Sequence[Market]) -> dict[str, Price]:
        """The first price of each market that is not binary: its book has no bounds."""
        found: dict[str, Price] = {}
        for market in markets:
            if not market.binary:
                found[market.id] = _first_price(self.tape.segments, market.yes.id)
        return found


def _first_price(segments: Sequence[Segment], instrument: str) -> Price:
    for segment in segments:
        if instrument not in segment.instruments:
            continue
        own = segment["instrument"] == segment.instruments.index(instrument)
        rows = np.flatnonzero(own & (segment["price"] > 0))
        if len(rows):
            return int(segment["price"][rows[0]])
    return 0


def tape_source(catalogue: Catalogue, config: Config, registry: Registry) -> str:
    """The source of the tape that the configured strategies play, empty when they play prices.

    Raises:
        ConfigError: strategies play books and several tapes could be meant.
        DataError: there is no tape at all.
    """
    sources = sorted(catalogue.tapes())
    named = config.data.tape
    if named:
        if named not in sources:
            raise ConfigError(
                f"{catalogue.path} has no tape of source {named!r}",
                expected=f"one of {', '.join(sources)}" if sources else "an imported tape",
                hint=f"polyframe data list '{catalogue.path}'",
            )
        return named
    playing = _playing(config, registry)
    if not playing:
        return ""
    if not sources:
        raise DataError(
            f"{playing[0]} plays recorded books, and {catalogue.path} has no tape",
            expected="recorded books and trades",
            hint=f"polyframe data import tape FILE --format FORMAT --into '{catalogue.path}'",
        )
    if len(sources) > 1:
        raise ConfigError(
            f"{catalogue.path} has {len(sources)} tapes",
            expected=f"one of {', '.join(sources)}",
            hint=f"polyframe backtest --tape {sources[0]}",
        )
    return sources[0]


def plays_tape(config: Config, registry: Registry) -> bool:
    """Whether a run plays recorded books: a tape is named, or a strategy wants one."""
    return bool(config.data.tape or _playing(config, registry))


def _playing(config: Config, registry: Registry) -> list[str]:
    """The strategies that play recorded books."""
    names = (use.use for use in config.strategies)
    return [name for name in names if _strategy(registry, name).books]


def _strategy(registry: Registry, name: str) -> type[Strategy]:
    found: type[Strategy] = registry.get("strategy", name)
    return found


def _countable(markets: Sequence[Market], catalogue: Catalogue) -> None:
    for market in markets:
        try:
            _ = market.divisor
        except DataError as error:
            error.hint = (
                f"{catalogue.path} is of an earlier version: import {market.id} into a new one, "
                "polyframe data import tape ... --into DIR"
            )
            raise


def played(
    catalogue: Catalogue, source: str, config: Config, chosen: Sequence[Market]
) -> tuple[Played, list[Market]]:
    """A tape within the configured period, and the chosen markets that are on it.

    Raises:
        DataError: no chosen market is on it, or nothing of it lies in the period.
        GapError: its rows are not in the order of time, or of instruments that it does not list.
    """
    tape = catalogue.tape(source)
    there = set(tape.instruments)
    markets = [market for market in chosen if market.yes.id in there]
    if not markets:
        raise DataError(
            f"none of {len(chosen)} markets is on the tape of {source}",
            expected=f"the market of token {min(there)!r}, for one",
            hint=f"polyframe data list '{catalogue.path}'",
        )
    _countable(markets, catalogue)
    first, last = tape.segments[0].first_ts, tape.segments[-1].last_ts
    start, end = config.data.period
    start = first if start is None else max(start, first)
    end = last if end is None else min(end - 1, last)
    if start > end:
        days = [datetime.fromtimestamp(ts / SECOND, UTC).date() for ts in (first, last)]
        raise DataError(
            f"nothing of the tape of {source} lies in the period {config.data.timerange}",
            expected=f"days between {days[0]} and {days[1]}",
            hint=f"polyframe backtest --timerange {days[0]}..{days[1]}",
        )
    for segment in tape.segments:
        segment.prove_playable()
    return Played(source, tape, start, end), markets
