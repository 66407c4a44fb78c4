"""Pairs that a strategy wants merged: held back until the venue has done it."""

from __future__ import annotations

from collections.abc import Iterator

import pytest

from polyframe import Intent, MergePairs, Side, Strategy
from polyframe.domain import effects as fx
from polyframe.domain import events as ev
from polyframe.domain.market import Resolution
from polyframe.domain.units import SECOND, money
from polyframe.testing import Session
from polyframe.testing.builders import SHARE, START, build_book, build_market


class Merger(Strategy):
    """Merges what it is told to when a timer fires, sells all it may when YES moves."""

    def on_wake(self, event, view) -> Iterator:
        if isinstance(event, ev.TimerFired):
            yield MergePairs(
                event.key.partition("/")[0], size=int(event.key.partition("/")[2]) or None
            )
        else:
            yield Intent(token="m1-yes", side=Side.SELL, size=100 * SHARE, price=100)


@pytest.fixture
def session() -> Session:
    """One that holds 20 pairs."""
    made = Session(Merger(), markets=[build_market()],
                   answers="silent")  # fmt: skip
    made.start()
    made.send(build_book("m1-yes"))
    made.send(ev.PositionSplit(START + 1, "tested", "m1", 20 * SHARE))
    made.now = START + 1
    return made


def wake(session: Session, ts: int, size: int = 0, market: str = "m1") -> list:
    return [e for e in session.send(ev.TimerFired(ts, "tested", f"{market}/{size}"))
            if isinstance(e, fx.MergePositions)]  # fmt: skip


def test_all_free_pairs_become_money(session: Session) -> None:
    before = session.view.portfolio().cash
    (effect,) = wake(session, START + SECOND)
    assert effect == fx.MergePositions("tested", "m1", 20 * SHARE)
    assert wake(session, START + 2 * SECOND) == [], "one at a time"
    session.send(ev.PositionMerged(START + 3 * SECOND, "tested", "m1", 20 * SHARE))
    assert session.view.portfolio().cash == before + money(20)
    assert session.view.position("m1-yes").shares == 0
    assert wake(session, START + 4 * SECOND) == [], "nothing is left"


def test_what_is_being_merged_cannot_be_sold(session: Session) -> None:
    wake(session, START + SECOND, 15 * SHARE)
    session.send(ev.Woken(START + 2 * SECOND, ev.WakeReason.MOVED, "m1-yes", 0, 0))
    (sale,) = session.of(fx.SubmitOrder)
    assert sale.order.size == 5 * SHARE


def test_a_merge_that_fails_lets_go(session: Session) -> None:
    wake(session, START + SECOND)
    session.send(ev.OperationFailed(START + 2 * SECOND, "tested", "merge", "m1", "no gas"))
    assert wake(session, START + 3 * SECOND)


def test_a_market_that_ends_meanwhile_is_paid_once(session: Session) -> None:
    wake(session, START + SECOND, 15 * SHARE)
    market = session.markets[0]
    ended = ev.MarketResolved(START + 2 * SECOND, Resolution.winner(market, 0, START))
    paid = [e for e in session.send(ended) if isinstance(e, fx.RedeemPosition)]
    assert {e.size for e in paid} == {5 * SHARE}
    failed = ev.OperationFailed(START + 3 * SECOND, "tested", "merge", "m1", "too late")
    again = [e for e in session.send(failed) if isinstance(e, fx.RedeemPosition)]
    assert [(e.token, e.size) for e in again] == [("m1-yes", 15 * SHARE), ("m1-no", 15 * SHARE)]


def test_a_checkpoint_and_a_recovery_know_of_it(session: Session) -> None:
    wake(session, START + SECOND)
    other = Session(Merger(), answers="silent")
    other.engine.restore(session.engine.checkpoint())
    assert other.engine.parts.life.merging == {(0, 0): 20 * SHARE}
    assert other.engine.parts.life.mergeable(0, 0) == 0


def test_a_market_without_pairs_is_refused(session: Session) -> None:
    session.send(ev.TimerFired(START + SECOND, "tested", "m9/0"))
    assert [e.reason for e in session.of(fx.WishRefused)] == ["no market of pairs"]
