"""``polyframe data``: import, check and look at recorded data."""

from __future__ import annotations

from collections.abc import Mapping
from enum import StrEnum
from pathlib import Path
from typing import Annotated, Any

import typer

from polyframe.cli.console import console, show
from polyframe.errors import UserError

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
    TAPE = "tape"


class Form(StrEnum):
    """Forms of recorded order books."""

    POLYMARKET_WS = "polymarket-ws"
    POLYMARKET_TOP5 = "polymarket-top5"
    POLYMARKET_DEPTH = "polymarket-depth"
    BINANCE = "binance"
    HFTBACKTEST = "hftbacktest"


@app.command("import")
def import_(
    kind: Annotated[Kind, typer.Argument(help="What the files hold.")],
    files: Annotated[
        list[Path], typer.Argument(metavar="FILE...", help="Parquet or CSV; recordings of a tape.")
    ],
    mapping: Annotated[Path | None, typer.Option("--map", help="How columns are read.")] = None,
    into: Annotated[Path, typer.Option("--into", help="The catalogue.")] = DEFAULT,
    source: Annotated[str | None, typer.Option("--source", help="Who made the data.")] = None,
    form: Annotated[Form | None, typer.Option("--format", help="Form of a recording.")] = None,
    market: Annotated[str | None, typer.Option("--market", help="Only this market.")] = None,
    silence: Annotated[
        float | None, typer.Option("--silence", min=0, help="Longest silence in s; 0 for any.")
    ] = None,
    tick: Annotated[str | None, typer.Option("--tick", help="Price step of a symbol.")] = None,
    lot: Annotated[str | None, typer.Option("--lot", help="Size step of a symbol.")] = None,
    price_decimals: Annotated[int | None, typer.Option(help="Of a symbol's prices.")] = None,
    size_decimals: Annotated[int | None, typer.Option(help="Of a symbol's sizes.")] = None,
    max_price: Annotated[str, typer.Option(help="No price of a symbol is above it.")] = "10000000",
    venue: Annotated[str, typer.Option(help="Where a symbol trades.")] = "binance",
    as_json: Json = False,
) -> None:
    """Add files to a catalogue. Bad rows are set aside with file, row and reason."""
    if kind is not Kind.TAPE:
        _refuse(
            kind.value,
            {
                "--format": form,
                "--market": market,
                "--silence": silence,
                "--tick": tick,
                "--lot": lot,
                "--price-decimals": price_decimals,
                "--size-decimals": size_decimals,
            },
        )
        from polyframe.cli.data_tables import import_table
        from polyframe.store.importing import import_files

        report = import_files(kind.value, files, into, mapping=mapping, source=source)
        show(report, as_json, lambda: import_table(report))
        return
    _refuse("tape", {"--map": mapping})
    from polyframe.cli.tape_tables import tape_table
    from polyframe.store.tape_import import FORMATS, import_tape
    from polyframe.store.tape_symbols import Symbol

    if form is None:
        raise UserError("a recording has a form", expected=f"--format, one of {', '.join(FORMATS)}")
    made = import_tape(
        files, into, format=form.value, market=market, source=source, silence=_ns(silence),
        symbol=Symbol(tick, lot, price_decimals, size_decimals, venue, max_price),
    )  # fmt: skip
    show(made, as_json, lambda: tape_table(made, console.width))


MOST_SILENCE = 3.2e8
"""ten years, in s"""


def _ns(silence: float | None) -> int | None:
    if silence is not None and not 0 <= silence <= MOST_SILENCE:
        raise UserError(
            f"--silence {silence} is no length of time",
            expected=f"seconds from 0 to {MOST_SILENCE:,.0f}; 0 for any silence",
        )
    return None if silence is None else round(silence * 1e9)


def _refuse(kind: str, options: Mapping[str, object]) -> None:
    """Options that say nothing about this kind of data are a mistake, not a wish."""
    given = [name for name, value in options.items() if value is not None]
    if given:
        raise UserError(
            f"{', '.join(given)} cannot be used with {kind}",
            expected="options of recordings for tape, --map for tables",
            hint="polyframe data import --help",
        )


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
    show(shown if as_json else report, as_json, lambda: check_table(report, limit, console.width))
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
