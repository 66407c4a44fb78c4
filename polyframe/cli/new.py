"""``polyframe new``: the start of a plugin that runs, and the test that proves it."""

from __future__ import annotations

import keyword
import re
from pathlib import Path
from typing import Annotated

import typer
from rich.markup import escape

from polyframe.cli.console import console, emit_json
from polyframe.cli.scaffold import SUITES, plugin_files, write_new
from polyframe.errors import UserError

app = typer.Typer(add_completion=False)
_CLASS = re.compile(r"[A-Z][A-Za-z0-9]*")


@app.command()
def new(
    kind: Annotated[str, typer.Argument(help=f"One of {', '.join(SUITES)}.")],
    name: Annotated[str, typer.Argument(help="The class's name, for example MyIdea.")],
    user_data: Annotated[Path, typer.Option(help="The user directory.")] = Path("user_data"),
    as_json: Annotated[bool, typer.Option("--json", help="Answer in JSON.")] = False,
) -> None:
    """Write a new strategy, forecaster, protection, exchange or style, with its test."""
    from polyframe.runtime.kinds import KINDS
    from polyframe.runtime.plugins import Registry

    _check_kind(kind)
    _check_name(name)
    taken = [found for found in Registry.load(user_data).all(kind) if found.name == name]
    if taken:
        raise UserError(
            f"there is a {kind} named {name} already, in {taken[0].file}",
            expected="a new name",
            hint="polyframe plugins",
        )
    written = write_new(user_data, plugin_files(kind, name, KINDS[kind].folder))
    test = f"python -m pytest {written[1]}"
    if as_json:
        emit_json({"written": written, "next": test})
        return
    for file in written:
        console.print(f"[green]wrote[/] {escape(str(file))}", soft_wrap=True)
    console.print(f"[bold]Next:[/] {escape(test)}", soft_wrap=True)


def _check_kind(kind: str) -> None:
    if kind not in SUITES:
        from difflib import get_close_matches

        near = get_close_matches(kind, SUITES, n=1)
        raise UserError(
            f"{kind} is no kind of plugin that can be started from a template",
            expected=f"{near[0]}?" if near else f"one of {', '.join(SUITES)}",
            hint="polyframe new strategy MyIdea",
        )


def _check_name(name: str) -> None:
    import polyframe

    if not _CLASS.fullmatch(name) or keyword.iskeyword(name):
        words = re.findall(r"[A-Za-z0-9]+", name)
        camel = "".join(word[:1].upper() + word[1:] for word in words).lstrip("0123456789")
        raise UserError(
            f"{name!r} is no name for a plugin's class",
            expected=f"{camel}?" if _CLASS.fullmatch(camel) else "a name like MyIdea",
            hint="polyframe new strategy MyIdea",
        )
    if hasattr(polyframe, name):
        raise UserError(
            f"{name} is a name of polyframe itself", expected="another name, like MyIdea"
        )
