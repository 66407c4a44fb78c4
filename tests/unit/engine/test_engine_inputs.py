"""What the guards read of forecasts, venues, locks and categories, as a session goes on."""

from __future__ import annotations

import pytest
from engine_desk import START, Desk, market

from polyframe.api.protection import Protection
from polyframe.domain import events as ev
from polyframe.domain.forecast import Forecast
from polyframe.domain.orders import Kind, Side, TimeInForce
from polyframe.domain.units import DAY, MINUTE
from polyframe.domain.wishes import AskForecast, Intent
from polyframe.engine.engine import Engine
from polyframe.engine.guards import LIMIT_INDEX
from polyframe.engine.risk import Draft
from polyframe.errors import DataError
from polyframe.kernels import guards_nb as g

SHARE = 1_000_000
NAMES = {
    name: value for name, value in vars(g).items() if name.startswith("S_") and name != "S_SIZE_OF"
}


def numbers(desk: Desk, player: str = "alice", token: str = "A.yes", row: int = 0):
    """The numbers of a review of a small purchase, by column name."""
    engine = desk.engine
    at = engine.context.universe.token_index[token]
    ledger = engine.state.ledger_index[player]
    draft = Draft(ledger, at, Side.BUY, 100, SHARE, Kind.DIRECTIONAL, None, None)
    engine.parts.door.review(draft, engine.context.now)
    found = engine.parts.door._vectors.numbers[row]
    return {name[2:].lower(): int(found[index]) for name, index in NAMES.items()}


def test_forecasts_concern_only_who_asked_for_them():
    desk = Desk()
    for player in ("alice", "bob"):
        n = numbers(desk, player)
        assert n["confidence"] == n["evidence"] == n["forecast"] == g.EXEMPT
    desk.wish("alice", AskForecast("A", "oracle"))
    n = numbers(desk)
    assert (n["confidence"], n["evidence"], n["forecast"]) == (g.MISSING, g.MISSING, g.EXEMPT)
    made = Forecast("A", 0.625, desk.now, "x", confidence="medium", evidence_quality=0.55)
    desk.step(ev.ForecastMade(desk.later(), "s-f1", "oracle", made))
    n = numbers(desk)
    assert (n["confidence"], n["evidence"], n["forecast"]) == (1, 550_000, 625_000)
    assert numbers(desk, token="A.no")["forecast"] == 375_000
    assert numbers(desk, "bob")["forecast"] == g.EXEMPT
    assert numbers(desk, token="B.yes")["forecast"] == g.EXEMPT
    twin = Engine(Desk().setup)
    twin.restore(desk.engine.checkpoint())
    desk.engine = twin
    assert (numbers(desk)["confidence"], numbers(desk)["forecast"]) == (1, 625_000)


def test_an_older_forecast_or_an_unknown_word_of_confidence():
    desk = Desk()
    desk.wish("alice", AskForecast("A", "oracle"))
    newer = Forecast("A", 0.6, desk.now, "x", confidence="sure")
    desk.step(ev.ForecastMade(desk.later(), "s-f1", "oracle", newer))
    assert numbers(desk)["confidence"] == g.MISSING
    older = Forecast("A", 0.4, START - DAY, "x", confidence="HIGH")
    desk.step(ev.ForecastMade(desk.later(), "s-f2", "oracle", older))
    assert (numbers(desk)["confidence"], numbers(desk)["forecast"]) == (g.MISSING, 600_000)


@pytest.mark.parametrize("quality", [-0.1, 1.1, float("nan"), "good", 1])
def test_a_quality_of_evidence_that_is_none_is_refused(quality):
    with pytest.raises(DataError, match="evidence quality"):
        Forecast("A", 0.6, 0, "x", evidence_quality=quality)


def test_liquidity_is_what_the_venue_said_last():
    desk = Desk()
    assert numbers(desk)["liquidity"] == g.MISSING
    desk.step(ev.StatsReported(desk.later(), "A", 2_500 * SHARE, SHARE))
    assert numbers(desk)["liquidity"] == 2_500 * SHARE
    assert numbers(desk, token="B.yes")["liquidity"] == g.MISSING
    desk.step(ev.StatsReported(desk.later(), "A", 1_000 * SHARE, SHARE))
    assert numbers(desk, row=1)["liquidity"] == 1_000 * SHARE


def test_what_the_data_never_says_is_not_asked_for():
    desk = Desk()
    desk.wish("alice", AskForecast("A", "oracle"))
    door = desk.engine.parts.door
    door.expect(frozenset())
    n = numbers(desk)
    assert {n[x] for x in ("liquidity", "confidence", "evidence", "closes")} == {g.EXEMPT}
    door.expect(frozenset({"liquidity", "closes"}))
    n = numbers(desk)
    assert (n["liquidity"], n["closes"], n["evidence"]) == (g.MISSING, 0, g.EXEMPT)


class OwnCaps(Protection):
    """Caps and blocks single categories."""

    kernel = "category"

    def limits(self):
        return {"category": 350_000}

    def limits_by_category(self):
        return {"category": {"macro": 400_000}, "blocked": {"unknown": 1}}


def test_limits_of_single_categories_stand_at_their_markets_later_listings_included():
    markets = [market("A", category="Macro"), market("B", category="unknown", closes=START + DAY)]
    desk = Desk(markets=markets, protections=[OwnCaps()])
    for _ in range(2):
        a, b = numbers(desk), numbers(desk, token="B.yes", row=1)
        assert (a["category_cap"], a["blocked"], a["closes"]) == (400_000, 0, 0)
        assert (b["category_cap"], b["blocked"], b["closes"]) == (g.MISSING, 1, START + DAY)
        desk.step(ev.MarketListed(desk.later(), market("C", category="macro")))
        assert numbers(desk, token="C.no")["category_cap"] == 400_000
        saved, desk.engine = desk.engine.checkpoint(), Engine(desk.setup)
        desk.engine.restore(saved)


def test_a_trip_in_parts_is_one_trip_with_its_fees_and_locks_its_market():
    desk = Desk()
    door = desk.engine.parts.door
    for name, value in {
        "cooldown_stop": 5 * MINUTE, "low_profit_trades": 1, "low_profit_lookback": DAY,
        "low_profit_required": 0, "low_profit_stop": 60 * MINUTE, "stoploss_trades": 1,
        "stoploss_lookback": DAY, "stoploss_stop": 30 * MINUTE, "stoploss_per_market": 0,
    }.items():  # fmt: skip
        door.limits[:, LIMIT_INDEX[name]] = value
    desk.book("A", "0.49", "0.50")

    def order(side, size, reason=""):
        wish = Intent(
            token="A.yes", side=side, size=size * SHARE, price=5_000, tif=TimeInForce.GTC,
            reason=reason, kind=Kind.EXIT if side is Side.SELL else Kind.DIRECTIONAL,
        )  # fmt: skip
        return desk.wish("alice", wish)[-1].order.id

    bought = order(Side.BUY, 10)
    desk.fill(bought, "10", "0.50", fee="0.02")
    first = order(Side.SELL, 4, "take_profit")
    desk.fill(first, "4", "0.51", fee="0.01")
    assert numbers(desk)["lock_cooldown"] == 0
    second = order(Side.SELL, 6, "stop_loss")
    desk.fill(second, "6", "0.50", fee="0.02")
    # 0.04 earned on the first part, 0.05 of fees: the trip lost 0.01.
    tables = desk.engine.state.tables
    for row in (0, 2):
        assert tables.trips[row, 0, :3].tolist() == [desk.now, -10_000, 1]
    for row in (0, 1):
        n = numbers(desk, row=row)
        assert n["lock_cooldown"] == desk.now + 5 * MINUTE
        assert n["lock_low_profit"] == desk.now + 60 * MINUTE
        assert n["lock_stoploss"] == desk.now + 30 * MINUTE
    bob = numbers(desk, "bob")
    assert (bob["lock_cooldown"], bob["lock_stoploss"]) == (0, 0), "his own trips are none"
    assert numbers(desk, "bob", row=1)["lock_stoploss"] > 0, "the account's is everybody's"
    assert numbers(desk, token="B.yes")["lock_cooldown"] == 0
    twin = Engine(Desk().setup)
    twin.restore(desk.engine.checkpoint())
    assert (twin.state.tables.trips == tables.trips).all()
    assert (twin.state.tables.tree == tables.tree).all()


@pytest.mark.parametrize(
    ("reason", "price", "stop"),
    [
        ("stop_loss", "0.60", 1), ("trailing", "0.60", 0), ("trailing", "0.40", 1),
        ("portfolio_trailing", "0.40", 1), ("signal", "0.40", 0), ("custom:mine", "0.40", 0),
    ],
)  # fmt: skip
def test_which_exits_count_as_stops(reason, price, stop):
    desk = Desk()
    desk.book("A", "0.40", "0.50")
    wish = Intent(token="A.yes", side=Side.BUY, price=5_000, size=10 * SHARE)
    desk.fill(desk.wish("alice", wish)[-1].order.id, "10", "0.50")
    wish = Intent(token="A.yes", side=Side.SELL, price=4_000, kind=Kind.EXIT, reason=reason)
    desk.fill(desk.wish("alice", wish)[-1].order.id, "10", price)
    assert desk.engine.state.tables.trips[2, 0, 2] == stop
