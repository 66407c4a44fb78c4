"""``polyframe list``: what can be named in another command."""

from __future__ import annotations

from collections.abc import Callable
from pathlib import Path
from typing import Annotated, Any

import typer

from polyframe.cli.console import console, show
from polyframe.errors import UserError

app = typer.Typer(
    help="List strategies, forecasters, protections, sizers, styles, markets or stored runs.",
    no_args_is_help=True,
    add_completion=False,
    rich_markup_mode=None,
)

MOST_MARKETS = 50
MOST_RUNS = 20

Name = Annotated[str, typer.Argument(metavar="[NAME]", help="Only this one, with its settings.")]
Verbose = Annotated[bool, typer.Option("--verbose", "-v", help="With settings and ranges.")]
User = Annotated[Path, typer.Option("--user-data", help="The user directory.")]
Json = Annotated[bool, typer.Option("--json", help="Print JSON.")]

USER = Path("user_data")


def _command(kind: str) -> Callable[..., None]:
    """The command that lists one kind of plugin."""

    def listed(
        name: Name = "", verbose: Verbose = False, user_data: User = USER, as_json: Json = False
    ) -> None:
        _plugins(kind, name, verbose, user_data, as_json)

    return listed


for _kind, _word in (
    ("strategy", "strategies"), ("forecaster", "forecasters"), ("protection", "protections"),
    ("sizer", "sizers"), ("execution_style", "styles"),
):  # fmt: skip
    app.command(_word, help=f"{_word.capitalize()}: name, where from, what each does.")(
        _command(_kind)
    )


def _plugins(kind: str, name: str, verbose: bool, user_data: Path, as_json: bool) -> None:
    from polyframe.cli.list_tables import plugin_list
    from polyframe.runtime.describing import described, described_broken
    from polyframe.runtime.plugins import Registry

    registry = Registry.load(user_data)
    found = [registry.find(kind, name)] if name else registry.all(kind)
    broken = [] if name else registry.broken
    shown: Any = None
    if as_json:
        shown = {
            "version": 1,
            "plugins": [described(one) for one in found],
            "broken": [described_broken(one) for one in broken],
        }
    show(shown, as_json, lambda: plugin_list(found, broken, verbose=verbose or bool(name)))


@app.command()
def markets(
    search: Annotated[
        str, typer.Argument(metavar="[WORDS]", help="Words of the question, slug or id.")
    ] = "",
    data: Annotated[
        Path | None, typer.Option("--data", help="A catalogue; none: the one a backtest takes.")
    ] = None,
    category: Annotated[str, typer.Option("--category", help="Only this category.")] = "",
    forecasted: Annotated[
        bool, typer.Option("--forecasted", help="Only markets with a recorded forecast.")
    ] = False,
    unresolved: Annotated[
        bool, typer.Option("--unresolved", help="Only markets without an outcome on record.")
    ] = False,
    limit: Annotated[
        int, typer.Option("--limit", min=0, help="At most so many; 0: all of them.")
    ] = MOST_MARKETS,
    user_data: User = USER,
    as_json: Json = False,
) -> None:
    """Markets of a catalogue, in the order in which they close."""
    from polyframe.cli.list_tables import market_list
    from polyframe.lab.places import catalogue_dir
    from polyframe.runtime.config import find_files, load_config
    from polyframe.store.catalogue import Catalogue
    from polyframe.store.choosing import list_markets

    loaded = load_config(find_files(user_data), user_data=user_data)
    catalogue = Catalogue.open(catalogue_dir(data, loaded.config.data.dir, loaded.user_data))
    lines = list_markets(
        catalogue, category=category, search=search, forecasted=forecasted, unresolved=unresolved
    )
    shown = lines[:limit] if limit else lines
    document = {"version": 1, "path": str(catalogue.path), "found": len(lines), "markets": shown}
    show(document, as_json, lambda: market_list(shown, len(lines), catalogue.path, console.width))


@app.command()
def runs(
    strategy: Annotated[str, typer.Option("--strategy", "-s", help="Only of this strategy.")] = "",
    limit: Annotated[
        int, typer.Option("--limit", min=0, help="At most so many; 0: all of them.")
    ] = MOST_RUNS,
    user_data: User = USER,
    as_json: Json = False,
) -> None:
    """Stored runs, the newest first."""
    from polyframe.cli.list_tables import run_list
    from polyframe.lab.stored import stored_runs

    place = user_data / "runs"
    lines = stored_runs(place)
    if strategy:
        lines = _of_strategy(lines, strategy)
    shown = lines[:limit] if limit else lines
    document = {"version": 1, "found": len(lines), "runs": shown}
    show(document, as_json, lambda: run_list(shown, len(lines), place, console.width))


def _of_strategy(lines: list[Any], strategy: str) -> list[Any]:
    known = sorted({name for line in lines for name in line.strategies})
    if known and strategy not in known:
        from difflib import get_close_matches

        near = get_close_matches(strategy, known, n=1)
        raise UserError(
            f"no stored run of strategy {strategy}",
            expected=f"{near[0]}?" if near else f"one of {', '.join(known)}",
            hint="polyframe list runs",
        )
    return [line for line in lines if strategy in line.strategies]
