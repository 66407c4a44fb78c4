"""The queue of a price level, against the reference and a plain reading of the formulas."""

from __future__ import annotations

import math

import pytest
from hypothesis import given
from hypothesis import strategies as st

from polyframe.kernels import queue_nb as q

SIZES = st.integers(0, 10**12).map(lambda n: n / 1e6)  # millionths of a share
NAMED = {
    "risk_adverse": (q.RISK_AVERSE, 1),
    "power_n1": (q.POWER, 1),
    "power_n2": (q.POWER, 2),
    "power_n3": (q.POWER, 3),
    "log": (q.LOG, 1),
    "power2_n2": (q.POWER_TOTAL, 2),
    "log2": (q.LOG_TOTAL, 1),
    "power3_n2": (q.POWER_FRONT, 2),
}


def test_the_queue_agrees_with_the_reference(vectors) -> None:
    group = vectors["queue_position"]
    for case in group["cases"]:
        row, out = case["in"], case["out"]
        traded = row["trade_qty_at_price"]
        front = row["front_at_entry"] - traded
        for name, wanted in out.items():
            mode, n = NAMED[name]
            found = q.changed(mode, n, front, traded, row["prev_level_qty"], row["new_level_qty"])
            assert found == pytest.approx(wanted, abs=group["tolerance"]), name


def twin(mode: int, n: float, front: float, back: float) -> float:
    if front + back <= 0:
        return 1.0
    powers = {"f": lambda x: x**n, "g": math.log1p}
    f = powers["g"] if mode in (q.LOG, q.LOG_TOTAL) else powers["f"]
    if mode in (q.POWER, q.LOG):
        return f(back) / (f(back) + f(front))
    if mode in (q.POWER_TOTAL, q.LOG_TOTAL):
        return f(back) / f(back + front)
    return 1 - (front / (front + back)) ** n


@given(mode=st.integers(1, 5), n=st.sampled_from([1.0, 2.0, 3.0]), front=SIZES, back=SIZES)
def test_the_part_behind_is_a_part(mode, n, front, back) -> None:
    part = q.behind(mode, n, front, back)
    assert -1e-12 <= part <= 1 + 1e-12
    assert part == pytest.approx(twin(mode, n, front, back), rel=1e-9, abs=1e-12)


@given(mode=st.integers(0, 5), front=SIZES, before=SIZES, after=SIZES, part=st.floats(0, 1))
def test_nobody_falls_back_and_nobody_stands_behind_more_than_there_is(
    mode, front, before, after, part
) -> None:
    front = min(front, before)
    found = q.changed(mode, 2.0, front, part * front, before, after)
    assert found <= front + 1e-9
    assert found <= after + 1e-9


@given(front=SIZES, size=SIZES, remaining=SIZES)
def test_a_trade_fills_what_reaches_the_order_and_no_more(front, size, remaining) -> None:
    left, filled = q.executed(front, size, remaining)
    assert left == pytest.approx(max(front - size, 0))
    assert filled == pytest.approx(min(max(size - front, 0), remaining))
