"""The one door. Only this module makes an :class:`ApprovedOrder`.

All protections always rule, the strictest wins, and every opinion is recorded. The guards of the
core are one compiled call a row: once with the numbers and limits of the strategy's ledger, once
with those of the whole account, so that every cap holds for both.
"""

from __future__ import annotations

from collections.abc import Callable, Mapping, Sequence
from typing import Any, NamedTuple, Protocol, TypeAlias

import msgspec
import numpy as np
from numpy.typing import NDArray

from polyframe.api.protection import Halt, Proposal, Protection
from polyframe.api.view import View
from polyframe.domain.orders import KIND_BIT, ApprovedOrder, Kind, Order, Seal, Side
from polyframe.domain.units import Money, Ns, Size, cost_of, proceeds_of
from polyframe.domain.verdict import Ruling, Verdict, meet
from polyframe.engine.guards import Guarded, Guards
from polyframe.engine.reasons import OUT_OF_RANGE, SEPARATOR, Found, because, least_rule
from polyframe.engine.state import RESTING, OpenOrder, State
from polyframe.engine.vectors import INPUTS, Draft, Vectors, least_size
from polyframe.errors import InvariantError, PluginError
from polyframe.kernels import guards_nb as g
from polyframe.kernels import review_nb
from polyframe.kernels import tables_nb as t

__all__ = ["Draft", "Guarded", "RiskDoor", "Ruled"]


MOST_AGREED = 4_096
"""reviews without an objection whose verdicts are kept, because many orders share their size"""


class Calls(Protocol):
    """The wrapper around every plugin call."""

    def call(self, owner: str, method: Callable[..., Any], *args: Any) -> Any:
        """Calls a plugin's method; what it raises comes out as PluginError."""


Case: TypeAlias = "tuple[NDArray[np.int64], NDArray[np.int64]]"
"""The order's vector and the numbers of both rows, as the guards saw them."""


class Ruled(NamedTuple):
    """The door's ruling."""

    permitted: Size
    verdicts: tuple[Verdict, ...]
    reduces: bool


class RiskDoor:
    """Reviews, reserves and seals."""

    def __init__(
        self,
        state: State,
        seal: Seal,
        guarded: Sequence[Guarded],
        views: Mapping[int, View],
        calls: Calls,
    ) -> None:
        self.state = state
        self.killed = False
        self.halts: dict[tuple[str, str], Halt] = {}
        self._seal = seal
        self._views = views
        self._calls = calls
        self.failure: PluginError | None = None
        """what the last review's own-written protection raised, None when none did"""
        self.guards = Guards(state, guarded)
        self._vectors = Vectors(state)
        self._vectors.twin = self.guards.twin
        self._crossed = state.tables.scalar(t.A_CROSSED)
        self._permitted = np.zeros((2, len(g.GUARDS)), dtype=np.int64)
        self._agreed: dict[tuple[int, int, Size, bool], tuple[Verdict, ...]] = {}

    def expect(self, inputs: frozenset[str]) -> None:
        """Says what the session's data can tell; guards that need anything else let orders pass.

        Raises:
            InvariantError: a name is unknown.
        """
        if unknown := inputs - INPUTS.keys():
            raise InvariantError(f"no input of a guard is called {min(unknown)}")
        self._vectors.inputs = sum(INPUTS[name] for name in inputs)

    @property
    def inputs(self) -> int:
        """What the session's data can tell, as bits."""
        return self._vectors.inputs

    @property
    def limits(self) -> NDArray[np.int64]:
        """The limits in force, a row a ledger and the account's; MISSING where none is set."""
        return self.guards.limits

    @property
    def compiled(self) -> bool:
        """True when every protection is a compiled guard."""
        return not self.guards.owned

    def limit(self, name: str, row: int | None = None) -> int | None:
        """A limit in force for the account (or one ledger's row), None when unset."""
        return self.guards.limit(name, self.state.account if row is None else row)

    def own_bid(self, token: int) -> int:
        """The best own bid that a sale of a token would meet, of any ledger; 0 for none."""
        return self._vectors.own_touch(token, self.state.universe.token_market[token])[0]

    # ---- halts -----------------------------------------------------------------------------

    def halt(self, halt: Halt) -> None:
        """Blocks new exposure; the longer of two halts of one place stands."""
        key = (halt.ledger, halt.market)
        old = self.halts.get(key)
        if old is not None and (old.until == 0 or (halt.until and halt.until < old.until)):
            return
        self.halts[key] = halt

    def latched(self, ledger: str) -> bool:
        """True from a fall from the peak that stops trading until a person resets it."""
        crossed = self._crossed
        row = self.state.ledger_index.get(ledger, self.state.account)
        return bool((crossed[row] | crossed[self.state.account]) & t.CROSSED_KILL)

    def halted(self, ledger: str, market: str, now: Ns) -> Halt | None:
        """The halt that blocks new exposure of a ledger in a market now."""
        if self.latched(ledger):
            return Halt(reason="fell too far from the peak", ledger=ledger)
        if not self.halts:
            return None
        for key in (("", ""), (ledger, ""), ("", market), (ledger, market)):
            halt = self.halts.get(key)
            if halt is None:
                continue
            if halt.until and halt.until <= now:
                del self.halts[key]
                continue
            return halt
        return None

    # ---- review ----------------------------------------------------------------------------

    def review(self, draft: Draft, now: Ns) -> Ruled:
        """Rules on a draft. Nothing is reserved yet."""
        state, universe = self.state, self.state.universe
        m = universe.token_market[draft.token]
        market, group = universe.markets[m], universe.group_of[m]
        if not (0 <= draft.price <= market.max_price and 0 < draft.size <= market.max_size):
            # Nothing can be computed about it in 64 bits.
            return Ruled(0, (self._venue_denial(OUT_OF_RANGE),), False)
        fee = market.taker_fee(draft.price, draft.size)
        if draft.side == Side.BUY:
            cost = cost_of(draft.price, draft.size, market.divisor) + fee
        else:
            cost = -(proceeds_of(draft.price, draft.size, market.divisor) - fee)
        reduces = self._reduces(draft, m, group)
        # An entry does not escape the guards by calling itself an exit.
        kind = Kind.DIRECTIONAL if draft.kind == Kind.EXIT and not reduces else draft.kind
        vectors = self._vectors
        halted = self.halted(state.ledgers[draft.ledger], market.id, now) is not None
        vectors.fill_order(draft, kind, reduces, cost, now)
        vectors.fill_numbers(draft, self.killed, halted, now, self.guards.limits)
        permitted = self._rule(draft)
        verdicts = self._verdicts(draft, reduces, None)
        if self.guards.owned:
            owned = self._ask_owned(draft, kind, reduces, cost, fee, m, group, now)
            verdicts.extend(owned)
            permitted = min(permitted, meet(owned, draft.size))
        permitted = self._in_lots(draft, permitted, verdicts)
        return Ruled(permitted, tuple(verdicts), reduces)

    def _rule(self, draft: Draft) -> Size:
        """Asks the compiled guards about what the vectors say; they answer for both rows."""
        guards, vectors = self.guards, self._vectors
        ruled = review_nb.review_both(
            vectors.order, vectors.numbers, guards.limits, guards.applies, guards.risk_scope,
            self._permitted, draft.ledger, self.state.account, 1 if vectors.twin else 0,
        )  # fmt: skip
        return min(draft.size, int(ruled))

    def _in_lots(self, draft: Draft, permitted: Size, verdicts: list[Verdict]) -> Size:
        """Whole lots of what is permitted; nothing where that is below the venue's minimum."""
        universe = self.state.universe
        market = universe.markets[universe.token_market[draft.token]]
        permitted = (permitted // market.lot) * market.lot
        least = least_size(market, draft)
        if 0 < permitted < least:
            rule = least_rule(market, least)
            left = f"{market.show_size(permitted)} is left"
            verdicts.append(self._venue_denial(f"{rule}{SEPARATOR}{left}"))
            return 0
        return permitted

    def recall(
        self, draft: Draft, reduces: bool, case: Case | None, halted: str | None = None
    ) -> tuple[Verdict, ...]:
        """The verdicts of a review that a compiled loop held; ``case`` None: no guard objected.

        ``halted`` is why trading was halted then; None: as it is now.
        """
        if case is None:
            return self._unopposed(draft, reduces)
        self._vectors.order[:] = case[0]
        self._vectors.numbers[:] = case[1]
        permitted = self._rule(draft)
        verdicts = self._verdicts(draft, reduces, halted)
        self._in_lots(draft, permitted, verdicts)
        return tuple(verdicts)

    def _unopposed(self, draft: Draft, reduces: bool) -> tuple[Verdict, ...]:
        """One verdict a guard in force: it allows, or the order's kind is not its matter."""
        kind, size = KIND_BIT[draft.kind], draft.size
        key = (draft.ledger, kind, size, reduces)
        found = self._agreed.get(key)
        if found is None:
            guards = self.guards
            applies = guards.applies[draft.ledger] | guards.applies[self.state.account]
            found = tuple(
                Verdict(name, Ruling.ALLOW, size, "", not (reduces and bool(guards.risk_scope[i])))
                if applies[i] & kind
                else Verdict(name, Ruling.NOT_APPLICABLE, size)
                for i, name in enumerate(guards.names)
                if applies[i]
            )
            if len(self._agreed) >= MOST_AGREED:
                self._agreed.clear()
            self._agreed[key] = found
        return found

    def _venue_denial(self, reason: str) -> Verdict:
        return Verdict(self.guards.name_of("venue_rules"), Ruling.DENY, 0, reason)

    def _reduces(self, draft: Draft, m: int, group: str) -> bool:
        state = self.state
        if draft.closing:
            # Half of a hedge is a position too: whoever wants to leave it may.
            return True
        yes, no = state.losses(draft.token, draft.side, draft.price, draft.size)
        if draft.side == Side.SELL:
            free = (
                state.shares[draft.ledger, draft.token]
                - state.reserved_shares[draft.ledger, draft.token]
            )
            if draft.size > free:
                # The part that is not owned cannot be sold anyway; judge what can.
                yes, no = state.losses(draft.token, draft.side, draft.price, max(free, 0))
        return state.reduces(draft.ledger, m, yes, no)

    def _verdicts(self, draft: Draft, reduces: bool, halted: str | None = None) -> list[Verdict]:
        """One verdict a guard: the stricter of the ledger's and the account's."""
        asked = draft.size
        found: list[Verdict] = []
        mine, whole = self._permitted.tolist()
        for index, name, risk in self.guards.in_force[draft.ledger]:
            own, all_ = mine[index], whole[index]
            which = 1 if own == g.NOT_APPLICABLE or g.NOT_APPLICABLE != all_ < own else 0
            size = all_ if which else own
            if size == g.NOT_APPLICABLE:
                found.append(Verdict(name, Ruling.NOT_APPLICABLE, asked))
            elif size >= asked:
                found.append(Verdict(name, Ruling.ALLOW, asked, "", not (reduces and risk)))
            else:
                why = self._because(index, draft, which, halted)
                found.append(Verdict.from_size(name, size, asked, why, not (reduces and risk)))
        return found

    def _because(self, index: int, draft: Draft, which: int, halted: str | None) -> str:
        """Its words from the numbers of the stricter row: the ledger's or the account's."""
        state, vectors = self.state, self._vectors
        row = state.account if which else draft.ledger
        market = state.universe.markets[state.universe.token_market[draft.token]]
        if halted is None:
            halt = self.halted(state.ledgers[draft.ledger], market.id, int(vectors.order[g.O_TS]))
            halted = halt.reason if halt is not None else ""
        limits = self.guards.limits[row]
        found = Found(vectors.order, vectors.numbers[which], limits, market, halted)
        return because(g.GUARDS[index], found)

    def _ask_owned(
        self, draft: Draft, kind: Kind, reduces: bool, cost: Money, fee: Money, m: int,
        group: str, now: Ns,
    ) -> list[Verdict]:  # fmt: skip
        state = self.state
        market = state.universe.markets[m]
        ledger = state.ledgers[draft.ledger]
        proposal = Proposal(
            ledger=ledger, market=market.id, group=group,
            token=market.tokens[state.universe.token_outcome[draft.token]].id,
            side=draft.side, price=draft.price, size=draft.size, kind=kind, reduces=reduces,
            cost=cost, fee=fee, edge=draft.edge, probability=draft.probability, ts=now,
        )  # fmt: skip
        verdicts = []
        for item in self.guards.owned:
            if item.ledgers is not None and ledger not in item.ledgers:
                continue
            name = type(item.protection).__name__
            if kind not in item.protection.applies_to:
                verdicts.append(Verdict(name, Ruling.NOT_APPLICABLE, draft.size))
                continue
            verdicts.append(self._ask(item.protection, name, proposal, reduces, draft.ledger))
        return verdicts

    def _ask(
        self, protection: Protection, name: str, proposal: Proposal, reduces: bool, ledger: int
    ) -> Verdict:
        try:
            verdict = self._calls.call(name, protection.review, proposal, self._views[ledger])
            size, ruling, reason = verdict.size, verdict.ruling, verdict.reason
            if (
                not isinstance(verdict, Verdict)
                or type(size) is not int
                or size < 0
                or not isinstance(ruling, Ruling)
                or type(reason) is not str
            ):
                raise TypeError(f"review returned {verdict!r}")
        except (Exception, SystemExit) as error:  # a guard that fails is a guard that denies
            self.failure = _failure(name, error)
            why = self.failure.message
            return Verdict(name, Ruling.DENY, 0, why, binding=not reduces)
        if ruling is Ruling.DENY:
            size = 0
        return Verdict.from_size(
            name, min(size, proposal.size), proposal.size, reason, binding=not reduces
        )

    # ---- approval ----------------------------------------------------------------------------

    def approve(self, order: Order, ruled: Ruled) -> tuple[OpenOrder, ApprovedOrder]:
        """Reserves for an order that was ruled on in this very step, and seals it."""
        state = self.state
        if not 0 < order.size <= ruled.permitted:
            raise InvariantError(f"order {order.id} asks for more than was permitted")
        token = state.universe.token_index[order.token]
        m = state.universe.token_market[token]
        market = state.universe.markets[m]
        open_order = OpenOrder(order, state.ledger_index[order.ledger], m, token)
        state.open(open_order)
        if not order.style:
            # Of an order that goes out in parts the parts count.
            state.count_sent(open_order.ledger, order, market.divisor)
        return open_order, ApprovedOrder(order, open_order.reserved, self._seal)

    def approve_child(
        self, parent: OpenOrder, child: Order, edge: float | None, now: Ns
    ) -> tuple[OpenOrder | None, ApprovedOrder | None, tuple[Verdict, ...]]:
        """Rules on one part of an approved parent; it draws on the parent's reservation.

        Checked again: what is left of the parent, its price limit, the venue's rules, kill and
        halts, and the edge when it was stated. Like any order it may be shrunk: beside the rest of
        its parent it needs a slack of its own, which a parent at its cap has no room for.
        """
        verdicts = self._child_limits(parent, child)
        if not verdicts:
            # The parent steps back by the child's size while the child is looked at, so that it
            # is not counted twice.
            parent.working += child.size
            self.state.reserve(parent)
            draft = Draft(
                parent.ledger, parent.token, child.side, child.price, child.size, child.kind,
                edge, None, child.tif in RESTING,
            )  # fmt: skip
            ruled = self.review(draft, now)
            parent.working -= child.size - ruled.permitted
            self.state.reserve(parent)
            if ruled.permitted > 0:
                sent = msgspec.structs.replace(child, size=ruled.permitted)
                return *self.approve(sent, ruled), ruled.verdicts
            verdicts = ruled.verdicts
        return None, None, verdicts

    @staticmethod
    def _child_limits(parent: OpenOrder, child: Order) -> tuple[Verdict, ...]:
        if child.size <= 0:
            return (Verdict("parent", Ruling.DENY, 0, "a size that is not above zero"),)
        worse = (child.price - parent.order.price) * child.side
        if worse > 0:
            return (Verdict("parent", Ruling.DENY, 0, "worse than the parent's price limit"),)
        if child.size > parent.remaining:
            return (Verdict("parent", Ruling.DENY, 0, "more than is left of the parent"),)
        if parent.order.post_only and not child.post_only:
            return (Verdict("parent", Ruling.DENY, 0, "may take, its parent only posts"),)
        return ()


def _failure(name: str, error: BaseException) -> PluginError:
    if isinstance(error, PluginError):
        return error
    return PluginError(
        f"{name}.review failed with {type(error).__name__}: {error}",
        expected="a Verdict from self.allow, self.shrink or self.deny",
    )
