"""Binance depth, trades and best prices, recorded from its streams, as rows of a tape."""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from pathlib import Path
from typing import Any, NamedTuple

import numpy as np
from numpy.typing import NDArray

from polyframe.domain.market import Market
from polyframe.domain.units import SECOND, Ns
from polyframe.errors import DataError
from polyframe.store.parquet import reading
from polyframe.store.tape_amounts import Amounts, amounts
from polyframe.store.tape_columns import numbers, stacked, wholes
from polyframe.store.tape_recording import (
    AMOUNT,
    CLOCK,
    CROSSED,
    FINE,
    GAP,
    NO_TIME,
    OFF_GRID,
    SEQUENCE,
    SIDE,
    Columns,
    Ints,
    Lookup,
    Part,
    Recording,
    cleared_after,
    joined,
    part,
    silences,
)
from polyframe.store.tape_rows import TapeKind
from polyframe.store.tape_scan import scan_rows
from polyframe.store.tape_times import moments

SILENCE = 5 * SECOND
TIMES = ("recv_ns", "exch_ns")
DEPTH = (*TIMES, "update_id", "side", "price", "qty")
TRADES = (*TIMES, "trade_id", "price", "qty", "aggressor")
TICKER = (*TIMES, "update_id", "bid", "bid_qty", "ask", "ask_qty")
AMOUNTS = ("price", "qty", *TICKER[3:])
OPTIONAL = ("is_snapshot", "first_update_id", "prev_update_id")
"""The stream's ``U`` and ``pu``; ``update_id`` is its ``u``, a snapshot's ``lastUpdateId``."""

NO_SNAPSHOT = "no snapshot in the recording: its book is never to be trusted"
UNPROVED = "depth updates without first_update_id or prev_update_id: nothing proves none is missing"
STALE = "update older than its snapshot"
AGAIN = "update a second time"
LATE = "update older than the one before it"
TWICE = "trade id a second time"
MISSING = "trade ids missing between the first and the last"
TAKEN_UP = "levels of updates that came before the snapshot but are newer, told again after it"


class _Rows(NamedTuple):
    """Rows of one kind from all files: where they come from, and their columns."""

    file: Ints
    row: Ints
    of: dict[str, NDArray[Any]]

    def aside(self, recording: Recording, rows: NDArray[Any], why: str, *columns: str) -> None:
        """Leaves rows out of the tape; these columns of theirs are written down."""
        at = np.flatnonzero(rows)
        for index, name in enumerate(recording.rows):
            here = at[self.file[at] == index]
            values = zip(*(self.of[column][here] for column in columns), strict=True)
            texts = [" ".join(str(value) for value in row) for row in values]
            recording.put_aside(name, self.row[here], why, texts)


def convert(
    files: Sequence[Path], lookup: Lookup, recording: Recording, silence: Ns = SILENCE
) -> Iterator[Columns]:
    """The rows of these files, all at once; every file is depth, trades or best prices by columns.

    Updates follow a snapshot by the venue's rules: those older than it are dropped, those received
    before it but newer are told again behind it. A break in the sequence makes the book untrusted.
    Source: Binance, "How to manage a local order book correctly", spot and USD-M futures.

    Raises:
        DataError: a file is damaged or has other columns.
    """
    market = lookup.only
    assert market is not None  # the command asks for it
    kinds: dict[tuple[str, ...], list[tuple[int, dict[str, NDArray[Any]]]]] = {}
    for index, path in enumerate(files):
        form, table = _read(path)
        recording.rows[path.name] = len(table["recv_ns"])
        kinds.setdefault(form, []).append((index, table))
    instrument = recording.instrument(market)
    end = max((int(t["recv_ns"].max(initial=0)) for own in kinds.values() for _, t in own))
    parts: list[Part] = []
    if TRADES in kinds:
        parts += _trades(recording, _together(kinds[TRADES]), market, instrument)
    if DEPTH in kinds:
        parts += _depth(recording, _together(kinds[DEPTH]), market, instrument, silence, end)
    if TICKER in kinds:
        parts += _ticker(recording, _together(kinds[TICKER]), market, instrument)
    columns = joined(parts)
    if not len(columns["ts"]):
        return
    crossed = scan_rows(columns, None, market.tick).crossed
    recording.cleared(CROSSED, len(crossed))
    yield cleared_after(columns, crossed, recording.reason(CROSSED)) if len(crossed) else columns


def _read(path: Path) -> tuple[tuple[str, ...], dict[str, NDArray[Any]]]:
    import pyarrow.parquet as pq  # noqa: PLC0415 - heavy

    with reading(path):
        file = pq.ParquetFile(path)
        have = set(file.schema_arrow.names)
        for form in (DEPTH, TRADES, TICKER):
            if have.issuperset(form):
                table = file.read(columns=[*form, *(n for n in OPTIONAL if n in have)])
                return form, _typed(path, table)
    raise DataError(
        f"{path} has the columns {', '.join(sorted(have))}",
        expected=f"those of depth ({', '.join(DEPTH)}), of trades ({', '.join(TRADES)}) or of best "
        f"prices ({', '.join(TICKER)})",
        hint="polyframe data import tape FILE --format FORMAT names another form",
    )


def _typed(path: Path, table: Any) -> dict[str, NDArray[Any]]:
    """The columns in their types; ``recv_ns`` is 0 where the row has none."""
    found = {}
    for name in table.column_names:
        if name in TIMES:
            found[name] = moments(path, table[name], name, "ns", unsaid=name == "exch_ns")[0]
        elif name in AMOUNTS:
            found[name] = numbers(path, table, name)
        else:
            found[name] = wholes(path, table, name, 0 if name in OPTIONAL else None)
    return found


def _together(tables: list[tuple[int, dict[str, NDArray[Any]]]]) -> _Rows:
    shared = [name for name in tables[0][1] if all(name in table for _, table in tables)]
    whole = {name: stacked([table[name] for _, table in tables]) for name in shared}
    sizes = [len(table["recv_ns"]) for _, table in tables]
    file = np.repeat([index for index, _ in tables], sizes)
    return _Rows(file, np.concatenate([np.arange(n) + 1 for n in sizes]), whole)


def _trades(recording: Recording, rows: _Rows, market: Market, instrument: int) -> list[Part]:
    ids, side = rows.of["trade_id"], rows.of["aggressor"]
    faults, units = _faults(rows, market, side)
    price, size = units.price, units.size
    faults[AMOUNT] |= ~faults[FINE] & (size <= 0)
    faults[OFF_GRID] = ~faults[FINE] & (price <= 0)
    bad = _set_aside(recording, rows, faults, "trade: ", "aggressor", "price", "qty")
    _, first = np.unique(ids, return_index=True)
    twice = np.ones(len(ids), np.bool_)
    twice[first] = False
    twice &= ~bad
    rows.aside(recording, twice, TWICE, "trade_id")
    good = np.flatnonzero(~bad & ~twice)
    if len(ids):
        recording.note(MISSING, int(ids.max()) - int(ids.min()) + 1 - len(first))
    ts = _known(recording, rows)
    return [
        part(good, ts[good], TapeKind.TRADE, instrument, ts_venue=rows.of["exch_ns"][good],
             side=side[good], price=price[good], size=size[good])
    ]  # fmt: skip


def _known(recording: Recording, rows: _Rows) -> Ints:
    """When rows were known; one without a time when the one before it was."""
    ts = np.maximum.accumulate(rows.of["recv_ns"]) if len(rows.row) else rows.of["recv_ns"]
    recording.note(CLOCK, int(((ts != rows.of["recv_ns"]) & (rows.of["recv_ns"] != 0)).sum()))
    first = int(ts[ts > 0].min(initial=ts.max(initial=0)))
    return np.maximum(ts, np.int64(first))


def _faults(
    rows: _Rows, market: Market, side: Ints | None = None, price: str = "price", size: str = "qty"
) -> tuple[dict[str, NDArray[np.bool_]], Amounts]:
    """The rows that cannot be, by why, and the amounts of all."""
    units = amounts(rows.of[price], rows.of[size], market.price_decimals, market.size_decimals)
    odd = np.zeros(len(rows.row), np.bool_) if side is None else np.abs(side) != 1
    lost = rows.of["recv_ns"] == 0
    return {NO_TIME: lost, AMOUNT: units.wrong, FINE: units.fine, SIDE: odd}, units


def _set_aside(
    recording: Recording, rows: _Rows, faults: dict[str, NDArray[np.bool_]], what: str,
    *columns: str,
) -> NDArray[np.bool_]:  # fmt: skip
    """Sets rows aside, each for its first fault, which alone it keeps; which they are."""
    bad = np.zeros(len(rows.row), np.bool_)
    for why, wrong in faults.items():
        faults[why] = first = wrong & ~bad
        rows.aside(recording, first, what + why, *columns)
        bad |= first
    return bad


def _ticker(recording: Recording, rows: _Rows, market: Market, instrument: int) -> list[Part]:
    ts = _known(recording, rows)
    ids = rows.of["update_id"]
    stale = ids < np.maximum.accumulate(ids) if len(ids) else np.zeros(0, np.bool_)
    found: dict[str, Ints] = {}
    faults: dict[str, NDArray[np.bool_]] = {}
    for side in ("bid", "ask"):
        own, units = _faults(rows, market, None, side, f"{side}_qty")
        found[side], found[f"{side}_qty"] = units.price, units.size
        faults = {why: own[why] | faults.get(why, own[why]) for why in own}
    bad = _set_aside(recording, rows, faults, "best prices: ", *TICKER[3:])
    rows.aside(recording, stale & ~bad, f"best prices: {LATE}", "update_id")
    good = np.flatnonzero(~bad & ~stale)
    quotes = {
        name: np.column_stack([found[f"bid{name}"][good], found[f"ask{name}"][good]]).ravel()
        for name in ("", "_qty")
    }
    both = np.repeat(good, 2)
    kinds = np.tile([TapeKind.QUOTE_BID, TapeKind.QUOTE_ASK], len(good))
    return [
        part(both, ts[both], kinds, instrument, ts_venue=rows.of["exch_ns"][both],
             side=np.tile([1, -1], len(good)), price=quotes[""], size=quotes["_qty"])
    ]  # fmt: skip


def _timed(rows: _Rows) -> _Rows:
    """The rows in which those without a time have that of their message, where another tells it."""
    ids, recv = rows.of["update_id"], rows.of["recv_ns"]
    begin = np.flatnonzero(np.r_[True, np.diff(ids) != 0])
    latest = np.repeat(np.maximum.reduceat(recv, begin), np.diff(np.r_[begin, len(ids)]))
    return rows._replace(of=rows.of | {"recv_ns": np.where(recv == 0, latest, recv)})


class _Events(NamedTuple):
    """Depth rows as the messages they came in. Shapes: ``of`` (rows,), the others (events,)."""

    of: Ints
    begin: Ints
    id: Ints
    snapshot: NDArray[np.bool_]
    ts: Ints


def _depth(
    recording: Recording, rows: _Rows, market: Market, instrument: int, silence: Ns, end: Ns
) -> list[Part]:
    side = rows.of["side"]
    faults, units = _faults(rows, market, side)
    price, size = units.price, units.size
    faults[OFF_GRID] = (price <= 0) | (price % market.tick != 0)
    bad = _set_aside(recording, rows, faults, "", "side", "price", "qty")
    if bad.all():
        return []
    ts = _known(recording, _timed(rows))
    events = _events(rows, ts)
    drop, breaks = _sequence(recording, rows, events)
    clears = [(events.of[wrong & ~drop[events.of]], why) for why, wrong in faults.items()]
    clears += [(breaks, SEQUENCE)]
    clears = [(_again_after(events, at), why) for at, why in clears]
    kept = ~(bad | drop[events.of])
    parts = [_gaps(recording, events, instrument, silence, end)]
    told = [
        part(events.of[kept], ts[kept], TapeKind.LEVEL, instrument, side=side[kept],
             ts_venue=rows.of["exch_ns"][kept], price=price[kept], size=size[kept])
    ]  # fmt: skip
    snapshots = np.flatnonzero(events.snapshot)
    recording.note(NO_SNAPSHOT, int(not len(snapshots)))
    count = np.bincount(events.of[kept], minlength=len(events.id))[snapshots]
    at = events.begin[snapshots]
    begins, ends = (
        part(snapshots, ts[at], kind, instrument, ts_venue=rows.of["exch_ns"][at], aux=count)
        for kind in (TapeKind.SNAPSHOT_BEGIN, TapeKind.SNAPSHOT_END)
    )
    told = [begins, *told, ends, *_taken_up(recording, events, kept, snapshots, told[0])]
    for at_events, why in clears:
        once = np.unique(at_events)
        if len(once):
            recording.cleared(why, len(once))
            told.append(part(once, events.ts[once], TapeKind.CLEAR, instrument,
                             aux=recording.reason(why)))  # fmt: skip
    return [*parts, _one(told)]


def _one(told: list[Part]) -> Part:
    """Parts whose updates are the same messages as one part: begin, levels, end, what follows."""
    columns = {name: np.concatenate([p.columns[name] for p in told]) for name in told[0].columns}
    return Part(np.concatenate([p.update for p in told]), columns)


def _events(rows: _Rows, ts: Ints) -> _Events:
    n = len(ts)
    ids = rows.of["update_id"]
    flags = rows.of.get("is_snapshot", np.zeros(n, np.int64))
    new = np.ones(n, np.bool_)
    if n:
        new[1:] = (np.diff(ids) != 0) | (np.diff(flags) != 0) | (np.diff(ts) != 0)
    begin = np.flatnonzero(new)
    return _Events(np.cumsum(new) - 1, begin, ids[begin], flags[begin] == 1, ts[begin])


def _sequence(recording: Recording, rows: _Rows, events: _Events) -> tuple[NDArray[np.bool_], Ints]:
    """Which updates are left out, and at which the sequence breaks."""
    n = len(events.id)
    drop = np.zeros(n, np.bool_)
    snapshots = np.flatnonzero(events.snapshot)
    updates = np.flatnonzero(~events.snapshot)
    for place, at in enumerate(snapshots):
        until = snapshots[place + 1] if place + 1 < len(snapshots) else n
        after = np.arange(at + 1, until)
        drop[after[events.id[after] <= events.id[at]]] = True
    recording.note(STALE, int(drop.sum()))
    ids = events.id[updates]
    top = np.maximum.accumulate(ids) if len(ids) else ids
    again = np.r_[False, ids[1:] == top[:-1]] if len(ids) else np.zeros(0, np.bool_)
    back = (ids < top) & ~drop[updates]
    for late, why in ((again & ~drop[updates], AGAIN), (back, LATE)):
        rows.aside(recording, np.isin(events.of, updates[late]), why, "update_id")
    drop[updates[again | back]] = True
    chain = updates[~(again | back)]
    breaks = [updates[back], chain[_broken(recording, rows, events, chain)]]
    breaks.append(_apart(rows, events, chain, snapshots))
    found = np.unique(np.concatenate(breaks))
    return drop, found[~drop[found] | np.isin(found, breaks[0])]


def _starts(rows: _Rows, events: _Events) -> Ints | None:
    """The update after which each message begins, None where the recording does not say."""
    prev, first = rows.of.get("prev_update_id"), rows.of.get("first_update_id")
    if prev is not None:
        return prev[events.begin]
    return None if first is None else first[events.begin] - 1


def _broken(recording: Recording, rows: _Rows, events: _Events, chain: Ints) -> NDArray[np.bool_]:
    """Which updates do not follow the one before them."""
    found = np.zeros(len(chain), np.bool_)
    starts = _starts(rows, events)
    if starts is None:
        recording.note(UNPROVED, len(chain))
    elif "prev_update_id" in rows.of:
        found[1:] = starts[chain][1:] != events.id[chain][:-1]
    else:
        found[1:] = starts[chain][1:] > events.id[chain][:-1]
    return found


def _apart(rows: _Rows, events: _Events, chain: Ints, snapshots: Ints) -> Ints:
    """The moments from which a snapshot and the updates after it are known to have a hole."""
    starts = _starts(rows, events)
    found = []
    for at in snapshots if starts is not None else ():
        newer = chain[events.id[chain] > events.id[at]]
        if starts is not None and len(newer) and starts[newer[0]] > events.id[at]:
            found.append(max(int(newer[0]), int(at)))
    return np.array(found, np.int64)


def _gaps(recording: Recording, events: _Events, instrument: int, silence: Ns, end: Ns) -> Part:
    """Where no depth came for too long, be it that only trades and best prices came to the end."""
    recording.last[instrument] = int(events.ts[-1])
    at = silences(np.append(events.ts, max(end, int(events.ts[-1]))), silence)
    recording.cleared(GAP, len(at))
    aux = recording.reason(GAP) if len(at) else 0
    return part(at, events.ts[at] + silence, TapeKind.CLEAR, instrument, aux=aux)


def _again_after(events: _Events, faulty: Ints) -> Ints:
    """The faulty messages, and the snapshots behind which their levels are told again."""
    later = [
        at
        for at in np.flatnonzero(events.snapshot)
        if ((faulty < at) & (events.id[faulty] > events.id[at])).any()
    ]
    return np.concatenate([faulty, np.array(later, np.int64)])


def _taken_up(
    recording: Recording, events: _Events, kept: NDArray[np.bool_], snapshots: Ints, levels: Part
) -> list[Part]:
    """Levels that were received before a snapshot and are newer than it, at the snapshot's time."""
    found = []
    of = events.of[kept]
    for at in snapshots:
        rows = np.flatnonzero((of < at) & (events.id[of] > events.id[at]) & ~events.snapshot[of])
        if len(rows):
            recording.note(TAKEN_UP, len(rows))
            columns = {name: values[rows] for name, values in levels.columns.items()}
            columns["ts"] = np.full(len(rows), events.ts[at])
            found.append(Part(np.full(len(rows), at), columns))
    return found
