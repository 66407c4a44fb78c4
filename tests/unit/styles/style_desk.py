"""A session with one style, ladders for books and timers that fire by themselves."""

from __future__ import annotations

import sys
from collections.abc import Sequence
from pathlib import Path

import msgspec

sys.path.insert(0, str(Path(__file__).parent.parent / "engine"))
from engine_desk import START, Desk, intent, market, told

from polyframe.domain import effects as fx
from polyframe.domain import events as ev
from polyframe.domain.book import Book, Level
from polyframe.domain.market import FeeSchedule
from polyframe.domain.units import SECOND, to_units
from polyframe.runtime.plugins import Registry

__all__ = ["ASKS", "BIDS", "FREE", "SHARE", "START", "StyleDesk", "intent"]

SHARE = 1_000_000
FREE = FeeSchedule()
BIDS = [("0.48", 100), ("0.47", 200), ("0.46", 300)]
ASKS = [("0.50", 40), ("0.51", 60), ("0.52", 300), ("0.53", 500)]


class StyleDesk(Desk):
    """Orders of alice go through one built-in style with these settings."""

    def __init__(self, name: str, *, session: dict | None = None, **config: object) -> None:
        session = session or {}
        cls = Registry.load(safe=True).get("execution_style", name)
        changes = {
            "min_size": 5 * SHARE, "closes": session.pop("closes", 0), "lot": SHARE,
            "fee": session.pop("fee", market("A").fee),
        }  # fmt: skip
        only = msgspec.structs.replace(market("A"), **changes)
        super().__init__(
            markets=[only], styles={name: cls(cls.Config.model_validate(config))},
            cash=session.pop("cash", "2000"), **session,
        )  # fmt: skip
        self.style = name

    def ladder(
        self, bids: Sequence[tuple[str, float]], asks: Sequence[tuple[str, float]], *, trusted=True
    ) -> list[str]:
        """A full book, best first; what came of it."""
        sides = [
            tuple(Level(to_units(p, 4), int(n * SHARE)) for p, n in side) for side in (bids, asks)
        ]
        now = self.later(0.001)
        return self.shown(self.step(ev.BookReset(now, Book("A.yes", *sides, now, trusted))))

    def order(self, side: str, price: str, size: str, *words: str, **more: object) -> list[str]:
        """An order of alice through the style; what was sent at once."""
        wish = intent(side, "A.yes", price, size, f"style={self.style}", *words)
        return self.shown(self.wish("alice", msgspec.structs.replace(wish, **more)))

    def run(self, seconds: float) -> list[str]:
        """Lets time pass; what the timers led to, each line with its second."""
        until, found = self.now + int(seconds * SECOND), []
        while True:
            due = [(at, key) for key, at in self.engine.timers.items() if at <= until]
            if not due:
                self.now = until
                return found
            at, (ledger, key) = min(due)
            self.now = max(self.now, at)
            found += self.shown(self.step(ev.TimerFired(self.now, ledger, key)))

    def say(self, line: str) -> list[str]:
        """One line of the table language."""
        return self.shown(self._do(line.split()))

    def got(self, order: int, size: float, price: str) -> list[str]:
        """A fill."""
        return self.shown(self.fill(f"s-{order}", str(size), price))

    @staticmethod
    def shown(effects: Sequence[fx.Effect]) -> list[str]:
        """What was sent, cancelled or ended, and why."""
        lines = []
        for effect in effects:
            match effect:
                case fx.SubmitOrder(order):
                    how = "post" if order.post_only else str(order.tif)
                    lines.append(told(effect).removeprefix("submit ") + f" {how}")
                case fx.RequestCancel():
                    lines.append(f"{told(effect)}: {effect.reason}")
                case fx.OrderChanged() if not effect.state.open:
                    lines.append(told(effect))
                case fx.OrderReviewed() if not effect.permitted:
                    lines.append(told(effect))
        return lines
