"""Records whose row of the decision log follows from their own fields."""

from __future__ import annotations

from collections.abc import Callable
from typing import Any

import msgspec

from polyframe.domain import effects as fx
from polyframe.domain import events as ev
from polyframe.domain.orders import OrderState
from polyframe.domain.units import Ns
from polyframe.store.decision_log import Decision, Stage, amount

WAKES = {
    ev.WakeReason.MOVED: "woken: the price moved",
    ev.WakeReason.TRADED: "woken: somebody traded",
    ev.WakeReason.WALLET: "woken: a followed wallet traded",
    ev.WakeReason.BAR: "woken: a bar closed",
    ev.WakeReason.LIMIT: "woken: equity crossed a limit",
    ev.WakeReason.END: "woken: end of the data",
}

ENDINGS: dict[type, OrderState] = {
    ev.OrderRejected: OrderState.REJECTED,
    ev.OrderCancelled: OrderState.CANCELLED,
    ev.OrderExpired: OrderState.EXPIRED,
}
"""Answers that end an order. What was filled stands in the change of its state."""

ANSWERS: dict[type, str] = {
    ev.OrderAccepted: "taken by the venue",
    ev.OrderDelayed: "held back by the venue",
    ev.OrderRejected: "refused by the venue",
    ev.OrderTimedOut: "no answer from the venue",
    ev.OrderFilled: "",
    ev.FillFailed: "a fill was undone",
    ev.FillConfirmed: "fill confirmed by the venue",
    ev.OrderCancelled: "cancelled",
    ev.CancelRejected: "not cancelled",
    ev.OrderExpired: "expired",
}


def _plain(text: str, stage: Stage = Stage.MONITOR) -> Callable[[Any, Ns], Decision]:
    """A row whose text is filled in from the record's own fields."""

    def row(item: Any, ts: Ns) -> Decision:
        values = msgspec.structs.asdict(item)
        said = text.format_map({**values, "money": amount(values.get("amount", 0))})
        facts = {k: v for k, v in values.items() if k not in {"ts", "ledger", "market", "token"}}
        return Decision(
            ts, stage, said, values.get("ledger", ""), values.get("market", ""),
            values.get("token", ""), "", facts,
        )  # fmt: skip

    return row


PLAIN: dict[type, Callable[[Any, Ns], Decision]] = {
    ev.SessionStarted: _plain("session {session} started"),
    ev.SessionEnded: _plain("session ended: {reason}"),
    ev.MarketClosed: _plain("trading closed"),
    ev.ResolutionProposed: _plain("outcome proposed: {outcome}"),
    ev.MarketDisputed: _plain("the proposed outcome is disputed"),
    ev.PositionSplit: _plain("money became pairs of shares"),
    ev.PositionMerged: _plain("pairs of shares became money"),
    ev.PositionConverted: _plain("NO shares of event {group} were converted"),
    ev.OperationFailed: _plain("{operation} failed: {reason}"),
    ev.RewardPaid: _plain("{what} of {money} paid"),
    ev.CashMoved: _plain("cash {money}: {reason}"),
    ev.FeedLost: _plain("data lost: {reason}"),
    ev.FeedRestored: _plain("data is back"),
    fx.ForecastAwaited: _plain("waits for forecasts of this market from now on", Stage.SCAN),
    fx.TradingResumed: _plain("trading resumed by {by}"),
    fx.StrategyDisabled: _plain("strategy disabled: {reason}"),
}
