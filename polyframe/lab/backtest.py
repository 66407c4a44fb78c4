"""One backtest, from a configuration to a report on disk."""

from __future__ import annotations

import hashlib
import os
import tempfile
import time
from collections.abc import Callable, Sequence
from contextlib import suppress
from dataclasses import dataclass
from datetime import UTC, datetime
from pathlib import Path

from polyframe import __version__
from polyframe.api.plugin import API
from polyframe.domain.quality import UNQUOTED
from polyframe.errors import ConfigError, UserError
from polyframe.lab.collect import Collector, left_open
from polyframe.lab.record import (
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
from polyframe.lab.results import RunPaths, load_report, write_run
from polyframe.lab.schema import Report
from polyframe.lab.summary import build as build_report
from polyframe.runtime import build
from polyframe.runtime.manifest import Manifest as PluginManifest
from polyframe.runtime.plugins import Registry
from polyframe.runtime.settings import Config
from polyframe.runtime.uses import uses
from polyframe.store.catalogue import Catalogue
from polyframe.store.journal import JournalWriter
from polyframe.store.records import Header, RecordLevel

_CROCKFORD = "0123456789ABCDEFGHJKMNPQRSTVWXYZ"

Progress = Callable[[int, int], None]


@dataclass(frozen=True)
class Finished:
    """A run's record, its report and where it was written (None: nowhere)."""

    record: RunRecord
    report: Report
    paths: RunPaths | None


def run(
    config: Config,
    registry: Registry,
    directory: Path,
    *,
    runs: Path | None,
    forecasted: bool = False,
    progress: Progress | None = None,
    call_limit: float = 10.0,
) -> Finished:
    """Runs the configured strategies over a catalogue and stores the result under ``runs``.

    Raises:
        UserError: strategies, settings or plugins are wrong.
        DataError: the catalogue is damaged or has nothing to replay.
    """
    if not config.strategies:
        raise ConfigError(
            "no strategy is configured",
            expected="a strategy by name",
            hint="polyframe backtest --strategy LLMForecast",
        )
    clock = [time.perf_counter()]
    catalogue = Catalogue.open(directory)
    data = build.recorded(catalogue, config, forecasted=forecasted)
    manifest = make_manifest(config, registry, catalogue, data)
    clock.append(time.perf_counter())
    session = session_id(manifest)
    collector = Collector()
    level = RecordLevel(config.backtest.record)
    with _Journal(runs, manifest, session, level) as (journal, path):
        made = build.replay(
            config, registry, data, session=session, journal=journal, watch=collector.watch
        )
        collector.engine = made.engine
        if progress is not None:
            made.replay.progress_to(progress)
        clock.append(time.perf_counter())
        with made.calls.watch(call_limit):
            made.replay.run()
        clock.append(time.perf_counter())
        record = _record(manifest, config, data, made, collector, clock)
        if runs is None:
            now = datetime.now(UTC)
            return Finished(record, build_report(record, run=session, created=now), None)
        paths = write_run(record, runs, journal=path)
    return Finished(record, load_report(paths.directory), paths)


class _Journal:
    """A journal in a temporary file beside the runs; removed when the run fails."""

    def __init__(
        self, runs: Path | None, manifest: Manifest, session: str, level: RecordLevel
    ) -> None:
        self.runs, self.manifest, self.session, self.level = runs, manifest, session, level
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
        m = self.manifest
        header = Header(
            polyframe=m.code.version, api=API, code=m.code.sha256, plugins=m.plugins.digest,
            session=self.session, seed=m.seed, config=m.config.digest, universe=m.data.digest,
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
    config: Config, registry: Registry, catalogue: Catalogue, data: build.Recorded
) -> Manifest:
    """Everything that decides a result."""
    used = used_plugins(config, registry)
    ids = [market.id for market in data.markets]
    ts = data.prices.ts
    rows = getattr(data.forecasts, "rows", ())
    forecasts = hashlib.sha256()
    for forecast in rows:
        forecasts.update(repr(forecast).encode())
    label = str(catalogue.manifest.get("label") or catalogue.path.name)
    return Manifest(
        code=Code(__version__, source_digest()),
        plugins=PluginsUsed(used.digest(), tuple(f"{e.kind}:{e.name}" for e in used.entries)),
        config=ConfigUsed(config.digest(), config.plain()),
        data=DataSlice(
            catalogue.digest(ids),
            label,
            len(ids),
            int(ts[0]),
            int(ts[-1]),
            bool(catalogue.manifest.get("synthetic", False)),
        ),
        forecasts=ForecastsUsed(forecasts.hexdigest(), tuple(sorted({f.source for f in rows}))),
        seed=config.session.seed,
    )


def used_plugins(config: Config, registry: Registry) -> PluginManifest:
    """The plugins that a configuration makes use of; what else lies around does not matter."""
    always = {("protection", name) for name in build.ALWAYS}
    return registry.manifest().only(always | {(use.kind, use.name) for use in uses(config)})


def _record(
    manifest: Manifest,
    config: Config,
    data: build.Recorded,
    made: build.Session,
    collector: Collector,
    clock: Sequence[float],
) -> RunRecord:
    notes = made.broker.fill_notes  # type: ignore[attr-defined]
    equity_ts, equity = made.replay.feed.equity()
    flag = made.quotes.flag
    closes = {market.id: market.closes for market in made.markets}
    return RunRecord(
        manifest=manifest,
        start_cash=sum(config.allocations().values()),
        markets=made.markets,
        groups=data.groups,
        resolutions=data.resolutions,
        fills=collector.fill_records({trade: note.flag for trade, note in notes.items()}),
        settlements=collector.settlements,
        reviews=collector.reviews,
        left_open=left_open(made),
        equity_ts=equity_ts,
        equity=equity,
        forecasts=collector.forecast_counts(data.forecasts, closes),
        denials=collector.denials(),
        refusals=dict(collector.refusals),
        unquoted=UnquotedCounts(
            len(flag),
            int(((flag & int(UNQUOTED)) != 0).sum()),
            made.broker.stats.refused_unquoted,  # type: ignore[attr-defined]
        ),
        notes=[*data.notes, *made.parts.notes],
        timings={
            "load": clock[1] - clock[0],
            "build": clock[2] - clock[1],
            "replay": clock[3] - clock[2],
        },
        judgements=collector.judgements,
    )
