"""A run's fills and reviews in the order of time; compiled ones are told when asked for."""

from __future__ import annotations

from collections import Counter
from collections.abc import Iterator, Sequence
from typing import TYPE_CHECKING, Any, overload

import numpy as np

from polyframe.domain.orders import Side
from polyframe.domain.verdict import Ruling
from polyframe.engine.objections import Objection, objected
from polyframe.kernels import barcolumns_nb as c
from polyframe.lab.record import FillRecord

if TYPE_CHECKING:
    from numpy.typing import NDArray

    from polyframe.domain.effects import OrderReviewed
    from polyframe.runtime.logged import Filled, Reviewed

    Ints = NDArray[np.int64]


def _in_time(stepped: Sequence[int], late: Ints) -> Ints:
    """The order of both by time; at one moment what a step told comes first."""
    return np.argsort(np.concatenate([np.array(stepped, np.int64), late]), kind="stable")


class FillLog(Sequence[FillRecord]):
    """All fills in the order of time."""

    def __init__(self, stepped: Sequence[FillRecord], late: Filled | None = None) -> None:
        self.stepped = stepped
        self.late = late if late is not None and len(late) else None
        self._order: Ints | None = None
        if self.late is not None:
            self._order = _in_time([r.fill.ts for r in stepped], self.late.rows[:, c.X_TS])

    @classmethod
    def of(cls, fills: Sequence[FillRecord]) -> FillLog:
        """Any fills as a log."""
        return fills if isinstance(fills, cls) else cls(fills)

    def __len__(self) -> int:
        return len(self.stepped) + (0 if self.late is None else len(self.late))

    @overload
    def __getitem__(self, n: int) -> FillRecord: ...
    @overload
    def __getitem__(self, n: slice) -> list[FillRecord]: ...
    def __getitem__(self, n: int | slice) -> FillRecord | list[FillRecord]:
        if isinstance(n, slice):
            return [self[k] for k in range(*n.indices(len(self)))]
        if self.late is None or self._order is None:
            return self.stepped[n]
        k = int(self._order[n]) - len(self.stepped)
        return self.stepped[k + len(self.stepped)] if k < 0 else self._told(self.late, k)

    def _told(self, late: Filled, k: int) -> FillRecord:
        review: Any = late.decision(k)
        mid, quality = int(late.sent[k, c.O_MID]), int(late.quality[k])
        return FillRecord(late.booked(k).fill, quality, mid, review)

    # ---- columns -----------------------------------------------------------------------------

    def joined(self, stepped: Any, late: Any) -> Any:
        """A column of both parts in the order of time."""
        if self._order is None:
            return stepped
        return np.concatenate([stepped, late])[self._order]

    def listed(self, stepped: list[Any], late: list[Any]) -> list[Any]:
        """Objects of both parts in the order of time."""
        if self._order is None:
            return stepped
        both = stepped + late
        return [both[k] for k in self._order.tolist()]

    def orders(self) -> list[str]:
        """The order of each fill."""
        own = [row.fill.order for row in self.stepped]
        return self.listed(own, [] if self.late is None else self.late.orders())

    def decisions(self) -> list[OrderReviewed | None]:
        """The ruling that let each one's order through."""
        own = [row.decision for row in self.stepped]
        return self.listed(own, [] if self.late is None else self.late.decisions())

    def ledgers(self) -> list[str]:
        """The ledger of each fill."""
        own = [row.fill.ledger for row in self.stepped]
        late = self.late
        return self.listed(own, [] if late is None else [late.words.ledger] * len(late))

    def reasons(self) -> list[str]:
        """Why each order was sent: its own word, else its side."""
        own = [_why(row) for row in self.stepped]
        late = self.late
        return self.listed(own, [] if late is None else [late.reason] * len(late))


def _why(row: FillRecord) -> str:
    fill, decision = row.fill, row.decision
    return (
        fill.reason
        or (decision.intent.reason if decision is not None else "")
        or ("buy" if fill.side == Side.BUY else "sell")
    )


class ReviewLog(Sequence[Any]):
    """All reviews in the order of time, each with the attributes of an ``OrderReviewed``."""

    def __init__(self, stepped: Sequence[OrderReviewed], late: Reviewed | None = None) -> None:
        self.stepped = stepped
        self.late = late if late is not None and len(late) else None
        self._objections: Counter[Objection] | None = None
        self._order: Ints | None = None
        if self.late is not None:
            self._order = _in_time([r.ts for r in stepped], self.late.rows[:, c.O_TS])

    @classmethod
    def of(cls, reviews: Sequence[Any]) -> ReviewLog:
        """Any reviews as a log."""
        return reviews if isinstance(reviews, cls) else cls(reviews)

    def __len__(self) -> int:
        return len(self.stepped) + (0 if self.late is None else len(self.late))

    def __getitem__(self, n: Any) -> Any:
        if isinstance(n, slice):
            return [self[k] for k in range(*n.indices(len(self)))]
        if self.late is None or self._order is None:
            return self.stepped[n]
        k = int(self._order[n]) - len(self.stepped)
        return self.stepped[k + len(self.stepped)] if k < 0 else self.late.review(k)

    def objected(self) -> Iterator[OrderReviewed]:
        """The reviews in which a guard may have ruled against the order; no particular order."""
        yield from self.stepped
        if self.late is not None:
            late: Iterator[Any] = self.late.objected()
            yield from late

    def objections(self) -> Counter[Objection]:
        """What protections objected in all reviews, counted by rule."""
        if self._objections is None:
            self._objections = self._counted()
        return self._objections

    def denials(self) -> dict[str, int]:
        """How many orders each protection denied."""
        found: Counter[str] = Counter()
        for objection, times in self.objections().items():
            if objection.binding and objection.ruling is Ruling.DENY:
                found[objection.protection] += times
        return dict(found)

    def _counted(self) -> Counter[Objection]:
        panels = Counter([(id(each.verdicts), each.permitted > 0) for each in self.stepped])
        verdicts = {id(each.verdicts): each.verdicts for each in self.stepped}
        found: Counter[Objection] = Counter() if self.late is None else self.late.objections()
        for (panel, sent), times in panels.items():
            for objection in objected(verdicts[panel], sent=sent):
                found[objection] += times
        return found

    @property
    def denied(self) -> int:
        """How many orders were not permitted at all."""
        own = sum(1 for review in self.stepped if review.permitted == 0)
        if self.late is None:
            return own
        return own + int((self.late.rows[:, c.O_PERMITTED] == 0).sum())

    @property
    def shrunk(self) -> int:
        """How many orders were permitted in part."""
        own = sum(1 for review in self.stepped if 0 < review.permitted < review.asked)
        if self.late is None:
            return own
        asked, permitted = self.late.rows[:, c.O_ASKED], self.late.rows[:, c.O_PERMITTED]
        return own + int(((permitted > 0) & (permitted < asked)).sum())
