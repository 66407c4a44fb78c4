"""The numbers the guards read, kept step by step, against the same computed from scratch."""

from __future__ import annotations

from collections import Counter

from engine_desk import Desk, market
from hypothesis import given, settings
from hypothesis import strategies as st
from test_engine_properties import FEE, World

from polyframe.api.protection import Protection
from polyframe.domain import effects as fx
from polyframe.domain import events as ev
from polyframe.domain.market import Group, GroupKind
from polyframe.domain.orders import Kind, Side
from polyframe.domain.units import DAY, SECOND
from polyframe.domain.wishes import Intent
from polyframe.engine.risk import Draft
from polyframe.kernels import bars_nb as nb
from polyframe.kernels import guards_nb as g
from polyframe.kernels import pace_nb
from polyframe.kernels import tables_nb as t

ROWS = range(3)


def session(kind: GroupKind, *, apart: bool) -> Desk:
    markets = [
        market("A", group="" if apart else "e", fee=FEE, category="macro"),
        market("B", group="" if apart else "e", fee=FEE, category="Macro" if apart else "sport"),
    ]
    groups = [] if apart else [Group("e", ("A", "B"), kind)]
    desk = Desk(markets=markets, groups=groups)
    desk.engine.state.tables.keep_pace(512)
    return desk


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


class Fast(Protection):
    """Far more orders than anybody sends."""

    kernel = "order_rate"

    def limits(self):
        return {"orders_second": 700, "orders_minute": 700}


def test_a_limit_of_the_pace_has_room_for_the_orders_it_counts():
    desk = Desk(protections=[Fast()])
    assert desk.engine.state.tables.pace.shape[1] == 700
    desk.book("A", "0.40", "0.50")
    wish = Intent(token="A.yes", side=Side.BUY, price=4_000, size=1_000_000)
    sent = []
    for _ in range(720):
        desk.puppets["alice"].hand = [wish]
        effects = desk.step(ev.TimerFired(desk.now, "alice", "test"))
        orders = [e.order.id for e in effects if isinstance(e, fx.SubmitOrder)]
        sent += orders
        for id in orders:
            desk.step(ev.OrderRejected(desk.now, id, "no"))
    assert len(sent) == 700


# ---- the columns the guards read -----------------------------------------------------------------


def expected(desk: Desk, token: int, row: int) -> dict[int, int]:
    """The numbers of a purchase by alice, one by one from the engine's own answers."""
    state, universe, books = (
        desk.engine.state, desk.engine.context.universe, desk.engine.context.books,
    )  # fmt: skip
    m = universe.token_market[token]
    bid, ask = books.touch(m, token % 2)
    groups = {universe.group_of[i] for i in range(2)}
    kind = universe.markets[m].category.lower()
    mine = {universe.group_of[i] for i in range(2) if universe.markets[i].category.lower() == kind}
    entries = [o for o in of_row(desk, row, m) if o.order.side == Side.BUY]
    sides = [
        state.cost[row, 2 * m + k] + sum(o.reserved for o in entries if o.token % 2 == k)
        for k in (0, 1)
    ]
    at_risk = {group: state.at_risk_group(row, group) for group in groups}
    return {
        g.S_CASH_FREE: state.cash[row] - state.reserved[row],
        g.S_SHARES_FREE: state.shares[row, token] - state.reserved_shares[row, token],
        g.S_EQUITY: state.equity_of(row),
        g.S_DAY_START_EQUITY: state.day_start[row],
        g.S_WEEK_START_EQUITY: state.week_start[row],
        g.S_PEAK_EQUITY: state.peak[row],
        g.S_OPEN_MARKETS: state.open_markets[row],
        g.S_MARKET_OPEN: int(
            bool(entries) or any(state.shares[row, 2 * m + k] for k in (0, 1))
        ),
        g.S_MARKET_AT_RISK: state.at_risk_market(row, m),
        g.S_GROUP_AT_RISK: at_risk[universe.group_of[m]],
        g.S_TOTAL_AT_RISK: sum(max(n, 0) for n in at_risk.values()),
        g.S_CATEGORY_AT_RISK: sum(max(at_risk[group], 0) for group in mine),
        g.S_CATEGORY_CAP: g.MISSING,
        g.S_BID: bid, g.S_ASK: ask, g.S_TRUSTED: int(books.quote(token).trusted),
        g.S_TRADABLE: 1, g.S_BLOCKED: 0, g.S_CLOSES: 0, g.S_CORRELATED: 0,
        g.S_MARKET_NET: abs(sides[0] - sides[1]), g.S_MARKET_GROSS: sum(sides),
 g.S_KILLED: 0, g.S_HALTED: 0,
    }  # fmt: skip


def opinions(desk: Desk, token: int) -> dict[int, int]:
    """What was said of a market, by the log."""
    name = "AB"[token // 2]
    liquidity, relied, newest = g.MISSING, False, None
    for event, effects in desk.log:
        if isinstance(event, ev.StatsReported) and event.market == name:
            liquidity = event.liquidity
        if isinstance(event, ev.ForecastMade) and event.forecast.market == name:
            newest = event.forecast
        relied |= fx.ForecastAwaited("alice", name) in effects
    said = {g.S_LIQUIDITY: liquidity, g.S_FORECAST: g.EXEMPT}
    if not relied:
        return said | {g.S_CONFIDENCE: g.EXEMPT, g.S_EVIDENCE: g.EXEMPT}
    said |= {g.S_CONFIDENCE: g.MISSING, g.S_EVIDENCE: g.MISSING}
    if newest is not None:
        p = int(newest.probability * 1_000_000)
        said[g.S_FORECAST] = p if token % 2 == 0 else 1_000_000 - p
        said[g.S_CONFIDENCE] = {"": g.MISSING, "LOW": 0, "HIGH": 2}[newest.confidence]
        if newest.evidence_quality is not None:
            said[g.S_EVIDENCE] = int(newest.evidence_quality * 1_000_000)
    return said


@settings(max_examples=40)
@given(st.integers(0, 2**32), st.sampled_from(list(GroupKind)), st.booleans())
def test_a_review_reads_the_numbers_of_its_ledger_and_of_the_account(seed, kind, apart):
    desk = session(kind, apart=apart)
    world = World(seed, desk)
    for _ in range(30):
        world.turn()
    door = desk.engine.parts.door
    for token in range(4):
        draft = Draft(0, token, Side.BUY, 100, 1_000_000, Kind.DIRECTIONAL, None, None)
        door.review(draft, desk.now)
        for i, row in enumerate((0, 2)):
            found = door._vectors.numbers[i]
            wanted = expected(desk, token, row) | opinions(desk, token)
            assert {c: int(found[c]) for c in wanted} == wanted
