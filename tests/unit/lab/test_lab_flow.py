"""Tapes of synthetic order flow: several markets, the same rows for a seed, written and read."""

from __future__ import annotations

import hashlib
import json

import msgspec
import numpy as np
import pytest

from polyframe.errors import DataError, UserError
from polyframe.lab.flow import (
    FlowSpec,
    TouchSpec,
    arrivals,
    beliefs,
    generate,
    main,
    read_note,
    write,
)
from polyframe.lab.flow_figures import measure
from polyframe.store.tape import Tape
from polyframe.store.tape_rows import COLUMNS, TapeFlag, TapeKind, first_fault

SHORT = FlowSpec(seconds=30.0)
MIXED = (SHORT, FlowSpec(seconds=20.0, start_probability=0.9, tick=10), TouchSpec(seconds=40.0))


def digest(flow):
    columns = b"".join(flow.columns[name].tobytes() for name in COLUMNS)
    return hashlib.sha256(columns).hexdigest()


def test_the_rows_of_a_seed_are_the_same_everywhere():
    """Written down once: another machine, release of numpy or compiler must give these too."""
    assert digest(generate(MIXED, 5)) == DIGEST
    assert digest(generate(MIXED, 6)) != DIGEST


DIGEST = "1b71558e2c635f4fc71c2110c9a001d4a53c11239390cedfdf05fc9851ec7f80"


def test_another_market_leaves_the_first_as_it_was():
    alone, among = generate(SHORT, 5), generate(MIXED, 5)
    mine = among.rows_of(0)
    for name in set(COLUMNS) - {"flag"}:
        assert mine[name].tolist() == alone.columns[name].tolist()
    assert among.note.figures[0] == alone.note.figures[0]
    assert among.note.resolutions[0] == alone.note.resolutions[0]


def test_several_markets_are_one_tape():
    flow = generate(MIXED, 5)
    columns, note = flow.columns, flow.note
    assert {name: values.dtype for name, values in columns.items()} == COLUMNS
    assert first_fault(columns, len(note.instruments), 0) is None
    assert len(flow.truth) == len(columns["ts"])
    same = columns["ts"][1:] == columns["ts"][:-1]
    assert (((columns["flag"] & TapeFlag.MORE) != 0)[:-1] == same).all()
    for n in range(3):
        kind = flow.rows_of(n)["kind"]
        begins, ends = (np.flatnonzero(kind == k)[0] for k in (5, 6))
        assert begins == 0
        assert (kind[1:ends] == TapeKind.LEVEL).all()
        assert flow.rows_of(n)["aux"][[0, ends]].tolist() == [ends - 1, ends - 1]
    assert [r.market for r in note.resolutions] == ["flow-0000", "flow-0001"]
    for resolution, market in zip(note.resolutions, note.markets, strict=False):
        assert sum(resolution.payouts) == 1_000_000
        assert resolution.known_at > market.closes >= columns["ts_venue"].max() - 40 * 10**9
        last = flow.truth[columns["instrument"] == note.markets.index(market)][-1]
        assert (last > 0.5) == (resolution.payouts[0] > 0)
    assert [m.tick for m in note.markets] == [100, 10, 1]
    assert note.markets[0].binary
    assert not note.markets[2].binary
    assert 5_000_000 < note.figures[2].spread * 60_000 < 7_000_000


def test_moments_of_two_markets_that_fall_together_are_one():
    columns = generate((SHORT, SHORT), 1).columns
    first = columns["ts"] == columns["ts"][0]
    assert set(columns["instrument"][first].tolist()) == {0, 1}
    flags = columns["flag"][first].tolist()
    assert flags == [int(TapeFlag.MORE)] * (len(flags) - 1) + [0]


def test_a_written_tape_is_read_back(tmp_path):
    flow = generate(MIXED, 5)
    write(flow, tmp_path / "tape")
    tape = Tape.open(tmp_path / "tape")
    tape.verify()
    assert tape.instruments == flow.note.instruments
    for name in COLUMNS:
        assert tape.column(name).tolist() == flow.columns[name].tolist()
    note = read_note(tmp_path / "tape")
    assert note == flow.note
    assert digest(generate(note.specs, note.seed)) == digest(flow)


def test_a_tape_is_never_mixed_with_another(tmp_path):
    flow = generate(SHORT, 1)
    write(flow, tmp_path)
    with pytest.raises(UserError, match="is not empty"):
        write(flow, tmp_path)
    with pytest.raises(DataError, match=r"flow\.json cannot be read"):
        read_note(tmp_path / "segment-00000000")


def test_figures_are_those_of_a_book_made_by_hand():
    s = 10**9
    rows = [
        # ts, price, size, kind, side
        (0, 0, 0, 5, 0), (0, 4900, 3, 4, 1), (0, 4700, 5, 4, 1), (0, 5000, 2, 4, -1),
        (0, 5200, 7, 4, -1), (0, 0, 0, 6, 0),
        (2 * s, 5000, 2, 7, 1), (2 * s, 5000, 0, 4, -1),  # the spread is three ticks now
        (3 * s, 4900, 1, 7, -1), (3 * s, 4900, 2, 4, 1),
        (5 * s, 4900, 0, 4, 1), (6 * s, 4800, 0, 4, 1),
    ]  # fmt: skip
    ts, price, size, kind, side = (np.array(c, np.int64) for c in zip(*rows, strict=True))
    columns = {"ts": ts, "price": price, "size": size, "kind": kind, "side": side}
    found = measure(columns, 100, one=10_000, size_one=1)
    assert found.rows == 12
    assert found.seconds == 6.0
    # 1 tick for 2 s, 3 ticks for 3 s, 5 ticks for 1 s.
    assert found.spread == pytest.approx((1 * 2 + 3 * 3 + 5 * 1) / 6)
    assert found.spread_shares == pytest.approx((2 / 6, 0.0, 3 / 6, 1 / 6))
    best = (3 * 2 + 3 * 1 + 2 * 2 + 5 * 1) + (2 * 2 + 7 * 4)
    second = (5 * 5) + (7 * 2)
    assert found.depth[:3] == pytest.approx((best / 12, 0.0, second / 12))
    assert found.deep == pytest.approx(second / 36)
    assert found.trades == pytest.approx(2 / 6)
    assert found.take_size == 1.5
    assert found.take_spread == pytest.approx(np.log(2) / 2)
    mids = np.array([49.5, 49.5, 50.5, 50.5, 50.5, 49.5])
    assert found.mid_move == pytest.approx(np.diff(mids).std())


@pytest.mark.parametrize(
    ("row", "what"), [((2, 4950, 1, 4, 1), "price 4950"), ((2, 5100, 1, 4, 1), "ask 50")]
)
def test_figures_of_an_impossible_book_are_refused(row, what):
    rows = [(0, 0, 0, 5, 0), (0, 4900, 3, 4, 1), (0, 5000, 2, 4, -1), (1, 0, 0, 6, 0), row,
            (9, 4800, 1, 4, 1)]  # fmt: skip
    ts, price, size, kind, side = (np.array(c, np.int64) for c in zip(*rows, strict=True))
    columns = {"ts": ts, "price": price, "size": size, "kind": kind, "side": side}
    with pytest.raises(DataError, match=what):
        measure(columns, 100, one=10_000)


def test_beliefs_and_arrivals_alone():
    happened, path = beliefs(FlowSpec(), 3, [0.0, 0.5, 0.999])
    assert path[0] == 0.5
    assert (path[-1] > 0.5) == happened
    found = arrivals(FlowSpec(takers=40.0), 3, 100.0)
    assert len(found) == pytest.approx(4_000, rel=0.1)
    assert (np.diff(found) > 0).all()
    assert found[0] > 0
    assert found[-1] < 100
    with pytest.raises(UserError, match="ascending"):
        beliefs(FlowSpec(), 3, [0.5, 0.1])
    with pytest.raises(UserError, match="seed -1"):
        arrivals(FlowSpec(), -1, 1.0)


@pytest.mark.parametrize(
    ("make", "message"),
    [
        (lambda: FlowSpec(start_probability=1.0), "start_probability is 1.0"),
        (lambda: FlowSpec(branching=1.0), "branching is 1.0"),
        (lambda: FlowSpec(informed=float("nan")), "informed is nan"),
        (lambda: FlowSpec(makers=0), "makers is 0"),
        (lambda: FlowSpec(tick=7), "tick is 7"),
        (lambda: FlowSpec(seconds=1e6, hold=1e-3), "some 120004 million events"),
        (lambda: TouchSpec(seconds=1e8), "some 900 million events"),
        (lambda: TouchSpec(price=0.5), "price is 0.5"),
        (lambda: TouchSpec(price_decimals=1, size_decimals=2), "size_decimals is 2"),
        (lambda: generate((), 1), "no market"),
        (lambda: generate(FlowSpec(), -1), "seed -1"),
    ],
)
def test_what_cannot_be_made_is_refused(make, message):
    with pytest.raises(UserError, match=message):
        make()


def test_the_command(tmp_path, capsys):
    spec = tmp_path / "spec.json"
    spec.write_text(json.dumps({"kind": "agents", "seconds": 10.0}))
    assert (
        main(["--write", f"{tmp_path}/a", "--seed", "4", "--spec", f"{spec}", "--markets", "2"])
        == 0
    )
    told = capsys.readouterr().out.splitlines()
    assert "rows, all synthetic" in told[0]
    assert len(told) == 3
    note = read_note(tmp_path / "a")
    assert note.specs == (FlowSpec(seconds=10.0),) * 2
    spec.write_bytes(msgspec.json.encode([FlowSpec(seconds=5.0), TouchSpec(seconds=5.0)]))
    assert main(["--write", f"{tmp_path}/b", "--spec", f"{spec}"]) == 0
    spec.write_text('{"kind": "agents", "makres": 3}')
    assert main(["--write", f"{tmp_path}/c", "--spec", f"{spec}"]) == 2
    assert "makres" in capsys.readouterr().err
    assert main(["--write", f"{tmp_path}/a"]) == 2
    assert "is not empty" in capsys.readouterr().err
