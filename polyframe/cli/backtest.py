"""``polyframe backtest``: runs strategies over recorded data."""

from __future__ import annotations

import sys
from contextlib import nullcontext, redirect_stdout
from pathlib import Path
from typing import Annotated, Any

import typer

from polyframe.cli.console import console, emit_json, err_console

app = typer.Typer(add_completion=False, help="Run strategies over recorded data.")


@app.command()
def backtest(
    strategy: Annotated[
        list[str] | None, typer.Option("--strategy", "-s", help="A strategy by its class name.")
    ] = None,
    data: Annotated[
        Path | None, typer.Option("--data", help="A catalogue; none: the shipped synthetic one.")
    ] = None,
    config: Annotated[
        list[Path] | None, typer.Option("--config", "-c", help="A configuration file; repeatable.")
    ] = None,
    profile: Annotated[str | None, typer.Option("--profile", help="A profile of it.")] = None,
    timerange: Annotated[
        str, typer.Option("--timerange", help="Days, like 2026-01-01..2026-03-01.")
    ] = "",
    market: Annotated[
        list[str] | None, typer.Option("--market", help="Only this market id; repeatable.")
    ] = None,
    category: Annotated[str, typer.Option("--category", help="Only this category.")] = "",
    forecasted: Annotated[
        bool, typer.Option("--forecasted", help="Only markets with a recorded forecast.")
    ] = False,
    cash: Annotated[str, typer.Option("--cash", help="Money to start with.")] = "",
    seed: Annotated[int | None, typer.Option("--seed", help="Seed of all random numbers.")] = None,
    record: Annotated[
        str, typer.Option("--record", help="What the journal keeps: none, orders or all.")
    ] = "",
    missing: Annotated[
        str, typer.Option("--missing", help="Where no forecast is on record: skip or error.")
    ] = "",
    robust: Annotated[
        bool | None,
        typer.Option(
            "--robust/--no-robust",
            help="Run it again with late fills, dearer, slower ...; none: late fills if small.",
        ),
    ] = None,
    user_data: Annotated[Path, typer.Option("--user-data", help="The user directory.")] = Path(
        "user_data"
    ),
    as_json: Annotated[bool, typer.Option("--json", help="Print the report as JSON.")] = False,
) -> None:
    """Run strategies over recorded data and report what came of it."""
    from polyframe.cli.progress import replay_progress
    from polyframe.lab.backtest import run
    from polyframe.lab.report import render
    from polyframe.runtime.config import find_files, load_config
    from polyframe.runtime.plugins import Registry

    overrides: dict[str, Any] = {
        "data.timerange": timerange,
        "data.category": category,
        "data.markets": market,
        "account.cash": cash,
        "session.seed": seed,
        "backtest.record": record,
        "backtest.missing": missing,
    }
    loaded = load_config(
        config or find_files(user_data),
        profile=profile,
        overrides={key: value for key, value in overrides.items() if value not in ("", None)},
        user_data=user_data,
    )
    registry = Registry.load(loaded.user_data)
    for broken in registry.broken:
        err_console.print(
            f"[yellow]Set aside:[/] {broken.place}: {broken.error}  (polyframe plugins --broken)",
            highlight=False,
        )
    chosen = loaded.config.choosing(strategy) if strategy else loaded.config
    # What a plugin prints goes where it does not end up inside the document.
    aside = redirect_stdout(sys.stderr) if as_json else nullcontext()
    with aside, replay_progress(err_console, quiet=as_json) as progress:
        done = run(
            chosen,
            registry,
            catalogue_dir(data, chosen.data.dir, loaded.user_data),
            runs=loaded.user_data / "runs",
            forecasted=forecasted,
            progress=progress,
            robust="small" if robust is None else "all" if robust else "none",
        )
    if as_json:
        emit_json(done.report)
    else:
        render(done.report, console)


def catalogue_dir(option: Path | None, configured: str, user_data: Path) -> Path:
    """The catalogue to use: the option's, the configured one, the user's own, the shipped one."""
    if option is not None:
        return option
    if configured:
        return Path(configured)
    own = user_data / "data"
    if (own / "catalogue.json").is_file():
        return own
    from polyframe.lab.synth import sample_dir

    return sample_dir()
