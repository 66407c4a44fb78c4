"""The windows through which plugins look. Everything is read through closures.

A view has no attribute that leads to the engine: its methods close over the state, so that plugin
code that pokes at attributes finds nothing to change.
"""

from __future__ import annotations

import random
from collections.abc import Callable, Sequence
from typing import TYPE_CHECKING

from polyframe.api.view import View
from polyframe.domain.book import Book, Quote
from polyframe.domain.forecast import Forecast
from polyframe.domain.market import Group, Market
from polyframe.domain.orders import OrderView
from polyframe.domain.portfolio import Account, Position
from polyframe.domain.units import Money, Ns
from polyframe.engine.state import OpenOrder, State
from polyframe.errors import DataError
from polyframe.kernels import guards_nb as g
from polyframe.kernels import tables_nb as t

if TYPE_CHECKING:
    import numpy as np
    from numpy.typing import NDArray


def make_view(
    state: State,
    row: int,
    name: str,
    clock: Callable[[], Ns],
    forecasts: dict[tuple[str, str], Forecast],
    newest: dict[str, Forecast],
    stream: Callable[[str], random.Random],
) -> View:
    """A view of one ledger (or of the account: the last row)."""
    universe, books = state.universe, state.books

    def position_of(token: int) -> Position:
        market = universe.markets[universe.token_market[token]]
        shares = state.shares[row, token]
        return Position(
            name,
            market.id,
            market.tokens[universe.token_outcome[token]].id,
            shares,
            shares - state.reserved_shares[row, token],
            state.cost[row, token],
            state.realised[row, token],
            state.fees[row, token],
            *(state.exits.opened(row, token) if row != state.account else (0, 0)),
        )

    def mine(o: OpenOrder) -> bool:
        return row == state.account or o.ledger == row

    class LedgerView(View):
        __slots__ = ()

        @property
        def now(self) -> Ns:
            return clock()

        @property
        def ledger(self) -> str:
            return name

        @property
        def rng(self) -> random.Random:
            return stream(name)

        def markets(self, *, tradable: bool = True) -> Sequence[Market]:
            chosen = state.tradable if tradable else state.listed
            return [universe.markets[m] for m in sorted(chosen)]

        def market(self, id: str) -> Market:
            market = universe.market(id)
            if universe.market_index[market.id] not in state.listed:
                raise DataError(f"market {id!r} is not listed yet")
            return market

        def group(self, id: str) -> Group:
            group = universe.groups.get(id)
            if group is None:
                raise DataError(f"no event {id!r} in this session")
            known = tuple(m for m in group.markets if universe.market_index[m] in state.listed)
            return Group(group.id, known, group.kind)

        def book(self, token: str) -> Quote:
            return books.quote(universe.token(token))

        def depth(self, token: str) -> Book:
            return books.depth(universe.token(token))

        def liquidity(self, market: str) -> Money | None:
            m = universe.market_index[universe.market(market).id]
            said = int(state.tables.traits[m, t.K_LIQUIDITY])
            return None if said == g.MISSING else said

        def position(self, token: str) -> Position:
            return position_of(universe.token(token))

        def positions(self) -> Sequence[Position]:
            state.caught_up()
            if row == state.account:
                tokens = sorted(set().union(*state.held))
            else:
                tokens = sorted(state.held[row])
            return [position_of(token) for token in tokens]

        def orders(self, token: str = "") -> Sequence[OrderView]:
            state.caught_up()
            if token:
                m = universe.token_market[universe.token(token)]
                found = [o for o in state.by_market.get(m, {}).values() if o.order.token == token]
            else:
                found = list(state.orders.values())
            return [OrderView(o.order, o.state, o.filled) for o in found if mine(o)]

        def worst(self, group: str) -> Money:
            return state.worst(row, group)

        def forecast(self, market: str, forecaster: str = "") -> Forecast | None:
            if forecaster:
                return forecasts.get((market, forecaster))
            return newest.get(market)

        def portfolio(self) -> Account:
            totals = state.totals(row)
            return Account(
                name,
                state.cash[row],
                state.cash[row] - state.reserved[row],
                state.equity_of(row),
                totals.realised,
                totals.fees,
                state.open_markets[row],
                state.day_start[row],
                state.peak[row],
            )

        def seen(self, market: str, *, depth: bool = False) -> NDArray[np.float64]:
            if books.deep is None:
                raise DataError(
                    "the session has no recorded books",
                    expected="a tape, which a strategy with books = True plays",
                )
            m = universe.market_index[universe.market(market).id]
            tables = state.tables
            return books.deep.seen(
                m, row, clock(), books.rows, tables.account, tables.tokens, tables.marks,
                tables.traits, depth=depth,
            )  # fmt: skip

        def history(self, token: str, n: int) -> NDArray[np.float64]:
            if n < 0:
                raise DataError(f"history of {n} prices", expected="a number from 0 up")
            return books.mids(universe.token(token), n)

    return LedgerView()
