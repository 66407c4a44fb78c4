"""What happens to orders, told as small tables: rows of prices, orders, expected answers."""

import pytest
from sim_transcript import SETTINGS, Table, columns, market

from polyframe.domain.events import MarketClosed, MarketResolved
from polyframe.domain.market import Resolution, ResolutionKind
from polyframe.domain.orders import ApprovedOrder, Seal
from polyframe.domain.units import SECOND
from polyframe.errors import DataError, InvariantError
from polyframe.exchanges.sim.broker import SimBroker
from polyframe.exchanges.sim.exchange import SimExchange
from polyframe.exchanges.sim.settings import SimSettings

GONE = "already canceled or matched"

ROWS = """
 0 0.48 0.52
10 0.50 0.54
20 0.46 0.50
30 0.40 0.44
"""


@pytest.mark.parametrize(
    ("order", "answers"),
    [
        # Arrives at 1, executes on the row at 10, never on the one at 0.
        ("A buy yes 50 @0.60 FAK", ["2 A accepted", "11 A filled 50 @0.54 fee 0.4968"]),
        ("A sell yes 50 @0.40 FAK", ["2 A accepted", "11 A filled 50 @0.5 fee 0.5"]),
        # NO is the complement: bought at 1 - bid, sold at 1 - ask.
        ("A buy no 50 @0.60 FAK", ["2 A accepted", "11 A filled 50 @0.5 fee 0.5"]),
        ("A sell no 50 @0.40 FAK", ["2 A accepted", "11 A filled 50 @0.46 fee 0.4968"]),
        # 100 shares at 0.54, 50 at 0.55: 0.5433.. rounded up for a buyer ...
        ("A buy yes 150 @0.60 FAK", ["2 A accepted", "11 A filled 150 @0.5434 fee 1.4887"]),
        # ... and 0.4966.. rounded down for a seller.
        ("A sell yes 150 @0.40 FAK", ["2 A accepted", "11 A filled 150 @0.4966 fee 1.49993"]),
        # The limit ends the walk, or the end of what there is.
        (
            "A buy yes 150 @0.54 FAK",
            ["2 A accepted", "11 A filled 100 @0.54 fee 0.9936", "11 A cancelled: killed: limit"],
        ),
        (
            "A buy yes 500 @0.60 FAK",
            ["2 A accepted", "11 A filled 200 @0.545 fee 1.9838", "11 A cancelled: killed: depth"],
        ),
        ("A buy yes 50 @0.53 FAK", ["2 A accepted", "11 A cancelled: killed: limit"]),
        # All or nothing.
        ("A buy yes 150 @0.55 FOK", ["2 A accepted", "11 A filled 150 @0.5434 fee 1.4887"]),
        (
            "A buy yes 150 @0.54 FOK",
            [
                "2 A accepted",
                "11 A cancelled: order couldn't be fully filled. "
                "FOK orders are fully filled or killed.",
            ],
        ),
        # Less than a lot (0.01 shares) cannot be filled.
        (
            "A buy yes 50.005 @0.60 FAK",
            [
                "2 A accepted",
                "11 A filled 50 @0.54 fee 0.4968",
                "11 A cancelled: killed: less than one lot",
            ],
        ),
    ],
)
def test_taking(order, answers):
    assert Table(ROWS).send(0, order).transcript() == answers


@pytest.mark.parametrize(
    ("order", "answers"),
    [
        # The ask touches 0.50 at 20 and passes below it at 30.
        ("A buy yes 50 @0.50 GTC", ["2 A accepted", "31 A filled 50 @0.5 maker"]),
        ("A buy no 50 @0.47 GTC", ["2 A accepted"]),
        ("A sell no 50 @0.55 GTC", ["2 A accepted", "31 A filled 50 @0.55 maker"]),
        ("A sell yes 50 @0.49 GTC post", ["2 A accepted", "11 A filled 50 @0.49 maker"]),
        # At most the depth of a row, more on the next one.
        (
            "A buy yes 300 @0.51 GTC",
            ["2 A accepted", "21 A filled 200 @0.51 maker", "31 A filled 100 @0.51 maker"],
        ),
        # Met a crossed book at arrival: a taker on the next row if that still crosses ...
        (
            "A buy yes 150 @0.54 GTC",
            ["2 A accepted", "11 A filled 100 @0.54 fee 0.9936", "21 A filled 50 @0.54 maker"],
        ),
        # ... otherwise it rests.
        ("A buy yes 50 @0.53 GTC", ["2 A accepted", "21 A filled 50 @0.53 maker"]),
        (
            "A buy yes 50 @0.53 GTC post",
            ["2 A rejected: invalid post-only order: order crosses book"],
        ),
        # Its time runs out before the row at 20.
        ("A buy yes 50 @0.51 GTD until=15", ["2 A accepted", "16 A expired"]),
        ("A buy yes 50 @0.51 GTD until=25", ["2 A accepted", "21 A filled 50 @0.51 maker"]),
        # At the very moment of expiry nothing fills any more.
        ("A buy yes 50 @0.51 GTD until=20", ["2 A accepted", "21 A expired"]),
    ],
)
def test_resting(order, answers):
    transcript = Table(ROWS).send(0, order).transcript()
    assert transcript == answers


@pytest.mark.parametrize(
    ("order", "reason"),
    [
        (
            "A buy yes 50 @0.525 FAK",
            "order A is invalid. Price (0.525) breaks minimum tick size rule: 0.01",
        ),
        ("A buy yes 50 @1 FAK", "order A is invalid. Price (1) must lie between 0.01 and 0.99"),
        ("A buy yes 50 @0 FAK", "order A is invalid. Price (0) must lie between 0.01 and 0.99"),
        ("A buy yes 4.99 @0.6 FAK", "order A is invalid. Size (4.99) lower than the minimum: 5"),
        ("A sell yes 4.99 @0.6 GTC", "order A is invalid. Size (4.99) lower than the minimum: 5"),
        (
            "A buy yes 10 @0.09 FAK",
            "invalid amount for a marketable BUY order ($0.9), min size: $1",
        ),
        ("A buy maybe 50 @0.6 FAK", "order book does not exist for token M-maybe"),
        ("A buy yes 50 @0.6 FAK in=X", "market not found"),
        ("A buy yes 50 @0.6 GTD", "invalid expiration"),
        ("A buy yes 50 @0.6 GTD until=1", "invalid expiration"),
        (
            "A buy yes 50 @0.6 FAK post",
            "invalid post-only order: only GTC and GTD orders can be post-only",
        ),
    ],
)
def test_refusals_in_the_venues_words(order, reason):
    table = Table(ROWS).send(0, order)
    assert table.transcript() == [f"2 A rejected: {reason}"]
    assert (table.broker.stats.rejected, table.broker.stats.fills) == (1, 0)


def test_a_small_rest_can_always_be_sold_at_the_market():
    assert Table(ROWS).send(0, "A sell yes 0.5 @0.40 FAK").transcript() == [
        "2 A accepted",
        "11 A filled 0.5 @0.5 fee 0.005",
    ]


def test_nothing_trades_on_unquoted_rows():
    rows = """
     0 0.48 0.52
    10 0.48 0.52 flat
    20 0.30 0.34 flat
    30 0.44 0.48
    """
    table = Table(rows)
    table.send(0, "A buy yes 50 @0.60 FAK")
    table.send(0, "B buy yes 50 @0.60 FOK")
    table.send(0, "C buy yes 50 @0.50 GTC")
    assert table.transcript() == [
        "2 A accepted",
        "2 B accepted",
        "2 C accepted",
        "11 A cancelled: no quote",
        "11 B cancelled: no quote",
        "31 C filled 50 @0.5 maker",
    ]
    assert table.broker.stats.refused_unquoted == 2


def test_rows_near_unquoted_ones_trade_unless_forbidden():
    rows = "0 0.48 0.52\n10 0.48 0.52 near"
    allowed = Table(rows).send(0, "A buy yes 50 @0.60 FAK")
    assert allowed.transcript()[-1] == "11 A filled 50 @0.52 fee 0.4992"
    assert allowed.broker.fill_notes["A-1"].flag == 32
    forbidden = Table(rows, allow_near=False).send(0, "A buy yes 50 @0.60 FAK")
    assert forbidden.transcript()[-1] == "11 A cancelled: no quote"


def test_an_order_does_not_wait_for_a_row_too_far_away():
    table = Table("0 0.48 0.52\n5000 0.48 0.52", max_age_ms=60_000)
    table.send(0, "A buy yes 50 @0.60 FAK")
    assert table.transcript() == [
        "2 A accepted",
        "62 A cancelled: no quote: no recorded price within reach",
    ]
    assert table.broker.stats.refused_stale == 1


def test_the_standing_row_serves_only_when_asked_for_and_while_young():
    table = Table(ROWS, fill_at="last", max_age_ms=6_000)
    table.send(0, "A buy yes 50 @0.60 FAK")  # arrives at 1, the row at 0 stands
    table.send(17, "B buy yes 50 @0.60 FAK")  # arrives at 18, the row at 10 is too old
    table.send(40, "C buy yes 50 @0.60 FAK")
    table.send(30, "D sell yes 50 @0.30 FAK")
    assert table.transcript() == [
        "2 A accepted",
        "2 A filled 50 @0.52 fee 0.4992",
        "19 B accepted",
        "19 B cancelled: no quote: no recorded price within reach",
        "32 D accepted",
        "32 D filled 50 @0.4 fee 0.48",
        "42 C accepted",
        "42 C cancelled: no quote: no recorded price within reach",
    ]


def test_orders_on_one_row_share_its_depth_and_the_next_row_is_whole():
    table = Table(ROWS)
    for name in "ABC":
        table.send(0, f"{name} buy yes 100 @0.60 FAK")
    table.send(0, "D sell yes 100 @0.40 FAK")
    table.send(12, "E buy yes 100 @0.60 FAK")
    assert [line for line in table.transcript() if "accepted" not in line] == [
        "11 A filled 100 @0.54 fee 0.9936",
        "11 B filled 100 @0.55 fee 0.99",
        "11 C cancelled: killed: depth",
        "11 D filled 100 @0.5 fee 1",
        "21 E filled 100 @0.5 fee 1",
    ]


def test_buying_no_eats_the_same_bids_as_selling_yes():
    table = Table(ROWS).send(0, "A sell yes 100 @0.40 FAK").send(0, "B buy no 100 @0.60 FAK")
    assert table.transcript()[2:] == [
        "11 A filled 100 @0.5 fee 1",
        "11 B filled 100 @0.51 fee 0.9996",
    ]


@pytest.mark.parametrize(
    ("sent", "cancelled", "answers"),
    [
        # The cancel arrives two seconds later: before the row at 10 ...
        (0, 7, ["2 A accepted", "10 A cancelled: cancelled"]),
        # ... at the same moment, when the fill is first ...
        (0, 8, ["2 A accepted", "11 A filled 50 @0.54 fee 0.4968", f"11 A stays: {GONE}"]),
        # ... after it; and before the order itself.
        (0, 9, ["2 A accepted", "11 A filled 50 @0.54 fee 0.4968", f"12 A stays: {GONE}"]),
        (
            5,
            3,
            [
                "6 A stays: Order not found or already canceled",
                "7 A accepted",
                "11 A filled 50 @0.54 fee 0.4968",
            ],
        ),
    ],
)
def test_a_cancel_races_a_fill_in_the_venues_time(sent, cancelled, answers):
    table = Table(ROWS).send(sent, "A buy yes 50 @0.60 FAK").cancel(cancelled, "A")
    assert table.transcript() == answers


def test_what_filled_before_a_cancel_stays_filled():
    table = Table(ROWS).send(0, "A buy yes 300 @0.51 GTC").cancel(25, "A")
    assert table.transcript() == [
        "2 A accepted",
        "21 A filled 200 @0.51 maker",
        "28 A cancelled: cancelled",
    ]


def test_the_end_of_trading():
    table = Table(ROWS, markets=[market(closes=20)])
    table.send(0, "A buy yes 50 @0.51 GTC")  # the row at 20 comes too late
    table.send(5, "B buy yes 50 @0.60 FAK")
    table.send(9, "C buy yes 50 @0.60 FAK")  # at 10, together with the row
    table.send(12, "D buy yes 50 @0.60 FAK")  # no row between 13 and 20
    table.send(19, "E buy yes 50 @0.60 FAK")
    assert table.transcript() == [
        "2 A accepted",
        "7 B accepted",
        "11 B filled 50 @0.54 fee 0.4968",
        "11 C accepted",
        "11 C filled 50 @0.54 fee 0.4968",
        "14 D rejected: market closed: no recorded price after the order's arrival",
        "21 A cancelled: market closed",
        "21 E rejected: market closed: it does not accept orders",
    ]


def test_rows_after_the_outcome_was_known_never_trade():
    markets = [market(closes=25)]
    known = {"M": Resolution.winner(markets[0], 0, 15 * SECOND)}
    table = Table(ROWS, markets=markets, resolutions=known).send(10, "A buy yes 50 @0.60 FAK")
    assert table.transcript() == [
        "12 A rejected: market closed: no recorded price after the order's arrival"
    ]
    assert table.broker.market_events() == [
        MarketClosed(15 * SECOND, "M"),
        MarketResolved(15 * SECOND, known["M"]),
    ]


def test_market_events_in_time_order_and_none_without_a_date():
    markets = [market("M", closes=30), market("N"), market("O", closes=10)]
    found = {
        "M": Resolution.winner(markets[0], 1, 50 * SECOND),
        "O": Resolution.split(markets[2], 40 * SECOND),
        "elsewhere": Resolution("elsewhere", (0,), ResolutionKind.WINNER, 1),
    }
    broker = Table(ROWS, markets=markets, resolutions=found).broker
    assert broker.market_events() == [
        MarketClosed(10 * SECOND, "O"),
        MarketClosed(30 * SECOND, "M"),
        MarketResolved(40 * SECOND, found["O"]),
        MarketResolved(50 * SECOND, found["M"]),
    ]


@pytest.mark.parametrize(
    ("kind", "yes", "no"), [("winner", "1", "0"), ("split", "0.5", "0.5"), ("void", "0.5", "0.5")]
)
def test_redemption_at_the_knowable_moment_and_not_before(kind, yes, no):
    only = market(closes=30)
    at = 60 * SECOND
    resolution = (
        Resolution.winner(only, 0, at)
        if kind == "winner"
        else Resolution.split(only, at, ResolutionKind(kind))
    )
    table = Table(ROWS, markets=[only], resolutions={"M": resolution})
    table.broker.redeem("L", "M", "M-yes", 7_000_000, at - 1)
    table.broker.redeem("L", "M", "M-yes", 7_000_000, at)
    table.broker.redeem("L", "M", "M-no", 3_000_000, at)
    assert table.transcript() == [
        "60.999999999 redeem failed: the market is not resolved",
        f"65 M-yes redeemed 7 at {yes}",
        f"65 M-no redeemed 3 at {no}",
    ]
    paid = {"winner": 7_000_000, "split": 5_000_000, "void": 5_000_000}[kind]
    assert table.broker.stats.till == -paid


def test_operations_that_cannot_be():
    only = market(closes=30)
    table = Table(ROWS, markets=[only], resolutions={"M": Resolution.winner(only, 0, 40 * SECOND)})
    broker, late = table.broker, 50 * SECOND
    broker.split("L", "M", 5_000_000, 0)
    broker.merge("L", "M", 2_000_000, SECOND)
    broker.split("L", "M", 0, 2 * SECOND)
    broker.merge("L", "X", 1, 3 * SECOND)
    broker.redeem("L", "M", "X-yes", 1, late)
    broker.redeem("L", "X", "X-yes", 1, late)
    assert table.transcript() == [
        "3 split failed: size 0 is not positive",
        "4 merge failed: market not found",
        "5 M split 5",
        "6 M merged 2",
        "51 redeem failed: the market has no token X-yes",
        "51 redeem failed: market not found",
    ]
    assert broker.stats.till == 3_000_000


def test_an_order_without_this_sessions_seal_is_refused():
    table = Table(ROWS)
    order = table.order("A buy yes 50 @0.60 FAK", 0)
    with pytest.raises(InvariantError, match="seal"):
        table.broker.submit(ApprovedOrder(order, 0, Seal()), 0)
    with pytest.raises(InvariantError, match="seal"):
        table.broker.submit(order, 0)
    assert table.broker.due() is None


def test_an_id_is_used_once():
    table = Table(ROWS).send(0, "A buy yes 50 @0.60 FAK")
    with pytest.raises(InvariantError, match="sent twice"):
        table.send(0, "A buy yes 50 @0.60 FAK")


def test_the_price_of_a_fill_is_explained_against_the_mid():
    table = Table(ROWS).send(0, "A buy yes 150 @0.60 FAK").send(0, "B buy no 150 @0.60 FAK")
    table.events()
    yes, no = table.broker.fill_notes["A-1"], table.broker.fill_notes["B-1"]
    # Mid 0.52, best ask 0.54, average 0.5434; for NO mid 0.48, best 0.50, average 0.5034.
    assert (yes.mid, yes.half_spread, yes.impact) == (5_200, 200, 34)
    assert (no.mid, no.half_spread, no.impact) == (4_800, 200, 34)
    assert table.broker.stats.spread_paid == 2 * 150 * 23_400
    assert table.broker.stats.fees == 1_488_700 + 1_499_930


@pytest.mark.parametrize(
    ("markets", "resolution", "message"),
    [
        ([market(fee=None)], None, "has no fee schedule"),
        ([market()], Resolution("M", (1, 2, 3), ResolutionKind.WINNER, 1), "pays 3 tokens"),
        ([], None, "name market 0 to 0"),
    ],
)
def test_what_the_broker_cannot_work_with(markets, resolution, message):
    found = {"M": resolution} if resolution else {}
    with pytest.raises(DataError, match=message):
        SimBroker(Seal(), markets, columns(ROWS), found, SimSettings(**SETTINGS))


@pytest.mark.parametrize(
    ("order", "rows", "answers"),
    [
        # Without the delay it executes at 10; one row later at 20, two rows later at 30.
        ("A buy yes 50 @0.60 FAK", 0, ["2 A accepted", "11 A filled 50 @0.54 fee 0.4968"]),
        (
            "A buy yes 50 @0.60 FAK",
            1,
            ["11.000000001 A accepted", "21 A filled 50 @0.5 fee 0.5"],
        ),
        (
            "A buy yes 50 @0.60 FAK",
            2,
            ["21.000000001 A accepted", "31 A filled 50 @0.44 fee 0.4928"],
        ),
        # What would have rested and filled at 20 meets the row at 20 as its first.
        ("A buy yes 50 @0.47 GTC", 1, ["11.000000001 A accepted", "31 A filled 50 @0.47 maker"]),
        # No row is left for it.
        (
            "A buy yes 50 @0.60 FAK",
            4,
            ["31.000000001 A rejected: market closed: no recorded price after the order's arrival"],
        ),
    ],
)
def test_orders_can_be_held_back_by_rows(order, rows, answers):
    assert Table(ROWS, delay_rows=rows).send(0, order).transcript() == answers


def test_a_cancel_does_not_overtake_an_order_that_is_held_back():
    table = Table(ROWS, delay_rows=1).send(0, "A buy yes 50 @0.40 GTC").cancel(3, "A")
    assert table.transcript() == ["11.000000001 A accepted", "11.000000001 A cancelled: cancelled"]


def test_the_fee_can_be_stressed_alone():
    exchanges = [SimExchange(SimExchange.Config(fee_multiplier=m)) for m in (1, 1.5)]
    rates = [e.rules(market(fee=40_000)).fee.rate for e in exchanges]
    assert rates == [40_000, 60_000]
