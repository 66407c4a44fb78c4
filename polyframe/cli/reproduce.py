"""``polyframe reproduce``: makes a stored run again and compares."""

from __future__ import annotations

from pathlib import Path
from typing import Annotated

import typer

from polyframe.cli.console import console, emit_json, err_console
from polyframe.errors import DataError

app = typer.Typer(add_completion=False, help="Make a stored run again and compare the results.")


@app.command()
def reproduce(
    run: Annotated[
        str,
        typer.Argument(help="A manifest's hash or its beginning, a run's id, or its directory."),
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
    """Make a stored run again from its manifest and compare trades and journal byte for byte."""
    from polyframe.cli.progress import replay_progress
    from polyframe.cli.report import find_run
    from polyframe.lab.reproduce import reproduce as again
    from polyframe.runtime.plugins import Registry

    directory = find_run(run, user_data / "runs", "reproduce")
    registry = Registry.load(user_data)
    with replay_progress(err_console, quiet=as_json) as progress:
        done = again(directory, registry, data=data, anyway=anyway, progress=progress)
    if as_json:
        emit_json(done)
    else:
        for line in done.differences:
            console.print(f"differs  {line}", markup=False, highlight=False, soft_wrap=True)
    if not done.identical:
        raise DataError(
            f"run {done.run} came out otherwise: {done.first}",
            expected=f"the same {done.trades:,} trades, byte for byte",
            hint=f"polyframe report {directory / 'report.json'}",
        )
    if not as_json:
        text = f"identical: {done.trades:,} trades"
        console.print(f"{text}; journal {done.journal}" if done.journal else text, highlight=False)
