"""A stored run made again from its manifest, and compared with what it wrote."""

from __future__ import annotations

import tempfile
from collections.abc import Mapping
from dataclasses import dataclass, replace
from datetime import UTC, datetime
from itertools import zip_longest
from pathlib import Path
from shlex import quote
from typing import Any, NamedTuple

import msgspec

from polyframe.errors import ConfigError, DataError, UserError
from polyframe.lab.backtest import Loaded, Progress, TemporaryJournal, load, played
from polyframe.lab.places import shipped_dir
from polyframe.lab.record import Manifest
from polyframe.lab.results import (
    DIGEST,
    JOURNAL,
    JOURNAL_DIGEST,
    MANIFEST,
    REPORT,
    digest_of,
    edited,
    load_report,
)
from polyframe.lab.rowhash import row_digests
from polyframe.lab.schema import Report, Trade
from polyframe.lab.summary import build
from polyframe.runtime.config import validated
from polyframe.runtime.plugins import Registry
from polyframe.runtime.settings import Config
from polyframe.store.journal_reader import JournalReader
from polyframe.store.records import RecordLevel

SHOWN = 5
BEGIN = 12


class Difference(NamedTuple):
    """Something that is not as it was when the run was made."""

    what: str
    was: str
    now: str

    def __str__(self) -> str:
        return f"{self.what}: was {self.was}, is {self.now}"


@dataclass(frozen=True)
class Stored:
    """A run's directory as it stands: its manifest, what else stood there, its report."""

    directory: Path
    manifest: Manifest
    rows: Mapping[str, str]
    report: Report
    differences: list[Difference]


@dataclass(frozen=True)
class Reproduced:
    """What came of making a run again.

    ``journal`` says how the two journals compare, empty where none was kept. ``first`` is the first
    difference of the results, empty when they are identical.
    """

    run: str
    trades: int
    identical: bool
    journal: str
    first: str
    differences: list[str]


def reproduce(
    directory: Path,
    registry: Registry,
    *,
    data: Path | None = None,
    anyway: bool = False,
    progress: Progress | None = None,
) -> Reproduced:
    """Makes a run again and compares trades and journal with what it stored, byte for byte.

    ``data`` is the catalogue where it is not where it was. ``anyway`` goes on although code,
    plugins, settings or data are not what they were.

    Raises:
        DataError: something that the result depends on differs, or the run cannot be read.
        UserError: the catalogue or a plugin is gone.
    """
    stored, loaded, found = ready_again(directory, registry, data, "reproduce", anyway=anyway)
    return _compared(stored, loaded, found, progress)


def ready_again(
    directory: Path, registry: Registry, data: Path | None, verb: str, *, anyway: bool
) -> tuple[Stored, Loaded, list[str]]:
    """A stored run, what it is made of, ready to play again, and what is not as it was.

    ``verb`` is the command that the next step of an error names.

    Raises:
        DataError: something that the result depends on differs, or the run cannot be read.
        UserError: the catalogue or a plugin is gone.
    """
    stored = read(directory)
    config = _config(stored.manifest)
    place = _catalogue(stored, data, verb)
    loaded = load(config, registry, place, forecasted=stored.manifest.data.forecasted)
    found = [*stored.differences, *differences(stored, loaded)]
    if found and not anyway:
        raise DataError(
            f"run {directory.name} cannot be made again as it was: "
            + "; ".join(str(one) for one in found),
            expected="the code, plugins, settings and data that its manifest states",
            hint=f"polyframe {verb} {quote(directory.name)} --anyway",
        )
    return stored, loaded, [str(one) for one in found]


# ---- what was stored ---------------------------------------------------------------------------


def read(directory: Path) -> Stored:
    """A run's directory, with whatever was edited in it since.

    Raises:
        UserError: there is no run.
        DataError: its files cannot be read.
    """
    file = directory / MANIFEST
    try:
        plain = msgspec.json.decode(file.read_bytes(), type=dict[str, Any])
        manifest = msgspec.convert(plain, Manifest)
    except OSError as found:
        raise UserError(
            f"no manifest at {file}: {found.strerror}",
            expected="the directory of a stored run",
            hint="polyframe backtest --strategy LLMForecast",
        ) from found
    except msgspec.MsgspecError as found:
        raise DataError(
            f"{file} is no manifest: {found}",
            expected="the manifest that the run wrote",
            hint="run the backtest again; the file was changed or truncated",
        ) from found
    content = (directory / REPORT).read_bytes() if (directory / REPORT).is_file() else b""
    report = load_report(directory / REPORT)  # edited or not: what differs is told
    differences = []
    if edited(directory, content):
        stated = str(plain[DIGEST])[:BEGIN]
        differences.append(Difference("report.json", f"written with digest {stated}", "edited"))
    stated = str(plain.get(JOURNAL_DIGEST) or "")
    if stated and (is_now := digest_of(directory / JOURNAL)) != stated:
        what = "edited" if is_now else "gone"
        differences.append(Difference(JOURNAL, f"written with digest {stated[:BEGIN]}", what))
    rows = plain.get("rows")
    known = {str(k): str(v) for k, v in rows.items()} if isinstance(rows, dict) else {}
    differences += _own_words(plain, manifest, report)
    return Stored(directory, manifest, known, report, differences)


def _own_words(plain: Mapping[str, Any], manifest: Manifest, report: Report) -> list[Difference]:
    """Where the manifest contradicts itself or the report that stands beside it."""
    found = []
    told = report.manifest.get("config", {}).get("config", {})
    for path, was, now in changed_values(told, manifest.config.config):
        found.append(Difference(f"setting {path} in {MANIFEST}", repr(was), repr(now)))
    if not found and plain.get("hash") not in ("", None, manifest.hash):
        found.append(
            Difference(MANIFEST, f"hash {str(plain['hash'])[:BEGIN]}", manifest.hash[:BEGIN])
        )
    return found


def changed_values(was: Any, now: Any, path: str = "") -> list[tuple[str, Any, Any]]:
    """The settings that differ between two configurations, by their full path."""
    if isinstance(was, dict) and isinstance(now, dict):
        return [
            one
            for key in sorted({*was, *now}, key=str)
            for one in changed_values(was.get(key), now.get(key), f"{path}.{key}" if path else key)
        ]
    if isinstance(was, list) and isinstance(now, list) and len(was) == len(now):
        return [
            one
            for n, (a, b) in enumerate(zip(was, now, strict=True))
            for one in changed_values(a, b, f"{path}[{n}]")
        ]
    return [] if was == now else [(path, was, now)]


def _config(manifest: Manifest) -> Config:
    try:
        return validated(manifest.config.config)
    except ConfigError as found:
        raise DataError(
            f"the run's settings are none of this version's: {found.message}",
            expected="settings that this version knows",
            hint=f"reproduce it with polyframe {manifest.code.version}",
        ) from found


def _catalogue(stored: Stored, data: Path | None, verb: str) -> Path:
    path = stored.manifest.data.path
    own = Path(path) if path else shipped_dir(stored.manifest.data.label)
    found = data if data is not None else own
    if not (found / "catalogue.json").is_file():
        raise UserError(
            f"the data of run {stored.directory.name} is not at {found}",
            expected=f"the catalogue {stored.manifest.data.label!r}",
            hint=f"polyframe {verb} {quote(stored.directory.name)} --data DIR",
        )
    return found


# ---- what differs ------------------------------------------------------------------------------


def differences(stored: Stored, loaded: Loaded) -> list[Difference]:
    """Everything the result depends on that is not what it was, by name."""
    was, now = stored.manifest, loaded.manifest
    found: list[Difference] = []
    if was.code.sha256 != now.code.sha256:
        found.append(
            Difference(
                "the code of polyframe",
                f"{was.code.version} ({was.code.sha256[:BEGIN]})",
                f"{now.code.version} ({now.code.sha256[:BEGIN]})",
            )
        )
    if was.plugins.digest != now.plugins.digest:
        found += _plugins(was.plugins.sources, now.plugins.sources) or [
            Difference("the plugins", was.plugins.digest[:BEGIN], now.plugins.digest[:BEGIN])
        ]
    if was.config.digest != now.config.digest and not stored.differences:
        found.append(
            Difference("the settings", was.config.digest[:BEGIN], now.config.digest[:BEGIN])
        )
    if was.data.digest != now.data.digest:
        found += _prices(stored.rows, row_digests(loaded.data.prices, loaded.data.markets)) or [
            Difference(
                "the data (markets, resolutions, trades, tapes or forecasts)",
                was.data.digest[:BEGIN],
                now.data.digest[:BEGIN],
            )
        ]
    if was.forecasts.digest != now.forecasts.digest:
        found.append(
            Difference("the forecasts", was.forecasts.digest[:BEGIN], now.forecasts.digest[:BEGIN])
        )
    if was.seed != now.seed:
        found.append(Difference("the seed", str(was.seed), str(now.seed)))
    return found


def _plugins(was: Mapping[str, str], now: Mapping[str, str]) -> list[Difference]:
    if not was:
        return []
    return [
        Difference(
            name.replace(":", " ", 1),
            was.get(name, "absent")[:BEGIN],
            now.get(name, "absent")[:BEGIN],
        )
        for name in sorted({*was, *now})
        if was.get(name) != now.get(name)
    ]


def _prices(was: Mapping[str, str], now: Mapping[str, str]) -> list[Difference]:
    if not was:
        return []
    odd = [id for id in sorted({*was, *now}) if was.get(id) != now.get(id)]
    rows = [
        Difference(f"prices of market {id}", was.get(id, "absent"), now.get(id, "absent"))
        for id in odd[:SHOWN]
    ]
    if len(odd) > SHOWN:
        rows.append(Difference("prices", "as stored", f"others in {len(odd) - SHOWN} more markets"))
    return rows


# ---- the two results ---------------------------------------------------------------------------


def _compared(
    stored: Stored, loaded: Loaded, found: list[str], progress: Progress | None
) -> Reproduced:
    # The session keeps the stored hash, so that ids of orders and journal are those of the run.
    loaded = replace(loaded, manifest=stored.manifest)
    kept = stored.directory / JOURNAL
    with tempfile.TemporaryDirectory(prefix="polyframe-") as folder:
        level = RecordLevel(loaded.config.backtest.record)
        with TemporaryJournal(Path(folder), loaded, level) as (journal, path):
            record, _ = played(loaded, journal, progress=progress)
            journals = _journals(kept, path) if path is not None and kept.is_file() else ""
    again = build(record, run=stored.report.run, created=datetime.now(UTC))
    first = first_difference(stored.report.trades, again.trades)
    if not first and journals and journals != IDENTICAL:
        first = journals
    return Reproduced(
        stored.directory.name, len(stored.report.trades), not first, journals, first, found
    )


IDENTICAL = "identical, byte for byte"


def first_difference(was: list[Trade], now: list[Trade]) -> str:
    """The first trade that differs and in what; empty when all are the same, byte for byte."""
    if msgspec.json.encode(was) == msgspec.json.encode(now):
        return ""
    for n, (a, b) in enumerate(zip_longest(was, now), 1):
        if a is None or b is None:
            return f"trade {n}: stored {_told(a)}, now {_told(b)}"
        fields = [f for f in Trade.__struct_fields__ if getattr(a, f) != getattr(b, f)]
        if fields:
            parts = (f"{f} {getattr(a, f)!r}, now {getattr(b, f)!r}" for f in fields[:SHOWN])
            return f"trade {n}, {a.time}, {a.side} of {a.market}: stored " + "; ".join(parts)
    return "the trades differ in their bytes alone"


def _told(trade: Trade | None) -> str:
    if trade is None:
        return "none"
    return f"{trade.side} {trade.shares} of {trade.market} at {trade.price} ({trade.time})"


def _journals(was: Path, now: Path) -> str:
    """Whether two journals are the same bytes; else the first step in which they differ."""
    if was.read_bytes() == now.read_bytes():
        return IDENTICAL
    for n, (a, b) in enumerate(zip_longest(JournalReader(was), JournalReader(now)), 1):
        if a != b:
            return f"record {n} of the journal differs: stored {_word(a)}, now {_word(b)}"
    return "the journals differ in their headers"


def _word(record: object) -> str:
    if record is None:
        return "none"
    event = getattr(record, "event", None)
    return type(record if event is None else event).__name__
