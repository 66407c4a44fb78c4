"""What somebody without the strategy would have had, from the same record at the same costs."""

from __future__ import annotations

from typing import TYPE_CHECKING, NamedTuple

import numpy as np

from polyframe.domain.units import MONEY_ONE, RATE_ONE
from polyframe.kernels import trips_nb as nb
from polyframe.lab import schema as form
from polyframe.lab.columns import UNKNOWN, Columns
from polyframe.lab.scores import Judged

if TYPE_CHECKING:
    from polyframe.lab.columns import Bools, Floats, Ints

DRAWS = 5_000
_CELLS = 4_000_000

SLOPES = {"politics": 1.31}
SLOPE = 1.08
"""How much too close to one half prices were, as a slope in log-odds: politics 1.31, sports and
crypto 1.08, which is taken for all other categories too.

Source: arXiv 2602.19520 (calibration slopes of Polymarket prices), fixed here before any run.
"""


class Bets(NamedTuple):
    """Purchases of binary markets that ended, and the other side's result beside the own.

    Shapes: (bets,) each. Units: stake in currency, with fees; gains in currency, for that stake.
    """

    stake: Floats
    own: Floats
    other: Floats


class Costs(NamedTuple):
    """What this run paid to buy a share: over the mid, as a fraction of 1."""

    over_mid: float
    fills: int


def baselines_of(columns: Columns, judged: Judged, pnl: float) -> list[form.Baseline]:
    """The table of baselines: nothing, the mid, the corrected mid, chance."""
    own, mid = _scores(judged.forecast, judged), _scores(judged.market, judged)
    unscored = "" if len(judged) else "no forecast of a resolved market to score beside it"
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
        _corrected(columns),
        _at_random(columns),
    ]


def _scores(chances: Floats, judged: Judged) -> tuple[float | None, float | None]:
    """Brier and log score, averaged within events first."""
    if not len(judged):
        return None, None
    _, event = np.unique(judged.event, return_inverse=True)
    p, happened = np.clip(chances, 1e-6, 1 - 1e-6), judged.happened
    count = np.bincount(event)
    brier = np.bincount(event, weights=(p - happened) ** 2) / count
    log = np.bincount(event, weights=-np.log(np.where(happened > 0.5, p, 1 - p))) / count
    return float(brier.mean()), float(log.mean())


# ---- the favourite-longshot correction ---------------------------------------------------------


def corrected(mid: float, category: str) -> float:
    """A mid with the published favourite-longshot bias taken out: its log-odds times a slope.

    Units: probabilities in (0, 1).
    """
    return float(_moved(np.array([mid]), np.array([slope_of(category)]))[0])


def slope_of(category: str) -> float:
    """The slope of a category, in log-odds."""
    return SLOPES.get(category.lower(), SLOPE)


def _moved(mid: Floats, slope: Floats) -> Floats:
    odds = (mid / (1.0 - mid)) ** slope
    found: Floats = odds / (1.0 + odds)
    return found


def _corrected(columns: Columns) -> form.Baseline:
    name = "longshot-corrected mid"
    costs = _costs(columns)
    if costs is None:
        return form.Baseline(
            name, None, note="no purchase with a known mid tells what buying costs"
        )
    told, stake = columns.told, _stake(columns)
    rows = np.flatnonzero(columns.winner[told.market] & (told.mid > 0) & (told.mid < 1))
    if not len(rows):
        return form.Baseline(name, None, note="no mid of a resolved market is on record")
    market, mid = told.market[rows], told.mid[rows]
    slopes = np.array([slope_of(row.category) for row in columns.markets])
    believed = _moved(mid, slopes[market])
    happened = columns.happened[market].astype(np.float64)
    gain, seen = _bought(columns, market, mid, believed, happened, costs.over_mid)
    _, first = np.unique(market[seen], return_index=True)  # once a market, where it first sees one
    total = float(stake * gain[seen][first].sum())
    judged = Judged(told.probability[rows], mid, happened, columns.event_of[market])
    brier, log = _scores(believed, judged)
    note = (
        f"bought once a market where it sees an edge, {stake:,.2f} each (the run's median) at "
        f"{costs.over_mid:+.4f} over the mid (the run's mean) plus the fee, held to the end"
    )
    return form.Baseline(name, total, bets=len(first), brier=brier, log_score=log, note=note)


def _bought(
    columns: Columns, market: Ints, mid: Floats, believed: Floats, happened: Floats, over: float
) -> tuple[Floats, Bools]:
    """The gain a unit staked on the side that is worth more than it costs, and where there is one.

    Shapes: (n,) each. Units: probabilities; gains a unit.
    """
    gain, seen = np.zeros(len(mid)), np.zeros(len(mid), dtype=np.bool_)
    for fair, chance, won in ((mid, believed, happened), (1 - mid, 1 - believed, 1 - happened)):
        price = np.clip(fair + over, 0.0001, 1.0)
        cost = price + _fee(columns, market, price)
        better = (chance > cost) & ~seen
        gain = np.where(better, won / cost - 1.0, gain)
        seen |= better
    return gain, seen & columns.binary[market]


def _fee(columns: Columns, market: Ints, price: Floats) -> Floats:
    """The taker fee a share, not rounded: this is no booking. Shapes: (n,) twice to (n,)."""
    fees = [row.fee for row in columns.markets]
    rate = np.array([0.0 if fee is None else fee.rate / RATE_ONE for fee in fees])
    exponent = np.array([1.0 if fee is None else fee.exponent for fee in fees])
    found: Floats = rate[market] * (price * (1 - price)) ** exponent[market]
    return found


def _costs(columns: Columns) -> Costs | None:
    f = columns.fills
    rows = np.flatnonzero(f.buy & (f.mid != UNKNOWN) & columns.binary[f.market])
    if not len(rows):
        return None
    market = f.market[rows]
    size = f.size[rows] / columns.unit[market]
    over = (f.price[rows] - columns.fair[rows]) / columns.one[market] * size
    return Costs(float(over.sum()) / float(size.sum()), len(rows))


def _stake(columns: Columns) -> float:
    """The median purchase, in currency."""
    f = columns.fills
    paid = f.price * f.size / columns.divisor[f.market] + f.fee
    return float(np.median(paid[f.buy])) / MONEY_ONE


# ---- chance ------------------------------------------------------------------------------------


def bets_of(columns: Columns) -> tuple[Bets, int]:
    """All purchases that chance could have turned round, and how many others there were."""
    f = columns.fills
    usable = (f.mid != UNKNOWN) & columns.binary[f.market] & columns.resolved[f.market]
    rows = np.flatnonzero(f.buy & usable)
    market, one = f.market[rows], columns.one[f.market[rows]]
    fair, price = columns.fair[rows] / one, f.price[rows] / one
    size = f.size[rows] / columns.unit[market]
    stake = price * size + f.fee[rows] / MONEY_ONE
    ticks = np.array([row.tick for row in columns.markets], dtype=np.float64)
    opposite = np.minimum(np.maximum(1 - fair + (price - fair), ticks[market] / one), 1.0)
    fee = np.where(f.maker[rows], 0.0, _fee(columns, market, opposite))
    mine = columns.payout[f.token[rows]]
    theirs = columns.payout[columns.yes[market] + f.first[rows]]
    own = size * mine / RATE_ONE - stake
    other = stake / (opposite + fee) * theirs / RATE_ONE - stake
    return Bets(stake, own, other), int((f.buy & ~usable).sum())


def _at_random(columns: Columns) -> form.Baseline:
    name = "random sides, same turnover"
    rows, left = bets_of(columns)
    if not len(rows.own):
        why = "no purchase of a resolved market with a known mid"
        return form.Baseline(name, None, note=why if left else "nothing was bought")
    own = rows.own
    drawn = coins(own, rows.other, columns.record.manifest.seed)
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
        bets=len(own),
        own_pnl=float(own.sum()),
        beaten=float((drawn < own.sum()).mean()),
        note=note,
    )


def coins(own: Floats, other: Floats, seed: int) -> Floats:
    """Totals with one fair coin a purchase. Shapes: (bets,) twice to (draws,)."""
    rng = np.random.default_rng([seed, 5])
    bytes_each = -(-len(own) // 8)
    gain = np.zeros(bytes_each * 8)
    gain[: len(own)] = own - other
    # Eight coins at once: what each of the 256 outcomes of a byte adds.
    sides = np.unpackbits(np.arange(256, dtype=np.uint8)[:, None], axis=1).astype(np.float64)
    table = np.ascontiguousarray(gain.reshape(-1, 8) @ sides.T)
    total = np.full(DRAWS, float(other.sum()))
    step = max(1, min(DRAWS, _CELLS // len(own)))
    for start in range(0, DRAWS, step):
        rows = min(step, DRAWS - start)
        picks = rng.integers(0, 256, size=(rows, bytes_each), dtype=np.uint8)
        nb.add_picked(table, picks, total[start : start + rows])
    return total
