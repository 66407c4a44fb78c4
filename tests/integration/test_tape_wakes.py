"""What wakes a strategy over a tape beside clocks and prices: own answers, trades, the end."""

from __future__ import annotations

from collections import Counter
from pathlib import Path
from typing import Any

import pytest
from tape_cases import SHARE, tape_data

from polyframe.domain import events as ev
from polyframe.runtime import build
from polyframe.runtime.plugins import Registry
from polyframe.runtime.settings import Config
from polyframe.store.journal import JournalWriter

STRATEGY = """
import msgspec
from polyframe import (
    MILLISECOND, Answered, Ended, Every, PluginConfig, QuoteLevel, Quotes, Strategy, Subscription,
    Traded, Woken,
)


class Heard(msgspec.Struct):
    heard: list[tuple[int, str, str]] = []


class Listener(Strategy):
    books = True

    class Config(PluginConfig):
        over: int = 0
        answers: bool = True
        end: bool = True

    State = Heard

    def subscribe(self, markets):
        wakes = [Every(500 * MILLISECOND)]
        wakes += [Answered()] if self.config.answers else []
        wakes += [Ended()] if self.config.end else []
        wakes += [Traded(self.config.over)] if self.config.over else []
        return Subscription(wake=tuple(wakes))

    def on_wake(self, event, view):
        if isinstance(event, Woken):
            self.state.heard.append((event.ts, event.reason.value, event.token))
            return
        quote = view.book("y0")
        if quote.bid > 0 and quote.ask > 0:
            yield Quotes(token="y0", bids=(QuoteLevel(quote.bid, 10_000_000),))
            yield Quotes(token="n0", bids=(QuoteLevel(10_000 - quote.ask, 10_000_000),))
"""
ANSWERS = (
    ev.OrderAccepted, ev.OrderRejected, ev.OrderFilled, ev.OrderCancelled, ev.OrderExpired,
    ev.CancelRejected,
)  # fmt: skip


def heard(tmp_path: Path, **config: Any) -> tuple[list[tuple[int, str, str]], list[ev.Event]]:
    """What the strategy heard, and every event of the run."""
    (tmp_path / "user" / "strategies").mkdir(parents=True)
    (tmp_path / "user" / "strategies" / "listener.py").write_text(STRATEGY)
    found = Registry.load(tmp_path / "user")
    data = tape_data(tmp_path / "tape", 4, 1, 600)
    events: list[ev.Event] = []
    made = build.replay(
        Config.model_validate({
            "account": {"cash": "500"},
            "strategies": [{"use": "Listener", "config": config}],
            "protections": [{"use": "*", "enabled": False}],
            "venue": {"sim": {"latency_entry_ms": 50, "latency_response_ms": 20}},
        }),
        found, data, session="s", journal=JournalWriter.null(),
        watch=lambda event, effects: events.append(event),
    )  # fmt: skip
    made.replay.run()
    return made.engine.parts.bound[0].strategy.state.heard, events


def test_answers_about_own_orders_wake(tmp_path: Path) -> None:
    told, events = heard(tmp_path, end=False)
    answers = [event for event in events if isinstance(event, ANSWERS)]
    kinds = Counter(type(event) for event in answers)
    assert kinds[ev.OrderAccepted] > 5
    assert kinds[ev.OrderFilled] > 0
    assert kinds[ev.OrderCancelled] > 5
    late = kinds[ev.CancelRejected]
    assert {reason for _, reason, _ in told} == {"answered"}
    # A cancel that came too late is about an order that has ended: nobody is woken by it.
    assert len(answers) - late <= len(told) <= len(answers)
    assert {ts for ts, _, _ in told} <= {event.ts for event in answers}
    assert {token for _, _, token in told} == {"y0", "n0"}


def test_the_end_wakes_once(tmp_path: Path) -> None:
    told, events = heard(tmp_path, answers=False)
    assert isinstance(events[-1], ev.SessionEnded)
    assert told == [(events[-1].ts, "end", "")]


def test_who_does_not_ask_hears_of_neither(tmp_path: Path) -> None:
    assert heard(tmp_path, answers=False, end=False)[0] == []


def test_trades_over_a_notional_wake(tmp_path: Path) -> None:
    told, events = heard(tmp_path, answers=False, end=False, over=10 * SHARE)
    trades = [event for event in events if isinstance(event, ev.TradePrinted)]
    assert len(trades) > 20
    assert told == [(trade.ts, "traded", trade.token) for trade in trades]
    assert all(trade.price * trade.size // 10_000 >= 10 * SHARE for trade in trades)


@pytest.mark.parametrize("wake", ["Answered", "Ended"])
def test_they_are_part_of_the_public_names(wake: str) -> None:
    import polyframe

    assert getattr(polyframe, wake)() == getattr(polyframe, wake)()
