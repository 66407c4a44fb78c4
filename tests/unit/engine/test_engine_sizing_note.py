"""What a sizer says of its size goes on record; what it may not say is refused."""

from __future__ import annotations

import math

import pytest
from engine_desk import Desk, intent

from polyframe import Intent, PluginError, Sized, Sizer, View
from polyframe.domain import effects as fx


class Says(Sizer):
    """Answers what a test gave it."""

    def __init__(self, answer: object) -> None:
        super().__init__()
        self.answer = answer

    def size(self, intent: Intent, price: int, view: View) -> object:  # type: ignore[override]
        return self.answer


def effects_of(answer: object) -> list[fx.Effect]:
    desk = Desk(players=("bob",), sizer=Says(answer))
    desk.book("A", "0.40", "0.42")
    return desk.wish("bob", intent("buy", "A.yes", "0.42", "-"))


def review(answer: object) -> fx.OrderReviewed:
    return next(e for e in effects_of(answer) if isinstance(e, fx.OrderReviewed))


def test_the_note_and_the_limit_stand_in_the_review():
    found = review(Sized(5_000_000, (("edge", 0.05), ("regime", "NORMAL")), "bankroll"))
    assert found.asked == 5_000_000
    assert found.sizing == (("edge", 0.05), ("regime", "NORMAL"), ("limit", "bankroll"))


@pytest.mark.parametrize("answer", [5_000_000, Sized(5_000_000)])
def test_a_size_without_a_note_is_enough(answer):
    assert review(answer).sizing == ()


def test_a_size_beyond_the_markets_greatest_keeps_its_note():
    found = review(Sized(10**30, (("edge", 0.05),)))
    assert found.asked == 10**13
    assert found.sizing == (("edge", 0.05),)


@pytest.mark.parametrize(
    ("answer", "reason"),
    [
        (0, "size is zero"),
        (Sized(0), "size is zero"),
        (Sized(0, (), "no edge after fees"), "size is zero: no edge after fees"),
        (Sized(999_999, (), "bankroll"), "size is zero: bankroll"),
    ],
)
def test_no_size_is_refused_with_its_reason(answer, reason):
    (refused,) = effects_of(answer)
    assert refused.reason == reason


@pytest.mark.parametrize(
    "answer",
    [
        None, True, -1, 1.0, "5", (5, ()), Sized(-1), Sized(True), Sized(1.0),
        Sized(5, [("edge", 0.1)]), Sized(5, (("edge", math.nan),)), Sized(5, (("edge", math.inf),)),
        Sized(5, (("edge", 1),)), Sized(5, (("edge",),)), Sized(5, ((1, 0.5),)),
        Sized(5, (("x" * 200, 0.5),)), Sized(5, (("edge", "a\nb"),)), Sized(5, (), None),
        Sized(5, (("edge", 0.1),) * 65), Sized(5, (), "x" * 200),
    ],
)  # fmt: skip
def test_an_answer_that_is_none_is_named(answer):
    with pytest.raises(PluginError, match="sizer Says"):
        effects_of(answer)
