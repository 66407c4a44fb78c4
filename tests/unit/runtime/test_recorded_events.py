"""An event on record as exclusive whose outcomes do not exclude each other."""

from __future__ import annotations

from polyframe.domain.market import Group, GroupKind, Resolution
from polyframe.runtime.recorded import _excluding

WON, LOST = (1_000_000, 0), (0, 1_000_000)


def ended(**payouts: tuple[int, int]) -> dict[str, Resolution]:
    return {id: Resolution(id, paid, 1, 1) for id, paid in payouts.items()}


def test_several_winners_make_the_markets_independent_and_are_told() -> None:
    group, notes = Group("g", ("a", "b", "c"), GroupKind.EXCLUSIVE), []
    found = _excluding(group, ended(a=WON, b=WON, c=LOST), notes)
    assert (found.kind, found.markets) == (GroupKind.INDEPENDENT, group.markets)
    assert notes == ["event g has 2 winners: its markets are taken as independent"]


def test_one_winner_or_none_yet_leaves_an_event_as_it_is() -> None:
    group, notes = Group("g", ("a", "b"), GroupKind.EXCLUSIVE), []
    assert _excluding(group, ended(a=WON, b=LOST), notes) is group
    assert _excluding(group, {}, notes) is group
    ladder = Group("g", ("a", "b"), GroupKind.LADDER)
    assert _excluding(ladder, ended(a=WON, b=WON), notes) is ladder
    assert not notes
