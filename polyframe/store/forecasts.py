"""Recorded forecasts, found by what could be known at a moment."""

from __future__ import annotations

from bisect import bisect_right
from collections.abc import Iterable, Mapping, Sequence

from polyframe.api.forecaster import ForecastSource
from polyframe.domain.forecast import Forecast
from polyframe.domain.units import Ns
from polyframe.errors import LookaheadError
from polyframe.store.moments import show_time


class ForecastTable(ForecastSource):
    """Forecasts by market and source; the newest that was ready is found by binary search.

    ``ends`` are the moments at which markets closed or resolved, whichever came first.

    Raises:
        LookaheadError: a forecast claims a moment later than its market's end.
    """

    def __init__(self, rows: Iterable[Forecast], ends: Mapping[str, Ns] | None = None) -> None:
        self.rows: tuple[Forecast, ...] = tuple(
            sorted(rows, key=lambda f: (f.market, f.source, f.known_at, f.as_of))
        )
        check_ends(self.rows, ends or {})
        self._index: dict[tuple[str, str], tuple[list[Ns], list[Forecast]]] = {}
        for source in ("", *self.sources()):
            mine = [f for f in self.rows if not source or f.source == source]
            mine.sort(key=lambda f: f.known_at)
            for forecast in mine:
                self._append((forecast.market, source), forecast)

    def newest(self, market: str, source: str, known_by: Ns) -> Forecast | None:
        """The newest forecast for a market that could be acted on at ``known_by``.

        An empty ``source`` means any.
        """
        times, best = self._index.get((market, source), ([], []))
        at = bisect_right(times, known_by)
        return best[at - 1] if at else None

    def sources(self) -> tuple[str, ...]:
        """The true sources on record, sorted."""
        return tuple(sorted({f.source for f in self.rows}))

    def markets(self) -> tuple[str, ...]:
        """The markets with a forecast, sorted."""
        return tuple(sorted({f.market for f in self.rows}))

    def of(self, market: str) -> tuple[Forecast, ...]:
        """A market's forecasts, oldest first."""
        return tuple(sorted((f for f in self.rows if f.market == market), key=_moment))

    def __len__(self) -> int:
        return len(self.rows)

    def _append(self, key: tuple[str, str], forecast: Forecast) -> None:
        times, best = self._index.setdefault(key, ([], []))
        # A slow answer to an old question may arrive after a newer one: the newer knowledge stays.
        newer = best[-1] if best and best[-1].as_of > forecast.as_of else forecast
        times.append(forecast.known_at)
        best.append(newer)


def check_ends(rows: Sequence[Forecast], ends: Mapping[str, Ns]) -> None:
    """Refuses forecasts made after their market's end.

    Raises:
        LookaheadError: at least one was.
    """
    late = [f for f in rows if f.market in ends and f.as_of > ends[f.market]]
    if late:
        first = late[0]
        raise lookahead(
            first.source, len(late), len(rows), first.market, first.as_of, ends[first.market]
        )


def lookahead(
    source: str, late: int, total: int, market: str, as_of: Ns, end: Ns
) -> LookaheadError:
    """The error for forecasts whose maker could know the outcome."""
    return LookaheadError(
        f"{late:,} of {total:,} forecasts of {source!r} were made after their market ended, "
        f"e.g. market {market}: made {show_time(as_of)}, ended {show_time(end)}",
        expected="forecasts made before the outcome could be known",
        hint="leave them out with a filter in the mapping, or state their true as_of",
    )


def _moment(forecast: Forecast) -> Ns:
    return forecast.as_of
