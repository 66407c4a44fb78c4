"""The catalogue: a directory of Parquet files with markets, prices, trades and forecasts.

::

    catalogue.json          version; rows, hash, sources and imports of every file
    markets.parquet
    prices/SOURCE.parquet
    bars/SOURCE.parquet
    trades/SOURCE.parquet
    forecasts/SOURCE.parquet
    tape/SOURCE/segment-...   order books and trades, see :mod:`polyframe.store.tape`

Columns are those of :mod:`polyframe.store.schema`. Files are replaced in one piece, so a reader
never sees half of an import.
"""

from __future__ import annotations

from collections.abc import Iterable, Mapping, Sequence
from pathlib import Path
from typing import TYPE_CHECKING, Any

from polyframe.domain.market import Group, Market, Resolution
from polyframe.domain.units import Ns
from polyframe.errors import DataError, UserError
from polyframe.store.manifest import (
    FAULTS,
    MANIFEST,
    file_name,
    list_file,
    read_manifest,
    sha256_of,
)
from polyframe.store.merging import Merged, completed, merge_rows
from polyframe.store.parquet import (
    empty_frame,
    joined,
    only,
    read_frame,
    read_table,
    reading,
    records,
    to_frame,
    to_rows,
    write_frame,
)
from polyframe.store.schema import (
    BARS,
    FORECASTS,
    MARKETS,
    PRICES,
    TABLES,
    TRADES,
    VERSION,
    Table,
    table,
)
from polyframe.store.timeline import PriceColumns

if TYPE_CHECKING:
    from pandas import DataFrame

    from polyframe.store.bar_columns import BarColumns
    from polyframe.store.forecasts import ForecastTable
    from polyframe.store.tape import Tape
    from polyframe.store.unquoted import UnquotedRules

TAPE = "tape"
SEGMENT = "segment.json"

__all__ = ["FAULTS", "MANIFEST", "Catalogue", "PriceColumns", "file_name", "sha256_of"]


class Catalogue:
    """One catalogue directory."""

    def __init__(self, path: Path, manifest: dict[str, Any]) -> None:
        self.path = path
        self.manifest = manifest
        self._frames: dict[str, DataFrame] = {}
        self._tables: dict[str, Any] = {}

    @classmethod
    def open(cls, path: Path | str) -> Catalogue:
        """The catalogue at ``path``.

        Raises:
            UserError: there is none.
            DataError: its manifest is damaged or of another version.
        """
        path = Path(path)
        file = path / MANIFEST
        if not file.exists():
            raise UserError(
                f"{path} is no catalogue: it has no {MANIFEST}",
                expected="a directory filled by polyframe data import",
                hint=f"polyframe data import markets FILE --into '{path}'",
            )
        return cls(path, read_manifest(file))

    @classmethod
    def create(cls, path: Path | str) -> Catalogue:
        """The catalogue at ``path``, an empty one when there is none. Writes nothing yet."""
        path = Path(path)
        if (path / MANIFEST).exists():
            return cls.open(path)
        return cls(path, {"version": VERSION, "files": {}})

    # ---- what is in it -------------------------------------------------------------------------

    def files(self, kind: str) -> list[Path]:
        """The files of one kind of data, by name."""
        if kind == MARKETS.kind:
            return [p for p in (self.path / "markets.parquet",) if p.exists()]
        return sorted(p for p in (self.path / kind).glob("*.parquet") if p.name[0] != ".")

    def rows(self, kind: str) -> Any:
        """All rows of one kind of data as a pyarrow table, read once.

        Raises:
            DataError: a file is damaged or has other columns.
        """
        if kind not in self._tables:
            parts = [read_table(path, table(kind)) for path in self.files(kind)]
            self._tables[kind] = joined(parts, table(kind))
        return self._tables[kind]

    def frame(self, kind: str) -> DataFrame:
        """The same as a frame with nullable types.

        Raises:
            DataError: a file is damaged or has other columns.
        """
        if kind not in self._frames:
            self._frames[kind] = to_frame(self.rows(kind))
        return self._frames[kind]

    def markets(self) -> list[Market]:
        """All markets, by id. ``fee`` is None where nobody has stated one.

        Raises:
            DataError: a row breaks a market's rules.
        """
        from polyframe.store.rows import to_market  # noqa: PLC0415 - with the frames

        return [to_market(row) for row in self._market_rows()]

    def resolutions(self) -> dict[str, Resolution]:
        """How markets ended, for those that did."""
        from polyframe.store.rows import to_resolution  # noqa: PLC0415 - with the frames

        found = {str(row["market_id"]): to_resolution(row) for row in self._market_rows()}
        return {market: resolution for market, resolution in found.items() if resolution}

    def groups(self) -> list[Group]:
        """All events, by id; ladder markets in ascending strike.

        Raises:
            DataError: markets of one group disagree about its kind.
        """
        from polyframe.store.rows import to_groups  # noqa: PLC0415 - with the frames

        return to_groups(self._market_rows())

    def prices(
        self, markets: Sequence[Market], start: Ns | None = None, end: Ns | None = None
    ) -> PriceColumns:
        """Prices of YES in ``start <= ts < end``; where both tokens were recorded, the first's.

        Raises:
            DataError: a price file is damaged or holds impossible prices.
        """
        from polyframe.store.columns import price_columns  # noqa: PLC0415 - with numpy

        return price_columns(self.files(PRICES.kind), markets, start, end)

    def bars(
        self,
        markets: Sequence[Market],
        interval: Ns,
        start: Ns | None = None,
        end: Ns | None = None,
    ) -> BarColumns:
        """Bars of YES of one length that began and were known in ``start <= ts < end``.

        Raises:
            DataError: a file is damaged or holds impossible bars.
        """
        from polyframe.store.bar_columns import bar_columns  # noqa: PLC0415 - with numpy

        return bar_columns(self.files(BARS.kind), markets, interval, start, end)

    def forecasts(self, market_ids: Iterable[str] | None = None) -> ForecastTable:
        """Recorded forecasts of some markets (all by default).

        Raises:
            LookaheadError: a forecast was made after its market's end.
        """
        from polyframe.store.forecasts import ForecastTable  # noqa: PLC0415 - with the frames
        from polyframe.store.rows import to_forecast  # noqa: PLC0415 - with the frames

        rows = self.rows(FORECASTS.kind)
        if market_ids is not None:
            rows = only(rows, "market_id", market_ids)
        return ForecastTable([to_forecast(row) for row in records(rows)], self.ends())

    def tapes(self) -> dict[str, Path]:
        """The directories of imported tapes, by source."""
        return {
            str(entry["sources"][0]): (self.path / name).parent.parent
            for name, entry in self.manifest["files"].items()
            if entry.get("kind") == TAPE
        }

    def tape(self, source: str) -> Tape:
        """The tape of a source, mapped; what its columns hold is not read yet.

        Raises:
            UserError: there is none of this source.
            GapError: a segment is missing or cut.
        """
        from polyframe.store.tape import Tape  # noqa: PLC0415 - with numpy

        tapes = self.tapes()
        if source not in tapes:
            raise UserError(
                f"{self.path} has no tape of source {source!r}",
                expected=f"one of {', '.join(sorted(tapes))}" if tapes else "an imported tape",
                hint="polyframe data import tape FILE --format FORMAT "
                f"--into '{self.path}' --source '{source}'",
            )
        return Tape.open(tapes[source])

    def add_segment(
        self, source: str, segment: Path, facts: Mapping[str, Any], note: Mapping[str, Any]
    ) -> None:
        """Lists a sealed segment that an import has put into its place."""
        stated = {"kind": TAPE, "sources": [source], **facts}
        list_file(self.manifest, self.path, f"{self.name(segment)}/{SEGMENT}", stated, note)

    def ends(self) -> dict[str, Ns]:
        """Since when a market's outcome could be known: its close or resolution, the earlier."""
        from polyframe.store.rows import to_ends  # noqa: PLC0415 - with the frames

        return to_ends(self._market_rows())

    def digest(self, market_ids: Iterable[str] | None = None) -> str:
        """SHA-256 of the data of some markets (all by default): equal data, equal digest."""
        from polyframe.store.digest import digest_of  # noqa: PLC0415 - with numpy

        files = sorted(self.manifest["files"].items())
        segments = [entry for _, entry in files if entry.get("kind") == TAPE]
        return digest_of(self.rows, bool(self.files(BARS.kind)), segments, market_ids)

    # ---- whether it is what was imported -------------------------------------------------------

    def present(self) -> dict[str, tuple[Table, Path]]:
        """The data files that are there, by name within the catalogue."""
        return {self.name(p): (of, p) for of in TABLES.values() for p in self.files(of.kind)}

    def segments(self) -> list[Path]:
        """The sealed segments of tapes that are there, each by the file that describes it."""
        return sorted((self.path / TAPE).glob(f"*/segment-????????/{SEGMENT}"))

    def fault(self, name: str) -> str:
        """``missing file``, ``unlisted file`` or ``changed file``; empty for a sound file.

        Raises:
            DataError: the disk refuses to read it.
        """
        path, entry = self.path / name, self.manifest["files"].get(name)
        if not path.exists():
            return "missing file"
        if entry is None:
            return "unlisted file"
        with reading(path):
            found = sha256_of(path)
        stated = entry.get("sha256") if isinstance(entry, dict) else None
        return "" if found == stated else "changed file"

    def verify(self, *, missing: bool = True) -> None:
        """Refuses data that no import wrote: every file must have the manifest's SHA-256.

        With ``missing`` false, a listed file that is gone passes: importing it again mends that.

        Raises:
            DataError: a file was changed, added or taken away since.
        """
        segments = {self.name(path) for path in self.segments()}
        for name in sorted({*self.present(), *segments, *self.manifest["files"]}):
            fault = self.fault(name)
            if fault and (missing or fault != "missing file"):
                raise DataError(
                    f"{self.path / name}: {fault}: {FAULTS[fault]}",
                    expected=f"the files of {self.path / MANIFEST}, byte for byte",
                    hint=f"polyframe data check '{self.path}'",
                )

    # ---- filling it ----------------------------------------------------------------------------

    def write_markets(self, rows: DataFrame, note: Mapping[str, Any] | None = None) -> Merged:
        """Adds or restates markets. Contradictions between sources are handed back."""
        return self._merge(MARKETS, self.path / "markets.parquet", rows, note)

    def append_prices(self, rows: DataFrame, note: Mapping[str, Any] | None = None) -> Merged:
        """Adds prices of one source and flags what is wrong with them."""
        return self._append(PRICES, rows, note)

    def append_bars(self, rows: DataFrame, note: Mapping[str, Any] | None = None) -> Merged:
        """Adds bars of one source."""
        return self._append(BARS, rows, note)

    def append_trades(self, rows: DataFrame, note: Mapping[str, Any] | None = None) -> Merged:
        """Adds trades of one source."""
        return self._append(TRADES, rows, note)

    def append_forecasts(self, rows: DataFrame, note: Mapping[str, Any] | None = None) -> Merged:
        """Adds forecasts of one source.

        Raises:
            LookaheadError: one was made after its market's end; nothing is written.
        """
        from polyframe.store.forecasts import ForecastTable  # noqa: PLC0415 - with the frames
        from polyframe.store.rows import to_forecast  # noqa: PLC0415 - with the frames

        ForecastTable([to_forecast(row) for row in records(to_rows(rows, FORECASTS))], self.ends())
        return self._append(FORECASTS, rows, note)

    def reflag(self, rules: UnquotedRules | None = None, *, write: bool = True) -> dict[str, int]:
        """Judges all prices anew and names their markets; the number of rows changed, by file."""
        from polyframe.store.flagging import flag_frame  # noqa: PLC0415 - with numpy
        from polyframe.store.owning import filled_markets  # noqa: PLC0415 - with pandas
        from polyframe.store.unquoted import DEFAULT_RULES  # noqa: PLC0415 - with numpy

        changed: dict[str, int] = {}
        for path in self.files(PRICES.kind):
            frame = read_frame(path, PRICES)
            flags = flag_frame(frame, self.frame(MARKETS.kind), rules or DEFAULT_RULES)
            owners = filled_markets(frame, self.frame(MARKETS.kind))
            differs = frame["flag"].to_numpy("uint8") != flags
            differs |= (frame["market_id"] != owners).to_numpy(bool, na_value=True)
            changed[self.name(path)] = int(differs.sum())
            if write and changed[self.name(path)]:
                frame["flag"], frame["market_id"] = flags, owners
                self._put(PRICES, path, frame, None)
        return changed

    def name(self, path: Path) -> str:
        """A file's name within the catalogue."""
        return path.relative_to(self.path).as_posix()

    # ---- inside --------------------------------------------------------------------------------

    def _market_rows(self) -> list[dict[str, Any]]:
        return sorted(records(self.rows(MARKETS.kind)), key=lambda row: row["market_id"])

    def _append(self, of: Table, rows: DataFrame, note: Mapping[str, Any] | None) -> Merged:
        sources = sorted(rows["source"].unique())
        if len(sources) != 1:
            raise DataError(
                f"{of.kind} of {len(sources)} sources at once: {', '.join(sources)}",
                expected="the rows of one source",
            )
        return self._merge(of, self.path / of.kind / f"{file_name(sources[0])}.parquet", rows, note)

    def _merge(
        self, of: Table, path: Path, rows: DataFrame, note: Mapping[str, Any] | None
    ) -> Merged:
        old = read_frame(path, of) if path.exists() else empty_frame(of)
        merged = merge_rows(of, old, completed(of, rows))
        if of is PRICES:
            from polyframe.store.flagging import flag_frame  # noqa: PLC0415 - with numpy
            from polyframe.store.owning import filled_markets  # noqa: PLC0415 - with pandas

            merged.frame["market_id"] = filled_markets(merged.frame, self.frame(MARKETS.kind))
            merged.frame["flag"] = flag_frame(merged.frame, self.frame(MARKETS.kind))
        if merged.added or merged.replaced:
            self._put(of, path, merged.frame, note)
        if of is MARKETS and self.files(PRICES.kind):
            self.reflag()
        return merged

    def _put(self, of: Table, path: Path, frame: DataFrame, note: Mapping[str, Any] | None) -> None:
        write_frame(path, frame, of.arrow())
        sources = sorted(str(s) for s in frame["source"].unique())
        facts = {"kind": of.kind, "rows": len(frame), "sources": sources}
        list_file(self.manifest, self.path, self.name(path), facts, note)
        self._frames.pop(of.kind, None)
        self._tables.pop(of.kind, None)
