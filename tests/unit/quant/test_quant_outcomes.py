"""Joint outcomes of an event: probabilities are kept, impossible outcomes have no weight."""

from __future__ import annotations

import math

import pytest
from hypothesis import given
from hypothesis import strategies as st

from polyframe.domain.market import GroupKind
from polyframe.errors import DataError
from polyframe.quant.outcomes import (
    event_beliefs,
    event_scenarios,
    exclusive_beliefs,
    exclusive_scenarios,
    ladder_beliefs,
    ladder_scenarios,
)

SEVERAL = st.lists(st.floats(0, 1), min_size=1, max_size=6)


@st.composite
def placed(draw):
    values = draw(SEVERAL)
    return draw(st.integers(0, len(values) - 1)), values


@given(placed())
def test_exclusive_outcomes_keep_their_probabilities(case) -> None:
    own, values = case
    q = exclusive_beliefs(own, values)
    assert q[own] == values[own]
    assert math.fsum(q) <= 1 + 1e-9
    assert all(a <= b + 1e-12 for a, b in zip(q, values, strict=True))
    found = exclusive_scenarios(q)
    assert found.weights.sum() == pytest.approx(1)
    assert list(found.weights @ found.payouts) == pytest.approx(q, abs=1e-9)
    assert found.payouts.sum(axis=1).max() <= 1


@given(placed())
def test_a_ladder_keeps_its_probabilities(case) -> None:
    own, values = case
    q = ladder_beliefs(own, values)
    assert q[own] == values[own]
    assert q == sorted(q, reverse=True)
    found = ladder_scenarios(q)
    assert found.weights.sum() == pytest.approx(1)
    assert list(found.weights @ found.payouts) == pytest.approx(q, abs=1e-9)
    # A higher strike never pays without the lower ones.
    assert (found.payouts[:, 1:] <= found.payouts[:, :-1]).all()


@given(SEVERAL)
def test_beliefs_that_can_be_together_stay(values) -> None:
    falling = sorted(values, reverse=True)
    assert ladder_beliefs(0, falling) == falling
    small = [p / max(1.0, 1.01 * math.fsum(values)) for p in values]
    assert exclusive_beliefs(0, small) == small
    assert event_beliefs(GroupKind.INDEPENDENT, 0, values) == values


@pytest.mark.parametrize("kind", list(GroupKind))
def test_one_market_wins_or_loses(kind) -> None:
    found = event_scenarios(kind, [0.3], 0.5)
    assert list(found.weights) == pytest.approx([0.3, 0.7])
    assert found.payouts.tolist() == [[1.0], [0.0]]


def test_independent_markets_share_a_cause() -> None:
    found = event_scenarios(GroupKind.INDEPENDENT, [0.5, 0.5, 1.0], 0.5)
    assert found.weights @ found.payouts == pytest.approx([0.5, 0.5, 0.9999])
    both = float(found.weights @ found.payouts[:, :2].prod(axis=1))
    assert both == pytest.approx(0.25 + math.asin(0.5) / (2 * math.pi), abs=2e-3)


@pytest.mark.parametrize(
    ("call", "named"),
    [
        (lambda: exclusive_scenarios([]), "without markets"),
        (lambda: exclusive_scenarios([0.6, 0.6]), r"sum to 1\.2"),
        (lambda: exclusive_scenarios([math.nan]), "nan"),
        (lambda: ladder_scenarios([0.3, 0.4]), "strike 2 of a ladder is likelier"),
        (lambda: ladder_scenarios([1.2]), "outside"),
        (lambda: ladder_beliefs(0, [0.1, -0.1]), "outside"),
        (lambda: event_scenarios(GroupKind.INDEPENDENT, [0.5] * 8, 0.5), "cluster of 8"),
    ],
)
def test_impossible_beliefs_are_refused(call, named) -> None:
    with pytest.raises(DataError, match=named):
        call()
