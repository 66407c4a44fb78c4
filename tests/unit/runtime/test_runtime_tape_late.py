"""Tapes seen late: every row once for the venue and once, later, for who looks, against lists."""

from __future__ import annotations

from itertools import pairwise
from pathlib import Path

import numpy as np
import pytest

from polyframe.runtime.tape_late import NEVER, LateRows
from polyframe.store.tape import Tape, TapeKind
from polyframe.store.tape_writer import TapeWriter

NAMES = ("a", "b", "unplayed")
PLAYED = {"a": 0, "b": 1}
MORE = 128
KINDS = (TapeKind.LEVEL, TapeKind.TRADE, TapeKind.WALLET, TapeKind.QUOTE_BID)


def written(path: Path, rng: np.random.Generator, rows: int, segments: int) -> Tape:
    ts = np.sort(rng.integers(1, 4 * rows, rows))
    flag = np.where(np.r_[np.diff(ts) == 0, False] & (rng.random(rows) < 0.8), MORE, 0)
    kind = rng.choice(KINDS, rows)
    wallets = [f"w{k}" for k in range(6)]
    columns = {
        "ts": ts, "price": rng.integers(1, 99, rows), "size": rng.integers(0, 9, rows),
        "aux": np.where(np.isin(kind, KINDS[1:3]), rng.integers(0, 4, rows), 0),
        "instrument": rng.integers(0, 3, rows), "kind": kind,
        "side": rng.choice([-1, 1], rows), "flag": flag,
    }  # fmt: skip
    cuts = [0, *sorted(rng.choice(np.arange(1, rows), segments - 1, replace=False)), rows]
    writer = TapeWriter(path, NAMES)
    for k, (first, stop) in enumerate(pairwise(cuts)):
        for name in wallets[k % 3 : k % 3 + 3]:
            writer.name(name)
        writer.append(
            {name: column[first:stop].astype(np.int64) for name, column in columns.items()}
        )
        writer.seal()
    writer.close()
    return Tape.open(path)


def all_rows(tape: Tape) -> list[tuple[int, ...]]:
    """(place, ts, instrument's market, kind, price, size, wallet, group) of what is played."""
    found, place, group = [], 0, 0
    for segment in tape.segments:
        for k in range(len(segment)):
            m = PLAYED.get(segment.instruments[segment["instrument"][k]], -1)
            aux, kind = int(segment["aux"][k]), int(segment["kind"][k])
            named = kind in (TapeKind.TRADE, TapeKind.WALLET) and aux > 0
            who = segment.names[aux - 1] if named else ""
            if m >= 0:
                found.append(
                    (place, int(segment["ts"][k]), m, kind, int(segment["price"][k]),
                     int(segment["size"][k]), who, group)
                )  # fmt: skip
            place += 1
            group += 0 if segment["flag"][k] & MORE else 1
    return found


@pytest.mark.parametrize("seed", range(30))
def test_every_row_comes_at_its_time_and_is_seen_later(tmp_path: Path, seed: int) -> None:
    rng = np.random.default_rng(seed)
    tape = written(tmp_path / "t", rng, 160, int(rng.integers(1, 6)))
    probes = np.array([0, 300, 640]), rng.integers(0, 120, 3)
    late = LateRows(tape, PLAYED, 2, probes)
    rows = all_rows(tape)
    told: list[tuple[int, ...]] = []
    seen, before = [], -NEVER
    for place, ts, m, kind, price, size, who, group in rows:
        took = np.interp(ts, *probes)
        before = max(before, ts + int(np.ceil(round(took, 9))))
        seen.append((before, 1, place, m, kind, price, size, who, group))
        if kind != TapeKind.WALLET:
            told.append((ts, 0, place, m + 2, kind, price, size, who, group))
    wanted = sorted([*told, *seen], key=lambda row: row[:3])

    found, last_place = [], -1
    for number, segment in enumerate(tape.segments):
        later = tape.segments[number + 1 :]
        until = later[0].first_ts if later else NEVER
        merged = late.merge(number, until)
        ts, price, size, aux, instrument, kind, _, flag, market_of = merged.columns
        assert (np.diff(ts) >= 0).all()
        assert not len(ts) or (
            ts[0] >= segment.first_ts and ts[-1] < max(until, segment.last_ts + 1)
        )
        assert market_of.tolist() == [0, 1, 2, 3]
        for k in range(len(ts)):
            named = kind[k] in (TapeKind.TRADE, TapeKind.WALLET) and aux[k] > 0
            who = merged.names[aux[k] - 1] if named else ""
            if instrument[k] < 2:
                assert merged.places[k] > last_place
                last_place = int(merged.places[k])
            assert merged.places[k] == last_place
            found.append(
                (int(ts[k]), int(instrument[k] < 2), int(instrument[k]), int(kind[k]),
                 int(price[k]), int(size[k]), who, bool(flag[k] & MORE))
            )  # fmt: skip
    assert [row[:7] for row in found] == [row[:2] + row[3:8] for row in wanted]
    for k, row in enumerate(wanted):
        # An update goes on where the next row of its kind is of the same one.
        after = next((r for r in wanted[k + 1 :] if r[1] == row[1]), None)
        assert found[k][7] == (after is not None and after[8] == row[8]), k
