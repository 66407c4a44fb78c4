"""Saving and restoring everything that decides an engine's next step."""

from __future__ import annotations

import msgspec
import numpy as np

from polyframe.api.protection import Halt
from polyframe.domain.book import Book
from polyframe.domain.forecast import Forecast
from polyframe.domain.market import Group, Market, Resolution
from polyframe.domain.orders import Order, OrderState
from polyframe.domain.portfolio import Booked, Fill, Holding
from polyframe.domain.units import Money, Ns, Size
from polyframe.domain.wishes import Quotes
from polyframe.engine.setup import Parts
from polyframe.engine.state import OpenOrder
from polyframe.errors import GapError
from polyframe.kernels import bars_nb as nb

FORMAT = 1


class SavedOrder(msgspec.Struct, frozen=True):
    """An open order."""

    order: Order
    state: OrderState
    filled: Size
    working: Size
    cancelling: bool
    rests: bool
    wanted: Size
    venue_id: str


class SavedEngine(msgspec.Struct, frozen=True):
    """The whole of it. Reservations and worst cases follow from the orders."""

    format: int
    session: str
    now: Ns
    step: int
    day: int
    orders_made: int
    requests_made: int
    markets: list[Market]
    groups: list[Group]
    listed: list[int]
    tradable: list[int]
    ledgers: list[str]
    cash: list[Money]
    day_start: list[Money]
    peak: list[Money]
    floor: Money
    holdings: list[tuple[int, int, int, int, int, int]]
    """(ledger, token, shares, cost, realised, fees)"""
    books: bytes
    history: bytes
    wakes: bytes
    orders: list[SavedOrder]
    provisional: list[tuple[str, Fill]]
    seen: list[str]
    resolutions: list[Resolution]
    forecasts: list[tuple[str, str, Forecast]]
    newest: list[Forecast]
    inflight: list[tuple[str, str, str]]
    waiting: list[tuple[str, list[str]]]
    timers: list[tuple[str, str, Ns]]
    quotes: list[tuple[str, str, Quotes]]
    killed: bool
    halts: list[tuple[str, str, Halt]]
    disabled: list[bool]
    states: list[bytes]
    ladders: list[tuple[int, Book]] = []


def save(parts: Parts) -> bytes:
    """An engine as bytes."""
    c, s, f = parts.context, parts.state, parts.forecasts
    universe = c.universe
    holdings = []
    for ledger in range(len(s.ledgers)):
        for token in range(len(universe.token_market)):
            held = s.holding(ledger, token)
            if any(held):
                holdings.append((ledger, token, *held))
    saved = SavedEngine(
        FORMAT, c.session, c.now, c.step, parts.day, c.orders_made, c.requests_made,
        universe.markets, list(universe.groups.values()), sorted(s.listed), sorted(s.tradable),
        s.ledgers,
        list(s.cash), list(s.day_start), list(s.peak), int(s.marks[nb.E_FLOOR]), holdings,
        c.books.rows.tobytes(), c.books.history.tobytes(), c.books.wakes.tobytes(),
        [
            SavedOrder(
                o.order, o.state, o.filled, o.working, o.cancelling, o.rests, o.wanted, o.venue_id
            )
            for o in s.orders.values()
        ],
        list(parts.desk.provisional.items()), sorted(parts.desk.seen),
        list(parts.life.resolutions.values()),
        [(m, name, forecast) for (m, name), forecast in f.by_forecaster.items()],
        list(f.newest.values()),
        [(m, name, request) for (m, name), request in f.inflight.items()],
        list(f.waiting.items()),
        [(ledger, key, at) for (ledger, key), at in parts.timers.items()],
        [(a, b, q) for (a, b), q in parts.quotes.waiting.items()],
        parts.door.killed,
        [(a, b, halt) for (a, b), halt in parts.door.halts.items()],
        [b.disabled for b in parts.bound],
        [msgspec.msgpack.encode(b.strategy.state) for b in parts.bound],
        sorted(c.books.ladders.items()),
    )  # fmt: skip
    return msgspec.msgpack.encode(saved)


def load(parts: Parts, data: bytes) -> None:
    """Puts an engine of the same setup into a saved state.

    Raises:
        GapError: the bytes are of another format or another set of strategies.
    """
    try:
        saved = msgspec.msgpack.decode(data, type=SavedEngine)
    except msgspec.DecodeError as error:
        raise GapError(f"checkpoint cannot be read: {error}") from error
    if saved.format != FORMAT:
        raise GapError(f"checkpoint has format {saved.format}", expected=f"format {FORMAT}")
    if saved.ledgers != parts.state.ledgers:
        raise GapError(
            f"checkpoint is of strategies {', '.join(saved.ledgers)}",
            expected=", ".join(parts.state.ledgers),
            hint="start with the config the session was started with",
        )
    _load_markets(parts, saved)
    _load_money(parts, saved)
    _load_orders(parts, saved)
    _load_rest(parts, saved)


def _load_markets(parts: Parts, saved: SavedEngine) -> None:
    c = parts.context
    for market in saved.markets:
        if market.id in c.universe.market_index:
            c.universe.replace(market)
        else:
            c.universe.add(market)
    for group in saved.groups:
        c.universe.add_group(group)
    c.books.grow()
    parts.state.grow()
    shape = c.books.rows.shape
    c.books.rows[:] = np.frombuffer(saved.books, dtype=np.int64).reshape(shape)
    ring = c.books.history.shape
    c.books.history[:] = np.frombuffer(saved.history, dtype=np.int32).reshape(ring)
    c.books.ladders = dict(saved.ladders)
    wakes = c.books.wakes.shape
    c.books.wakes[:] = np.frombuffer(saved.wakes, dtype=np.int64).reshape(wakes)
    parts.state.listed = set(saved.listed)
    parts.state.tradable = set(saved.tradable)
    parts.life.resolutions = {r.market: r for r in saved.resolutions}


def _load_money(parts: Parts, saved: SavedEngine) -> None:
    state = parts.state
    for ledger in range(len(state.ledgers)):
        state.move_cash(ledger, saved.cash[ledger] - state.cash[ledger])
    for ledger, token, *held in saved.holdings:
        state.book(ledger, token, Booked(Holding(*held), 0))
    for m in range(len(parts.context.universe.markets)):
        state.revalue(m)
    for row in range(len(state.ledgers) + 1):
        state.day_start[row] = saved.day_start[row]
        state.peak[row] = saved.peak[row]
    state.marks[nb.E_FLOOR] = saved.floor


def _load_orders(parts: Parts, saved: SavedEngine) -> None:
    state, universe = parts.state, parts.context.universe
    for item in saved.orders:
        token = universe.token(item.order.token)
        ledger = state.ledger_index[item.order.ledger]
        o = OpenOrder(item.order, ledger, universe.token_market[token], token)
        o.state, o.filled, o.working = item.state, item.filled, item.working
        o.cancelling, o.rests = item.cancelling, item.rests
        o.wanted, o.venue_id = item.wanted, item.venue_id
        state.open(o)
    parts.desk.provisional = dict(saved.provisional)
    parts.desk.seen = set(saved.seen)


def _load_rest(parts: Parts, saved: SavedEngine) -> None:
    c, f = parts.context, parts.forecasts
    c.session, c.now, c.step = saved.session, saved.now, saved.step
    c.orders_made, c.requests_made = saved.orders_made, saved.requests_made
    parts.day = saved.day
    f.by_forecaster.update({(m, name): forecast for m, name, forecast in saved.forecasts})
    f.newest.update({forecast.market: forecast for forecast in saved.newest})
    f.inflight.update({(m, name): request for m, name, request in saved.inflight})
    f.waiting.update(dict(saved.waiting))
    parts.timers.update({(ledger, key): at for ledger, key, at in saved.timers})
    parts.quotes.waiting.update({(a, b): q for a, b, q in saved.quotes})
    parts.door.killed = saved.killed
    parts.door.halts.update({(a, b): halt for a, b, halt in saved.halts})
    for bound, disabled, state in zip(parts.bound, saved.disabled, saved.states, strict=True):
        bound.disabled = disabled
        bound.strategy.state = msgspec.msgpack.decode(state, type=type(bound.strategy).State)
        bound.saved = state
