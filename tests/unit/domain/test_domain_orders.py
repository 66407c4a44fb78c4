from __future__ import annotations

import copy
import pickle

import pytest

from polyframe.domain.orders import (
    KIND_BIT,
    ApprovedOrder,
    Kind,
    Order,
    OrderState,
    OrderView,
    Seal,
    Side,
    TimeInForce,
)
from polyframe.errors import InvariantError

ORDER = Order("o", "ledger", "m", "t", Side.BUY, 5_000, 1_000_000, TimeInForce.GTC, 0)


class Lookalike:
    """Has what a seal has, and is none."""


@pytest.mark.parametrize("seal", [None, object(), "seal", Lookalike(), Seal])
def test_an_order_is_not_approved_without_a_seal(seal: object) -> None:
    with pytest.raises(InvariantError, match="order o carries no seal") as caught:
        ApprovedOrder(ORDER, 0, seal)  # type: ignore[arg-type]
    assert "Intent" in (caught.value.hint or "")


def test_a_seal_of_one_s_own_is_not_the_door_s() -> None:
    door, own = Seal(), Seal()
    assert ApprovedOrder(ORDER, 0, door).sealed_by(door)
    assert not ApprovedOrder(ORDER, 0, own).sealed_by(door)


def test_nobody_can_answer_for_the_seal_in_a_subclass() -> None:
    with pytest.raises(InvariantError):
        type("Fake", (ApprovedOrder,), {"sealed_by": lambda self, seal: True})
    with pytest.raises(InvariantError):
        type("Fake", (Seal,), {})


@pytest.mark.parametrize("name", ["order", "reserved", "_seal", "extra"])
def test_an_approved_order_cannot_be_changed(name: str) -> None:
    approved = ApprovedOrder(ORDER, 5, Seal())
    with pytest.raises(InvariantError, match="cannot be changed"):
        setattr(approved, name, None)
    with pytest.raises(InvariantError, match="cannot be changed"):
        delattr(approved, name)
    assert (approved.order, approved.reserved) == (ORDER, 5)
    with pytest.raises(AttributeError):
        approved.order.size = 9  # type: ignore[misc]


@pytest.mark.parametrize("protocol", range(pickle.HIGHEST_PROTOCOL + 1))
def test_an_approved_order_cannot_be_pickled(protocol: int) -> None:
    for thing in (ApprovedOrder(ORDER, 0, Seal()), Seal()):
        with pytest.raises((InvariantError, TypeError)):
            pickle.dumps(thing, protocol)


@pytest.mark.parametrize("copied", [copy.copy, copy.deepcopy])
def test_an_approved_order_cannot_be_copied(copied: object) -> None:
    with pytest.raises(InvariantError):
        copied(ApprovedOrder(ORDER, 0, Seal()))  # type: ignore[operator]
    with pytest.raises(InvariantError):
        copied(Seal())  # type: ignore[operator]


def test_an_approval_says_what_it_approves() -> None:
    shown = repr(ApprovedOrder(ORDER, 5, Seal()))
    assert "'o'" in shown
    assert "reserved=5" in shown


def test_open_states_are_those_that_may_still_fill() -> None:
    assert {state for state in OrderState if state.open} == {
        OrderState.PENDING,
        OrderState.LIVE,
        OrderState.PARTIAL,
        OrderState.UNKNOWN,
    }


def test_sides_are_signs_and_kinds_are_bits() -> None:
    assert (int(Side.BUY), int(Side.SELL)) == (1, -1)
    assert set(KIND_BIT) == set(Kind)
    assert sum(KIND_BIT.values()) == 2 ** len(Kind) - 1


def test_what_remains_is_what_did_not_fill() -> None:
    assert OrderView(ORDER, OrderState.PARTIAL, 400_000).remaining == 600_000
