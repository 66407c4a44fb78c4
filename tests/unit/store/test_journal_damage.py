"""What is read back from a damaged journal: an error or a clean torn tail, never wrong data."""

from __future__ import annotations

import itertools
from pathlib import Path

import msgspec
import pytest
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st
from journal_cases import golden, header, steps

from polyframe.domain.events import TimerFired
from polyframe.errors import DataError, GapError, UserError
from polyframe.store.framing import Head, TailKind, pack_block, pack_header
from polyframe.store.journal import JournalReader, JournalWriter
from polyframe.store.records import Closed, Record, Step

GOLDEN = golden()
tmp = settings(suppress_health_check=[HealthCheck.function_scoped_fixture])


def timer(ts: int) -> TimerFired:
    return TimerFired(ts, "alpha", "k")


def small(path: Path, blocks: int = 4) -> list[int]:
    """A journal of short blocks; the offsets at which they start, and the file's end."""
    writer = JournalWriter.create(path, header())
    for ts in range(1, blocks):
        writer.step(timer(ts), ())
        writer.seal_block()
    writer.close()
    reader = JournalReader(path)
    starts = [block.start.offset for block in reader.blocks()]
    return [*starts, path.stat().st_size]


def read_all(path: Path) -> list[Record]:
    return list(JournalReader(path))


def test_every_flipped_byte_is_found(tmp_path: Path) -> None:
    path = tmp_path / "j"
    small(path)
    data = path.read_bytes()
    for place in range(len(data)):
        for mask in (0x01, 0x80, 0xFF):
            edited = bytearray(data)
            edited[place] ^= mask
            path.write_bytes(edited)
            with pytest.raises(GapError):
                JournalReader(path).verify()


@tmp
@given(st.data(), st.lists(steps, min_size=1, max_size=5))
def test_every_change_of_a_random_journal_is_found(tmp_path: Path, data, run: list) -> None:
    path = tmp_path / "j"
    path.unlink(missing_ok=True)
    with JournalWriter.create(path, header()) as writer:
        for event, effects in run:
            writer.step(event, effects)
            writer.seal_block()
    content = bytearray(path.read_bytes())
    place = data.draw(st.integers(0, len(content) - 1))
    content[place] ^= data.draw(st.integers(1, 255))
    path.write_bytes(content)
    with pytest.raises(GapError):
        JournalReader(path).verify()


def test_every_truncation_is_a_torn_tail_or_an_error(tmp_path: Path) -> None:
    path = tmp_path / "j"
    starts = small(path)
    data = path.read_bytes()
    whole = read_all(path)
    for size in range(len(data)):
        path.write_bytes(data[:size])
        if size < starts[0]:
            with pytest.raises(GapError, match="ends inside its header"):
                JournalReader(path)
            continue
        got = read_all(path)
        tail = JournalReader(path).verify().tail
        complete = sum(start <= size for start in starts[1:])
        assert got == whole[:complete]
        if size in starts:
            assert tail.kind is TailKind.OPEN
            assert tail.torn_bytes == 0
        else:
            assert tail.kind is TailKind.TORN
            assert tail.torn_bytes == size - starts[complete]


def test_zeros_that_a_stopped_machine_left_are_a_torn_tail(tmp_path: Path) -> None:
    path = tmp_path / "j"
    starts = small(path)
    data = path.read_bytes()
    for zeros in (1, 40, 5_000):
        path.write_bytes(data[: starts[2]] + bytes(zeros))
        verified = JournalReader(path).verify()
        assert verified.steps == 2
        assert verified.tail.kind is TailKind.TORN
        assert verified.tail.torn_bytes == zeros
    path.write_bytes(data[: starts[2]] + bytes(40) + data[starts[2] + 40 :])
    with pytest.raises(GapError, match=f"block 2 at byte {starts[2]}"):
        JournalReader(path).verify()


@pytest.mark.parametrize("order", [(0, 2, 3), (1, 2, 3), (0, 2, 1, 3), (0, 1, 1, 2, 3), (3,)])
def test_removed_moved_and_doubled_blocks_are_found(tmp_path: Path, order: tuple) -> None:
    path = tmp_path / "j"
    starts = small(path)
    data = path.read_bytes()
    blocks = [data[a:b] for a, b in itertools.pairwise(starts)]
    path.write_bytes(data[: starts[0]] + b"".join(blocks[i] for i in order))
    wrong = next(i for i, block in enumerate(order) if block != i)
    offset = starts[0] + sum(len(blocks[i]) for i in order[:wrong])
    with pytest.raises(GapError) as caught:
        JournalReader(path).verify()
    said = str(caught.value)
    assert f"block {wrong} at byte {offset}, after step" in said
    assert f"is not the block that was written here: it calls itself block {order[wrong]}" in said
    assert f"head -c {offset} '{path}'" in str(caught.value.hint)


def test_the_hint_saves_what_is_intact(tmp_path: Path) -> None:
    path = tmp_path / "j"
    starts = small(path)
    data = bytearray(path.read_bytes())
    data[starts[2] + 45] ^= 1
    path.write_bytes(data)
    reader = JournalReader(path)
    kept: list[Record] = []
    with pytest.raises(GapError) as caught:
        kept.extend(reader)
    assert reader.tail is None
    assert "block 2" in str(caught.value)
    intact = tmp_path / "intact"
    intact.write_bytes(data[: starts[2]])
    assert [s.seq for s in JournalReader(intact).steps()] == [1, 2]


def test_a_block_of_another_journal_is_found(tmp_path: Path) -> None:
    starts = small(tmp_path / "a")
    writer = JournalWriter.create(tmp_path / "b", header(session="02S"))
    writer.step(timer(1), ())
    writer.close()
    a = (tmp_path / "a").read_bytes()
    offset = JournalReader(tmp_path / "b").start.offset
    (tmp_path / "b").write_bytes((tmp_path / "b").read_bytes()[:offset] + a[starts[0] :])
    with pytest.raises(GapError, match="block 0"):
        JournalReader(tmp_path / "b").verify()


def test_bytes_after_the_end_are_found(tmp_path: Path) -> None:
    path = tmp_path / "j"
    small(path)
    whole = path.read_bytes()
    for extra in (b"x", b"hello, world", b"x" * 500):
        path.write_bytes(whole + extra)
        with pytest.raises(GapError):
            JournalReader(path).verify()


def test_a_cut_between_blocks_is_found_by_who_kept_the_hash(tmp_path: Path) -> None:
    path = tmp_path / "j"
    starts = small(path)
    whole = JournalReader(path).verify()
    path.write_bytes(path.read_bytes()[: starts[3]])
    reader = JournalReader(path)
    assert reader.verify().tail.kind is TailKind.OPEN
    with pytest.raises(GapError, match="its end was cut off"):
        reader.verify(whole.digest)


def test_a_journal_that_shrinks_while_it_is_read_is_found(tmp_path: Path) -> None:
    path = tmp_path / "j"
    starts = small(path)
    end = list(JournalReader(path).blocks())[-1].end
    path.write_bytes(path.read_bytes()[: starts[2]])
    with pytest.raises(GapError, match="cut away"):
        list(JournalReader(path).records(end))


# ---- well-formed blocks with wrong contents --------------------------------------------------


def forged(path: Path, records: list, *, count: int | None = None, seq: int = 0) -> JournalReader:
    """A journal with one block whose hashes are right and whose contents may be wrong."""
    data, digest = pack_header(msgspec.msgpack.encode(header()))
    payload = msgspec.msgpack.encode(records)
    head = Head(0, 0, len(records) if count is None else count, seq, len(payload))  # type: ignore[arg-type]
    path.write_bytes(data + pack_block(digest, head, payload)[0])
    return JournalReader(path)


def test_a_forged_journal_that_is_right_is_read(tmp_path: Path) -> None:
    reader = forged(tmp_path / "j", [Step(1, 5, timer(5)), Closed(1)], seq=1)
    assert list(reader) == [Step(1, 5, timer(5)), Closed(1)]


@pytest.mark.parametrize(
    ("records", "count", "seq", "message"),
    [
        ([Step(1, 5, timer(5))], 2, 1, "has 1 records"),
        ([Step(2, 5, timer(5))], 1, 2, "step 2 follows step 0"),
        ([Step(1, 5, timer(5)), Step(1, 6, timer(6))], 2, 1, "step 1 follows step 1"),
        ([Step(1, 5, timer(5))], 1, 2, "ends with step 1"),
        ([["unheard", 1]], 1, 0, "cannot be read"),
        ([["step", 1, 5, {"type": "Unheard"}, []]], 1, 1, "cannot be read"),
        ([["step", "one", 5, None, []]], 1, 1, "cannot be read"),
    ],
)
def test_contents_that_do_not_fit_are_refused(
    tmp_path: Path, records: list, count: int, seq: int, message: str
) -> None:
    with pytest.raises(GapError, match=message):
        forged(tmp_path / "j", records, count=count, seq=seq).verify()


# ---- other files -----------------------------------------------------------------------------


def test_a_file_that_is_no_journal_is_named(tmp_path: Path) -> None:
    path = tmp_path / "j"
    path.write_text("ts,price\n1,0.5\n")
    with pytest.raises(GapError, match="is no journal"):
        JournalReader(path)
    with pytest.raises(DataError, match="is not there"):
        JournalReader(tmp_path / "none")
    with pytest.raises((DataError, UserError)):
        JournalReader(tmp_path)


def test_a_newer_format_is_refused_by_number(tmp_path: Path) -> None:
    fields = msgspec.to_builtins(header()) | {"format": 2, "polyframe": "9.9"}
    data, _ = pack_header(msgspec.msgpack.encode(fields))
    (tmp_path / "j").write_bytes(data)
    with pytest.raises(GapError, match="format 2") as caught:
        JournalReader(tmp_path / "j")
    assert caught.value.expected == "format 1"
    assert "9.9" in str(caught.value.hint)


@pytest.mark.parametrize("payload", [b"\xc1", msgspec.msgpack.encode({"format": 1})])
def test_a_header_that_is_not_one_is_refused(tmp_path: Path, payload: bytes) -> None:
    (tmp_path / "j").write_bytes(pack_header(payload)[0])
    with pytest.raises(GapError, match="header cannot be read"):
        JournalReader(tmp_path / "j")
