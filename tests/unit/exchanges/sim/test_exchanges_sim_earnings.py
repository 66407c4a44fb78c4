"""When the venue pays its makers and what, and the terms it goes by."""

from __future__ import annotations

import numpy as np
import pytest

from polyframe.domain.market import FeeSchedule, Market, Token
from polyframe.domain.units import DAY, MONEY_ONE
from polyframe.errors import ConfigError
from polyframe.exchanges.sim import earnings as paying
from polyframe.exchanges.sim.earnings import Earnings, Payment
from polyframe.exchanges.sim.settings import SimSettings
from polyframe.exchanges.sim.terms import RewardTerms, terms_of
from polyframe.kernels import l2columns_nb as c

TERMS = RewardTerms(day=100.0, max_spread=0.03, min_size=20)
FEE = FeeSchedule(40_000, 1, 250_000)
SECOND = 1_000_000_000


def market(name: str, fee: FeeSchedule = FEE) -> Market:
    return Market(name, "?", (Token(f"{name}-y", "Yes"), Token(f"{name}-n", "No")), fee=fee)


COIN = Market("coin", "?", (Token("c", "Coin"),), fee=FeeSchedule())


def earned(*rows: tuple[int, ...]) -> np.ndarray:
    return np.array(rows, np.int64)


def test_a_share_of_the_day_s_samples_is_paid_and_less_than_a_dollar_is_not() -> None:
    found = Earnings([market("a"), market("b")], [TERMS, TERMS], 10 * SECOND, MONEY_ONE)
    found.place("mm")
    found.begin(5 * DAY + 1, 7 * DAY)
    half = 720 * c.SHARE_ONE
    counts = earned((0, 0, half, 0), (0, 0, 14 * c.SHARE_ONE, 0))
    assert found.due() == 6 * DAY + 10 * SECOND
    # Half of the minutes alone: half of the pool. Fourteen minutes: 97 cents, not paid.
    assert list(found.pay(counts, 1_000_000)) == [
        Payment("mm", "a", 50 * MONEY_ONE, paying.REWARD)
    ]  # fmt: skip
    assert not counts.any()
    assert found.due() == 7 * DAY + 10 * SECOND


def test_a_rebate_is_the_stated_part_of_the_fees_on_own_fills(vectors) -> None:
    for case in vectors["maker_rebate"]["cases"]:
        given, wanted = case["in"], case["out"]
        fee = FeeSchedule(round(given["rate"] * 1e6), 1, round(given["rebate_share"] * 1e6))
        one = market("a", fee)
        shares = given["my_maker_shares"] * 1_000_000
        own = one.taker_fee(round(given["price"] * one.price_one), shares)
        assert own == round(wanted["my_fee_equivalent"] * MONEY_ONE)
        found = Earnings([one], [None], 0, 0)
        found.place("mm")
        found.begin(0, DAY)
        (paid,) = found.pay(earned((0, own, 0, 0)), 1_000_000)
        assert paid == Payment("mm", "a", round(wanted["rebate"] * MONEY_ONE), paying.REBATE)


def test_fees_under_stress_pay_no_larger_rebate() -> None:
    for stress, amount in ((1_000_000, 250), (2_000_000, 125), (500_000, 250)):
        found = Earnings([market("a")], [None], 0, 0)
        found.place("mm")
        found.begin(0, DAY)
        (paid,) = found.pay(earned((0, 1_000, 0, 0)), stress)
        assert paid.amount == amount


def test_ledgers_are_paid_their_own_and_the_least_is_asked_of_their_sum() -> None:
    found = Earnings([market("a")], [TERMS], 0, 10 * MONEY_ONE)
    assert [found.place(name) for name in ("one", "two", "one")] == [0, 1, 0]
    found.begin(0, 2 * DAY)
    # Each alone would be below ten dollars.
    each = 100 * c.SHARE_ONE
    paid = list(found.pay(earned((each, 0, 0, 0, each, 0, 0, 0)), 1_000_000))
    assert paid == [
        Payment(name, "a", 100 * MONEY_ONE * 100 // 1_440, paying.REWARD) for name in ("one", "two")
    ]


def test_the_last_day_is_paid_after_the_tape_and_then_none() -> None:
    found = Earnings([market("a")], [TERMS], 3 * SECOND, 0)
    assert found.due() is None
    found.begin(9, 1_000)
    assert found.due() == 1_001 + 3 * SECOND
    list(found.pay(earned((0, 0, 0, 0)), 1_000_000))
    assert found.due() is None


def test_nobody_waits_for_payments_that_cannot_be() -> None:
    found = Earnings([market("a", FeeSchedule())], [None], 0, 0)
    found.begin(0, 5 * DAY)
    assert found.due() is None


def test_terms_by_id_come_before_those_for_all() -> None:
    other = RewardTerms(day=5.0, max_spread=0.01)
    found = terms_of({"*": TERMS, "b": other}, [market("a"), market("b"), COIN])
    assert found == [TERMS, other, None]


def test_terms_for_nobody_are_refused() -> None:
    with pytest.raises(ConfigError, match="'zz', which is no market of this run"):
        terms_of({"zz": TERMS}, [market("a")])
    with pytest.raises(ConfigError, match="'coin', which has 1 token"):
        terms_of({"coin": TERMS}, [COIN])


@pytest.mark.parametrize(
    "bad", [{"day": -1, "max_spread": 0.03}, {"day": 1, "max_spread": 0}, {"max_spread": 0.03},
            {"day": 1, "max_spread": 0.03, "size": 1}]
)  # fmt: skip
def test_terms_out_of_range_are_refused(bad) -> None:
    with pytest.raises(ValueError, match="rewards"):
        SimSettings.model_validate({"rewards": {"*": bad}})
