"""Signals become intents: entries when flat, exits of what is held, calls where features wake."""

from __future__ import annotations

from typing import Any

import pytest

from polyframe import Kind, PluginError, Side, Strategy
from polyframe.domain import effects as fx
from polyframe.domain import events as ev
from polyframe.domain.units import HOUR
from polyframe.sizers.fixed import FixedSizer
from polyframe.testing.builders import START, build_book, build_market
from polyframe.testing.session import Session

MARKET = build_market()
YES = MARKET.yes.id
TICK = MARKET.tick


class Quiet(Strategy):
    """Says nothing by itself."""

    slippage = 0.03

    def __init__(self, *args: Any) -> None:
        super().__init__(*args)
        self.bars: list[ev.BarClosed] = []

    def on_bar(self, event: ev.BarClosed, view: Any) -> Any:
        self.bars.append(event)
        return ()


def made(strategy: Strategy | None = None, answers: Any = "fill") -> Session:
    session = Session(
        strategy or Quiet(), markets=[MARKET], sizer=FixedSizer(FixedSizer.Config(stake=10)),
        answers=answers,
    )  # fmt: skip
    session.start()
    session.send(build_book(YES, 4000, 4200, ts=START + 1))
    return session


def signal(hour: int, **asked: Any) -> ev.BarSignalled:
    ts = START + hour * HOUR - 1
    bar = ev.BarClosed(ts, YES, 4000, 4200, 3900, 4100, 10**7, HOUR)
    return ev.BarSignalled(ts, "tested", bar, **asked)


def sent(effects: list[Any]) -> list[Any]:
    return [effect.order for effect in effects if isinstance(effect, fx.SubmitOrder)]


def test_an_entry_pays_at_most_the_best_price_and_the_slippage() -> None:
    session = made()
    (order,) = sent(session.send(signal(1, enter=True, probability=0.7, edge=0.2)))
    assert (order.token, order.side, order.price) == (YES, Side.BUY, 4200 + 300)
    assert (order.reason, order.kind) == ("signal", Kind.DIRECTIONAL)
    assert order.edge == pytest.approx(0.2)
    reviewed = session.of(fx.OrderReviewed)[-1]
    assert reviewed.intent.probability == 0.7


def test_an_entry_near_one_stays_below_it() -> None:
    session = made()
    session.send(build_book(YES, 9900, 9980, ts=START + 2))
    (order,) = sent(session.send(signal(1, enter=True)))
    assert order.price == MARKET.max_price - TICK


def test_an_exit_sells_all_that_is_held_at_whatever_is_bid() -> None:
    session = made()
    session.send(signal(1, enter=True))
    session.settle(START + 2 * HOUR)
    held = session.view.position(YES).shares
    assert held > 0
    (order,) = sent(session.send(signal(3, exit=True)))
    assert (order.side, order.size, order.price) == (Side.SELL, held, TICK)
    assert (order.kind, order.reason) == (Kind.EXIT, "signal")


@pytest.mark.parametrize("asked", [{"exit": True}, {}])
def test_nothing_is_sold_when_flat(asked: dict[str, bool]) -> None:
    session = made()
    assert session.send(signal(1, **asked)) == []


def test_nothing_is_bought_on_top_of_what_is_held() -> None:
    session = made()
    session.send(signal(1, enter=True))
    session.settle(START + 2 * HOUR)
    assert sent(session.send(signal(3, enter=True))) == []


def test_both_at_once_leave_when_held_and_enter_when_flat() -> None:
    session = made()
    (bought,) = sent(session.send(signal(1, enter=True, exit=True)))
    session.settle(START + 2 * HOUR)
    (sold,) = sent(session.send(signal(3, enter=True, exit=True)))
    assert (bought.side, sold.side) == (Side.BUY, Side.SELL)


def test_while_an_order_stands_nothing_more_is_wished_for() -> None:
    session = made(answers="silent")
    assert len(sent(session.send(signal(1, enter=True)))) == 1
    assert session.send(signal(2, enter=True)) == []
    assert session.send(signal(3, exit=True)) == []


def test_without_a_quote_the_wish_is_refused_by_name() -> None:
    session = made()
    session.send(build_book(YES, 4000, 0, ts=START + 2))
    effects = session.send(signal(1, enter=True))
    assert [e.reason for e in effects if isinstance(e, fx.WishRefused)] == ["no quote to take"]


def test_a_waking_bar_calls_on_bar_after_the_signal() -> None:
    strategy = Quiet()
    session = made(strategy)
    effects = session.send(signal(1, enter=True, wake=True))
    assert len(sent(effects)) == 1
    assert [bar.close for bar in strategy.bars] == [4100]
    session.send(signal(2))
    assert len(strategy.bars) == 1


def test_a_strategy_that_does_not_listen_to_the_token_hears_nothing() -> None:
    session = made()
    session.engine.parts.bound[0].heard = frozenset({"other"})
    assert session.send(signal(1, enter=True, wake=True)) == []


def test_a_sizer_that_fails_stops_a_backtest_and_names_itself() -> None:
    session = Session(Quiet(), markets=[MARKET])  # the default sizer wants a probability
    session.start()
    session.send(build_book(YES, 4000, 4200, ts=START + 1))
    with pytest.raises(PluginError, match="probability"):
        session.send(signal(1, enter=True))
