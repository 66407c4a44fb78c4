"""What a check says about a tape."""

from __future__ import annotations

from pathlib import Path
from typing import Any

import pytest
from recording_cases import NO, SECOND, YES, market

from polyframe.store.findings import Severity
from polyframe.store.tape import Tape
from polyframe.store.tape_checks import check_tape
from polyframe.store.tape_rows import TapeFlag, TapeKind
from polyframe.store.tape_writer import TapeWriter

BEGIN, END, LEVEL = TapeKind.SNAPSHOT_BEGIN, TapeKind.SNAPSHOT_END, TapeKind.LEVEL
BOOK: list[tuple[Any, ...]] = [
    (0, BEGIN, 0, 0, 0, 2),
    (0, LEVEL, 4_000, 5, 1),
    (0, LEVEL, 5_000, 5, -1),
    (0, END, 0, 0, 0, 2),
]
"""Rows as (second, kind, price, size, side, aux, flag, second at the venue)."""


def check(tmp_path: Path, *rows: tuple[Any, ...], token: str = YES) -> dict[str, Any]:
    writer = TapeWriter(tmp_path / "tape", [token])
    for at, row in enumerate(rows):
        second, kind, price, size, side, aux, flag, venue = (*row, *(0,) * (8 - len(row)))
        inside = at + 1 < len(rows) and kind in (BEGIN, LEVEL) and row in BOOK
        writer.row(
            (second + 1_000) * SECOND,
            kind,
            0,
            price,
            size,
            side=side,
            aux=writer.name(aux) if isinstance(aux, str) else aux,
            flag=flag or (int(TapeFlag.MORE) if inside else 0),
            ts_venue=(venue + 1_000) * SECOND if venue else 0,
        )
    writer.close()
    found = list(check_tape("tape/s", Tape.open(tmp_path / "tape"), {YES: market()}))
    assert all(f.file == "tape/s" for f in found)
    assert len({f.check for f in found}) == len(found)
    return {f.check: f for f in found}


def test_a_sound_tape_has_no_findings(tmp_path: Path) -> None:
    rows = [(1, LEVEL, 4_100, 5, 1), (2, TapeKind.TRADE, 4_100, 5, -1, 0, 0, 1)]
    assert check(tmp_path, *BOOK, *rows) == {}


@pytest.mark.parametrize(
    ("rows", "finding", "severity", "count", "said"),
    [
        (
            [*BOOK, (1, LEVEL, 5_000, 5, 1), (2, LEVEL, 5_000, 0, 1)],
            "crossed book",
            "error",
            1,
            "first at row 4",
        ),
        ([*BOOK, (1, LEVEL, 4_050, 5, 1)], "price off the tick", "error", 1, "tick"),
        (
            [*BOOK, (0, BEGIN, 0, 0, 0, 1, 128), (0, END, 0, 0, 0, 1)],
            "broken snapshot",
            "error",
            1,
            "number of levels",
        ),
        ([(1, LEVEL, 4_100, 5, 1)], "never whole", "error", 1, "no snapshot"),
        (
            [(1, TapeKind.CLEAR, 0, 0, 0, "crossed book"), (5, TapeKind.TRADE, 4_100, 5, 1)],
            "never whole",
            "error",
            2,
            "nothing can be filled from its book (crossed book 1)",
        ),
        ([(1, TapeKind.TRADE, 4_100, 5, 1)], "no book", "warning", 1, "only its trades"),
        (
            [*BOOK, (2, TapeKind.CLEAR, 0, 0, 0, "gap"), (8, LEVEL, 4_000, 5, 1)],
            "untrusted",
            "warning",
            1,
            "75.00% of the time its book is not to be trusted (gap 1)",
        ),
        (
            [(-2, LEVEL, 4_000, 5, 1), *BOOK, (2, LEVEL, 4_100, 5, 1)],
            "untrusted",
            "warning",
            1,
            "50.00% of the time its book is not to be trusted (before its",
        ),
        (
            [*BOOK, (1, LEVEL, 4_000, 6, 1, 0, 0, 1), (2, LEVEL, 4_000, 7, 1, 0, 0, -1)],
            "venue clock back",
            "warning",
            1,
            "2,000.000 ms",
        ),
        (
            [*BOOK, (1, LEVEL, 4_000, 6, 1, 0, 0, 3)],
            "known before it happened",
            "warning",
            1,
            "2,000.000 ms",
        ),
        (
            [
                *BOOK,
                (0, TapeKind.QUOTE_BID, 5_100, 1, 1, 0, 128),
                (0, TapeKind.QUOTE_ASK, 5_000, 1, -1),
            ],
            "negative spread",
            "warning",
            1,
            "quoted",
        ),
        ([*BOOK, (61, LEVEL, 4_000, 6, 1)], "silence", "warning", 1, "61.0 s"),
        ([(0, BEGIN, 0, 0, 0, 0, 128), (0, END)], "empty book", "info", 1, "without a level"),
        (
            [*BOOK, *[(5, TapeKind.TRADE, 4_100, 5, 1, 0, 0, 1)] * 3],
            "equal trades",
            "info",
            2,
            "fills of one",
        ),
    ],
)
def test_each_thing_that_can_be_wrong(tmp_path, rows, finding, severity, count, said) -> None:
    found = check(tmp_path, *rows)
    assert set(found) == {finding}
    one = found[finding]
    assert (one.severity, one.rows, one.market) == (Severity(severity), count, "m1")
    assert said in one.message


def test_ticks_are_followed(tmp_path: Path) -> None:
    fine = [(1, TapeKind.TICK, 10), (2, LEVEL, 4_050, 5, 1)]
    assert check(tmp_path / "a", *BOOK, *fine) == {}
    coarse = [(3, TapeKind.TICK, 100), (5, LEVEL, 4_050, 5, 1)]
    found = check(tmp_path / "b", *BOOK, *fine, *coarse)
    assert set(found) == {"price off the tick", "untrusted"}


def test_a_market_of_which_no_row_could_be_used(tmp_path: Path) -> None:
    writer = TapeWriter(tmp_path / "tape", [YES, "y2"])
    for kind, price, side in ((BEGIN, 0, 0), (LEVEL, 4_000, 1), (END, 0, 0)):
        aux, more = int(kind != LEVEL), 0 if kind == END else int(TapeFlag.MORE)
        writer.row(SECOND, kind, 0, price, 5 * abs(side), side=side, aux=aux, flag=more)
    writer.close()
    markets = {YES: market(), "y2": market("m2", "y2", "n2")}
    (found,) = check_tape("tape/s", Tape.open(tmp_path / "tape"), markets)
    assert (found.severity, found.check, found.market) == (Severity.ERROR, "never whole", "m2")
    assert "set aside" in found.message


def test_a_snapshot_that_never_ends_is_no_whole_book(tmp_path: Path) -> None:
    found = check(tmp_path, *BOOK[:-1], (1, TapeKind.TRADE, 4_100, 5, 1))
    assert found["never whole"].market == "m1"


def test_a_market_that_nobody_knows(tmp_path: Path) -> None:
    found = check(tmp_path, *BOOK, token=NO)
    assert set(found) == {"unknown market"}
    assert found["unknown market"].market == NO
