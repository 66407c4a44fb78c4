"""Writes a run's trades or signals as files beside its report."""

from __future__ import annotations

import os
import tempfile
from collections.abc import Callable
from pathlib import Path
from typing import TYPE_CHECKING, Literal, TypeAlias

from polyframe.errors import InvariantError, UserError
from polyframe.lab import frames
from polyframe.lab.record import RunRecord
from polyframe.lab.schema import Report

if TYPE_CHECKING:
    from pandas import DataFrame

What: TypeAlias = Literal["none", "trades", "signals"]
Form: TypeAlias = Literal["parquet", "csv", "json"]

SIGNALS = "signals"

_WRITERS: dict[str, Callable[[DataFrame, Path], object]] = {
    "parquet": lambda frame, path: frame.to_parquet(path, index=False),
    "csv": lambda frame, path: frame.to_csv(path, index=False),
    "json": lambda frame, path: frame.to_json(
        path, orient="records", date_format="iso", date_unit="ns", lines=False, indent=1
    ),
}


def needed(what: What, form: Form) -> str:
    """The file that only the run itself can write; empty when its report is enough."""
    return f"{SIGNALS}.{form}" if what == SIGNALS else ""


def export(
    directory: Path, what: What, form: Form, report: Report, record: RunRecord | None
) -> list[Path]:
    """Writes what was asked for into a run's directory and returns the files.

    Trades come with the round trips they make; signals are all orders that were wanted, denied ones
    included, and the trades.

    Raises:
        UserError: the directory cannot be written.
    """
    if what == "none":
        return []
    tables = {"trades": frames.trades(report), "round_trips": frames.round_trips(report)}
    if what == SIGNALS and not (directory / needed(what, form)).exists():
        if record is None:
            raise InvariantError(f"signals of {directory.name} are asked for without its record")
        tables[SIGNALS] = frames.signals(record)
    return [_write(frame, directory / f"{name}.{form}", form) for name, frame in tables.items()]


def _write(frame: DataFrame, path: Path, form: Form) -> Path:
    """The file appears whole or not at all."""
    try:
        handle, name = tempfile.mkstemp(prefix=".export-", suffix=f".{form}", dir=path.parent)
        os.close(handle)
        work = Path(name)
        try:
            _WRITERS[form](frame, work)
            work.chmod(0o644)
            work.replace(path)
        finally:
            work.unlink(missing_ok=True)
    except OSError as found:
        raise UserError(
            f"{path} cannot be written: {found.strerror}",
            expected="a directory this user may write to",
            hint="polyframe backtest --user-data DIR",
        ) from found
    return path
