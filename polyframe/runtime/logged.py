"""What the rows of a compiled run's log say: orders, reviews and fills as the engine tells them."""

from __future__ import annotations

import math
from collections import Counter
from collections.abc import Iterator, Sequence
from typing import Any

import numpy as np
from numpy.typing import NDArray

from polyframe.domain import effects as fx
from polyframe.domain.effects import FillBooked
from polyframe.domain.market import Market
from polyframe.domain.orders import KIND_BIT, Kind, Order, Side, TimeInForce
from polyframe.domain.portfolio import Fill
from polyframe.domain.units import Ns, Size
from polyframe.domain.verdict import Verdict
from polyframe.domain.wishes import Intent
from polyframe.engine.context import salt_of
from polyframe.engine.engine import Engine
from polyframe.engine.objections import Objection, Opposed, objections
from polyframe.engine.risk import Case, Draft
from polyframe.engine.signals import REASON
from polyframe.kernels import barcolumns_nb as c
from polyframe.kernels import guards_nb as g

Ints = NDArray[np.int64]
Floats = NDArray[np.float64]
KIND_OF = {bit: kind for kind, bit in KIND_BIT.items()}
SIDES = {1: Side.BUY, -1: Side.SELL}
"""Quicker than asking the enumeration, ninety thousand times."""


class Words:
    """What one row means, told with the session's names.

    Shapes: cases (., CASE_SIZE_OF); probability and edge (.,), by the column O_ROW, or empty.
    """

    def __init__(self, engine: Engine, cases: Ints, probability: Floats, edge: Floats) -> None:
        self.engine = engine
        self.ledger = engine.state.ledgers[0]
        self.session = engine.context.session
        self.cases = cases
        self.probability, self.edge = probability, edge
        self._shared: dict[tuple[int, int], tuple[Verdict, ...]] = {}

    def market(self, row: list[int]) -> Market:
        """The market of a row of the orders."""
        return self.engine.context.universe.markets[row[c.O_MARKET]]

    def reviewed(self, row: list[int]) -> fx.OrderReviewed:
        """What the risk door said of one row of the log."""
        market, price = self.market(row), row[c.O_PRICE]
        draft = Draft(
            0, self.engine.context.universe.offset[row[c.O_MARKET]], Side(row[c.O_SIDE]), price,
            row[c.O_ASKED], KIND_OF[row[c.O_KIND]], None, None, False,
        )  # fmt: skip
        verdicts = self.engine.parts.door.recall(draft, bool(row[c.O_REDUCES]), self._case(row))
        intent = self.intent(row)
        edge = self.engine.parts.desk.edge(intent, row[c.O_MARKET], price)
        return fx.OrderReviewed(
            row[c.O_TS], self.ledger, self.id(row), intent, row[c.O_ASKED], row[c.O_PERMITTED],
            verdicts, (), market.id, price, edge,
            decimals=(market.price_decimals, market.size_decimals),
        )  # fmt: skip

    def id(self, row: list[int]) -> str:
        """The order's id, empty when it was denied."""
        return f"{self.session}-{row[c.O_NUMBER]}" if row[c.O_NUMBER] else ""

    def intent(self, row: list[int]) -> Intent:
        """What the strategy's signal asked for."""
        buys = row[c.O_SIDE] > 0
        return Intent(
            token=self.market(row).yes.id, side=SIDES[row[c.O_SIDE]],
            price=row[c.O_PRICE],
            probability=_stated(self.probability, row[c.O_ROW]) if buys else None,
            edge=_stated(self.edge, row[c.O_ROW]) if buys else None,
            kind=Kind.DIRECTIONAL if buys else Kind.EXIT, reason=REASON,
        )  # fmt: skip

    def order(self, row: list[int]) -> Order:
        """The order that was sent."""
        market, number = self.market(row), row[c.O_NUMBER]
        return Order(
            id=self.id(row), ledger=self.ledger, market=market.id, token=market.yes.id,
            side=SIDES[row[c.O_SIDE]], price=row[c.O_PRICE], size=row[c.O_PERMITTED],
            tif=TimeInForce.FAK, ts=row[c.O_TS], kind=KIND_OF[row[c.O_KIND]], reason=REASON,
            edge=self.engine.parts.desk.edge(
                self.intent(row), row[c.O_MARKET], row[c.O_PRICE]
            ),
            salt=salt_of(self.session, number),
        )  # fmt: skip

    def _case(self, row: list[int]) -> Case | None:
        if not row[c.O_CASE]:
            return None
        case = self.cases[row[c.O_CASE] - 1]
        return case[: g.O_SIZE_OF], case[g.O_SIZE_OF :].reshape(2, g.S_SIZE_OF)

    def fill(self, row: list[int], sent: list[int]) -> Fill:
        """What an answer says was executed."""
        market, id = self.market(sent), self.id(sent)
        return Fill(
            trade=f"{id}-1", order=id, ledger=self.ledger, market=market.id, token=market.yes.id,
            side=SIDES[sent[c.O_SIDE]], price=row[c.X_PRICE], size=row[c.X_SIZE], fee=row[c.X_FEE],
            ts=row[c.X_TS], reason=REASON,
        )  # fmt: skip

    def verdicts(self, row: list[int]) -> tuple[Verdict, ...]:
        """The verdicts of a review; where no guard objected all of its kind share one answer."""
        if row[c.O_CASE]:
            return self.reviewed(row).verdicts
        key = (row[c.O_KIND], row[c.O_REDUCES])
        if key not in self._shared:
            self._shared[key] = self.reviewed(row).verdicts
        return self._shared[key]

    def halts_of(self, rows: Ints) -> tuple[Ints | None, Sequence[str]]:
        """Why trading was halted at these rows: an index into texts, None for what holds now."""
        return None, ()

    def kept(self, rows: Ints) -> tuple[Words, Ints]:
        """The words of these rows alone, and the rows as those know them.

        What else the run had in memory can then be let go.
        """
        at, rows = rows[:, c.O_ROW], rows.copy()
        rows[:, c.O_ROW] = np.arange(len(rows))
        cases = self.cases[: int(rows[:, c.O_CASE].max(initial=0))].copy()
        stated = [column[at] if len(column) else column for column in (self.probability, self.edge)]
        return Words(self.engine, cases, *stated), rows


class Filled:
    """The fills of a compiled run as a table; each is told in full when somebody asks.

    Shapes: rows (fills, X_SIZE_OF) and the orders they are of, sent (fills, O_SIZE_OF), columns in
    ``barcolumns_nb``; quality (fills,), the bits of the row that each was executed on.
    """

    reason = REASON
    """why every order of a compiled run was sent"""

    def __init__(self, words: Words, rows: Ints, sent: Ints, quality: Ints) -> None:
        self.words, self.rows, self.sent, self.quality = words, rows, sent, quality

    def __len__(self) -> int:
        return len(self.rows)

    @property
    def outcome(self) -> Ints:
        """Which outcome's token each is of."""
        return np.zeros(len(self.rows), np.int64)

    @property
    def maker(self) -> NDArray[np.bool_]:
        """Whether each one's order rested."""
        return np.zeros(len(self.rows), np.bool_)

    @property
    def said(self) -> Floats:
        """The probability that each one's strategy claimed, NaN where it claimed none."""
        if not len(self.words.probability):
            return np.full(len(self.sent), np.nan)
        buys = self.sent[:, c.O_SIDE] > 0
        return np.where(buys, self.words.probability[self.sent[:, c.O_ROW]], np.nan)

    def orders(self) -> list[str]:
        """The order of each."""
        session = self.words.session
        return [f"{session}-{number}" for number in self.sent[:, c.O_NUMBER].tolist()]

    def decisions(self) -> list[LateReview]:
        """The ruling that let each one's order through."""
        return [LateReview(self.words, row) for row in self.sent.tolist()]

    def decision(self, k: int) -> LateReview:
        """The ruling that let one's order through."""
        return LateReview(self.words, self.sent[k].tolist())

    def booked(self, k: int) -> FillBooked:
        """One as the engine books it."""
        row: list[int] = self.rows[k].tolist()
        return fx.FillBooked(self.words.fill(row, self.sent[k].tolist()), row[c.X_REALISED])


class Reviewed:
    """The reviews of a compiled run as a table; each is told in full when somebody asks.

    Shapes: rows (reviews, O_SIZE_OF), columns in ``barcolumns_nb``.
    """

    def __init__(self, words: Words, rows: Ints) -> None:
        self.words, self.rows = words, rows

    def __len__(self) -> int:
        return len(self.rows)

    def review(self, k: int) -> LateReview:
        """One of them."""
        return LateReview(self.words, self.rows[k].tolist())

    def objected(self) -> Iterator[LateReview]:
        """Those in which a guard ruled against the order."""
        for row in self.rows[self.rows[:, c.O_CASE] != 0].tolist():
            yield LateReview(self.words, row)

    def objections(self) -> Counter[Objection]:
        """What protections objected, counted by rule."""
        rows, words = self.rows[self.rows[:, c.O_CASE] != 0], self.words
        cases = words.cases[rows[:, c.O_CASE] - 1]
        halt, texts = words.halts_of(rows)
        opposed = Opposed(
            cases[:, : g.O_SIZE_OF], cases[:, g.O_SIZE_OF :].reshape(-1, 2, g.S_SIZE_OF),
            rows[:, c.O_MARKET], rows[:, c.O_ASKED], rows[:, c.O_PERMITTED], rows[:, c.O_REDUCES],
            halt,
        )  # fmt: skip
        return objections(words.engine.parts.door, 0, opposed, texts)


class LateReview:
    """A review of a compiled run, with the attributes of an ``OrderReviewed``.

    Verdicts that only allow are shared with other reviews: their size is that of the first one.
    """

    __slots__ = ("_verdicts", "_words", "row", "ts")

    def __init__(self, words: Words, row: list[int]) -> None:
        self._words, self.row = words, row
        self.ts: Ns = row[c.O_TS]
        self._verdicts: tuple[Verdict, ...] | None = None

    def __getattr__(self, name: str) -> Any:
        if name.startswith("_"):
            raise AttributeError(name)
        return getattr(self._words.reviewed(self.row), name)

    def whole(self) -> fx.OrderReviewed:
        """The same as the engine would have said it."""
        return self._words.reviewed(self.row)

    @property
    def order(self) -> str:
        """The order's id, empty when it was denied."""
        return self._words.id(self.row)

    @property
    def asked(self) -> Size:
        """What was asked for."""
        return self.row[c.O_ASKED]

    @property
    def permitted(self) -> Size:
        """What was permitted."""
        return self.row[c.O_PERMITTED]

    @property
    def intent(self) -> Intent:
        """What the strategy's signal asked for."""
        return self._words.intent(self.row)

    @property
    def verdicts(self) -> tuple[Verdict, ...]:
        """What each guard said."""
        if self._verdicts is None:
            self._verdicts = self._words.verdicts(self.row)
        return self._verdicts


def _stated(column: NDArray[np.float64], row: int) -> float | None:
    value = float(column[row]) if len(column) else math.nan
    return None if math.isnan(value) else value
