"""``polyframe decisions``: why each order was made, out of a run's journal."""

from __future__ import annotations

import sys
from itertools import chain
from pathlib import Path
from typing import TYPE_CHECKING, Annotated

import typer

from polyframe.cli.console import console, emit_json
from polyframe.cli.report import find_run

if TYPE_CHECKING:
    from polyframe.cli.decision_filter import Filter
    from polyframe.store.journal_reader import JournalReader

app = typer.Typer(add_completion=False, help="Show why each order was made, and prove it.")


@app.command()
def decisions(
    run: Annotated[
        str, typer.Argument(help="The run's id or its beginning, its directory, or a journal.")
    ] = "",
    market: Annotated[str, typer.Option("--market", "-m", help="Only this market.")] = "",
    why: Annotated[
        str, typer.Option("--why", help="The story of one order: its id or the end of it.")
    ] = "",
    stage: Annotated[str, typer.Option("--stage", help="Only this stage, like RISK.")] = "",
    strategy: Annotated[
        str, typer.Option("--strategy", "-s", help="Only what concerns this strategy.")
    ] = "",
    since: Annotated[str, typer.Option("--since", help="From this day or moment on, UTC.")] = "",
    until: Annotated[str, typer.Option("--until", help="Up to this day or moment, UTC.")] = "",
    timerange: Annotated[
        str, typer.Option("--timerange", help="Days, like 2026-01-01..2026-03-01.")
    ] = "",
    limit: Annotated[
        int, typer.Option("--limit", min=0, help="The newest so many rows; 0 for all.")
    ] = 50,
    verify: Annotated[
        bool, typer.Option("--verify", help="Prove the journal and print its last hash.")
    ] = False,
    head: Annotated[
        str, typer.Option("--head", help="With --verify: a hash noted earlier must be in it.")
    ] = "",
    user_data: Annotated[
        Path, typer.Option("--user-data", help="The user directory that holds runs/.")
    ] = Path("user_data"),
    as_json: Annotated[bool, typer.Option("--json", help="Print JSON.")] = False,
) -> None:
    """Show the decision log of a run, the newest one by default."""
    from polyframe.cli.decision_filter import filter_of
    from polyframe.errors import UserError

    chosen = filter_of(market, stage, strategy, since, until, timerange)
    if head and not verify:
        raise UserError(
            "--head belongs to --verify", hint=f"polyframe decisions --verify --head {head}"
        )
    if verify and (why or chosen.some):
        raise UserError(
            "--verify proves a whole journal and takes no selection",
            expected="--verify alone or with --head",
            hint="polyframe decisions --verify",
        )
    if why and chosen.some:
        raise UserError(
            "--why tells of one order and takes no further selection",
            expected="--why alone",
            hint=f"polyframe decisions --why {why}",
        )
    reader, finished, name = _journal(run, user_data / "runs", proving=verify)
    command = " ".join(["polyframe decisions", *([run] if run else [])])
    if verify:
        _verify(reader, finished, name, head, as_json)
    elif why:
        _why(reader, name, why, command, as_json)
    else:
        _log(reader, name, chosen, limit, command, as_json)


def _journal(run: str, runs: Path, *, proving: bool) -> tuple[JournalReader, bool, str]:
    """A run's journal, whether the run is finished, and what to call it."""
    from polyframe.cli.decision_filter import journal_of
    from polyframe.store.journal_reader import JournalReader

    if run and Path(run).is_file() and Path(run).name != "report.json":
        return JournalReader(Path(run)), False, run
    directory = find_run(run, runs, "decisions")
    return JournalReader(journal_of(directory, proving=proving)), True, directory.name


def _verify(reader: JournalReader, finished: bool, name: str, head: str, as_json: bool) -> None:
    from polyframe.cli.decision_filter import prove
    from polyframe.cli.decision_tables import proven_page

    found = prove(reader, finished, head)
    if as_json:
        emit_json(
            {
                "run": name,
                "session": reader.header.session,
                "journal": reader.path,
                "whole": True,
                "head": found.digest,
                "blocks": found.blocks,
                "records": found.records,
                "steps": found.steps,
                "ends": found.tail.kind.value,
            }
        )
    else:
        console.print(proven_page(reader, found, name))


def _why(reader: JournalReader, name: str, why: str, command: str, as_json: bool) -> None:
    from polyframe.cli.decision_tables import story_page
    from polyframe.store.decision_story import find_order, tell

    story = tell(reader, find_order(reader, why, command))
    if as_json:
        emit_json({"run": name, "session": reader.header.session, **_fields(story)})
    else:
        console.print(story_page(story, name))


def _fields(story: object) -> dict[str, object]:
    import msgspec

    plain: dict[str, object] = msgspec.to_builtins(story)
    return plain


def _log(
    reader: JournalReader, name: str, chosen: Filter, limit: int, command: str, as_json: bool
) -> None:
    from polyframe.cli.decision_filter import Selection
    from polyframe.cli.decision_tables import Lines

    if not limit:
        reader.verify()  # or the rows before an edited block would be out before it is found
    found = Selection(reader, chosen, limit, command)
    if as_json:
        import msgspec

        rows = iter(found)
        first = next(rows, None)  # what is wrong with the question shows before anything is written
        # Row by row: the log of a long session need not fit into memory.
        write = sys.stdout.write
        top = msgspec.json.encode({"run": name, "session": reader.header.session}).decode()
        write(f'{top[:-1]},"rows":[')
        for row in chain(() if first is None else (first,), rows):
            comma = "" if row is first else ","
            write(f"{comma}\n {msgspec.json.encode(row).decode()}")
        write(f'\n],"shown":{found.shown},"total":{found.total}}}\n')
    else:
        Lines(console, name).show(found, command, limit)
