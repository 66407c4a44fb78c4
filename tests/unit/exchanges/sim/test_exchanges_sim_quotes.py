"""Quotes of the exchange: settings in, executable columns out."""

from dataclasses import dataclass

import numpy as np
import pytest
from sim_transcript import columns, market

from polyframe.domain.market import Market, Token
from polyframe.domain.orders import Seal, Side
from polyframe.domain.quality import UNQUOTED, Flag
from polyframe.domain.units import HOUR
from polyframe.errors import DataError
from polyframe.exchanges.sim.depth import Depth, split_rows
from polyframe.exchanges.sim.exchange import SimExchange
from polyframe.exchanges.sim.quotes import QuoteColumns
from polyframe.exchanges.sim.settings import SimSettings


@dataclass
class Mids:
    ts: np.ndarray
    market: np.ndarray
    price: np.ndarray
    flag: np.ndarray


def mids(prices, markets=None, flags=None):
    n = len(prices)
    return Mids(
        np.arange(n, dtype=np.int64),
        np.array(markets if markets is not None else [0] * n, np.int32),
        np.array(prices, np.int64),
        np.array(flags if flags is not None else [0] * n, np.uint8),
    )


def quoted(prices, *, tick=10, markets=None, flags=None, **settings):
    plain = {"young_half_spread": (), "jump_share": 0.0, "unquoted_half_spread": 0.0}
    settings = {**plain, **settings}
    exchange = SimExchange(SimExchange.Config(**settings))
    found = exchange.quotes(mids(prices, markets, flags), [market("M", tick=tick), market("N")])
    return list(zip(found.bid.tolist(), found.ask.tolist(), strict=True))


@pytest.mark.parametrize(
    ("price", "tick", "expected"),
    [
        # The floor of each zone, by distance to 0 or 1.
        (50, 10, (30, 70)),
        (150, 10, (90, 210)),
        (300, 10, (150, 450)),
        (800, 10, (600, 1_000)),
        (2_000, 10, (1_850, 2_150)),
        (5_000, 10, (4_900, 5_100)),
        (9_200, 10, (9_000, 9_400)),
        (9_950, 10, (9_930, 9_970)),
        # Outwards to the tick.
        (5_050, 100, (4_900, 5_200)),
        (5_005, 10, (4_900, 5_110)),
        # At least a tick away, never beyond the last one.
        (25, 10, (10, 50)),
        (15, 10, (0, 40)),
        (10, 10, (0, 30)),
        (100, 100, (0, 200)),
        (9_990, 10, (9_970, 0)),
        # No price at all.
        (0, 10, (0, 0)),
        (10_000, 10, (0, 0)),
    ],
)
def test_the_stated_floor(price, tick, expected):
    assert quoted([price], tick=tick) == [expected]


def test_stress_widens_and_the_cap_holds_the_estimate():
    bounce = [5_000 + 1_500 * (-1) ** k for k in range(30)]
    assert quoted([5_000], cost_multiplier=2.0) == [(4_800, 5_200)]
    assert quoted(bounce)[-1] == (2_500, 4_500)
    assert quoted(bounce, spread_cap=0.05)[-1] == (3_250, 3_750)
    assert quoted(bounce, cost_multiplier=1.5)[-1] == (2_000, 5_000)


def test_the_first_hours_of_a_book_and_a_jump_are_dear():
    n = 8
    given = mids([5_000] * 6 + [7_000] * 2)
    given.ts = np.arange(n, dtype=np.int64) * HOUR
    found = SimExchange().quotes(given, [market("M", tick=10)])
    assert (found.ask - given.price).tolist() == [550, 200, 150, 150, 100, 100, 500, 380]


def test_unquoted_rows_have_no_quote():
    flags = [0, int(Flag.LEADING), int(Flag.NEAR), int(Flag.LADDER | Flag.NEAR), int(Flag.GAP)]
    prices = [5_000] * 5
    open_, none = (4_900, 5_100), (0, 0)
    assert quoted(prices, flags=flags) == [open_, none, open_, none, open_]
    assert quoted(prices, flags=flags, allow_near=False) == [open_, none, none, none, open_]


def test_what_unquoted_rows_would_pretend_has_to_be_asked_for():
    flags = [int(Flag.LEADING), 0, int(Flag.LADDER)]
    exchange = SimExchange(SimExchange.Config(allow_unquoted=True))
    found = exchange.quotes(mids([5_000] * 3, flags=flags), [market("M"), market("N")])
    assert (found.bid > 0).all()
    assert found.untrusted == 0
    assert found.flag.tolist() == flags
    rows = split_rows([market("M"), market("N")], [None] * 2, found, exchange.config)[0]
    assert [rows.best(k, Side.BUY) > 0 for k in range(3)] == [True] * 3
    assert not any(rows.flagged(k) for k in range(3))
    assert SimExchange().quotes(mids([5_000]), [market("M")]).untrusted == int(UNQUOTED)


def test_a_market_that_keeps_losing_its_book_is_dear():
    flags = [int(Flag.FLAT), 0] * 40
    ask = {}
    for wide in (0.0, 0.05, 0.10, 0.20):
        ask[wide] = quoted([5_000] * 80, flags=flags, unquoted_half_spread=wide)[-1][1]
    # After 80 rows, 0.47 of the recent ones had no quote.
    assert ask == {0.0: 5_100, 0.05: 5_240, 0.10: 5_480, 0.20: 5_950}
    short = quoted([5_000] * 80, flags=flags, unquoted_half_spread=0.2, unquoted_memory=1.0)
    assert short[-1][1] < 5_600


def test_markets_do_not_disturb_each_other():
    wild = [2_000 + 1_000 * (-1) ** k for k in range(30)]
    calm = [5_000] * 30
    both = [p for pair in zip(wild, calm, strict=True) for p in pair]
    together = quoted(both, markets=[0, 1] * 30)
    assert together[0::2] == quoted(wild)
    assert together[1::2] == quoted(calm)


def test_a_mid_of_nothing_is_refused_by_the_broker_even_when_quoted():
    table = columns("0 0.48 0.52\n1 0.48 0.52 flat")
    rows = split_rows([market()], [None], table, SimSettings())[0]
    assert rows.best(0, Side.BUY) == 5_200
    assert rows.best(1, Side.BUY) == 0
    assert rows.price.tolist() == [5_000, 5_000]


@pytest.mark.parametrize(
    ("change", "message"),
    [
        ({"ts": np.array([1, 0], np.int64)}, "row 1 is older"),
        ({"price": np.array([1], np.int64)}, "lengths"),
        ({"market": np.array([0, 2], np.int32)}, "name market 0 to 2"),
        ({"market": np.array([-1, 0], np.int32)}, "name market -1 to 0"),
    ],
)
def test_columns_that_do_not_fit(change, message):
    given = mids([5_000, 5_000])
    for name, value in change.items():
        setattr(given, name, value)
    with pytest.raises(DataError, match=message):
        SimExchange().quotes(given, [market("M"), market("N")])


def test_a_tick_that_does_not_divide_one_is_refused():
    with pytest.raises(DataError, match="tick 300"):
        SimExchange().quotes(mids([5_000]), [market(tick=300)])


def test_no_rows_are_no_trouble():
    empty = SimExchange().quotes(mids([]), [market()])
    assert empty.ts.shape == empty.bid.shape == empty.ask.shape == (0,)
    assert (
        SimExchange().broker(seal=Seal(), markets=[market()], quotes=empty, resolutions={}).due()
        is None
    )


def test_the_book_behind_a_price():
    found = Depth.of(market(tick=100), SimSettings())
    assert (found.level, found.step, found.levels) == (75_000_000, 100, 2)
    fine = Depth.of(market(tick=10), SimSettings(depth_step=0.001))
    assert (fine.level, fine.step, fine.levels, fine.total) == (7_500_000, 10, 20, 150_000_000)
    stressed = Depth.of(market(tick=100), SimSettings(cost_multiplier=2.0))
    assert stressed.total * 2 == found.total
    coarse = Depth.of(market(tick=1_000), SimSettings())
    assert (coarse.step, coarse.levels, coarse.total) == (1_000, 1, 150_000_000)


def test_a_walk_ends_before_certainty():
    book = Depth(100, 100, 5)
    assert book.walk(Side.BUY, 9_900, 9_990, 500, 0, 10_000) == (100, 9_900, "limit")
    assert book.walk(Side.BUY, 9_900, 20_000, 500, 0, 10_000) == (100, 9_900, "depth")
    assert book.walk(Side.SELL, 100, -1_000, 500, 0, 10_000) == (100, 100, "depth")


@pytest.mark.parametrize(
    ("settings", "message"),
    [
        ({"half_spread_floor": ()}, "must ascend"),
        ({"half_spread_floor": ((0.2, 0.01), (0.1, 0.01), (0.5, 0.01))}, "must ascend"),
        ({"half_spread_floor": ((0.2, 0.01),)}, "reach 0.5"),
        ({"half_spread_floor": ((0.5, 0.7),)}, "half spread lies"),
        ({"young_half_spread": ((2, 0.1), (1, 0.1))}, "ages must ascend"),
        ({"depth_step": 0.05}, "depth_step"),
        ({"roll_min_pairs": 49}, "roll_min_pairs"),
        ({"unquoted_half_spread": 0.5}, "less than 0.5"),
        ({"unquoted_memory": 0}, "greater than or equal to 1"),
        ({"allow_unquoted": True, "allow_near": False}, "allow_unquoted needs allow_near"),
        ({"cost_multiplier": 0}, "greater than 0"),
        ({"fill_at": "previous"}, "next"),
        ({"latency": 3}, "Extra inputs"),
    ],
)
def test_settings_that_make_no_sense(settings, message):
    with pytest.raises(ValueError, match=message):
        SimExchange.Config(**settings)


def test_other_price_decimals():
    cents = Market("C", "?", (Token("y", "Yes"),), tick=1, price_decimals=2, max_price=100)
    plain = SimExchange(SimExchange.Config(young_half_spread=(), jump_share=0.0))
    found = plain.quotes(mids([50, 8]), [cents])
    assert list(zip(found.bid.tolist(), found.ask.tolist(), strict=True)) == [(49, 51), (6, 10)]


def test_columns_without_mids_take_the_middle():
    given = columns("0 0.48 0.55")
    assert isinstance(given, QuoteColumns)
    assert given.price.tolist() == [5_150]
