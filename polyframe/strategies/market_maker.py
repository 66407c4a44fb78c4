"""MarketMaker: bids and offers around a fair value, as long as they are worth their risk.

One function decides, in machine code: what a share is worth; how far from that to quote, more for
volatility, inventory and fills that turned out bad; on which sides at all; and whether what rests
already is near enough to stay. docs/market-making.md says how to run and change it.

Sizes and inventories are in shares where a share pays 1. Elsewhere they are in currency, and prices
and distances are fractions of the price: so the same formulas serve both kinds of market.
"""

from __future__ import annotations

import math
from collections.abc import Callable, Sequence
from typing import Any, Final, Self, TypeAlias

from pydantic import model_validator

from polyframe import (
    HOUR,
    MILLISECOND,
    Choice,
    Data,
    Every,
    Int,
    Market,
    Moved,
    PluginConfig,
    Quoter,
    Real,
    Subscription,
    aversion_for,
    compilable,
    endless_depths,
    horizon_depths,
    income_a_day,
    left_of,
    log_odds_of,
    near_depth,
    note_fills,
    points_a_share,
    probability_of,
    quote_kernel,
    resolution_price,
    rival_points,
    seen,
    spread_term,
    trend_of,
    weighted_mid,
)

Row: TypeAlias = Any
"""an array of float64"""

FAIR = ("mid", "microprice", "forecast")
UNSEEN = ("forecaster", "forecast_hours")
"""settings that are not the kernel's"""
MODELS = ("avellaneda_stoikov", "glft", "logit", "cara")
ONE_SIDED = ("skew", "reduce")
MODES = ("quote", "reduce", "flatten")
PAIRS = ("sell", "bid", "merge")
RESOLUTION = ("never", "near", "always")

LIMITS: Sequence[tuple[Sequence[str], str, Callable[[float], bool]]] = (
    (
        ("size", "capital", "aversion", "decay", "intensity", "horizon", "spread_cap",
         "volatility_halflife", "markout_seconds", "markout_halflife", "jump", "trend",
         "trend_halflife", "max_spread", "refresh_ms", "forecast_hours"),
        "above 0", lambda value: 0 < value < math.inf,
    ),
    (
        ("base_ticks", "spread_floor", "volatility", "volatility_widen", "adverse", "toxicity",
         "skew_far", "sweep", "cooloff_seconds", "trend_widen", "reduce_hours", "halt_hours",
         "move_ticks", "refresh_part"),
        "0 or more", lambda value: 0 <= value < math.inf,
    ),
    (("forecast_weight", "refill"), "from 0 to 1", lambda value: 0 <= value <= 1),
    (("lowest",), "from 0 to below 0.5", lambda value: 0 <= value < 0.5),
    (("maker_fee",), "a number", math.isfinite),
)  # fmt: skip
"""what settings can be: names, words, test"""

WORDS: dict[str, Sequence[str]] = {
    "fair": FAIR, "model": MODELS, "one_sided": ONE_SIDED, "resolution_skew": RESOLUTION,
    "mode": MODES, "pairs": PAIRS,
}  # fmt: skip

VENUES: dict[str, dict[str, float]] = {
    "polymarket": {},
    "binance": {
        "refresh_ms": 500, "size": 200.0, "capital": 2_000.0, "decay": 2_000.0, "intensity": 0.5,
        "aversion": 0.5, "horizon": 300.0, "volatility": 5e-5, "adverse": 0.0, "maker_fee": 0.0002,
        "base_ticks": 1, "spread_floor": 0.0002, "spread_cap": 0.0015, "jump": 0.003,
        "max_spread": 0.005, "markout_seconds": 60.0, "skew_far": 0.001, "move_ticks": 0,
        "reduce_hours": 0.0, "halt_hours": 0.0,
    },
}  # fmt: skip
"""Defaults by venue, over those of the Config, which are Polymarket's. Which of them stands is said
by the market: shares that pay 1 are quoted as on Polymarket, all others as on Binance."""

QUIET, TRENDING, EVENT, REDUCE, HALTED = 0.0, 1.0, 2.0, 3.0, 4.0
"""What a market is like: nothing to say, a trend, just after a jump, near its end, at its end."""

# ---- the memory of a market, in seen.OWN_SIZE_OF numbers ------------------------------------

(
    O_TIME, O_MID, O_VARIANCE, O_FAST, O_SLOW, O_EVENT, O_REGIME, O_TAKEN_BUY, O_TAKEN_SELL,
    O_NEAR_BID, O_NEAR_ASK, O_BID, O_BID_SIZE, O_ASK, O_ASK_SIZE, O_BID_SELLS, O_ASK_SELLS, O_SAID,
    O_PLACED, O_KEPT, O_REPLACED, O_WHY, O_FILLS,
) = range(23)  # fmt: skip
"""From O_FILLS on stands what ``note_fills`` remembers: bought, sold, and the markouts."""
O_COSTS: Final = O_FILLS + 2

NO_BOOK, JUMPED, REDUCING, AT_END, TOO_SMALL, UNPAID = 1, 2, 4, 8, 16, 32
"""Why a side is not quoted, as bits of O_WHY."""

FAST: Final = 5.0
"""half-life of the average that a jump is seen against"""
WIDEN_OVER: Final = 10.0
"""seconds whose standard deviation ``volatility_widen`` counts"""
SAY_AGAIN: Final = 30.0
"""seconds after which quotes that stay are asked for again, as the door may have refused them"""
PRIOR_FILLS: Final = 5.0
"""fills that the expected ``adverse`` counts for"""


# ---- the parameters, in the order of the Config's fields -------------------------------------

(
    P_FAIR, P_WEIGHT, P_MODEL, P_SIZE, P_CAPITAL, P_AVERSION, P_DECAY, P_INTENSITY, P_HORIZON,
    P_BASE_TICKS, P_FLOOR, P_CAP, P_VOLATILITY, P_VOLATILITY_HALFLIFE, P_WIDEN, P_ADVERSE,
    P_TOXICITY, P_MARKOUT, P_MARKOUT_HALFLIFE, P_SOFT, P_HARD, P_FLATTEN, P_ONE_SIDED, P_FAR,
    P_RESOLUTION, P_MODE, P_PAIRS, P_OBJECTIVE, P_FEE, P_REWARDS, P_JUMP, P_SWEEP, P_COOLOFF,
    P_TREND, P_TREND_HALFLIFE, P_TREND_WIDEN, P_REDUCE, P_HALT, P_LOWEST, P_MAX_SPREAD, P_REFRESH,
    P_MOVE, P_REFRESH_PART, P_REFILL, PARAMETERS,
) = range(45)  # fmt: skip


@compilable
def observe(sight: Row, own: Row, p: Row, mid: float, unit: float) -> None:
    """Brings volatility, averages, markouts and jumps up to now."""
    now = sight[seen.NOW]
    gone = now - own[O_TIME]
    if own[O_TIME] == 0.0:
        gone = 0.0
        own[O_VARIANCE] = p[P_VOLATILITY] ** 2
        own[O_FAST], own[O_SLOW] = mid, mid
        own[O_FILLS], own[O_FILLS + 1] = sight[seen.OWN_BOUGHT], sight[seen.OWN_SOLD]
        own[O_TAKEN_BUY], own[O_TAKEN_SELL] = sight[seen.BOUGHT], sight[seen.SOLD]
    elif gone > 0.0:
        left = left_of(gone, p[P_VOLATILITY_HALFLIFE])
        change = (mid - own[O_MID]) / unit
        own[O_VARIANCE] = left * own[O_VARIANCE] + (1.0 - left) * change * change / gone
        if abs(mid - own[O_FAST]) >= p[P_JUMP] * unit:
            own[O_EVENT] = now + p[P_COOLOFF]
        left = left_of(gone, FAST)
        own[O_FAST] = left * own[O_FAST] + (1.0 - left) * mid
        left = left_of(gone, p[P_TREND_HALFLIFE])
        own[O_SLOW] = left * own[O_SLOW] + (1.0 - left) * mid
    for k in range(2):
        taken = sight[seen.BOUGHT] if k == 0 else sight[seen.SOLD]
        stood = own[O_NEAR_ASK - k]
        if p[P_SWEEP] > 0.0 and stood > 0.0 and taken - own[O_TAKEN_BUY + k] >= p[P_SWEEP] * stood:
            own[O_EVENT] = now + p[P_COOLOFF]
        own[O_TAKEN_BUY + k] = taken
        own[O_NEAR_ASK - k] = near_depth(sight, 1 - k)
        filled = sight[seen.OWN_BOUGHT + k] - own[O_FILLS + k]
        own[O_BID_SIZE + 2 * k] = max(0.0, own[O_BID_SIZE + 2 * k] - filled)
    left = left_of(gone, p[P_MARKOUT_HALFLIFE])
    note_fills(sight, own, O_FILLS, p[P_MARKOUT], left, mid, unit)
    own[O_TIME], own[O_MID] = now, mid


@compilable
def regime_of(sight: Row, own: Row, p: Row, x: float, unit: float) -> Any:
    """What the market is like now."""
    hours = (sight[seen.CLOSES] - sight[seen.NOW]) / 3600.0
    wide = sight[seen.ASK] - sight[seen.BID] > p[P_MAX_SPREAD] * unit
    outside = sight[seen.ONE] == 1.0 and (x < p[P_LOWEST] or x > 1.0 - p[P_LOWEST])
    if hours < p[P_HALT]:
        return HALTED
    if sight[seen.NOW] < own[O_EVENT]:
        return EVENT
    if hours < p[P_REDUCE] or p[P_MODE] != 0.0 or wide or outside:
        return REDUCE
    if abs(trend_in(own, p, unit)) > p[P_TREND]:
        return TRENDING
    return QUIET


@compilable
def trend_in(own: Row, p: Row, unit: float) -> Any:
    """The trend of the mid, in standard deviations of a random walk."""
    sigma = math.sqrt(own[O_VARIANCE]) * unit
    return trend_of(own[O_FAST], own[O_SLOW], sigma, p[P_TREND_HALFLIFE])


@compilable
def fair_value(sight: Row, p: Row, mid: float) -> Any:
    """What a share is worth: the mid, the microprice, or that pooled with the forecast."""
    if p[P_FAIR] == 0.0:
        return mid
    micro = weighted_mid(
        sight[seen.BID], sight[seen.BID_SIZE], sight[seen.ASK], sight[seen.ASK_SIZE]
    )
    said = sight[seen.FORECAST]
    if p[P_FAIR] != 2.0 or sight[seen.ONE] != 1.0 or math.isnan(said):
        return micro
    weight = p[P_WEIGHT]
    said = min(max(said, 0.001), 0.999)
    seen_there = min(max(micro, 0.001), 0.999)
    return probability_of(weight * log_odds_of(said) + (1.0 - weight) * log_odds_of(seen_there))


@compilable
def around(sight: Row, p: Row, x: float, q: float, sigma: float) -> Any:
    """The reservation price and the half spread of the model, both normalised."""
    g, k = p[P_AVERSION], p[P_DECAY]
    binary = sight[seen.ONE] == 1.0
    hours = (sight[seen.CLOSES] - sight[seen.NOW]) / 3600.0
    near = p[P_RESOLUTION] == 1.0 and hours < 2.0 * p[P_REDUCE]
    held = resolution_price(x, q, aversion_for(x, p[P_CAPITAL])) if binary else x
    if p[P_MODEL] == 1.0:
        half, skew = endless_depths(g, sigma, p[P_INTENSITY], k, p[P_SIZE])
        middle = x - q * skew
    elif p[P_MODEL] == 2.0 and binary:
        # In log-odds, where a price moves by p (1 - p) for each of them.
        slope = x * (1.0 - x)
        away, skew = horizon_depths(g, sigma / slope, p[P_HORIZON], k * slope)
        odds = log_odds_of(x) - q * skew
        middle = probability_of(odds)
        half = 0.5 * (probability_of(odds + away) - probability_of(odds - away))
    elif p[P_MODEL] == 3.0 and binary:
        half, middle = spread_term(g, k), held
    else:
        half, skew = horizon_depths(g, sigma, p[P_HORIZON], k)
        middle = x - q * skew
    if binary and (near or p[P_RESOLUTION] == 2.0) and abs(held - x) > abs(middle - x):
        middle = held
    return middle, min(half, p[P_CAP])


@compilable
def adverse_of(own: Row, p: Row, side: int) -> Any:
    """How far the mid is expected to go against a fill of a side: 0 bids, 1 offers."""
    prior = PRIOR_FILLS * p[P_SIZE]
    sums = O_COSTS + 2 * side
    return (prior * p[P_ADVERSE] + own[sums]) / (prior + own[sums + 1])


@compilable
def rewarded_depth(
    sight: Row, p: Row, depth: float, adverse: float, size: float, mid: float
) -> Any:
    """The depth that pays most with liquidity rewards: on a tick within their spread, or as is."""
    pool, most = sight[seen.REWARD_DAY], sight[seen.REWARD_SPREAD]
    if p[P_REWARDS] == 0.0 or pool <= 0.0 or size < sight[seen.REWARD_SIZE]:
        return depth
    others = rival_points(sight, mid)
    best, found = depth, income_a_day(
        depth, size, p[P_INTENSITY], p[P_DECAY], adverse, -p[P_FEE], pool, most, others
    )  # fmt: skip
    for k in range(max(1, int(p[P_BASE_TICKS])), 13):
        tried = k * sight[seen.TICK]
        earned = income_a_day(
            tried, size, p[P_INTENSITY], p[P_DECAY], adverse, -p[P_FEE], pool, most, others
        )
        if tried < most and earned > found:
            best, found = tried, earned
    return best


@compilable
def income_of(
    sight: Row,
    own: Row,
    p: Row,
    side: int,
    x: float,
    q: float,
    size: float,
    away: float,
    mid: float,
    price: float,
) -> Any:
    """What one side's quote is expected to earn a day: spread, rebate and reward, less fills' cost.

    ``away`` is how far it stands from the fair value; inventory costs until it is sold again.
    """
    risk = 0.5 * p[P_AVERSION] * own[O_VARIANCE] * p[P_HORIZON] * (2.0 * abs(q) + size)
    fee = sight[seen.FEE_RATE] * (x * (1.0 - x)) ** sight[seen.FEE_EXPONENT]
    rebate = sight[seen.REBATE] * fee
    rebate = rebate if sight[seen.ONE] == 1.0 else 0.0
    earned = 0.5 * income_a_day(
        away, size, p[P_INTENSITY], p[P_DECAY], adverse_of(own, p, side) + risk,
        rebate - p[P_FEE], 0.0, 0.0, 0.0,
    )  # fmt: skip
    points = points_a_share(abs(mid - price), sight[seen.REWARD_SPREAD]) * size
    if p[P_REWARDS] != 0.0 and size >= sight[seen.REWARD_SIZE] and points > 0.0:
        pool = 0.5 * sight[seen.REWARD_DAY]
        earned += pool * points / (points + rival_points(sight, mid))
    return earned


@compilable
def stays(
    sight: Row, own: Row, p: Row, side: int, price: float, size: float, aim: float, half: float
) -> Any:
    """1 when what rests on a side is near enough to what is wanted; else notes the new quote.

    ``aim`` is the price before it was put on a tick: what is less than a tick away from it stays.
    """
    at = O_BID + 2 * side
    stands, rests = own[at], own[at + 1]
    behind = (1.0 - 2.0 * side) * (aim - stands)
    room = p[P_REFRESH_PART] * half + 1e-9
    near = price == stands or -room <= behind <= sight[seen.TICK] + room
    if size <= 0.0 and rests <= 0.0:
        return 1
    if size > 0.0 and near and max(p[P_REFILL] * size, 1e-9) <= rests <= 1.1 * size:
        own[O_KEPT] += 1.0
        return 1
    if rests > 0.0:
        own[O_REPLACED] += 1.0
    if size > 0.0:
        own[O_PLACED] += 1.0
    held = sight[seen.NO] if side == 0 else sight[seen.YES]
    own[at], own[at + 1] = price, size
    own[O_BID_SELLS + side] = 1.0 if p[P_PAIRS] == 0.0 and held >= size - 1e-9 else 0.0
    return 0


@compilable
def write(sight: Row, own: Row, wanted: Row, n: int, side: int) -> Any:
    """Writes a side's quote: of shares that are held, or as a bid for the other outcome."""
    at = O_BID + 2 * side
    price, size = own[at], own[at + 1]
    if size <= 0.0:
        return n
    held = sight[seen.NO] if side == 0 else sight[seen.YES]
    sells = own[O_BID_SELLS + side] == 1.0 and held >= size - 1e-9
    if sight[seen.ONE] != 1.0:
        sells = side == 1
    # YES is bought by bids and sold by offers, NO the other way round.
    outcome = 1 - side if sells else side
    wanted[n, seen.W_OUTCOME] = outcome
    wanted[n, seen.W_SIDE] = -1.0 if sells else 1.0
    wanted[n, seen.W_PRICE] = price if outcome == 0 else 1.0 - price
    wanted[n, seen.W_SIZE] = size
    return n + 1


@compilable
def note_silence(own: Row, regime: float, size: float) -> None:
    """Remembers why a side is not quoted; a size above 0 is one that the venue does not take."""
    why = 0
    if size > 0.0:
        why = TOO_SMALL
    elif regime == HALTED:
        why = AT_END
    elif regime == EVENT:
        why = JUMPED
    elif regime == REDUCE:
        why = REDUCING
    own[O_WHY] = float(int(own[O_WHY]) | why)


@compilable
def size_of(sight: Row, p: Row, regime: float, side: int, x: float, q: float, risk: float) -> Any:
    """The face value to quote on a side: the bands and the regime say how much of it."""
    toward = 1.0 - 2.0 * side
    adds = q * toward >= 0.0
    size = p[P_SIZE]
    if p[P_REWARDS] != 0.0 and sight[seen.REWARD_DAY] > 0.0:
        size = max(size, sight[seen.REWARD_SIZE])
    binary = sight[seen.ONE] == 1.0
    price = (x if side == 0 else 1.0 - x) if binary else 1.0
    size = min(size, p[P_HARD] * p[P_CAPITAL] / price - toward * q)
    if side == 1 and not binary:
        size = min(size, q)
    part = risk / p[P_CAPITAL]
    flatten = p[P_MODE] == 2.0 or part >= p[P_FLATTEN]
    if regime in (HALTED, EVENT):
        return 0.0
    if adds and (regime == REDUCE or flatten or part >= p[P_HARD]):
        return 0.0
    if adds and part >= p[P_SOFT] and p[P_ONE_SIDED] == 1.0:
        return 0.0
    if not adds and flatten:
        return abs(q)
    return min(size, abs(q)) if regime == REDUCE else size


@compilable
def depth_of(
    sight: Row,
    own: Row,
    p: Row,
    regime: float,
    side: int,
    half: float,
    size: float,
    risk: float,
    adds: bool,
    mid: float,
    unit: float,
) -> Any:
    """How far from the reservation price a side is quoted."""
    sigma = math.sqrt(own[O_VARIANCE])
    trend = trend_in(own, p, unit)
    if regime == TRENDING and trend * (2.0 * side - 1.0) > 0.0:
        half *= 1.0 + p[P_TREND_WIDEN]
    adverse = adverse_of(own, p, side)
    depth = half + p[P_WIDEN] * sigma * math.sqrt(WIDEN_OVER) + p[P_TOXICITY] * max(adverse, 0.0)
    depth = rewarded_depth(sight, p, depth, adverse, size, mid)
    least = max(p[P_FLOOR], p[P_BASE_TICKS] * sight[seen.TICK] / unit)
    part = risk / p[P_CAPITAL]
    if adds and part >= p[P_SOFT]:
        depth += p[P_FAR] * (part - p[P_SOFT]) / max(p[P_HARD] - p[P_SOFT], 1e-9)
    return max(depth, least)


@compilable
def price_of(sight: Row, side: int, price: float) -> Any:
    """A price on the tick, not better than the other side lets it rest, 0 where there is none."""
    tick, last = sight[seen.TICK], sight[seen.ONE]
    if side == 0:
        found = min(math.floor(price / tick + 1e-6) * tick, sight[seen.ASK] - tick)
    else:
        found = max(math.ceil(price / tick - 1e-6) * tick, sight[seen.BID] + tick)
    return found if tick - 1e-9 <= found <= last - tick + 1e-9 else 0.0


@quote_kernel
def quote(sight: Row, own: Row, parameters: Row, wanted: Row) -> Any:
    """What should rest in a market."""
    binary = sight[seen.ONE] == 1.0
    p = parameters[:PARAMETERS] if binary else parameters[PARAMETERS:]
    bid, ask = sight[seen.BID], sight[seen.ASK]
    if bid <= 0.0 or ask <= 0.0:
        own[O_BID_SIZE], own[O_ASK_SIZE] = 0.0, 0.0
        own[O_WHY] = float(int(own[O_WHY]) | NO_BOOK)
        return 0
    mid = 0.5 * (bid + ask)
    fair = fair_value(sight, p, mid)
    unit = 1.0 if binary else fair
    x = min(max(fair, 0.001), 0.999) if binary else 1.0
    q = (sight[seen.YES] - sight[seen.NO]) * unit
    risk = (q * x if q > 0.0 else -q * (1.0 - x)) if binary else abs(q)
    observe(sight, own, p, mid, unit)
    regime = regime_of(sight, own, p, x, unit)
    own[O_REGIME] = regime
    middle, half = around(sight, p, x, q, math.sqrt(own[O_VARIANCE]))
    flatten = p[P_MODE] == 2.0 or risk / p[P_CAPITAL] >= p[P_FLATTEN]
    kept = 0
    for side in range(2):
        toward = 1.0 - 2.0 * side
        adds = q * toward >= 0.0
        size = size_of(sight, p, regime, side, x, q, risk)
        price, aim = 0.0, 0.0
        if size >= sight[seen.MIN_SIZE] * unit and size > 0.0:
            depth = depth_of(sight, own, p, regime, side, half, size, risk, adds, mid, unit)
            aim = (middle - toward * depth) * unit
            if flatten:
                aim = ask if side == 0 else bid
            price = price_of(sight, side, aim)
        else:
            note_silence(own, regime, size)
        if price > 0.0 and adds and p[P_OBJECTIVE] != 0.0:
            away = toward * (x - price / unit)
            if income_of(sight, own, p, side, x, q, size, away, mid, price) <= 0.0:
                price = 0.0
                own[O_WHY] = float(int(own[O_WHY]) | UNPAID)
        size = size / unit if price > 0.0 else 0.0
        kept += stays(sight, own, p, side, price, size, aim, half * unit)
    if kept == 2 and sight[seen.NOW] - own[O_SAID] < SAY_AGAIN:
        return seen.LEAVE
    own[O_SAID] = sight[seen.NOW]
    n = write(sight, own, wanted, 0, 0)
    return write(sight, own, wanted, n, 1)


class MarketMaker(Quoter):
    """Quotes around a fair value, skewed by inventory, while that is expected to pay."""

    class Config(PluginConfig):
        """The settings with the ranges that hyperopt searches.

        Units: face value (shares, or currency where a share does not pay 1), prices as fractions of
        1 (or of the price), seconds; bands are parts of ``capital``, hours count from the close.
        """

        fair: str = Choice("microprice", FAIR, space="fair")
        forecast_weight: float = Real(0.25, 0.0, 1.0, space="fair")
        """with ``forecast``: its weight in log-odds, the microprice has the rest"""
        model: str = Choice("glft", MODELS, space="spread")
        size: float = Real(10.0, 5.0, 200.0, log=True, space="spread")
        capital: float = Real(120.0, 20.0, 2_000.0, log=True, space="inventory")
        """money at risk in one market that the bands are parts of"""
        aversion: float = Real(0.2, 0.01, 10.0, log=True, space="spread")
        decay: float = Real(100.0, 20.0, 400.0, log=True, space="spread")
        """fills fall off as exp(-decay x distance)"""
        intensity: float = Real(0.02, 0.001, 2.0, log=True, space="spread")
        """fills a second and side of a quote at the fair value"""
        horizon: float = Real(600.0, 60.0, 3_600.0, log=True, space="spread")
        """until inventory is expected to be sold again"""
        base_ticks: int = Int(1, 0, 10, space="spread")
        """least half spread in ticks"""
        spread_floor: float = 0.0
        """least half spread"""
        spread_cap: float = 0.05
        """greatest half spread of the model; widening comes on top"""
        volatility: float = 0.0003
        """a square root of a second, before any was seen"""
        volatility_halflife: float = Real(300.0, 30.0, 3_600.0, log=True, space="volatility")
        volatility_widen: float = Real(0.5, 0.0, 4.0, space="volatility")
        """half spread by standard deviations of the mid over ten seconds"""
        adverse: float = 0.002
        """expected move against a fill, before any was seen"""
        toxicity: float = Real(1.0, 0.0, 5.0, space="toxicity")
        """how much of a side's adverse move is added to its half spread"""
        markout_seconds: float = 300.0
        markout_halflife: float = 1_800.0
        soft: float = Real(0.2, 0.05, 0.5, space="inventory")
        hard: float = Real(0.3, 0.1, 0.6, space="inventory")
        flatten_at: float = 0.45
        one_sided: str = Choice("skew", ONE_SIDED, space="inventory")
        """beyond the soft band: the other side far away, or not at all"""
        skew_far: float = Real(0.02, 0.0, 0.1, space="inventory")
        """how far away at the hard band"""
        resolution_skew: str = Choice("near", RESOLUTION, space="inventory")
        """when inventory is priced as if held to resolution, where that is more"""
        mode: str = Choice("quote", MODES)
        pairs: str = Choice("sell", PAIRS)
        """sell what is held; or always bid for both outcomes, and merge pairs of them into money"""
        objective: bool = True
        """quote a side only where it is expected to pay"""
        maker_fee: float = 0.0
        rewards: bool = True
        """quote where liquidity rewards are paid, if that pays more"""
        jump: float = Real(0.05, 0.01, 0.2, space="regime")
        sweep: float = Real(0.8, 0.2, 2.0, space="regime")
        """part of the visible depth of a side that taken at once is an event, too; 0: never"""
        cooloff_seconds: float = Real(30.0, 5.0, 300.0, space="regime")
        trend: float = Real(3.0, 1.0, 6.0, space="regime")
        """standard deviations between a fast and a slow average"""
        trend_halflife: float = 300.0
        trend_widen: float = Real(1.0, 0.0, 4.0, space="regime")
        reduce_hours: float = 24.0
        halt_hours: float = 2.0
        lowest: float = 0.05
        """no quotes while the fair value is nearer to 0 or 1"""
        max_spread: float = 0.10
        """no new inventory in a wider book: nobody knows what is fair"""
        refresh_ms: int = Int(1_000, 500, 2_000, space="lifecycle")
        move_ticks: int = Int(1, 0, 5, space="lifecycle")
        refresh_part: float = Real(0.5, 0.0, 1.0, space="lifecycle")
        """a resting quote stays while it is so near to the wanted one, in half spreads"""
        refill: float = Real(0.5, 0.0, 1.0, space="lifecycle")
        """what is left of a quote stays from this part of the wanted size on"""
        forecaster: str = ""
        """whose forecasts ``fair: forecast`` asks for, empty: the configuration's first"""
        forecast_hours: float = 6.0
        """how often"""

        @model_validator(mode="after")
        def _sound(self) -> Self:
            for name, words in WORDS.items():
                if getattr(self, name) not in words:
                    raise ValueError(f"{name} is one of {', '.join(words)}")
            if not 0.0 < self.soft < self.hard <= self.flatten_at:
                raise ValueError("soft, hard and flatten_at must ascend above 0")
            for names, words, fits in LIMITS:
                for name in names:
                    if not fits(getattr(self, name)):
                        raise ValueError(f"{name} is {getattr(self, name):g}; it must be {words}")
            return self

    config: Config
    quote = quote
    depth = True
    on_own_fill = True

    def __init__(self, config: Config | None = None) -> None:
        super().__init__(config)
        self.merges = self.config.pairs == "merge"  # type: ignore[misc]
        if self.config.fair == "forecast":
            self.forecast_every = int(self.config.forecast_hours * HOUR)  # type: ignore[misc]
            self.forecaster = self.config.forecaster  # type: ignore[misc]

    def parameters(self) -> Sequence[float]:
        """The settings as numbers, once for each venue: what is stated holds for all."""
        return [number for venue in VENUES for number in self.settings(venue)]

    def settings(self, venue: str) -> list[float]:
        """The settings at a venue that the kernel sees, in the order of the Config's fields."""
        stated = self.config.model_fields_set
        fields = [name for name in type(self.config).model_fields if name not in UNSEEN]
        over = {name: value for name, value in VENUES[venue].items() if name not in stated}
        values = {name: over.get(name, getattr(self.config, name)) for name in fields}
        return [
            float(WORDS[name].index(value)) if name in WORDS else float(value)
            for name, value in values.items()
        ]

    def subscribe(self, markets: Sequence[Market]) -> Subscription:
        """Books of all markets, looked at as often as the liveliest venue asks for."""
        kinds = {"polymarket" if market.binary else "binance" for market in markets}
        found = [self.settings(venue) for venue in sorted(kinds) or VENUES]
        every = int(min(values[P_REFRESH] for values in found)) * MILLISECOND
        moves = [int(values[P_MOVE]) for values in found]
        wakes: tuple[Every | Moved, ...] = (Every(every),)
        if all(moves):
            wakes = (*wakes, Moved(min(moves)))
        return Subscription(data=frozenset({Data.L2}), wake=wakes)

    def silent(self, market: Market, own: Sequence[float]) -> str:
        """Why it never quoted a market."""
        settings = self.settings("polymarket" if market.binary else "binance")
        least = market.show_size(market.min_size)
        lasting = {
            TOO_SMALL: f"its quotes are below the venue's minimum of {least} (size, capital)",
            AT_END: f"less than {settings[P_HALT]:g} h to the close (halt_hours)",
            REDUCING: f"less than {settings[P_REDUCE]:g} h to the close (reduce_hours), a book "
            f"wider than {settings[P_MAX_SPREAD]:g} (max_spread), or nearer than "
            f"{settings[P_LOWEST]:g} to 0 or 1 (lowest)",
            UNPAID: "no quote was expected to pay (objective)",
        }
        passing = {
            NO_BOOK: "the book did not have both sides",
            JUMPED: f"a jump was {settings[P_COOLOFF]:g} s ago or less (cooloff_seconds)",
        }
        why = int(own[O_WHY])
        # What passes is worth a word only where nothing else was in the way.
        for words in (lasting, passing):
            if found := [text for bit, text in words.items() if why & bit]:
                return "; ".join(found)
        return ""
