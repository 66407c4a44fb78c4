"""Objections of many reviews, counted by rule: words are made once for reviews that share one."""

from __future__ import annotations

import numpy as np
import pytest
from engine_desk import market
from guard_vectors import NOW, ROOM, limit_vector

from polyframe.domain.units import DAY, HOUR
from polyframe.engine.objections import rule_keys
from polyframe.engine.reasons import REASONS, Found, because, rule_of
from polyframe.kernels import guards_nb as g

MARKET = market("A")
CASES = 3_000
SMALL = (0, 1, 3, g.MISSING)
MONEY = (0, 300 * 10**6, 880 * 10**6, 1_000 * 10**6, g.MISSING)
ORDER = {
    g.O_SIDE: (1, -1), g.O_PRICE: (0, 200, 5_000, 5_001, 10_000), g.O_TICK: (100, 1),
    g.O_MAX_PRICE: (10_000,), g.O_ONE: (10_000,), g.O_LOT: (1, 10**6), g.O_MIN_SIZE: (1, 5 * 10**6),
    g.O_SIZE: (10**6, 7 * 10**6), g.O_COST: (5 * 10**6, -5 * 10**6), g.O_KIND: (1, g.QUOTE, 4),
    g.O_TS: (NOW, NOW + HOUR), g.O_EDGE: (g.MISSING, -5, 40_000),
    g.O_PROBABILITY: (g.MISSING, 450_000, 900_000),
}  # fmt: skip
STATE = {
    g.S_CLOSES: (0, g.MISSING, NOW + HOUR, NOW + 3 * HOUR, NOW + 130 * DAY),
    g.S_BID: (0, 4_000), g.S_ASK: (5_000, 9_000), g.S_OWN_ASK: (0, 5_000), g.S_OWN_BID: (0, 5_000),
    g.S_TRADABLE: (0, 1), g.S_KILLED: (0, 1), g.S_ORDERS_SECOND: (0, 10, 11),
    g.S_CATEGORY_CAP: (g.MISSING, 100_000, 200_000),
}  # fmt: skip
MONEYED = (
    g.S_EQUITY, g.S_PEAK_EQUITY, g.S_MARKET_AT_RISK, g.S_MARKET_NET, g.S_MARKET_GROSS,
    g.S_TOTAL_NET, g.S_CASH_FREE,
)  # fmt: skip


def table(rng: np.random.Generator, width: int, choices: dict[int, tuple[int, ...]]) -> np.ndarray:
    found = rng.choice(SMALL, (CASES, width)).astype(np.int64)
    for column, values in choices.items():
        found[:, column] = rng.choice(np.array(values, np.int64), CASES)
    return found


@pytest.mark.parametrize("guard", g.GUARDS)
def test_reviews_that_are_alike_in_a_guards_keys_have_the_same_rule(guard):
    rng = np.random.default_rng(sum(map(ord, guard)))
    orders = table(rng, g.O_SIZE_OF, ORDER)
    states = table(rng, g.S_SIZE_OF, STATE | dict.fromkeys(MONEYED, MONEY))
    limits = limit_vector(ROOM)
    keys = rule_keys(guard, orders, states, limits)
    rows = np.stack([*keys, np.zeros(CASES)], axis=1)
    rules: dict[bytes, set[str]] = {}
    for n in range(CASES):
        found = because(guard, Found(orders[n], states[n], limits, MARKET, ""))
        rules.setdefault(rows[n].tobytes(), set()).add(rule_of(found))
    assert all(len(said) == 1 for said in rules.values())
    assert len(rules) < CASES / 2, "too few reviews were alike to show anything"


def test_every_guard_has_words():
    assert set(g.GUARDS) == set(REASONS)
