"""``polyframe lookahead``: whether a strategy knows what it could not know yet."""

from __future__ import annotations

from pathlib import Path
from typing import Annotated

import typer

app = typer.Typer(add_completion=False, help="Check that a strategy does not look ahead.")

FOUND = 1
"""The exit code when something was found."""


@app.command()
def lookahead(
    strategy: Annotated[str, typer.Option("--strategy", "-s", help="A strategy by its name.")],
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
    cuts: Annotated[
        int, typer.Option("--cuts", min=1, max=1000, help="How often the data is cut.")
    ] = 20,
    rows: Annotated[
        int, typer.Option("--rows", min=1, max=10_000, help="Rows looked at with less history.")
    ] = 50,
    tolerance: Annotated[
        float,
        typer.Option("--tolerance", min=0.0, max=1.0, help="Relative difference that is close."),
    ] = 0.001,
    seed: Annotated[int, typer.Option("--seed", min=0, help="Seed of the random rows.")] = 0,
    user_data: Annotated[Path, typer.Option("--user-data", help="The user directory.")] = Path(
        "user_data"
    ),
    as_json: Annotated[bool, typer.Option("--json", help="Print the result as JSON.")] = False,
) -> None:
    """Cut the data at random rows: nothing that was decided before may change."""
    from polyframe.cli.backtest import catalogue_dir
    from polyframe.cli.console import err_console, show
    from polyframe.cli.lookahead_tables import lookahead_page
    from polyframe.cli.progress import replay_progress
    from polyframe.lab.lookahead import Scope, examine
    from polyframe.runtime.config import find_files, load_config
    from polyframe.runtime.plugins import Registry

    overrides = {"data.timerange": timerange, "data.category": category, "data.markets": market}
    loaded = load_config(
        config or find_files(user_data),
        profile=profile,
        overrides={key: value for key, value in overrides.items() if value not in ("", None)},
        user_data=user_data,
    )
    chosen = loaded.config.choosing([strategy])
    with replay_progress(err_console, quiet=as_json) as progress:
        found = examine(
            chosen,
            Registry.load(loaded.user_data),
            catalogue_dir(data, chosen.data.dir, loaded.user_data),
            Scope(cuts, rows, tolerance, seed),
            progress=progress,
        )
    show(found, as_json, lambda: lookahead_page(found))
    if not found.clean:
        raise typer.Exit(FOUND)
