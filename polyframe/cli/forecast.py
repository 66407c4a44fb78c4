"""``polyframe forecast``: how good forecasts were."""

from __future__ import annotations

from pathlib import Path
from typing import Annotated

import typer

from polyframe.cli.console import show

app = typer.Typer(
    help="Judge forecasts by what happened.",
    no_args_is_help=True,
    add_completion=False,
    rich_markup_mode=None,
)


@app.callback()
def forecast() -> None:
    """Judge forecasts by what happened."""


@app.command()
def evaluate(
    file: Annotated[
        Path, typer.Argument(metavar="FILE", help="Parquet or CSV, or a catalogue's directory.")
    ],
    p: Annotated[str, typer.Option("--p", help="Column of the forecast.")] = "",
    y: Annotated[str, typer.Option("--y", help="Column of what happened, 1 or 0.")] = "",
    market: Annotated[str, typer.Option("--market", help="Column of the market's price.")] = "",
    event: Annotated[
        str, typer.Option("--event", help="Column whose rows are one observation.")
    ] = "",
    category: Annotated[str, typer.Option("--category", help="Column of the category.")] = "",
    time: Annotated[str, typer.Option("--time", help="Column that orders the rows.")] = "",
    cutoff: Annotated[
        str, typer.Option("--cutoff", help="Column of the end of the model's knowledge.")
    ] = "",
    maker: Annotated[
        str, typer.Option("--maker", help="Column of who said it, to compare its makers.")
    ] = "",
    mapping: Annotated[Path | None, typer.Option("--map", help="How columns are read.")] = None,
    where: Annotated[
        list[str] | None, typer.Option("--where", help="COLUMN=VALUE that rows must have.")
    ] = None,
    source: Annotated[
        str, typer.Option("--source", help="Of a catalogue: one maker of forecasts.")
    ] = "",
    clamp: Annotated[
        float | None,
        typer.Option("--clamp", min=0.0, max=0.49, help="Keep probabilities off 0 and 1 by this."),
    ] = None,
    skip_bad: Annotated[
        bool, typer.Option("--skip-bad", help="Leave rows out that cannot be scored.")
    ] = False,
    seed: Annotated[int, typer.Option("--seed", min=0, help="Seed of the resampling.")] = 0,
    as_json: Annotated[bool, typer.Option("--json", help="Print JSON.")] = False,
) -> None:
    """Score forecasts against what happened and against the market, one vote an event."""
    from polyframe.cli.forecast_tables import evaluation_page
    from polyframe.errors import UserError
    from polyframe.lab.catalogue_scores import catalogue_rows
    from polyframe.lab.evaluation import evaluate as judge
    from polyframe.lab.scored_rows import read_rows, where_of
    from polyframe.store.catalogue import Catalogue

    given = {
        "p": p, "y": y, "market": market, "event": event, "category": category, "time": time,
        "cutoff": cutoff, "maker": maker,
    }  # fmt: skip
    names = {target: name for target, name in given.items() if name}
    if file.is_dir():
        if names or mapping or where or clamp is not None or skip_bad:
            raise UserError(
                f"{file} is a directory: a catalogue has columns of its own",
                expected="no option but --source, --seed and --json",
                hint=f"polyframe forecast evaluate '{file}'",
            )
        rows = catalogue_rows(Catalogue.open(file), source=source)
    else:
        if source:
            raise UserError(
                f"--source is for a catalogue, and {file} is none",
                hint=f"polyframe forecast evaluate '{file}' --where COLUMN=VALUE",
            )
        rows = read_rows(
            file, names=names, mapping=mapping, where=where_of(where or ()), clamp=clamp,
            skip_bad=skip_bad,
        )  # fmt: skip
    found = judge(rows, seed=seed)
    show(found, as_json, lambda: evaluation_page(found))
