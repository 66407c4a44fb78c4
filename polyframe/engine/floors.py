"""The equity at which trading stops: losses of the day and the week, and falls from the peak.

The data loop wakes the engine at the first row on which a ledger or the account stands at or below
its highest floor. What is crossed there halts at once; floors that only lower a cap (the heat of a
drawdown) are passed and the next one below is armed.
"""

from __future__ import annotations

from typing import NamedTuple

from polyframe.api.protection import Halt
from polyframe.domain.units import DAY, Money, Ns
from polyframe.engine.risk import RiskDoor
from polyframe.engine.state import State
from polyframe.kernels import bars_nb as nb
from polyframe.kernels import tables_nb as t

FIRST_MONDAY = 3
"""1970-01-01 was a Thursday: so many days after a Monday"""
DAILY_COUNTS = (t.A_ORDERS_DAY, t.A_CANCELS_DAY, t.A_FILLS_DAY, t.A_VOLUME_DAY)
"""Numbers that begin anew with the UTC day."""
HEAT = ("heat_from_1", "heat_from_2", "heat_from_3")


def week_of(day: int) -> int:
    """The week a day is in, from Monday to Sunday."""
    return (day + FIRST_MONDAY) // 7


class _Limits(NamedTuple):
    """A row's limits, None where there is none."""

    daily: Money | None
    weekly: Money | None
    kill: int | None
    steps: tuple[int, ...]
    """falls from the peak that wake, in millionths, the kill's among them"""


class Floors:
    """Arms the floors of every row and says which were crossed."""

    def __init__(self, state: State, door: RiskDoor) -> None:
        self.state = state
        self.door = door
        self.rows = range(len(state.ledgers) + 1)
        self._limits = [self._of(row) for row in self.rows]
        self._crossed = state.tables.scalar(t.A_CROSSED)
        self._marks = state.marks

    def _of(self, row: int) -> _Limits:
        limit = self.door.limit
        kill = limit("drawdown_kill", row)
        steps = [limit(name, row) for name in (*HEAT, "drawdown_kill")]
        return _Limits(
            limit("daily_loss", row), limit("weekly_loss", row), kill,
            tuple(sorted({step for step in steps if step})),
        )  # fmt: skip

    # ---- time --------------------------------------------------------------------------------

    def turn(self, before: int, day: int) -> None:
        """A UTC day begins; what equity is now is what it began with."""
        state = self.state
        monday = before < 0 or week_of(before) != week_of(day)
        for row in self.rows:
            state.day_start[row] = state.equity_of(row)
            self._crossed[row] &= ~t.CROSSED_DAILY
            if monday:
                state.week_start[row] = state.day_start[row]
                self._crossed[row] &= ~t.CROSSED_WEEKLY
        for column in DAILY_COUNTS:
            state.tables.account[column] = 0
        self.arm()

    def moved(self, ledger: int, amount: Money) -> None:
        """Money came or went: a deposit is no gain and a withdrawal no loss."""
        state = self.state
        for row in (ledger, state.account):
            state.day_start[row] += amount
            state.week_start[row] += amount
            state.peak[row] += amount
        self.arm()

    def restart(self) -> None:
        """A person lets trading go on after a fall: the peak is where equity stands now."""
        for row in self.rows:
            if self._crossed[row] & t.CROSSED_KILL:
                self._crossed[row] &= ~t.CROSSED_KILL
                self.state.peak[row] = self.state.equity_of(row)
        self.arm()

    def flattens(self, by: str, ledger: str) -> bool:
        """True when a fall from the peak also sells what is held."""
        row = self.state.ledger_index.get(ledger, self.state.account)
        kills = by == self.door.guards.name_of("drawdown_kill")
        return kills and self.door.limit("drawdown_flatten", row) == 1

    # ---- floors ------------------------------------------------------------------------------

    def arm(self) -> None:
        """Tells the data loop at which equity something is decided."""
        for row in self.rows:
            self._arm(row)

    def _arm(self, row: int) -> None:
        state, limits, crossed = self.state, self._limits[row], self._crossed[row]
        fixed = nb.NO_FLOOR
        if limits.daily is not None and not crossed & t.CROSSED_DAILY:
            fixed = max(fixed, state.day_start[row] - limits.daily)
        if limits.weekly is not None and not crossed & t.CROSSED_WEEKLY:
            fixed = max(fixed, state.week_start[row] - limits.weekly)
        now, peak = state.equity_of(row), state.peak[row]
        steps = (nb.fallen(peak, step) for step in limits.steps)
        moving = max((floor for floor in steps if floor < now), default=nb.NO_FLOOR)
        self._marks[row, nb.E_FIXED] = fixed
        self._marks[row, nb.E_FIRST] = limits.steps[0] if limits.steps else 0
        self._marks[row, nb.E_FLOOR] = max(fixed, moving)

    def cross(self, now: Ns) -> list[tuple[str, Halt]]:
        """What was crossed, with the guard's name and the halt that follows from it.

        What halts the whole account is not said of its ledgers as well.
        """
        if not nb.settle(self._marks):
            return []
        found: list[tuple[str, Halt]] = []
        everywhere: set[int] = set()
        for row in reversed(self.rows):
            if self.state.equity_of(row) > self._marks[row, nb.E_FLOOR]:
                continue
            for bit, kernel, reason, until in self._reached(row, now):
                self._crossed[row] |= bit
                whole = row == self.state.account
                if whole:
                    everywhere.add(bit)
                elif bit in everywhere:
                    continue
                ledger = "" if whole else self.state.ledgers[row]
                whose = "the account" if whole else ledger
                halt = Halt(reason=f"{whose} {reason}", ledger=ledger, until=until)
                found.append((self.door.guards.name_of(kernel), halt))
            self._arm(row)
        return found

    def _reached(self, row: int, now: Ns) -> list[tuple[int, str, str, Ns]]:
        state, limits, crossed = self.state, self._limits[row], self._crossed[row]
        equity, day = state.equity_of(row), now // DAY
        found = []
        if limits.daily is not None and equity <= state.day_start[row] - limits.daily:
            until = (day + 1) * DAY
            found.append((t.CROSSED_DAILY, "daily_loss", "reached its loss of the day", until))
        if limits.weekly is not None and equity <= state.week_start[row] - limits.weekly:
            until = ((week_of(day) + 1) * 7 - FIRST_MONDAY) * DAY
            found.append((t.CROSSED_WEEKLY, "weekly_loss", "reached its loss of the week", until))
        if limits.kill is not None and equity <= nb.fallen(state.peak[row], limits.kill):
            found.append((t.CROSSED_KILL, "drawdown_kill", "fell too far from its peak", 0))
        return [item for item in found if not crossed & item[0]]
