"""``polyframe data``: import, check and look at recorded data."""

from __future__ import annotations

from enum import StrEnum
from pathlib import Path
from typing import Annotated, Any

import typer

from polyframe.cli.console import console, show

app = typer.Typer(
    help="Import, check and look at recorded data.",
    no_args_is_help=True,
    add_completion=False,
    rich_markup_mode=None,
)

DEFAULT = Path("user_data/data")

Json = Annotated[bool, typer.Option("--json", help="Print JSON.")]
Dir = Annotated[Path, typer.Argument(metavar="[DIR]", help="The catalogue.", show_default=True)]


class Kind(StrEnum):
    """Kinds of data."""

    MARKETS = "markets"
    PRICES = "prices"
    BARS = "bars"
    TRADES = "trades"
    FORECASTS = "forecasts"


@app.command("import")
def import_(
    kind: Annotated[Kind, typer.Argument(help="What the files hold.")],
    files: Annotated[list[Path], typer.Argument(metavar="FILE...", help="Parquet or CSV.")],
    mapping: Annotated[Path | None, typer.Option("--map", help="How columns are read.")] = None,
    into: Annotated[Path, typer.Option("--into", help="The catalogue.")] = DEFAULT,
    source: Annotated[str | None, typer.Option("--source", help="Who made the data.")] = None,
    as_json: Json = False,
) -> None:
    """Add files to a catalogue. Bad rows are set aside with file, row and reason."""
    from polyframe.cli.data_tables import import_table
    from polyframe.store.importing import import_files

    report = import_files(kind.value, files, into, mapping=mapping, source=source)
    show(report, as_json, lambda: import_table(report))


@app.command()
def check(
    path: Dir = DEFAULT,
    write: Annotated[bool, typer.Option("--write", help="Rewrite stale price flags.")] = False,
    limit: Annotated[int, typer.Option(help="Markets named for each finding.")] = 3,
    as_json: Json = False,
) -> None:
    """Look for everything that can be wrong. Exit code 3 when some data cannot be used."""
    from polyframe.cli.data_tables import check_table
    from polyframe.store.catalogue import Catalogue
    from polyframe.store.checking import check_catalogue

    report = check_catalogue(Catalogue.open(path), write=write)
    shown: dict[str, Any] = {
        "version": 1,
        "path": report.path,
        "files": report.files,
        "errors": report.errors,
        "findings": report.findings,
        "unquoted": report.unquoted,
        "reflagged": report.reflagged,
    }
    show(shown if as_json else report, as_json, lambda: check_table(report, limit))
    if report.errors:
        raise typer.Exit(3)


@app.command("list")
def list_(path: Dir = DEFAULT, as_json: Json = False) -> None:
    """What the catalogue holds, by kind and source."""
    from polyframe.cli.data_tables import list_table
    from polyframe.store.catalogue import Catalogue
    from polyframe.store.listing import list_catalogue

    catalogue = Catalogue.open(path)
    holdings = list_catalogue(catalogue)
    shown = {"version": 1, "path": str(path), "digest": catalogue.digest(), "holdings": holdings}
    show(shown, as_json, lambda: list_table(holdings, str(path), str(shown["digest"])))


@app.command("show")
def show_(
    market: Annotated[str, typer.Argument(help="Id, slug, condition or token, or its beginning.")],
    path: Annotated[Path, typer.Option("--data", help="The catalogue.")] = DEFAULT,
    rows: Annotated[int, typer.Option(min=0, help="Prices in the table.")] = 12,
    as_json: Json = False,
) -> None:
    """One market: facts, prices with their flags, forecasts."""
    from polyframe.cli.data_tables import market_page
    from polyframe.store.catalogue import Catalogue
    from polyframe.store.listing import describe

    record = describe(Catalogue.open(path), market)
    shown = record.as_dict() if as_json else None
    show(shown, as_json, lambda: market_page(record, rows, min(console.width, 120)))
