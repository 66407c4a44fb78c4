"""The quote diff against a twin that pairs quotes one by one."""

from __future__ import annotations

from collections import Counter

import numpy as np
from hypothesis import given
from hypothesis import strategies as st

from polyframe.kernels import quotes_nb

Quote = tuple[int, int, int]

QUOTES = st.lists(
    st.tuples(
        st.sampled_from((1, -1)),
        st.sampled_from((100, 4_900, 5_000, 10_000)),
        st.sampled_from((1, 10**6, 10**13)),
    ),
    max_size=12,
)


def twin(resting: list[Quote], wanted: list[Quote]) -> tuple[list[int], list[int]]:
    """Each wanted quote takes the first equal order that is left."""
    keep, new = [0] * len(resting), []
    for want in wanted:
        free = [i for i, rest in enumerate(resting) if rest == want and not keep[i]]
        new.append(0 if free else 1)
        for i in free[:1]:
            keep[i] = 1
    return keep, new


def kernel(resting: list[Quote], wanted: list[Quote]) -> tuple[int, list[int], list[int]]:
    def columns(quotes: list[Quote]) -> list[np.ndarray]:
        table = np.array(quotes, dtype=np.int64).reshape(-1, 3)
        return [np.ascontiguousarray(column) for column in table.T]

    keep = np.full(len(resting), 9, dtype=np.int64)
    new = np.full(len(wanted), 9, dtype=np.int64)
    kept = quotes_nb.diff(*columns(resting), *columns(wanted), keep, new)
    return kept, keep.tolist(), new.tolist()


@given(QUOTES, QUOTES)
def test_the_kernel_is_its_twin(resting, wanted):
    kept, keep, new = kernel(resting, wanted)
    assert (keep, new) == twin(resting, wanted)
    assert kept == sum(keep) == len(wanted) - sum(new)


@given(QUOTES, QUOTES)
def test_after_the_diff_exactly_the_wanted_quotes_rest(resting, wanted):
    _, keep, new = kernel(resting, wanted)
    rests = Counter(q for q, k in zip(resting, keep, strict=True) if k)
    placed = Counter(q for q, n in zip(wanted, new, strict=True) if n)
    assert rests + placed == Counter(wanted)


@given(QUOTES)
def test_what_is_wanted_already_is_left_alone(quotes):
    kept, keep, new = kernel(quotes, quotes)
    assert kept == len(quotes)
    assert set(keep) <= {1}
    assert set(new) <= {0}


def test_of_equal_orders_the_first_keeps_its_place():
    same = (1, 4_900, 10**6)
    assert kernel([same, same], [same]) == (1, [1, 0], [0])


def test_side_price_and_size_must_all_be_equal():
    resting = [(1, 4_900, 10)]
    for other in [(-1, 4_900, 10), (1, 4_901, 10), (1, 4_900, 11)]:
        assert kernel(resting, [other]) == (0, [0], [1])


def test_nothing_wanted_pulls_everything():
    assert kernel([(1, 4_900, 10), (-1, 5_100, 10)], []) == (0, [0, 0], [])
