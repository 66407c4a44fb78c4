"""Carries the engine's imperatives to a broker, alike in every driver."""

from __future__ import annotations

from collections.abc import Callable
from typing import Any

from polyframe.api.exchange import Broker
from polyframe.domain import effects as fx
from polyframe.domain.units import Ns
from polyframe.errors import InvariantError

Carry = dict[type, Callable[[Any], None]]


def to_broker(
    broker: Broker, now: Callable[[], Ns], before_submit: Callable[[], object] = lambda: None
) -> Carry:
    """What to do with each effect that concerns the broker.

    ``before_submit`` runs before an order leaves: a live session puts on record what led to it.
    """

    def submit(effect: fx.SubmitOrder) -> None:
        if effect.approved is None:
            raise InvariantError(f"order {effect.order.id} left the engine without approval")
        before_submit()
        broker.submit(effect.approved, now())

    def cancel(effect: fx.RequestCancel) -> None:
        if not effect.parent:
            broker.cancel(effect.order, now())

    def split(effect: fx.SplitPosition) -> None:
        broker.split(effect.ledger, effect.market, effect.size, now())

    def merge(effect: fx.MergePositions) -> None:
        broker.merge(effect.ledger, effect.market, effect.size, now())

    def redeem(effect: fx.RedeemPosition) -> None:
        broker.redeem(effect.ledger, effect.market, effect.token, effect.size, now())

    return {
        fx.SubmitOrder: submit,
        fx.RequestCancel: cancel,
        fx.SplitPosition: split,
        fx.MergePositions: merge,
        fx.RedeemPosition: redeem,
    }
