"""Every guard in a session made for it: it binds at its limit and not one unit before.

Each session is played twice. Its last order meets the guard at the limit, then with one unit more
room (a millionth of money or of a part, one market, one order, one nanosecond).
"""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass, field
from typing import Any

import pytest
from engine_desk import START, Desk, intent, market

from polyframe.domain import effects as fx
from polyframe.domain import events as ev
from polyframe.domain.forecast import Forecast
from polyframe.domain.market import Group, GroupKind
from polyframe.domain.orders import Kind, Side
from polyframe.domain.units import DAY, HOUR, MINUTE, SECOND, money
from polyframe.domain.verdict import Ruling
from polyframe.domain.wishes import AskForecast, CancelOrder, Intent
from polyframe.kernels import guards_nb as g
from polyframe.runtime.plugins import Registry
from polyframe.runtime.settings import ALWAYS, DEFAULT_GUARDS

REGISTRY = Registry.load(None, entry_points=False, safe=True)
GROUP = Group("e", ("A", "B"), GroupKind.EXCLUSIVE)
KILL, RESET = ev.CommandKind.KILL, ev.CommandKind.RESET
Script = Callable[[Desk], object]


# ---- what happens before the order ---------------------------------------------------------------


def quoted(desk: Desk) -> None:
    for name in ("A", "B"):
        desk.book(name, "0.49", "0.50")


def buy(desk: Desk, token: str = "B.yes", size: str = "10", price: str = "0.50", **stated: Any):
    stated = {"probability": 0.9} | stated
    base = intent("buy", token, price, size)
    wish = Intent(token=token, side=Side.BUY, price=base.price, size=base.size, **stated)
    return desk.wish("alice", wish)


def held(desk: Desk, size: str = "10", token: str = "A.yes") -> None:
    """Ten shares of A at 0.50, filled, and a bid of 0.50: equity is what it was."""
    quoted(desk)
    order = sent(buy(desk, token, size))
    desk.fill(order, size, "0.50")
    desk.book("A", "0.50", "0.51")


def sent(effects: list[fx.Effect]) -> str:
    (order,) = [e.order.id for e in effects if isinstance(e, fx.SubmitOrder)]
    return order


def fallen(desk: Desk) -> None:
    """Equity falls from 100 to 80: fifty shares from 0.50 to 0.10."""
    held(desk, "50")
    desk.book("A", "0.10", "0.12")


def closed_at_a_loss(desk: Desk) -> None:
    """Ten shares bought at 0.50 and sold at 0.30 by a stop: 2 lost."""
    held(desk)
    desk.book("A", "0.30", "0.31")
    exit_ = intent("sell", "A.yes", "0.30", "10")
    wish = Intent(
        token="A.yes", side=Side.SELL, price=exit_.price, size=exit_.size, kind=Kind.EXIT,
        reason="stop_loss",
    )  # fmt: skip
    desk.fill(sent(desk.wish("alice", wish)), "10", "0.30")
    desk.book("A", "0.49", "0.50")


def then(before: Script, **order: Any) -> Script:
    """What comes before, then the order that meets the guard."""

    def script(desk: Desk) -> object:
        before(desk)
        return buy(desk, **order)

    return script


def commanded(*kinds: ev.CommandKind) -> Script:
    def script(desk: Desk) -> None:
        quoted(desk)
        for kind in kinds:
            desk.step(ev.CommandReceived(desk.later(), ev.Command(kind, "tester")))

    return script


def reported(desk: Desk) -> None:
    quoted(desk)
    desk.step(ev.StatsReported(desk.later(), "B", money(2000)))


def forecast(desk: Desk) -> None:
    quoted(desk)
    desk.wish("alice", AskForecast("B", "oracle"))
    made = Forecast("B", 0.9, desk.now, "x", confidence="medium", evidence_quality=0.55)
    desk.step(ev.ForecastMade(desk.later(), "s-f1", "oracle", made))


def twice_in_a_step(desk: Desk) -> object:
    quoted(desk)
    one = Intent(token="B.yes", side=Side.BUY, price=5_000, size=10_000_000, probability=0.9)
    return desk.wish("alice", one, one)


def two_cancelled(desk: Desk) -> None:
    quoted(desk)
    for n in (1, 2):
        desk.play(f"""
            alice buy A.yes 0.20 10 resting p=0.9 | reviewed 10/10; submit {n} buy A.yes 10 @ 0.2
            accepted {n}                          | changed {n} live
        """)
        desk.wish("alice", CancelOrder(f"s-{n}"))
        desk.play(f"cancelled {n} | changed {n} cancelled")


def next_day(desk: Desk) -> None:
    fallen(desk)
    desk.later(24 * 3600)


def resting(price: str) -> Script:
    """A bid for NO, which is an own offer of YES at one less."""

    def script(desk: Desk) -> None:
        quoted(desk)
        order = sent(desk.wish("alice", intent("buy", "B.no", price, "10", "resting")))
        desk.step(ev.OrderAccepted(desk.later(), order))

    return script


def untrusted(desk: Desk) -> object:
    quoted(desk)
    desk.play("distrust B |")
    return buy(desk)


# ---- the table -----------------------------------------------------------------------------------


@dataclass
class Made:
    """A guard's two sessions: settings (or scripts, or cash) with which it binds and does not."""

    at: dict[str, Any] = field(default_factory=dict)
    beyond: dict[str, Any] = field(default_factory=dict)
    script: Script | None = None
    scripts: tuple[Script, Script] | None = None
    cash: tuple[str, str] = ("100", "100")
    permitted: str = "0"
    """what it lets through at its limit"""
    beside: tuple[str, dict[str, Any]] | None = None
    markets: dict[str, dict[str, Any]] = field(default_factory=dict)
    event: bool = False


FIRST = 3 * SECOND
"""when the order of ``then(quoted)`` is decided"""
MADE = {
    "KillSwitch": Made(scripts=(then(commanded(KILL)), then(commanded(KILL, RESET)))),
    "DrawdownKill": Made({"drawdown": 0.2}, {"drawdown": 0.200001}, then(fallen)),
    "DrawdownHeat": Made(
        {"steps": [(0.2, 0.5)]}, {"steps": [(0.200001, 0.5)]}, then(fallen), permitted="8",
        beside=("MaxStake", {"stake": "10"}),
    ),
    "MaxStake": Made({"stake": "5"}, {"stake": "5.000001"}, then(quoted), permitted="8"),
    "DailyLoss": Made({"loss": "20"}, {"loss": "20.000001"}, then(fallen)),
    "WeeklyLoss": Made({"loss": "20"}, {"loss": "20.000001"}, then(next_day)),
    "OpenPositions": Made({"markets": 1}, {"markets": 2}, then(held)),
    "MinEdge": Made({"edge": 0.040001}, {"edge": 0.04}, then(quoted, probability=None, edge=0.04)),
    "Liquidity": Made({"liquidity": "2000.000001"}, {"liquidity": "2000"}, then(reported)),
    "Spread": Made({"spread": 0.009999}, {"spread": 0.01}, then(quoted)),
    "EvidenceQuality": Made({"quality": 0.550001}, {"quality": 0.55}, then(forecast)),
    "Confidence": Made({"level": "high"}, {"level": "medium"}, then(forecast)),
    "ImpliedProbability": Made({"probability": 0.500001}, {"probability": 0.5}, then(quoted)),
    "EdgeDirection": Made(
        scripts=(then(quoted, probability=0.5), then(quoted, probability=0.500001))
    ),
    "MarketType": Made({"blocked": ["Sport"]}, {"blocked": ["sports"]}, then(quoted)),
    "PortfolioExposure": Made({"share": 0.1}, {"share": 0.100001}, then(held), permitted="8"),
    "Timeline": Made(
        {"last_hours": 2 + 1e-12}, {"last_hours": 2}, then(quoted),
        markets={"B": {"closes": START + FIRST + 2 * HOUR}},
    ),
    "CategoryExposure": Made(
        {"share": 0.5, "categories": {"sport": 0.1}},
        {"share": 0.5, "categories": {"sport": 0.100001}},
        then(held), permitted="8",
    ),
    "EventExposure": Made(
        {"share": 0.1}, {"share": 0.100001}, then(held), permitted="8", event=True
    ),
    "CorrelatedPositions": Made({"positions": 1}, {"positions": 2}, then(held), event=True),
    "SymbolExposure": Made(
        {"net": 0.1}, {"net": 0.100001}, then(held, token="A.yes", price="0.50"), permitted="8"
    ),
    "OrderSize": Made({"share": 0.05}, {"share": 0.050001}, then(quoted), permitted="8"),
    "OrderRate": Made({"second": 1}, {"second": 2}, twice_in_a_step),
    "DailyVolume": Made({"times": 0.1}, {"times": 0.100001}, then(held), permitted="8"),
    "CancelRatio": Made({"ratio": 2, "start": 1}, {"ratio": 3, "start": 1}, then(two_cancelled)),
    "StoplossGuard": Made({"trades": 1}, {"trades": 2}, then(closed_at_a_loss)),
    "Cooldown": Made(
        {"minutes": (2 * SECOND + 1) / MINUTE}, {"minutes": 2 * SECOND / MINUTE},
        then(closed_at_a_loss, token="A.yes"),
    ),
    "LowProfit": Made(
        {"trades": 1, "profit": "-1.999999"}, {"trades": 1, "profit": "-2"},
        then(closed_at_a_loss, token="A.yes"),
    ),
    "MaxDrawdown": Made(
        # 2 of the 98 that are left
        {"trades": 1, "drawdown": 0.020408}, {"trades": 1, "drawdown": 0.020409},
        then(closed_at_a_loss),
    ),
    "PriceBand": Made({"high": 0.499999}, {"high": 0.5}, then(quoted)),
    "VenueRules": Made(scripts=(then(resting("0.50")), then(resting("0.49")))),
    "Balance": Made(script=then(quoted), cash=("5", "5.000001"), permitted="8"),
    "TrustedBook": Made(scripts=(untrusted, then(quoted))),
}  # fmt: skip


def review(name: str, made: Made, which: int) -> tuple[fx.OrderReviewed, Any]:
    settings = (made.at, made.beyond)[which]
    guards = [(name, settings)] if name not in ALWAYS else []
    guards += [made.beside] if made.beside else []
    classes = [(REGISTRY.get("protection", guard), values) for guard, values in guards]
    group = {"group": "e"} if made.event else {}
    desk = Desk(
        players=["alice"],
        cash=made.cash[which],
        markets=[
            market(n, category="sport", **group, **made.markets.get(n, {})) for n in ("A", "B")
        ],
        groups=[GROUP] if made.event else [],
        protections=[cls(cls.Config(**values)) for cls, values in classes],
    )
    script = made.scripts[which] if made.scripts else made.script
    effects = script(desk)
    found = [e for e in effects if isinstance(e, fx.OrderReviewed)][-1]
    verdict = next(v for v in found.verdicts if v.protection == name)
    return found, verdict


def test_every_guard_has_a_session_made_for_it():
    assert set(MADE) == set(DEFAULT_GUARDS)


@pytest.mark.parametrize("name", DEFAULT_GUARDS)
def test_a_guard_binds_in_a_session_at_its_limit(name):
    made = MADE[name]
    found, verdict = review(name, made, 0)
    permitted = money(made.permitted)
    assert found.permitted == permitted < found.asked
    assert verdict.ruling is (Ruling.SHRINK if permitted else Ruling.DENY)
    assert verdict.binding
    assert verdict.size == permitted
    assert verdict.reason


@pytest.mark.parametrize("name", DEFAULT_GUARDS)
def test_a_guard_does_not_bind_one_unit_before(name):
    found, verdict = review(name, MADE[name], 1)
    assert verdict.ruling is Ruling.ALLOW
    assert found.permitted == found.asked


@pytest.mark.parametrize("name", [n for n in DEFAULT_GUARDS if n not in ALWAYS])
def test_no_guard_of_risk_keeps_from_selling_what_is_held(name):
    """In the session in which it binds, the shares of A are sold."""
    made = MADE[name]
    cls = REGISTRY.get("protection", name)
    protections = [cls(cls.Config(**made.at))]
    if made.beside:
        other = REGISTRY.get("protection", made.beside[0])
        protections.append(other(other.Config(**made.beside[1])))
    before = Desk(players=["alice"])
    held(before)
    desk = Desk(players=["alice"], protections=protections)
    desk.engine.restore(before.engine.checkpoint())
    desk.now = before.now + DAY
    for kind in (Kind.EXIT, Kind.DIRECTIONAL):
        wish = Intent(token="A.yes", side=Side.SELL, price=5_000, size=5_000_000, kind=kind)
        (found,) = [e for e in desk.wish("alice", wish) if isinstance(e, fx.OrderReviewed)]
        assert found.permitted == 5_000_000, [v for v in found.verdicts if v.size == 0]


def test_the_names_of_guards_and_kernels_agree():
    assert [REGISTRY.get("protection", n).kernel for n in DEFAULT_GUARDS] == list(g.GUARDS)
