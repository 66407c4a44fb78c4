"""What the log of a compiled run over a tape says: orders, reviews, fills as the engine tells."""

from __future__ import annotations

from bisect import bisect_right
from collections import Counter
from collections.abc import Iterator, Sequence

import numpy as np
from numpy.typing import NDArray

from polyframe.domain import effects as fx
from polyframe.domain.market import Market
from polyframe.domain.orders import Kind, Order, TimeInForce
from polyframe.domain.portfolio import Fill
from polyframe.domain.verdict import Verdict
from polyframe.domain.wishes import Intent
from polyframe.engine.admission import MOST_OPEN
from polyframe.engine.context import salt_of
from polyframe.engine.engine import Engine
from polyframe.engine.objections import Objection, out_of_range
from polyframe.engine.risk import Draft
from polyframe.kernels import barcolumns_nb as c
from polyframe.kernels import l2columns_nb as lc
from polyframe.kernels import l2logs_nb as lg
from polyframe.kernels.l2desk_nb import QUOTE_BIT
from polyframe.runtime.logged import SIDES, Filled, LateReview, Reviewed, Words

Ints = NDArray[np.int64]
REASON = "quote"
NO_MID = -1

# Beyond the columns that all compiled runs have in common.
O_TOKEN = c.O_SIZE_OF
O_OUTCOME = c.O_SIZE_OF + 1
O_EXPIRES = c.O_SIZE_OF + 2
O_POST = c.O_SIZE_OF + 3
O_REASON = c.O_SIZE_OF + 4
X_MAKER = c.X_SIZE_OF
X_TRADE = c.X_SIZE_OF + 1

UNSEEN = {
    lg.NOT_OPEN: "market is not open",
    lg.NO_LOT: "size is less than one lot",
    lg.MOST_MARKETS: MOST_OPEN,
    lg.UNKNOWN: "unknown token",
}
"""Why quotes were not even considered, as the quote desk says it."""
_EMPTY = np.zeros(0)


class TapeWords(Words):
    """What one row means where a strategy quotes both tokens."""

    def __init__(
        self, engine: Engine, cases: Ints, *, halts: Sequence[tuple[int, str]] = (),
        reasons: Sequence[str] = ("",), unknown: Sequence[str] = (),
    ) -> None:  # fmt: skip
        super().__init__(engine, cases, _EMPTY, _EMPTY)
        self.halts = halts
        """why trading was halted, from which row of the log on"""
        self.reasons = reasons
        """what the strategy said with its quotes, by number"""
        self.unknown = unknown
        """names of tokens that are none of the session's"""

    def _halted(self, row: list[int]) -> str:
        at = bisect_right(self.halts, row[c.O_ROW], key=lambda halt: halt[0])
        return self.halts[at - 1][1] if at else ""

    def halts_of(self, rows: Ints) -> tuple[Ints | None, Sequence[str]]:
        """Why trading was halted at these rows: an index into texts."""
        begins = np.array([halt[0] for halt in self.halts], np.int64)
        texts = ["", *(halt[1] for halt in self.halts)]
        return np.searchsorted(begins, rows[:, c.O_ROW], side="right"), texts

    def token(self, row: list[int]) -> str:
        """The token that a row of the orders is about."""
        if row[c.O_REFUSED] == lg.UNKNOWN:
            return self.unknown[row[O_TOKEN]]
        market: Market = self.market(row)
        return market.tokens[row[O_OUTCOME]].id

    def reason(self, row: list[int]) -> str:
        """What the strategy said with it."""
        return self.reasons[row[O_REASON]] or REASON

    def reviewed(self, row: list[int]) -> fx.OrderReviewed:
        """What the risk door said of one row of the log."""
        market, price, door = self.market(row), row[c.O_PRICE], self.engine.parts.door
        draft = Draft(
            0, row[O_TOKEN], SIDES[row[c.O_SIDE]], price, row[c.O_ASKED], Kind.QUOTE, None, None
        )
        if row[c.O_REFUSED] == lg.OUT_OF_RANGE:
            verdicts: tuple[Verdict, ...] = door.review(draft, row[c.O_TS]).verdicts
        else:
            verdicts = door.recall(
                draft, bool(row[c.O_REDUCES]), self._case(row), self._halted(row)
            )
        return fx.OrderReviewed(
            row[c.O_TS], self.ledger, self.id(row), self.intent(row), row[c.O_ASKED],
            row[c.O_PERMITTED], verdicts, (), market.id, price, None,
            decimals=(market.price_decimals, market.size_decimals),
        )  # fmt: skip

    def intent(self, row: list[int]) -> Intent:
        """What the strategy wanted to rest."""
        until = row[O_EXPIRES] - row[c.O_TS] if row[O_EXPIRES] else 0
        return Intent(
            token=self.token(row), side=SIDES[row[c.O_SIDE]], price=row[c.O_PRICE],
            size=row[c.O_ASKED], kind=Kind.QUOTE, tif=_tif(row), ttl=until,
            post_only=row[O_POST] == 1, reason=self.reason(row),
        )  # fmt: skip

    def order(self, row: list[int]) -> Order:
        """The order that was sent."""
        return Order(
            id=self.id(row), ledger=self.ledger, market=self.market(row).id,
            token=self.token(row), side=SIDES[row[c.O_SIDE]], price=row[c.O_PRICE],
            size=row[c.O_PERMITTED], tif=_tif(row), ts=row[c.O_TS], kind=Kind.QUOTE,
            post_only=row[O_POST] == 1, expires=row[O_EXPIRES], reason=self.reason(row),
            salt=salt_of(self.session, row[c.O_NUMBER]),
        )  # fmt: skip

    def fill(self, row: list[int], sent: list[int]) -> Fill:
        """What an answer says was executed."""
        id = self.id(sent)
        return Fill(
            trade=f"{id}-{row[X_TRADE]}", order=id, ledger=self.ledger,
            market=self.market(sent).id, token=self.token(sent), side=SIDES[sent[c.O_SIDE]],
            price=row[c.X_PRICE], size=row[c.X_SIZE], fee=row[c.X_FEE], ts=row[c.X_TS],
            maker=row[X_MAKER] == 1, reason=self.reason(sent),
        )  # fmt: skip

    def verdicts(self, row: list[int]) -> tuple[Verdict, ...]:
        """The verdicts of a review; where no guard objected all of its kind share one answer."""
        if row[c.O_REFUSED]:
            return self.reviewed(row).verdicts
        return super().verdicts(row)


def _tif(row: list[int]) -> TimeInForce:
    return TimeInForce.GTD if row[O_EXPIRES] else TimeInForce.GTC


class TapeFilled(Filled):
    """The fills of a compiled run over a tape."""

    reason = REASON

    @property
    def outcome(self) -> Ints:
        """Which outcome's token each is of."""
        found: Ints = self.sent[:, O_OUTCOME]
        return found

    @property
    def maker(self) -> NDArray[np.bool_]:
        """Whether each one's order rested."""
        found: NDArray[np.bool_] = self.rows[:, X_MAKER] == 1
        return found


class TapeReviewed(Reviewed):
    """The reviews of a compiled run over a tape.

    What lies out of the venue's range is denied before any guard is asked, and keeps no case.
    """

    def objected(self) -> Iterator[LateReview]:
        """Those in which a guard, or the venue's range, ruled against the order."""
        out = self.rows[:, c.O_REFUSED] == lg.OUT_OF_RANGE
        for row in self.rows[out | (self.rows[:, c.O_CASE] != 0)].tolist():
            yield LateReview(self.words, row)

    def objections(self) -> Counter[Objection]:
        """What protections objected, and the venue to what is out of its range."""
        found = super().objections()
        out = int((self.rows[:, c.O_REFUSED] == lg.OUT_OF_RANGE).sum())
        if out:
            found[out_of_range(self.words.engine.parts.door)] += out
        return found


def orders_of(reviews: Ints, engine: Engine, at: Ints | None = None) -> Ints:
    """The reviews in the columns that all compiled runs have in common, and a few of their own.

    ``at`` are their rows in the log where they are not all of it.
    """
    rows = np.zeros((len(reviews), O_REASON + 1), np.int64)
    same = (
        (c.O_TS, lg.L_TS), (c.O_MARKET, lg.L_MARKET), (c.O_SIDE, lg.L_SIDE),
        (c.O_PRICE, lg.L_PRICE), (c.O_ASKED, lg.L_ASKED), (c.O_PERMITTED, lg.L_PERMITTED),
        (c.O_NUMBER, lg.L_NUMBER), (c.O_REDUCES, lg.L_REDUCES), (c.O_CASE, lg.L_CASE),
        (c.O_REFUSED, lg.L_REFUSED), (O_TOKEN, lg.L_TOKEN), (O_EXPIRES, lg.L_EXPIRES),
        (O_POST, lg.L_POST), (O_REASON, lg.L_REASON),
    )  # fmt: skip
    for ours, theirs in same:
        rows[:, ours] = reviews[:, theirs]
    rows[:, c.O_KIND] = QUOTE_BIT
    rows[:, c.O_ROW] = np.arange(len(rows)) if at is None else at
    mid = reviews[:, lg.L_MID]
    rows[:, c.O_MID] = np.where(mid > 0, mid // 2, NO_MID)
    offset = np.array(engine.context.universe.offset, np.int64)
    rows[:, O_OUTCOME] = rows[:, O_TOKEN] - offset[rows[:, c.O_MARKET]]
    return rows


def fills_of(told: Ints, sent: Ints, ones: Ints) -> Ints:
    """The fills that answers tell, ``sent`` the orders they are of; ``ones`` by market."""
    rows = np.zeros((len(told), X_TRADE + 1), np.int64)
    rows[:, c.X_ORDER] = told[:, lg.T_LOG]
    same = (
        (c.X_TS, lc.X_TS), (c.X_KNOWN, lc.X_KNOWN), (c.X_SIZE, lc.X_SIZE), (c.X_FEE, lc.X_FEE),
        (c.X_REALISED, lg.T_REALISED), (c.X_OPEN, lc.X_ROW), (X_MAKER, lc.X_MAKER),
        (X_TRADE, lc.X_TRADE),
    )  # fmt: skip
    for ours, theirs in same:
        rows[:, ours] = told[:, theirs]
    price = told[:, lc.X_PRICE]
    other = sent[:, O_OUTCOME] == 1
    rows[:, c.X_PRICE] = np.where(other, ones[sent[:, c.O_MARKET]] - price, price)
    return rows


def ones_of(engine: Engine) -> Ints:
    """The price of 1.0 of every market."""
    markets = engine.context.universe.markets
    return np.array([market.price_one for market in markets], np.int64)


def kept(
    engine: Engine, orders: Ints, told: Ints, cases: Ints, words: TapeWords
) -> tuple[TapeFilled, Reviewed]:
    """Every fill and every review, told when somebody asks; ``orders`` as of ``orders_of``."""
    fills = told[:, lc.X_WHAT] == lc.FILLED
    told = told if fills.all() else told[fills]
    sent = orders[told[:, lg.T_LOG]]
    rows = fills_of(told, sent, ones_of(engine))
    words = TapeWords(
        engine, cases, halts=words.halts, reasons=words.reasons, unknown=words.unknown
    )
    considered = (orders[:, c.O_REFUSED] == 0) | (orders[:, c.O_REFUSED] == lg.OUT_OF_RANGE)
    quality = np.zeros(len(rows), np.int64)
    if not considered.all():
        orders = orders[considered]
    return TapeFilled(words, rows, sent, quality), TapeReviewed(words, orders)


def refusals(reviews: Ints) -> Counter[str]:
    """How often what was not even considered."""
    counts = np.bincount(reviews[:, lg.L_REFUSED])
    return Counter(
        {f"Quotes: {UNSEEN[why]}": int(n) for why, n in enumerate(counts) if n and why in UNSEEN}
    )
