"""Recordings in hftbacktest's layout on a tape."""

from __future__ import annotations

import math
from pathlib import Path

import numpy as np
import pytest
from recording_cases import converted, market, told

from polyframe.errors import DataError
from polyframe.store import tape_hft
from polyframe.store.tape import Tape, TapeFlag, TapeKind
from polyframe.store.tape_hft import (
    BUY,
    CLEAR,
    DEPTH,
    EVENT,
    LOCAL,
    SELL,
    SNAPSHOT,
    TRADE,
    Scale,
    read_events,
    tape_columns,
)
from polyframe.store.tape_writer import TapeWriter

EXCH = 1 << 31


def events(*rows: tuple[int, int, float, float]) -> np.ndarray:
    """Events of (kind and flags, local time, price, size), known 3 ns after they happened."""
    made = np.zeros(len(rows), EVENT)
    for at, (ev, ts, px, qty) in zip(made, rows, strict=True):
        at["ev"], at["local_ts"], at["exch_ts"] = ev | EXCH, ts, ts - 3
        at["px"], at["qty"] = px, qty
    return made


def kinds(columns) -> list[str]:
    return [TapeKind(kind).name for kind in columns["kind"]]


def test_levels_and_trades_keep_their_times_sides_and_exact_amounts() -> None:
    found = tape_columns(
        "f", events((DEPTH | LOCAL | BUY, 10, 0.49, 12.5), (DEPTH | LOCAL | SELL, 10, 0.51, 0),
                    (TRADE | LOCAL | SELL, 12, 0.49, 0.000001)), 3, Scale(),
    )  # fmt: skip
    assert kinds(found) == ["SNAPSHOT_BEGIN", "SNAPSHOT_END", "LEVEL", "LEVEL", "TRADE"]
    assert found["price"].tolist() == [0, 0, 4_900, 5_100, 4_900]
    assert found["size"].tolist() == [0, 0, 12_500_000, 0, 1]
    assert found["side"].tolist() == [0, 0, 1, -1, -1]
    assert found["ts"].tolist() == [10, 10, 10, 10, 12]
    assert found["ts_venue"].tolist() == [7, 7, 7, 7, 9]
    assert set(found["instrument"].tolist()) == {3}
    more = int(TapeFlag.MORE)
    assert found["flag"].tolist() == [more, more, more, 0, 0]


def test_a_snapshot_stands_between_its_marks_and_a_cleared_book_is_not_trusted() -> None:
    found = tape_columns(
        "f", events((SNAPSHOT | LOCAL | BUY, 1, 0.4, 5), (SNAPSHOT | LOCAL | SELL, 2, 0.6, 5),
                    (DEPTH | LOCAL | BUY, 3, 0.41, 1), (CLEAR | LOCAL | BUY, 4, 0.4, 0),
                    (SNAPSHOT | LOCAL | BUY, 5, 0.3, 9)), 0, Scale(),
    )  # fmt: skip
    assert kinds(found) == [
        "SNAPSHOT_BEGIN", "LEVEL", "LEVEL", "SNAPSHOT_END", "LEVEL", "CLEAR", "SNAPSHOT_BEGIN",
        "LEVEL", "SNAPSHOT_END",
    ]  # fmt: skip
    assert found["ts"].tolist() == [1, 1, 2, 2, 3, 4, 5, 5, 5]
    assert found["aux"].tolist() == [2, 0, 0, 2, 0, 0, 1, 0, 1]
    assert (found["flag"][:3] == int(TapeFlag.MORE)).all()


def test_what_never_reached_the_recorder_is_left_out() -> None:
    found = tape_columns(
        "f", events((DEPTH | BUY, 1, 0.4, 5), (DEPTH | LOCAL | BUY, 2, 0.4, 6)), 0, Scale()
    )
    assert found["size"].tolist()[-1:] == [6_000_000]
    assert len(found["ts"]) == 3
    assert len(tape_columns("f", events(), 0, Scale())["ts"]) == 0


@pytest.mark.parametrize(
    ("rows", "said"),
    [
        (((DEPTH | LOCAL, 2, 0.4, 1), (DEPTH | LOCAL, 1, 0.4, 1)), "event 1 was known before"),
        (((9 | LOCAL, 2, 0.4, 1),), "event 0 is of an unknown kind"),
        (((DEPTH | LOCAL, 2, 0.40001, 1),), "px of event 0 is 0.40001"),
        (((DEPTH | LOCAL, 2, math.nan, 1),), "px of event 0 is nan"),
        (((DEPTH | LOCAL, 2, 0.4, -1.0),), "qty of event 0 is -1.0"),
        (((DEPTH | LOCAL, 2, 0.4, 1e30),), "qty of event 0 is 1e+30"),
    ],
)
def test_events_that_cannot_be_are_refused_by_number(rows, said) -> None:
    with pytest.raises(DataError) as refused:
        tape_columns("f", events(*rows), 0, Scale())
    assert said in refused.value.message.replace("np.float64(", "").replace(")", "")


def test_a_file_becomes_a_tape_and_reads_back(tmp_path: Path) -> None:
    rng = np.random.default_rng(1)
    side = [int(s) for s in rng.choice([BUY, SELL], 500)]
    rows = [
        (int(rng.choice([DEPTH, TRADE])) | LOCAL | s, 100 + n, (n % 90 + 5) / 100, n % 7 + 0.5)
        for n, s in enumerate(side)
    ]
    np.savez_compressed(tmp_path / "r.npz", data=events(*rows))
    found = read_events(tmp_path / "r.npz")
    writer = TapeWriter(tmp_path / "tape", ["a"])
    writer.append(tape_columns("r.npz", found, 0, Scale()))
    writer.close()
    tape = Tape.open(tmp_path / "tape")
    tape.verify()
    assert len(tape) == 502
    assert tape.column("price")[2:].tolist() == [round(px * 10_000) for _, _, px, _ in rows]
    assert tape.column("size")[2:].tolist() == [round(q * 10**6) for *_, q in rows]


def test_both_kinds_of_files_are_read(tmp_path: Path) -> None:
    made = events((DEPTH | LOCAL | BUY, 1, 0.4, 5))
    np.save(tmp_path / "a.npy", made)
    np.savez(tmp_path / "a.npz", data=made)
    assert (read_events(tmp_path / "a.npy") == read_events(tmp_path / "a.npz")).all()


def test_files_go_on_with_one_book_and_long_silences_end_it(tmp_path: Path) -> None:
    rows = (DEPTH | LOCAL | BUY, 10, 0.4, 5), (DEPTH | BUY, 10, 0.4, 5)
    np.save(tmp_path / "a.npy", events(*rows, (DEPTH | LOCAL | SELL, 100, 0.5, 5)))
    files = [tmp_path / "a.npy", tmp_path / "b.npy"]
    columns, recording = converted(tape_hft, files[:1], [], market(), silence=50)
    assert told(columns, recording)[2:] == ["LEVEL bid 4000 5", "CLEAR gap", "LEVEL ask 5000 5"]
    assert columns["ts"].tolist()[2:] == [10, 60, 100]
    assert recording.notes == {"events that never reached the recorder": 1}
    np.save(files[1], events((DEPTH | LOCAL | BUY, 200, 0.41, 1)))
    columns, recording = converted(tape_hft, files, [], market())
    assert told(columns, recording)[2:] == [
        "LEVEL bid 4000 5",
        "LEVEL ask 5000 5",
        "LEVEL bid 4100 1",
    ]
    with pytest.raises(DataError, match=r"1 levels are off the tick of 0\.05"):
        converted(tape_hft, files, [], market(tick=500))


@pytest.mark.parametrize("what", ["missing", "text", "other"])
def test_files_of_another_layout_are_refused(tmp_path: Path, what: str) -> None:
    file = tmp_path / "x.npz"
    if what == "text":
        file.write_text("no archive")
    elif what == "other":
        np.savez(file, data=np.zeros(3))
    with pytest.raises(DataError):
        read_events(file)
