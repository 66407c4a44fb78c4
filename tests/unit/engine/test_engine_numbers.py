"""The numbers the guards read, kept step by step, against the same computed from scratch."""

from __future__ import annotations

from collections import Counter

from engine_desk import Desk, market
from hypothesis import given, settings
from hypothesis import strategies as st
from test_engine_properties import FEE, World

from polyframe.domain import effects as fx
from polyframe.domain import events as ev
from polyframe.domain.market import Group, GroupKind
from polyframe.domain.orders import Side
from polyframe.domain.units import DAY, SECOND
from polyframe.kernels import bars_nb as nb
from polyframe.kernels import pace_nb
from polyframe.kernels import tables_nb as t

ROWS = range(3)


def session(kind: GroupKind, *, apart: bool) -> Desk:
    markets = [
        market("A", group="" if apart else "e", fee=FEE, category="macro"),
        market("B", group="" if apart else "e", fee=FEE, category="Macro" if apart else "sport"),
    ]
    groups = [] if apart else [Group("e", ("A", "B"), kind)]
    return Desk(markets=markets, groups=groups)


def of_row(desk: Desk, row: int, m: int):
    """The open orders a row counts in a market."""
    orders = desk.engine.state.orders.values()
    return [o for o in orders if row in (o.ledger, 2) and o.market == m]


def check_exposures(desk: Desk) -> None:
    state, universe = desk.engine.state, desk.engine.context.universe
    tables = state.tables
    for row in ROWS:
        risks, nets, open_markets = {}, 0, set()
        for group in universe.groups:
            members = [universe.market_index[id] for id in universe.groups[group].markets]
            cost = sum(state.cost[row, 2 * m + k] for m in members for k in (0, 1))
            risks[group] = cost - state.worst(row, group)
            assert state.at_risk_group(row, group) == risks[group]
        for m in (0, 1):
            entries = [o for o in of_row(desk, row, m) if o.order.side == Side.BUY]
            sides = [
                state.cost[row, 2 * m + k]
                + sum(o.reserved for o in entries if universe.token_outcome[o.token] == k)
                for k in (0, 1)
            ]
            nets += abs(sides[0] - sides[1])
            assert tables.markets[t.M_NET, row, m] == abs(sides[0] - sides[1])
            held = sum(1 for k in (0, 1) if state.shares[row, 2 * m + k])
            assert tables.markets[t.M_EXPOSED, row, m] == held + len(entries)
            if held or entries:
                open_markets.add(m)
        assert tables.account[t.A_NET, row] == nets
        assert tables.account[t.A_AT_RISK, row] == sum(max(risk, 0) for risk in risks.values())
        n = state.open_markets[row]
        assert set(tables.markets[t.M_OPEN, row, :n].tolist()) == open_markets
        assert n == len(open_markets)
        for name, k in universe.categories.items():
            inside = {
                universe.group_of[m]
                for m in range(len(universe.markets))
                if universe.markets[m].category.lower() == name
            }
            assert tables.kinds[row, k] == sum(max(risks[g], 0) for g in inside)


def check_equity(desk: Desk) -> None:
    state = desk.engine.state
    for row in ROWS:
        worth = sum(
            int(
                nb.mark(
                    state.shares[row, token], token % 2,
                    int(state.books.rows[token // 2, nb.B_MARK_BID]),
                    int(state.books.rows[token // 2, nb.B_MARK_ASK]), 10_000,
                )
            )
            // int(state.books.rows[token // 2, nb.B_DIVISOR])
            for token in range(4)
        )  # fmt: skip
        assert state.equity_of(row) == state.cash[row] + worth


@settings(max_examples=60)
@given(st.integers(0, 2**32), st.sampled_from(list(GroupKind)), st.booleans())
def test_exposures_and_equity_are_those_computed_from_scratch(seed, kind, apart):
    desk = session(kind, apart=apart)
    world = World(seed, desk)
    for _ in range(60):
        world.turn()
        check_exposures(desk)
        check_equity(desk)


@settings(max_examples=20)
@given(st.integers(0, 2**32))
def test_an_event_that_takes_another_shape_changes_what_is_at_risk(seed):
    desk = session(GroupKind.INDEPENDENT, apart=False)
    world = World(seed, desk)
    for _ in range(30):
        world.turn()
    for kind in (GroupKind.EXCLUSIVE, GroupKind.LADDER, GroupKind.INDEPENDENT):
        desk.step(ev.GroupListed(desk.later(), Group("e", ("A", "B"), kind)))
        check_exposures(desk)
    desk.step(ev.MarketListed(desk.later(), market("C", group="e", fee=FEE)))
    check_exposures(desk)
    assert desk.engine.state.tables.markets.shape[2] == 3


def check_pace(desk: Desk) -> None:
    """What went out, came back and was cancelled today, counted over the whole log."""
    tables, now = desk.engine.state.tables, desk.engine.context.now
    today = now // DAY
    seen: set[tuple[str, str]] = set()
    for row in ROWS:
        counts: Counter[str] = Counter()
        sent: list[int] = []
        seen.clear()
        owners: dict[str, str] = {}
        for event, effects in desk.log:
            for effect in effects:
                if isinstance(effect, fx.SubmitOrder):
                    owners[effect.order.id] = effect.order.ledger
            for effect in effects:
                at = max(event.ts, 0)
                if isinstance(effect, fx.SubmitOrder) and mine(desk, row, effect.order.ledger):
                    sent.append(at)
                    if at // DAY == today:
                        counts["orders"] += 1
                        counts["volume"] += -(-effect.order.price * effect.order.size // 10_000)
                elif isinstance(effect, fx.RequestCancel) and not effect.parent:
                    if mine(desk, row, owners[effect.order]) and at // DAY == today:
                        counts["cancels"] += 1
                elif isinstance(effect, fx.FillBooked) and mine(desk, row, effect.fill.ledger):
                    counts["fills"] += at // DAY == today
        account = tables.account
        assert account[t.A_ORDERS, row] == len(sent)
        assert account[t.A_ORDERS_DAY, row] == counts["orders"]
        assert account[t.A_VOLUME_DAY, row] == counts["volume"]
        assert account[t.A_CANCELS_DAY, row] == counts["cancels"]
        assert account[t.A_FILLS_DAY, row] == counts["fills"]
        for window in (SECOND, 60 * SECOND):
            found = pace_nb.since(tables.pace, row, int(account[t.A_ORDERS, row]), now - window)
            assert found == sum(1 for at in sent if at > now - window)


def mine(desk: Desk, row: int, ledger: str) -> bool:
    return row == 2 or desk.engine.state.ledgers[row] == ledger


@settings(max_examples=40)
@given(st.integers(0, 2**32), st.sampled_from((0, 10, 40_000)))
def test_orders_cancels_fills_and_volume_are_counted_by_second_minute_and_day(seed, leap):
    desk = session(GroupKind.INDEPENDENT, apart=True)
    world = World(seed, desk)
    for i in range(60):
        world.turn()
        if i % 10 == 9:
            desk.later(leap)
        check_pace(desk)
