"""The worst case of an event, against every outcome written out."""

from __future__ import annotations

import itertools

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st

from polyframe.kernels import worst_nb as w

MOST = 10**12
KINDS = (w.INDEPENDENT, w.EXCLUSIVE, w.LADDER)
WORTHS = st.one_of(st.integers(-MOST, MOST), st.sampled_from((-MOST, 0, MOST)))


def outcomes(kind: int, n: int) -> list[tuple[int, ...]]:
    """Every way in which n markets of an event can end: 1 is YES."""
    if kind == w.INDEPENDENT:
        return list(itertools.product((0, 1), repeat=n))
    if kind == w.EXCLUSIVE:
        return [(0,) * n, *(tuple(int(i == k) for i in range(n)) for k in range(n))]
    return [tuple(int(i < k) for i in range(n)) for k in range(n + 1)]


def twin(if_yes: list[int], if_no: list[int], members: list[int], kind: int) -> int:
    return min(
        sum(if_yes[m] if yes else if_no[m] for m, yes in zip(members, outcome, strict=True))
        for outcome in outcomes(kind, len(members))
    )


def kernel(if_yes: list[int], if_no: list[int], members: list[int], kind: int) -> int:
    as_array = [np.array(column, dtype=np.int64) for column in (if_yes, if_no, members)]
    return int(w.worst(*as_array, kind))


@st.composite
def events(draw):
    markets = draw(st.integers(1, 9))
    if_yes = draw(st.lists(WORTHS, min_size=markets, max_size=markets))
    if_no = draw(st.lists(WORTHS, min_size=markets, max_size=markets))
    members = draw(st.permutations(range(markets)))[: draw(st.integers(0, markets))]
    return if_yes, if_no, list(members)


@pytest.mark.parametrize("kind", KINDS)
@given(events())
def test_the_kernel_is_the_minimum_over_all_outcomes(kind, event):
    assert kernel(*event, kind) == twin(*event, kind)


@given(events())
def test_knowing_more_about_the_outcomes_never_makes_the_worst_worse(event):
    free = kernel(*event, w.INDEPENDENT)
    assert kernel(*event, w.EXCLUSIVE) >= free
    assert kernel(*event, w.LADDER) >= free


@given(events(), st.sampled_from((w.INDEPENDENT, w.EXCLUSIVE)), st.randoms())
def test_the_order_of_markets_matters_on_a_ladder_only(event, kind, chance):
    if_yes, if_no, members = event
    shuffled = list(members)
    chance.shuffle(shuffled)
    assert kernel(if_yes, if_no, shuffled, kind) == kernel(if_yes, if_no, members, kind)


@given(events(), st.sampled_from(KINDS), st.data())
def test_halves_are_never_worse_than_the_worst_end(event, kind, data):
    if_yes, if_no, members = event
    # A market that resolves 50-50 pays half of each side: twice that, to stay whole.
    outcome = data.draw(st.sampled_from(outcomes(kind, len(members))))
    halved = data.draw(st.sets(st.sampled_from(members))) if members else set()
    if kind != w.INDEPENDENT:
        halved = set()
    twice = sum(
        if_yes[m] + if_no[m] if m in halved else 2 * (if_yes[m] if yes else if_no[m])
        for m, yes in zip(members, outcome, strict=True)
    )
    assert 2 * kernel(if_yes, if_no, members, kind) <= twice


@pytest.mark.parametrize(
    ("kind", "expected"), [(w.INDEPENDENT, 0), (w.EXCLUSIVE, 20), (w.LADDER, 0)]
)
def test_no_shares_of_three_markets(kind, expected):
    # Ten NO shares of each: when the markets exclude each other two of them always pay.
    assert kernel([0, 0, 0], [10, 10, 10], [0, 1, 2], kind) == expected


def test_a_ladder_pays_the_spread_between_two_strikes():
    # YES of the lower strike and NO of the higher: one of them always pays, between them both do.
    assert kernel([10, 0], [0, 10], [0, 1], w.LADDER) == 10
    assert kernel([0, 10], [10, 0], [0, 1], w.LADDER) == 0


@pytest.mark.parametrize("kind", KINDS)
def test_an_event_without_markets_is_worth_nothing(kind):
    assert kernel([5], [7], [], kind) == 0
