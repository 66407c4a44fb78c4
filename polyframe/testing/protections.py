"""The conformance suites of protections and sizers."""

from __future__ import annotations

from collections.abc import Iterator
from itertools import pairwise, product
from typing import Any

from polyframe.api.protection import Halt, Proposal
from polyframe.api.strategy import Strategy
from polyframe.api.view import View
from polyframe.domain import effects as fx
from polyframe.domain.events import BookUpdated
from polyframe.domain.orders import Kind, Side
from polyframe.domain.units import HOUR, cost_of
from polyframe.domain.verdict import Ruling, Verdict
from polyframe.domain.wishes import Intent, Wish
from polyframe.engine.sized import sound_size
from polyframe.errors import DataError
from polyframe.testing.builders import SHARE, START, YES, build_book, build_market
from polyframe.testing.contract import PluginSuite
from polyframe.testing.session import Session
from polyframe.testing.transcript import transcript


def build_proposal(**changes: Any) -> Proposal:
    """A sized purchase of ten shares at 0.51 on its way through the risk door."""
    market = build_market()
    values: dict[str, Any] = {
        "ledger": "tested", "market": "m1", "group": "m1", "token": "m1-yes", "side": Side.BUY,
        "price": 5_100, "size": 10 * SHARE, "kind": Kind.DIRECTIONAL, "reduces": False,
        "edge": 0.05, "probability": 0.6, "ts": START,
    }  # fmt: skip
    values |= changes
    fee = market.taker_fee(values["price"], values["size"])
    cost = cost_of(values["price"], values["size"], market.divisor) + fee
    return Proposal(**{"cost": cost, "fee": fee, **values})


class ProtectionSuite(PluginSuite):
    """Asks a protection about proposals, alone and inside a session with the real risk door."""

    def proposals(self) -> Iterator[Proposal]:
        """Proposals of every kind, side, size and state of knowledge."""
        kinds = sorted(self.plugin.applies_to)  # type: ignore[attr-defined]
        for kind, side, size, edge in product(
            kinds, Side, (1, SHARE, 10_000 * SHARE), (None, 0.0, 0.5)
        ):
            yield build_proposal(kind=kind, side=side, size=size, edge=edge, reduces=side < 0)

    def test_it_rules_within_what_was_asked(self) -> None:
        """A verdict with its own name, whose size is what it permits of what was asked."""
        protection = self.make()
        session = Session()
        session.send(build_book())
        for proposal in self.proposals():
            verdict = protection.review(proposal, session.view)
            assert isinstance(verdict, Verdict)
            assert verdict.protection == self.plugin.__name__
            assert type(verdict.size) is int
            assert 0 <= verdict.size <= proposal.size
            if verdict.ruling is Ruling.DENY:
                assert verdict.size == 0
            if verdict.ruling in (Ruling.DENY, Ruling.SHRINK):
                assert verdict.reason, "a refusal says why"

    def test_asking_for_more_never_permits_less(self) -> None:
        """What it permits of a large order is no less than what it permits of a small one."""
        protection, session = self.make(), Session()
        session.send(build_book())
        sizes = [
            protection.review(build_proposal(size=n * SHARE), session.view).size
            for n in (1, 10, 100, 1_000)
        ]
        assert all(more >= less for less, more in pairwise(sizes) if more)

    def test_it_watches_a_session_without_harm(self) -> None:
        """``observe`` takes every event and answers with a halt or nothing."""
        protection = self.make()
        markets = [build_market(f"m{i}") for i in range(1, 4)]
        session = Session(markets=markets)
        for event in transcript(markets):
            session.send(event)
            halt = protection.observe(event, session.view)
            assert halt is None or isinstance(halt, Halt)

    def test_it_never_traps_a_position(self) -> None:
        """With this protection in force, shares that are held can be sold."""
        before = Session(_InAndOut())
        before.start()
        before.send(build_book())
        before.settle(START + HOUR)
        assert before.view.position("m1-yes").shares == 10 * SHARE
        session = Session(_InAndOut(), protections=[self.make()])
        session.engine.restore(before.engine.checkpoint())
        session.send(build_book(bid=4_800, ts=START + 2 * HOUR))
        (review,) = session.of(fx.OrderReviewed)
        assert review.permitted == 10 * SHARE, [v for v in review.verdicts if v.size == 0]

    def test_its_limits_are_whole_numbers(self) -> None:
        """A guard of the core gives its limits as ints."""
        limits = self.make().limits()
        assert all(type(value) is int for value in limits.values())


class SizerSuite(PluginSuite):
    """Asks a sizer about intents in a session with real money in it."""

    def test_it_gives_shares_that_can_be_had(self) -> None:
        """A whole number of size units, not negative; what it lacks is a DataError."""
        sizer, session = self.make(), Session()
        session.send(build_book())
        for side, probability, price in product(
            Side, (None, 0.01, 0.5, 0.6, 0.99), (10, 5_100, 9_990)
        ):
            intent = Intent(token=YES, side=side, price=price, probability=probability)
            try:
                size = sizer.size(intent, price, session.view)
            except DataError:
                continue
            assert shares_of(size) >= 0

    def test_the_same_question_has_the_same_answer(self) -> None:
        """Two instances in equal sessions size an intent alike."""
        intent = Intent(token=YES, side=Side.BUY, price=5_100, probability=0.9)
        sizes = []
        for _ in range(2):
            session = Session()
            session.send(build_book())
            sizes.append(self.make().size(intent, 5_100, session.view))
        assert sizes[0] == sizes[1]

    def test_the_door_keeps_what_it_gives_within_the_money(self) -> None:
        """An intent without a size is sized by it and never reserves more than there is."""
        session = Session(_InAndOut(size=None), sizer=self.make(), cash="20", answers="silent")
        session.start()
        session.send(build_book())
        for i in range(1, 20):
            session.send(build_book(bid=4_900 - 10 * i, ts=START + i * HOUR))
            assert session.view.portfolio().free >= 0


def shares_of(answer: object) -> int:
    """The size that a sizer answered, plainly or with its reasons.

    Raises:
        PluginError: it is no answer.
    """
    return sound_size(answer, "under test").size


class _InAndOut(Strategy):
    """Buys ten shares (or what its sizer says), then sells what it has."""

    def __init__(self, size: int | None = 10 * SHARE) -> None:
        super().__init__()
        self._size = size

    def on_book(self, event: BookUpdated, view: View) -> Iterator[Wish]:
        """One order a quote."""
        token = event.quote.token
        held = view.position(token).free
        side = Side.SELL if held else Side.BUY
        price = event.quote.bid if held else event.quote.ask
        yield Intent(
            token=token, side=side, price=price, size=held or self._size, probability=0.9, edge=0.3,
            kind=Kind.EXIT if held else Kind.DIRECTIONAL,
        )  # fmt: skip
