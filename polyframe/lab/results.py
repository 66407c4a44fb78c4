"""A finished run: what a driver records of it, and the directory it becomes.

A driver fills a :class:`RunRecord`; :func:`write_run` makes ``<runs>/<run-id>/`` of it with
``report.json``, ``manifest.json``, ``equity.parquet`` and, where the driver kept one,
``journal.bin``. The directory appears complete or not at all.
"""

from __future__ import annotations

import os
import shutil
import tempfile
from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field
from datetime import UTC, datetime
from hashlib import sha256
from pathlib import Path
from typing import TYPE_CHECKING, Any, NamedTuple

import msgspec

from polyframe.domain.effects import OrderReviewed, PositionSettled
from polyframe.domain.market import Group, Market, Resolution
from polyframe.domain.portfolio import Fill
from polyframe.domain.units import Money, Ns, Price, Size
from polyframe.errors import DataError, UserError
from polyframe.lab.schema import SCHEMA, Report

if TYPE_CHECKING:
    import numpy as np
    from numpy.typing import NDArray

REPORT = "report.json"
MANIFEST = "manifest.json"
EQUITY = "equity.parquet"
JOURNAL = "journal.bin"


# ---- the manifest: everything that decides a result --------------------------------------------


class Code(msgspec.Struct, frozen=True):
    """The package's version and the sha256 of its source files."""

    version: str
    sha256: str


class PluginsUsed(msgspec.Struct, frozen=True):
    """The digest of the plugin manifest and its entries, one ``kind:name`` each."""

    digest: str
    names: tuple[str, ...] = ()


class ConfigUsed(msgspec.Struct, frozen=True):
    """The digest of the run's config and the config itself, secrets masked."""

    digest: str
    config: dict[str, Any] = {}


class DataSlice(msgspec.Struct, frozen=True):
    """Which data: its digest, its directory's label, how many markets, from when to when."""

    digest: str
    label: str
    markets: int
    first: Ns
    last: Ns
    synthetic: bool = False


class ForecastsUsed(msgspec.Struct, frozen=True):
    """The digest of the forecasts that could be joined and who made them."""

    digest: str
    sources: tuple[str, ...] = ()


class Manifest(msgspec.Struct, frozen=True):
    """What a result depends on. The same manifest gives the same result."""

    code: Code
    plugins: PluginsUsed
    config: ConfigUsed
    data: DataSlice
    forecasts: ForecastsUsed
    seed: int

    @property
    def hash(self) -> str:
        """One sha256 over all of it."""
        return sha256(msgspec.json.encode(self, order="sorted")).hexdigest()


def source_digest() -> str:
    """The sha256 over the package's Python files: relative path and content, in path order."""
    root = Path(__file__).resolve().parent.parent
    digest = sha256()
    for path in sorted(root.rglob("*.py"), key=lambda p: p.relative_to(root).as_posix()):
        content = path.read_bytes()
        name = path.relative_to(root).as_posix()
        digest.update(f"{name}\0{len(content)}\0".encode())
        digest.update(content)
    return digest.hexdigest()


# ---- the record a driver fills -----------------------------------------------------------------


class FillRecord(NamedTuple):
    """A fill with what was known when it was decided.

    ``quality`` holds the bits of the price row the fill used, ``mid`` the market's mid in YES space
    at decision (None where there was none), ``decision`` the ruling that let the order through.
    """

    fill: Fill
    quality: int = 0
    mid: Price | None = None
    decision: OrderReviewed | None = None


class LeftOpen(NamedTuple):
    """A holding that nothing had settled at the end, with its cost and its value at the bid."""

    ledger: str
    token: str
    shares: Size
    cost: Money
    value: Money


class Judgement(NamedTuple):
    """A forecast next to the market's mid when it was delivered, both as probabilities of YES."""

    market: str
    ts: Ns
    probability: float
    mid: float
    source: str = ""


@dataclass(frozen=True)
class ForecastCounts:
    """What became of the forecasts asked for. ``by_source`` counts the joined ones."""

    joined: int = 0
    late: int = 0
    missed: int = 0
    superseded: int = 0
    by_source: Mapping[str, int] = field(default_factory=dict)


@dataclass(frozen=True)
class UnquotedCounts:
    """Price rows seen, those of them flagged as no real quote, orders refused because of it."""

    rows: int = 0
    flagged: int = 0
    refused: int = 0


@dataclass(frozen=True)
class RunRecord:
    """All that a report is built from.

    ``fills`` and ``settlements`` stand in the order they were booked. ``equity`` is cash plus
    positions at the bid, all ledgers together; its last value is taken after the last event, so
    that it equals the final cash plus the values in ``left_open``. ``denials`` counts by
    protection, ``refusals`` refused wishes by reason. ``judgements`` are all forecasts delivered;
    without them only those that led to a fill are scored. ``timings`` are seconds by part.

    Shapes: equity_ts and equity (n,), int64, times ascending. Units: money, ns.
    """

    manifest: Manifest
    start_cash: Money
    markets: Sequence[Market]
    groups: Sequence[Group]
    resolutions: Mapping[str, Resolution]
    fills: Sequence[FillRecord]
    settlements: Sequence[PositionSettled]
    reviews: Sequence[OrderReviewed]
    left_open: Sequence[LeftOpen]
    equity_ts: NDArray[np.int64]
    equity: NDArray[np.int64]
    forecasts: ForecastCounts = ForecastCounts()
    denials: Mapping[str, int] = field(default_factory=dict)
    refusals: Mapping[str, int] = field(default_factory=dict)
    unquoted: UnquotedCounts = UnquotedCounts()
    notes: Sequence[str] = ()
    timings: Mapping[str, float] = field(default_factory=dict)
    judgements: Sequence[Judgement] = ()


# ---- the run directory -------------------------------------------------------------------------


class RunPaths(NamedTuple):
    """Where a run was written."""

    run: str
    directory: Path
    report: Path
    manifest: Path
    equity: Path
    journal: Path


def _paths(directory: Path) -> RunPaths:
    return RunPaths(
        directory.name,
        directory,
        directory / REPORT,
        directory / MANIFEST,
        directory / EQUITY,
        directory / JOURNAL,
    )


def write_run(
    record: RunRecord,
    runs_dir: Path,
    *,
    journal: Path | None = None,
    created: datetime | None = None,
) -> RunPaths:
    """Stores a run under a new id ``<UTC time>-<hash>`` and returns where.

    ``journal`` is a finished file that is moved into the directory. Nothing is visible under
    ``runs_dir`` until all of it is written.

    Raises:
        UserError: the directory cannot be written.
        InvariantError: the record contradicts itself (see :func:`polyframe.lab.summary.build`).
    """
    from polyframe.lab.summary import build  # noqa: PLC0415 - it needs RunRecord from here

    moment = (created or datetime.now(UTC)).astimezone(UTC)
    run = f"{moment:%Y%m%dT%H%M%S}-{record.manifest.hash[:12]}"
    report = build(record, run=run, created=moment)
    try:
        runs_dir.mkdir(parents=True, exist_ok=True)
        work = Path(tempfile.mkdtemp(prefix=".writing-", dir=runs_dir))
    except OSError as found:
        raise UserError(
            f"runs cannot be written to {runs_dir}: {found.strerror}",
            expected="a directory this user may write to",
            hint="polyframe backtest --user-data DIR",
        ) from found
    try:
        manifest = {"hash": record.manifest.hash, **msgspec.to_builtins(record.manifest)}
        (work / REPORT).write_bytes(_indented(report))
        (work / MANIFEST).write_bytes(_indented(manifest))
        _write_equity(record, work / EQUITY)
        if journal is not None:
            shutil.move(journal, work / JOURNAL)
        work.chmod(0o755)
        return _paths(_publish(work, runs_dir, run))
    finally:
        shutil.rmtree(work, ignore_errors=True)


def _publish(work: Path, runs_dir: Path, run: str) -> Path:
    """Renames the finished directory; the same run within one second gets a counter."""
    target, n = runs_dir / run, 1
    while target.exists():
        n += 1
        target = runs_dir / f"{run}-{n}"
    if n > 1:
        report = msgspec.structs.replace(load_report(work), run=target.name)
        (work / REPORT).write_bytes(_indented(report))
    os.rename(work, target)
    return target


def _indented(value: object) -> bytes:
    return msgspec.json.format(msgspec.json.encode(value), indent=2) + b"\n"


def _write_equity(record: RunRecord, path: Path) -> None:
    import numpy as np  # noqa: PLC0415 - the CLI reads reports without numpy and pyarrow
    import pyarrow as pa  # noqa: PLC0415
    import pyarrow.parquet as pq  # noqa: PLC0415

    equity = np.asarray(record.equity, dtype=np.int64)
    drawdown = equity - np.maximum.accumulate(equity) if equity.size else equity
    table = pa.table({"ts": record.equity_ts, "equity": equity, "drawdown": drawdown})
    pq.write_table(table, path, compression="zstd")


def load_report(path: Path) -> Report:
    """Reads a report from a run directory or from its ``report.json``.

    Raises:
        UserError: there is no report there.
        DataError: it is no report, or one of another schema version.
    """
    file = path / REPORT if path.is_dir() else path
    try:
        content = file.read_bytes()
    except OSError as found:
        raise UserError(
            f"no report at {file}: {found.strerror}",
            expected="a run directory written by a backtest",
            hint="polyframe backtest --strategy LLMForecast",
        ) from found
    try:
        version = msgspec.json.decode(content, type=_Versioned).schema
        if version != SCHEMA:
            raise DataError(
                f"{file} has report schema {version}",
                expected=f"schema {SCHEMA}",
                hint="run the backtest again with this version of polyframe",
            )
        return msgspec.json.decode(content, type=Report)
    except msgspec.MsgspecError as found:
        raise DataError(
            f"{file} is not a report: {found}",
            expected=f"a report.json of schema {SCHEMA}",
            hint="run the backtest again; the file was changed or truncated",
        ) from found


class _Versioned(msgspec.Struct):
    schema: int
