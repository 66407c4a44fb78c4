"""The tape: what is written is what is read, and what was damaged is refused."""

from __future__ import annotations

import time
from pathlib import Path

import numpy as np
import pytest
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st
from journal_cases import file_limit

from polyframe.domain.quality import Flag
from polyframe.errors import DataError, GapError, UserError
from polyframe.store.tape import COLUMNS, Segment, Tape, TapeFlag, TapeKind, segment_name
from polyframe.store.tape_rows import NPY_HEADER, ROW, npy_header
from polyframe.store.tape_seal import recover_parts, seal_part
from polyframe.store.tape_writer import TapeWriter

tmp = settings(suppress_health_check=[HealthCheck.function_scoped_fixture], deadline=None)
ORDER = ("ts", "kind", "instrument", "price", "size", "side", "ts_venue", "flag", "aux")
INT64 = st.integers(-(2**63), 2**63 - 1)
PLAIN = [k for k in TapeKind if k not in (TapeKind.TRADE, TapeKind.WALLET, TapeKind.CLEAR)]
rows = st.lists(
    st.tuples(
        INT64,
        st.sampled_from(PLAIN),
        st.integers(0, 2),
        INT64,
        st.integers(0, 2**63 - 1),
        st.integers(-1, 1),
        INT64,
        st.integers(0, 255),
        INT64,
    ),
    min_size=1,
    max_size=20,
).map(lambda found: sorted(found, key=lambda row: row[0]))


def write_rows(writer: TapeWriter, found: list) -> None:
    for row in found:
        named = dict(zip(ORDER, row, strict=True))
        writer.row(**named)


def prices(writer: TapeWriter, first: int, last: int) -> None:
    for ts in range(first, last):
        writer.row(ts, TapeKind.PRICE, 0, 5_000 + ts)


def bulk(n: int) -> dict[str, np.ndarray]:
    index = np.arange(n)
    return {
        "ts": index * 1_000,
        "kind": np.full(n, TapeKind.PRICE, np.uint8),
        "instrument": (index % 2).astype(np.int16),
        "price": 5_000 + index % 100,
    }


def fresh(directory: Path) -> Path:
    """An unused directory, for tests that hypothesis runs many times."""
    return directory / f"t{len(list(directory.iterdir()))}"


@tmp
@given(rows, st.sets(st.integers(0, 19)))
def test_rows_read_back_as_written(tmp_path: Path, found: list, seals: set[int]) -> None:
    path = fresh(tmp_path)
    writer = TapeWriter(path, ("a", "b", "c"))
    positions = []
    for i, row in enumerate(found):
        positions.append(writer.position)
        write_rows(writer, [row])
        if i in seals:
            writer.seal()
    writer.close()
    tape = Tape.open(path)
    tape.verify()
    for place, name in enumerate(ORDER):
        assert tape.column(name).tolist() == [int(row[place]) for row in found]
        assert tape.column(name).dtype == COLUMNS[name]
    assert [tape.locate(i) for i in range(len(tape))] == positions
    assert [tape.place(*position) for position in positions] == list(range(len(found)))
    stamps = [row[0] for row in found]
    for ts in {*stamps, stamps[0] - 1, stamps[-1] + 1}:
        assert tape.row_at(ts) == sum(stamp <= ts for stamp in stamps)


def test_columns_and_rows_write_the_same_segment(tmp_path: Path) -> None:
    columns = bulk(1_000)
    one = TapeWriter(tmp_path / "one", ("a", "b"))
    one.append(columns)
    two = TapeWriter(tmp_path / "two", ("a", "b"))
    for ts, kind, instrument, price in zip(*(c.tolist() for c in columns.values()), strict=True):
        two.row(ts, kind, instrument, price)
    first, second = one.close(), two.close()
    assert first is not None
    assert second is not None
    assert first.digest == second.digest


def test_columns_are_mapped_read_only_and_loadable_by_numpy_alone(tmp_path: Path) -> None:
    writer = TapeWriter(tmp_path, ("a",))
    prices(writer, 0, 10)
    segment = writer.close()
    assert segment is not None
    assert isinstance(segment["price"], np.memmap)
    with pytest.raises(ValueError, match="read-only"):
        segment["price"][0] = 1
    np.testing.assert_array_equal(np.load(segment.path / "price.npy"), 5_000 + np.arange(10))


@pytest.mark.parametrize("count", [0, 1, 10**18])
def test_the_header_of_a_column_has_one_length(count: int) -> None:
    for dtype in COLUMNS.values():
        assert len(npy_header(dtype, count)) == NPY_HEADER


def test_the_layout_of_a_row_is_that_of_the_columns() -> None:
    assert {name: ROW[name] for name in ROW.names or ()} == COLUMNS


def test_instruments_of_all_segments_are_one_list(tmp_path: Path) -> None:
    writer = TapeWriter(tmp_path, ("a", "b"))
    writer.row(1, TapeKind.PRICE, 1, 10)
    writer.close()
    writer = TapeWriter(tmp_path, ("c", "b"))
    writer.row(2, TapeKind.PRICE, 0, 20)
    writer.row(3, TapeKind.PRICE, 1, 30)
    writer.row(3, TapeKind.PRICE, writer.instrument("d"), 40)
    assert writer.instrument("c") == 0
    writer.close()
    tape = Tape.open(tmp_path)
    assert tape.instruments == ("a", "b", "c", "d")
    assert [tape.instruments[i] for i in tape.column("instrument")] == ["b", "c", "b", "d"]
    assert [s.instruments for s in tape] == [("a", "b"), ("c", "b", "d")]


def test_names_are_kept_for_their_segment(tmp_path: Path) -> None:
    writer = TapeWriter(tmp_path, ("a",))
    wallet = writer.name("0xw\n")
    assert writer.name("0xw\n") == wallet == 1
    writer.row(1, TapeKind.TRADE, 0, 5_000, 10, side=-1, aux=wallet)
    writer.row(2, TapeKind.CLEAR, 0, 0, aux=writer.name("lost"))
    writer.seal()
    writer.row(3, TapeKind.TRADE, 0, 5_000, 10, side=1, aux=writer.name("lost"))
    writer.close()
    assert [s.names for s in Tape.open(tmp_path)] == [("0xw\n", "lost"), ("lost",)]


def test_a_segment_without_rows_is_not_made(tmp_path: Path) -> None:
    writer = TapeWriter(tmp_path, ("a",))
    writer.flush(sync=True)
    assert writer.seal() is None
    assert writer.close() is None
    assert list(tmp_path.iterdir()) == []
    with pytest.raises(DataError, match="no sealed tape segment"):
        Tape.open(tmp_path)


def test_sealing_can_happen_while_the_next_segment_is_written(tmp_path: Path) -> None:
    writer = TapeWriter(tmp_path, ("a",))
    prices(writer, 0, 5)
    part = writer.roll()
    prices(writer, 5, 8)
    writer.flush(sync=True)
    assert part is not None
    assert seal_part(part).rows == 5
    writer.close()
    assert Tape.open(tmp_path).column("ts").tolist() == list(range(8))


def test_opening_a_large_segment_is_quick(tmp_path: Path) -> None:
    """2 million rows; the limit is far above what mapping takes and far below what reading does."""
    writer = TapeWriter(tmp_path, ("a", "b"))
    writer.append(bulk(2_000_000))
    writer.close()
    took = []
    for _ in range(3):
        begin = time.perf_counter()
        tape = Tape.open(tmp_path)
        assert tape.column("price")[-1] == 5_099
        took.append(time.perf_counter() - begin)
    assert min(took) < 0.05


# ---- what is not accepted ------------------------------------------------------------------


@pytest.mark.parametrize(
    "wrong",
    [
        {"ts": 4},
        {"kind": 0},
        {"kind": 99},
        {"instrument": 2},
        {"instrument": -1},
        {"side": 2},
        {"size": -1},
        {"price": 2**63},
        {"flag": 256},
        {"ts_venue": "x"},
    ],
)
def test_a_bad_row_is_refused_and_leaves_no_trace(tmp_path: Path, wrong: dict) -> None:
    writer = TapeWriter(tmp_path, ("a", "b"))
    writer.row(5, TapeKind.PRICE, 0, 1)
    good = {"ts": 6, "kind": TapeKind.PRICE, "instrument": 0, "price": 1, "size": 0}
    with pytest.raises(DataError):
        writer.row(**(good | wrong))
    writer.row(**good)
    segment = writer.close()
    assert segment is not None
    assert segment["ts"].tolist() == [5, 6]


def changed(name: str, row: int, value: int, dtype: type = np.int64) -> dict[str, np.ndarray]:
    columns = bulk(10) | {name: bulk(10).get(name, np.zeros(10)).astype(dtype)}
    columns[name][row] = value
    return columns


@pytest.mark.parametrize(
    ("columns", "message"),
    [
        (changed("ts", 4, 1), "row 4 of 10 .* ts is before"),
        (changed("ts", 0, -1), "row 0 of 10 .* ts is before"),
        (changed("kind", 7, 0), "row 7 of 10 .* kind is unknown"),
        (changed("kind", 7, 200), "row 7 of 10 .* kind is unknown"),
        (changed("kind", 7, 300), "column kind has 1 to 300"),
        (changed("instrument", 3, 5), "row 3 of 10 .* instrument is not listed"),
        (changed("instrument", 3, -1), "row 3 of 10 .* instrument is not listed"),
        (changed("side", 3, 2), "row 3 of 10 .* side is none of"),
        (changed("size", 3, -2), "row 3 of 10 .* size is negative"),
        (bulk(10) | changed("price", 0, 1, np.float64), "column price is float64"),
        (bulk(10) | {"price": np.zeros(9, np.int64)}, r"column price is int64 of shape \(9,\)"),
        (bulk(10) | {"volume": np.zeros(10, np.int64)}, "'volume'. are unknown"),
        ({"ts": np.arange(3)}, "'instrument', 'kind', 'price'. are missing"),
        (changed("kind", 2, 7) | {"aux": np.full(10, 1)}, "row 2 of 10 .* aux names nothing"),
    ],
)
def test_bad_columns_are_refused_whole(tmp_path: Path, columns: dict, message: str) -> None:
    writer = TapeWriter(tmp_path, ("a", "b"))
    writer.row(0, TapeKind.PRICE, 0, 1)
    with pytest.raises(DataError, match=message):
        writer.append(columns)
    segment = writer.close()
    assert segment is not None
    assert segment.rows == 1


def test_unsorted_segments_are_refused(tmp_path: Path) -> None:
    for first in (10, 5):
        writer = TapeWriter(tmp_path / str(first), ("a",))
        prices(writer, first, first + 3)
        writer.close()
    with pytest.raises(DataError, match="a row of ts 5 after one of ts 12"):
        prices(TapeWriter(tmp_path / "10", ("a",)), 5, 6)
    moved = tmp_path / "5" / segment_name(0)
    info = (moved / "segment.json").read_text().replace('"segment": 0', '"segment": 1')
    (moved / "segment.json").write_text(info)
    moved.rename(tmp_path / "10" / segment_name(1))
    with pytest.raises(GapError, match="begins at 5, before segment-00000000 ends"):
        Tape.open(tmp_path / "10")


def test_an_instrument_twice_is_refused(tmp_path: Path) -> None:
    with pytest.raises(DataError, match="named twice"):
        TapeWriter(tmp_path, ("a", "a"))


# ---- damage after the seal -----------------------------------------------------------------


@pytest.fixture
def sealed(tmp_path: Path) -> Path:
    writer = TapeWriter(tmp_path, ("a",))
    for first in (0, 10, 20):
        prices(writer, first, first + 10)
        writer.seal()
    return tmp_path


def test_every_flipped_byte_of_a_segment_is_found(tmp_path: Path) -> None:
    writer = TapeWriter(tmp_path, ("a",))
    prices(writer, 0, 3)
    writer.close()
    digest = Tape.open(tmp_path).segments[0].digest
    for name in (*COLUMNS, "segment"):
        file = tmp_path / segment_name(0) / ("segment.json" if name == "segment" else f"{name}.npy")
        data = file.read_bytes()
        for place in range(len(data)):
            edited = bytearray(data)
            edited[place] ^= 0x01
            file.write_bytes(edited)
            try:
                segment = Segment(tmp_path / segment_name(0))
                segment.verify()
            except GapError:
                continue
            # only what the description alone says is left to the journal's hash of it
            assert name == "segment"
            assert segment.digest != digest
        file.write_bytes(data)
    Tape.open(tmp_path).verify()


@pytest.mark.parametrize("name", list(COLUMNS))
def test_a_cut_column_is_named_when_the_tape_is_opened(sealed: Path, name: str) -> None:
    file = sealed / segment_name(1) / f"{name}.npy"
    file.write_bytes(file.read_bytes()[:-1])
    with pytest.raises(GapError, match=f"{name}.npy has {file.stat().st_size} bytes") as caught:
        Tape.open(sealed)
    assert "segment-00000001 from a backup" in str(caught.value.hint)
    file.unlink()
    with pytest.raises(GapError, match=f"{name}.npy has 0 bytes"):
        Tape.open(sealed)


def test_a_column_of_another_type_is_refused(sealed: Path) -> None:
    file = sealed / segment_name(1) / "price.npy"
    file.write_bytes(npy_header(np.dtype("<u8"), 10) + file.read_bytes()[NPY_HEADER:])
    with pytest.raises(GapError, match=r"price.npy holds \(10,\) <u8"):
        Tape.open(sealed).column("price")
    file.write_bytes(b"x" * file.stat().st_size)
    with pytest.raises(GapError, match="cannot be mapped"):
        Tape.open(sealed).column("price")


def test_a_missing_segment_is_a_gap(sealed: Path) -> None:
    (sealed / segment_name(1)).rename(sealed / "elsewhere")
    with pytest.raises(GapError, match="segment-00000001 is missing"):
        Tape.open(sealed)
    (sealed / segment_name(0)).rename(sealed / "older")
    tape = Tape.open(sealed)  # the oldest may be put away
    assert tape.locate(0) == (2, 0)
    for number in (1, 3):
        with pytest.raises(GapError, match=f"no segment {number}"):
            tape.segment(number)


def test_places_beyond_the_tape_are_refused(sealed: Path) -> None:
    tape = Tape.open(sealed)
    for place in (-1, 30):
        with pytest.raises(DataError, match=f"no row {place}"):
            tape.locate(place)
    with pytest.raises(DataError, match="no row 10"):
        tape.place(1, 10)


@pytest.mark.parametrize(
    ("old", "new", "message"),
    [
        ('"format": 1', '"format": 2', "tape format 2"),
        ('"rows": 10', '"rows": 11', "bytes"),
        ('"rows": 10', '"rows": "x"', "is damaged"),
        ('"segment": 1', '"segment": 7', "says it is segment 7"),
        ('"<i4"', '"<i8"', "names columns"),
        ("{", "", "is damaged"),
    ],
)
def test_a_wrong_description_is_refused(sealed: Path, old: str, new: str, message: str) -> None:
    file = sealed / segment_name(1) / "segment.json"
    file.write_text(file.read_text().replace(old, new))
    with pytest.raises(GapError, match=message):
        Tape.open(sealed)


def test_a_missing_description_is_refused(sealed: Path) -> None:
    (sealed / segment_name(1) / "segment.json").unlink()
    with pytest.raises(GapError, match="cannot be read"):
        Tape.open(sealed)


# ---- crashes ---------------------------------------------------------------------------------


@tmp
@given(rows, st.integers(0, 48 * 20))
def test_a_crash_loses_only_incomplete_rows(tmp_path: Path, found: list, size: int) -> None:
    path = fresh(tmp_path)
    writer = TapeWriter(path, ("a", "b", "c"))
    write_rows(writer, found)
    writer.abandon()
    file = path / f"{segment_name(0)}.part" / "rows.bin"
    data = file.read_bytes()
    file.write_bytes(data[:size])
    whole = min(size, len(data)) // ROW.itemsize
    (left,) = recover_parts(path)
    assert left.dropped_bytes == min(size, len(data)) % ROW.itemsize
    assert not list(path.glob("*.part"))
    if whole == 0:
        assert left.segment is None
        return
    assert left.segment is not None
    left.segment.verify()
    for place, name in enumerate(ORDER):
        assert left.segment[name].tolist() == [int(row[place]) for row in found[:whole]]


def test_the_next_writer_seals_what_a_crash_left_and_goes_on(tmp_path: Path) -> None:
    writer = TapeWriter(tmp_path, ("a",))
    prices(writer, 0, 5)
    writer.seal()
    prices(writer, 5, 8)
    writer.abandon()
    with pytest.raises(DataError, match="a row of ts 3"):
        prices(TapeWriter(tmp_path, ("a",)), 3, 4)
    writer = TapeWriter(tmp_path, ("a",))
    assert writer.recovered == ()  # the one before did it
    assert writer.position == (2, 0)
    prices(writer, 8, 10)
    writer.close()
    assert Tape.open(tmp_path).column("ts").tolist() == list(range(10))


def test_zeros_that_a_stopped_machine_left_are_dropped(tmp_path: Path) -> None:
    writer = TapeWriter(tmp_path, ("a",))
    prices(writer, 0, 5)
    writer.abandon()
    file = tmp_path / f"{segment_name(0)}.part" / "rows.bin"
    data = file.read_bytes()
    file.write_bytes(data + bytes(1_000))
    (left,) = recover_parts(tmp_path)
    assert left.dropped_bytes == 1_000
    assert left.segment is not None
    assert left.segment.rows == 5


def test_a_hole_of_zeros_between_rows_is_not_healed(tmp_path: Path) -> None:
    writer = TapeWriter(tmp_path, ("a",))
    prices(writer, 0, 5)
    writer.abandon()
    file = tmp_path / f"{segment_name(0)}.part" / "rows.bin"
    data = bytearray(file.read_bytes())
    data[48:96] = bytes(48)
    file.write_bytes(data)
    with pytest.raises(GapError, match=r"rows\.bin has a bad row 1") as caught:
        TapeWriter(tmp_path, ("a",))
    assert "mv '" in str(caught.value.hint)
    (tmp_path / f"{segment_name(0)}.part").rename(tmp_path / f"{segment_name(0)}.part.damaged")
    prices(TapeWriter(tmp_path, ("a",)), 0, 1)


def test_a_stop_while_sealing_is_done_again(tmp_path: Path) -> None:
    writer = TapeWriter(tmp_path, ("a",))
    prices(writer, 0, 5)
    writer.abandon()
    staging = tmp_path / f"{segment_name(0)}.sealing"
    staging.mkdir()
    (staging / "ts.npy").write_bytes(b"half")
    (left,) = recover_parts(tmp_path)
    assert left.segment is not None
    left.segment.verify()
    # stopped between the rename and the removal of the rows
    stale = tmp_path / f"{segment_name(0)}.part"
    stale.mkdir()
    (stale / "rows.bin").write_bytes(b"x")
    assert recover_parts(tmp_path) == ()
    assert sorted(p.name for p in tmp_path.iterdir()) == [segment_name(0)]


def test_a_segment_being_written_is_not_taken_away_from_its_writer(tmp_path: Path) -> None:
    writer = TapeWriter(tmp_path, ("a",))
    prices(writer, 0, 5)
    writer.flush()
    with pytest.raises(UserError, match="another process"):
        TapeWriter(tmp_path, ("a",))
    with pytest.raises(DataError, match=r"only segment-00000000\.part"):
        Tape.open(tmp_path)
    writer.close()


def test_a_refused_write_loses_nothing(tmp_path: Path) -> None:
    writer = TapeWriter(tmp_path, ("a",))
    prices(writer, 0, 5)
    with file_limit(100), pytest.raises(DataError, match="could not be written"):
        writer.flush(sync=True)
    prices(writer, 5, 10)
    writer.flush(sync=True)
    part = writer.roll()
    assert part is not None
    with file_limit(NPY_HEADER + 20), pytest.raises(DataError, match="could not be sealed"):
        seal_part(part)
    assert seal_part(part)["ts"].tolist() == list(range(10))


def test_damaged_lists_are_named(tmp_path: Path) -> None:
    writer = TapeWriter(tmp_path, ("a",))
    prices(writer, 0, 5)
    writer.abandon()
    (tmp_path / f"{segment_name(0)}.part" / "lists.jsonl").write_bytes(
        b'["instrument"]\n["x","y"]\n'
    )
    with pytest.raises(GapError, match=r"lists\.jsonl is damaged"):
        recover_parts(tmp_path)


def test_flags_and_findings_share_a_column_without_a_clash() -> None:
    findings = sum(Flag)
    assert not TapeFlag.MORE & findings
    assert TapeFlag.MORE | findings <= np.iinfo(COLUMNS["flag"]).max
