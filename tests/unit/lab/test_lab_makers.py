"""What forecasts are compared with beside constants and the market."""

from __future__ import annotations

from dataclasses import replace

import numpy as np
import pytest
from test_lab_evaluation import rows

from polyframe.lab.evaluation import evaluate
from polyframe.lab.makers import BEST, BEST_CORRECTED, BLOCKS, CORRECTED, EDGE, MEAN, rivals_of
from polyframe.lab.scored_rows import Scored
from polyframe.quant.calibration import platt_fit


def panel(n: int = 200, seed: int = 2) -> Scored:
    """Three makers on each event: one that knows, one that guesses, one that is too sure."""
    rng = np.random.default_rng(seed)
    truth = rng.normal(0, 1.2, n)
    y = (rng.random(n) < 1 / (1 + np.exp(-truth))).astype(float)
    said = np.stack([truth, rng.normal(0, 1.2, n), 4 * truth], axis=1)
    p = np.clip(1 / (1 + np.exp(-said)), 0.002, 0.998)
    return Scored(
        name="panel", p=p.ravel(), y=np.repeat(y, 3), market=None,
        event=np.repeat(np.array([f"e{i:03d}" for i in range(n)]), 3), category=None,
        order=np.arange(3 * n), read=3 * n, columns={},
        maker=np.tile(np.array(["knows", "guesses", "sure"]), n),
    )  # fmt: skip


def test_the_mean_and_the_best_maker_are_those_of_each_event():
    scored = panel()
    found, notes = rivals_of(scored)
    assert notes == []
    p = scored.p.reshape(-1, 3)
    assert found[MEAN].reshape(-1, 3) == pytest.approx(
        np.clip(np.repeat(p.mean(axis=1, keepdims=True), 3, axis=1), EDGE, 1 - EDGE)
    )
    assert found[BEST].reshape(-1, 3)[:, 0] == pytest.approx(np.clip(p[:, 0], EDGE, 1 - EDGE))
    assert set(found) == {MEAN, BEST, BEST_CORRECTED, CORRECTED}


def test_a_line_is_learnt_on_other_events_alone():
    scored = panel()
    found = rivals_of(scored)[0][CORRECTED]
    first = np.arange(scored.p.size) < 3 * 200 // BLOCKS
    weights = np.full(scored.p.size, 1 / 3)
    line = platt_fit(scored.p[~first], scored.y[~first], weights=weights[~first])
    assert found[first] == pytest.approx(line.apply(scored.p[first]))
    turned = replace(scored, y=np.where(first, 1 - scored.y, scored.y))
    assert rivals_of(turned)[0][CORRECTED][first] == pytest.approx(found[first])
    assert rivals_of(turned)[0][BEST][first] == pytest.approx(rivals_of(scored)[0][BEST][first])


def test_where_the_best_maker_is_silent_the_next_best_speaks():
    scored = panel()
    silent = (scored.maker == "knows") & (np.arange(scored.p.size) < 30)
    keep = ~silent
    fewer = replace(
        scored, p=scored.p[keep], y=scored.y[keep], event=scored.event[keep],
        order=scored.order[keep], maker=scored.maker[keep],
    )  # fmt: skip
    found = rivals_of(fewer)[0][BEST]
    sure = fewer.p[fewer.maker == "sure"][:10]
    assert found[fewer.maker == "sure"][:10] == pytest.approx(np.clip(sure, EDGE, 1 - EDGE))


def test_events_whose_rows_ended_differently_are_not_compared_by_maker():
    scored = panel()
    y = scored.y.copy()
    y[0] = 1 - y[0]
    found, notes = rivals_of(replace(scored, y=y))
    assert set(found) == {CORRECTED}
    assert notes == ["the rows of one event ended differently: its makers are not compared"]


def test_too_few_events_or_one_maker_or_one_class_give_no_such_row():
    assert rivals_of(panel(59)) == ({}, [])
    one = replace(panel(), maker=np.full(600, "only"))
    assert set(rivals_of(one)[0]) == {CORRECTED}
    scored = panel()
    rare = replace(scored, y=(np.arange(600) < 3).astype(float))  # none outside the first block
    assert rivals_of(replace(rare, maker=None)) == ({}, [])


def test_the_reference_of_the_verdict_stays_the_market_or_the_base_rate():
    with_price, without = evaluate(rows(skill=1.0)), evaluate(panel())
    assert [r.name for r in with_price.references] == [
        "one half", "base rate", CORRECTED, "market",
    ]  # fmt: skip
    assert [r.name for r in without.references] == [
        "one half", MEAN, BEST, BEST_CORRECTED, CORRECTED, "base rate",
    ]  # fmt: skip
    assert (with_price.verdict.against, without.verdict.against) == ("market", "base rate")
