"""Calibration: figures that were asked for, on runs that were not used to find them."""

from __future__ import annotations

import math

import numpy as np
import pytest

from polyframe.errors import UserError
from polyframe.lab.flow import FlowSpec, generate
from polyframe.lab.flow_targets import MET, RECORDED, Targets, calibrate, typical


def off(found, targets):
    return {name: abs(getattr(found, name) / getattr(targets, name) - 1) for name in MET}


def test_the_defaults_are_calibrated_to_what_was_recorded():
    found = typical(FlowSpec(), seed=1_000)
    assert max(off(found, RECORDED).values()) < 0.06
    assert found.take_spread == pytest.approx(RECORDED.take_spread, abs=0.05)


@pytest.mark.parametrize(
    ("targets", "spec"),
    [
        (
            Targets(spread=2.5, deep=100.0, trades=0.5, take_size=20.0, take_spread=1.0),
            FlowSpec(noise=0.3),
        ),
        (
            Targets(spread=4.0, deep=800.0, trades=1.0, take_size=30.0, take_spread=1.2),
            FlowSpec(seconds=7_200.0, information=0.6, branching=0.7, hold=10.0),
        ),
        (
            Targets(spread=12.0, deep=200.0, trades=2.0, take_size=15.0, take_spread=1.0),
            FlowSpec(tick=10, depth=80.0, makers=150, hold=8.0, information=0.3, jumps=1.0),
        ),
    ],
)
def test_figures_that_are_asked_for_are_met(targets, spec):
    made = calibrate(targets, spec)
    # Runs that it was not found with: 5 % of the search, and four standard errors of chance in
    # both means.
    runs = [typical(made, seed=500 + n, runs=1) for n in range(24)]
    for name in MET:
        x = np.array([getattr(run, name) for run in runs])
        chance = 4 * x.std(ddof=1) * math.sqrt(1 / 12 + 1 / 24)
        wanted = getattr(targets, name)
        assert chance < 0.5 * wanted
        assert abs(x.mean() - wanted) < 0.05 * wanted + chance
    kept = set(FlowSpec.__struct_fields__) - {
        "half_spread", "order_size", "takers", "take_size", "take_spread"
    }  # fmt: skip
    assert all(getattr(made, name) == getattr(spec, name) for name in kept)


def test_the_same_is_found_again():
    targets = Targets(spread=1.5, deep=200.0, trades=2.0, take_size=10.0, take_spread=1.3)
    spec = FlowSpec(seconds=120.0)
    assert calibrate(targets, spec, seed=3) == calibrate(targets, spec, seed=3)


def test_a_synthetic_tape_can_be_imitated():
    hidden = FlowSpec(half_spread=1.2, order_size=40.0, takers=2.0)
    targets = Targets.of(generate(hidden, 12).note.figures[0])
    made = calibrate(targets, FlowSpec())
    assert max(off(typical(made, seed=7), targets).values()) < 0.12


def test_depth_is_nearly_uniform_behind_the_best_price():
    """Books of the venue are nearer to an even grid than to one heap at the top."""
    depth = np.mean([generate(FlowSpec(), seed).note.figures[0].depth for seed in range(6)], axis=0)
    assert depth[0] < 0.8 * depth[3]
    assert depth[2:].std() < 0.1 * depth[2:].mean()


def test_what_no_market_can_be_is_said():
    with pytest.raises(UserError, match="spread comes to") as caught:
        calibrate(
            Targets(spread=1.01, deep=100.0, trades=2.0, take_size=20.0, take_spread=1.0),
            FlowSpec(makers=3, seconds=60.0),
        )
    assert "more makers" in str(caught.value)
    with pytest.raises(UserError, match=r"spread is 0\.5"):
        Targets(spread=0.5, deep=1.0, trades=1.0, take_size=1.0, take_spread=1.0)


def test_the_recorded_figures_are_those_of_the_recordings(shared):
    pd = pytest.importorskip("pandas")
    folder = shared / "data" / "polymarket"
    books, prints = folder / "l2_btc15m_top5_1s.parquet", folder / "l2_fulldepth_trades.parquet"
    if not (books.is_file() and prints.is_file()):
        pytest.skip(f"recorded books are absent: {books}")
    x = pd.read_parquet(books)
    x = x[(x.bid_px_up_1 > 0) & (x.ask_px_up_1 > 0)]
    mid = (x.bid_px_up_1 + x.ask_px_up_1) / 2
    x = x[(mid >= 0.1) & (mid <= 0.9)]
    spread = np.rint((x.ask_px_up_1 - x.bid_px_up_1) * 100)
    assert len(x) == 2_972
    assert spread.mean() == pytest.approx(RECORDED.spread, abs=0.001)
    stood = np.zeros(5)
    for side, sign in (("bid", 1), ("ask", -1)):
        for level in range(1, 6):
            away = np.rint(sign * 100 * (x[f"{side}_px_up_1"] - x[f"{side}_px_up_{level}"]))
            for d in range(5):
                stood[d] += x[f"{side}_sz_up_{level}"][away == d].sum() / (2 * len(x))
    assert stood[2:5].mean() == pytest.approx(RECORDED.deep, abs=0.1)
    t = pd.read_parquet(prints)
    t = t[t.asset == "btc"]
    seconds = (t.ts_ms.max() - t.ts_ms.min()) / 1_000
    assert len(t) / seconds == pytest.approx(RECORDED.trades, abs=0.001)
    assert t["size"].median() == RECORDED.take_size
    assert np.log(t["size"]).std() == pytest.approx(RECORDED.take_spread, abs=0.001)
