"""Round trips and draws, each kernel beside its slow and obvious twin."""

import numpy as np
from hypothesis import given
from hypothesis import strategies as st

from polyframe.domain.orders import Side
from polyframe.domain.portfolio import Fill, Portfolio
from polyframe.errors import InvariantError
from polyframe.kernels import trips_nb as nb

ENTRIES = st.lists(
    st.tuples(
        st.integers(0, 2),
        st.sampled_from([1, 1, -1, 0]),
        st.integers(1, 9_999),
        st.integers(1, 5_000_000),
        st.integers(0, 10_000),
    ),
    max_size=40,
)
DIVISOR = 10_000


def plain(rows):
    """The same with the domain's own books: (moved, trip, shares, cost) an entry, first bad one."""
    books = Portfolio({"L": 0})
    running, told, count = {}, [], 0
    for n, (key, side, price, size, money) in enumerate(rows):
        token, before = f"t{key}", books.cash["L"]
        held = books.holding("L", token).shares
        if side <= 0 and size > held:
            return told, n
        if key not in running:
            running[key], count = count, count + 1
        try:
            if side == 0:
                books.redeem("L", token, 1_000_000, size, 6)
            else:
                fill = Fill(str(n), "", "L", "m", token, Side(side), price, size, money, n)
                books.fill(fill, DIVISOR)
        except InvariantError:
            return told, n
        after = books.holding("L", token)
        moved = money if side == 0 else books.cash["L"] - before
        told.append((moved, running[key], after.shares, after.cost))
        if not after.shares:
            del running[key]
    return told, -1


@given(ENTRIES, st.booleans())
def test_entries_fold_as_the_domains_books_do(rows, whole) -> None:
    if whole:  # sell at most what is held, so that trips end and begin again
        held, kept = {}, []
        for key, side, price, size, money in rows:
            have = held.get(key, 0)
            if side <= 0 and not have:
                continue
            taken = min(size, have) if side <= 0 else size
            held[key] = have + (taken if side > 0 else -taken)
            kept.append((key, side, price, taken, money))
        rows = kept
    columns = [np.array(c, dtype=np.int64) for c in zip(*rows, strict=True)] or [
        np.empty(0, dtype=np.int64) for _ in range(5)
    ]
    n = len(rows)
    moved, trip, shares, cost = (np.zeros(n, dtype=np.int64) for _ in range(4))
    held = np.zeros((3, nb.H_SIZE_OF), dtype=np.int64)
    bad = nb.fold(
        *columns, np.full(n, DIVISOR, dtype=np.int64), held, np.full(3, -1, dtype=np.int64),
        moved, trip, shares, cost,
    )  # fmt: skip
    told, wrong = plain(rows)
    assert bad == wrong
    upto = n if wrong < 0 else wrong
    found = zip(moved.tolist(), trip.tolist(), shares.tolist(), cost.tolist(), strict=True)
    assert list(found)[:upto] == told


@given(st.integers(1, 12), st.integers(1, 5), st.integers(0, 99))
def test_falls_are_those_of_the_paths(units, draws, seed) -> None:
    rng = np.random.default_rng(seed)
    parts = [rng.normal(0, 3, rng.integers(1, 5)) for _ in range(units)]
    paths = [np.concatenate([[0.0], np.cumsum(part)]) for part in parts]
    own = np.array([(np.maximum.accumulate(p) - p).max() for p in paths])
    columns = [np.array([f(p) for p in paths]) for f in (lambda p: p[-1], np.min, np.max)]
    orders = np.array([rng.permutation(units) for _ in range(draws)], dtype=np.int32)
    found = np.zeros(draws)
    nb.falls(orders, *columns, own, found)
    for draw, order in enumerate(orders):
        path = np.concatenate([[0.0], np.cumsum(np.concatenate([parts[k] for k in order]))])
        assert np.isclose(found[draw], (np.maximum.accumulate(path) - path).max())


@given(st.lists(st.floats(0, 1), min_size=1, max_size=8), st.integers(0, 99))
def test_a_step_function_is_read_where_it_stands(points, seed) -> None:
    rng = np.random.default_rng(seed)
    points = np.sort(np.array(points))
    values = rng.normal(size=len(points) + 1)
    at = np.concatenate([rng.random(20), points])
    total = np.ones(len(at))
    nb.add_steps(points, values, at, total)
    slow = [1.0 + values[sum(1 for p in points if p <= x)] for x in at]
    assert total.tolist() == slow


@given(st.integers(1, 40), st.integers(1, 6), st.integers(0, 99))
def test_picked_entries_are_added(tables, rows, seed) -> None:
    rng = np.random.default_rng(seed)
    table = rng.normal(size=(tables, 256))
    picks = rng.integers(0, 256, (rows, tables), dtype=np.uint8)
    total = np.full(rows, 2.0)
    nb.add_picked(table, picks, total)
    slow = [2.0 + sum(table[k, picks[row, k]] for k in range(tables)) for row in range(rows)]
    assert np.allclose(total, slow)
