"""Rows a second of synthetic order flow: of the compiled generator, and with all around it."""

from __future__ import annotations

from collections.abc import Iterator
from functools import partial

from msgspec.structs import replace

from benchmarks.figures import Figure, figure, timed
from polyframe.lab.flow import FlowSpec, TouchSpec, generate
from polyframe.lab.flow_runs import run_agents, run_touch, stream_of

SEED = 1


def measure(quick: bool) -> Iterator[Figure]:
    """Books of agents with coarse and fine ticks, and a touch."""
    times, runs = (1, 3) if quick else (10, 5)
    agents = FlowSpec(seconds=900.0 * times)
    fine = replace(agents, tick=10, depth=100.0, half_spread=2.0, makers=400)
    touch = TouchSpec(seconds=7_200.0 * times)
    for name, spec in (("agents, tick 0.01", agents), ("agents, tick 0.001", fine)):
        done = timed(lambda spec=spec: run_agents(spec, stream_of(SEED, 0)), runs)
        rows = len(done.result.truth)
        yield figure(f"{name}: rows made", rows, done.median, unit="rows", **done.spread())
    done = timed(lambda: run_touch(touch, stream_of(SEED, 0)), runs)
    rows = len(done.result.truth)
    yield figure("touch: rows made", rows, done.median, unit="rows", **done.spread())
    whole = timed(partial(generate, [agents, agents, touch], SEED), runs)
    rows = len(whole.result.truth)
    yield figure(
        "three markets on one tape, measured", rows, whole.median, unit="rows", **whole.spread()
    )
