"""What quoting earned and cost, every figure computed by hand."""

from __future__ import annotations

from dataclasses import replace

import numpy as np
import pytest
from lab_records import CASH, bare_record

from polyframe.domain.events import RewardPaid
from polyframe.domain.market import Market, Token
from polyframe.domain.orders import Side
from polyframe.domain.portfolio import Fill
from polyframe.domain.units import SECOND
from polyframe.lab.fills_seen import Seen
from polyframe.lab.making import making_of
from polyframe.lab.making_form import Making
from polyframe.lab.quoted import best_own, inventory_of, uptime
from polyframe.lab.record import BookRun, FillRecord, LeftOpen, RunRecord
from polyframe.lab.trips import fold
from polyframe.lab.watch import alarms_of
from polyframe.runtime import own_orders as oo
from polyframe.runtime.own_orders import OwnOrders
from polyframe.runtime.tape_mids import Mids

SHARE = 1_000_000
MARKET = Market("m", "Rain?", (Token("y", "Yes"), Token("n", "No")), tick=100)
LAST = 2_000 * SECOND


def mids() -> Mids:
    """0.50 at first, 0.51 from 15 s, 0.40 from 100 s on."""
    ts = np.array([0, 15, 100], np.int64) * SECOND
    return Mids([ts], [np.array([10_000, 10_200, 8_000], np.int64)], 0, LAST)


def fill(n: int, token: str, price: int, seconds: int, *, fee: int = 0, maker: bool = True,
         size: int = 10, side: Side = Side.BUY, mid: int | None = 5_000) -> FillRecord:  # fmt: skip
    made = Fill(
        trade=f"o{n}-1", order=f"o{n}", ledger="Q", market="m", token=token, side=side,
        price=price, size=size * SHARE, fee=fee, ts=seconds * SECOND, maker=maker,
    )  # fmt: skip
    return FillRecord(made, 0, mid)


def orders(*rows: tuple[int, ...]) -> OwnOrders:
    """Rows (side, price, shares, filled, sent, accepted, ended, end), times in seconds."""
    table = np.array(rows, np.int64).reshape(-1, 8)
    side, price, size, filled, sent, accepted, ended, end = table.T
    return OwnOrders(
        np.zeros(len(table), np.int64), side, price, size * SHARE, filled * SHARE, sent * SECOND,
        accepted * SECOND, ended * SECOND, end,
    )  # fmt: skip


OWN = orders(
    (1, 4_800, 10, 10, 0, 1, 11, oo.FILLED),
    (-1, 5_300, 10, 10, 0, 1, 21, oo.FILLED),
    (1, 4_500, 10, 0, 29, 30, 90, oo.CANCELLED),
    (1, 4_500, 10, 0, 95, 0, 96, oo.REJECTED),
)


def run(**changes) -> RunRecord:
    """Buys YES at 0.48 and NO at 0.47 (which sells YES at 0.53) and keeps both."""
    fills = [fill(1, "y", 4_800, 10), fill(2, "n", 4_700, 20, fee=10_000)]
    left = [
        LeftOpen("Q", "y", 10 * SHARE, 4_800_000, 3_900_000),
        LeftOpen("Q", "n", 10 * SHARE, 4_700_000, 5_900_000),
    ]
    end = CASH - 4_800_000 - 4_710_000 + 3_900_000 + 5_900_000
    fields = {
        "fills": fills, "left_open": left, "book": BookRun(OWN, mids()),
        "equity_ts": np.array([0, LAST]), "equity": np.array([CASH, end]),
    }  # fmt: skip
    return bare_record([MARKET], **{**fields, **changes})


def made(record: RunRecord) -> Making:
    pnl = int(record.equity[-1]) - record.start_cash
    found = making_of(fold(record), pnl)
    assert found is not None
    return found


def seen_of(record: RunRecord) -> Seen:
    assert record.book is not None
    return Seen(fold(record).columns, record.book.mids)


def test_a_run_over_prices_has_none_of_it() -> None:
    assert making_of(fold(run(book=None)), 0) is None


def test_orders() -> None:
    found = made(run()).orders
    assert (found.sent, found.accepted, found.rejected, found.filled) == (4, 3, 1, 2)
    assert (found.cancelled, found.expired, found.standing) == (1, 0, 0)
    assert found.fill_ratio == pytest.approx(2 / 3)
    assert found.size_ratio == pytest.approx(20 / 30)
    assert found.cancel_ratio == pytest.approx(1 / 3)
    assert found.cancels_per_fill == 0.5
    assert found.rested == 20.0  # of 10, 20 and 60 s
    # A bid stood from 1 to 11 and from 30 to 90 s, an offer from 1 to 21 s; of the 100 s from the
    # first mid to its last change.
    assert found.both_sides == pytest.approx(0.10)
    assert found.one_side == pytest.approx(0.10 + 0.60)


def test_where_the_result_came_from() -> None:
    found = made(run()).earned
    # Bought 0.02 below the mid of 0.50, sold 0.02 above the mid of 0.51, ten shares each.
    assert found.spread == "0.4"
    assert found.fees == "0.01"
    assert found.total == "0.29"
    assert found.moves == "-0.1"
    assert (found.rebates, found.rewards) == ("0", "0")
    assert found.traded == "10.1"  # 0.48 and 0.53
    assert (found.maker, found.unpriced) == (1.0, 0)


def test_rewards_and_rebates_are_what_the_venue_paid() -> None:
    paid = [
        RewardPaid(1, "Q", "m", 70_000, "liquidity reward"),
        RewardPaid(2, "Q", "m", 30_000, "maker rebate"),
    ]
    record = run(rewards=paid)
    found = making_of(fold(record), 390_000)
    assert found is not None
    assert (found.earned.rewards, found.earned.rebates) == ("0.07", "0.03")
    assert found.earned.moves == "-0.1"
    parts = [found.earned.spread, found.earned.moves, found.earned.rebates, found.earned.rewards]
    assert sum(map(float, parts)) - float(found.earned.fees) == pytest.approx(0.39)


def test_markouts() -> None:
    rows = {row.seconds: row for row in made(run()).markouts}
    assert list(rows) == [10, 60, 300, 1_800]
    # Ten and sixty seconds later the mid is 0.51: +3 ticks for 0.48, +2 for 0.53.
    for seconds in (10, 60):
        assert rows[seconds].markout == pytest.approx(2.5)
        assert rows[seconds].edge == pytest.approx(2.0)
        assert rows[seconds].moved == pytest.approx(0.5)
        assert rows[seconds].money == "0.5"
    # Then it is 0.40: -8 and +13.
    for seconds in (300, 1_800):
        assert rows[seconds].markout == pytest.approx(2.5)
        assert rows[seconds].money == "0.5"
    assert all(row.fills == 2 and row.low is None for row in rows.values())


def test_markouts_weigh_by_size() -> None:
    fills = [fill(1, "y", 4_800, 10), fill(2, "n", 4_700, 20, size=30)]
    left = [
        LeftOpen("Q", "y", 10 * SHARE, 4_800_000, 0),
        LeftOpen("Q", "n", 30 * SHARE, 14_100_000, 0),
    ]
    end = CASH - 4_800_000 - 14_100_000
    row = made(run(fills=fills, left_open=left, equity=np.array([CASH, end]))).markouts[0]
    assert row.markout == pytest.approx((3 * 10 + 2 * 30) / 40)
    assert row.money == "0.9"


def test_the_drift_is_of_any_moment_for_the_sides_traded() -> None:
    """Only bought: what the mid does in 300 s from anywhere, 0.50 to 0.40 on the whole."""
    record = run(
        fills=[fill(1, "y", 4_800, 10)],
        left_open=[LeftOpen("Q", "y", 10 * SHARE, 4_800_000, 0)],
        equity=np.array([CASH, CASH - 4_800_000]),
    )
    row = made(record).markouts[2]
    # From 0 to 1,700 s: the first 15 s lose 10 ticks, the next 85 s lose 11.
    expected = -(15 * 10 + 85 * 11) / 1_700
    assert row.drift == pytest.approx(expected, rel=0.02)
    assert row.moved == pytest.approx(-10.0)


def test_a_fill_without_a_mid_counts_in_the_moves() -> None:
    late = Mids([np.array([15 * SECOND])], [np.array([10_200])], 0, LAST)
    found = made(run(book=BookRun(OWN, late)))
    assert found.earned.spread == "0.2"  # the second fill alone
    assert found.earned.unpriced == 1
    assert found.markouts[0].fills == 1
    # While nothing is known then, there is no markout.
    gone = Mids(
        [np.array([0, 15]) * SECOND], [np.array([10_000, 0])], 0, LAST,
    )  # fmt: skip
    rows = made(run(book=BookRun(OWN, gone))).markouts
    assert [row.fills for row in rows] == [0] * 4
    assert rows[0].markout is None


def test_by_market_and_inventory() -> None:
    record = run()
    (row,) = made(record).markets
    assert (row.market, row.accepted, row.fills) == ("m", 3, 2)
    assert (row.longest, row.shortest, row.last) == ("10", "0", "0")
    assert (row.spread, row.fees, row.pnl) == ("0.4", "0.01", "0.29")
    held = inventory_of(record, seen_of(record), 0)
    at = np.array([0, 10, 15, 20, 30], np.int64) * SECOND
    assert (held.at(at) // SHARE).tolist() == [0, 10, 10, 0, 0]


def test_a_settlement_ends_the_inventory() -> None:
    from polyframe.domain.effects import PositionSettled

    record = run(
        fills=[fill(1, "y", 4_800, 10)], left_open=[],
        settlements=[PositionSettled(50 * SECOND, "Q", "m", "y", 10 * SHARE, 1_000_000,
                                     10_000_000, 5_200_000)],
        equity=np.array([CASH, CASH + 5_200_000]),
    )  # fmt: skip
    held = inventory_of(record, seen_of(record), 0)
    at = np.array([20, 49, 50, 60], np.int64) * SECOND
    assert (held.at(at) // SHARE).tolist() == [10, 10, 0, 0]
    assert held.extremes == (10 * SHARE, 0, 0)


def test_the_best_own_quote_of_each_moment() -> None:
    grid = np.array([0, 1, 10, 11, 29, 30, 89, 90], np.int64) * SECOND
    assert best_own(OWN, 0, 1, grid, LAST).tolist() == [0, 4_800, 4_800, 0, 0, 4_500, 4_500, 0]
    assert best_own(OWN, 0, -1, grid, LAST).tolist() == [0, *[5_300] * 3, *[0] * 4]
    two = orders((1, 4_000, 1, 0, 0, 0, 0, 0), (1, 4_600, 1, 0, 0, 5, 9, oo.CANCELLED),
                 (1, 4_400, 1, 0, 0, 5, 0, oo.STANDS))  # fmt: skip
    assert best_own(two, 0, 1, grid, LAST).tolist() == [0, 0, *[4_400] * 6]
    assert best_own(two, 0, 1, np.array([5, 8]) * SECOND, LAST).tolist() == [4_600, 4_600]
    assert uptime(two, 0, 0, 10 * SECOND) == (0.0, 0.5)
    assert uptime(orders(), 0, 0, LAST) == (0.0, 0.0)


def test_pictures_hold_mid_quotes_inventory_and_fills() -> None:
    (picture,) = made(run()).quoted
    points = {ts / SECOND: rest for ts, *rest in picture.points}
    assert picture.market == "m"
    assert (min(points), max(points)) == (0, 100)

    def near_to(seconds: float) -> list[float]:
        return points[min(points, key=lambda ts: abs(ts - seconds))]

    assert near_to(0) == [0.5, 0.0, 0.0, 0.0]
    assert near_to(5) == [0.5, 0.48, 0.53, 0.0]
    assert near_to(16) == [0.51, 0.0, 0.53, 10.0]
    assert near_to(100) == [0.4, 0.0, 0.0, 0.0]
    assert picture.fills == [(10 * SECOND, 0.48, 1, 10.0), (20 * SECOND, 0.53, -1, 10.0)]
    (near,) = made(run()).closer
    # A minute at the least, from the first fill on.
    assert (near.points[0][0], near.points[-1][0]) == (10 * SECOND, 70 * SECOND)


# ---- alarms --------------------------------------------------------------------------------------


def raised(record: RunRecord) -> dict[str, bool]:
    return {row.name: row.raised for row in made(record).alarms}


def test_nothing_to_alarm_about() -> None:
    assert raised(run()) == {
        "fill rate": False, "cancel ratio": False, "one-sided loss": False, "slippage": False,
    }  # fmt: skip


def many(filled: int, cancelled: int) -> OwnOrders:
    done = [(1, 4_800, 1, 1, 0, 1, 2, oo.FILLED)] * filled
    return orders(*done, *[(1, 4_800, 1, 0, 0, 1, 2, oo.CANCELLED)] * cancelled)


@pytest.mark.parametrize(
    ("filled", "cancelled", "rate", "ratio"),
    [(1, 18, False, False), (1, 19, False, False), (1, 20, True, False), (1, 50, True, False),
     (1, 51, True, True), (2, 100, True, False), (2, 101, True, True), (0, 50, True, False),
     (0, 51, True, True), (5, 95, False, False)],
)  # fmt: skip
def test_fill_rate_and_cancels(filled, cancelled, rate, ratio) -> None:
    found = raised(run(book=BookRun(many(filled, cancelled), mids())))
    assert (found["fill rate"], found["cancel ratio"]) == (rate, ratio)


def test_a_side_that_loses_more_than_the_other_earns() -> None:
    """Bids at 0.48 lose 8 ticks in five minutes; the offers earn 13: of 20 and of 5 shares."""
    bids = [fill(1, "y", 4_800, 10, size=20), fill(2, "n", 4_700, 20, size=5)]
    left = [
        LeftOpen("Q", "y", 20 * SHARE, 9_600_000, 0), LeftOpen("Q", "n", 5 * SHARE, 2_350_000, 0)
    ]  # fmt: skip
    record = run(fills=bids, left_open=left, equity=np.array([CASH, CASH - 11_950_000]))
    assert raised(record)["one-sided loss"]
    (told,) = [row for row in made(record).alarms if row.name == "one-sided loss"]
    assert told.found == "bids -1.60, offers +0.65"


@pytest.mark.parametrize(("price", "alarm"), [(5_300, False), (5_400, True)])
def test_slippage_is_of_takers_against_the_mid_when_decided(price, alarm) -> None:
    took = [fill(1, "y", price, 10, maker=False, mid=5_000)]
    left = [LeftOpen("Q", "y", 10 * SHARE, price * 1_000, 0)]
    record = run(fills=took, left_open=left, equity=np.array([CASH, CASH - price * 1_000]))
    assert raised(record)["slippage"] is alarm
    rested = [replaced_maker(took[0])]
    assert not raised(replace(record, fills=rested))["slippage"]


def replaced_maker(row: FillRecord) -> FillRecord:
    import msgspec

    return row._replace(fill=msgspec.structs.replace(row.fill, maker=True))


def test_alarms_say_what_was_found_and_the_limit() -> None:
    record = run(book=BookRun(many(1, 60), mids()))
    found = {row.name: row for row in alarms_of(made(record).orders, seen_of(record))}
    assert found["cancel ratio"].found == "60.0 : 1"
    assert found["fill rate"].found == "1.6%"
    assert "5%" in found["fill rate"].limit
