"""Order flow row by row against plain Python, and what every book of it must keep."""

from __future__ import annotations

import numpy as np
import pytest
from flow_twin import Draws, Market, Touch
from hypothesis import given, settings
from hypothesis import strategies as st

from polyframe.kernels import moment_nb, survey_nb
from polyframe.lab import flow_runs
from polyframe.lab.flow_runs import run_agents, run_touch
from polyframe.lab.flow_spec import FlowSpec, TouchSpec
from polyframe.store.tape_rows import TapeFlag, TapeKind, first_fault

NAMES = ("ts_venue", "price", "size", "kind", "side", "flag")

SPECS = st.builds(
    FlowSpec,
    start_probability=st.floats(0.02, 0.98),
    seconds=st.floats(1.0, 12.0),
    information=st.floats(0.0, 2.0),
    jumps=st.floats(0.0, 10.0),
    jump_size=st.floats(0.0, 3.0),
    sweep=st.sampled_from([0.0, 0.5, 1.0]),
    makers=st.integers(1, 12),
    hold=st.floats(0.1, 4.0),
    noise=st.floats(0.0, 5.0),
    half_spread=st.floats(0.0, 4.0),
    depth=st.floats(0.0, 12.0),
    order_size=st.floats(0.01, 50.0),
    order_spread=st.floats(0.0, 2.0),
    takers=st.floats(0.0, 8.0),
    branching=st.floats(0.0, 0.9),
    fade=st.floats(0.1, 5.0),
    informed=st.floats(0.0, 1.0),
    edge=st.floats(0.0, 2.0),
    reach=st.floats(0.0, 10.0),
    buys=st.floats(0.0, 1.0),
    take_size=st.floats(0.01, 100.0),
    take_spread=st.floats(0.0, 2.0),
    tick=st.sampled_from([10, 100]),
    lot=st.sampled_from([1, 10_000, 5_000_000]),
    start=st.just(0),
    feed=st.sampled_from([0, 7]),
)


def stream(seed):
    return np.array([seed], np.uint64)


def rows_of(run, skip=0):
    return [
        tuple(row)
        for row in np.array([run.columns[name].astype(np.int64) for name in NAMES])
        .T[skip:]
        .tolist()
    ]


def wanted(rows):
    return [(*row[:5], row[5] * int(TapeFlag.MORE)) for row in rows]


@given(spec=SPECS, seed=st.integers(0, 2**63))
def test_agents_are_the_twins(spec, seed):
    run = run_agents(spec, stream(seed))
    twin = Market(spec, Draws(seed))
    twin.run()
    opening = twin.opening
    head = 2 + len(opening[1]) + len(opening[-1])
    levels = {1: {}, -1: {}}
    for row in rows_of(run)[1 : head - 1]:
        levels[row[4]][row[1] // spec.tick] = row[2]
    assert levels == opening
    assert rows_of(run, head) == wanted(twin.rows)
    assert run.truth[head:] == pytest.approx(np.array(twin.truth), rel=1e-9, abs=1e-12)
    assert run.counts._asdict() == twin.counts
    assert run.happened == (twin.belief.sign > 0)


def test_a_busy_market_is_the_twins_in_all_that_can_happen():
    spec = FlowSpec(seconds=60.0, jumps=60.0, jump_size=0.8, informed=0.3, sweep=0.7, start=0)
    run, twin = run_agents(spec, stream(7)), Market(spec, Draws(7))
    twin.run()
    assert rows_of(run)[-len(twin.rows) :] == wanted(twin.rows)
    assert run.counts._asdict() == twin.counts
    assert min(run.counts) > 5
    sides = {(row[3], row[4]) for row in twin.rows}
    assert sides == {(kind, side) for kind in (4, 7) for side in (1, -1)}


@given(spec=SPECS, seed=st.integers(0, 2**63))
def test_every_book_is_possible(spec, seed):
    columns = run_agents(spec, stream(seed)).columns
    assert first_fault(columns, 1, 0) is None
    assert (np.diff(columns["ts"]) >= 0).all()
    assert (columns["ts"] - columns["ts_venue"] == spec.feed).all()
    check(columns, spec.tick, spec.lot, aggregate=True)


TOUCHES = st.builds(
    TouchSpec,
    price=st.floats(1.0, 100.0),
    seconds=st.floats(1.0, 20.0),
    volatility=st.floats(0.0, 10.0),
    moves=st.floats(0.1, 10.0),
    half_spread=st.integers(1, 20),
    takers=st.floats(0.0, 5.0),
    reach=st.floats(0.1, 50.0),
    rest_size=st.floats(0.01, 10.0),
    take_size=st.floats(0.01, 10.0),
    size_decimals=st.integers(4, 6),
    start=st.just(0),
)


@given(spec=TOUCHES, seed=st.integers(0, 2**63))
def test_a_touch_is_the_twins(spec, seed):
    run = run_touch(spec, stream(seed))
    twin = Touch(spec, Draws(seed))
    twin.run()
    assert rows_of(run, 4) == wanted(twin.rows[2:])
    assert [row[:5] for row in rows_of(run)[1:3]] == [row[:5] for row in twin.rows[1::-1]]
    assert run.truth[4:] == pytest.approx(np.array(twin.mids[2:]) * spec.tick, rel=1e-9)
    assert first_fault(run.columns, 1, 0) is None
    check(run.columns, spec.tick, spec.lot, aggregate=False)


def check(columns, tick, lot, aggregate):
    """Runs through a tape as whoever reads it would.

    ``aggregate``: trades take from what stands, and the row after one says what it left.
    """
    books = {1: {}, -1: {}}
    owed = None
    whole = False
    told = zip(
        *(columns[name].tolist() for name in ("ts", "price", "size", "kind", "side", "flag")),
        strict=True,
    )
    before = None
    for ts, price, size, kind, side, flag in told:
        assert before is None or (ts == before[0]) == bool(before[1] & TapeFlag.MORE)
        before = (ts, flag)
        if kind == TapeKind.SNAPSHOT_BEGIN:
            assert not whole
        elif kind == TapeKind.SNAPSHOT_END:
            whole = True
        elif kind == TapeKind.TRADE:
            assert whole
            assert owed is None
            assert size > 0
            assert size % lot == 0
            if aggregate:
                best = min(books[-1]) if side > 0 else max(books[1])
                assert price == best
                assert size <= books[-side][price]
                owed = (-side, price, books[-side][price] - size)
                assert flag & TapeFlag.MORE
        else:
            assert kind == TapeKind.LEVEL
            assert price > 0
            assert price % tick == 0
            assert not aggregate or price < 10_000
            assert size >= 0
            assert size % lot == 0
            if owed is not None:
                assert (side, price, size) == owed
                owed = None
            if size:
                books[side][price] = size
            else:
                del books[side][price]  # nothing is removed that is not there
            if books[1] and books[-1]:
                assert max(books[1]) < min(books[-1])
    assert whole
    assert owed is None
    assert not before[1] & TapeFlag.MORE


@settings(max_examples=5)
@given(seed=st.integers(0, 2**63))
def test_rows_do_not_depend_on_the_room(seed):
    spec = FlowSpec(seconds=60.0)
    whole = run_agents(spec, stream(seed))
    room = flow_runs._ROOM
    flow_runs._ROOM = 37
    try:
        parts = run_agents(spec, stream(seed))
    finally:
        flow_runs._ROOM = room
    assert rows_of(whole) == rows_of(parts)
    assert whole.truth.tolist() == parts.truth.tolist()


def test_kinds_are_those_of_the_tape():
    assert (moment_nb.LEVEL, moment_nb.TRADE) == (TapeKind.LEVEL, TapeKind.TRADE)
    assert (survey_nb.LEVEL, survey_nb.BEGIN, survey_nb.END, survey_nb.CLEAR) == (
        TapeKind.LEVEL,
        TapeKind.SNAPSHOT_BEGIN,
        TapeKind.SNAPSHOT_END,
        TapeKind.CLEAR,
    )
