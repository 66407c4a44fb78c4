"""Finds a stored run that is the very run about to be made."""

from __future__ import annotations

from datetime import UTC, datetime, timedelta
from pathlib import Path
from typing import Literal, TypeAlias

import msgspec

from polyframe.errors import DataError, UserError
from polyframe.lab.places import run_dirs
from polyframe.lab.record import ConfigUsed
from polyframe.lab.replays import Robust
from polyframe.lab.results import MANIFEST, load_report
from polyframe.lab.robustness import HOW
from polyframe.lab.schema import Report

Age: TypeAlias = Literal["none", "day", "week", "month"]
"""How old a stored run may be to be shown again."""

AGES: dict[str, timedelta] = {
    "none": timedelta(0),
    "day": timedelta(days=1),
    "week": timedelta(days=7),
    "month": timedelta(days=30),
}


class _Stored(msgspec.Struct):
    hash: str
    config: ConfigUsed

    def keeps(self, record: str) -> bool:
        """Whether its journal has what is asked for."""
        return not record or self.config.config.get("backtest", {}).get("record") == record


def same_run(
    runs: Path,
    hash: str,
    age: Age,
    *,
    robust: Robust = "none",
    beside: str = "",
    record: str = "",
    bands: bool | None = None,
    worst: bool = False,
    now: datetime | None = None,
) -> tuple[Path, Report] | None:
    """The newest run of a manifest's hash that is not older than ``age``, None where there is none.

    ``robust``, ``bands`` and ``worst`` are the replays that its report must have, ``beside`` names
    a file that must stand beside it, ``record`` what its journal must keep. A run that cannot be
    read, or that was edited, is as good as none.
    """
    oldest = (now or datetime.now(UTC)) - AGES[age]
    for directory in run_dirs(runs) if age != "none" else ():
        if f"-{hash[:12]}" not in directory.name or not (directory / beside).exists():
            continue
        try:
            made = datetime.strptime(directory.name[:15], "%Y%m%dT%H%M%S").replace(tzinfo=UTC)
            stored = msgspec.json.decode((directory / MANIFEST).read_bytes(), type=_Stored)
            fits = made >= oldest and stored.hash == hash and stored.keeps(record)
            report = load_report(directory) if fits else None
        except (OSError, ValueError, msgspec.MsgspecError, DataError, UserError):
            continue
        if report is not None and _has(report, robust) and _has_books(report, bands, worst):
            return directory, report
    return None


def _has(report: Report, robust: Robust) -> bool:
    """Whether the replays that are asked for, or the reason why they were not run, are there."""
    rows = report.robustness.replays if report.robustness is not None else []
    if robust == "small":
        return bool(rows) and rows[0].note != HOW
    return robust == "none" or not any(row.note.startswith(HOW) for row in rows)


def _has_books(report: Report, bands: bool | None, worst: bool) -> bool:
    """Whether the bands and worst cases that are asked for are there."""
    rows = report.making.bands if report.making is not None else []
    there = all(row.pnl is not None for row in rows) or not bands
    return there and (bool(report.scenarios) or not worst)
