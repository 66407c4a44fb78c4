"""The directory a finished run becomes, and reading its report again.

A driver fills a :class:`RunRecord`; :func:`write_run` makes ``<runs>/<run-id>/`` of it with
``report.json``, ``manifest.json``, ``equity.parquet`` and, where the driver kept one,
``journal.bin``. The directory appears complete or not at all.
"""

from __future__ import annotations

import os
import shutil
import tempfile
from datetime import UTC, datetime
from hashlib import file_digest, sha256
from pathlib import Path
from shlex import quote
from typing import NamedTuple

import msgspec

from polyframe.errors import DataError, UserError
from polyframe.lab.record import (
    Code,
    ConfigUsed,
    DataSlice,
    FillRecord,
    ForecastCounts,
    ForecastsUsed,
    Judgement,
    LeftOpen,
    Manifest,
    PluginsUsed,
    RunRecord,
    UnquotedCounts,
    source_digest,
)
from polyframe.lab.schema import SCHEMA, Report

REPORT = "report.json"
MANIFEST = "manifest.json"
EQUITY = "equity.parquet"
JOURNAL = "journal.bin"
DIGEST = "report"
"""The manifest's key for the sha256 of report.json."""
JOURNAL_DIGEST = "journal"
"""The manifest's key for the sha256 of journal.bin, empty where none was kept."""


__all__ = [
    "Code",
    "ConfigUsed",
    "DataSlice",
    "FillRecord",
    "ForecastCounts",
    "ForecastsUsed",
    "Judgement",
    "LeftOpen",
    "Manifest",
    "PluginsUsed",
    "RunPaths",
    "RunRecord",
    "UnquotedCounts",
    "edited",
    "load_report",
    "run_paths",
    "source_digest",
    "stored_run",
    "trials_tried",
    "write_run",
]

# ---- the run directory -------------------------------------------------------------------------


class RunPaths(NamedTuple):
    """Where a run was written."""

    run: str
    directory: Path
    report: Path
    manifest: Path
    equity: Path
    journal: Path


def run_paths(directory: Path) -> RunPaths:
    """The files of a run's directory."""
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
    return stored_run(record, runs_dir, journal=journal, created=created)[0]


def stored_run(
    record: RunRecord,
    runs_dir: Path,
    *,
    journal: Path | None = None,
    created: datetime | None = None,
) -> tuple[RunPaths, Report]:
    """As :func:`write_run`, with the report that was written."""
    from polyframe.lab.summary import build  # noqa: PLC0415 - needs numpy, reading does not

    moment = (created or datetime.now(UTC)).astimezone(UTC)
    run = f"{moment:%Y%m%dT%H%M%S}-{record.manifest.hash[:12]}"
    report = build(record, run=run, created=moment, trials=trials_tried(runs_dir, record.manifest))
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
        if journal is not None:
            shutil.move(journal, work / JOURNAL)
        _write_report(record, report, work)
        _write_equity(record, work / EQUITY)
        work.chmod(0o755)
        target = _free_name(runs_dir, run)
        if target.name != run:
            report = msgspec.structs.replace(report, run=target.name)
            _write_report(record, report, work)
        os.rename(work, target)
        return run_paths(target), report
    finally:
        shutil.rmtree(work, ignore_errors=True)


def _write_report(record: RunRecord, report: Report, directory: Path) -> None:
    """The report, and beside it the manifest with the digests of report and journal."""
    text = _lined(report)
    (directory / REPORT).write_bytes(text)
    manifest = {
        "hash": record.manifest.hash,
        DIGEST: sha256(text).hexdigest(),
        JOURNAL_DIGEST: digest_of(directory / JOURNAL),
        **msgspec.to_builtins(record.manifest),
        "rows": dict(record.rows),
    }
    (directory / MANIFEST).write_bytes(_indented(manifest))


def digest_of(file: Path) -> str:
    """A file's sha256, empty when it is not there."""
    if not file.is_file():
        return ""
    with file.open("rb") as stream:
        return file_digest(stream, "sha256").hexdigest()


def _free_name(runs_dir: Path, run: str) -> Path:
    """The same run within one second gets a counter."""
    target, n = runs_dir / run, 1
    while target.exists():
        n += 1
        target = runs_dir / f"{run}-{n}"
    return target


def trials_tried(runs_dir: Path, manifest: Manifest) -> int:
    """How many different runs on the same data there are, this one included.

    Two runs of one manifest are one trial. What was deleted, or stored elsewhere, is not seen.
    """
    hashes = {manifest.hash}
    for file in runs_dir.glob(f"[!.]*/{MANIFEST}"):
        try:
            other = msgspec.json.decode(file.read_bytes(), type=_Trial)
        except (OSError, msgspec.MsgspecError):
            continue  # not readable as a run: it cannot be counted
        if other.data.digest == manifest.data.digest:
            hashes.add(other.hash)
    return len(hashes)


class _TrialData(msgspec.Struct):
    digest: str


class _Trial(msgspec.Struct):
    hash: str
    data: _TrialData


def _indented(value: object) -> bytes:
    return msgspec.json.format(msgspec.json.encode(value), indent=2) + b"\n"


def _lined(report: Report) -> bytes:
    """A report as JSON with one row a line: quick to write, and plain tools find their way."""
    encoder = msgspec.json.Encoder()
    parts = []
    for name in Report.__struct_fields__:
        value = getattr(report, name)
        if isinstance(value, list) and value:
            rows = encoder.encode_lines(value).rstrip(b"\n").replace(b"\n", b",\n  ")
            text = b"[\n  " + rows + b"\n ]"
        else:
            text = msgspec.json.format(encoder.encode(value), indent=1).replace(b"\n", b"\n ")
        parts.append(b' "' + name.encode() + b'": ' + text)
    return b"{\n" + b",\n".join(parts) + b"\n}\n"


def _write_equity(record: RunRecord, path: Path) -> None:
    import numpy as np  # noqa: PLC0415 - the CLI reads reports without numpy and pyarrow
    import pyarrow as pa  # noqa: PLC0415
    import pyarrow.parquet as pq  # noqa: PLC0415

    from polyframe.store.parquet import whole_array  # noqa: PLC0415

    equity = np.asarray(record.equity, dtype=np.int64)
    drawdown = equity - np.maximum.accumulate(equity) if equity.size else equity
    columns = {"ts": record.equity_ts, "equity": equity, "drawdown": drawdown}
    table = pa.table({name: whole_array(values) for name, values in columns.items()})
    pq.write_table(table, path, compression="zstd")


def load_report(path: Path) -> Report:
    """Reads a report from a run directory, or a ``report.json`` that nothing vouches for.

    Raises:
        UserError: there is no report there.
        DataError: it is no report, one of another schema version, or it was edited since the run
            wrote it.
    """
    file = path / REPORT if path.is_dir() else path
    try:
        content = file.read_bytes()
    except OSError as found:
        raise UserError(
            f"no report at {file}: {found.strerror}",
            expected="a run directory with all that a backtest wrote",
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
        report = msgspec.json.decode(content, type=Report)
    except msgspec.MsgspecError as found:
        raise DataError(
            f"{file} is not a report: {found}",
            expected=f"a report.json of schema {SCHEMA}",
            hint="run the backtest again; the file was changed or truncated",
        ) from found
    if path.is_dir() and not (path / MANIFEST).is_file():
        raise DataError(
            f"{path} has no {MANIFEST}: nothing vouches for its report any more",
            expected="the manifest that the run wrote beside it",
            hint=f"to see it unproven: polyframe report {quote(str(file))}",
        )
    if path.is_dir() and edited(path, content):
        raise DataError(
            f"{file} was edited: it is not what the run wrote",
            expected=f"the digest that {MANIFEST} beside it states",
            hint=f"polyframe reproduce {quote(path.name)}",
        )
    return report


def edited(directory: Path, content: bytes) -> bool:
    """True when a report is not the one whose digest its run's manifest states.

    A manifest of a version that stated none is taken as it is; what is no manifest is not.
    """
    try:
        manifest = msgspec.json.decode((directory / MANIFEST).read_bytes(), type=dict)
    except (OSError, msgspec.MsgspecError):
        return True
    stated = manifest.get(DIGEST)
    if stated is None:
        return not {"hash", "code", "plugins", "config", "data"} <= manifest.keys()
    return bool(stated != sha256(content).hexdigest())


class _Versioned(msgspec.Struct):
    schema: int
