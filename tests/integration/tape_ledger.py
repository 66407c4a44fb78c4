"""The account kept anew from the fills alone, in plain whole numbers."""

from __future__ import annotations

from collections import defaultdict
from typing import Any

from polyframe.domain import effects as fx
from polyframe.domain import events as ev
from polyframe.domain.portfolio import Fill
from polyframe.domain.units import MONEY_ONE
from polyframe.kernels import tables_nb as t
from polyframe.lab.collect import Collector
from polyframe.runtime import build
from polyframe.runtime.plugins import Registry
from polyframe.runtime.settings import Config
from polyframe.store.journal import JournalWriter


def fills_of(told: Any) -> list[Fill]:
    """Every fill of a run, in the order in which it was executed."""
    log = told.fill_log({})
    late = [] if log.late is None else [log.late.booked(k).fill for k in range(len(log.late))]
    return sorted((*(one.fill for one in told.fills), *late), key=lambda fill: fill.ts)


class Ledger:
    """Cash, and shares with their average cost; money in millionths, nothing is a fraction."""

    def __init__(self, cash: int) -> None:
        self.start = self.cash = cash
        self.shares: defaultdict[str, int] = defaultdict(int)
        self.cost: defaultdict[str, int] = defaultdict(int)
        self.realised: defaultdict[str, int] = defaultdict(int)
        self.fees: defaultdict[str, int] = defaultdict(int)

    def fill(self, fill: Fill, divisor: int) -> None:
        worth, below = divmod(fill.price * fill.size, divisor)
        self.cash -= fill.fee
        self.fees[fill.token] += fill.fee
        if fill.side > 0:
            self.cash -= worth + (below > 0)  # what is paid is rounded up
            self.cost[fill.token] += worth + (below > 0)
            self.shares[fill.token] += fill.size
        else:
            self._out(fill.token, fill.size, worth)

    def settled(self, token: str, shares: int, received: int) -> None:
        self._out(token, shares, received)

    def _out(self, token: str, shares: int, received: int) -> None:
        assert 0 < shares <= self.shares[token], "nobody sells what he does not hold"
        gone = self.cost[token] * shares // self.shares[token]
        self.cash += received
        self.cost[token] -= gone
        self.shares[token] -= shares
        self.realised[token] += received - gone


def balanced(made: Any, told: Any, cash: int) -> Ledger:
    """Demands that the engine's account is the one that its fills and settlements make."""
    state = made.engine.state
    universe = made.engine.context.universe
    own = Ledger(cash)
    for fill in fills_of(told):
        own.fill(fill, universe.market(fill.market).divisor)
    for settled in told.settlements:
        own.settled(settled.token, settled.shares, settled.received)
    paid = sum(payment.amount for payment in told.rewards)
    own.cash += paid
    account, tokens = state.tables.account, state.tables.tokens
    names = [
        market.tokens[outcome].id
        for market in universe.markets
        for outcome in range(len(market.tokens))
    ]
    for row in range(account.shape[1]):  # one ledger, and the account that is its sum
        assert account[t.A_CASH, row] == own.cash
        assert 0 <= account[t.A_RESERVED, row] <= own.cash
        for place, kept in (
            (t.T_SHARES, own.shares), (t.T_COST, own.cost), (t.T_REALISED, own.realised),
            (t.T_FEES, own.fees),
        ):  # fmt: skip
            assert [int(n) for n in tokens[place, row]] == [kept[name] for name in names]
        assert (tokens[t.T_RESERVED, row] >= 0).all()
        assert (tokens[t.T_RESERVED, row] <= tokens[t.T_SHARES, row]).all()
    # What came in went out: cash and positions at their cost are the start, what was earned, and
    # what was paid in fees. What the customer has not, the venue has.
    earned = sum(own.realised.values()) - sum(own.fees.values()) + paid
    assert own.cash + sum(own.cost.values()) == own.start + earned
    assert made.broker.stats.till == own.start - own.cash
    assert made.broker.stats.fees == sum(own.fees.values())
    return own


def played(registry: Registry, data: build.Recorded, values: dict[str, Any], path: str) -> Any:
    """A run over a tape, one way or the other; its account is kept anew and compared."""
    values = {**values, "backtest": {"path": path}}
    collector = Collector()
    halts: list[Any] = []

    def watch(event: Any, effects: Any) -> None:
        collector.watch(event, effects)
        if isinstance(event, ev.RewardPaid):
            halts.append(event)
        halts.extend(e for e in effects if isinstance(e, fx.TradingHalted))

    made = build.replay(
        Config.model_validate(values), registry, data, session="s",
        journal=JournalWriter.null(), watch=watch, tables=True,
    )  # fmt: skip
    collector.engine = made.engine
    made.replay.run()
    collector.take(made.replay.feed)
    balanced(made, collector, int(values["account"]["cash"]) * MONEY_ONE)
    return made, collector, halts
