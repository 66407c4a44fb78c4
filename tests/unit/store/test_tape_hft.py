"""Recordings in hftbacktest's layout on a tape."""

from __future__ import annotations

import math
from contextlib import suppress
from pathlib import Path

import numpy as np
import pytest
from recording_cases import ERA_NS, converted, market, told

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
    def at(*rows: tuple[int, int, float, float]) -> np.ndarray:
        return events(*((ev, ERA_NS + ts, px, qty) for ev, ts, px, qty in rows))

    rows = (DEPTH | LOCAL | BUY, 10, 0.4, 5), (DEPTH | BUY, 10, 0.4, 5)
    np.save(tmp_path / "a.npy", at(*rows, (DEPTH | LOCAL | SELL, 100, 0.5, 5)))
    files = [tmp_path / "a.npy", tmp_path / "b.npy"]
    columns, recording = converted(tape_hft, files[:1], [], market(), silence=50)
    assert told(columns, recording)[2:] == ["LEVEL bid 4000 5", "CLEAR gap", "LEVEL ask 5000 5"]
    assert (columns["ts"] - ERA_NS).tolist()[2:] == [10, 60, 100]
    assert recording.notes == {"events that never reached the recorder": 1}
    np.save(files[1], at((DEPTH | LOCAL | BUY, 200, 0.41, 1)))
    columns, recording = converted(tape_hft, files, [], market())
    assert told(columns, recording)[2:] == [
        "LEVEL bid 4000 5",
        "LEVEL ask 5000 5",
        "LEVEL bid 4100 1",
    ]
    # Between two files as within one.
    columns, recording = converted(tape_hft, files, [], market(), silence=90)
    assert told(columns, recording)[3:] == ["LEVEL ask 5000 5", "CLEAR gap", "LEVEL bid 4100 1"]
    assert (columns["ts"] - ERA_NS).tolist()[3:] == [100, 190, 200]
    with pytest.raises(DataError, match=r"1 levels are off the tick of 0\.05"):
        converted(tape_hft, files, [], market(tick=500))
    np.save(files[0], at())
    assert len(converted(tape_hft, files, [], market())[0]["ts"]) == 3
    assert not len(converted(tape_hft, files[:1], [], market())[0]["ts"])


@pytest.mark.parametrize(
    ("field", "value", "said"),
    [
        ("local_ts", 1_785_000_000_000, "local_ts of recorded event 1 is 1785000000000: as nano"),
        ("local_ts", -1, "local_ts of recorded event 1 is -1: as nanoseconds"),
        ("local_ts", 2**63 - 1, "as nanoseconds 2262-04-11"),
        ("exch_ts", 1_785_000_000_000_000, "as microseconds 2026-07-25 17:20:00"),
    ],
)
def test_times_in_another_unit_are_refused(tmp_path: Path, field, value, said: str) -> None:
    made = events((DEPTH | LOCAL | BUY, ERA_NS, 0.4, 5), (DEPTH | LOCAL | BUY, ERA_NS, 0.4, 5))
    made[field][1] = value
    np.save(tmp_path / "a.npy", made)
    with pytest.raises(DataError) as refused:
        converted(tape_hft, [tmp_path / "a.npy"], [], market())
    assert said in refused.value.message
    assert "a.npy" in refused.value.message
    assert "nanoseconds" in str(refused.value.expected)
    # The exchange need not tell its time.
    made["local_ts"], made["exch_ts"] = ERA_NS, 0
    np.save(tmp_path / "a.npy", made)
    assert not converted(tape_hft, [tmp_path / "a.npy"], [], market())[0]["ts_venue"].any()


@pytest.mark.parametrize(
    "what", ["missing", "text", "other", "nothing", "directory", "pickle", "fields", "floats"]
)
def test_files_of_another_layout_are_refused(tmp_path: Path, what: str) -> None:
    file = tmp_path / "x.npz"
    if what == "text":
        file.write_text("no archive")
    elif what == "other":
        np.savez(file, data=np.zeros(3))
    elif what == "nothing":
        file.write_bytes(b"")
    elif what == "directory":
        np.savez(file, events=events())
    elif what == "pickle":
        np.savez(file, data=np.array([{}], object))
    elif what == "fields":
        np.savez(file, data=np.zeros(2, [(n, "S4") for n in EVENT.names or ()]))
    elif what == "floats":
        np.savez(file, data=np.zeros(2, [(n, "<f8") for n in EVENT.names or ()]))
    with pytest.raises(DataError) as refused:
        read_events(file)
    assert "x.npz" in refused.value.message
    assert refused.value.expected
    assert refused.value.hint


@pytest.mark.parametrize("how", ["savez", "savez_compressed", "save"])
def test_files_that_were_cut_or_changed_are_refused(tmp_path: Path, how: str) -> None:
    made = events(*((DEPTH | LOCAL | BUY, 10**18 + n, 0.4, 5) for n in range(200)))
    whole = tmp_path / ("w.npy" if how == "save" else "w.npz")
    getattr(np, how)(whole, **({"arr": made} if how == "save" else {"data": made}))
    content, file = whole.read_bytes(), tmp_path / f"x{whole.suffix}"
    rng = np.random.default_rng(3)
    for size in {*range(0, len(content), max(len(content) // 60, 1)), *range(60)}:
        file.write_bytes(content[:size])
        with pytest.raises(DataError) as refused:
            read_events(file)
        assert refused.value.expected
    for _ in range(200):
        changed = bytearray(content)
        changed[int(rng.integers(len(content)))] ^= 1 << int(rng.integers(8))
        file.write_bytes(changed)
        with suppress(DataError):
            tape_columns("x", read_events(file), 0, Scale())
