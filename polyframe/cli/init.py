"""``polyframe init``: a user directory to work in."""

from __future__ import annotations

import sys
from pathlib import Path
from typing import Annotated

import typer
from rich.markup import escape

from polyframe.cli.console import console, emit_json
from polyframe.cli.scaffold import plugin_files, template, write_new
from polyframe.errors import UserError

app = typer.Typer(add_completion=False)
FOLDERS = ("strategies", "forecasters", "protections", "exchanges", "tests", "data", "runs")
EXAMPLE = "FirstIdea"


@app.command()
def init(
    directory: Annotated[Path, typer.Argument(help="Where.", metavar="DIR")] = Path("user_data"),
    yes: Annotated[bool, typer.Option("--yes", "-y", help="Do not ask.")] = False,
    as_json: Annotated[bool, typer.Option("--json", help="Answer in JSON.")] = False,
) -> None:
    """Make a user directory. What exists is kept as it is."""
    if directory.exists() and not directory.is_dir():
        raise UserError(
            f"{directory} is a file", expected="a directory, or a new name", hint="polyframe init"
        )
    texts = {"config.json": template("config.json"), ".env.example": template("env")}
    texts |= plugin_files("strategy", EXAMPLE, "strategies")
    kept = [path for path in texts if (directory / path).exists()]
    missing = {path: text for path, text in texts.items() if path not in kept}
    if not yes:
        _ask(directory, list(missing))
    folders = [directory / name for name in FOLDERS if not (directory / name).is_dir()]
    try:
        for folder in folders:
            folder.mkdir(parents=True)
    except OSError as error:
        raise UserError(
            f"{error.filename} cannot be made: {error.strerror}",
            hint="choose a directory that you may write to",
        ) from None
    written = write_new(directory, missing)
    step = f"polyframe plugins --user-data {directory}"
    if as_json:
        emit_json({"directory": directory, "written": written, "kept": kept, "next": step})
        return
    for file in written:
        console.print(f"[green]wrote[/] {escape(str(file))}", soft_wrap=True)
    for path in kept:
        console.print(f"[yellow]kept[/]  {escape(str(directory / path))}", soft_wrap=True)
    console.print(f"[bold]Next:[/] {escape(step)}", soft_wrap=True)


def _ask(directory: Path, missing: list[str]) -> None:
    if not sys.stdin.isatty():
        raise UserError(
            "there is nobody to ask", expected="a terminal, or --yes", hint="polyframe init --yes"
        )
    console.print(f"Directory {escape(str(directory))} gets: {', '.join(missing) or 'nothing'}")
    typer.confirm("Go on?", default=True, abort=True)
