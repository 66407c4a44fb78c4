"""The guards' vectors by name, for tests: calm ones with room, and any that hypothesis draws."""

from __future__ import annotations

import numpy as np
from hypothesis import strategies as st

from polyframe.domain.units import HOUR, cost_of, money_divisor, taker_fee
from polyframe.kernels import checks_nb, exposure_nb, losses_nb, rates_nb
from polyframe.kernels import guards_nb as g

ONE = 10_000
LOT = 10_000
DIVISOR = money_divisor(4, 6)
MONEY = 10**12
MOST_SIZE = 10**13


def columns(prefix: str) -> dict[str, int]:
    """Columns by their lower-case names."""
    return {
        name.removeprefix(prefix).lower(): at
        for name, at in vars(g).items()
        if name.startswith(prefix) and not name.endswith("_SIZE_OF")
    }


ORDER, STATE = columns("O_"), columns("S_")
GUARD = {
    name: getattr(module, name)
    for module in (checks_nb, exposure_nb, losses_nb, rates_nb)
    for name in g.GUARDS
    if hasattr(module, name)
}


def order_vector(values: dict[str, int]) -> np.ndarray:
    return _vector(ORDER, values)


def state_vector(values: dict[str, int]) -> np.ndarray:
    return _vector(STATE, values)


def limit_vector(values: dict[str, int]) -> np.ndarray:
    return np.array([values[name] for name in g.LIMITS], dtype=np.int64)


def _vector(where: dict[str, int], values: dict[str, int]) -> np.ndarray:
    made = np.zeros(len(where), dtype=np.int64)
    for name, at in where.items():
        made[at] = values[name]
    return made


# ---- a calm session with room everywhere -------------------------------------------------------

NOW = 1_767_225_600_000_000_000
BUY = {
    "side": 1, "price": 5_000, "size": 10_000_000, "lot": 1_000_000, "min_size": 5_000_000,
    "tick": 100, "max_price": ONE, "kind": 1, "reduces": 0, "cost": 5_000_000, "slack": 1,
    "edge": 40_000, "ts": NOW, "one": ONE, "probability": 540_000,
}  # fmt: skip
SELL = BUY | {"side": -1, "cost": -5_000_000, "probability": 460_000}
FULL = BUY["size"]
CALM = dict.fromkeys(STATE, 0) | {
    "cash_free": 10**9, "shares_free": 10**9, "equity": 10**9, "day_start_equity": 10**9,
    "week_start_equity": 10**9, "peak_equity": 10**9, "bid": 4_900, "ask": 5_000, "trusted": 1,
    "tradable": 1, "category_cap": g.MISSING, "liquidity": 2 * 10**9, "confidence": 1,
    "evidence": 550_000, "forecast": 540_000, "closes": NOW + 48 * HOUR,
}  # fmt: skip
ROOM = {
    "max_stake": 10**9, "daily_loss": 10**8, "open_positions": 5, "price_low": 30_000,
    "price_high": 970_000, "price_away": 50_000, "min_edge": 40_000, "drawdown_kill": 200_000,
    "heat_from_1": 100_000, "heat_from_2": 150_000, "heat_from_3": 200_000,
    "heat_keep_1": 500_000, "heat_keep_2": 250_000, "heat_keep_3": 0, "weekly_loss": 2 * 10**8,
    "liquidity": 2 * 10**9, "spread": 60_000, "evidence": 550_000, "confidence": 1,
    "implied_probability": 50_000, "blocked": 0, "portfolio": 600_000,
    "timeline_last": 2 * HOUR, "timeline_first": 2_880 * HOUR, "category": 350_000,
    "event": 250_000, "correlated": 4, "correlated_above": 700_000, "correlated_samples": 24,
    "correlated_window": 96 * HOUR, "symbol_net": 300_000, "symbol_gross": 600_000,
    "symbol_total_net": 500_000, "order_size": 50_000, "quote_size": 10_000, "orders_second": 10,
    "orders_minute": 300, "daily_volume": 20_000_000, "cancel_ratio": 50, "cancels_from": 100,
    "stoploss_trades": 3, "stoploss_lookback": HOUR, "stoploss_stop": HOUR // 2,
    "stoploss_per_market": 0, "cooldown_stop": HOUR // 12, "low_profit_trades": 2,
    "low_profit_lookback": 6 * HOUR, "low_profit_required": 0, "low_profit_stop": HOUR,
    "max_drawdown_trades": 10, "max_drawdown_lookback": 48 * HOUR,
    "max_drawdown_allowed": 150_000, "max_drawdown_stop": 12 * HOUR,
    "drawdown_flatten": 0,
}  # fmt: skip


# ---- anything at all ---------------------------------------------------------------------------


def amount(most: int, least: int = 0):
    return st.one_of(st.integers(least, most), st.sampled_from([least, most]))


def or_missing(values):
    return st.one_of(values, st.just(g.MISSING))


@st.composite
def orders(draw, **fixed):
    price = draw(amount(ONE))
    size = draw(amount(MOST_SIZE, 1))
    side = draw(st.sampled_from((1, -1)))
    cost = cost_of(price, size, DIVISOR) + taker_fee(price, size, 40_000, 1, ONE, DIVISOR)
    values = {
        "side": side, "price": price, "size": size,
        "lot": draw(st.sampled_from((1, LOT, 1_000_000))),
        "min_size": draw(amount(5_000_000)), "tick": draw(st.sampled_from((1, 10, 100))),
        "max_price": ONE, "kind": draw(st.sampled_from((1, 2, 4, 8))),
        "reduces": draw(st.integers(0, 1)), "cost": side * cost, "slack": 11,
        "edge": draw(or_missing(st.integers(-(10**6), 10**6))), "ts": draw(amount(2**61)),
        "one": ONE, "probability": draw(or_missing(amount(10**6))),
    }  # fmt: skip
    return values | fixed


COUNTS = (
    "open_markets", "correlated", "orders_second", "orders_minute", "orders_day", "cancels_day",
    "fills_day",
)  # fmt: skip
BITS = ("killed", "halted", "market_open", "trusted", "tradable", "blocked")
ASKED = ("liquidity", "confidence", "evidence", "forecast", "closes")
"""what may be exempt"""
KNOWN = (
    "cash_free", "shares_free", "own_bid", "own_ask", *BITS,
)  # fmt: skip
"""what is never missing"""


def _state_kind(name: str):
    if name in BITS:
        kind = st.integers(0, 1)
    elif name in COUNTS:
        kind = st.integers(0, 400)
    elif name in ("bid", "ask", "own_bid", "own_ask"):
        kind = amount(ONE)
    elif name in ("evidence", "forecast", "category_cap"):
        kind = amount(10**6)
    elif name == "confidence":
        kind = st.integers(0, 2)
    elif name == "closes" or name.startswith("lock"):
        kind = amount(2**61)
    else:
        kind = st.integers(-MONEY, MONEY)
    if name in ASKED:
        kind = st.one_of(kind, st.just(g.EXEMPT))
    return kind if name in KNOWN else or_missing(kind)


def _limit_kind(name: str):
    if name in ("max_stake", "daily_loss", "weekly_loss", "liquidity"):
        kind = amount(MONEY)
    elif name in ("open_positions", "correlated", "confidence"):
        kind = st.integers(0, 9)
    elif name.startswith("timeline"):
        kind = amount(2**61)
    elif name.startswith(("orders", "cancel")):
        kind = st.integers(1, 400)
    else:
        kind = amount(1_000_000)
    return or_missing(kind)


def _in_steps(values: dict[str, int]) -> dict[str, int]:
    steps = sorted(values[f"heat_from_{i}"] for i in (1, 2, 3))
    return values | {f"heat_from_{i + 1}": step for i, step in enumerate(steps)}


_STATES = st.fixed_dictionaries({name: _state_kind(name) for name in STATE})
_LIMITS = st.fixed_dictionaries({name: _limit_kind(name) for name in g.LIMITS}).map(_in_steps)


def states():
    return _STATES


def limits():
    return _LIMITS
