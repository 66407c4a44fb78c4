"""Columns of a recorded Parquet file as what they must hold; others are refused by name."""

from __future__ import annotations

from collections.abc import Sequence
from pathlib import Path
from typing import Any, NamedTuple

import numpy as np
from numpy.typing import NDArray

from polyframe.errors import DataError

Ints = NDArray[np.int64]


def numbers(file: Path, table: Any, name: str) -> NDArray[Any]:
    """A column of numbers, NaN where there is none; floats of 32 bits stay such.

    Raises:
        DataError: it holds something else.
    """
    import pyarrow as pa  # noqa: PLC0415 - heavy

    column = _plain(table[name])
    kind = column.type
    if pa.types.is_boolean(kind) or _nested(kind) or pa.types.is_temporal(kind):
        raise _refused(file, name, str(kind), "numbers")
    if not pa.types.is_float32(kind):
        column = _cast(file, name, column, pa.float64(), "numbers", safe=False)
    found: NDArray[Any] = column.to_numpy()
    return found


def wholes(file: Path, table: Any, name: str, missing: int | None = None) -> Ints:
    """A column of whole numbers; without ``missing`` none of them may be.

    Raises:
        DataError: it holds something else, or a number beyond 64 bits.
    """
    import pyarrow as pa  # noqa: PLC0415 - heavy
    import pyarrow.compute as pc  # noqa: PLC0415 - with it

    column = _plain(table[name])
    if _nested(column.type) or pa.types.is_temporal(column.type):
        raise _refused(file, name, str(column.type), "whole numbers")
    if pa.types.is_floating(column.type):  # a frame of pandas writes a missing number so
        column = pc.if_else(pc.is_nan(column), None, column)
    whole = _cast(file, name, column, pa.int64(), "whole numbers")
    if missing is not None:
        whole = pc.fill_null(whole, missing)
    if whole.null_count:
        row = int(np.argmax(whole.is_null().to_numpy())) + 1
        raise _refused(file, name, f"nothing in row {row}", "a whole number in every row")
    found: Ints = whole.to_numpy().astype(np.int64)
    return found


def texts(file: Path, table: Any, name: str) -> NDArray[Any]:
    """A column of texts, empty where there is none; whole numbers are written out.

    Raises:
        DataError: it holds something else.
    """
    import pyarrow as pa  # noqa: PLC0415 - heavy
    import pyarrow.compute as pc  # noqa: PLC0415 - with it

    column = _plain(table[name])
    kind = column.type
    if _nested(kind) or pa.types.is_temporal(kind) or pa.types.is_boolean(kind):
        raise _refused(file, name, str(kind), "texts")
    if pa.types.is_floating(kind):  # whole numbers that some writer made floats of
        column = _cast(file, name, column, pa.int64(), "texts or whole numbers")
    column = _cast(file, name, column, pa.large_string(), "texts")
    try:
        found: NDArray[Any] = pc.fill_null(column, "").to_numpy()
    except (pa.ArrowException, UnicodeDecodeError):
        raise _refused(file, name, "texts that are not UTF-8", "texts") from None
    return found.astype(str)


class Lists(NamedTuple):
    """Lists of numbers, one a row. Shapes: length (n,), -1 where there is none; values (sum,)."""

    length: Ints
    values: NDArray[Any]

    def picked(self, rows: Ints) -> tuple[Ints, NDArray[Any]]:
        """The numbers of these rows, and which of the rows each belongs to."""
        begin = np.cumsum(np.maximum(self.length, 0)) - np.maximum(self.length, 0)
        n = np.maximum(self.length[rows], 0)
        of = np.repeat(np.arange(len(rows)), n)
        place = np.arange(len(of)) - np.repeat(np.cumsum(n) - n, n) + np.repeat(begin[rows], n)
        return of, self.values[place]


def lists(file: Path, table: Any, name: str) -> Lists:
    """A column of lists of numbers.

    Raises:
        DataError: it holds something else.
    """
    import pyarrow as pa  # noqa: PLC0415 - heavy

    column = table[name]
    kind = column.type
    if pa.types.is_null(kind):
        return Lists(np.full(len(column), -1, np.int64), np.zeros(0))
    listed = (
        pa.types.is_list(kind) or pa.types.is_large_list(kind) or pa.types.is_fixed_size_list(kind)
    )
    expected = "a list of numbers in every row"
    if not listed or _odd(kind.value_type):
        raise _refused(file, name, str(kind), expected)
    short = pa.types.is_float32(kind.value_type)
    wanted = pa.large_list(pa.float32() if short else pa.float64())
    column = _cast(file, name, column, wanted, expected, safe=False)
    whole = pa.concat_arrays([pa.array([], wanted), *column.chunks])
    length = whole.value_lengths().fill_null(-1).to_numpy().astype(np.int64)
    return Lists(length, whole.flatten().to_numpy(zero_copy_only=False))


def stacked(parts: Sequence[NDArray[Any]]) -> NDArray[Any]:
    """Columns of several files as one; floats of 32 bits among others stay what they were told."""
    if len({part.dtype for part in parts if part.dtype.kind == "f"}) > 1:
        # The shortest decimal of such a float is what its recorder was told.
        parts = [p.astype(str).astype(np.float64) if p.dtype == np.float32 else p for p in parts]
    return np.concatenate(parts)


def _odd(kind: Any) -> bool:
    import pyarrow as pa  # noqa: PLC0415 - heavy

    return bool(_nested(kind) or pa.types.is_boolean(kind) or pa.types.is_temporal(kind))


def _nested(kind: Any) -> bool:
    import pyarrow as pa  # noqa: PLC0415 - heavy

    return bool(pa.types.is_nested(kind))


def _plain(column: Any) -> Any:
    """The column itself where each value was stored once and named by a number."""
    import pyarrow as pa  # noqa: PLC0415 - heavy

    kind = column.type
    return column.cast(kind.value_type) if pa.types.is_dictionary(kind) else column


def _cast(
    file: Path, name: str, column: Any, kind: Any, expected: str, *, safe: bool = True
) -> Any:
    import pyarrow as pa  # noqa: PLC0415 - heavy
    import pyarrow.compute as pc  # noqa: PLC0415 - with it

    try:
        return pc.cast(column, kind, safe=safe)
    except pa.ArrowException as error:
        told = f"{column.type} ({str(error).splitlines()[0]})"
        raise _refused(file, name, told, expected) from None


def _refused(file: Path, name: str, found: str, expected: str) -> DataError:
    return DataError(
        f"{file}: column {name} holds {found}",
        expected=expected,
        hint="write the column in the type that docs/data.md lists, or name another --format",
    )
