"""Writes the golden files: one journal and one tape with fixed values of every kind.

The files are written once for a release and then kept for ever: they prove that what was recorded
earlier can still be read. Types that come later go into a further file with steps of its own.
``python tests/golden/make.py DIRECTORY`` writes them elsewhere, to look at.
"""

from __future__ import annotations

import sys
from pathlib import Path

import numpy as np

from polyframe.domain.book import Book, BookShape, Level, Quote
from polyframe.domain.effects import (
    Effect,
    FillBooked,
    ForecastAwaited,
    MergePositions,
    OrderChanged,
    OrderReviewed,
    ParentApproved,
    PositionSettled,
    RedeemPosition,
    RequestCancel,
    RequestForecast,
    SetTimer,
    SplitPosition,
    StateSaved,
    StrategyDisabled,
    SubmitOrder,
    TradingHalted,
    TradingResumed,
    WishRefused,
)
from polyframe.domain.events import (
    BalanceReported,
    BarClosed,
    BarSignalled,
    BookReset,
    BookUpdated,
    CancelRejected,
    CashMoved,
    Command,
    CommandKind,
    CommandReceived,
    Event,
    FeedLost,
    FeedRestored,
    FeesChanged,
    FillConfirmed,
    FillFailed,
    ForecastFailed,
    ForecastMade,
    GroupListed,
    MarketClosed,
    MarketDisputed,
    MarketListed,
    MarketResolved,
    OperationFailed,
    OrderAccepted,
    OrderCancelled,
    OrderDelayed,
    OrderExpired,
    OrderFilled,
    OrderRejected,
    OrderTimedOut,
    PositionConverted,
    PositionMerged,
    PositionRedeemed,
    PositionSplit,
    ResolutionProposed,
    RewardPaid,
    SessionEnded,
    SessionStarted,
    StatsReported,
    TickSizeChanged,
    TimerFired,
    TradePrinted,
    WakeReason,
    WalletTraded,
    Woken,
)
from polyframe.domain.forecast import Forecast
from polyframe.domain.market import (
    FeeSchedule,
    Group,
    GroupKind,
    Market,
    Resolution,
    ResolutionKind,
    Token,
)
from polyframe.domain.orders import Kind, Order, OrderState, Side, TimeInForce
from polyframe.domain.portfolio import Fill
from polyframe.domain.verdict import Ruling, Verdict
from polyframe.domain.wishes import Intent
from polyframe.store.journal import JournalWriter
from polyframe.store.records import Header, RecordLevel
from polyframe.store.tape import TapeFlag, TapeKind
from polyframe.store.tape_writer import TapeWriter

T = 1_750_000_000_000_000_000
YES = "71321045679252212594626385532706912750332728571942532289631379312455583992563"
NO = "52114319501245915516055106046884209969926127482827954674443846427813813222426"

HEADER = Header(
    polyframe="0.1.0",
    api=1,
    code="aa" * 32,
    plugins="bb" * 32,
    session="01JXYZ0000000000000000ABCD",
    seed=20_250_615,
    config="cc" * 32,
    universe="dd" * 32,
    level=RecordLevel.ALL,
    created=T,
)
MARKET = Market(
    id="m1",
    question="Will it rain in Zürich?",
    tokens=(Token(YES, "Yes"), Token(NO, "No")),
    group="g1",
    category="weather",
    tags=("rain", "daily"),
    venue="elsewhere",
    slug="rain-zurich",
    condition_id="0x" + "ab" * 32,
    strike=12.5,
    tick=100,
    lot=1_000,
    min_size=500_000,
    price_decimals=5,
    size_decimals=5,
    max_price=100_000,
    max_size=10**12,
    fee=FeeSchedule(rate=40_000, exponent=1, rebate=250_000, maker=7),
    opened=T - 10**15,
    closes=T + 10**15,
    depth=BookShape(50_000_000, 100, 2),
)
ORDER = Order(
    id="S-1",
    ledger="alpha",
    market="m1",
    token=YES,
    side=Side.BUY,
    price=6_100,
    size=25_000_000,
    tif=TimeInForce.GTD,
    ts=T + 30,
    kind=Kind.QUOTE,
    post_only=True,
    expires=T + 10**12,
    reason="edge 0.05",
    parent="S-0",
    salt=2**53 - 1,
    style="twap",
    edge=0.05,
)
FILL = Fill(
    trade="t-1",
    order="S-1",
    ledger="alpha",
    market="m1",
    token=YES,
    side=Side.SELL,
    price=6_200,
    size=10_000_000,
    fee=94_240,
    ts=T + 40,
    maker=True,
    reason="take profit",
)
FORECAST = Forecast(
    market="m1",
    probability=0.6625,
    as_of=T + 19,
    source="option-implied",
    latency=1_500_000_000,
    model="bl-1",
    cutoff=T - 10**16,
    evidence=("ee" * 32, "ff" * 32),
    evidence_quality=0.75,
    low=0.6,
    high=0.7,
    confidence="high",
    cost=12_345,
    blind=False,
)
INTENT = Intent(
    token=YES,
    side=Side.BUY,
    price=6_100,
    size=30_000_000,
    probability=0.6625,
    edge=0.05,
    kind=Kind.QUOTE,
    tif=TimeInForce.GTD,
    ttl=10**12,
    post_only=True,
    style="twap",
    reason="edge 0.05",
)
COMMAND = Command(
    kind=CommandKind.BUY,
    by="ops",
    ledger="alpha",
    market="m1",
    token=YES,
    price=5_000,
    size=1_000_000,
    probability=0.55,
    reason="by hand",
    flatten=True,
)

EFFECTS: tuple[Effect, ...] = (
    OrderReviewed(
        T + 30,
        "alpha",
        "S-1",
        INTENT,
        30_000_000,
        25_000_000,
        (
            Verdict("MaxStake", Ruling.SHRINK, 25_000_000, "over 15.25", True),
            Verdict("DailyLoss", Ruling.DENY, 0, "lost 20", False),
            Verdict("PriceBand", Ruling.NOT_APPLICABLE, 30_000_000),
        ),
        (("probability", 0.66), ("fraction", 0.25), ("limit", "bankroll")),
        "m1",
        6_100,
        0.0475,
        "S-0",
        (3, 5),
    ),
    SubmitOrder(ORDER, 15_250_000),
    ParentApproved(ORDER, 15_250_000),
    RequestCancel("S-0", "quote moved", parent=True),
    RequestForecast("r-1", "m1", "llm", T + 30, "alpha"),
    ForecastAwaited("alpha", "m1"),
    SetTimer("alpha", "again", T + 10**10),
    SplitPosition("alpha", "m1", 5_000_000),
    MergePositions("alpha", "m1", 4_000_000),
    RedeemPosition("alpha", "m1", YES, 3_000_000),
    OrderChanged(T + 31, "S-1", OrderState.PARTIAL, 10_000_000, "matched"),
    FillBooked(FILL, -123_456),
    PositionSettled(T + 32, "alpha", "m1", YES, 15_000_000, 1_000_000, 15_000_000, 5_850_000),
    TradingHalted(T + 33, "MaxDrawdown", "20 % below peak", "alpha", "m1", T + 10**13),
    TradingResumed(T + 34, "ops", "alpha"),
    WishRefused(T + 35, "alpha", "Intent", "market m9 is unknown", subject="m9"),
    StrategyDisabled(T + 36, "beta", "ValueError in beta.py:12"),
    StateSaved("alpha", b"\x00\x01\xfe\xff", "S-0"),
)

EVENTS: tuple[Event, ...] = (
    SessionStarted(T, "01JXYZ0000000000000000ABCD", resumed=True),
    MarketListed(T + 1, MARKET),
    GroupListed(T + 2, Group("g1", ("m1", "m2"), GroupKind.LADDER)),
    Woken(T + 3, WakeReason.MOVED, YES, 0, 2, ("alice",)),
    BookUpdated(T + 4, Quote(YES, 6_000, 10**7, 6_200, 2 * 10**7, T + 4, False, True), T + 1),
    BookReset(T + 5, Book(YES, (Level(6_000, 10**7),), (Level(6_200, 1),), T + 5, False), T + 2),
    TradePrinted(T + 6, YES, Side.SELL, 6_050, 7_000_000, "0xwallet", "0xtrade", T + 3),
    BarClosed(T + 7, NO, 3_900, 4_100, 3_800, 4_000, 99_000_000, 3_600_000_000_000),
    BarSignalled(
        T + 7,
        "alpha",
        BarClosed(T + 7, YES, 6_000, 6_200, 5_900, 6_100, 5_000_000, 3_600_000_000_000),
        enter=True,
        exit=True,
        wake=True,
        probability=0.7,
        edge=0.05,
        segment=1,
        row=3,
    ),
    WalletTraded(T + 8, "0xwallet", YES, -7_000_000, 6_050, T + 3),
    StatsReported(T + 8, "m1", 2_500_000_000, 700_000_000),
    FeedLost(T + 9, (YES, NO), "disconnected"),
    FeedRestored(T + 10, (YES, NO)),
    ForecastMade(T + 20, "r-1", "llm", FORECAST),
    ForecastFailed(T + 21, "r-2", "m1", "llm", "no record", missing=True),
    OrderAccepted(T + 22, "S-1", "0xvenue"),
    OrderDelayed(T + 23, "S-2", T + 10**10),
    OrderRejected(T + 24, "S-3", "not enough balance"),
    OrderTimedOut(T + 25, "S-4"),
    OrderFilled(T + 26, FILL, final=False),
    FillConfirmed(T + 27, "t-1", "S-1"),
    FillFailed(T + 28, "t-2", "S-1", "reverted"),
    OrderCancelled(T + 29, "S-5", "asked"),
    CancelRejected(T + 30, "S-6", "gone"),
    OrderExpired(T + 31, "S-7"),
    PositionSplit(T + 32, "alpha", "m1", 5_000_000),
    PositionMerged(T + 33, "alpha", "m1", 4_000_000),
    PositionRedeemed(T + 34, "alpha", "m1", YES, 3_000_000, 1_000_000),
    PositionConverted(T + 35, "alpha", "g1", ("m1", "m2"), 2_000_000),
    OperationFailed(T + 36, "alpha", "split", "m1", "allowance"),
    RewardPaid(T + 37, "alpha", "m1", 1_250_000, "liquidity"),
    CashMoved(T + 38, "alpha", -5_000_000, "withdrawal"),
    BalanceReported(T + 39, 95_000_000, ((YES, 15_000_000), (NO, 0))),
    TickSizeChanged(T + 40, "m1", 10),
    FeesChanged(T + 41, "m1", FeeSchedule(30_000, 2, 200_000)),
    MarketClosed(T + 42, "m1"),
    ResolutionProposed(T + 43, "m1", "Yes"),
    MarketDisputed(T + 44, "m1"),
    MarketResolved(T + 45, Resolution("m1", (500_000, 500_000), ResolutionKind.VOID, T + 45)),
    TimerFired(T + 46, "alpha", "again"),
    CommandReceived(T + 47, COMMAND),
    SessionEnded(T + 48, "end of data"),
)

STEPS: tuple[tuple[Event, tuple[Effect, ...]], ...] = tuple(
    (event, EFFECTS if i == 3 else (EFFECTS[i % len(EFFECTS)],) if i % 5 == 1 else ())
    for i, event in enumerate(EVENTS)
)
CHECKPOINT_AFTER = 20
STATE = b"state after step 20"
RESUMED_AFTER = 30
SEALED = (0, "ab" * 32)

NAMES = ("0xwallet", "disconnected")
# ts, kind, instrument, price, size, side, ts_venue, flag, aux
TAPE: tuple[tuple[int, TapeKind, int, int, int, int, int, int, int], ...] = (
    (T, TapeKind.TICK, 0, 100, 0, 0, 0, 0, 0),
    (T, TapeKind.SNAPSHOT_BEGIN, 0, 0, 0, 0, T - 5, TapeFlag.MORE, 2),
    (T, TapeKind.LEVEL, 0, 6_000, 10**7, 1, T - 5, TapeFlag.MORE, 0),
    (T, TapeKind.LEVEL, 0, 6_200, 2 * 10**7, -1, T - 5, TapeFlag.MORE, 0),
    (T, TapeKind.SNAPSHOT_END, 0, 0, 0, 0, T - 5, 0, 2),
    (T + 1, TapeKind.QUOTE_BID, 1, 3_800, 10**7, 1, T - 4, TapeFlag.MORE, 0),
    (T + 1, TapeKind.QUOTE_ASK, 1, 4_000, 10**7, -1, T - 4, 0, 0),
    (T + 2, TapeKind.TRADE, 0, 6_050, 7_000_000, -1, T - 3, 0, 1),
    (T + 2, TapeKind.WALLET, 0, 6_050, 7_000_000, -1, T - 3, 0, 1),
    (T + 3, TapeKind.PRICE, 0, 6_100, 0, 0, 0, 5, 0),
    (T + 4, TapeKind.CLEAR, 1, 0, 0, 0, 0, 0, 2),
)
FIRST_SEGMENT = 8
"""The second segment starts at this row."""


def write_journal(path: Path) -> None:
    """The golden journal: blocks of several kinds, a checkpoint, a stop and an end."""
    writer = JournalWriter.create(path, HEADER)
    for i, (event, effects) in enumerate(STEPS, 1):
        writer.step(event, effects)
        if i == 5:
            writer.seal_block()
        if i == CHECKPOINT_AFTER:
            writer.checkpoint(STATE)
            writer.segment_sealed(*SEALED)
        if i == RESUMED_AFTER:
            writer.abandon()
            writer = JournalWriter.resume(path, HEADER)
    writer.close()


def write_tape(path: Path) -> None:
    """The golden tape: two segments, every kind of row."""
    writer = TapeWriter(path, (YES, NO))
    for i, (ts, kind, instrument, price, size, side, ts_venue, flag, aux) in enumerate(TAPE):
        if i == FIRST_SEGMENT:
            writer.seal()
        for name in NAMES if i in (0, FIRST_SEGMENT) else ():
            writer.name(name)
        writer.row(
            ts, kind, instrument, price, size, side=side, ts_venue=ts_venue, flag=flag, aux=aux
        )
    writer.close()


def column(place: int) -> np.ndarray:
    """One column of the golden tape's rows, by its place in a row."""
    return np.array([int(row[place]) for row in TAPE], np.int64)


def main() -> None:
    """Writes both, never over what is there."""
    directory = Path(sys.argv[1]) if len(sys.argv) > 1 else Path(__file__).parent
    write_journal(directory / "journal-v1.bin")
    write_tape(directory / "tape-v1")
    print(f"wrote journal-v1.bin and tape-v1 to {directory}")


if __name__ == "__main__":
    main()
