"""The protection port: guards that no strategy can bypass."""

from __future__ import annotations

from collections.abc import Mapping
from typing import ClassVar, Literal

import msgspec

from polyframe.api.plugin import Plugin
from polyframe.api.view import View
from polyframe.domain.events import Event
from polyframe.domain.orders import Kind, Side
from polyframe.domain.units import Money, Ns, Price, Size
from polyframe.domain.verdict import Ruling, Verdict

Scope = Literal["risk", "venue"]


class Proposal(msgspec.Struct, frozen=True, kw_only=True):
    """A sized intent on its way through the risk door.

    ``reduces`` is True when the worst case of its event does not fall by it. ``cost`` is the cash a
    purchase needs, fee included. ``edge`` is None when the strategy did not state one.
    """

    ledger: str
    market: str
    group: str
    token: str
    side: Side
    price: Price
    size: Size
    kind: Kind
    reduces: bool
    cost: Money
    fee: Money
    edge: float | None
    probability: float | None
    ts: Ns


class Halt(msgspec.Struct, frozen=True, kw_only=True):
    """Block new exposure until ``until`` (0: until reset by a person).

    Empty ``ledger`` and ``market`` mean everywhere.
    """

    reason: str
    until: Ns = 0
    ledger: str = ""
    market: str = ""


ALL_KINDS: frozenset[Kind] = frozenset(Kind)


class Protection(Plugin):
    """Rules on every proposal; the strictest protection wins.

    Outside ``applies_to`` it is not asked. Anything it raises, and any NaN, is a denial. Verdicts
    of scope ``risk`` do not bind on orders that reduce exposure: no guard can trap a position.

    A guard of the core names one compiled function in ``kernel`` and returns its limits from
    :meth:`limits`; then ``review`` is never called. Only such a guard may have scope ``venue``.
    """

    scope: ClassVar[Scope] = "risk"
    applies_to: ClassVar[frozenset[Kind]] = ALL_KINDS
    kernel: ClassVar[str] = ""

    def limits(self) -> Mapping[str, int]:
        """The kernel's limits by name, as integers."""
        return {}

    def limits_by_category(self) -> Mapping[str, Mapping[str, int]]:
        """Limits of single categories of markets: limit name, then category in lower case."""
        return {}

    def observe(self, event: Event, view: View) -> Halt | None:
        """Sees every event before the strategies do; may halt trading."""
        return None

    def review(self, proposal: Proposal, view: View) -> Verdict:
        """Rules on one proposal."""
        return self.allow(proposal)

    def allow(self, proposal: Proposal) -> Verdict:
        """No objection."""
        return Verdict(type(self).__name__, Ruling.ALLOW, proposal.size)

    def shrink(self, proposal: Proposal, size: Size, reason: str) -> Verdict:
        """At most ``size``."""
        return Verdict.from_size(type(self).__name__, size, proposal.size, reason)

    def deny(self, reason: str) -> Verdict:
        """Not at all."""
        return Verdict(type(self).__name__, Ruling.DENY, 0, reason)
