"""``polyframe config``: what is configured, where each value comes from, whether it is right."""

from __future__ import annotations

from collections.abc import Mapping
from pathlib import Path
from typing import TYPE_CHECKING, Annotated, Any

import typer
from rich.markup import escape
from rich.table import Table

from polyframe.cli.console import console, emit_json

if TYPE_CHECKING:
    from polyframe.runtime.config import LoadedConfig

app = typer.Typer(add_completion=False, no_args_is_help=True, help="Show and check settings.")

Files = Annotated[
    list[Path] | None,
    typer.Option("--config", "-c", help="A configuration file; several are merged in order."),
]
Profile = Annotated[str | None, typer.Option("--profile", help="A profile, for example dev.")]
UserData = Annotated[Path, typer.Option("--user-data", help="The user directory.")]
AsJson = Annotated[bool, typer.Option("--json", help="Answer in JSON.")]
USER_DATA = Path("user_data")


def load(files: list[Path] | None, profile: str | None, user_data: Path) -> LoadedConfig:
    """The configuration a command line asks for: its files, or the one that is found."""
    from polyframe.runtime.config import find_files, load_config

    chosen = files or find_files(user_data)
    return load_config(chosen, profile=profile, user_data=user_data)


@app.command()
def show(
    config: Files = None,
    profile: Profile = None,
    user_data: UserData = USER_DATA,
    sources: Annotated[bool, typer.Option("--sources", help="Say what set each value.")] = False,
    as_json: AsJson = False,
) -> None:
    """Show every setting. Secrets are masked."""
    from polyframe.runtime.jsonfile import leaves
    from polyframe.runtime.plugins import Registry
    from polyframe.runtime.secrets import load_secrets
    from polyframe.runtime.uses import guards_shown

    loaded = load(config, profile, user_data)
    secrets = load_secrets(loaded.user_data).masked()
    guards = guards_shown(loaded, Registry.load(loaded.user_data))
    plain = loaded.config.plain()
    origin = {path: loaded.source(path) for path, _, _ in leaves(plain)}
    if as_json:
        answer: dict[str, Any] = {
            "config": plain,
            "guards": [
                {"name": g.name, "for": g.whom, "settings": g.settings, "source": g.source}
                for g in guards
            ],
            "left_out": loaded.config.left_out(),
            "secrets": secrets,
            "files": [str(file) for file in loaded.files],
            "profile": profile,
            "user_data": str(loaded.user_data),
            "digest": loaded.config.digest(),
        }
        emit_json(answer | ({"sources": origin} if sources else {}))
        return
    table = Table(box=None, header_style="bold", padding=(0, 2, 0, 0))
    for column in ("Setting", "Value", *(("From",) if sources else ())):
        table.add_column(column, overflow="fold")
    for path, _, value in leaves(plain):
        if path.startswith("protections"):
            continue
        row = [f"[cyan]{escape(path)}[/]", escape(_text(value))]
        table.add_row(*row, *([escape(origin[path])] if sources else []))
    for guard in guards:
        whom = "" if "*" in guard.whom else f" for {', '.join(guard.whom)}"
        row = [f"[yellow]{escape(guard.name + whom)}[/]", escape(_settings(guard.settings))]
        table.add_row(*row, *([escape(guard.source)] if sources else []))
    for name in loaded.config.left_out():
        table.add_row(f"[yellow]{escape(name)}[/]", "[red]left out[/]")
    for name, value in secrets.items():
        table.add_row(f"[magenta]{name}[/]", str(value) if value else "[dim]not set[/]")
    console.print(table)
    used = ", ".join(str(file) for file in loaded.files) or "none, these are the defaults"
    console.print(f"\n[bold]Files:[/] {escape(used)}", soft_wrap=True)
    console.print(f"[bold]Digest:[/] {loaded.config.digest()}", soft_wrap=True)


@app.command()
def schema(as_json: AsJson = False) -> None:  # noqa: ARG001 - it answers in JSON anyway
    """Print the JSON Schema of the configuration (always JSON)."""
    from polyframe.runtime.config import Config

    emit_json(Config.model_json_schema(by_alias=True))


@app.command()
def check(
    config: Files = None,
    profile: Profile = None,
    user_data: UserData = USER_DATA,
    as_json: AsJson = False,
) -> None:
    """Check settings, secrets, and that every plugin exists and takes its settings."""
    from polyframe.runtime.plugins import Registry
    from polyframe.runtime.secrets import load_secrets
    from polyframe.runtime.uses import check_uses

    loaded = load(config, profile, user_data)
    load_secrets(loaded.user_data)
    checked = check_uses(loaded, Registry.load(loaded.user_data))
    if as_json:
        emit_json({"ok": True, "plugins": checked, "digest": loaded.config.digest()})
        return
    used = ", ".join(str(file) for file in loaded.files) or "the defaults (no file is used)"
    console.print(f"[green]ok[/]: {escape(used)}; {len(checked)} plugins", soft_wrap=True)


def _settings(settings: Mapping[str, Any]) -> str:
    return ", ".join(f"{name} {_value(value)}" for name, value in settings.items()) or "on"


def _value(value: object) -> str:
    if isinstance(value, dict):
        return " ".join(f"{name}={part}" for name, part in value.items()) or "none"
    if isinstance(value, list):
        parts = (":".join(map(str, v)) if isinstance(v, list) else str(v) for v in value)
        return " ".join(parts) or "none"
    return str(value)


def _text(value: object) -> str:
    if value is None:
        return "-"
    if isinstance(value, (dict, list)):
        return "none"
    return str(value) if value != "" else "-"
