"""Imports files into a catalogue: good rows go in, bad ones are set aside with file and reason."""

from __future__ import annotations

from collections import Counter, defaultdict
from collections.abc import Callable, Iterable, Sequence
from dataclasses import dataclass, field
from pathlib import Path
from shlex import quote
from typing import TYPE_CHECKING

from polyframe.errors import ConfigError, DataError
from polyframe.store.catalogue import Catalogue, file_name, sha256_of
from polyframe.store.mapping import Mapping, load_mapping, plain_mapping
from polyframe.store.merging import Merged
from polyframe.store.parquet import reading, write_frame
from polyframe.store.schema import Table, table

if TYPE_CHECKING:
    from pandas import DataFrame

    from polyframe.store.converting import Converted

SET_ASIDE = "set_aside"
ASIDE_COLUMNS = ("file", "row", "reason", "value")
CLASH = "duplicate key with another value"
INSTEAD: defaultdict[str, dict[str, str]] = defaultdict(dict)
"""by kind of data: the column that takes the place of a required one"""
INSTEAD["bars"] = {"end": "ts", "market_id": "token"}


@dataclass(slots=True)
class FileReport:
    """What became of one file's rows. ``selected`` rows passed the mapping's filters."""

    file: str
    rows: int
    selected: int
    added: int = 0
    same: int = 0
    replaced: int = 0
    set_aside: dict[str, int] = field(default_factory=dict)
    """number of rows by reason"""


@dataclass(slots=True)
class ImportReport:
    """What an import did."""

    kind: str
    source: str
    into: str
    files: list[FileReport]
    set_aside_file: str | None = None
    unknown_tokens: int = 0
    """tokens priced here that no market of the catalogue has"""

    @property
    def imported(self) -> int:
        """Rows of these files that stand in the catalogue now."""
        return sum(f.added + f.same + f.replaced for f in self.files)


@dataclass(slots=True)
class _Batch:
    path: Path
    report: FileReport
    converted: Converted


def import_files(
    kind: str,
    files: Sequence[Path],
    into: Path,
    *,
    mapping: Path | None = None,
    source: str | None = None,
) -> ImportReport:
    """Reads ``files`` and adds their rows to the catalogue ``into``. All files are checked first.

    Raises:
        UserError: a file is missing, or the mapping is wrong.
        DataError: a file is damaged or lacks columns, or no row could be imported.
            Also when the catalogue's own files are not what earlier imports wrote.
        LookaheadError: forecasts were made after their market's end; nothing is written.
    """
    of = table(kind)
    catalogue = Catalogue.create(into)
    # Adding rows to a file that somebody changed would make the change look like ours.
    catalogue.verify(missing=False)
    rules = _rules(kind, mapping, source)
    batches = []
    for path in files:
        frame, plan = _read(path, of, rules, source)
        batches.append(_checked(catalogue, path, frame, plan))
    label = plan.source
    if of.kind == "forecasts":
        _refuse_lookahead(label, batches, catalogue)
    report = ImportReport(kind, label, str(into), [batch.report for batch in batches])
    for batch in batches:
        merged = _write(catalogue, of, batch, mapping, label)
        _count(batch, merged)
    _keep_aside(catalogue, of, label, batches, report)
    if not report.imported:
        raise _nothing(report, _command(of, files, into, mapping, source))
    if of.kind in ("prices", "bars"):
        report.unknown_tokens = _unknown_tokens(catalogue, batches)
    return report


def _unknown_tokens(catalogue: Catalogue, batches: list[_Batch]) -> int:
    from polyframe.store.owning import token_owners  # noqa: PLC0415 - with pandas

    priced = {token for batch in batches for token in batch.converted.good["token"].unique()}
    return len(priced - token_owners(catalogue.frame("markets")).keys())


def _command(
    of: Table, files: Sequence[Path], into: Path, mapping: Path | None, source: str | None
) -> str:
    """What a person types to try the import again."""
    words = ["polyframe data import", of.kind, *(quote(str(path)) for path in files)]
    words += ["--map", quote(str(mapping)) if mapping else "MAP.json", "--into", quote(str(into))]
    return " ".join([*words, *(["--source", quote(source)] if source else [])])


def _rules(kind: str, path: Path | None, source: str | None) -> Mapping | None:
    if path is None:
        return None
    mapping = load_mapping(path)
    if mapping.kind != kind:
        raise ConfigError(
            f"mapping {path} is for {mapping.kind}, not {kind}",
            hint=f"polyframe data import {mapping.kind} FILE --map '{path}'",
        )
    return mapping.model_copy(update={"source": source}) if source else mapping


def _read(
    path: Path, of: Table, mapping: Mapping | None, source: str | None
) -> tuple[DataFrame, Mapping]:
    """A foreign file and the mapping to read it with."""
    with reading(path):
        names, load = open_foreign(path)
        plan = mapping or plain_mapping(of.kind, source or path.stem, names)
        check_columns(path, plan, names)
        _same_columns(path, of, plan, mapping is None)
        frame = load(plan.reads)
    if mapping is None and path.suffix != ".csv":
        _same_types(path, of, frame)
    return frame, plan


def open_foreign(path: Path) -> tuple[list[str], Callable[[list[str]], DataFrame]]:
    """The columns of a Parquet or CSV file, and what reads some of them. Use within ``reading``.

    Raises:
        DataError: it is no readable CSV.
    """
    if path.suffix == ".csv":
        return _open_csv(path)
    import pyarrow.parquet as pq  # noqa: PLC0415 - heavy

    from polyframe.store.parquet import to_frame  # noqa: PLC0415 - with pandas

    file = pq.ParquetFile(path)
    return file.schema_arrow.names, lambda columns: to_frame(file.read(columns=columns))


def _open_csv(path: Path) -> tuple[list[str], Callable[[list[str]], DataFrame]]:
    import pandas as pd  # noqa: PLC0415 - heavy

    try:
        frame = pd.read_csv(path, dtype="string")
    except (ValueError, UnicodeDecodeError) as error:
        why = str(error).removeprefix("Error tokenizing data. C error: ").strip()
        raise DataError(
            f"{path} cannot be read as CSV: {why}",
            expected="text with a header and as many cells in every row",
            hint=f"correct the file, or name another: head '{path}' shows its beginning",
        ) from None
    return list(frame.columns), lambda columns: frame[columns]


def check_columns(path: Path, mapping: Mapping, have: Iterable[str]) -> None:
    """Refuses a mapping that reads columns which a file does not have.

    Raises:
        DataError: it does.
    """
    from difflib import get_close_matches  # noqa: PLC0415 - only used on errors

    have = list(have)
    missing = [name for name in mapping.reads if name not in have]
    if missing:
        guess = get_close_matches(missing[0], have, 1)
        raise DataError(
            f"{path} has no column {', '.join(missing)}"
            + (f"; did you mean {guess[0]!r}?" if guess else ""),
            expected="one of its columns: " + ", ".join(have),
            hint="name the column in the mapping as the file does",
        )


def _same_columns(path: Path, of: Table, mapping: Mapping, plain: bool) -> None:
    computed = {"source", "known_at", "flag", "latency", "cutoff", "cost", "blind", "volume"}
    needed = {c.name for c in of.columns if c.required} - computed
    if of.kind == "markets" and "venue" not in mapping.columns:  # a symbol names its venue
        needed |= {"token_1", "outcome_1"}
    needed -= {other for name, other in INSTEAD[of.kind].items() if name in mapping.columns}
    lacking = sorted(needed - set(mapping.columns))
    if lacking:
        raise DataError(
            f"{path}: nothing gives {', '.join(lacking)} of {of.kind}",
            expected="the columns of docs/data.md" if plain else "these columns in the mapping",
            hint=f"polyframe data import {of.kind} FILE --map MAP.json",
        )


def _same_types(path: Path, of: Table, frame: DataFrame) -> None:
    """Without a mapping a file must have the catalogue's own types: nothing is guessed."""
    import pandas.api.types as kinds  # noqa: PLC0415 - heavy

    for column in (*of.columns, *of.inputs):
        if column.name not in frame or frame[column.name].isna().all():
            continue
        have = frame[column.name].dtype
        if column.type == "string":
            fits = kinds.is_string_dtype(have)
        elif "float" in column.type:
            fits = kinds.is_numeric_dtype(have)
        elif column.type == "bool":
            fits = kinds.is_bool_dtype(have)
        else:
            fits = kinds.is_integer_dtype(have)
        if not fits:
            raise DataError(
                f"{path}: column {column.name} has type {have}",
                expected=f"{column.type} ({column.unit or column.meaning})",
                hint="state the unit in a mapping: --map MAP.json",
            )


def _checked(catalogue: Catalogue, path: Path, frame: DataFrame, mapping: Mapping) -> _Batch:
    from polyframe.store.converting import convert, select  # noqa: PLC0415 - with pandas
    from polyframe.store.validating import complete  # noqa: PLC0415 - with pandas

    kept = select(frame, mapping.filter)
    converted = convert(kept, mapping)
    converted.frame["source"] = mapping.source
    complete(converted, mapping.kind, catalogue)
    report = FileReport(path.name, rows=len(frame), selected=len(kept))
    return _Batch(path, report, converted)


def _refuse_lookahead(source: str, batches: list[_Batch], catalogue: Catalogue) -> None:
    """All rows with a readable time count, also those that are set aside for another reason."""
    from polyframe.store.forecasts import lookahead  # noqa: PLC0415 - with pandas
    from polyframe.store.validating import late_forecasts  # noqa: PLC0415 - with pandas

    late = total = 0
    example: tuple[str, int, int] | None = None
    for batch in batches:
        found = late_forecasts(batch.converted.frame, catalogue.ends())
        total += len(batch.converted.frame)
        late += len(found)
        example = example or (found[0] if found else None)
    if example:
        raise lookahead(source, late, total, *example)


def _write(
    catalogue: Catalogue, of: Table, batch: _Batch, mapping: Path | None, source: str
) -> Merged | None:
    rows = batch.converted.good[list(of.names)]
    if not len(rows):
        return None
    note = {
        "file": batch.path.name,
        "sha256": sha256_of(batch.path),
        "mapping": mapping.name if mapping else "",
        "mapping_sha256": sha256_of(mapping) if mapping else "",
        "source": source,
        "rows": len(rows),
    }
    write = {
        "markets": catalogue.write_markets,
        "prices": catalogue.append_prices,
        "bars": catalogue.append_bars,
        "trades": catalogue.append_trades,
        "forecasts": catalogue.append_forecasts,
    }[of.kind]
    return write(rows, note)


def _count(batch: _Batch, merged: Merged | None) -> None:
    report = batch.report
    if merged is not None:
        rows = batch.converted.frame.index.isin(merged.clashes)
        batch.converted.reject(rows, CLASH)
        report.added, report.same, report.replaced = merged.added, merged.same, merged.replaced
    report.set_aside = dict(Counter(batch.converted.reason.dropna()).most_common())


def _keep_aside(
    catalogue: Catalogue, of: Table, source: str, batches: list[_Batch], report: ImportReport
) -> None:
    parts = [_aside(batch) for batch in batches]
    names = [batch.path.name for batch in batches]
    report.set_aside_file = keep_aside(catalogue, of.kind, source, names, parts)


def keep_aside(
    catalogue: Catalogue, kind: str, source: str, files: Sequence[str], parts: list[DataFrame]
) -> str | None:
    """Writes rejected rows; what an earlier import of the same files left is replaced.

    Gives the path of the file that has them, None where no row was rejected now.

    Raises:
        PolyframeError: the disk refused.
    """
    import pandas as pd  # noqa: PLC0415 - heavy
    import pyarrow as pa  # noqa: PLC0415 - heavy

    path = catalogue.path / SET_ASIDE / f"{kind}-{file_name(source)}.parquet"
    before = pd.read_parquet(path) if path.exists() else parts[0].iloc[:0]
    before = before[~before["file"].isin(list(files))]
    frame = pd.concat([part for part in (before, *parts) if len(part)] or [parts[0].iloc[:0]])
    if len(frame) or path.exists():
        types = [pa.string(), pa.int64(), pa.string(), pa.string()]
        schema = pa.schema(list(zip(ASIDE_COLUMNS, types, strict=True)))
        write_frame(path, frame.reset_index(drop=True), schema)
    return str(path) if any(len(part) for part in parts) else None


def _aside(batch: _Batch) -> DataFrame:
    import pandas as pd  # noqa: PLC0415 - heavy

    bad = batch.converted.reason.dropna()
    return pd.DataFrame(
        {
            "file": pd.Series([batch.path.name] * len(bad), dtype="string"),
            "row": pd.Series([int(i) + 1 for i in bad.index], dtype="int64"),
            "reason": bad.astype("string").to_numpy(),
            "value": batch.converted.value[bad.index].astype("string").to_numpy(),
        }
    )


def _nothing(report: ImportReport, command: str) -> DataError:
    reasons: Counter[str] = Counter()
    for file in report.files:
        reasons.update(file.set_aside)
    names = ", ".join(file.file for file in report.files)
    if not reasons:
        selected = sum(file.selected for file in report.files)
        why = "no rows" if selected else "no row that passes the mapping's filters"
        return DataError(
            f"{names}: {why}", expected=f"at least one row of {report.kind}",
            hint=command,
        )  # fmt: skip
    told = "; ".join(f"{count:,} x {reason}" for reason, count in reasons.most_common(4))
    if set(reasons) == {CLASH}:
        expected = "the values that the catalogue has already, or a source of their own"
        bare = command.split(" --source ", maxsplit=1)[0].replace(" --map MAP.json", "")
        command = f"{bare} --source NAME"
    else:
        expected = f"rows of {report.kind} in the units the mapping states"
    return DataError(
        f"{names}: nothing could be imported: {told}; the rows stand in {report.set_aside_file}",
        expected=expected,
        hint=command,
    )
