"""``polyframe plugins``: what can be used, where it comes from, what is broken."""

from __future__ import annotations

from pathlib import Path
from typing import TYPE_CHECKING, Annotated

import typer
from rich.markup import escape
from rich.table import Table

from polyframe.cli.console import console, emit_json

if TYPE_CHECKING:
    from polyframe.runtime.plugins import Broken, Registry

app = typer.Typer(add_completion=False)
BROKEN = 2
"""The exit code of ``--broken`` when something is."""


@app.command()
def plugins(
    user_data: Annotated[Path, typer.Option(help="The user directory.")] = Path("user_data"),
    broken: Annotated[bool, typer.Option("--broken", help="Only what is broken, and why.")] = False,
    hooks: Annotated[bool, typer.Option("--hooks", help="Only hooks and who hears them.")] = False,
    safe: Annotated[bool, typer.Option("--safe", help="Built-ins alone.")] = False,
    as_json: Annotated[bool, typer.Option("--json", help="Answer in JSON.")] = False,
) -> int:
    """List strategies, forecasters, protections and every other plugin."""
    from polyframe.runtime.describing import described, described_broken
    from polyframe.runtime.plugins import Registry

    registry = Registry.load(user_data, safe=safe)
    if hooks:
        _show_hooks(registry, as_json)
    elif broken:
        _show_broken(registry.broken, as_json)
        return BROKEN if registry.broken else 0
    elif as_json:
        emit_json(
            {
                "plugins": [described(found) for found in registry.all()],
                "broken": [described_broken(found) for found in registry.broken],
            }
        )
    else:
        _show(registry)
    return 0


def _show(registry: Registry) -> None:
    from polyframe.runtime.describing import came_from

    table = Table(box=None, header_style="bold", padding=(0, 2, 0, 0))
    for column in ("Kind", "Name", "Origin", "Methods", "Status"):
        table.add_column(column, overflow="fold", no_wrap=column in {"Kind", "Name"})
    last = ""
    for found in registry.all():
        kind = found.kind if found.kind != last else ""
        last = found.kind
        kernel = getattr(found.cls, "kernel", "")
        methods = f"kernel {kernel}" if kernel else ", ".join(found.methods)
        table.add_row(
            f"[bold]{kind}[/]",
            f"[cyan]{found.name}[/]",
            escape(came_from(found)),
            methods,
            "[green]ok[/]",
        )
    for broken in registry.broken:
        where = broken.file.name if broken.file else broken.module
        table.add_row(
            "[bold]broken[/]", f"[red]{escape(where)}[/]", broken.origin.kind,
            f"[dim]{escape(broken.error)}[/]", "[red]broken[/]",
        )  # fmt: skip
    console.print(table)
    if registry.broken:
        console.print("\n[bold]Next:[/] polyframe plugins --broken")


def _show_broken(found: list[Broken], as_json: bool) -> None:
    from polyframe.runtime.describing import described_broken

    if as_json:
        emit_json({"broken": [described_broken(broken) for broken in found]})
        return
    if not found:
        console.print("Nothing is broken.")
    for broken in found:
        console.print(f"[bold red]{escape(broken.place)}[/]", soft_wrap=True)
        console.print(f"  {escape(broken.error)}", soft_wrap=True, highlight=False)
        if broken.expected:
            console.print(f"  [yellow]expected:[/] {escape(broken.expected)}", soft_wrap=True)
        console.print(f"[dim]{escape(broken.traceback)}[/]", soft_wrap=True, highlight=False)


def _show_hooks(registry: Registry, as_json: bool) -> None:
    import inspect

    from polyframe.api import hookspecs
    from polyframe.runtime.vetting import HOOKS

    specs = [name for name in vars(hookspecs) if name in HOOKS]
    heard = {
        name: [impl.plugin_name for impl in getattr(registry.hooks.hook, name).get_hookimpls()]
        for name in specs
    }
    said = {name: (inspect.getdoc(getattr(hookspecs, name)) or "").split("\n")[0] for name in specs}
    if as_json:
        emit_json({"hooks": [{"name": n, "what": said[n], "heard_by": heard[n]} for n in specs]})
        return
    table = Table(box=None, header_style="bold", padding=(0, 2, 0, 0))
    for column in ("Hook", "When", "Heard by"):
        table.add_column(column, overflow="fold")
    for name in specs:
        table.add_row(f"[cyan]{name}[/]", said[name], ", ".join(heard[name]) or "[dim]nobody[/]")
    console.print(table)
