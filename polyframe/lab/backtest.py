"""One backtest, from a configuration to a report on disk."""

from __future__ import annotations

import hashlib
import os
import tempfile
import time
from collections.abc import Callable, Mapping
from contextlib import suppress
from dataclasses import dataclass, replace
from datetime import UTC, datetime
from functools import partial
from pathlib import Path

import numpy as np

from polyframe import __version__
from polyframe.api.plugin import API
from polyframe.domain.quality import UNQUOTED
from polyframe.errors import ConfigError, UserError
from polyframe.kernels.l2columns_nb import C_OFF_GRID
from polyframe.lab.bands import bands_of
from polyframe.lab.collect import Collector, left_open
from polyframe.lab.places import shipped_dirs
from polyframe.lab.record import (
    BookRun,
    Code,
    ConfigUsed,
    DataSlice,
    ForecastsUsed,
    Manifest,
    PluginsUsed,
    RunRecord,
    UnquotedCounts,
    source_digest,
)
from polyframe.lab.replays import Robust, replayed
from polyframe.lab.results import RunPaths, run_paths, stored_run
from polyframe.lab.rowhash import row_digests
from polyframe.lab.scenarios import scenarios_of
from polyframe.lab.schema import Report
from polyframe.lab.silence import silences
from polyframe.lab.summary import build as build_report
from polyframe.runtime import build
from polyframe.runtime.manifest import Manifest as PluginManifest
from polyframe.runtime.own_orders import Watched, together
from polyframe.runtime.plugins import Registry
from polyframe.runtime.settings import Config
from polyframe.runtime.tape_compiled import CompiledTapeFeed
from polyframe.runtime.tape_data import Played, tape_source
from polyframe.runtime.tape_mids import Mids, read_mids
from polyframe.runtime.uses import uses
from polyframe.store.catalogue import Catalogue
from polyframe.store.journal import JournalWriter
from polyframe.store.records import Header, RecordLevel

_CROCKFORD = "0123456789ABCDEFGHJKMNPQRSTVWXYZ"

Progress = Callable[[int, int], None]
Reuse = Callable[[str], tuple[Path, Report] | None]
"""Gives a stored run, with its report, for a manifest's hash."""


@dataclass(frozen=True)
class Finished:
    """A run's record (None: it was made before), its report and its place (None: nowhere)."""

    record: RunRecord | None
    report: Report
    paths: RunPaths | None

    @property
    def reused(self) -> bool:
        """Whether a stored run is shown again."""
        return self.record is None


@dataclass(frozen=True)
class Loaded:
    """What a run is about to be made of."""

    config: Config
    registry: Registry
    data: build.Recorded
    manifest: Manifest
    seconds: float
    mids: Mids | None = None
    """those of its tape, once they were read"""

    @property
    def tape(self) -> Played | None:
        """Its recorded books; None when it plays prices."""
        return self.data.tape

    @property
    def session(self) -> str:
        """The session's id."""
        return session_id(self.manifest)


def run(
    config: Config,
    registry: Registry,
    directory: Path,
    *,
    runs: Path | None,
    forecasted: bool = False,
    progress: Progress | None = None,
    call_limit: float = 10.0,
    robust: Robust = "none",
    bands: bool | None = None,
    worst: bool = False,
    reuse: Reuse | None = None,
) -> Finished:
    """Runs the configured strategies over a catalogue and stores the result under ``runs``.

    ``robust`` says which replays under other assumptions follow: none, that with late fills where
    the run was small, or all of them; ``bands`` whether a run over recorded books is played under
    other beliefs about the queue (None: where it costs little), ``worst`` whether worst cases are
    replayed. ``reuse`` may know the very same run: then its report is read
    and nothing is run.

    Raises:
        UserError: strategies, settings or plugins are wrong.
        DataError: the catalogue is damaged or has nothing to replay.
    """
    loaded = load(config, registry, directory, forecasted=forecasted)
    known = reuse(loaded.manifest.hash) if reuse is not None else None
    if known is not None:
        return Finished(None, known[1], run_paths(known[0]))
    level = RecordLevel(config.backtest.record)
    with TemporaryJournal(runs, loaded, level) as (journal, path):
        record, steps = played(loaded, journal, progress=progress, call_limit=call_limit)
        began = time.perf_counter()
        record = replayed_too(loaded, record, steps, robust, bands, worst=worst, limit=call_limit)
        timings = {**record.timings, "replays": time.perf_counter() - began}
        record = replace(record, timings=timings)
        if runs is None:
            now = datetime.now(UTC)
            return Finished(record, build_report(record, run=loaded.session, created=now), None)
        paths, report = stored_run(record, runs, journal=path)
    return Finished(record, report, paths)


def load(
    config: Config, registry: Registry, directory: Path, *, forecasted: bool = False
) -> Loaded:
    """Reads the data that a configuration selects and states everything the result depends on.

    Raises:
        UserError: no strategy is configured, or a name is unknown.
        DataError: the catalogue is damaged or has nothing to replay.
    """
    if not config.strategies:
        raise ConfigError(
            "no strategy is configured",
            expected="a strategy by name",
            hint="polyframe backtest --strategy LLMForecast",
        )
    began = time.perf_counter()
    catalogue = Catalogue.open(directory)
    tape = tape_source(catalogue, config, registry)
    data = build.recorded(catalogue, config, forecasted=forecasted, tape=tape)
    manifest = make_manifest(config, registry, catalogue, data, forecasted=forecasted)
    return Loaded(config, registry, data, manifest, time.perf_counter() - began)


def played(
    loaded: Loaded,
    journal: JournalWriter,
    *,
    progress: Progress | None = None,
    call_limit: float = 10.0,
) -> tuple[RunRecord, int]:
    """Plays a run from the first event to the last: its record and how many steps it took."""
    began = time.perf_counter()
    made, collector = ready_to_play(loaded, journal)
    if progress is not None:
        made.replay.progress_to(progress)
    ready = time.perf_counter()
    with made.calls.watch(call_limit):
        made.replay.run()
    timings = {
        "load": loaded.seconds,
        "build": ready - began,
        "replay": time.perf_counter() - ready,
    }
    return record_of(loaded, made, collector, timings), made.replay.steps


def ready_to_play(loaded: Loaded, journal: JournalWriter) -> tuple[build.Session, Collector]:
    """A session of what was loaded, and who collects what happens in it."""
    collector = Collector()
    if loaded.tape is not None:
        collector.own = Watched()
    made = build.replay(
        loaded.config, loaded.registry, loaded.data,
        session=loaded.session, journal=journal, watch=collector.watch, tables=True,
    )  # fmt: skip
    collector.engine = made.engine
    return made, collector


def replayed_too(
    loaded: Loaded, record: RunRecord, steps: int, robust: Robust, bands: bool | None, *,
    worst: bool, limit: float = 10.0,
) -> RunRecord:  # fmt: skip
    """The record with the run once more under each assumption that was asked for."""
    if record.book is not None:
        loaded = replace(loaded, mids=record.book.mids)
    again = partial(played_again, loaded, limit=limit)
    book = record.book
    rows = replayed(loaded.config, loaded.registry, again, robust, steps, tape=book is not None)
    if book is not None:
        book = replace(book, bands=bands_of(loaded.config, record, again, bands, steps))
    found = scenarios_of(loaded.config, loaded.data, record, again) if worst else ()
    return replace(record, replays=rows, book=book, scenarios=found)


def played_again(
    loaded: Loaded, config: Config, data: build.Recorded | None = None, *, limit: float = 10.0
) -> RunRecord:
    """The run with other settings, or with data in which something else happened."""
    other = replace(loaded, config=config)
    if data is not None:
        other = replace(other, data=data, mids=loaded.mids if data.tape is loaded.tape else None)
    return played(other, JournalWriter.null(), call_limit=limit)[0]


class TemporaryJournal:
    """A journal in a temporary file beside the runs; removed unless it was moved away."""

    def __init__(self, runs: Path | None, loaded: Loaded, level: RecordLevel) -> None:
        self.runs, self.loaded, self.level = runs, loaded, level
        self.path: Path | None = None
        self.writer = JournalWriter.null()

    def __enter__(self) -> tuple[JournalWriter, Path | None]:
        if self.runs is None or self.level is RecordLevel.NONE:
            return self.writer, None
        try:
            self.runs.mkdir(parents=True, exist_ok=True)
            handle, name = tempfile.mkstemp(prefix=".journal-", dir=self.runs)
        except OSError as found:
            raise UserError(
                f"runs cannot be written to {self.runs}: {found.strerror}",
                expected="a directory this user may write to",
                hint="polyframe backtest --user-data DIR",
            ) from found
        os.close(handle)
        self.path = Path(name)
        self.path.unlink()
        m, session = self.loaded.manifest, self.loaded.session
        header = Header(
            polyframe=m.code.version, api=API, code=m.code.sha256, plugins=m.plugins.digest,
            session=session, seed=m.seed, config=m.config.digest, universe=m.data.digest,
            level=self.level, created=m.data.first,
        )  # fmt: skip
        self.writer = JournalWriter.create(self.path, header)
        return self.writer, self.path

    def __exit__(self, *exc: object) -> None:
        if exc[0] is not None:
            self.writer.abandon()
        if self.path is not None:
            with suppress(FileNotFoundError):
                self.path.unlink()


def session_id(manifest: Manifest) -> str:
    """A backtest's session: a ULID made of the manifest's hash, the same for the same run."""
    number = int(manifest.hash[:32], 16)
    return "".join(_CROCKFORD[(number >> shift) & 31] for shift in range(125, -1, -5))


def make_manifest(
    config: Config,
    registry: Registry,
    catalogue: Catalogue,
    data: build.Recorded,
    *,
    forecasted: bool = False,
) -> Manifest:
    """Everything that decides a result."""
    used = used_plugins(config, registry)
    ids = [market.id for market in data.markets]
    first, last = data.span
    rows = getattr(data.forecasts, "rows", ())
    forecasts = hashlib.sha256()
    for forecast in rows:
        forecasts.update(repr(forecast).encode())
    label = str(catalogue.manifest.get("label") or catalogue.path.name)
    return Manifest(
        code=Code(__version__, source_digest()),
        plugins=PluginsUsed(
            used.digest(),
            tuple(f"{e.kind}:{e.name}" for e in used.entries),
            {f"{e.kind}:{e.name}": e.sha256 for e in used.entries},
        ),
        config=ConfigUsed(config.digest(), config.plain()),
        data=DataSlice(
            catalogue.digest(ids),
            label,
            len(ids),
            first,
            last,
            bool(catalogue.manifest.get("synthetic", False)),
            "" if catalogue.path in shipped_dirs() else str(catalogue.path),
            forecasted,
        ),
        forecasts=ForecastsUsed(forecasts.hexdigest(), tuple(sorted({f.source for f in rows}))),
        seed=config.session.seed,
    )


def used_plugins(config: Config, registry: Registry) -> PluginManifest:
    """The plugins that a configuration makes use of; what else lies around does not matter."""
    return registry.manifest().only({(use.kind, use.name) for use in uses(config)})


def record_of(
    loaded: Loaded, made: build.Session, collector: Collector, timings: Mapping[str, float]
) -> RunRecord:
    """All that is known of a session that was played."""
    config, data = loaded.config, loaded.data
    collector.take(made.replay.feed)
    notes = made.broker.fill_notes  # type: ignore[attr-defined]
    equity_ts, equity = made.replay.feed.equity()
    flag = np.zeros(0, np.uint8) if made.quotes is None else made.quotes.flag
    closes = {market.id: market.closes for market in made.markets}
    reviews = collector.review_log()
    return RunRecord(
        manifest=loaded.manifest,
        start_cash=sum(config.allocations().values()),
        markets=made.markets,
        groups=data.groups,
        resolutions=data.resolutions,
        fills=collector.fill_log({trade: note.flag for trade, note in notes.items()}),
        settlements=collector.settlements,
        reviews=reviews,
        left_open=left_open(made),
        equity_ts=equity_ts,
        equity=equity,
        forecasts=collector.forecast_counts(data.forecasts, closes),
        denials=reviews.denials(),
        refusals=dict(collector.refusals),
        unquoted=UnquotedCounts(
            len(flag),
            int(((flag & int(UNQUOTED)) != 0).sum()),
            made.broker.stats.refused_unquoted,  # type: ignore[attr-defined]
        ),
        notes=[*data.notes, *made.parts.notes, *_outside(made), *silences(made, reviews)],
        timings=timings,
        judgements=collector.judgements,
        unpriced=collector.unpriced,
        rows=row_digests(data.prices, made.markets),
        rewards=collector.rewards,
        book=_book(loaded, made, collector),
    )


def _outside(made: build.Session) -> list[str]:
    """A note on rows of a tape whose prices the books have no place for."""
    venue = getattr(made.broker, "venue", None)
    count = 0 if venue is None else int(venue.at[C_OFF_GRID])
    if not count:
        return []
    return [f"{count:,} rows have prices off the tick, or outside of a book's window: left out"]


def _book(loaded: Loaded, made: build.Session, collector: Collector) -> BookRun | None:
    """What a run over recorded books has besides."""
    if loaded.tape is None or collector.own is None:
        return None
    feed, parts = made.replay.feed, [collector.own.orders(made.markets)]
    compiled = isinstance(feed, CompiledTapeFeed)
    if isinstance(feed, CompiledTapeFeed):
        parts.append(feed.own_orders())
    orders = together(parts)
    mids = loaded.mids or read_mids(loaded.tape, made.markets, made.parts.exchange)
    return BookRun(orders, mids, compiled=compiled)
