"""The laws that synthetic order flow must keep, each at a stated level."""

from __future__ import annotations

import math

import numpy as np
import pytest
from msgspec.structs import replace

from polyframe.domain.units import SECOND
from polyframe.kernels.markout_nb import MISSING, markouts
from polyframe.lab.flow import FlowSpec, TouchSpec, generate
from polyframe.lab.flow_figures import tops
from polyframe.lab.flow_runs import run_agents, stream_of
from polyframe.quant.arrivals import exponential_distance, fit_hawkes, rescaled_gaps
from polyframe.quant.intensity import Hawkes, fit_intensity
from polyframe.store.tape_rows import TapeFlag, TapeKind

# Ten buckets each at 4.4 standard errors: what is true fails once in 10,000 times.
LEVEL = 4.4
BOOK = FlowSpec(seconds=60.0, makers=20, takers=1.0, hold=1.0, start=0, feed=0)
RUNS = 3_000


@pytest.fixture(scope="module")
def lives():
    """What was true on the tapes of many short markets, every tenth of a life, and the ends."""
    marks = (np.arange(1, 10) / 10 * BOOK.seconds * SECOND).astype(np.int64)
    truth, ends = np.empty((RUNS, marks.size)), np.empty(RUNS, np.bool_)
    for n in range(RUNS):
        spec = replace(BOOK, start_probability=0.1 + 0.8 * (n % 9) / 8)
        run = run_agents(spec, stream_of(2, n))
        truth[n] = run.truth[np.searchsorted(run.columns["ts"], marks, side="right") - 1]
        ends[n] = run.happened
    return truth, ends


def buckets(p):
    return np.minimum((p * 10).astype(int), 9)


def test_what_is_true_on_a_tape_is_a_martingale(lives):
    truth, _ = lives
    before, change = truth[:, :-1].ravel(), np.diff(truth, axis=1).ravel()
    live = np.minimum(before, 1 - before) > 1e-6
    for b in range(10):
        mine = change[live & (buckets(before) == b)]
        assert mine.size > 300
        assert abs(mine.mean()) < LEVEL * mine.std() / math.sqrt(mine.size)


def test_what_is_true_on_a_tape_is_calibrated(lives):
    truth, ends = lives
    for column in (0, 4, 8):
        p = truth[:, column]
        for b in range(10):
            said, came = p[buckets(p) == b], ends[buckets(p) == b]
            assert abs((came - said).sum()) < LEVEL * math.sqrt((said * (1 - said)).sum())
    assert np.abs(truth[:, -1] - ends).mean() < 0.5 * np.abs(truth[:, 0] - ends).mean()


def test_takers_of_a_tape_are_the_hawkes_process_of_the_spec():
    """Without informed takers each arrival trades, so the tape shows them all."""
    spec = FlowSpec(seconds=4_000.0, informed=0.0, jumps=0.0, makers=40, information=0.3)
    process = Hawkes(spec.takers * (1 - spec.branching), spec.branching * spec.fade, spec.fade)
    chances, found = [], []
    for seed in range(4):
        columns = generate(spec, seed).columns
        ts = np.unique(columns["ts_venue"][columns["kind"] == TapeKind.TRADE])
        times = (ts - spec.start) / SECOND
        # The first half minute is left out: what excited it came before the tape began.
        gaps = rescaled_gaps(process, times)[times > 30.0]
        chances.append(exponential_distance(gaps)[1])
        found.append(fit_hawkes(times, spec.seconds).process.branching)
    assert min(chances) > 1e-4
    assert np.mean(found) == pytest.approx(spec.branching, abs=0.03)


def test_quotes_are_filled_at_the_rate_of_their_distance():
    """A quoter who stands at another distance each minute gets base and reach back."""
    spec = TouchSpec(seconds=36_000.0)
    columns = generate(spec, 8).columns
    seen = tops(columns, spec.tick)
    traded = columns["kind"] == TapeKind.TRADE
    mid = (seen.bid + seen.ask)[traded] / 2
    away = np.abs(columns["price"][traded] - mid) / spec.tick
    minute = (columns["ts_venue"][traded] - spec.start) // (60 * SECOND)
    distances = np.array([10, 25, 50, 100, 150, 200, 300, 400])
    mine = distances[minute % 8]
    counts = [int((away[mine == d] >= d).sum()) for d in distances]
    fit = fit_intensity(distances, counts, np.full(8, spec.seconds / 8))
    assert abs(fit.decay - 1 / spec.reach) < 3 * fit.decay_error
    assert fit.decay_error < 0.02 * fit.decay
    assert fit.level == pytest.approx(2 * spec.takers, rel=0.03)


def touch_markout(spec, seed, seconds=10):
    """What makers at the best price gained or lost in ticks by some seconds after their fills."""
    columns = generate(spec, seed).columns
    seen = tops(columns, spec.tick, 10_000)
    fills = np.flatnonzero(columns["kind"] == TapeKind.TRADE)
    first = np.diff(columns["ts"][fills], prepend=0) > 0
    middle = np.abs(columns["price"][fills] - 5_000) <= 4_000
    fills = fills[first & middle]
    known = (seen.bid > 0) & (seen.ask > 0) & (columns["flag"] & TapeFlag.MORE == 0)
    told = [
        columns["ts"][fills], -columns["side"][fills], columns["price"][fills],
        columns["ts"][known], (seen.bid + seen.ask)[known],
    ]  # fmt: skip
    told = [np.ascontiguousarray(column, np.int64) for column in told]
    for column in told:
        column.flags.writeable = False
    out = np.zeros(len(fills), np.int64)
    markouts(*told, seconds * SECOND, 60 * SECOND, out)
    return float(out[out != MISSING].mean()) / (2 * spec.tick)


def test_the_more_takers_know_the_more_makers_lose():
    runs = 10
    means, errors = [], []
    for share in (0.0, 0.4, 0.8):
        x = [touch_markout(FlowSpec(informed=share), seed) for seed in range(runs)]
        means.append(np.mean(x))
        errors.append(np.std(x, ddof=1) / math.sqrt(runs))
    assert means[0] > 3 * errors[0]  # who trades for other reasons pays the spread
    for n in (0, 1):
        assert means[n] - means[n + 1] > 3 * math.hypot(errors[n], errors[n + 1])
    assert means[2] < -3 * errors[2]
