"""The stored runs in one line each, the newest first."""

from __future__ import annotations

from pathlib import Path

import msgspec

from polyframe.lab.places import run_dirs
from polyframe.lab.results import MANIFEST, REPORT, edited
from polyframe.lab.schema import Interval


class RunLine(msgspec.Struct, frozen=True):
    """One run. ``low`` and ``high`` are the interval of ``pnl``; ``broken`` says what is wrong."""

    run: str
    created: str = ""
    strategies: tuple[str, ...] = ()
    data: str = ""
    synthetic: bool = False
    start: str | None = None
    end: str | None = None
    pnl: str | None = None
    low: float | None = None
    high: float | None = None
    verdict: str = ""
    effective_n: int = 0
    trips: int = 0
    trials: int | None = None
    hash: str = ""
    broken: str = ""


class _Use(msgspec.Struct):
    use: str
    name: str = ""


class _Settings(msgspec.Struct):
    strategies: tuple[_Use, ...] = ()


class _Configured(msgspec.Struct):
    config: _Settings


class _Data(msgspec.Struct):
    label: str


class _Manifest(msgspec.Struct):
    config: _Configured
    data: _Data


class _Summary(msgspec.Struct):
    per_event: Interval
    verdict: str
    effective_n: int
    start: str | None
    end: str | None
    pnl: str
    round_trips: int
    trials: int | None = None


class _Report(msgspec.Struct):
    """The part of a report that a line tells; the rest is not read into memory."""

    created: str
    hash: str
    synthetic: bool
    manifest: _Manifest
    summary: _Summary


def stored_runs(runs: Path) -> list[RunLine]:
    """Every stored run."""
    return [_line(directory) for directory in run_dirs(runs)]


def _line(directory: Path) -> RunLine:
    try:
        content = (directory / REPORT).read_bytes()
        found = msgspec.json.decode(content, type=_Report)
    except OSError as error:
        return RunLine(directory.name, broken=f"{REPORT}: {error.strerror}")
    except msgspec.MsgspecError as error:
        return RunLine(directory.name, broken=str(error))
    if not (directory / MANIFEST).is_file():
        return RunLine(directory.name, broken=f"{MANIFEST} is gone")
    if edited(directory, content):
        return RunLine(directory.name, broken=f"{REPORT} was edited")
    s, per = found.summary, found.summary.per_event
    known = per.low is not None and per.high is not None
    return RunLine(
        directory.name, found.created,
        tuple(use.name or use.use for use in found.manifest.config.config.strategies),
        found.manifest.data.label, found.synthetic, s.start, s.end, s.pnl,
        (per.low or 0.0) * s.effective_n if known else None,
        (per.high or 0.0) * s.effective_n if known else None,
        s.verdict, s.effective_n, s.round_trips, s.trials, found.hash,
    )  # fmt: skip
