"""``polyframe backtest``: runs strategies over recorded data."""

from __future__ import annotations

import sys
from collections.abc import Sequence
from contextlib import nullcontext, redirect_stdout
from enum import StrEnum
from pathlib import Path
from typing import TYPE_CHECKING, Annotated, Any

import typer

from polyframe.cli.console import console, emit_json, err_console
from polyframe.lab.places import catalogue_dir

if TYPE_CHECKING:
    from polyframe.lab.batch import Outcome

__all__ = ["app", "backtest", "catalogue_dir"]

app = typer.Typer(add_completion=False, help="Run strategies over recorded data.")

FAILED = 2
"""The exit code when a strategy failed and the others finished."""

WHAT, DATA, MONEY, RESULT, PLACE = "What runs", "Data", "Money and limits", "Result", "Settings"


class Export(StrEnum):
    """What is written beside the report."""

    NONE = "none"
    TRADES = "trades"
    SIGNALS = "signals"


class Form(StrEnum):
    """Forms of exported files."""

    PARQUET = "parquet"
    CSV = "csv"
    JSON = "json"


class Cache(StrEnum):
    """How old a stored run may be to be shown again."""

    NONE = "none"
    DAY = "day"
    WEEK = "week"
    MONTH = "month"


def _option(*names: str, help: str, panel: str, **more: Any) -> Any:
    return typer.Option(*names, help=help, rich_help_panel=panel, **more)


@app.command()
def backtest(
    strategy: Annotated[
        list[str] | None,
        _option("--strategy", "-s", help="A strategy by its name; several: compared.", panel=WHAT),
    ] = None,
    together: Annotated[
        bool,
        _option("--together", help="All on one account, not each alone.", panel=WHAT),
    ] = False,
    data: Annotated[
        Path | None,
        _option("--data", help="A catalogue; none: the shipped synthetic one.", panel=DATA),
    ] = None,
    tape: Annotated[
        str | None,
        _option("--tape", help="A tape of the catalogue by its source.", panel=DATA),
    ] = None,
    timerange: Annotated[
        str | None, _option("--timerange", help="Days, like 2026-01-01..2026-03-01.", panel=DATA)
    ] = None,
    markets: Annotated[
        list[str] | None,
        _option("--markets", "--market", help="Only these ids: A,B or repeated.", panel=DATA),
    ] = None,
    category: Annotated[
        list[str] | None, _option("--category", help="Only this category.", panel=DATA)
    ] = None,
    forecasted: Annotated[
        bool,
        _option("--forecasted", help="Only markets with a recorded forecast.", panel=DATA),
    ] = False,
    missing: Annotated[
        str | None,
        _option("--missing", help="No forecast on record: skip or error.", panel=DATA),
    ] = None,
    cash: Annotated[str | None, _option("--cash", help="Money to start with.", panel=MONEY)] = None,
    stake: Annotated[
        str | None,
        _option("--stake", help="The same amount a trade, or unlimited.", panel=MONEY),
    ] = None,
    max_open: Annotated[
        int | None,
        _option("--max-open", help="At most so many markets in play, hedges apart.", panel=MONEY),
    ] = None,
    breakdown: Annotated[
        list[str] | None,
        _option("--breakdown", help="Split by day, week, category, exit ...", panel=RESULT),
    ] = None,
    robust: Annotated[
        bool | None,
        _option(
            "--robust/--no-robust",
            help="Again with late fills, dearer, slower ...; none: late fills if small.",
            panel=RESULT,
        ),
    ] = None,
    bands: Annotated[
        bool | None,
        _option(
            "--bands/--no-bands",
            help="Recorded books under three beliefs about the queue; none: where it is cheap.",
            panel=RESULT,
        ),
    ] = None,
    worst: Annotated[
        bool,
        _option("--worst-cases", help="Again with gaps, outages, dear fees ...", panel=RESULT),
    ] = False,
    export: Annotated[
        Export,
        _option("--export", help="Write files beside the report.", panel=RESULT),
    ] = Export.NONE,
    export_format: Annotated[
        Form, _option("--export-format", help="The form of these files.", panel=RESULT)
    ] = Form.PARQUET,
    cache: Annotated[
        Cache,
        _option("--cache", help="Show the very same run of so long ago again.", panel=RESULT),
    ] = Cache.NONE,
    record: Annotated[
        str | None,
        _option("--record", help="The journal keeps: none, orders or all.", panel=RESULT),
    ] = None,
    as_json: Annotated[bool, _option("--json", help="Print JSON.", panel=RESULT)] = False,
    config: Annotated[
        list[Path] | None,
        _option("--config", "-c", help="A configuration file; repeatable.", panel=PLACE),
    ] = None,
    profile: Annotated[
        str | None, _option("--profile", help="A profile of it.", panel=PLACE)
    ] = None,
    seed: Annotated[
        int | None, _option("--seed", help="Seed of all random numbers.", panel=PLACE)
    ] = None,
    user_data: Annotated[
        Path, _option("--user-data", help="The user directory.", panel=PLACE)
    ] = Path("user_data"),
) -> None:
    """Run strategies over recorded data and report what came of it."""
    from polyframe.cli.progress import batch_progress
    from polyframe.lab.batch import Ways, play
    from polyframe.lab.breakdown import checked
    from polyframe.lab.plan import Request, planned

    splits = checked(breakdown or (), "backtest")
    plan = planned(
        Request(
            strategies=[_given("--strategy", name) for name in strategy or ()],
            together=together, data=data, files=config or (), profile=profile,
            user_data=user_data, tape=_given("--tape", tape),
            timerange=_given("--timerange", timerange),
            markets=markets or (), category=_one("--category", category), forecasted=forecasted,
            cash=_given("--cash", cash), stake=_given("--stake", stake), max_open=max_open,
            seed=seed, record=_given("--record", record), missing=_given("--missing", missing),
        )
    )  # fmt: skip
    for broken in plan.registry.broken:
        err_console.print(
            f"[yellow]Set aside:[/] {broken.place}: {broken.error}  (polyframe plugins --broken)",
            highlight=False,
        )
    # What a plugin prints goes where it does not end up inside the document.
    aside = redirect_stdout(sys.stderr) if as_json else nullcontext()
    with aside, batch_progress(err_console, quiet=as_json) as begin:
        ways = Ways(
            cache=cache.value, export=export.value, form=export_format.value,
            robust="small" if robust is None else "all" if robust else "none", bands=bands,
            worst=worst,
        )  # fmt: skip
        outcomes = play(plan, ways, begin)
    if len(outcomes) == 1:
        _show_one(outcomes[0], splits, as_json=as_json)
    else:
        _show_all(outcomes, splits, as_json=as_json)
    if any(outcome.error for outcome in outcomes):
        raise typer.Exit(FAILED)


def _given(option: str, value: str | None) -> str:
    """What an option says; one that is there says something.

    Raises:
        UserError: it is empty.
    """
    if value is None:
        return ""
    if not value.strip():
        from polyframe.errors import UserError

        raise UserError(
            f"{option} is empty", expected="a value, or no such option",
            hint="polyframe backtest --help",
        )  # fmt: skip
    return value


def _one(option: str, values: list[str] | None) -> str:
    """The only value of an option that takes one.

    Raises:
        UserError: it is there several times, or empty.
    """
    if values and len(values) > 1:
        from polyframe.errors import UserError

        raise UserError(
            f"{option} is there {len(values)} times", expected="one of them",
            hint="polyframe backtest --markets A,B names markets one by one",
        )  # fmt: skip
    return _given(option, values[0] if values else None)


def _show_one(outcome: Outcome, splits: Sequence[str], *, as_json: bool) -> None:
    """The whole report of the only run; on one account, its strategies side by side as well."""
    from polyframe.lab.compare_table import tables
    from polyframe.lab.comparing import by_ledger
    from polyframe.lab.report import render

    finished = outcome.finished
    assert finished is not None  # the only run either finishes or raises
    if as_json:
        emit_json(finished.report)
        return
    render(finished.report, console, splits)
    width = min(console.width, 120)
    if len(outcome.line.config.strategies) > 1:
        lines = by_ledger(finished.report, outcome.line.config.allocations())
        for part in tables("Strategies on one account", lines, width):
            console.print(part, width=width, highlight=False)
    if finished.reused:
        console.print(f"from cache, run {finished.report.run}", highlight=False)
    _show_files(outcome)


def _show_all(outcomes: Sequence[Outcome], splits: Sequence[str], *, as_json: bool) -> None:
    """The runs side by side."""
    from polyframe.lab.batch import comparison
    from polyframe.lab.compare_table import render_comparison

    reports = [outcome.report for outcome in outcomes if outcome.report is not None]
    found = comparison(outcomes)
    if as_json:
        emit_json({"version": 1, "comparison": found, "runs": reports})
        return
    render_comparison(found, console, synthetic=any(report.synthetic for report in reports))
    for outcome in outcomes:
        if outcome.report is not None:
            _show_splits(outcome, splits, outcome.line.name)
            _show_files(outcome)
    if reports:
        console.print("Next: polyframe report RUN", highlight=False)


def _show_splits(outcome: Outcome, splits: Sequence[str], name: str) -> None:
    from polyframe.lab.breakdown import split
    from polyframe.lab.report import slices

    width = min(console.width, 120)
    if outcome.report is None:
        return
    for word in splits:
        title, first, rows = split(outcome.report, word)
        titled = f"{name}: {title[0].lower()}{title[1:]}"
        console.print()
        console.print(slices(titled, first, rows, width), width=width, highlight=False)


def _show_files(outcome: Outcome) -> None:
    for file in outcome.files:
        console.print(f"wrote {file}", highlight=False, soft_wrap=True)
