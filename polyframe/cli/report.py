"""``polyframe report``: shows a stored run."""

from __future__ import annotations

from pathlib import Path
from typing import Annotated

import typer

from polyframe.cli.console import console, emit_json, err_console
from polyframe.errors import UserError

app = typer.Typer(add_completion=False, help="Show a stored run.")

NEWEST = 5
HASH_DIGITS = 12
LEAST_HASH = 4


@app.command()
def report(
    run: Annotated[
        str, typer.Argument(help="The run's id or hash, or its beginning; its directory; a file.")
    ] = "",
    as_json: Annotated[bool, typer.Option("--json", help="Print report.json as it is.")] = False,
    schema: Annotated[bool, typer.Option("--schema", help="Print the JSON Schema.")] = False,
    svg: Annotated[
        Path | None, typer.Option("--svg", help="Write the picture to a file as well.")
    ] = None,
    html: Annotated[
        Path | None, typer.Option("--html", help="Write one self-contained page to a file.")
    ] = None,
    breakdown: Annotated[
        list[str] | None,
        typer.Option("--breakdown", help="Result by day, week, month, exit, event ..."),
    ] = None,
    user_data: Annotated[
        Path, typer.Option("--user-data", help="The user directory that holds runs/.")
    ] = Path("user_data"),
) -> None:
    """Show a stored run, the newest one by default."""
    if schema:
        from polyframe.lab.schema import json_schema

        emit_json(json_schema())
        return
    from polyframe.lab.breakdown import checked

    splits = checked(breakdown or (), "report")
    from polyframe.lab.report import render, save_svg
    from polyframe.lab.results import load_report

    place = find_run(run, user_data / "runs")
    stored = load_report(place)
    if place.is_file():
        err_console.print(f"[yellow]A file of its own:[/] nothing vouches for {place}")
    if svg is not None:
        save_svg(stored, svg)
    if html is not None:
        from polyframe.lab.html import save_html

        save_html(stored, html)
    if as_json:
        emit_json(stored)
    else:
        render(stored, console, splits)


def find_run(run: str, runs: Path, verb: str = "report") -> Path:
    """The directory of a run: the newest, one whose id or hash begins so; or the path itself.

    Runs of one hash are the same run; the newest of them is taken.

    ``verb`` is the command that the next step of an error names.

    Raises:
        UserError: there is none, or several begin so.
    """
    if run and (Path(run).is_file() or (Path(run) / "report.json").is_file()):
        return Path(run)
    from polyframe.lab.places import run_dirs

    known = run_dirs(runs)
    if not known:
        raise UserError(
            f"no run is stored in {runs}",
            expected="the results of a backtest",
            hint="polyframe backtest --strategy LLMForecast",
        )
    names = [path.name for path in known]
    exact = [path for path in known if path.name == run]
    found = exact or [path for path in known if path.name.startswith(run)]
    if not run or len(found) == 1:
        return found[0]
    same = [] if found else [path for path in known if run and _has_hash(path.name, run)]
    if same and len({_hash_in(path.name) for path in same}) == 1:
        return same[0]
    found = found or same
    if found:
        raise UserError(
            f"{len(found)} runs begin with {run!r}: {', '.join(p.name for p in found[:NEWEST])}",
            expected="enough of the id to name one",
            hint=f"polyframe {verb} {found[0].name}",
        )
    from difflib import get_close_matches

    near = get_close_matches(run, names, n=1)
    raise UserError(
        f"no run is called {run!r}; the newest are {', '.join(names[:NEWEST])}",
        expected="the id of a stored run or its beginning",
        hint=f"polyframe {verb} {near[0] if near else names[0]}",
    )


def _hash_in(name: str) -> str:
    """The beginning of the manifest's hash that a run's id carries."""
    return name.partition("-")[2][:HASH_DIGITS]


def _has_hash(name: str, run: str) -> bool:
    return len(run) >= LEAST_HASH and _hash_in(name).startswith(run[:HASH_DIGITS])
