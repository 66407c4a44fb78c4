"""``polyframe worst-cases``: makes a stored run again with one thing gone wrong at a time."""

from __future__ import annotations

from pathlib import Path
from typing import Annotated

import typer

from polyframe.cli.console import console, emit_json, err_console

app = typer.Typer(add_completion=False, help="Replay a stored run under worst cases.")


@app.command()
def worst_cases(
    run: Annotated[
        str, typer.Argument(help="The run's id or hash, or its beginning; its directory.")
    ] = "",
    data: Annotated[
        Path | None, typer.Option("--data", help="The catalogue, where it is not where it was.")
    ] = None,
    anyway: Annotated[
        bool, typer.Option("--anyway", help="Go on although code, plugins or data differ.")
    ] = False,
    user_data: Annotated[
        Path, typer.Option("--user-data", help="The user directory that holds runs/.")
    ] = Path("user_data"),
    as_json: Annotated[bool, typer.Option("--json", help="Print JSON.")] = False,
) -> None:
    """Replay a stored run, the newest by default, with gaps, outages, dear fees and more."""
    from polyframe.cli.progress import replay_progress
    from polyframe.cli.report import find_run
    from polyframe.lab.worst_again import worst_cases_of
    from polyframe.runtime.plugins import Registry

    directory = find_run(run, user_data / "runs", "worst-cases")
    registry = Registry.load(user_data)
    with replay_progress(err_console, quiet=as_json) as progress:
        found = worst_cases_of(directory, registry, data=data, anyway=anyway, progress=progress)
    if as_json:
        emit_json(found)
        return
    from polyframe.lab.cells import signed
    from polyframe.lab.making_tables import worst_replayed

    for line in found.differences:
        console.print(f"differs  {line}", markup=False, highlight=False, soft_wrap=True)
    width = min(console.width, 120)
    text = f"run {found.run}: {signed(found.pnl)}, {found.fills:,} fills"
    console.print(text, highlight=False, soft_wrap=True)
    console.print(worst_replayed(found.scenarios), width=width, highlight=False)
