"""Progress bars on standard error, and only where a person looks."""

from __future__ import annotations

from collections.abc import Callable, Iterator
from contextlib import contextmanager

from rich.console import Console

EVERY_ROWS = 500


@contextmanager
def replay_progress(
    console: Console, *, quiet: bool = False
) -> Iterator[Callable[[int, int], None] | None]:
    """A bar for a replay: rows done of all, rows a second, time left."""
    if quiet or not console.is_terminal:
        yield None
        return
    from rich.progress import (
        BarColumn,
        MofNCompleteColumn,
        Progress,
        TextColumn,
        TimeRemainingColumn,
    )

    columns = (
        TextColumn("[bold]replay"),
        BarColumn(),
        MofNCompleteColumn(),
        TextColumn("{task.fields[rate]}"),
        TimeRemainingColumn(),
    )
    with Progress(*columns, console=console, transient=True) as bar:
        task = bar.add_task("replay", total=None, rate="")
        shown = 0

        def advance(done: int, total: int) -> None:
            nonlocal shown
            if done - shown < EVERY_ROWS and done < total:
                return
            shown = done
            speed = bar.tasks[0].finished_speed or bar.tasks[0].speed or 0
            bar.update(task, completed=done, total=total, rate=f"{speed:,.0f} rows/s")

        yield advance
