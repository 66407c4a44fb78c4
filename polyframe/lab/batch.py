"""Makes the runs of a plan one after the other; one that fails does not stop the others."""

from __future__ import annotations

from collections.abc import Callable, Sequence
from dataclasses import dataclass
from functools import partial
from pathlib import Path
from typing import Any

from polyframe.errors import InvariantError, PolyframeError, UserError
from polyframe.lab import export as exporting
from polyframe.lab.backtest import Finished, Progress, run
from polyframe.lab.comparing import Comparison, compared
from polyframe.lab.plan import Line, Plan
from polyframe.lab.replays import Robust
from polyframe.lab.reuse import Age, same_run
from polyframe.lab.schema import Report

Begin = Callable[[str, int, int], Progress | None]
"""Called before each run with its name, its number and how many there are."""


@dataclass(frozen=True)
class Ways:
    """How runs are made and what is kept of them, none of which changes a result."""

    robust: Robust = "small"
    bands: bool | None = None
    worst: bool = False
    cache: Age = "none"
    export: exporting.What = "none"
    form: exporting.Form = "parquet"
    store: bool = True


@dataclass(frozen=True)
class Outcome:
    """One run of a plan: what came of it, or why nothing did."""

    line: Line
    finished: Finished | None = None
    error: PolyframeError | None = None
    files: Sequence[Path] = ()

    @property
    def report(self) -> Report | None:
        """Its report."""
        return self.finished.report if self.finished else None


def play(plan: Plan, ways: Ways, begin: Begin | None = None, **how: Any) -> list[Outcome]:
    """Every run of the plan, in its order. ``how`` goes on to each backtest.

    Raises:
        PolyframeError: of the only run, or of the first when all fail alike.
    """
    if not plan.lines:
        raise UserError("there is no run to make", hint="polyframe backtest --strategy LLMForecast")
    plan.check()
    outcomes: list[Outcome] = []
    for n, line in enumerate(plan.lines, 1):
        progress = begin(line.name, n, len(plan.lines)) if begin else None
        try:
            outcomes.append(_made(plan, line, ways, progress, how))
        except InvariantError:
            raise
        except PolyframeError as error:
            outcomes.append(Outcome(line, error=error))
    errors = [outcome.error for outcome in outcomes if outcome.error is not None]
    if len(errors) == len(outcomes) and len({str(error) for error in errors}) == 1:
        raise errors[0]
    return outcomes


def _made(
    plan: Plan, line: Line, ways: Ways, progress: Progress | None, how: dict[str, Any]
) -> Outcome:
    runs = plan.runs if ways.store else None
    reuse = None
    if runs is not None and ways.cache != "none":
        beside = exporting.needed(ways.export, ways.form)
        reuse = partial(
            same_run, runs, age=ways.cache, robust=ways.robust, beside=beside,
            record=line.config.backtest.record, bands=ways.bands, worst=ways.worst,
        )  # fmt: skip
    finished = run(
        line.config, plan.registry, plan.place(line),
        runs=runs, forecasted=plan.forecasted, progress=progress, robust=ways.robust, reuse=reuse,
        bands=ways.bands, worst=ways.worst, **how,
    )  # fmt: skip
    files: Sequence[Path] = ()
    if finished.paths is not None:
        place = finished.paths.directory
        files = exporting.export(place, ways.export, ways.form, finished.report, finished.record)
    return Outcome(line, finished, files=files)


def comparison(outcomes: Sequence[Outcome]) -> Comparison:
    """The runs side by side."""
    reports = {o.line.name: o.report for o in outcomes if o.report is not None}
    failed = {o.line.name: o.error.message for o in outcomes if o.error is not None}
    reused = [o.line.name for o in outcomes if o.finished is not None and o.finished.reused]
    return compared(reports, failed, reused=reused)
