"""Synthetic order flow: tapes of books and trades whose price nobody can predict.

Behind every market of agents stands the exact probability of an outcome drawn beforehand, a
martingale that ends at 0 or 1. Makers and takers trade around it, and the tape has the rows that a
recorder would have written.

``python -m polyframe.lab.flow --write DIR --seed N`` writes a tape, ``--catalogue DIR`` a catalogue
with its markets, which a backtest can play.
"""

from __future__ import annotations

import argparse
import sys
from collections.abc import Sequence
from pathlib import Path
from typing import Any

import msgspec
import numpy as np
from msgspec.structs import replace
from numpy.typing import NDArray

from polyframe.domain.market import Market, Resolution, Token
from polyframe.domain.units import MINUTE, SECOND, Ns
from polyframe.errors import PolyframeError, UserError
from polyframe.kernels import arrivals_nb, paths_nb
from polyframe.lab.flow_catalogue import write_catalogue
from polyframe.lab.flow_figures import Figures, measure
from polyframe.lab.flow_kept import Flow, FlowNote, read_note, write
from polyframe.lab.flow_runs import (
    PRICE_ONE,
    Columns,
    Counts,
    Floats,
    Run,
    arrivals_of,
    belief_of,
    run_agents,
    run_touch,
    stream_of,
)
from polyframe.lab.flow_spec import FlowSpec, Spec, TouchSpec
from polyframe.store.tape_rows import TapeFlag

__all__ = [
    "Counts",
    "Figures",
    "Flow",
    "FlowNote",
    "FlowSpec",
    "TouchSpec",
    "arrivals",
    "beliefs",
    "generate",
    "main",
    "read_note",
    "write",
]

RESOLVED_AFTER: Ns = MINUTE


def generate(specs: Spec | Sequence[Spec], seed: int, *, seconds: float | None = None) -> Flow:
    """Order flow of one market or of several on one tape. The same arguments give the same rows.

    With ``seconds`` the tape ends so long after its beginning, and markets that live on have no
    outcome yet.

    Raises:
        UserError: no spec, or a seed below 0.
    """
    listed = (specs,) if isinstance(specs, FlowSpec | TouchSpec) else tuple(specs)
    if not listed:
        raise UserError("order flow of no market", expected="one spec or more")
    _check_seed(seed)
    runs = [_run(spec, stream_of(seed, n), seconds) for n, spec in enumerate(listed)]
    markets = tuple(_market(spec, n) for n, spec in enumerate(listed))
    figures = tuple(
        measure(
            run.columns,
            market.tick,
            one=PRICE_ONE if run.happened is not None else 0,
            size_one=int(10**market.size_decimals),
        )
        for run, market in zip(runs, markets, strict=True)
    )
    columns, truth = _merged(runs)
    note = FlowNote(
        seed=seed,
        specs=listed,
        instruments=tuple(market.tokens[0].id for market in markets),
        markets=markets,
        resolutions=tuple(
            Resolution.winner(market, 0 if run.happened else 1, market.closes + RESOLVED_AFTER)
            for run, market, spec in zip(runs, markets, listed, strict=True)
            if run.happened is not None and (seconds is None or spec.seconds <= seconds)
        ),
        figures=figures,
        counts=tuple(run.counts for run in runs),
    )
    return Flow(columns, truth, note)


def _run(spec: Spec, stream: NDArray[np.uint64], seconds: float | None) -> Run:
    upto = spec.seconds if seconds is None else min(spec.seconds, seconds)
    if isinstance(spec, FlowSpec):
        return run_agents(spec, stream, upto)
    return run_touch(replace(spec, seconds=upto), stream)


def _market(spec: Spec, n: int) -> Market:
    closes = spec.start + round(spec.seconds * SECOND)
    if isinstance(spec, FlowSpec):
        id = f"flow-{n:04d}"
        return Market(
            id=id,
            question=f"[synthetic] Does event {n} happen?",
            tokens=(Token(f"{id}-yes", "Yes"), Token(f"{id}-no", "No")),
            tags=("synthetic",),
            slug=id,
            tick=spec.tick,
            lot=spec.lot,
            opened=spec.start,
            closes=closes,
        )
    id = f"touch-{n:04d}"
    return Market(
        id=id,
        question=f"[synthetic] Pair {n}",
        tokens=(Token(id, id),),
        tags=("synthetic",),
        venue="binance",
        slug=id,
        tick=spec.tick,
        lot=spec.lot,
        min_size=spec.lot,
        price_decimals=spec.price_decimals,
        size_decimals=spec.size_decimals,
        max_price=10**9,
        max_size=10**9,
        opened=spec.start,
        closes=closes,
    )


def _merged(runs: Sequence[Run]) -> tuple[Columns, Floats]:
    """The rows of all markets by the time at which they were known."""
    if len(runs) == 1:
        return runs[0].columns, runs[0].truth
    joined = {name: np.concatenate([run.columns[name] for run in runs]) for name in runs[0].columns}
    joined["instrument"] = np.repeat(
        np.arange(len(runs), dtype=np.int32), [len(run.truth) for run in runs]
    )
    order = np.argsort(joined["ts"], kind="stable")
    columns = {name: values[order] for name, values in joined.items()}
    # Moments of two markets that fall together become one: nobody is woken in between.
    same = np.zeros(len(order), np.bool_)
    same[:-1] = columns["ts"][1:] == columns["ts"][:-1]
    columns["flag"] = np.where(same, int(TapeFlag.MORE), 0).astype(np.uint8)
    return columns, np.concatenate([run.truth for run in runs])[order]


def beliefs(spec: FlowSpec, seed: int, times: Sequence[float]) -> tuple[bool, Floats]:
    """The belief alone, without a book: whether YES happens, and its probability at some moments.

    Shapes: times (n,) ascending in [0, 1), to (n,). Units: shares of the market's life.

    Raises:
        UserError: times that do not ascend within [0, 1), or a seed below 0.
    """
    _check_seed(seed)
    at = np.ascontiguousarray(times, np.float64)
    if at.ndim != 1 or not ((at >= 0.0) & (at < 1.0)).all() or (np.diff(at) < 0.0).any():
        raise UserError("the times of a belief", expected="shares of its life, ascending, below 1")
    stream = stream_of(seed, 0)
    state, path = belief_of(spec, stream), np.empty(len(at))
    at.flags.writeable = False
    paths_nb.belief_path(state, stream, spec.jumps, at, path)
    return bool(state[paths_nb.B_SIGN] > 0), path


def arrivals(spec: FlowSpec, seed: int, seconds: float) -> Floats:
    """The moments of takers alone, without a book, from a quiet start.

    Shapes: to (n,) ascending. Units: seconds.

    Raises:
        UserError: a seed below 0.
    """
    _check_seed(seed)
    room = 1024
    while True:
        state, stream, found = arrivals_of(spec), stream_of(seed, 0), np.empty(room)
        state[arrivals_nb.A_EXCITED] = 0.0
        n = int(arrivals_nb.arrival_times(state, stream, seconds, found))
        if n >= 0:
            return found[:n]
        room *= 4


def _check_seed(seed: int) -> None:
    if seed < 0:
        raise UserError(f"order flow: seed {seed}", expected="a whole number of 0 or more")


def main(arguments: Sequence[str] | None = None) -> int:
    """Writes a synthetic tape; the entry of ``python -m polyframe.lab.flow``."""
    parser = argparse.ArgumentParser(
        prog="python -m polyframe.lab.flow", description="Write a tape of synthetic order flow."
    )
    into = parser.add_mutually_exclusive_group(required=True)
    into.add_argument("--write", type=Path, metavar="DIR", help="a tape alone")
    into.add_argument("--catalogue", type=Path, metavar="DIR", help="a catalogue with its markets")
    parser.add_argument("--seed", type=int, default=1, help="default 1")
    parser.add_argument("--markets", type=int, default=1, help="how many alike, default 1")
    parser.add_argument(
        "--spec", type=Path, metavar="FILE", help="JSON of one spec or a list of them"
    )
    given = parser.parse_args(arguments)
    try:
        flow = generate(_specs(given.spec) * given.markets, given.seed)
        if given.catalogue is not None:
            write_catalogue(flow, given.catalogue)
        else:
            write(flow, given.write)
    except PolyframeError as error:
        sys.stderr.write(f"{error}\n")
        return error.exit_code
    sys.stdout.write(_told(given.catalogue or given.write, flow))
    return 0


def _specs(file: Path | None) -> tuple[Spec, ...]:
    if file is None:
        return (FlowSpec(),)
    wanted: Any = Spec | tuple[Spec, ...]
    try:
        found = msgspec.json.decode(file.read_bytes(), type=wanted)
    except (OSError, msgspec.DecodeError) as error:
        raise UserError(
            f"{file} cannot be read: {error}",
            expected='a spec, as {"kind": "agents", "seconds": 900}, or a list of them',
            hint="the fields with their ranges: docs/synthetic-flow.md",
        ) from None
    return found if isinstance(found, tuple) else (found,)


def _told(path: Path, flow: Flow) -> str:
    lines = [f"{path}: {len(flow.truth)} rows, all synthetic"]
    ended = {resolution.market: resolution.payouts[0] > 0 for resolution in flow.note.resolutions}
    for market, figures in zip(flow.note.markets, flow.note.figures, strict=True):
        end = {True: ", YES", False: ", NO", None: ""}[ended.get(market.id)]
        lines.append(
            f"{market.id}: spread {figures.spread:.2f} ticks, {figures.deep:.4g} deep, "
            f"{figures.trades:.2f} trades a second{end}"
        )
    return "\n".join(lines) + "\n"


if __name__ == "__main__":
    sys.exit(main())
