"""What the journal's tests share: a small folding engine, headers and random records."""

from __future__ import annotations

import importlib.util
import math
import resource
import types
from collections.abc import Iterator
from contextlib import contextmanager
from enum import Enum
from pathlib import Path
from typing import Any, Union, get_args, get_origin, get_type_hints

import msgspec
from hypothesis import strategies as st

from polyframe.domain.effects import (
    Effect,
    FillBooked,
    OrderReviewed,
    PositionSettled,
    SetTimer,
    SubmitOrder,
)
from polyframe.domain.events import (
    CashMoved,
    Command,
    CommandKind,
    CommandReceived,
    Event,
    MarketResolved,
    OrderFilled,
    TimerFired,
)
from polyframe.domain.forecast import Forecast
from polyframe.domain.market import Market, Resolution, ResolutionKind, Token
from polyframe.domain.orders import ApprovedOrder, Order, Seal, Side, TimeInForce
from polyframe.domain.portfolio import Fill, Holding, Portfolio, book_fill, book_redemption
from polyframe.domain.verdict import Verdict
from polyframe.domain.wishes import Intent
from polyframe.store.records import Header, RecordLevel

EVENT_TYPES: tuple[type, ...] = get_args(Event)
EFFECT_TYPES: tuple[type, ...] = get_args(Effect)
DIVISOR = 10_000
YES, NO = "yes", "no"
LEDGER = "alpha"


def header(level: RecordLevel = RecordLevel.ALL, session: str = "01S") -> Header:
    return Header(
        polyframe="0.1.0",
        api=1,
        code="c0de",
        plugins="91",
        session=session,
        seed=7,
        config="cf",
        universe="ab",
        level=level,
        created=1_000,
    )


def golden() -> types.ModuleType:
    """The script that wrote the golden files."""
    path = Path(__file__).parents[2] / "golden" / "make.py"
    spec = importlib.util.spec_from_file_location("golden_make", path)
    assert spec is not None
    assert spec.loader is not None
    module = importlib.util.module_from_spec(spec)
    spec.loader.exec_module(module)
    return module


class State(msgspec.Struct):
    cash: dict[str, int]
    deposits: dict[str, int]
    rewards: dict[str, int]
    holdings: list[tuple[str, str, Holding]]
    orders: dict[str, Order]
    asked: int


class LedgerEngine:
    """Books money, fills and settlements of one market; buys on command, within its cash."""

    def __init__(self, stake_limit: int = 10**12) -> None:
        self.portfolio = Portfolio({})
        self.orders: dict[str, Order] = {}
        self.asked = 0
        self.stepped = 0
        self._seal = Seal()
        self._limit = stake_limit

    def step(self, event: Event) -> tuple[Effect, ...]:
        self.stepped += 1
        effects = tuple(self._decide(event))
        self.fold(event, effects)
        return effects

    def _decide(self, event: Event) -> list[Effect]:
        match event:
            case CommandReceived(ts, Command(CommandKind.BUY, price=int(price), size=int(size))):
                return self._review(ts, event.command, price, size)
            case OrderFilled(fill=fill) if fill.order in self.orders:
                held = self.portfolio.holding(fill.ledger, fill.token)
                after = book_fill(held, fill.side, fill.price, fill.size, fill.fee, DIVISOR)
                return [FillBooked(fill, after.holding.realised - held.realised)]
            case MarketResolved(ts, resolution):
                return self._settle(ts, resolution)
        return []

    def _review(self, ts: int, command: Command, price: int, size: int) -> list[Effect]:
        key = f"01S-{self.asked + 1}"
        permitted = min(size, self._limit)
        intent = Intent(token=YES, side=Side.BUY, price=price, size=size)
        ruling = Verdict.from_size("MaxStake", permitted, size)
        order = Order(key, LEDGER, "m1", YES, Side.BUY, price, permitted, TimeInForce.FAK, ts)
        reserved = price * permitted // DIVISOR
        return [
            OrderReviewed(ts, LEDGER, key, intent, size, permitted, (ruling,)),
            SubmitOrder(order, reserved, ApprovedOrder(order, reserved, self._seal)),
            SetTimer(LEDGER, key, ts + 1_000),
        ]

    def _settle(self, ts: int, resolution: Resolution) -> list[Effect]:
        effects: list[Effect] = []
        for token, payout in zip((YES, NO), resolution.payouts, strict=True):
            held = self.portfolio.holding(LEDGER, token)
            if held.shares:
                paid = book_redemption(held, payout, held.shares, 6)
                gain = paid.holding.realised - held.realised
                effects.append(
                    PositionSettled(ts, LEDGER, "m1", token, held.shares, payout, paid.cash, gain)
                )
        return effects

    def fold(self, event: Event, effects: Any) -> None:
        if isinstance(event, CashMoved):
            self.portfolio.deposit(event.ledger, event.amount)
        for effect in effects:
            match effect:
                case OrderReviewed():
                    self.asked += 1
                case SubmitOrder(order):
                    self.orders[order.id] = order
                case FillBooked(fill):
                    self.portfolio.fill(fill, DIVISOR)
                case PositionSettled(ledger=ledger, token=token, shares=shares, payout=payout):
                    self.portfolio.redeem(ledger, token, payout, shares, 6)

    def checkpoint(self) -> bytes:
        book = self.portfolio
        held = [(ledger, token, h) for (ledger, token), h in book.holdings.items()]
        state = State(book.cash, book.deposits, book.rewards, held, self.orders, self.asked)
        return msgspec.msgpack.encode(state)

    def restore(self, state: bytes) -> None:
        saved = msgspec.msgpack.decode(state, type=State)
        self.portfolio = Portfolio(saved.deposits)
        self.portfolio.cash = saved.cash
        self.portfolio.rewards = saved.rewards
        self.portfolio.holdings = {(a, b): h for a, b, h in saved.holdings}
        self.orders = saved.orders
        self.asked = saved.asked


def session(trades: int) -> list[Event]:
    """A session of the engine: money in, orders, fills, a sale, a resolution."""
    events: list[Event] = [CashMoved(1, LEDGER, 10**9, "deposit")]
    ts = 1
    for i in range(1, trades + 1):
        ts += 10
        command = Command(CommandKind.BUY, "ops", price=5_000 + i, size=1_000_000 + i)
        events.append(CommandReceived(ts, command))
        side = Side.SELL if i % 4 == 0 else Side.BUY
        size = 500_000 if side is Side.SELL else 1_000_000 + i
        fill = Fill(f"t{i}", f"01S-{i}", LEDGER, "m1", YES, side, 5_000 + i, size, 13 * i, ts + 1)
        events.append(OrderFilled(ts + 1, fill))
        events.append(TimerFired(ts + 2, LEDGER, f"01S-{i}"))
    resolution = Resolution("m1", (1_000_000, 0), ResolutionKind.WINNER, ts + 5)
    return [*events, MarketResolved(ts + 5, resolution)]


@contextmanager
def file_limit(size: int) -> Iterator[None]:
    """The operating system refuses to let any file of this process grow beyond ``size``."""
    soft, hard = resource.getrlimit(resource.RLIMIT_FSIZE)
    resource.setrlimit(resource.RLIMIT_FSIZE, (size, hard))
    try:
        yield
    finally:
        resource.setrlimit(resource.RLIMIT_FSIZE, (soft, hard))


# ---- random values of every type --------------------------------------------------------------

INT64 = st.integers(-(2**63), 2**63 - 1)
_LEAVES: dict[Any, st.SearchStrategy[Any]] = {
    int: INT64,
    float: st.floats(allow_nan=False, allow_infinity=False),
    bool: st.booleans(),
    str: st.text(max_size=12),
    bytes: st.binary(max_size=12),
    type(None): st.none(),
    ApprovedOrder: st.none(),
}
_SPECIAL: dict[type, dict[str, st.SearchStrategy[Any]]] = {
    Forecast: {
        "probability": st.floats(math.ulp(0.0), 1.0, exclude_max=True),
        "evidence_quality": st.none() | st.floats(0.0, 1.0),
    },
    Market: {
        "tokens": st.just((Token("a", "Yes"), Token("b", "No"))),
        "max_price": st.just(10_000),
        "max_size": st.just(10**13),
        "tick": st.integers(1, 1_000),
        "lot": st.integers(1, 10**6),
    },
}


def values(kind: Any) -> st.SearchStrategy[Any]:
    """Random values of a field's type."""
    if kind in _LEAVES:
        return _LEAVES[kind]
    origin, arguments = get_origin(kind), get_args(kind)
    if origin in (Union, types.UnionType):
        return st.one_of([values(argument) for argument in arguments])
    if origin is tuple:
        if arguments[-1] is Ellipsis:
            return st.lists(values(arguments[0]), max_size=3).map(tuple)
        return st.tuples(*[values(argument) for argument in arguments])
    if issubclass(kind, Enum):
        return st.sampled_from(kind)
    assert issubclass(kind, msgspec.Struct), kind
    special = _SPECIAL.get(kind, {})
    hints = get_type_hints(kind)
    return st.builds(
        kind,
        **{
            name: special[name] if name in special else values(hints[name])
            for name in kind.__struct_fields__
        },
    )


_EVENTS = {kind: values(kind) for kind in EVENT_TYPES}
_EFFECTS = {kind: values(kind) for kind in EFFECT_TYPES}
events = st.sampled_from(EVENT_TYPES).flatmap(_EVENTS.__getitem__)
effects = st.sampled_from(EFFECT_TYPES).flatmap(_EFFECTS.__getitem__)
steps = st.tuples(events, st.lists(effects, max_size=3).map(tuple))
