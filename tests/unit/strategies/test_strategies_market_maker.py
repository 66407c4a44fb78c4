"""MarketMaker's decision, one market at a time, against figures worked out by hand."""

from __future__ import annotations

import math
from typing import Any

import numpy as np
import pytest

from polyframe import MINUTE, Quoter, seen
from polyframe.api.param import search_ranges
from polyframe.quant.reservation import (
    avellaneda_stoikov,
    avellaneda_stoikov_logit,
    aversion_for,
    glft,
    resolution_reservation,
)
from polyframe.strategies import market_maker as mm
from polyframe.strategies.market_maker import MarketMaker
from polyframe.testing import build_market

NOW = 1_788_220_800.0
DAY = 86_400.0
PLAIN = {
    "fair": "mid", "model": "avellaneda_stoikov", "volatility": 0.0, "volatility_widen": 0.0,
    "adverse": 0.0, "base_ticks": 0, "resolution_skew": "never", "refresh_part": 0.0,
}  # fmt: skip
"""Nothing but a half spread of ln(1 + g / k) / g: 0.999 cents with the defaults."""


class Scene:
    """One market as a quote kernel sees it, and the kernel with its memory."""

    def __init__(self, *, binary: bool = True, **config: Any) -> None:
        self.strategy = MarketMaker(MarketMaker.Config(**config))
        self.own = np.zeros(seen.OWN_SIZE_OF)
        self.sight = np.zeros(seen.SEEN_SIZE_OF)
        self.see(
            NOW=NOW, CLOSES=NOW + 30 * DAY, TICK=0.01, MIN_SIZE=5.0, CASH=1_000.0, EQUITY=1_000.0,
            FORECAST=math.nan, ONE=1.0 if binary else math.inf,
        )  # fmt: skip
        self.book(0.49, 0.51)

    def see(self, **columns: float) -> Scene:
        for name, value in columns.items():
            self.sight[getattr(seen, name)] = value
        return self

    def book(
        self, bid: float, ask: float, size: float = 100.0, other: float | None = None
    ) -> Scene:
        other = size if other is None else other
        self.see(BID=bid, ASK=ask, BID_SIZE=size, ASK_SIZE=other)
        self.sight[seen.LEVELS :] = 0.0
        self.sight[seen.LEVELS : seen.LEVELS + 4] = bid, size, ask, other
        return self

    def later(self, seconds: float) -> Scene:
        return self.see(NOW=self.sight[seen.NOW] + seconds)

    def ask(self) -> list[tuple[int, int, float, float]] | None:
        """(outcome, side, price, size) of what is wanted, None to leave what rests."""
        wanted = np.zeros((seen.MOST_QUOTES, seen.WANTED_SIZE_OF))
        n = mm.quote(self.sight, self.own, np.array(self.strategy.parameters()), wanted)
        if n == seen.LEAVE:
            return None
        return [(int(o), int(s), round(p, 6), round(z, 6)) for o, s, p, z in wanted[:n].tolist()]

    def aims(self) -> tuple[float, float]:
        """The prices wanted, both in YES space; 0 where there is none."""
        found = self.ask() or []
        bid = [p if o == 0 else 1 - p for o, s, p, _ in found if (s > 0) == (o == 0)]
        ask = [p if o == 0 else 1 - p for o, s, p, _ in found if (s > 0) != (o == 0)]
        return (round(sum(bid), 6), round(sum(ask), 6))


# ---- what is quoted ------------------------------------------------------------------------------


def test_both_sides_are_bids_of_their_outcome_while_nothing_is_held() -> None:
    # A half spread of 0.999 cents around 0.50: 0.49001 and 0.50999, on ticks 0.49 and 0.51.
    assert Scene(**PLAIN).ask() == [(0, 1, 0.49, 10.0), (1, 1, 0.49, 10.0)]


def test_shares_that_are_held_are_sold_instead() -> None:
    scene = Scene(**PLAIN).see(YES=12.0, NO=12.0)
    assert scene.ask() == [(1, -1, 0.51, 10.0), (0, -1, 0.51, 10.0)]
    pairing = Scene(**PLAIN, pairs="bid").see(YES=12.0, NO=12.0)
    assert pairing.ask() == [(0, 1, 0.49, 10.0), (1, 1, 0.49, 10.0)]


def test_without_a_book_nothing_is_wanted() -> None:
    assert Scene(**PLAIN).book(0.0, 0.51).ask() == []
    assert Scene(**PLAIN).book(0.49, 0.0).ask() == []


def test_a_quote_never_crosses_the_other_side() -> None:
    bid, ask = Scene(**PLAIN, decay=2_000.0).book(0.49, 0.50).aims()
    assert (bid, ask) == (0.49, 0.5)


# ---- fair value ----------------------------------------------------------------------------------


def test_forecasts_are_asked_for_where_the_fair_value_takes_them() -> None:
    assert MarketMaker().forecast_every == 0
    maker = MarketMaker(MarketMaker.Config(fair="forecast", forecaster="mine", forecast_hours=0.5))
    assert (maker.forecast_every, maker.forecaster) == (30 * MINUTE, "mine")
    with pytest.raises(ValueError, match="forecast_hours"):
        MarketMaker.Config(fair="forecast", forecast_hours=0.0)


def test_fair_values() -> None:
    def fair(word: str, **more: Any) -> float:
        scene = Scene(fair=word, **more).book(0.40, 0.50, 300.0, 100.0).see(FORECAST=0.8)
        return float(mm.fair_value(scene.sight, np.array(scene.strategy.parameters()), 0.45))

    assert fair("mid") == 0.45
    assert fair("microprice") == pytest.approx((0.40 * 100 + 0.50 * 300) / 400)
    odds = 0.25 * math.log(0.8 / 0.2) + 0.75 * math.log(0.475 / 0.525)
    assert fair("forecast") == pytest.approx(1 / (1 + math.exp(-odds)))
    assert fair("forecast", forecast_weight=0.0) == pytest.approx(0.475)
    scene = Scene(fair="forecast").book(0.40, 0.50, 300.0, 100.0)
    none = mm.fair_value(scene.sight, np.array(scene.strategy.parameters()), 0.45)
    assert none == pytest.approx(0.475), "no forecast is no opinion"


# ---- models --------------------------------------------------------------------------------------


@pytest.mark.parametrize("q", [0.0, 40.0, -25.0])
def test_each_model_is_the_formula_it_names(q: float) -> None:
    def around(model: str, **more: Any) -> tuple[float, float]:
        scene = Scene(**{**PLAIN, "model": model, "spread_cap": 1.0, **more})
        p = np.array(scene.strategy.parameters())
        return tuple(map(float, mm.around(scene.sight, p, 0.4, q, 0.001)))  # type: ignore[return-value]

    found = avellaneda_stoikov(0.4, q, 0.2, 0.001, 600.0, 100.0)
    assert around("avellaneda_stoikov") == pytest.approx((found.reservation, found.half_spread))
    depths = glft(q, 0.2, 0.001, 0.02, 100.0, size=10.0)
    assert around("glft") == pytest.approx((0.4 - q * depths.skew, depths.half_spread))
    odds = avellaneda_stoikov_logit(0.4, q, 0.2, 0.001 / 0.24, 600.0, 24.0)
    half = (odds.ask - odds.bid) / 2
    assert around("logit") == pytest.approx((odds.reservation, half))
    held = resolution_reservation(0.4, q, aversion_for(0.4, 120.0))
    assert around("cara") == pytest.approx((held, math.log1p(0.2 / 100) / 0.2))
    always = around("avellaneda_stoikov", resolution_skew="always")
    assert always[0] == pytest.approx(held if q else 0.4), "the larger of the two skews"
    assert around("glft", spread_cap=0.001)[1] == 0.001


def test_inventory_near_the_end_is_priced_as_if_held_to_resolution() -> None:
    scene = Scene(**{**PLAIN, "resolution_skew": "near"})
    p = np.array(scene.strategy.parameters())
    far = mm.around(scene.sight, p, 0.5, 30.0, 0.001)[0]
    scene.see(CLOSES=NOW + 1.9 * DAY)
    near = mm.around(scene.sight, p, 0.5, 30.0, 0.001)[0]
    assert far == pytest.approx(0.5 - 30 * 0.2 * 1e-6 * 600)
    assert near == pytest.approx(resolution_reservation(0.5, 30.0, math.log(2) / 120))


# ---- volatility and toxicity ---------------------------------------------------------------------


def test_volatility_is_an_average_of_squares_and_widens() -> None:
    scene = Scene(**PLAIN, volatility_halflife=60.0)
    scene.ask()
    scene.later(60.0).book(0.50, 0.52).ask()
    # Half a memory after a half-life; a cent in a minute.
    assert scene.own[mm.O_VARIANCE] == pytest.approx(0.5 * 0.01**2 / 60)
    sigma = math.sqrt(scene.own[mm.O_VARIANCE] * 10.0)
    wide = Scene(**{**PLAIN, "volatility": 0.0029, "volatility_widen": 4.0})
    # ln(1 + g / k) / g + g v^2 t / 2 + 4 v sqrt(10) = 0.00999 + 0.00050 + 0.03668
    assert wide.aims() == (0.45, 0.55)
    assert sigma < 0.003


def test_fills_that_turned_out_bad_widen_their_side_alone() -> None:
    scene = Scene(**{**PLAIN, "markout_seconds": 60.0, "jump": 0.5, "trend": 99.0})
    scene.ask()
    scene.later(1.0).see(OWN_BOUGHT=20.0, OWN_FILLS=1.0).ask()
    assert scene.own[mm.O_FILLS + 7] == 1.0, "one waits for its markout"
    scene.later(60.0).book(0.46, 0.48).ask()
    # 20 shares against which the mid went 3 cents; five quotes of 10 count for no move.
    assert scene.own[mm.O_COSTS] == pytest.approx(20 * 0.03)
    p = np.array(scene.strategy.parameters())
    assert mm.adverse_of(scene.own, p, 0) == pytest.approx(0.6 / 70)
    assert mm.adverse_of(scene.own, p, 1) == 0.0
    other = Scene(**PLAIN).see(YES=0.0).book(0.46, 0.48)
    assert other.aims() == (0.46, 0.48)
    # 0.47 - 0.00999 - 0.0086 (and what the trend adds to volatility's own term): a tick lower.
    scene.own[mm.O_VARIANCE] = 0.0
    scene.own[mm.O_BID_SIZE] = scene.own[mm.O_ASK_SIZE] = 0.0
    assert scene.later(1.0).aims() == (0.45, 0.48)


# ---- inventory -----------------------------------------------------------------------------------


def test_inventory_shifts_both_quotes() -> None:
    # 0.2 x 0.001^2 x 600 = 0.00012 a share: 40 shares shift 0.48 cents.
    scene = Scene(**{**PLAIN, "volatility": 0.001}).see(YES=40.0)
    assert scene.aims() == (0.48, 0.51)
    scene = Scene(**{**PLAIN, "volatility": 0.001}).see(NO=40.0)
    assert scene.aims() == (0.49, 0.52)


def test_the_soft_band_moves_the_adding_side_away_or_leaves_it_out() -> None:
    # Soft 24, hard 36 of 120: 60 shares at 0.50 are 30, half way between.
    far = Scene(**PLAIN).see(YES=60.0)
    # 0.49001 less half of the two cents at the hard band.
    assert far.aims() == (0.48, 0.51)
    assert Scene(**PLAIN, one_sided="reduce").see(YES=60.0).aims() == (0.0, 0.51)
    assert Scene(**PLAIN, one_sided="reduce").see(NO=60.0).aims() == (0.49, 0.0)


def test_beyond_the_hard_band_only_the_reducing_side_is_quoted() -> None:
    assert Scene(**PLAIN).see(YES=74.0).aims() == (0.0, 0.51)
    assert Scene(**PLAIN).see(NO=74.0).aims() == (0.49, 0.0)


def test_no_quote_reaches_beyond_the_hard_band() -> None:
    # 36 / 0.50 = 72 shares: 66 leave room for 6, 68 for less than the smallest order.
    found = Scene(**PLAIN).see(YES=66.0).ask()
    assert found is not None
    assert found[0][3] == pytest.approx(6.0)
    assert Scene(**PLAIN).see(YES=68.0).aims()[0] == 0.0


def test_flatten_sells_all_of_it_at_the_best_price_that_rests() -> None:
    for scene in (
        Scene(**PLAIN, mode="flatten").see(YES=30.0).book(0.47, 0.51),
        # 0.45 of 120 is 54: beyond it by itself.
        Scene(**PLAIN).see(YES=120.0).book(0.47, 0.51),
    ):
        assert scene.ask() == [(0, -1, 0.48, scene.sight[seen.YES])]
    short = Scene(**PLAIN, mode="flatten").see(NO=30.0).book(0.47, 0.51)
    assert short.ask() == [(1, -1, 0.5, 30.0)]
    assert Scene(**PLAIN, mode="flatten").ask() == []


# ---- regimes -------------------------------------------------------------------------------------


def test_a_jump_pulls_everything_for_the_cool_off() -> None:
    scene = Scene(**PLAIN)
    assert scene.aims() != (0.0, 0.0)
    scene.later(1.0).book(0.55, 0.57)
    assert scene.ask() == []
    assert scene.own[mm.O_REGIME] == mm.EVENT
    assert scene.later(29.0).ask() is None, "nothing rests and nothing is wanted"
    scene.later(2.0).see(NOW=scene.own[mm.O_EVENT] + 1.0).ask()
    assert scene.own[mm.O_REGIME] != mm.EVENT


def test_a_sweep_of_the_visible_depth_is_an_event() -> None:
    scene = Scene(**PLAIN)
    scene.ask()
    scene.later(1.0).see(BOUGHT=79.0).ask()
    assert scene.own[mm.O_REGIME] == mm.QUIET
    scene.later(1.0).see(BOUGHT=79.0 + 80.0).ask()
    assert scene.own[mm.O_REGIME] == mm.EVENT
    calm = Scene(**PLAIN, sweep=0.0)
    calm.ask()
    calm.later(1.0).see(SOLD=500.0).ask()
    assert calm.own[mm.O_REGIME] == mm.QUIET


def test_in_a_trend_the_side_in_its_way_stands_back() -> None:
    scene = Scene(**PLAIN, trend=1.0)
    scene.ask()
    scene.own[mm.O_FAST], scene.own[mm.O_SLOW] = 0.50, 0.49
    scene.own[mm.O_VARIANCE] = 1e-7
    # The random walk's own distance is sqrt(1e-7 x 300 / ln 2 / 2) = 0.0047: 2.1 of them.
    assert mm.trend_in(scene.own, np.array(scene.strategy.parameters()), 1.0) == pytest.approx(
        2.15, abs=0.01
    )
    scene.own[mm.O_BID_SIZE] = scene.own[mm.O_ASK_SIZE] = 0.0
    assert scene.later(0.0).aims() == (0.49, 0.52)
    assert scene.own[mm.O_REGIME] == mm.TRENDING


def test_near_its_end_a_market_is_left_and_then_left_alone() -> None:
    scene = Scene(**PLAIN).see(CLOSES=NOW + 23 * 3_600.0, YES=8.0)
    assert scene.ask() == [(0, -1, 0.51, 8.0)]
    assert scene.own[mm.O_REGIME] == mm.REDUCE
    assert Scene(**PLAIN).see(CLOSES=NOW + 3_600.0, YES=8.0).ask() == []


@pytest.mark.parametrize("book", [(0.03, 0.04), (0.96, 0.97), (0.40, 0.55)])
def test_no_inventory_is_built_at_the_edges_or_in_a_wide_book(book: tuple[float, float]) -> None:
    assert Scene(**PLAIN).book(*book).ask() == []
    held = Scene(**PLAIN).book(*book).see(YES=10.0).ask()
    assert held is not None
    assert [(o, s) for o, s, _, _ in held] == [(0, -1)]


# ---- objective -----------------------------------------------------------------------------------


def test_a_side_is_quoted_only_where_it_is_expected_to_pay() -> None:
    # A half spread of 0.999 cents earns nothing against fills that cost a cent on average.
    assert Scene(**{**PLAIN, "adverse": 0.011, "toxicity": 0.0}).ask() == []
    assert Scene(**{**PLAIN, "adverse": 0.011, "toxicity": 0.0, "objective": False}).ask() != []
    # The maker's part of takers' fees: 0.25 x 0.05 x 0.25 = 0.31 cents.
    paid = Scene(**{**PLAIN, "adverse": 0.011, "toxicity": 0.0}).see(FEE_RATE=0.05, REBATE=0.25)
    assert paid.ask() != []
    assert Scene(**{**PLAIN, "maker_fee": 0.011}).ask() == []
    held = Scene(**{**PLAIN, "maker_fee": 0.011}).see(YES=10.0).ask()
    assert [row[:2] for row in held or ()] == [(0, -1)], "never trapped"


def test_income_is_spread_less_cost_plus_rebate_and_reward() -> None:
    scene = Scene(**{**PLAIN, "adverse": 0.002, "maker_fee": 0.001})
    scene.see(REWARD_SPREAD=0.03, REWARD_SIZE=10.0, REWARD_DAY=50.0)
    p = np.array(scene.strategy.parameters())
    scene.ask()
    found = mm.income_of(scene.sight, scene.own, p, 0, 0.5, 0.0, 10.0, 0.01, 0.5, 0.49)
    fills = 0.02 * math.exp(-1.0) * DAY
    points = (2 / 3) ** 2 * 10
    # The rivals are the visible levels: 100 shares a cent away.
    reward = 25.0 * points / (points + (2 / 3) ** 2 * 100)
    assert found == pytest.approx(10 * fills * (0.01 - 0.002 - 0.001) + reward)


def test_rewards_draw_quotes_to_where_they_pay_and_to_the_size_that_earns_them() -> None:
    wide = {**PLAIN, "decay": 25.0, "spread_cap": 0.04, "adverse": 0.002, "toxicity": 0.0}
    assert Scene(**wide).aims() == (0.46, 0.54)
    # A day at four cents: 40 shares x 636 fills x 3.8 cents = 966; at one 431, and 3,333 more.
    paid = Scene(**wide).see(REWARD_SPREAD=0.03, REWARD_SIZE=20.0, REWARD_DAY=20_000.0)
    found = paid.ask()
    assert found == [(0, 1, 0.49, 20.0), (1, 1, 0.49, 20.0)]
    off = Scene(**wide, rewards=False).see(
        REWARD_SPREAD=0.03, REWARD_SIZE=20.0, REWARD_DAY=20_000.0
    )
    assert off.aims() == (0.46, 0.54)


# ---- the life of quotes --------------------------------------------------------------------------


def test_what_rests_stays_while_it_is_near_enough() -> None:
    scene = Scene(**{**PLAIN, "refresh_part": 0.5, "volatility_halflife": 1e9, "trend": 1e9})
    assert scene.ask() == [(0, 1, 0.49, 10.0), (1, 1, 0.49, 10.0)]
    assert scene.later(1.0).ask() is None
    # Half a cent lower: within half a spread and a tick of the aim.
    assert scene.later(1.0).book(0.48, 0.51).ask() is None
    assert scene.own[mm.O_KEPT] == 4
    assert scene.own[mm.O_REPLACED] == 0
    # Two cents lower: both go.
    assert scene.later(1.0).book(0.47, 0.49).ask() == [(0, 1, 0.47, 10.0), (1, 1, 0.51, 10.0)]
    assert scene.own[mm.O_PLACED] == 4
    assert scene.own[mm.O_REPLACED] == 2


def test_a_part_filled_quote_keeps_its_place_until_too_little_is_left() -> None:
    scene = Scene(**PLAIN)
    scene.ask()
    assert scene.later(1.0).see(OWN_BOUGHT=4.0, YES=4.0).ask() is None
    assert scene.own[mm.O_BID_SIZE] == 6.0
    found = scene.later(1.0).see(OWN_BOUGHT=6.0, YES=6.0).ask()
    assert found is not None
    assert found[0] == (0, 1, 0.49, 10.0)


def test_quotes_that_stay_are_asked_for_again_now_and_then() -> None:
    scene = Scene(**PLAIN)
    first = scene.ask()
    assert scene.later(29.0).ask() is None
    assert scene.later(2.0).ask() == first


# ---- venues and settings -------------------------------------------------------------------------


def test_where_a_share_does_not_pay_one_the_other_defaults_hold() -> None:
    scene = Scene(binary=False).see(TICK=0.01, MIN_SIZE=0.00001, CLOSES=math.inf)
    scene.book(60_000.0, 60_001.0, 1.0)
    found = scene.ask()
    assert [row[:2] for row in found or ()] == [(0, 1)], "nothing to sell"
    _, _, price, size = found[0]
    assert size == pytest.approx(200.0 / 60_000.5, abs=1e-6)
    # 5 bps of half spread, 2 bps at the least, and half a standard deviation of ten seconds.
    assert 0.0005 < (60_000.5 - price) / 60_000.5 < 0.0007
    scene.later(1.0).see(YES=0.004, OWN_BOUGHT=size)
    both = scene.ask()
    assert both is not None
    assert [(o, s) for o, s, _, _ in both] == [(0, 1), (0, -1)]


def test_what_is_stated_holds_at_every_venue() -> None:
    stated = MarketMaker(MarketMaker.Config(size=20.0))
    size = list(MarketMaker.Config.model_fields).index("size")
    assert [stated.settings(venue)[size] for venue in mm.VENUES] == [20.0, 20.0]
    usual = MarketMaker()
    assert [usual.settings(venue)[size] for venue in mm.VENUES] == [10.0, 200.0]
    assert len(usual.parameters()) == 2 * mm.PARAMETERS


def test_parameters_stand_where_the_kernel_reads_them() -> None:
    names = [name for name in MarketMaker.Config.model_fields if name not in mm.UNSEEN]
    for constant, field in (
        ("P_FAIR", "fair"), ("P_SIZE", "size"), ("P_HORIZON", "horizon"), ("P_ADVERSE", "adverse"),
        ("P_TOXICITY", "toxicity"), ("P_FLATTEN", "flatten_at"), ("P_FAR", "skew_far"),
        ("P_PAIRS", "pairs"), ("P_OBJECTIVE", "objective"), ("P_JUMP", "jump"),
        ("P_TREND_WIDEN", "trend_widen"), ("P_LOWEST", "lowest"), ("P_REFILL", "refill"),
        ("P_MAX_SPREAD", "max_spread"), ("P_REFRESH_PART", "refresh_part"),
    ):  # fmt: skip
        assert names.index(field) == getattr(mm, constant), field
    assert len(names) == mm.PARAMETERS
    fields = MarketMaker.Config.model_fields
    assert set(mm.WORDS) == {name for name in names if fields[name].annotation is str}
    assert mm.O_FILLS + 40 <= seen.OWN_SIZE_OF


def test_words_that_mean_nothing_are_refused() -> None:
    with pytest.raises(ValueError, match="model"):
        MarketMaker.Config(model="as")
    with pytest.raises(ValueError, match="soft"):
        MarketMaker.Config(soft=0.4)


def test_most_settings_can_be_searched() -> None:
    ranges = search_ranges(MarketMaker.Config)
    assert {"model", "aversion", "decay", "toxicity", "soft", "hard", "refresh_part"} <= set(ranges)


def test_it_wakes_as_often_as_its_venue_wants() -> None:
    found = MarketMaker().subscribe([build_market()])
    assert [type(wake).__name__ for wake in found.wake] == ["Every", "Moved"]
    assert isinstance(MarketMaker(), Quoter)
