"""What somebody without the strategy would have had, from the same record at the same costs."""

from __future__ import annotations

from typing import TYPE_CHECKING, NamedTuple

import numpy as np

from polyframe.domain.market import Market, ResolutionKind
from polyframe.domain.orders import Side
from polyframe.domain.units import MONEY_ONE, RATE_ONE
from polyframe.lab import schema as form
from polyframe.lab.record import RunRecord
from polyframe.lab.scores import Judged

if TYPE_CHECKING:
    from numpy.typing import NDArray

    Floats = NDArray[np.float64]

DRAWS = 5_000
_CELLS = 4_000_000

SLOPES = {"politics": 1.31}
SLOPE = 1.08
"""How much too close to one half prices were, as a slope in log-odds: politics 1.31, sports and
crypto 1.08, which is taken for all other categories too.

Source: arXiv 2602.19520 (calibration slopes of Polymarket prices), fixed here before any run.
"""


class Bet(NamedTuple):
    """One purchase of a binary market that ended with a winner, and the other side's beside it.

    Units: stake in currency, with fees; gains in currency, each for that stake.
    """

    stake: float
    own: float
    other: float


class Costs(NamedTuple):
    """What this run paid to buy a share: over the mid, as a fraction of 1."""

    over_mid: float
    fills: int


def baselines_of(record: RunRecord, judged: list[Judged], pnl: float) -> list[form.Baseline]:
    """The table of baselines: nothing, the mid, the corrected mid, chance."""
    own = _scores([row.forecast for row in judged], judged)
    mid = _scores([row.market for row in judged], judged)
    unscored = "" if judged else "no forecast of a resolved market to score beside it"
    return [
        form.Baseline("this run", pnl, brier=own[0], log_score=own[1], note=unscored),
        form.Baseline("do nothing", 0.0, note="no trade, no cost"),
        form.Baseline(
            "follow the mid",
            0.0,
            brier=mid[0],
            log_score=mid[1],
            note=unscored or "it sees no edge against itself and never pays a spread",
        ),
        _corrected(record),
        _at_random(record),
    ]


def _scores(chances: list[float], judged: list[Judged]) -> tuple[float | None, float | None]:
    """Brier and log score, averaged within events first."""
    if not judged:
        return None, None
    _, event = np.unique([row.event for row in judged], return_inverse=True)
    p, happened = np.array(chances), np.array([row.happened for row in judged])
    p = np.clip(p, 1e-6, 1 - 1e-6)
    count = np.bincount(event)
    brier = np.bincount(event, weights=(p - happened) ** 2) / count
    log = np.bincount(event, weights=-np.log(np.where(happened > 0.5, p, 1 - p))) / count
    return float(brier.mean()), float(log.mean())


# ---- the favourite-longshot correction ---------------------------------------------------------


def corrected(mid: float, category: str) -> float:
    """A mid with the published favourite-longshot bias taken out: its log-odds times a slope.

    Units: probabilities in (0, 1).
    """
    slope = SLOPES.get(category.lower(), SLOPE)
    odds: float = (mid / (1.0 - mid)) ** slope
    return odds / (1.0 + odds)


def _corrected(record: RunRecord) -> form.Baseline:
    name = "longshot-corrected mid"
    costs = _costs(record)
    if costs is None:
        return form.Baseline(
            name, None, note="no purchase with a known mid tells what buying costs"
        )
    markets = {market.id: market for market in record.markets}
    stake = _stake(record)
    seen: set[str] = set()
    total, bets = 0.0, 0
    chances, rows = [], []
    for given in record.judgements:
        market, ended = markets[given.market], record.resolutions.get(given.market)
        if ended is None or ended.kind is not ResolutionKind.WINNER or not 0 < given.mid < 1:
            continue
        believed = corrected(given.mid, market.category)
        happened = 1.0 if ended.payouts[0] else 0.0
        chances.append(believed)
        rows.append(Judged(given.probability, given.mid, happened, market.group or market.id))
        if market.id in seen or not market.binary:
            continue
        gain = _bought(market, given.mid, believed, happened, stake, costs.over_mid)
        if gain is not None:
            seen.add(market.id)
            total += gain
            bets += 1
    if not rows:
        return form.Baseline(name, None, note="no mid of a resolved market is on record")
    brier, log = _scores(chances, rows)
    note = (
        f"bought once a market where it sees an edge, {stake:,.2f} each (the run's median) at "
        f"{costs.over_mid:+.4f} over the mid (the run's mean) plus the fee, held to the end"
    )
    return form.Baseline(name, total, bets=bets, brier=brier, log_score=log, note=note)


def _bought(
    market: Market, mid: float, believed: float, happened: float, stake: float, over: float
) -> float | None:
    """The gain of the side that is worth more than it costs; None when neither is."""
    sides = ((mid, believed, happened), (1 - mid, 1 - believed, 1 - happened))
    for fair, chance, won in sides:
        price = min(max(fair + over, 0.0001), 1.0)
        cost = price + _fee(market, price)
        if chance > cost:
            return stake / cost * won - stake
    return None


def _fee(market: Market, price: float) -> float:
    """The taker fee a share, not rounded: this is no booking."""
    if market.fee is None:
        return 0.0
    return market.fee.rate / RATE_ONE * float((price * (1 - price)) ** market.fee.exponent)


def _costs(record: RunRecord) -> Costs | None:
    markets = {market.id: market for market in record.markets}
    over, shares, fills = 0.0, 0.0, 0
    for fill, _, mid, _ in record.fills:
        market = markets[fill.market]
        if mid is None or fill.side != Side.BUY or not market.binary:
            continue
        fair = mid if fill.token == market.yes.id else market.price_one - mid
        size = fill.size / 10**market.size_decimals
        over += (fill.price - fair) / market.price_one * size
        shares += size
        fills += 1
    return Costs(over / shares, fills) if shares else None


def _stake(record: RunRecord) -> float:
    """The median purchase, in currency."""
    markets = {market.id: market for market in record.markets}
    paid = [
        fill.price * fill.size / markets[fill.market].divisor + fill.fee
        for fill, *_ in record.fills
        if fill.side == Side.BUY
    ]
    return float(np.median(paid)) / MONEY_ONE


# ---- chance ------------------------------------------------------------------------------------


def _bets(record: RunRecord) -> tuple[list[Bet], int]:
    """All purchases that chance could have turned round, and how many others there were."""
    markets = {market.id: market for market in record.markets}
    rows, left = [], 0
    for fill, _, mid, _ in record.fills:
        if fill.side != Side.BUY:
            continue
        market, ended = markets[fill.market], record.resolutions.get(fill.market)
        if mid is None or not market.binary or ended is None:
            left += 1
            continue
        one = market.price_one
        yes = fill.token == market.yes.id
        fair = (mid if yes else one - mid) / one
        price = fill.price / one
        size = fill.size / 10**market.size_decimals
        stake = price * size + fill.fee / MONEY_ONE
        opposite = min(max(1 - fair + (price - fair), market.tick / one), 1.0)
        fee = 0.0 if fill.maker else _fee(market, opposite)
        mine, theirs = ended.payouts[0 if yes else 1], ended.payouts[1 if yes else 0]
        other = stake / (opposite + fee) * theirs / RATE_ONE - stake
        rows.append(Bet(stake, size * mine / RATE_ONE - stake, other))
    return rows, left


def _at_random(record: RunRecord) -> form.Baseline:
    name = "random sides, same turnover"
    rows, left = _bets(record)
    if not rows:
        why = "no purchase of a resolved market with a known mid"
        return form.Baseline(name, None, note=why if left else "nothing was bought")
    own = np.array([row.own for row in rows])
    other = np.array([row.other for row in rows])
    drawn = _coins(own, other, record.manifest.seed)
    low, high = np.quantile(drawn, (0.025, 0.975))
    note = (
        "same markets, moments, stakes and costs; beside it this run's sides, all held to the end"
    )
    if left:
        note += f"; {left:,} purchases of unresolved markets or without a mid left out"
    return form.Baseline(
        name,
        float(drawn.mean()),
        float(low),
        float(high),
        bets=len(rows),
        own_pnl=float(own.sum()),
        beaten=float((drawn < own.sum()).mean()),
        note=note,
    )


def _coins(own: Floats, other: Floats, seed: int) -> Floats:
    """Totals with one fair coin a purchase. Shapes: (bets,) twice to (draws,)."""
    rng = np.random.default_rng([seed, 5])
    n, found = len(own), []
    gain = (own - other).astype(np.float32)
    step = max(1, min(DRAWS, _CELLS // n))
    for start in range(0, DRAWS, step):
        rows = min(step, DRAWS - start)
        coins = np.unpackbits(
            rng.integers(0, 256, size=(rows, -(-n // 8)), dtype=np.uint8), axis=1, count=n
        )
        found.append(coins.astype(np.float32) @ gain)
    return np.concatenate(found).astype(np.float64) + float(other.sum())
