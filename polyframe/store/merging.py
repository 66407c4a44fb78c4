"""Adds rows to a table: new ones go in, known ones stay, contradicting ones are handed back."""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING

from polyframe.store.parquet import empty_frame
from polyframe.store.schema import Table

if TYPE_CHECKING:
    from pandas import DataFrame, Series

DERIVED = ("flag",)
"""Columns that are computed from others: no difference between rows."""

UNSTATED = ("market_id",)
"""Columns in which an empty text says "not known" and contradicts nothing."""


@dataclass(frozen=True, slots=True)
class Merged:
    """What became of the new rows. ``clashes`` are labels of the new frame."""

    frame: DataFrame
    added: int
    same: int
    replaced: int
    clashes: list[int]
    """rows that give a known key another value"""


def merge_rows(table: Table, old: DataFrame, new: DataFrame) -> Merged:
    """The old rows and those new ones that do not contradict them, in the table's order.

    A market may be stated anew by the source that stated it first; the new row then replaces it.
    """
    import pandas as pd  # noqa: PLC0415 - heavy

    key = list(table.key)
    values = [name for name in table.names if name not in DERIVED]
    plain = new.drop_duplicates(values)
    first = plain.drop_duplicates(key)
    clashes = plain.index.difference(first.index).tolist()
    both = first.reset_index(names="_row").merge(
        old[values], on=key, how="left", suffixes=("", "_old"), indicator="_seen"
    )
    known = both["_seen"] == "both"
    differs = _differs(both, [v for v in values if v not in key]) & known
    if table.kind == "markets":
        replaces = differs & (both["source"] == both["source_old"])
    else:
        replaces = differs & False
    clashes += both.loc[differs & ~replaces, "_row"].tolist()
    fresh = first.loc[both.loc[~known, "_row"]]
    stated_anew = first.loc[both.loc[replaces, "_row"]]
    if len(stated_anew):
        old = old[~old[key[0]].isin(stated_anew[key[0]])]
    parts = [part for part in (old, stated_anew, fresh) if len(part)]
    frame = pd.concat(parts, ignore_index=True) if parts else old
    frame = frame.sort_values(list(table.order), kind="stable", ignore_index=True)
    return Merged(
        frame,
        added=len(fresh),
        same=len(new) - len(fresh) - len(stated_anew) - len(clashes),
        replaced=len(stated_anew),
        clashes=sorted(int(row) for row in clashes),
    )


def completed(table: Table, rows: DataFrame) -> DataFrame:
    """The rows with empty columns in the places of those that came later than their writer."""
    empty = empty_frame(table)
    lacking = [c.name for c in table.columns if c.added and c.name not in rows]
    return rows.assign(**{name: empty[name].reindex(rows.index) for name in lacking})


def _differs(both: DataFrame, columns: list[str]) -> Series[bool]:
    import pandas as pd  # noqa: PLC0415 - heavy

    differs = pd.Series(False, index=both.index)
    for name in columns:
        a, b = both[name], both[f"{name}_old"]
        equal = (a == b).fillna(False).astype(bool) | (a.isna() & b.isna())
        if name in UNSTATED:
            equal |= ((a == "") | (b == "")).fillna(False).astype(bool)
        differs |= ~equal
    return differs
