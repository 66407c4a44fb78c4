"""Keys are what their seed, address and nonce make them, and end when they are deleted."""

from __future__ import annotations

import pytest
from sandbox_stall import START, key_of, stall, wallets

from polyframe.sandbox.desk import Desk
from polyframe.sandbox.keys import MOST_KEYS, Keys, SessionKey
from polyframe.sandbox.venue.records import SignedOrder

ANN, BOB = wallets(0).owner, wallets(1).owner
SECOND = 10**9


def test_the_same_seed_makes_the_same_keys() -> None:
    first, second, other = Keys(1), Keys(1), Keys(2)
    made = first.create(ANN, 0, START)
    assert made == second.create(ANN, 0, START)
    assert made is not None
    assert made.secret not in {
        k.secret
        for k in (first.create(ANN, 1, START), first.create(BOB, 0, START), other.create(ANN, 0, 0))
        if k is not None
    }


def test_a_nonce_has_one_key_at_a_time_whatever_the_addresss_letters() -> None:
    keys = Keys()
    made = keys.create(ANN, 0, START)
    assert made is not None
    assert keys.create(ANN.lower(), 0, START) is None
    assert keys.derive(ANN.lower(), 0) is made
    assert keys.named(made.key) is made
    keys.delete(made)
    assert keys.named(made.key) is None
    assert keys.derive(ANN, 0) is None
    again = keys.create(ANN, 0, START)
    assert again is not None
    assert again.secret != made.secret


def test_an_address_has_so_many_keys_and_no_more() -> None:
    keys = Keys()
    for nonce in range(MOST_KEYS):
        assert keys.create(ANN, nonce, START) is not None
        assert keys.create_readonly(ANN, START) is not None
        assert keys.create_builder(ANN, START) is not None
    assert keys.create(ANN, MOST_KEYS, START) is None
    assert keys.create_readonly(ANN, START) is None
    assert keys.create_builder(ANN, START) is None
    assert keys.create(BOB, 0, START) is not None


def test_a_session_key_signs_until_its_time_is_over_or_it_is_shut_out() -> None:
    keys, wallet = Keys(), wallets(0).deposit
    keys.let_in(wallet, SessionKey(BOB, START // SECOND + 10))
    assert keys.may_sign(wallet.lower(), BOB.lower(), START)
    assert keys.served_by(BOB, START) == wallet
    assert not keys.may_sign(wallet, BOB, START + 10 * SECOND)
    assert keys.sessions(wallet, START + 10 * SECOND) == []
    assert keys.served_by(BOB, START + 10 * SECOND) is None
    keys.shut_out(wallet, BOB)
    assert not keys.may_sign(wallet, BOB, START)


@pytest.mark.parametrize(
    ("kind", "name"), [(0, "owner"), (1, "proxy"), (2, "safe"), (3, "deposit")]
)
def test_a_signature_type_means_one_of_the_owners_wallets(kind: int, name: str) -> None:
    desk = Desk(stall()[0])
    key = desk.keys.create(ANN, 0, START)
    assert key is not None
    assert desk.wallet(key, kind) == getattr(wallets(0), name)


def test_of_two_deposit_wallets_the_one_in_use_is_meant() -> None:
    venue, markets = stall()
    desk, mine = Desk(venue), wallets(0)
    key = desk.keys.create(ANN, 0, START)
    assert key is not None
    venue.wallet(mine.deposit_first)  # known, and empty
    assert desk.wallet(key, 3) == mine.deposit
    venue.fund(mine.deposit_first, 10**6)
    assert desk.wallet(key, 3) == mine.deposit_first
    venue.fund(mine.deposit, 10**6)
    assert desk.wallet(key, 3) == mine.deposit
    token = markets[0].listing.tokens[0]

    def order(maker: str, kind: int) -> SignedOrder:
        return SignedOrder("0x1", maker, maker, token, 10**6, 10**7, "BUY", signature_type=kind)

    desk.placed(key, order(mine.deposit_first, 3))
    desk.placed(key, order(mine.owner, 0))
    desk.placed(key, order(wallets(1).deposit, 3))  # sent with a session key, while it had one
    assert desk.wallet(key, 3) == mine.deposit_first
    desk.placed(key, order(mine.deposit, 3))
    assert desk.wallet(key, 3) == mine.deposit


def test_notices_are_kept_for_keys_and_dropped_by_them() -> None:
    """A fill rings for both sides that have keys, a resolution for whoever holds something."""
    venue, markets = stall(mined_after=0, confirmed_after=0, jitter=0)
    desk, market = Desk(venue), markets[0]
    keys = [desk.keys.create(wallets(number).owner, 0, START) for number in range(2)]
    for number, key in enumerate(keys):
        assert key is not None
        wallet = wallets(number).owner
        venue.fund(wallet, 10**9)
        order = SignedOrder(
            hash=f"0x{number:064x}",
            maker=wallet,
            signer=wallet,
            token_id=market.listing.tokens[number],
            maker_amount=5 * 10**6,
            taker_amount=10 * 10**6,
            side="BUY",
        )
        venue.place(order, owner=key.key, order_type="GTC")
    venue.advance(venue.now + SECOND)
    venue.resolve(market.condition_id, 0)
    desk.hear()
    for key in keys:
        assert key is not None
        kinds = [row["type"] for row in desk.notices.of(key.key)]
        assert kinds == [4, 2]
        desk.notices.drop(key.key, [str(desk.notices.of(key.key)[0]["id"])])
        assert [row["type"] for row in desk.notices.of(key.key)] == [2]
    assert desk.notices.of("nobody") == []
    assert key_of(0) != key_of(1)
