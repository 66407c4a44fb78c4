"""The tables of docs/journal.md say what the code does."""

from __future__ import annotations

import re
from pathlib import Path

from journal_cases import EFFECT_TYPES, EVENT_TYPES

from polyframe.store.records import LEVELS, RecordLevel, types_at
from polyframe.store.tape import COLUMNS, TapeKind

PAGE = (Path(__file__).parents[3] / "docs" / "journal.md").read_text()


def table(first: str) -> list[list[str]]:
    """The cells of the table whose header starts with a word."""
    found = re.search(rf"(?m)^\| {first} \|.*\n\|[-|]+\n((?:\|.*\n)+)", PAGE)
    assert found is not None, first
    return [
        [cell.strip().strip("`") for cell in row.split("|")[1:-1]] for row in found[1].splitlines()
    ]


def test_the_page_lists_every_type_with_its_levels() -> None:
    rows = table("event") + table("effect")
    kept = {level: {kind.__name__ for kind in types_at(level)} for level in RecordLevel}
    assert [row[0] for row in rows] == [kind.__name__ for kind in _in_order()]
    for name, *levels in rows:
        assert levels == ["yes" if name in kept[level] else "" for level in RecordLevel], name


def test_the_page_lists_every_kind_and_column_of_the_tape() -> None:
    assert [(row[0], int(row[1])) for row in table("kind")] == [(k.name, k) for k in TapeKind]
    assert [(row[0], row[1]) for row in sorted(table("column"))] == sorted(
        (name, dtype.name) for name, dtype in COLUMNS.items()
    )


def _in_order() -> list[type]:
    order = (*EVENT_TYPES, *EFFECT_TYPES)
    assert set(order) == set(LEVELS)
    return list(order)
