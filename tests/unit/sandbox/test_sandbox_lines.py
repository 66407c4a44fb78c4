"""A socket's outgoing side: frames below the limit, nothing lost, slow readers dropped."""

from __future__ import annotations

import asyncio
import json

import pytest
from hypothesis import given
from hypothesis import strategies as st

from polyframe.sandbox.sockets.line import Line, Whole, array, framed

EVENTS = st.lists(
    st.one_of(
        st.integers(0, 60).map(lambda n: json.dumps({"n": "x" * n}).encode()),
        st.just(Whole(b"PONG")),
    ),
    max_size=40,
)


@given(EVENTS, st.integers(80, 400))
def test_frames_hold_every_event_in_order_and_stay_below_the_limit(events, limit: int) -> None:
    found: list[object] = []
    for frame, _ in framed(events, limit):
        assert len(frame) < limit
        if frame == b"PONG":
            found.append("PONG")
            continue
        said = json.loads(frame)
        found += said if isinstance(said, list) else [said]
    wanted = ["PONG" if event == b"PONG" else json.loads(event) for event in events]
    assert found == wanted
    assert sum(size for _, size in framed(events, limit)) == sum(map(len, events))


@given(st.lists(st.integers(0, 50), min_size=1, max_size=30), st.integers(80, 300))
def test_the_first_books_are_always_arrays(sizes: list[int], limit: int) -> None:
    events = [json.dumps({"n": "x" * size}).encode() for size in sizes]
    frames = list(array(events, limit))
    assert [each for frame in frames for each in json.loads(frame)] == [
        json.loads(event) for event in events
    ]
    assert all(len(frame) < limit for frame in frames)


async def test_what_comes_together_goes_together() -> None:
    sent: list[str] = []

    async def send(message) -> None:
        sent.append(message["text"])

    line = Line(send, lambda: None)
    task = asyncio.create_task(line.run())
    line.put(b"1")
    await asyncio.sleep(0)
    await asyncio.sleep(0)
    line.put(b"2")
    line.put(b"3")
    await asyncio.sleep(0.01)
    assert sent == ["1", "[2,3]"]
    assert line.waiting == 0
    task.cancel()
    with pytest.raises(asyncio.CancelledError):
        await task


async def test_a_reader_that_does_not_read_is_cut_and_holds_no_memory() -> None:
    cut: list[bool] = []
    stuck = asyncio.Event()

    async def send(message) -> None:
        await stuck.wait()

    line = Line(send, lambda: cut.append(True), most_waiting=1_000)
    task = asyncio.create_task(line.run())
    for _ in range(200):
        line.put(b"x" * 10)
        await asyncio.sleep(0)
    assert cut == [True]
    assert line.closed
    stuck.set()
    await task
