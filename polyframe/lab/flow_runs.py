"""One market's order flow, from its spec to the rows of a tape."""

from __future__ import annotations

import math
from collections.abc import Callable
from typing import NamedTuple

import numpy as np
from numpy.typing import NDArray

from polyframe.domain.units import SECOND
from polyframe.kernels import agents_nb as agents
from polyframe.kernels import arrivals_nb as arrive
from polyframe.kernels import book_nb as book
from polyframe.kernels import flow_nb as flow
from polyframe.kernels import moment_nb as moment
from polyframe.kernels import paths_nb as paths
from polyframe.kernels import touch_flow_nb as touch
from polyframe.kernels.random_nb import ln, uniform
from polyframe.lab.flow_spec import FlowSpec, TouchSpec
from polyframe.store.tape_rows import COLUMNS, TapeFlag, TapeKind

Ints = NDArray[np.int64]
Floats = NDArray[np.float64]
Stream = NDArray[np.uint64]
Columns = dict[str, NDArray[np.generic]]

PRICE_ONE = 10_000
SIZE_ONE = 1_000_000
YEAR = 365.25 * 86_400.0
_ROOM = 1 << 17


class Counts(NamedTuple):
    """What happened in one market that its tape does not say.

    ``arrivals`` of takers, those of them ``informed``, those who ``abstained`` as nothing stood
    within their limit; ``jumps`` of what is believed and ``sweeps`` after them.
    """

    arrivals: int
    informed: int
    abstained: int
    jumps: int
    sweeps: int


class Run(NamedTuple):
    """One market: its rows with instrument 0, what was true at each, and how it ended.

    ``truth`` is the probability of YES, or the unrounded mid in price units. ``happened`` is None
    for a market that does not resolve.
    """

    columns: Columns
    truth: Floats
    counts: Counts
    happened: bool | None


def stream_of(seed: int, market: int) -> Stream:
    """An own stream of random numbers a market, so that adding one leaves the others as they are.

    Shapes: (1,). Units: none.
    """
    return np.random.SeedSequence([seed, market]).generate_state(1, np.uint64).astype(np.uint64)


def belief_of(spec: FlowSpec, stream: Stream) -> Floats:
    """The state of a belief at the opening. Draws the outcome.

    Shapes: (B_SIZE_OF,). Units: see ``paths_nb``.
    """
    state = np.zeros(paths.B_SIZE_OF)
    happened = uniform(stream) < spec.start_probability
    state[paths.B_ODDS] = ln(spec.start_probability) - ln(1.0 - spec.start_probability)
    state[paths.B_SIGN] = 1.0 if happened else -1.0
    state[paths.B_INFORMATION] = spec.information**2
    state[paths.B_JUMP] = spec.jump_size
    return state


def arrivals_of(spec: FlowSpec) -> Floats:
    """The state of the takers' arrivals at the opening.

    Shapes: (A_SIZE_OF,). Units: see ``arrivals_nb``.
    """
    state = np.zeros(arrive.A_SIZE_OF)
    state[arrive.A_BASE] = spec.takers * (1.0 - spec.branching)
    state[arrive.A_JUMP] = spec.branching * spec.fade
    state[arrive.A_FADE] = spec.fade
    # Begun at its mean: an opening without any excitement would be quieter than the rest.
    state[arrive.A_EXCITED] = spec.takers * spec.branching
    return state


def run_agents(spec: FlowSpec, stream: Stream, seconds: float | None = None) -> Run:
    """The order flow of a market of agents, or of its first seconds."""
    steps = PRICE_ONE // spec.tick
    state = np.zeros(book.K_SIZE_OF, np.int64)
    state[[book.K_TICK, book.K_ONE]] = spec.tick, PRICE_ONE
    bids, asks = np.zeros(steps + 1, np.int64), np.zeros(steps + 1, np.int64)
    book.wipe(state, bids, asks)
    makers = np.zeros((agents.M_SIZE_OF, spec.makers), np.int64)
    traits = np.zeros(agents.T_SIZE_OF)
    traits[agents.T_NOISE], traits[agents.T_HALF] = spec.noise, spec.half_spread
    traits[agents.T_DEPTH] = spec.depth
    traits[agents.T_QUOTED] = ln(spec.order_size * SIZE_ONE)
    traits[agents.T_QUOTED_SPREAD] = spec.order_spread
    belief = belief_of(spec, stream)
    clock = _clock(seconds or spec.seconds, spec.tick, spec.lot)
    rows, truth = _room(2 * steps + 8)
    agents_open = (traits, belief, stream, state, bids, asks, makers, rows, clock)
    flow.open_book(*agents_open)
    head, opened = _snapshot(clock, bids, asks), 1.0 / (1.0 + math.exp(-belief[paths.B_ODDS]))
    told = (_flow(spec), traits, belief, arrivals_of(spec), stream, state, bids, asks, makers)
    whole, true = _collect(lambda: flow.run_flow(*told, rows, clock, truth), rows, clock, truth)
    made = np.concatenate([head, whole], axis=1)
    true = np.concatenate([np.full(head.shape[1], opened), true])
    columns = _columns(made, spec.start, spec.feed)
    return Run(columns, true, _counts(clock), bool(belief[paths.B_SIGN] > 0))


def run_touch(spec: TouchSpec, stream: Stream) -> Run:
    """The order flow of a market that shows its best prices only."""
    one, unit = 10**spec.price_decimals, 10**spec.size_decimals
    state = np.zeros(touch.Q_SIZE_OF)
    state[touch.Q_MID] = spec.price * one / spec.tick
    state[touch.Q_VOLATILITY] = spec.volatility / math.sqrt(YEAR)
    state[touch.Q_MOVES], state[touch.Q_BASE] = spec.moves, spec.takers
    state[touch.Q_REACH] = spec.reach
    state[touch.Q_RESTS] = ln(spec.rest_size * unit)
    state[touch.Q_RESTS_SPREAD] = spec.rest_spread
    state[touch.Q_TAKEN] = ln(spec.take_size * unit)
    state[touch.Q_TAKEN_SPREAD] = spec.take_spread
    place = np.zeros(touch.P_SIZE_OF, np.int64)
    place[touch.P_HALF] = spec.half_spread
    clock = _clock(spec.seconds, spec.tick, spec.lot)
    rows, truth = _room(4)
    whole, true = _collect(
        lambda: touch.run_touch(state, place, stream, rows, clock, truth), rows, clock, truth
    )
    # The first two rows are the opening book, the offer first: they become a snapshot.
    head = _framed(whole[:, 1::-1])
    made = np.concatenate([head, whole[:, 2:]], axis=1)
    true = np.concatenate([true[:1], true[:2], true[1:2], true[2:]]) * spec.tick
    return Run(_columns(made, spec.start, spec.feed), true, _counts(clock), None)


def _flow(spec: FlowSpec) -> Floats:
    told = np.zeros(flow.F_SIZE_OF)
    told[flow.F_LIFE] = spec.seconds * SECOND
    told[flow.F_ACTS] = spec.makers / spec.hold
    told[flow.F_JUMPS] = spec.jumps / spec.seconds
    told[flow.F_SWEEP], told[flow.F_INFORMED] = spec.sweep, spec.informed
    told[flow.F_EDGE], told[flow.F_REACH] = spec.edge, spec.reach
    told[flow.F_BUYS] = spec.buys
    told[flow.F_TAKEN], told[flow.F_TAKEN_SPREAD] = ln(spec.take_size * SIZE_ONE), spec.take_spread
    return told


def _clock(seconds: float, tick: int, lot: int) -> Ints:
    clock = np.zeros(moment.C_SIZE_OF, np.int64)
    clock[moment.C_END] = round(seconds * SECOND)
    clock[moment.C_TICK], clock[moment.C_LOT] = tick, lot
    return clock


def _room(spare: int) -> tuple[Ints, Floats]:
    return np.zeros((moment.R_SIZE_OF, _ROOM + spare), np.int64), np.zeros(_ROOM + spare)


def _collect(run: Callable[[], int], rows: Ints, clock: Ints, truth: Floats) -> tuple[Ints, Floats]:
    """All rows of a kernel that stops whenever its room is full."""
    parts, true, done = [], [], 0
    while not done:
        clock[moment.C_ROWS] = 0
        done = run()
        n = int(clock[moment.C_ROWS])
        parts.append(rows[:, :n].copy())
        true.append(truth[:n].copy())
    return np.concatenate(parts, axis=1), np.concatenate(true)


def _snapshot(clock: Ints, bids: Ints, asks: Ints) -> Ints:
    """The rows of the opening book, bids first, the best of each side first."""
    bid, ask = np.flatnonzero(bids)[::-1], np.flatnonzero(asks)
    rows = np.zeros((moment.R_SIZE_OF, len(bid) + len(ask)), np.int64)
    rows[moment.R_PRICE] = np.concatenate([bid, ask]) * clock[moment.C_TICK]
    rows[moment.R_SIZE] = np.concatenate([bids[bid], asks[ask]])
    rows[moment.R_KIND] = TapeKind.LEVEL
    rows[moment.R_SIDE, : len(bid)] = 1
    rows[moment.R_SIDE, len(bid) :] = -1
    return _framed(rows)


def _framed(levels: Ints) -> Ints:
    """Levels between the marks of a snapshot; the size of a mark is the number of its levels."""
    mark = np.zeros((moment.R_SIZE_OF, 1), np.int64)
    rows = np.concatenate([mark, levels, mark], axis=1)
    rows[moment.R_MORE] = 1
    rows[moment.R_MORE, -1] = 0
    rows[moment.R_KIND, [0, -1]] = TapeKind.SNAPSHOT_BEGIN, TapeKind.SNAPSHOT_END
    rows[moment.R_SIZE, [0, -1]] = levels.shape[1]
    return rows


def _columns(rows: Ints, start: int, feed: int) -> Columns:
    kind = rows[moment.R_KIND]
    mark = (kind == TapeKind.SNAPSHOT_BEGIN) | (kind == TapeKind.SNAPSHOT_END)
    venue = rows[moment.R_TS] + start
    values = {
        "ts": venue + feed,
        "ts_venue": venue,
        "price": rows[moment.R_PRICE],
        "size": np.where(mark, 0, rows[moment.R_SIZE]),
        "aux": np.where(mark, rows[moment.R_SIZE], 0),
        "instrument": np.zeros(len(kind), np.int64),
        "kind": kind,
        "side": rows[moment.R_SIDE],
        "flag": rows[moment.R_MORE] * int(TapeFlag.MORE),
    }
    return {name: values[name].astype(dtype) for name, dtype in COLUMNS.items()}


def _counts(clock: Ints) -> Counts:
    names = (
        moment.C_ARRIVALS, moment.C_INFORMED, moment.C_ABSTAINED, moment.C_JUMPS, moment.C_SWEEPS
    )  # fmt: skip
    return Counts(*(int(clock[name]) for name in names))
