"""Saving and restoring everything that decides an engine's next step."""

from __future__ import annotations

import msgspec
import numpy as np

from polyframe.api.protection import Halt
from polyframe.domain.book import Book
from polyframe.domain.forecast import Forecast
from polyframe.domain.market import Group, Market, Resolution
from polyframe.domain.orders import Order, OrderState
from polyframe.domain.portfolio import Fill
from polyframe.domain.units import Money, Ns, Size
from polyframe.domain.wishes import Quotes
from polyframe.engine.setup import Parts
from polyframe.engine.state import OpenOrder
from polyframe.errors import GapError

FORMAT = 3


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
    holds: tuple[Money, Size, Money, Money]
    """cash, shares and its losses should its market resolve YES or NO: in the tables already"""
    basis: float = 0.0
    memory: bytes = b""


class SavedEngine(msgspec.Struct, frozen=True):
    """The whole of it. What is at risk in events follows from the tables."""

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
    tables: list[bytes]
    books: bytes
    history: bytes
    grid: bytes
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
    exits: list[bytes] = []
    merging: list[tuple[int, int, Size]] = []


def save(parts: Parts) -> bytes:
    """An engine as bytes."""
    c, s, f = parts.context, parts.state, parts.forecasts
    universe = c.universe
    saved = SavedEngine(
        FORMAT, c.session, c.now, c.step, parts.day, c.orders_made, c.requests_made,
        universe.markets, list(universe.groups.values()), sorted(s.listed), sorted(s.tradable),
        s.ledgers, s.tables.save(), c.books.rows.tobytes(), c.books.history.tobytes(),
        c.books.grid.tobytes(), c.books.wakes.tobytes(),
        [
            SavedOrder(
                o.order, o.state, o.filled, o.working, o.cancelling, o.rests, o.wanted, o.venue_id,
                (o.reserved, o.reserved_shares, o.if_yes, o.if_no), o.basis, o.memory,
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
        s.exits.save(),
        [(ledger, m, size) for (ledger, m), size in parts.life.merging.items()],
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
    parts.state.restore(saved.tables)
    parts.state.exits.restore(saved.exits)
    parts.door.guards.apply_categories()
    shape = c.books.rows.shape
    c.books.rows[:] = np.frombuffer(saved.books, dtype=np.int64).reshape(shape)
    ring = c.books.history.shape
    c.books.history[:] = np.frombuffer(saved.history, dtype=np.int32).reshape(ring)
    c.books.ladders = dict(saved.ladders)
    grid = c.books.grid.shape
    c.books.grid[:] = np.frombuffer(saved.grid, dtype=np.int32).reshape(grid)
    wakes = c.books.wakes.shape
    c.books.wakes[:] = np.frombuffer(saved.wakes, dtype=np.int64).reshape(wakes)
    parts.state.listed = set(saved.listed)
    for m in range(shape[0]):
        parts.state.set_tradable(m, m in saved.tradable)
    parts.life.resolutions = {r.market: r for r in saved.resolutions}
    parts.life.merging = {(ledger, m): size for ledger, m, size in saved.merging}


def _load_orders(parts: Parts, saved: SavedEngine) -> None:
    state, universe = parts.state, parts.context.universe
    for item in saved.orders:
        token = universe.token(item.order.token)
        ledger = state.ledger_index[item.order.ledger]
        o = OpenOrder(item.order, ledger, universe.token_market[token], token)
        o.state, o.filled, o.working = item.state, item.filled, item.working
        o.cancelling, o.rests = item.cancelling, item.rests
        o.wanted, o.venue_id = item.wanted, item.venue_id
        o.basis, o.memory = item.basis, item.memory
        o.reserved, o.reserved_shares, o.if_yes, o.if_no = item.holds
        state.register(o)
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
