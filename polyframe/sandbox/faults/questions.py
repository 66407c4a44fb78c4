"""Faults of markets: ticks that change, answers that are disputed."""

from __future__ import annotations

from collections.abc import Callable
from functools import partial
from typing import Annotated, ClassVar, Final, Literal

from pydantic import Field

from polyframe.domain.units import format_units
from polyframe.errors import UserError
from polyframe.sandbox.faults.fault import Fault, Seconds
from polyframe.sandbox.faults.stage import Run, ns
from polyframe.sandbox.faults.target import Place
from polyframe.sandbox.venue.market import BOTH, TICKS, Market
from polyframe.sandbox.venue.records import State

ANSWERS: Final = {"yes": 0, "no": 1, "both": BOTH}
FINER: Final = {1_000: 100, 100: 10, 50: 25, 25: 10, 10: 1, 1: 10}


class TickChange(Fault):
    """A market's tick becomes another one; with a duration it changes back."""

    rolls: ClassVar[bool] = True

    fault: Literal["tick_change"] = "tick_change"
    target: Place = Place()
    tick: Annotated[
        Literal["0.1", "0.01", "0.005", "0.0025", "0.001", "0.0001"] | None,
        Field(description="null: a finer one"),
    ] = None
    markets: Annotated[int, Field(strict=True, ge=1, le=10_000)] = 1
    """how many are chosen where the target names none"""

    def begin(self, run: Run) -> None:
        """Changes ticks."""
        for market in meant(run, self.markets):
            old = market.tick
            new = _TICKS[self.tick] if self.tick is not None else FINER[old]
            if new != old:
                run.memo.setdefault("old", []).append((market.condition_id, old, new))
                self._set(run, market, new)

    def end(self, run: Run) -> None:
        """Changes those back that nobody else has changed since."""
        for condition_id, old, new in run.memo.pop("old", []) if self.duration else []:
            market = run.stage.desk.venue.markets[condition_id]
            if market.tick == new and market.booked:
                self._set(run, market, old)

    def _set(self, run: Run, market: Market, tick: int) -> None:
        run.note(f"tick of {market.condition_id} {text_of(market.tick)} to {text_of(tick)}")
        run.stage.desk.venue.set_tick(market.condition_id, tick)


def text_of(price: int) -> str:
    """A price as the venue writes it."""
    return format_units(price, 4)


_TICKS: Final = {text_of(tick): tick for tick in TICKS}


class Dispute(Fault):
    """A market's answer is proposed and disputed; with a duration it becomes final at the end."""

    rolls: ClassVar[bool] = True

    fault: Literal["dispute"] = "dispute"
    target: Place = Place()
    answer: Literal["yes", "no", "both"] = "yes"
    """what is proposed, where nothing is proposed yet"""
    after: Seconds = 1.0
    """seconds from the proposal to the dispute"""
    final: Literal["yes", "no", "both"] | None = None
    """the answer in the end; null: the proposed one"""

    def begin(self, run: Run) -> None:
        """Proposes, if nobody has, and disputes later."""
        venue = run.stage.desk.venue
        for market in meant(run, 1, State.PROPOSED):
            if market.state is not State.PROPOSED:
                propose = partial(venue.propose, market.condition_id, ANSWERS[self.answer])
                if not _try(run, f"proposal of {self.answer} for {market.condition_id}", propose):
                    continue
            run.memo.setdefault("markets", []).append(market)
            at = run.stage.now + ns(self.after)
            venue.schedule(at, partial(self._dispute, run, market))

    def _dispute(self, run: Run, market: Market) -> None:
        if market.state is State.PROPOSED and not run.gone:
            dispute = partial(run.stage.desk.venue.dispute, market.condition_id)
            _try(run, f"dispute about {market.condition_id}", dispute)

    def end(self, run: Run) -> None:
        """Makes the answer final."""
        for market in run.memo.pop("markets", []) if self.duration else []:
            if market.state is State.DISPUTED:
                answer = market.proposed if self.final is None else ANSWERS[self.final]
                resolve = partial(run.stage.desk.venue.resolve, market.condition_id, answer)
                _try(run, f"answer {answer} for {market.condition_id}", resolve)


def _try(run: Run, what: str, action: Callable[[], None]) -> bool:
    """Does what the venue may find impossible, and enters either into the record."""
    try:
        action()
    except UserError as error:
        run.note(f"{what}: not possible, {error.message}")
        return False
    run.note(what)
    return True


def meant(run: Run, most: int, *states: State) -> list[Market]:
    """The markets that a fault names; so many that have a book, by chance, where it names none."""
    venue = run.stage.desk.venue
    named = [venue.tokens[token][0] for token in sorted(run.picks.tokens)]
    named += [venue.markets[id] for id in sorted(run.picks.conditions)]
    if named:
        found = [one for one in dict.fromkeys(named) if one.booked or one.state in states]
    else:
        open = [market for market in venue.markets.values() if market.accepting]
        found = [open.pop(run.upto(len(open) - 1)) for _ in range(min(most, len(open)))]
    if not found:
        run.note("nothing: none of its markets has a book")
    return found


KINDS: Final = (TickChange, Dispute)
