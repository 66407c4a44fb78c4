from __future__ import annotations

import inspect
from typing import Any, get_args

import msgspec
import pytest
from hypothesis import given
from hypothesis import strategies as st
from pydantic import ValidationError

import polyframe
from polyframe import (
    API,
    DAY,
    Answered,
    Data,
    Ended,
    Every,
    Exchange,
    ExecutionStyle,
    Forecaster,
    Intent,
    Kind,
    Market,
    MarketFilter,
    MarketStats,
    Moved,
    Objective,
    Plugin,
    PluginConfig,
    Proposal,
    Protection,
    Ruling,
    Searcher,
    Side,
    Sizer,
    Strategy,
    Subscription,
    Token,
    Traded,
    View,
    Wallets,
)
from polyframe.api.execution import Parent
from polyframe.api.exits import ATTRIBUTES, declared
from polyframe.api.subscription import WakeOn
from polyframe.domain.orders import Order, TimeInForce

PORTS = [
    Exchange,
    ExecutionStyle,
    Forecaster,
    MarketFilter,
    Objective,
    Protection,
    Searcher,
    Sizer,
    Strategy,
]
MARKET = Market("m", "Will it rain?", (Token("y", "Yes"), Token("n", "No")))


def proposal(size: int = 100) -> Proposal:
    return Proposal(
        ledger="a",
        market="m",
        group="",
        token="y",
        side=Side.BUY,
        price=5_000,
        size=size,
        kind=Kind.DIRECTIONAL,
        reduces=False,
        cost=50,
        fee=0,
        edge=None,
        probability=None,
        ts=0,
    )


# ---- config ------------------------------------------------------------------------------------


class Config(PluginConfig):
    stake: int = 5


def test_an_unknown_setting_is_refused_by_name() -> None:
    with pytest.raises(ValidationError, match="stakes"):
        Config(stakes=5)  # type: ignore[call-arg]


def test_settings_cannot_change_after_start() -> None:
    config = Config()
    with pytest.raises(ValidationError, match="frozen"):
        config.stake = 6


def test_a_wrong_default_is_found() -> None:
    class Wrong(PluginConfig):
        stake: int = "much"  # type: ignore[assignment]

    with pytest.raises(ValidationError, match="stake"):
        Wrong()


def test_a_plugin_gets_its_own_config() -> None:
    class Mine(Plugin):
        Config = Config

    assert Mine().config == Config()
    assert Mine(Config(stake=9)).config.stake == 9
    assert Mine.api == API


@pytest.mark.parametrize("port", PORTS)
def test_a_port_is_made_without_arguments(port: type[Plugin]) -> None:
    assert issubclass(port, Plugin)
    assert port().config == PluginConfig()
    assert port.api == API == polyframe.API


# ---- protection --------------------------------------------------------------------------------


class Careful(Protection):
    """Says what its author writes."""


@given(size=st.integers(1, 10**12))
def test_a_protection_that_says_nothing_allows_all(size: int) -> None:
    verdict = Careful().review(proposal(size), None)  # type: ignore[arg-type]
    assert (verdict.protection, verdict.ruling, verdict.size) == ("Careful", Ruling.ALLOW, size)


@pytest.mark.parametrize(
    ("size", "ruling", "permitted"),
    [
        (-1, Ruling.DENY, 0),
        (0, Ruling.DENY, 0),
        (40, Ruling.SHRINK, 40),
        (100, Ruling.ALLOW, 100),
        (200, Ruling.ALLOW, 100),
    ],
)
def test_shrinking_to_a_size_is_the_verdict_it_means(
    size: int, ruling: Ruling, permitted: int
) -> None:
    verdict = Careful().shrink(proposal(100), size, "cap")
    assert (verdict.protection, verdict.ruling, verdict.size) == ("Careful", ruling, permitted)


def test_a_denial_gives_its_reason() -> None:
    verdict = Careful().deny("too late")
    assert (verdict.protection, verdict.ruling, verdict.size) == ("Careful", Ruling.DENY, 0)
    assert (verdict.reason, verdict.binding) == ("too late", True)


def test_a_protection_guards_risk_on_all_kinds_unless_it_says_otherwise() -> None:
    assert (Protection.scope, Protection.kernel) == ("risk", "")
    assert Protection.applies_to == frozenset(Kind)
    assert Protection().limits() == {}
    assert Protection().observe(None, None) is None  # type: ignore[arg-type]


# ---- strategy ----------------------------------------------------------------------------------

HANDLERS = [name for name in vars(Strategy) if name.startswith("on_")]


@pytest.mark.parametrize("name", HANDLERS)
def test_a_strategy_wants_nothing_by_default(name: str) -> None:
    assert list(getattr(Strategy(), name)(None, None)) == []


def test_there_is_a_handler_for_each_thing_a_strategy_hears_of() -> None:
    assert set(HANDLERS) == {
        "on_start",
        "on_bar",
        "on_book",
        "on_trade",
        "on_wallet",
        "on_forecast",
        "on_fill",
        "on_wake",
        "on_resolved",
        "on_halt",
    }


def test_a_strategy_listens_to_prices_and_is_not_woken_by_default() -> None:
    asked = Strategy().subscribe([MARKET])
    assert (asked.tokens, asked.data, asked.wake) == ((), frozenset({Data.PRICES}), ())
    assert Strategy().features("bars") == "bars"  # type: ignore[arg-type]


def test_exits_are_declared_or_absent() -> None:
    names = ("exits", "startup_bars", *ATTRIBUTES)
    assert {getattr(Strategy, name) for name in names} == {None}
    assert not declared(Strategy).selling


# ---- subscription ------------------------------------------------------------------------------


def test_wake_conditions_are_data() -> None:
    asked = Subscription(
        tokens=("y",),
        data=frozenset({Data.L2, Data.TRADES}),
        wake=(
            Moved(2),
            Traded(10**8),
            Wallets(("0xabc",)),
            Every(DAY),
            Answered(),
            Ended(),
        ),
    )
    assert {type(wake) for wake in asked.wake} == set(get_args(WakeOn))
    stored = msgspec.msgpack.encode(asked)
    assert msgspec.msgpack.decode(stored, type=Subscription) == asked
    with pytest.raises(AttributeError):
        asked.tokens = ()  # type: ignore[misc]


# ---- the other ports ---------------------------------------------------------------------------


def test_a_market_is_kept_unless_a_filter_says_why_not() -> None:
    assert MarketFilter().keep(MARKET, MarketStats(), 0) is True


def test_an_exchange_without_rules_of_its_own_leaves_a_market_as_it_is() -> None:
    assert Exchange().rules(MARKET) is MARKET


UNWRITTEN: list[Any] = [
    lambda: Exchange().markets(),
    lambda: Exchange().feed(Subscription()),
    lambda: Exchange().broker(),
    lambda: Sizer().size(Intent(token="y", side=Side.BUY), 5_000, None),  # type: ignore[arg-type]
    lambda: ExecutionStyle().work(None, None),  # type: ignore[arg-type]
    lambda: Objective().score({}),
]


@pytest.mark.parametrize("call", UNWRITTEN)
def test_what_a_port_cannot_know_must_be_written(call: Any) -> None:
    with pytest.raises(NotImplementedError):
        call()


@pytest.mark.parametrize(
    "call",
    [
        lambda: Forecaster().forecast(None, None, None, 0),  # type: ignore[arg-type]
        lambda: Searcher().search("rain", 0),
    ],
)
async def test_a_forecaster_and_a_searcher_must_answer_themselves(call: Any) -> None:
    with pytest.raises(NotImplementedError):
        await call()


def test_a_parent_may_give_out_what_is_neither_filled_nor_working() -> None:
    order = Order("o", "a", "m", "y", Side.BUY, 5_000, 100, TimeInForce.GTC, 0)
    assert Parent(order, filled=30, working=50, started=0).free == 20


def test_a_view_only_gives() -> None:
    with pytest.raises(TypeError, match="abstract"):
        View()  # type: ignore[abstract]
    public = {name for name, _ in inspect.getmembers(View) if not name.startswith("_")}
    assert public == set(View.__abstractmethods__)
