"""Reads and writes Parquet files: whole or not at all, with errors that name the file."""

from __future__ import annotations

import os
from collections.abc import Iterable, Sequence
from contextlib import suppress
from pathlib import Path
from typing import TYPE_CHECKING, Any

from polyframe.errors import DataError, UserError
from polyframe.store.durable import storage_error, sync_directory, sync_file
from polyframe.store.schema import Table

if TYPE_CHECKING:
    from numpy.typing import NDArray
    from pandas import DataFrame


def read_table(path: Path, table: Table, columns: Sequence[str] | None = None) -> Any:
    """A catalogue file as a pyarrow table of exactly the documented columns and types.

    Raises:
        DataError: the file is missing, damaged, or its columns are not the documented ones.
    """
    import pyarrow.parquet as pq  # noqa: PLC0415 - heavy

    with reading(path):
        file = pq.ParquetFile(path)
        _same_form(path, file.schema_arrow, table)
        wanted = [c for c in table.names if columns is None or c in columns]
        have = set(file.schema_arrow.names)
        found = file.read(columns=[name for name in wanted if name in have])
        return _completed(found, table, wanted)


def _completed(found: Any, table: Table, wanted: Sequence[str]) -> Any:
    """With empty columns in the places of those that came later than the file."""
    import pyarrow as pa  # noqa: PLC0415 - heavy

    schema = table.arrow()
    for place, name in enumerate(wanted):
        if name not in found.column_names:
            field = schema.field(name)
            found = found.add_column(place, field, pa.nulls(found.num_rows, field.type))
    return found


def joined(parts: Sequence[Any], table: Table) -> Any:
    """Tables of one kind, one below the other."""
    import pyarrow as pa  # noqa: PLC0415 - heavy

    parts = [part for part in parts if part.num_rows]
    return pa.concat_tables(parts) if parts else empty_rows(table)


def empty_rows(table: Table) -> Any:
    """No rows, all columns."""
    import pyarrow as pa  # noqa: PLC0415 - heavy

    return pa.Table.from_batches([], schema=table.arrow())


def only(rows: Any, column: str, values: Iterable[str]) -> Any:
    """The rows of a table whose text in a column is one of these."""
    import pyarrow.compute as pc  # noqa: PLC0415 - heavy

    return rows.filter(pc.is_in(rows[column], text_array(list(values))))


def text_array(values: Sequence[str]) -> Any:
    """Texts as a pyarrow array. ``pyarrow.array`` would import pandas to do the same."""
    import numpy as np  # noqa: PLC0415 - heavy
    import pyarrow as pa  # noqa: PLC0415 - heavy

    encoded = [value.encode() for value in values]
    ends = np.cumsum([0, *map(len, encoded)], dtype=np.int32)
    buffers = [None, pa.py_buffer(ends.tobytes()), pa.py_buffer(b"".join(encoded))]
    return pa.Array.from_buffers(pa.string(), len(encoded), buffers)


def whole_array(values: Any) -> Any:
    """Whole numbers as a pyarrow array, for the same reason."""
    import numpy as np  # noqa: PLC0415 - heavy
    import pyarrow as pa  # noqa: PLC0415 - heavy

    plain = np.ascontiguousarray(values, np.int64)
    return pa.Array.from_buffers(pa.int64(), len(plain), [None, pa.py_buffer(plain)])


def records(rows: Any) -> list[dict[str, Any]]:
    """Rows as plain Python values, None where a value is missing."""
    found: list[dict[str, Any]] = rows.to_pylist()
    return found


def to_rows(frame: DataFrame, table: Table) -> Any:
    """A frame as a pyarrow table, whatever columns it has besides."""
    import pyarrow as pa  # noqa: PLC0415 - heavy

    schema = table.arrow()
    wanted = pa.schema([field for field in schema if field.name in frame.columns])
    return pa.Table.from_pandas(frame, schema=wanted, preserve_index=False)


def plain_array(values: Any) -> NDArray[Any]:
    """Numbers or truths of a chunked pyarrow array as an array of numpy's, anything for nulls.

    ``to_numpy`` would import pandas to do the same.
    """
    import numpy as np  # noqa: PLC0415 - heavy
    import pyarrow as pa  # noqa: PLC0415 - heavy

    truths = values.type == pa.bool_()
    dtype = np.dtype("uint8" if truths else values.type.to_pandas_dtype())
    parts = [np.zeros(0, dtype)]
    for chunk in (values.cast(pa.uint8()) if truths else values).chunks:
        end = chunk.offset + len(chunk)
        parts.append(np.frombuffer(chunk.buffers()[1], dtype, end)[chunk.offset :])
    array = np.concatenate(parts)
    return array.astype(np.bool_) if truths else array


def places_in(values: Any, texts: Sequence[str]) -> NDArray[Any]:
    """Where each text of a chunked pyarrow array stands in ``texts``, -1 where it does not."""
    import numpy as np  # noqa: PLC0415 - heavy
    import pyarrow.compute as pc  # noqa: PLC0415 - heavy

    found = pc.index_in(values, value_set=text_array(texts))
    return np.where(plain_array(found.is_null()), -1, plain_array(found)).astype(np.int64)


def read_frame(path: Path, table: Table) -> DataFrame:
    """A catalogue file as a frame with nullable types.

    Raises:
        DataError: as :func:`read_table`.
    """
    return to_frame(read_table(path, table))


def to_frame(arrow: Any) -> DataFrame:
    """A pyarrow table as a frame with nullable types."""
    import pandas as pd  # noqa: PLC0415 - heavy

    nullable = {
        "string": pd.StringDtype(),
        "int64": pd.Int64Dtype(),
        "int32": pd.Int32Dtype(),
        "int8": pd.Int8Dtype(),
        "uint8": pd.UInt8Dtype(),
        "double": pd.Float64Dtype(),
        "bool": pd.BooleanDtype(),
    }
    frame: DataFrame = arrow.to_pandas(types_mapper=lambda t: nullable.get(str(t)))
    return frame


def empty_frame(table: Table) -> DataFrame:
    """No rows, all columns."""
    return to_frame(empty_rows(table))


def write_frame(path: Path, frame: DataFrame, schema: Any) -> None:
    """Writes a frame in one piece: a reader sees the old file or the new one.

    Raises:
        PolyframeError: the disk refused.
    """
    import pyarrow as pa  # noqa: PLC0415 - heavy
    import pyarrow.parquet as pq  # noqa: PLC0415 - heavy

    arrow = pa.Table.from_pandas(frame, schema=schema, preserve_index=False)
    arrow = arrow.replace_schema_metadata(None)

    def write(part: Path) -> None:
        pq.write_table(arrow, part, compression="zstd")

    replace_whole(path, write)


def replace_whole(path: Path, write: Any) -> None:
    """Lets ``write`` fill a neighbouring file and puts it in the place of ``path``.

    Raises:
        PolyframeError: the disk refused; ``path`` is as before.
    """
    part = path.with_name(f".{path.name}.{os.getpid()}.part")
    try:
        path.parent.mkdir(parents=True, exist_ok=True)
        write(part)
        with part.open("rb") as file:
            sync_file(file.fileno())
        part.replace(path)
        sync_directory(path.parent)
    except OSError as error:
        raise storage_error("written", path, error) from error
    finally:
        with suppress(OSError):
            part.unlink(missing_ok=True)


class reading:  # noqa: N801 - reads as a statement
    """Turns what a Parquet reader raises about a file into our errors.

    Raises:
        UserError: there is no such file.
        DataError: it is no readable Parquet file.
    """

    def __init__(self, path: Path) -> None:
        self.path = path

    def __enter__(self) -> None:
        if self.path.is_dir():
            raise UserError(f"{self.path} is a directory", expected="a .parquet or .csv file")
        if not self.path.exists():
            raise UserError(
                f"{self.path} does not exist",
                expected="a .parquet or .csv file",
                hint=f"ls '{self.path.parent}'",
            )

    def __exit__(self, kind: Any, error: BaseException | None, trace: Any) -> None:
        import pyarrow as pa  # noqa: PLC0415 - heavy

        if isinstance(error, (pa.ArrowException, OSError, UnicodeDecodeError)):
            raise DataError(
                f"{self.path} cannot be read as Parquet: {str(error).splitlines()[0]}",
                expected="a whole Parquet file",
                hint="import the original again: polyframe data import --help",
            ) from error


def _same_form(path: Path, found: Any, table: Table) -> None:
    hint = "see docs/data.md for the columns; other forms come in through polyframe data import"
    have = {field.name: str(field.type) for field in found}
    missing = [c.name for c in table.columns if c.name not in have and not c.added]
    if missing:
        raise DataError(
            f"{path} lacks the column{'s' if len(missing) > 1 else ''} {', '.join(missing)}",
            expected=f"the columns of {table.kind}",
            hint=hint,
        )
    for field in table.arrow():
        if field.name in have and have[field.name].removeprefix("large_") != str(field.type):
            raise DataError(
                f"{path}: column {field.name} has type {have[field.name]}",
                expected=str(field.type),
                hint=hint,
            )
