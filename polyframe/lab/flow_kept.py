"""Synthetic order flow with what a recorder would not have known, and where it is kept."""

from __future__ import annotations

from dataclasses import dataclass
from pathlib import Path

import msgspec

from polyframe.domain.market import Market, Resolution
from polyframe.errors import DataError, UserError
from polyframe.lab.flow_figures import Figures
from polyframe.lab.flow_runs import Columns, Counts, Floats
from polyframe.lab.flow_spec import Spec
from polyframe.lab.written import write_whole
from polyframe.store.tape_writer import TapeWriter

NOTE = "flow.json"


class FlowNote(msgspec.Struct, frozen=True, kw_only=True):
    """What stands beside a written tape: how it was made, its markets and how they ended."""

    source: str = "synthetic"
    seed: int
    specs: tuple[Spec, ...]
    instruments: tuple[str, ...]
    markets: tuple[Market, ...]
    resolutions: tuple[Resolution, ...]
    figures: tuple[Figures, ...]
    counts: tuple[Counts, ...]


@dataclass(frozen=True)
class Flow:
    """A tape's columns, and what a recorder would not have known.

    ``columns`` hold the rows of all markets in the order in which they were known; ``instrument``
    is the market's place in ``note.markets``. ``truth`` holds, row by row, the exact probability of
    YES of that row's market at that moment, or the unrounded mid in price units.
    """

    columns: Columns
    truth: Floats
    note: FlowNote

    def rows_of(self, market: int) -> Columns:
        """The rows of one market alone."""
        mine = self.columns["instrument"] == market
        return {name: values[mine] for name, values in self.columns.items()}


def write(flow: Flow, path: Path) -> None:
    """Stores order flow as a new tape, with its markets and how it was made in ``flow.json``.

    Raises:
        UserError: something is there already, or the note cannot be written.
        DataError: the disk refused.
    """
    if path.exists() and any(path.iterdir()):
        raise UserError(
            f"{path} is not empty",
            expected="a new directory: synthetic rows are not mixed with others",
            hint="python -m polyframe.lab.flow --write OTHER-DIR",
        )
    path.mkdir(parents=True, exist_ok=True)
    writer = TapeWriter(path, flow.note.instruments)
    try:
        writer.append(flow.columns)
    finally:
        writer.close()
    note = msgspec.json.format(msgspec.json.encode(flow.note), indent=2).decode()
    write_whole(path / NOTE, note + "\n", "note beside the tape")


def read_note(path: Path) -> FlowNote:
    """What ``flow.json`` says of a written tape.

    Raises:
        DataError: it is not there, or says something else.
    """
    try:
        return msgspec.json.decode((path / NOTE).read_bytes(), type=FlowNote)
    except (OSError, msgspec.DecodeError) as error:
        raise DataError(
            f"{path / NOTE} cannot be read: {error}",
            expected="the note beside a synthetic tape",
            hint="python -m polyframe.lab.flow --write OTHER-DIR",
        ) from None
