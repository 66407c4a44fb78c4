"""An audit that finds nothing is worth something only if it finds what was moved by hand."""

from __future__ import annotations

from collections.abc import Callable

import pytest
from venue_town import ANN, BOB, CEM, DOLLAR, EVENT, SECOND, SHARE, Town, listing

from polyframe.errors import InvariantError, UserError
from polyframe.sandbox.venue.accounts import shift
from polyframe.sandbox.venue.records import BUY, SELL
from polyframe.sandbox.venue.settings import Settings


def busy() -> Town:
    """A town with resting orders, a match on its way and a conversion."""
    town = Town(Settings(mined_after=60 * SECOND))
    for number in (2, 3):
        event = town.venue.list_market(listing(number, neg_risk=True, neg_risk_market_id=EVENT))
        town.venue.split(ANN, event.condition_id, 10 * SHARE)
    town.venue.convert(ANN, EVENT, [event.condition_id], 5 * SHARE)
    town.venue.split(BOB, town.id, 30 * SHARE)
    town.rest(BOB, town.yes, SELL, 6_000, 20)
    town.rest(CEM, town.yes, BUY, 5_000, 20)
    town.send(ANN, town.yes, BUY, 6_000, 5)
    town.sound()
    return town


def order_of(town: Town, who: str):
    return next(iter(town.venue.wallet(who).orders.values()))


def counterfeit(town: Town) -> None:
    town.venue.wallet(ANN).money += 1


def counterfeit_with_its_total(town: Town) -> None:
    town.venue.accounts.money += 1
    town.venue.wallet(ANN).money += 1


def shares_from_nowhere(town: Town) -> None:
    town.venue.wallet(ANN).shares[town.yes] = 7


def shares_of_nothing(town: Town) -> None:
    town.venue.wallet(ANN).shares["5"] = 7


def a_share_below_nothing(town: Town) -> None:
    town.venue.wallet(CEM).shares[town.no] = -1


def supply(town: Town) -> None:
    town.market.supply[0] += 1


def collateral(town: Town) -> None:
    town.market.collateral -= 1


def reservation(town: Town) -> None:
    town.venue.wallet(CEM).active += 1


def share_reservation(town: Town) -> None:
    town.venue.wallet(BOB).active_shares[town.yes] += 1


def an_order_that_keeps_too_little(town: Town) -> None:
    order_of(town, CEM).held -= 1


def a_lock(town: Town) -> None:
    town.venue.wallet(ANN).matched -= 1


def a_share_lock(town: Town) -> None:
    town.venue.wallet(BOB).matched_shares[town.yes] += 1


def a_book_that_forgot(town: Town) -> None:
    town.market.book.reduce(order_of(town, CEM).slot, SHARE)


def an_order_that_ended_and_stayed(town: Town) -> None:
    order_of(town, CEM).closed = 5


def an_order_that_is_lost(town: Town) -> None:
    town.market.resting.popitem()


def a_vault(town: Town) -> None:
    town.venue.accounts.groups[EVENT].credit += 1


def fees_paid_back_twice(town: Town) -> None:
    town.venue.accounts.fees -= 1


MOVED = [
    counterfeit,
    counterfeit_with_its_total,
    shares_from_nowhere,
    shares_of_nothing,
    a_share_below_nothing,
    supply,
    collateral,
    reservation,
    share_reservation,
    an_order_that_keeps_too_little,
    a_lock,
    a_share_lock,
    a_book_that_forgot,
    an_order_that_ended_and_stayed,
    an_order_that_is_lost,
    a_vault,
    fees_paid_back_twice,
]


@pytest.mark.parametrize("move", MOVED, ids=lambda move: move.__name__)
def test_the_full_audit_finds_what_was_moved_by_hand(move: Callable[[Town], None]) -> None:
    town = busy()
    move(town)
    audit = town.venue.audit(full=True)
    assert not audit.exact
    assert all(fault for fault in audit.faults)


@pytest.mark.parametrize("move", [counterfeit_with_its_total, fees_paid_back_twice])
def test_the_quick_audit_finds_money_that_does_not_add_up(move: Callable[[Town], None]) -> None:
    town = busy()
    move(town)
    assert not town.venue.audit().exact


def test_the_quick_audit_finds_a_market_whose_shares_moved_wrongly() -> None:
    town = busy()
    town.venue.accounts.give(town.venue.wallet(ANN), town.market, 0, 7)
    assert "in wallets" in town.venue.audit().faults[0]


def test_an_audit_says_where_all_money_is() -> None:
    audit = busy().venue.audit()
    assert audit.deposited == 40_000 * DOLLAR
    assert audit.wallets + audit.collateral + audit.fees - audit.credit == audit.deposited
    assert (audit.credit, audit.reserved, audit.matched) == (5 * DOLLAR, 10 * DOLLAR, 3 * DOLLAR)
    assert (audit.markets, audit.accounts) == (3, 4)


def test_nobody_can_pay_what_he_has_not() -> None:
    town = Town()
    with pytest.raises(InvariantError, match="more than it had"):
        town.venue.accounts.pay(town.venue.wallet(ANN), -10_001 * DOLLAR)
    with pytest.raises(InvariantError, match="too much was taken"):
        shift({"a": 3}, "a", -4)


def test_time_does_not_run_backwards_and_things_happen_in_their_order() -> None:
    town = Town()
    seen: list[str] = []
    start = town.venue.now
    for name, at in (("c", 3), ("a", 1), ("b", 1), ("late", -5)):
        town.venue.schedule(
            start + at, lambda name=name: seen.append(f"{name}{town.venue.now - start}")
        )
    assert town.venue.next_at() == start - 5
    town.venue.advance(start + 3)
    assert seen == ["late0", "a1", "b1", "c3"]
    with pytest.raises(UserError, match="cannot go back"):
        town.venue.advance(start)
