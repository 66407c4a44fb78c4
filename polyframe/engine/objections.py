"""What guards objected to in many reviews at once, counted by rule.

A compiled run keeps what its guards saw whenever one of them ruled against an order. Here they rule
once more on all of it in machine code, and words are made once for all reviews that share a rule.
"""

from __future__ import annotations

from collections import Counter
from collections.abc import Callable, Iterable, Iterator, Mapping, Sequence
from typing import TYPE_CHECKING, Any, Final, NamedTuple, TypeAlias

import numpy as np
from numpy.typing import NDArray

from polyframe.domain.verdict import Ruling, Verdict
from polyframe.engine.reasons import OUT_OF_RANGE, Found, because, least_rule, rule_of
from polyframe.kernels import guards_nb as g
from polyframe.kernels.review_nb import review_each

if TYPE_CHECKING:
    from polyframe.engine.risk import RiskDoor

Ints: TypeAlias = NDArray[np.int64]

AT_ONCE: Final = 1 << 14
"""reviews that are ruled on at a stretch: their rulings take half a kilobyte each"""


class Objection(NamedTuple):
    """What a protection objected, and what became of the order."""

    protection: str
    ruling: Ruling
    binding: bool
    sent: bool
    """true when the order went out all the same, smaller or because the objection did not bind"""
    rule: str


class Opposed(NamedTuple):
    """Reviews in which a guard ruled against the order.

    Shapes: order (n, O_SIZE_OF), state (n, 2, S_SIZE_OF), all others (n,). ``halt`` indexes the
    words for why trading was halted; None asks the door, which has them as they are now.
    Units: sizes.
    """

    order: Ints
    state: Ints
    market: Ints
    asked: Ints
    permitted: Ints
    reduces: Ints
    halt: Ints | None


def objections(
    door: RiskDoor, ledger: int, opposed: Opposed, halts: Sequence[str] = ()
) -> Counter[Objection]:
    """How often each protection objected, by ruling and rule."""
    found: Counter[Objection] = Counter()
    for at in range(0, len(opposed.order), AT_ONCE):
        rows = slice(at, at + AT_ONCE)
        part = Opposed(*(None if column is None else column[rows] for column in opposed))  # type: ignore[arg-type]
        _Ruled(door, ledger, part, halts).count(found)
    return found


def out_of_range(door: RiskDoor) -> Objection:
    """The objection to an order that nothing can be computed about."""
    return Objection(door.guards.name_of("venue_rules"), Ruling.DENY, True, False, OUT_OF_RANGE)


def objected(verdicts: Iterable[Verdict], *, sent: bool) -> Iterator[Objection]:
    """The objections among the verdicts of one review."""
    for verdict in verdicts:
        if verdict.ruling < Ruling.ALLOW:
            yield Objection(
                verdict.protection, verdict.ruling, verdict.binding, sent, rule_of(verdict.reason)
            )


class _Ruled:
    """A stretch of reviews, ruled on again."""

    def __init__(self, door: RiskDoor, ledger: int, opposed: Opposed, halts: Sequence[str]) -> None:
        self.door, self.ledger, self.opposed, self.halts = door, ledger, opposed, halts
        self.row = (ledger, door.state.account)
        guards = door.guards
        self.permitted = np.zeros((len(opposed.order), 2, len(g.GUARDS)), np.int64)
        order, state = (np.ascontiguousarray(each) for each in opposed[:2])
        review_each(
            order,
            state,
            guards.limits,
            guards.applies,
            guards.risk_scope,
            self.permitted,
            *self.row,
        )

    def count(self, found: Counter[Objection]) -> None:
        """Adds what each guard objected, and the venue to what they left."""
        opposed, guards = self.opposed, self.door.guards
        left = opposed.asked.copy()
        for index, name, risk in guards.in_force[self.ledger]:
            mine, whole = self.permitted[:, 0, index], self.permitted[:, 1, index]
            # The stricter row, as the door takes it.
            which = (mine == g.NOT_APPLICABLE) | ((whole != g.NOT_APPLICABLE) & (whole < mine))
            size = np.where(which, whole, mine)
            against = (size != g.NOT_APPLICABLE) & (size < opposed.asked)
            binding = (opposed.reduces == 0) | (not risk)
            np.minimum(left, size, out=left, where=against & binding)
            kinds = (size <= 0, binding, opposed.permitted > 0)
            self._by_rule(found, index, name, np.flatnonzero(against), (which, *kinds))
        self._least(found, left)

    def _by_rule(
        self, found: Counter[Objection], index: int, name: str, at: Ints, kinds: tuple[Any, ...]
    ) -> None:
        for row in (0, 1):
            rows = at[kinds[0][at] == bool(row)]
            if not len(rows):
                continue
            guard, opposed = g.GUARDS[index], self.opposed
            order, state = opposed.order[rows], opposed.state[rows, row]
            limits = self.door.guards.limits[self.row[row]]
            keys = [column[rows] for column in kinds[1:]]
            keys += [opposed.market[rows], *rule_keys(guard, order, state, limits)]
            if guard == "kill_switch":
                keys.append(order[:, g.O_TS] if opposed.halt is None else opposed.halt[rows])
            table = np.stack([column.astype(np.int64) for column in keys], axis=1)
            _, first, times = np.unique(table, axis=0, return_index=True, return_counts=True)
            for n, count in zip(first.tolist(), times.tolist(), strict=True):
                deny, binding, sent = (bool(column[n]) for column in keys[:3])
                rule = self._rule(guard, row, int(rows[n]))
                ruling = Ruling.DENY if deny else Ruling.SHRINK
                found[Objection(name, ruling, binding, sent, rule)] += count

    def _rule(self, guard: str, row: int, n: int) -> str:
        door, opposed = self.door, self.opposed
        state = door.state
        market = state.universe.markets[int(opposed.market[n])]
        if opposed.halt is not None:
            halted = self.halts[int(opposed.halt[n])]
        else:
            at = int(opposed.order[n, g.O_TS])
            halt = door.halted(state.ledgers[self.ledger], market.id, at)
            halted = halt.reason if halt is not None else ""
        limits = door.guards.limits[self.row[row]]
        case = Found(opposed.order[n], opposed.state[n, row], limits, market, halted)
        return rule_of(because(guard, case))

    def _least(self, found: Counter[Objection], left: Ints) -> None:
        """Less than the venue takes was left."""
        opposed = self.opposed
        lots = left // opposed.order[:, g.O_LOT] * opposed.order[:, g.O_LOT]
        name = self.door.guards.name_of("venue_rules")
        markets = self.door.state.universe.markets
        for number, times in Counter(
            opposed.market[(lots > 0) & (opposed.permitted == 0)].tolist()
        ).items():
            rule = least_rule(markets[number], markets[number].min_size)
            found[Objection(name, Ruling.DENY, True, False, rule)] += times


# ---- what makes two reviews share a rule ---------------------------------------------------------

Keys: TypeAlias = Callable[[Ints, Ints, Ints], list[NDArray[Any]]]


def _columns(order: Sequence[int] = (), state: Sequence[int] = ()) -> Keys:
    return lambda o, s, _limits: [o[:, k] for k in order] + [s[:, k] for k in state]


def _timeline_key(order: Ints, state: Ints, limits: Ints) -> list[NDArray[Any]]:
    closes = state[:, g.S_CLOSES]
    last = closes - order[:, g.O_TS] < limits[g.L_TIMELINE_LAST]
    return [(closes == g.MISSING) | (closes <= 0), last]


RULE_KEYS: Mapping[str, Keys] = {
    "kill_switch": _columns(state=(g.S_KILLED,)),
    "drawdown_heat": _columns(state=(g.S_PEAK_EQUITY, g.S_EQUITY)),
    "timeline": _timeline_key,
    "category": _columns(state=(g.S_CATEGORY_CAP,)),
    "symbol": _columns(state=(g.S_MARKET_NET, g.S_MARKET_GROSS, g.S_TOTAL_NET, g.S_EQUITY)),
    "order_size": _columns(order=(g.O_KIND,)),
    "order_rate": _columns(state=(g.S_ORDERS_SECOND,)),
    "price_band": _columns(order=(g.O_PRICE, g.O_ONE)),
    "venue_rules": _columns(
        order=(g.O_PRICE, g.O_TICK, g.O_MAX_PRICE, g.O_SIDE, g.O_MIN_SIZE, g.O_LOT),
        state=(g.S_TRADABLE, g.S_OWN_ASK, g.S_OWN_BID),
    ),
    "balance": _columns(order=(g.O_SIDE,)),
}
"""What a guard's rule depends on besides limits, market and halt; others' stand by themselves."""


def rule_keys(guard: str, order: Ints, state: Ints, limits: Ints) -> list[NDArray[Any]]:
    """The columns in which reviews must agree to have the same rule of a guard.

    Shapes: order (n, O_SIZE_OF), state (n, S_SIZE_OF), limits (L_SIZE_OF,); the columns (n,).
    """
    return RULE_KEYS.get(guard, _columns())(order, state, limits)
