"""Imports recordings as tapes of a catalogue: all of it or nothing."""

from __future__ import annotations

import shutil
from collections import Counter
from collections.abc import Callable, Iterator, Sequence
from contextlib import suppress
from dataclasses import dataclass, field
from importlib import import_module
from pathlib import Path
from shlex import quote
from typing import TYPE_CHECKING, Any, TypeAlias

import numpy as np

from polyframe.domain.market import Market
from polyframe.domain.units import MONEY_DECIMALS, Ns, format_units
from polyframe.errors import DataError, UserError
from polyframe.store.catalogue import SEGMENT, TAPE, Catalogue, file_name, sha256_of
from polyframe.store.durable import storage_error, sync_directory
from polyframe.store.importing import ASIDE_COLUMNS, FileReport, keep_aside
from polyframe.store.listing import find_market
from polyframe.store.tape import Segment, Tape
from polyframe.store.tape_recording import GAP, Columns, Lookup, Recording
from polyframe.store.tape_rows import TapeFlag, TapeKind
from polyframe.store.tape_symbols import Symbol, symbol_rows
from polyframe.store.tape_writer import TapeWriter

if TYPE_CHECKING:
    from pandas import DataFrame

FORMATS = {
    "polymarket-ws": "tape_polymarket_ws",
    "polymarket-top5": "tape_top5",
    "polymarket-depth": "tape_fulldepth",
    "binance": "tape_binance",
    "hftbacktest": "tape_hft",
}
"""Forms of recordings and the modules that read them."""

UNNAMED = ("binance", "hftbacktest")
"""Forms that do not say whose book they hold."""

Converter: TypeAlias = Callable[[Sequence[Path], Lookup, Recording, Ns], Iterator[Columns]]


@dataclass(slots=True)
class TapeReport:
    """What an import of a recording did. ``kind``, ``source``, ``into`` as of other imports."""

    kind: str
    source: str
    into: str
    format: str
    files: list[FileReport]
    rows: int = 0
    """rows of the tape that were written"""
    instruments: int = 0
    first: Ns = 0
    last: Ns = 0
    segment: str = ""
    known: bool = False
    """the same files were imported before: nothing was written"""
    silence: Ns = 0
    """longer silences make books untrusted; 0 for none"""
    clears: dict[str, int] = field(default_factory=dict)
    """how often a book became untrusted, by reason"""
    notes: dict[str, int] = field(default_factory=dict)
    unknown: dict[str, int] = field(default_factory=dict)
    """rows of markets that the catalogue lacks, by the recording's name of them"""
    set_aside_file: str | None = None


def import_tape(
    files: Sequence[Path],
    into: Path,
    *,
    format: str,
    market: str | None = None,
    source: str | None = None,
    silence: Ns | None = None,
    symbol: Symbol | None = None,
) -> TapeReport:
    """Reads recordings and adds one sealed segment to the tape of ``source``.

    Raises:
        UserError: a file or market is missing, or an option does not suit the form.
        DataError: a file is damaged, its rows overlap those of the tape, or there is none.
    """
    catalogue = Catalogue.create(into)
    catalogue.verify(missing=False)
    _there(files)
    label = source or files[0].name.split(".")[0]
    made = _symbol(format, market, symbol)
    lookup = _lookup(catalogue, format, market, made)
    convert, longest = _converter(format, silence)
    report = TapeReport(TAPE, label, str(into), format, [], silence=longest)
    note = _note(files, format, market, longest)
    if _known(catalogue, label, note, report):
        return report
    recording = Recording()
    staging = into / TAPE / f".{file_name(label)}.part"
    try:
        segment = _written(catalogue, label, staging, convert(files, lookup, recording, longest),
                           recording, longest)  # fmt: skip
        _told(report, recording, files)
        frames = [_aside(recording)]
        names = [path.name for path in files]
        report.set_aside_file = keep_aside(catalogue, TAPE, label, names, frames)
        if segment is None:
            raise _nothing(report, files)
        if made is not None:
            note_of = {"file": "", "sha256": "", "source": label, "rows": 1}
            catalogue.write_markets(symbol_rows(made, label), note_of)
        told = {recording.markets[at].yes.id: ts for at, ts in recording.last.items()}
        _placed(catalogue, label, segment, report, note, told)
    finally:
        shutil.rmtree(staging, ignore_errors=True)
        for empty in (staging.parent, into):
            with suppress(OSError):
                empty.rmdir()
    return report


def _there(files: Sequence[Path]) -> None:
    for path in files:
        if not path.is_file():
            raise UserError(
                f"{path} does not exist" if not path.exists() else f"{path} is a directory",
                expected="a recording", hint=f"ls '{path.parent}'",
            )  # fmt: skip
    names = [path.name for path in files]
    twice = next((name for name in names if names.count(name) > 1), None)
    if twice is not None:
        raise UserError(f"{twice} is named twice", expected="every file once, under its own name")


def _converter(format: str, silence: Ns | None) -> tuple[Converter, Ns]:
    if format not in FORMATS:
        raise UserError(f"unknown form {format!r}", expected=f"one of {', '.join(FORMATS)}")
    module = import_module(f"polyframe.store.{FORMATS[format]}")
    convert: Converter = module.convert
    return convert, module.SILENCE if silence is None else silence


def _symbol(format: str, market: str | None, symbol: Symbol | None) -> Market | None:
    """The market that the options describe, None where they describe none."""
    if format in UNNAMED and market is None:
        raise UserError(
            f"a recording of the form {format} does not say whose book it is",
            expected="--market ID, of the catalogue, or with the rules of a new symbol: "
            "--tick --lot --price-decimals --size-decimals",
        )
    if symbol is None or not symbol.stated:
        return None
    if format not in UNNAMED:
        raise UserError(
            "--tick, --lot and decimals describe a symbol",
            expected=f"one of the forms {' and '.join(UNNAMED)}; other markets are the catalogue's",
        )
    return symbol.market(str(market))


def _lookup(catalogue: Catalogue, format: str, market: str | None, made: Market | None) -> Lookup:
    markets = catalogue.markets()
    have = next((m for m in markets if made is not None and m.id == made.id), None)
    _countable(have)
    if made is not None and have is not None and not _same_rules(have, made):
        raise UserError(
            f"the catalogue has {have.id} with tick {have.show_price(have.tick)}, lot "
            f"{have.show_size(have.lot)}, {have.price_decimals} and {have.size_decimals} decimals",
            expected="the same rules, or none stated",
        )
    if made is not None:
        return Lookup([], have or made)
    if market is None:
        return Lookup(markets)
    try:
        found = find_market(markets, market)
    except UserError as error:
        if format in UNNAMED:
            error.hint = (
                f"polyframe data import tape ... --market {quote(market)} --tick TICK --lot LOT "
                "--price-decimals N --size-decimals N"
            )
        raise
    _countable(found)
    return Lookup([], found)


def _countable(market: Market | None) -> None:
    """Refuses a market that an earlier version took in and in which no order's worth is exact."""
    if market is not None and market.price_decimals + market.size_decimals < MONEY_DECIMALS:
        raise UserError(
            f"market {market.id} is in the catalogue with {market.price_decimals} price and "
            f"{market.size_decimals} size decimals: too few to count money with",
            expected=f"at least {MONEY_DECIMALS} of both together",
            hint="import it into a new catalogue: polyframe data import tape ... --into DIR",
        )


def _same_rules(have: Market, made: Market) -> bool:
    names = ("tick", "lot", "price_decimals", "size_decimals")
    return all(getattr(have, name) == getattr(made, name) for name in names)


def _note(files: Sequence[Path], format: str, market: str | None, silence: Ns) -> dict[str, Any]:
    return {
        "files": [{"file": path.name, "sha256": sha256_of(path)} for path in files],
        "format": format,
        "market": market or "",
        "silence": silence,
    }


def _known(catalogue: Catalogue, source: str, note: dict[str, Any], report: TapeReport) -> bool:
    """Whether these files stand on the tape already; the report then says what they became."""
    for name, entry in catalogue.manifest["files"].items():
        of_source = entry.get("kind") == TAPE and entry["sources"] == [source]
        if of_source and any(_without(old) == note for old in entry["imports"]):
            if not (catalogue.path / name).exists():
                continue
            segment = Segment((catalogue.path / name).parent)
            report.known, report.segment = True, name
            report.files = [FileReport(f["file"], 0, 0) for f in note["files"]]
            _spanned(report, segment)
            report.rows = 0
            return True
    return False


def _without(note: dict[str, Any]) -> dict[str, Any]:
    return {key: value for key, value in note.items() if key != "result"}


def _written(
    catalogue: Catalogue, source: str, staging: Path, batches: Iterator[Columns],
    recording: Recording, silence: Ns,
) -> Segment | None:  # fmt: skip
    """Seals all rows as one segment beside the tape; None when there are none."""
    place = catalogue.path / TAPE / file_name(source)
    before = Tape.open(place) if place.is_dir() and any(place.iterdir()) else None
    told = _last_told(catalogue, before) if before else {}
    shutil.rmtree(staging, ignore_errors=True)
    writer = TapeWriter(staging, [], first=before.segments[-1].number + 1 if before else 0)
    try:
        for columns in batches:
            if before is not None:
                first = int(columns["ts"][0])
                if first < before.segments[-1].last_ts:
                    raise _overlapping(source, before, first)
                _ended(writer, recording, before, told, first, silence)
                before = None
            for name in recording.names:
                writer.name(name)
            place_of = np.array([writer.instrument(m.yes.id) for m in recording.markets], np.int32)
            writer.append(columns | {"instrument": place_of[columns["instrument"]]})
        return writer.close()
    except BaseException:
        with suppress(DataError):
            writer.abandon()
        raise


def _last_told(catalogue: Catalogue, before: Tape) -> dict[str, Ns]:
    """When each book of the tape's last segment was last told, as its import wrote it down."""
    name = f"{catalogue.name(before.segments[-1].path)}/{SEGMENT}"
    notes = catalogue.manifest["files"].get(name, {}).get("imports", [])
    return dict(notes[-1].get("result", {}).get("told", {})) if notes else {}


def _ended(
    writer: TapeWriter, recording: Recording, before: Tape, told: dict[str, Ns], first: Ns,
    silence: Ns,
) -> None:  # fmt: skip
    """Between two recordings nobody looked: the books of the earlier one end with it.

    ``told`` says when a book was last told where it fell silent before the recording ended.
    """
    last = before.segments[-1].last_ts
    aux = recording.reason(GAP)
    for name in recording.names:
        writer.name(name)
    ends = [(min(max(told.get(name, last) + silence, last), first), name)
            for name in before.instruments]  # fmt: skip
    ends.sort(key=lambda end: end[0])
    for place, (ts, name) in enumerate(ends):
        recording.cleared(GAP)
        together = place + 1 < len(ends) and ends[place + 1][0] == ts
        writer.row(
            ts, TapeKind.CLEAR, writer.instrument(name), 0, aux=aux,
            flag=TapeFlag.MORE if together else 0,
        )  # fmt: skip


def _overlapping(source: str, tape: Tape, first: Ns) -> DataError:
    return DataError(
        f"the recording begins at {first}, before the tape of {source} ends "
        f"({tape.segments[-1].last_ts})",
        expected="a later recording, or a source of its own",
        hint="polyframe data import tape ... --source NAME",
    )


def _placed(
    catalogue: Catalogue, source: str, segment: Segment, report: TapeReport, note: dict[str, Any],
    told: dict[str, Ns],
) -> None:  # fmt: skip
    """Moves a sealed segment to its tape and lists it; undone when it cannot be listed."""
    place = catalogue.path / TAPE / file_name(source)
    final = place / segment.path.name
    try:
        place.mkdir(parents=True, exist_ok=True)
        segment.path.rename(final)
        sync_directory(place)
    except OSError as error:
        raise storage_error("moved", segment.path, error) from error
    _spanned(report, segment)
    report.segment = f"{catalogue.name(final)}/{SEGMENT}"
    facts = {"rows": segment.rows, "instruments": list(segment.instruments),
             "first": segment.first_ts, "last": segment.last_ts}  # fmt: skip
    aside = sum(sum(file.set_aside.values()) for file in report.files)
    result = {"rows": segment.rows, "set_aside": aside, "clears": report.clears}
    result |= {"told": told} if told else {}
    try:
        catalogue.add_segment(source, final, facts, {**note, "result": result})
    except BaseException:
        shutil.rmtree(final, ignore_errors=True)
        with suppress(OSError):
            place.rmdir()
        raise


def _spanned(report: TapeReport, segment: Segment) -> None:
    report.rows, report.instruments = segment.rows, len(segment.instruments)
    report.first, report.last = segment.first_ts, segment.last_ts


def _told(report: TapeReport, recording: Recording, files: Sequence[Path]) -> None:
    reasons: dict[str, Counter[str]] = {path.name: Counter() for path in files}
    for file, rows, reason, _ in recording.aside:
        reasons[file][reason] += len(rows)
    report.files = [
        FileReport(path.name, n := recording.rows.get(path.name, 0), n,
                   set_aside=dict(reasons[path.name].most_common()))
        for path in files
    ]  # fmt: skip
    report.clears = {k: n for k, n in recording.clears.most_common() if n}
    report.notes = dict(recording.notes.most_common())
    report.unknown = dict(recording.unknown.most_common())


def _aside(recording: Recording) -> DataFrame:
    import pandas as pd  # noqa: PLC0415 - heavy

    columns: dict[str, list[Any]] = {name: [] for name in ASIDE_COLUMNS}
    for file, rows, reason, values in recording.aside:
        for name, part in zip(
            ASIDE_COLUMNS, ([file] * len(rows), rows.tolist(), [reason] * len(rows), values),
            strict=True,
        ):  # fmt: skip
            columns[name] += part
    types = dict(zip(ASIDE_COLUMNS, ("string", "int64", "string", "string"), strict=True))
    return pd.DataFrame({n: pd.Series(v, dtype=types[n]) for n, v in columns.items()})


def _nothing(report: TapeReport, files: Sequence[Path]) -> DataError:
    names = " ".join(quote(str(path)) for path in files)
    if report.unknown:
        some = ", ".join(list(report.unknown)[:2])
        more = " ..." if len(report.unknown) > 2 else ""
        return DataError(
            f"{names}: none of its {len(report.unknown)} markets is in {report.into}: {some}{more}",
            expected="markets with these tokens or slugs",
            hint=f"polyframe data import markets FILE --map MAP.json --into {quote(report.into)}; "
            "docs/data.md has mappings that read markets from recordings",
        )
    if not any(file.rows for file in report.files):
        return DataError(
            f"{names}: not a single row is in it",
            expected=f"a recording of the form {report.format}",
            hint="look whether the recorder wrote anything, or whether the copy is whole",
        )  # fmt: skip
    return DataError(
        f"{names}: no row of a tape could be made"
        + (f"; the rows stand in {report.set_aside_file}" if report.set_aside_file else ""),
        expected=f"a recording of the form {report.format}",
        hint="polyframe data import tape FILE --format FORMAT names another form",
    )


def show_silence(ns: Ns) -> str:
    """A longest silence in seconds."""
    return f"{format_units(ns, 9)} s"
