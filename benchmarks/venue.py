"""The sandbox venue without a network: its book alone, compiled and called, and whole orders."""

from __future__ import annotations

import time
from collections.abc import Iterator

import numpy as np
from numba import njit

from benchmarks.figures import Figure, figure
from polyframe.exchanges.sim.orderbook import OrderBook
from polyframe.kernels import limit_nb as nb
from polyframe.sandbox.venue.records import BUY, SELL, FeeTerms, Listing, SignedOrder
from polyframe.sandbox.venue.venue import Venue

START = 1_767_225_600_000_000_000
SECOND = 1_000_000_000
SHARE = 1_000_000
MARKETS, WALLETS = 4, 20


def flow(count: int) -> np.ndarray:
    """Orders around one half, as (side, price, size): a little over 40 % of them match."""
    rng = np.random.default_rng(1)
    sides = rng.choice((1, -1), count)
    prices = 5_000 - sides * 100 + rng.integers(-15, 16, count) * 100
    return np.column_stack((sides, prices, rng.integers(5, 50, count) * SHARE))


@njit
def played(orders, book, levels, marks, rows, fills):  # type: ignore[no-untyped-def]
    """Every order, matched and rested inside one compiled loop; how many fills there were."""
    found = 0
    for side, price, size in orders:
        count = nb.plan(side, price, size, -1, 1, book, levels, marks, rows, fills)
        nb.take(count, fills, book, levels, marks, rows)
        left = size - fills[:count, nb.F_SIZE].sum()
        if left > 0:
            nb.place(side, price, left, 0, book, levels, marks, rows)
        found += count
    return found


def compiled(orders: np.ndarray) -> Figure:
    """The kernel alone."""

    def run() -> tuple[float, int]:
        book = np.zeros(nb.B_SIZE_OF, np.int64)
        nb.clear(book)
        tables = (
            np.zeros((nb.ONE + 1, nb.L_SIZE_OF), np.int64),
            np.zeros(nb.MARKS, np.uint64),
            np.zeros((len(orders) + 2, nb.V_SIZE_OF), np.int64),
            np.zeros((len(orders) + 2, nb.F_SIZE_OF), np.int64),
        )
        began = time.perf_counter()
        fills = played(orders, book, *tables)
        return time.perf_counter() - began, fills

    run()
    seconds, fills = run()
    return figure("book, compiled", len(orders), seconds, unit="orders", fills=fills)


def called(orders: np.ndarray) -> Figure:
    """The same through the class, one call from Python after the other."""
    book, fills = OrderBook(), 0
    book.place(1, 1, SHARE)
    began = time.perf_counter()
    for side, price, size in orders.tolist():
        met = book.match(side, price, size)
        if met:
            book.take(met)
        left = size - sum([fill.size for fill in met])
        if left:
            book.place(side, price, left)
        fills += len(met)
    seconds = time.perf_counter() - began
    return figure("book, called", len(orders), seconds, unit="orders", fills=fills)


def town() -> tuple[Venue, list[Listing]]:
    """Markets with fees and people who have money and shares."""
    venue = Venue(now=START)
    listings = []
    for number in range(MARKETS):
        tokens = str(10**76 + 2 * number), str(10**76 + 2 * number + 1)
        fees = FeeTerms(rate=40_000, rebate_rate=250_000)
        listings.append(Listing(f"0x{number:064x}", tokens, fees=fees))
        venue.list_market(listings[-1])
    for number in range(WALLETS):
        venue.fund(f"0x{number:040x}", 10**13)
        for listing in listings:
            venue.split(f"0x{number:040x}", listing.condition_id, 10**11)
    return venue, listings


def signed(orders: np.ndarray, listings: list[Listing]) -> list[SignedOrder]:
    """The orders as clients send them, for either token of any market."""
    rng = np.random.default_rng(2)
    made = []
    for index, (side, price, size) in enumerate(orders.tolist()):
        market, outcome, who = rng.integers(MARKETS), rng.integers(2), rng.integers(WALLETS)
        if outcome:
            side, price = -side, 10_000 - price  # noqa: PLW2901
        money = price * size // 10_000
        amounts = (money, size) if side > 0 else (size, money)
        wallet, token = f"0x{who:040x}", listings[market].tokens[outcome]
        text = BUY if side > 0 else SELL
        made.append(SignedOrder(f"0x{index:064x}", wallet, wallet, token, *amounts, text))
    return made


def placed(orders: np.ndarray) -> Figure:
    """Whole orders: rules, money, matches, settlement, history, events, and an audit after each."""
    venue, listings = town()
    sent = signed(orders, listings)
    venue.place(sent[0], owner="first", order_type="GTC")
    began = time.perf_counter()
    for index, order in enumerate(sent[1:]):
        venue.place(order, owner=order.maker, order_type="GTC")
        venue.audit()
        if index % 100 == 0:
            venue.advance(venue.now + SECOND)
            venue.drain()
    seconds = time.perf_counter() - began
    faults = len(venue.audit(full=True).faults)
    return figure("venue, audited", len(sent) - 1, seconds, unit="orders", faults=faults)


def measure(quick: bool) -> Iterator[Figure]:
    """The book by itself, then what is around it."""
    yield compiled(flow(200_000 if quick else 2_000_000))
    yield called(flow(20_000 if quick else 200_000))
    yield placed(flow(5_000 if quick else 50_000))
