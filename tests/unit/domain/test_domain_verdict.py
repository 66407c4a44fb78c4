from __future__ import annotations

from itertools import permutations

from hypothesis import given
from hypothesis import strategies as st

from polyframe.domain.verdict import Ruling, Verdict, meet

ASKED = 1_000
SIZES = st.integers(-5, 2 * ASKED)


def verdict(size: int, *, binding: bool = True) -> Verdict:
    return Verdict.from_size("p", size, ASKED, "why", binding)


def joined(*verdicts: Verdict) -> Verdict:
    """The one verdict that means as much as all of them."""
    return verdict(meet(verdicts, ASKED))


@given(a=SIZES, b=SIZES)
def test_meet_is_commutative(a: int, b: int) -> None:
    assert joined(verdict(a), verdict(b)) == joined(verdict(b), verdict(a))


@given(a=SIZES, b=SIZES, c=SIZES)
def test_meet_is_associative(a: int, b: int, c: int) -> None:
    x, y, z = verdict(a), verdict(b), verdict(c)
    assert joined(joined(x, y), z) == joined(x, joined(y, z)) == joined(x, y, z)


@given(a=SIZES)
def test_meet_is_idempotent(a: int) -> None:
    assert meet([verdict(a)] * 2, ASKED) == meet([verdict(a)], ASKED)


@given(a=SIZES)
def test_deny_is_the_bottom_and_allow_the_top(a: int) -> None:
    deny, allow = verdict(0), verdict(ASKED)
    assert joined(verdict(a), deny).ruling is Ruling.DENY
    assert meet([verdict(a), allow], ASKED) == meet([verdict(a)], ASKED)
    assert Ruling.DENY < Ruling.SHRINK < Ruling.ALLOW


@given(sizes=st.lists(SIZES, max_size=5))
def test_the_order_of_verdicts_cannot_matter(sizes: list[int]) -> None:
    verdicts = [verdict(size) for size in sizes]
    assert {meet(order, ASKED) for order in permutations(verdicts)} == {meet(verdicts, ASKED)}


@given(sizes=st.lists(SIZES, max_size=5), more=SIZES)
def test_one_more_protection_never_permits_more(sizes: list[int], more: int) -> None:
    verdicts = [verdict(size) for size in sizes]
    assert 0 <= meet([*verdicts, verdict(more)], ASKED) <= meet(verdicts, ASKED) <= ASKED


@given(sizes=st.lists(SIZES, max_size=4))
def test_recorded_opinions_do_not_bind(sizes: list[int]) -> None:
    verdicts = [verdict(size) for size in sizes]
    loose = verdict(0, binding=False)
    silent = Verdict("p", Ruling.NOT_APPLICABLE, 0)
    assert meet([*verdicts, loose, silent], ASKED) == meet(verdicts, ASKED)


@given(size=SIZES)
def test_a_permitted_size_is_a_ruling(size: int) -> None:
    made = verdict(size)
    if size <= 0:
        assert (made.ruling, made.size, made.reason) == (Ruling.DENY, 0, "why")
    elif size < ASKED:
        assert (made.ruling, made.size, made.reason) == (Ruling.SHRINK, size, "why")
    else:
        assert (made.ruling, made.size, made.reason) == (Ruling.ALLOW, ASKED, "")
