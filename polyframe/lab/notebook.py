"""Backtests from a notebook or a script: the same runs as on the command line, as data frames."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from functools import cached_property
from pathlib import Path
from typing import TYPE_CHECKING, Any

import msgspec

from polyframe.api.strategy import Strategy
from polyframe.errors import UserError
from polyframe.lab import frames
from polyframe.lab.batch import Outcome, Ways, play
from polyframe.lab.comparing import Comparison, Difference, compared
from polyframe.lab.notebook_html import comparison_html, result_html
from polyframe.lab.plan import Request, planned
from polyframe.lab.results import JOURNAL
from polyframe.lab.reuse import Age
from polyframe.lab.schema import Report

if TYPE_CHECKING:
    from pandas import DataFrame

    from polyframe.lab.backtest import Finished

Named = str | type[Strategy]
"""A strategy: its name, or a class, also one of the notebook itself."""


class Result:
    """One finished run. Frames hold floats and UTC timestamps, ``report`` the exact texts."""

    def __init__(self, name: str, finished: Finished) -> None:
        self.name = name
        self._report = finished.report
        self._record = finished.record
        self.directory: Path | None = finished.paths.directory if finished.paths else None
        self.reused = finished.reused

    @property
    def run(self) -> str:
        """The run's id, as ``polyframe report`` takes it."""
        return self._report.run

    @cached_property
    def report(self) -> dict[str, Any]:
        """The whole report, as ``report.json`` has it."""
        plain: dict[str, Any] = msgspec.to_builtins(self._report)
        return plain

    @property
    def summary(self) -> dict[str, Any]:
        """The figures of the run."""
        figures: dict[str, Any] = self.report["summary"]
        return figures

    @cached_property
    def trades(self) -> DataFrame:
        """Every fill and settlement."""
        return frames.trades(self._report)

    @cached_property
    def round_trips(self) -> DataFrame:
        """Every holding from flat to flat; what freqtrade calls a trade."""
        return frames.round_trips(self._report)

    @cached_property
    def equity(self) -> DataFrame:
        """Equity and its fall from the peak, by time."""
        return frames.equity(self._report, self.directory, self._record)

    @cached_property
    def denials(self) -> DataFrame:
        """How many orders each guard denied or made smaller, and why."""
        return frames.denials(self._report)

    @cached_property
    def forecasts(self) -> DataFrame:
        """Every forecast delivered, with the market's mid beside it and what happened."""
        return frames.forecasts(self._at_hand("forecasts"))

    @cached_property
    def signals(self) -> DataFrame:
        """Every order that was wanted and what the guards made of it."""
        return frames.signals(self._at_hand("signals"))

    @cached_property
    def decisions(self) -> DataFrame:
        """The decision log of the run's journal, each row with the place that proves it."""
        journal = self.directory / JOURNAL if self.directory else None
        if journal is None or not journal.is_file():
            raise UserError(
                f"run {self.run} kept no journal, so there is no log of its decisions",
                expected="a stored run with a journal",
                hint='backtest(..., config={"backtest": {"record": "orders"}})',
            )
        return frames.decisions(journal)

    def _at_hand(self, what: str) -> Any:
        if self._record is None:
            raise UserError(
                f"the {what} of run {self.run} were not kept: it is shown from the cache",
                expected="a run made now",
                hint='backtest(..., cache="none")',
            )
        return self._record

    def __repr__(self) -> str:
        s = self._report.summary
        span = "no interval"
        if s.per_event.low is not None and s.per_event.high is not None:
            n = s.effective_n
            span = f"95 % interval [{s.per_event.low * n:+z,.2f}, {s.per_event.high * n:+z,.2f}]"
        return (
            f"<{self.name}: {float(s.pnl):+z,.2f}, {span}, N = {s.effective_n}, "
            f"{s.verdict}; run {self.run}>"
        )

    def _repr_html_(self) -> str:
        return result_html(self.name, self._report)


class Compared:
    """Several runs on the same data, from the best result to the worst."""

    def __init__(self, results: Mapping[str, Result], failed: Mapping[str, str]) -> None:
        self.results = dict(results)
        self.failed = dict(failed)
        self._reports: dict[str, Report] = {n: r._report for n, r in self.results.items()}
        self.comparison: Comparison = compared(self._reports, self.failed)

    @cached_property
    def table(self) -> DataFrame:
        """One row a run, by name: result, interval, N, trades, drawdown, fees, exposure."""
        rows = [msgspec.to_builtins(line) for line in self.comparison.lines]
        frame = frames.plain(rows).drop(columns="per_event").set_index("name")
        for name in ("pnl", "drawdown", "fees"):
            frame[name] = frame[name].astype("float64")
        return frame

    @cached_property
    def differences(self) -> DataFrame:
        """The leader against each other run, paired by event."""
        columns = [field.name for field in msgspec.structs.fields(Difference)]
        return frames.plain(self.comparison.differences, columns)

    def __getitem__(self, name: str) -> Result:
        return self.results[name]

    def __repr__(self) -> str:
        best = self.comparison.leader if self.comparison.distinguishable else "none stands apart"
        return f"<comparison of {', '.join(self.results)}; best: {best}>"

    def _repr_html_(self) -> str:
        return comparison_html(self.comparison)


def backtest(
    strategy: Named | Sequence[Named],
    *,
    data: str | Path | None = None,
    timerange: str = "",
    markets: str | Sequence[str] = (),
    category: str = "",
    forecasted: bool = False,
    cash: float | str | None = None,
    stake: float | str | None = None,
    max_open: int | None = None,
    settings: Mapping[str, Any] | None = None,
    config: str | Path | Mapping[str, Any] | Sequence[str | Path] | None = None,
    seed: int | None = None,
    cache: Age = "none",
    store: bool = True,
    user_data: str | Path = "user_data",
) -> Result:
    """Runs a strategy over recorded data; several together run on one account.

    ``settings`` are the strategy's own, ``config`` is a file, several, or settings as in one. The
    run is stored under ``user_data`` unless ``store`` is false: what was tried counts.

    Raises:
        UserError: a name, a setting or a plugin is wrong, or the strategy raised.
        DataError: the data is damaged or leaves nothing to replay.
    """
    several = not isinstance(strategy, str | type)
    words: Any = strategy if several else [strategy]
    request = _request(
        words, several, data, timerange, markets, category, forecasted, cash, stake, max_open,
        settings, config, seed, user_data,
    )  # fmt: skip
    (outcome,) = play(planned(request), Ways(cache=cache, store=store))
    return _result(outcome)


def compare(
    *strategies: Named | Result,
    data: str | Path | None = None,
    timerange: str = "",
    markets: str | Sequence[str] = (),
    category: str = "",
    forecasted: bool = False,
    cash: float | str | None = None,
    stake: float | str | None = None,
    max_open: int | None = None,
    config: str | Path | Mapping[str, Any] | Sequence[str | Path] | None = None,
    seed: int | None = None,
    cache: Age = "none",
    store: bool = True,
    user_data: str | Path = "user_data",
) -> Compared:
    """Runs each strategy alone on the same cash and data, or compares results that are there.

    Raises:
        UserError: a name or a setting is wrong, all of them failed alike, or results of different
            data are compared.
        DataError: the data is damaged or leaves nothing to replay.
    """
    made = [item for item in strategies if isinstance(item, Result)]
    if made:
        return _of_results(strategies, made)
    request = _request(
        strategies, False, data, timerange, markets, category, forecasted, cash, stake, max_open,
        None, config, seed, user_data,
    )  # fmt: skip
    outcomes = play(planned(request), Ways(cache=cache, store=store))
    return Compared(
        {o.line.name: _result(o) for o in outcomes if o.finished is not None},
        {o.line.name: o.error.message for o in outcomes if o.error is not None},
    )


def _of_results(given: Sequence[Any], made: Sequence[Result]) -> Compared:
    if len(made) != len(given):
        raise UserError(
            "results are compared with strategies that have not run",
            expected="results alone, or strategies alone",
            hint='compare(first, backtest("LLMForecast"))',
        )
    if len({r.summary["start_cash"] for r in made}) > 1:
        raise UserError(
            "results that began with different cash are compared",
            expected="the same cash for each",
            hint="backtest(..., cash=1000)",
        )
    slices = {(r.report["manifest"]["data"]["digest"], *_period(r)) for r in made}
    if len(slices) > 1:
        raise UserError(
            f"{len(slices)} different pieces of data are compared",
            expected="results of the same markets and days",
            hint="backtest(..., timerange=..., markets=...) alike for each",
        )
    named: dict[str, Result] = {}
    for result in made:
        name, n = result.name, 1
        while name in named:
            n += 1
            name = f"{result.name} #{n}"
        named[name] = result
    return Compared(named, {})


def _period(result: Result) -> tuple[int, int]:
    data = result.report["manifest"]["data"]
    return data["first"], data["last"]


def _result(outcome: Outcome) -> Result:
    assert outcome.finished is not None  # a single run either finishes or raises
    return Result(outcome.line.name, outcome.finished)


def _request(
    strategies: Sequence[Any],
    together: bool,
    data: str | Path | None,
    timerange: str,
    markets: str | Sequence[str],
    category: str,
    forecasted: bool,
    cash: float | str | None,
    stake: float | str | None,
    max_open: int | None,
    settings: Mapping[str, Any] | None,
    config: str | Path | Mapping[str, Any] | Sequence[str | Path] | None,
    seed: int | None,
    user_data: str | Path,
) -> Request:
    also: Mapping[str, Any] = {}
    files: Sequence[Path] = ()
    if isinstance(config, Mapping):
        also = config
    elif isinstance(config, str | Path):
        files = [Path(config)]
    elif config is not None:
        files = [Path(file) for file in config]
    return Request(
        strategies=tuple(strategies),
        together=together,
        data=None if data is None else Path(data),
        files=files,
        user_data=Path(user_data),
        timerange=timerange,
        markets=[markets] if isinstance(markets, str) and markets else tuple(markets),
        category=category,
        forecasted=forecasted,
        cash="" if cash is None else str(cash),
        stake="" if stake is None else str(stake),
        max_open=max_open,
        seed=seed,
        own=settings or {},
        also=also,
    )
