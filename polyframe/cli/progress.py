"""Progress bars on standard error, and only where a person looks."""

from __future__ import annotations

from collections.abc import Callable, Iterator
from contextlib import contextmanager

from rich.console import Console

EVERY_ROWS = 500

Advance = Callable[[int, int], None]


def _silent(name: str, number: int, count: int) -> Advance | None:  # noqa: ARG001 - a bar's form
    """No bar."""
    return None


@contextmanager
def replay_progress(console: Console, *, quiet: bool = False) -> Iterator[Advance | None]:
    """A bar for a replay: rows done of all, rows a second, time left."""
    with batch_progress(console, quiet=quiet) as begin:
        yield begin("replay", 1, 1)


@contextmanager
def batch_progress(
    console: Console, *, quiet: bool = False
) -> Iterator[Callable[[str, int, int], Advance | None]]:
    """Gives a bar to each of several replays, and shows how many are done."""
    if quiet or not console.is_terminal:
        yield _silent
        return
    from rich.progress import (
        BarColumn,
        MofNCompleteColumn,
        Progress,
        TextColumn,
        TimeElapsedColumn,
        TimeRemainingColumn,
    )

    columns = (
        TextColumn("{task.fields[name]}", style="bold", markup=False),
        BarColumn(bar_width=24),
        MofNCompleteColumn(),
        TextColumn("{task.fields[rate]}"),
        TimeElapsedColumn(),
        TimeRemainingColumn(compact=True),
    )
    with Progress(*columns, console=console, transient=True) as bar:

        def begin(name: str, number: int, count: int) -> Advance:
            for earlier in bar.task_ids:
                bar.remove_task(earlier)
            shown = f"{number}/{count} {name}" if count > 1 else name
            task = bar.add_task("replay", total=None, rate="", name=shown)
            last = 0

            def advance(done: int, total: int) -> None:
                nonlocal last
                if done - last < EVERY_ROWS and done < total:
                    return
                last = done
                speed = bar.tasks[0].finished_speed or bar.tasks[0].speed or 0
                bar.update(task, completed=done, total=total, rate=f"{speed:,.0f} rows/s")

            return advance

        yield begin
